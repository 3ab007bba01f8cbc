//! The words of the built-in mails, in every language: plain files with one `key = text` a line, which a translator
//! can edit without knowing anything else. `{name}` stands for a value; each language may put it where it belongs.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use latchkey_api_types::Locale;

macro_rules! files {
    ($($locale:ident $file:literal),* $(,)?) => {
        const fn source(locale: Locale) -> &'static str {
            match locale {
                $(Locale::$locale => include_str!(concat!("../locales/", $file, ".txt")),)*
            }
        }
    };
}

files! {
    En "en", De "de", Fr "fr", Es "es", Pt "pt", ZhHans "zh-Hans", Ja "ja",
}

type Texts = BTreeMap<&'static str, &'static str>;

static CATALOGUES: LazyLock<BTreeMap<Locale, Texts>> =
    LazyLock::new(|| Locale::ALL.into_iter().map(|locale| (locale, read(source(locale)))).collect());

/// Reads a file. Lines without a text are comments.
fn read(source: &'static str) -> Texts {
    let lines = source.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).map(|(key, text)| (key.trim(), text.trim())).collect()
}

/// The text of a key with its values in place. A value is never looked through for names.
pub(crate) fn text(locale: Locale, key: &str, values: &[(&str, &str)]) -> String {
    let found = |locale| CATALOGUES.get(&locale).and_then(|texts| texts.get(key)).copied();
    // A test sees to it that every language has every key.
    let mut rest = found(locale).or_else(|| found(Locale::En)).unwrap_or(key);
    let mut out = String::with_capacity(rest.len() + 64);
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else { break };
        out.push_str(before);
        out.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Whether there is such a text.
pub(crate) fn has(key: &str) -> bool {
    CATALOGUES.get(&Locale::En).is_some_and(|texts| texts.contains_key(key))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).map(|part| part.split_once('}').expect("a closed placeholder").0).collect()
    }

    #[test]
    fn every_language_has_every_text_with_the_same_placeholders() {
        let english = &CATALOGUES[&Locale::En];
        assert!(english.len() > 30, "{}", english.len());
        for (locale, texts) in CATALOGUES.iter() {
            let keys = |texts: &Texts| texts.keys().copied().collect::<BTreeSet<_>>();
            assert_eq!(keys(texts), keys(english), "{locale}");
            for (key, text) in texts {
                assert!(!text.is_empty(), "{locale} {key}");
                assert_eq!(placeholders(text), placeholders(english[key]), "{locale} {key}");
                assert!(!text.contains("{{") && !text.contains("{%"), "{locale} {key}");
            }
        }
    }

    #[test]
    fn no_line_is_malformed_and_no_key_stands_twice() {
        for locale in Locale::ALL {
            let mut seen = BTreeSet::new();
            for line in source(locale).lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
                let (key, _) = line.split_once('=').unwrap_or_else(|| panic!("{locale}: {line}"));
                assert!(seen.insert(key.trim()), "{locale} says {key} twice");
            }
        }
    }

    #[test]
    fn no_translation_is_the_english_text() {
        // Short words may well be the same.
        for (locale, texts) in CATALOGUES.iter().filter(|(locale, _)| **locale != Locale::En) {
            for (key, text) in texts.iter().filter(|(_, text)| text.len() > 20) {
                assert_ne!(*text, CATALOGUES[&Locale::En][key], "{locale} {key}");
            }
        }
    }

    #[test]
    fn a_value_is_put_in_and_not_looked_through() {
        let values = [("project", "{code} {"), ("code", "ABC123")];
        assert_eq!(
            text(Locale::En, "magic_link.subject", &values),
            "Sign in to {code} {: Your code is ABC123"
        );
    }
}
