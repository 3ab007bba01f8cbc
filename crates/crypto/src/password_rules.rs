//! What makes a password bad: being common, lacking variety, being known from a breach.

use aws_lc_rs::digest;
use zxcvbn::matching::patterns::{DictionaryPattern, MatchPattern};

/// Longer passwords are not looked up, characters: the list of passwords holds none that is longer.
const LONGEST_COMMON: usize = 20;
/// Symbols that the estimator tries to read as letters, in every combination. It needs time that is exponential in
/// how many of them there are: half a second for 32 characters with all of them, which anybody could send us.
const READ_AS_LETTERS: [char; 10] = ['@', '(', '{', '[', '<', '!', '|', '$', '+', '%'];
/// Passwords with more different ones are not looked up; none is listed. Keeps a look-up below two milliseconds.
const MOST_READ_AS_LETTERS: usize = 2;
/// Somebody who tries likely passwords first finds those below in as many guesses.
const TOO_FEW_GUESSES: u64 = 10_000;

/// Whether a password is among those that are tried first: one of some 94 000 common passwords, words and names, in
/// any capitalisation, or one that is found in fewer than 10 000 guesses, such as `11111111` and `passw0rd`.
pub fn is_common(password: &str) -> bool {
    let symbols = READ_AS_LETTERS.iter().filter(|symbol| password.contains(**symbol)).count();
    if password.is_empty() || password.chars().count() > LONGEST_COMMON || symbols > MOST_READ_AS_LETTERS {
        return false;
    }
    let estimate = zxcvbn::zxcvbn(password, &[]);
    let listed = match estimate.sequence() {
        [only] => is_listed(&only.pattern),
        _ => false,
    };
    listed || estimate.guesses() < TOO_FEW_GUESSES
}

fn is_listed(pattern: &MatchPattern) -> bool {
    matches!(pattern, MatchPattern::Dictionary(DictionaryPattern { reversed: false, l33t: false, .. }))
}

/// Kinds of characters in a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CharacterClasses {
    /// Has an upper-case letter.
    pub upper: bool,
    /// Has a lower-case letter.
    pub lower: bool,
    /// Has a digit.
    pub digit: bool,
    /// Has something else.
    pub symbol: bool,
}

impl CharacterClasses {
    /// Whether all four kinds are there.
    pub const fn has_all(self) -> bool {
        self.upper && self.lower && self.digit && self.symbol
    }
}

/// The kinds of characters in a password.
pub fn character_classes(password: &str) -> CharacterClasses {
    let any = |test: fn(char) -> bool| password.chars().any(test);
    CharacterClasses {
        upper: any(char::is_uppercase),
        lower: any(char::is_lowercase),
        digit: any(char::is_numeric),
        symbol: any(|c| !c.is_alphanumeric()),
    }
}

/// The SHA-1 hash of a password, cut in two for a k-anonymity range query: upper-case hexadecimal digits.
pub struct BreachHash {
    /// The five digits that the service learns.
    pub prefix: String,
    /// The 35 digits that stay here.
    pub suffix: String,
}

/// Hashes a password for a range query.
pub fn breach_hash(password: &str) -> BreachHash {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    let digits = b"0123456789ABCDEF";
    let hex = |nibble: u8| char::from(digits[usize::from(nibble)]);
    let mut prefix: String = hash.as_ref().iter().flat_map(|byte| [hex(byte >> 4), hex(byte & 15)]).collect();
    let suffix = prefix.split_off(5);
    BreachHash { prefix, suffix }
}

/// Whether the answer to a range query (`SUFFIX:COUNT` lines) holds a suffix. Padding has the count 0.
pub fn range_contains(answer: &str, suffix: &str) -> bool {
    answer.lines().filter_map(|line| line.trim().split_once(':')).any(|(listed, count)| {
        listed.eq_ignore_ascii_case(suffix) && count.trim().parse::<u64>().is_ok_and(|count| count > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_passwords_are_recognised_and_others_are_not() {
        for common in [
            "password",
            "password123",
            "PASSWORD",
            "Password1",
            "iloveyou",
            "qwertyuiop",
            "12345678",
            "11111111",
            "passw0rd",
            "drowssap",
            "elephant",
            "Jennifer",
            "abcd1234",
        ] {
            assert!(is_common(common), "{common}");
        }
        for uncommon in [
            "correct horse battery",
            "kTz8!vQ2",
            "my-secure-password-123",
            "TestPassword123!",
            "Password123!",
            "",
            &"a".repeat(70),
            &"ä€".repeat(20),
        ] {
            assert!(!is_common(uncommon), "{uncommon}");
        }
    }

    #[test]
    fn a_range_answer_is_searched_without_its_padding() {
        let hash = breach_hash("password");
        assert_eq!(hash.prefix, "5BAA6");
        assert_eq!(hash.suffix, "1E4C9B93F3F0682250B6CF8331B7EE68FD8");
        let answer = format!("0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n{}:9\r\n", hash.suffix.to_lowercase());
        assert!(range_contains(&answer, &hash.suffix));
        assert!(!range_contains(&format!("{}:0", hash.suffix), &hash.suffix));
        assert!(!range_contains("", &hash.suffix));
    }

    #[test]
    fn classes_count_letters_of_every_alphabet() {
        assert!(character_classes("Ñandú7!").has_all());
        assert!(!character_classes("abcdefgh1!").has_all());
    }
}
