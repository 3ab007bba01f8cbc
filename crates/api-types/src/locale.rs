//! The languages that mails are written in, and which of them somebody gets: negotiation by `Accept-Language`
//! (RFC 9110 §12.5.4) and look-up of language tags (RFC 4647 §3.4). The texts themselves are in `latchkey-mail`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A language that every built-in mail is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// German.
    De,
    /// French.
    Fr,
    /// Spanish.
    Es,
    /// Portuguese.
    Pt,
    /// Chinese in simplified characters.
    ZhHans,
    /// Japanese.
    Ja,
}

/// The most ranges of a header that are looked at; no person speaks more languages.
const MOST_RANGES: usize = 32;

impl Locale {
    /// All of them, the fallback first.
    pub const ALL: [Self; 7] = [Self::En, Self::De, Self::Fr, Self::Es, Self::Pt, Self::ZhHans, Self::Ja];

    /// The language tag (RFC 5646), as it stands in configuration and in the `lang` attribute of a mail.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
            Self::Pt => "pt",
            Self::ZhHans => "zh-Hans",
            Self::Ja => "ja",
        }
    }

    /// The language of a tag such as `de-CH` or `zh_CN`, whatever its case; `None` if there is none for it.
    ///
    /// A tag is shortened until it matches (RFC 4647 §3.4). Chinese is not shortened across scripts: whoever asks for
    /// traditional characters, by script or by a region that writes them, gets simplified ones only by naming `zh` too,
    /// as browsers do. That is the order of the Unicode CLDR as well, whose `zh-Hant` does not inherit from `zh`.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let mut subtags = tag.trim().split(['-', '_']);
        let language = subtags.next()?;
        let is = |word: &str| language.eq_ignore_ascii_case(word);
        if is("zh") {
            return simplified(&subtags.collect::<Vec<_>>()).then_some(Self::ZhHans);
        }
        Self::ALL.into_iter().filter(|known| *known != Self::ZhHans).find(|known| is(known.tag()))
    }

    /// The language that the value of an `Accept-Language` header asks for; `None` if it asks for nothing that there
    /// is, or leaves it to the server by `*`. What it weighs with `q=0` is not chosen. Malformed ranges are passed over.
    pub fn negotiate(header: &str) -> Option<Self> {
        let mut ranges: Vec<(&str, u16)> = header.split(',').take(MOST_RANGES).filter_map(range).collect();
        let refused: Vec<Self> = ranges
            .iter()
            .filter(|(_, weight)| *weight == 0)
            .filter_map(|(tag, _)| Self::of_tag(tag))
            .collect();
        ranges.retain(|(_, weight)| *weight > 0);
        // Stable, so that of equal weights the first one wins.
        ranges.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
        for (tag, _) in ranges {
            if tag == "*" {
                return None;
            }
            if let Some(locale) = Self::of_tag(tag).filter(|locale| !refused.contains(locale)) {
                return Some(locale);
            }
        }
        None
    }
}

/// Whether the subtags behind `zh` mean simplified characters: the script decides, without one the region.
fn simplified(subtags: &[&str]) -> bool {
    let is_among = |tag: &str, words: &[&str]| words.iter().any(|word| tag.eq_ignore_ascii_case(word));
    let any = |words: &[&str]| subtags.iter().any(|tag| is_among(tag, words));
    any(&["hans"]) || !any(&["hant", "tw", "hk", "mo", "yue"])
}

/// A range and its weight in thousandths (RFC 9110 §12.4.2); `None` if malformed.
fn range(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';');
    let tag = parts.next()?.trim();
    if tag.is_empty() || tag.len() > 64 {
        return None;
    }
    let Some(parameter) = parts.next() else { return Some((tag, 1000)) };
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") || parts.next().is_some() {
        return None;
    }
    weight(value.trim()).map(|weight| (tag, weight))
}

/// `0`, `0.8`, `1.000`: at most three decimals, from 0 to 1.
fn weight(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

impl Serialize for Locale {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.tag())
    }
}

impl<'de> Deserialize<'de> for Locale {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tag = Cow::<'de, str>::deserialize(deserializer)?;
        Self::ALL.into_iter().find(|known| known.tag() == tag).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|known| known.tag()).collect();
            de::Error::custom(format_args!("must be one of {}", known.join(", ")))
        })
    }
}

impl JsonSchema for Locale {
    fn schema_name() -> Cow<'static, str> {
        "Locale".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Self::ALL.map(Self::tag) })
    }
}

#[cfg(test)]
mod tests {
    use super::Locale::{self, De, En, Es, Fr, Ja, Pt, ZhHans};

    #[test]
    fn a_tag_is_shortened_until_it_matches() {
        for (tag, expected) in [
            ("de", Some(De)),
            ("de-CH", Some(De)),
            ("DE-ch-1996", Some(De)),
            ("de_AT", Some(De)),
            ("pt-BR", Some(Pt)),
            ("es-419", Some(Es)),
            ("ja-JP", Some(Ja)),
            ("en-GB-oxendict", Some(En)),
            ("dex", None),
            ("d", None),
            ("", None),
            ("*", None),
            ("nl-BE", None),
        ] {
            assert_eq!(Locale::of_tag(tag), expected, "{tag}");
        }
    }

    #[test]
    fn simplified_characters_are_not_forced_on_those_who_write_traditional_ones() {
        for tag in ["zh", "zh-CN", "zh-Hans", "zh-hans-tw", "zh-SG", "zh_CN", "zh-cmn-Hans-CN"] {
            assert_eq!(Locale::of_tag(tag), Some(ZhHans), "{tag}");
        }
        for tag in ["zh-Hant", "zh-TW", "zh-HK", "zh-MO", "zh-Hant-CN", "zh-hant-hk"] {
            assert_eq!(Locale::of_tag(tag), None, "{tag}");
        }
        assert_eq!(Locale::negotiate("zh-TW,zh;q=0.9,en;q=0.8"), Some(ZhHans), "the reader named it");
        assert_eq!(Locale::negotiate("zh-TW,en;q=0.8"), Some(En));
    }

    #[test]
    fn the_heaviest_language_that_there_is_wins() {
        for (header, expected) in [
            ("fr", Some(Fr)),
            ("nl, de-CH;q=0.9, en;q=0.8", Some(De)),
            ("en;q=0.2, ja;q=0.7, fr;q=0.7", Some(Ja)),
            ("en ; q=0.5 , es ; q=1.0", Some(Es)),
            ("fr;Q=0.3,de;q=0.301", Some(De)),
            ("nl,sv", None),
            ("", None),
        ] {
            assert_eq!(Locale::negotiate(header), expected, "{header}");
        }
    }

    #[test]
    fn what_is_weighed_with_nothing_is_not_chosen() {
        assert_eq!(Locale::negotiate("de;q=0, fr;q=0.1"), Some(Fr));
        assert_eq!(Locale::negotiate("de-CH, de;q=0, en;q=0.1"), Some(En));
        assert_eq!(Locale::negotiate("de;q=0.000"), None);
    }

    #[test]
    fn a_star_leaves_it_to_the_server() {
        assert_eq!(Locale::negotiate("*"), None);
        assert_eq!(Locale::negotiate("nl, *;q=0.5, fr;q=0.4"), None);
        assert_eq!(Locale::negotiate("de, *;q=0.5"), Some(De));
    }

    #[test]
    fn what_is_malformed_is_passed_over() {
        for header in
            ["de;q=2", "de;q=", "de;q=-1", "de;q=0.1234", "de;x=1", "de;q=0.5;q=1", ";q=1", ",,,", "de;q=1.5"]
        {
            assert_eq!(Locale::negotiate(header), None, "{header}");
            assert_eq!(Locale::negotiate(&format!("{header}, fr;q=0.1")), Some(Fr), "{header}");
        }
        let endless = format!("{}fr", "nl,".repeat(1000));
        assert_eq!(Locale::negotiate(&endless), None);
    }

    #[test]
    fn tags_are_written_as_they_are_read() {
        for locale in Locale::ALL {
            assert_eq!(Locale::of_tag(locale.tag()), Some(locale));
            let json = serde_json::to_string(&locale).unwrap();
            assert_eq!(serde_json::from_str::<Locale>(&json).unwrap(), locale);
        }
        assert!(serde_json::from_str::<Locale>("\"de-CH\"").is_err());
    }
}
