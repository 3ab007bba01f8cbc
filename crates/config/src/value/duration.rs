//! A span of time written as text, such as `"15m"` or `"1h30m"`.

use std::{fmt, str::FromStr};

/// A span of time, precise to a millisecond, written as `"250ms"`, `"30s"`, `"15m"`, `"12h"`, `"365d"`, or several
/// such parts in a row (`"1h30m"`). Long unit names (`"10min"`, `"2 hours"`) are read as well.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration {
    millis: u64,
}

/// Name, length in milliseconds. The first name of each length is the one that is written.
const UNITS: [(&str, u64); 19] = [
    ("d", 86_400_000),
    ("day", 86_400_000),
    ("days", 86_400_000),
    ("h", 3_600_000),
    ("hr", 3_600_000),
    ("hour", 3_600_000),
    ("hours", 3_600_000),
    ("m", 60_000),
    ("min", 60_000),
    ("mins", 60_000),
    ("minute", 60_000),
    ("minutes", 60_000),
    ("s", 1_000),
    ("sec", 1_000),
    ("secs", 1_000),
    ("second", 1_000),
    ("seconds", 1_000),
    ("ms", 1),
    ("millis", 1),
];

/// No setting of this server means anything beyond a century; the bound keeps sums of times far from overflow.
const LONGEST_MILLIS: u64 = 36_525 * 86_400_000;

impl Duration {
    /// A span of so many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }

    /// A span of so many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self { millis: seconds * 1_000 }
    }

    /// A span of so many minutes.
    pub const fn from_mins(minutes: u64) -> Self {
        Self::from_secs(minutes * 60)
    }

    /// A span of so many days of 24 hours.
    pub const fn from_days(days: u64) -> Self {
        Self::from_secs(days * 86_400)
    }

    /// The length in milliseconds; as text it never exceeds a century, so adding it to a time cannot overflow.
    pub fn as_millis(self) -> i64 {
        i64::try_from(self.millis).unwrap_or(i64::MAX)
    }

    /// The length in whole seconds, rounded down.
    pub fn as_seconds(self) -> i64 {
        self.as_millis() / 1_000
    }

    /// The same span as the standard library's type.
    pub const fn as_std(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.millis)
    }

    /// Whether the span is empty.
    pub const fn is_zero(self) -> bool {
        self.millis == 0
    }
}

impl From<Duration> for std::time::Duration {
    fn from(duration: Duration) -> Self {
        duration.as_std()
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.millis == 0 {
            return f.write_str("0s");
        }
        let (name, length) =
            UNITS.iter().find(|(_, length)| self.millis.is_multiple_of(*length)).unwrap_or(&("ms", 1));
        write!(f, "{}{name}", self.millis / length)
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no span of time.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DurationError {
    /// The text is not a row of number and unit.
    #[error("must be a time such as \"30s\", \"15m\", \"12h\" or \"365d\"")]
    Malformed,
    /// The unit is not one of ours.
    #[error("has the unknown unit {0:?}; units are ms, s, m, h and d")]
    UnknownUnit(String),
    /// Longer than a century.
    #[error("is longer than a century")]
    TooLong,
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(DurationError::Malformed);
        }
        let mut millis = 0_u64;
        while !rest.is_empty() {
            let (number, after) = split_while(rest, |c| c.is_ascii_digit());
            let (unit, after) = split_while(after.trim_start(), |c| c.is_ascii_alphabetic());
            if number.is_empty() || unit.is_empty() {
                return Err(DurationError::Malformed);
            }
            let length = UNITS
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(unit))
                .map(|(_, length)| *length)
                .ok_or_else(|| DurationError::UnknownUnit(unit.to_owned()))?;
            let number: u64 = number.parse().map_err(|_| DurationError::TooLong)?;
            millis = number
                .checked_mul(length)
                .and_then(|part| millis.checked_add(part))
                .filter(|sum| *sum <= LONGEST_MILLIS)
                .ok_or(DurationError::TooLong)?;
            rest = after.trim_start();
        }
        Ok(Self { millis })
    }
}

fn split_while(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

super::text_value!(Duration, "Duration", {
    "pattern": "^\\s*([0-9]+\\s*[A-Za-z]+\\s*)+$",
    "examples": ["30s", "15m", "12h", "365d"]
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_each_unit_and_written_in_the_largest_that_fits() {
        for (text, millis, written) in [
            ("250ms", 250, "250ms"),
            ("30s", 30_000, "30s"),
            ("60s", 60_000, "1m"),
            ("10min", 600_000, "10m"),
            ("15m", 900_000, "15m"),
            ("1h30m", 5_400_000, "90m"),
            ("1h 30 minutes", 5_400_000, "90m"),
            ("24h", 86_400_000, "1d"),
            ("365d", 31_536_000_000, "365d"),
            (" 2 Hours ", 7_200_000, "2h"),
            ("0s", 0, "0s"),
        ] {
            let duration: Duration = text.parse().unwrap();
            assert_eq!(duration.as_millis(), millis, "{text}");
            assert_eq!(duration.to_string(), written, "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_time_are_refused() {
        use DurationError::*;
        for (text, error) in [
            ("", Malformed),
            ("15", Malformed),
            ("m", Malformed),
            ("-5m", Malformed),
            ("1.5h", Malformed),
            ("5y", UnknownUnit("y".into())),
            ("36526d", TooLong),
            ("99999999999999999999s", TooLong),
            ("18446744073709551615d", TooLong),
        ] {
            assert_eq!(text.parse::<Duration>(), Err(error), "{text}");
        }
    }
}
