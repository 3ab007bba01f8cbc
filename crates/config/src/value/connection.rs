//! The address of a database or cache, which may hold a password.

use std::{fmt, str::FromStr};

use url::Url;
use zeroize::Zeroizing;

/// A connection string such as `sqlite:PATH` or `postgres://user:password@host/name`. Its `Debug` and `Display` mask
/// the password.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionUrl(Zeroizing<String>);

impl ConnectionUrl {
    /// The whole text, password included.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text before the first colon, such as `sqlite` or `postgres`; empty when there is no colon.
    pub fn scheme(&self) -> &str {
        self.0.split_once(':').map_or("", |(scheme, _)| scheme)
    }

    /// What stands after the first colon.
    pub fn rest(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, rest)| rest)
    }
}

impl FromStr for ConnectionUrl {
    type Err = std::convert::Infallible;

    /// Takes any text: which schemes there are is for the section to say.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Display for ConnectionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(&self.0))
    }
}

impl fmt::Debug for ConnectionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `text` with the password of its authority and of its query replaced by `***`. What cannot be parsed but looks as
/// if it held a password is masked whole after the scheme.
fn mask(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else {
        return match text.split_once(':') {
            Some((scheme, rest)) if rest.contains('@') || rest.contains("password") => {
                format!("{scheme}:***")
            }
            _ => text.to_owned(),
        };
    };
    if url.cannot_be_a_base() || !url.has_authority() {
        return text.to_owned();
    }
    let mut masked = false;
    if url.password().is_some() {
        masked = url.set_password(Some("***")).is_ok();
    }
    if url.query_pairs().any(|(key, _)| key == "password") {
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .map(|(key, value)| {
                let value = if key == "password" { "***".to_owned() } else { value.into_owned() };
                (key.into_owned(), value)
            })
            .collect();
        url.query_pairs_mut().clear().extend_pairs(kept);
        masked = true;
    }
    if masked { url.to_string() } else { text.to_owned() }
}

impl serde::Serialize for ConnectionUrl {
    /// Writes the masked form: nothing stores a configuration's connection strings.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ConnectionUrl {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = crate::SecretText::deserialize(deserializer)?;
        Ok(Self(Zeroizing::new(text.expose().to_owned())))
    }
}

impl schemars::JsonSchema for ConnectionUrl {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ConnectionUrl".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "writeOnly": true, "format": "uri" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_string_shows_all_but_its_password() {
        for (text, shown) in [
            ("sqlite:data/latchkey.db", "sqlite:data/latchkey.db"),
            ("sqlite:/var/lib/latchkey.db", "sqlite:/var/lib/latchkey.db"),
            ("memory:", "memory:"),
            ("postgres://app@db/auth", "postgres://app@db/auth"),
            (
                "postgres://app:s3cret@db:5432/auth?sslmode=require",
                "postgres://app:***@db:5432/auth?sslmode=require",
            ),
            ("postgres://db/auth?user=a&password=s3cret", "postgres://db/auth?user=a&password=***"),
            ("postgres://app:s3cret@db:notaport/auth", "postgres:***"),
        ] {
            let url: ConnectionUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(url.expose(), text);
        }
    }
}
