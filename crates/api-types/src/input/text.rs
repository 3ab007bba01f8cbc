//! Texts with a grammar: email addresses, URLs, passwords, names, base64.
//!
//! Values are kept as they were sent; normalising them is for use cases.

use std::fmt;

use schemars::json_schema;
use serde_json::Value;

use super::values::read_text;
use super::{Input, InputLimits, Location, Violations};

/// Declares types of texts with a grammar: which text each accepts, and what is said about any other.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident $schema:tt, $accepts:expr, $expectation:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text as it was sent.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text as it was sent.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl $crate::input::Input for $name {
            fn read(
                value: ::core::option::Option<&$crate::serde_json::Value>,
                at: &$crate::input::Location<'_>,
                out: &mut $crate::input::Violations,
            ) -> ::core::option::Option<Self> {
                let text = <::std::string::String as $crate::input::Input>::read(value, at, out)?;
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(&text) {
                    return ::core::option::Option::Some(Self(text));
                }
                out.add(at, $expectation);
                ::core::option::Option::None
            }
        }

        $crate::schema::inline_schema!($name, $crate::schemars::json_schema!($schema));
    )*};
}

pub(crate) use texts;

texts! {
    /// An email address to which mail will be sent: ordinary syntax, at most 256 characters, and a domain that
    /// could exist on the Internet.
    StrictEmail { "type": "string", "format": "email", "maxLength": 256 },
        strict_email, "must be a valid email address, such as name@example.com";
    /// An email address in ordinary syntax; its domain may be a bare host name.
    PlainEmail { "type": "string", "format": "email" },
        plain_email, "must be an email address, such as name@example.com";
    /// An absolute URL of any scheme.
    UrlText { "type": "string", "format": "uri", "maxLength": 8192 },
        |text| url(text, 8192), "must be an absolute URL without spaces";
    /// The URL of an image, or the image itself as a `data:` URL.
    ImageUrl { "type": "string", "format": "uri", "maxLength": 1_000_000 },
        |text| url(text, 1_000_000), "must be an absolute URL without spaces and of at most 1000000 characters";
    /// The name under which somebody or something is shown. Empty means none.
    DisplayName { "type": "string", "maxLength": 256 },
        |text| text.chars().count() <= 256, "must have at most 256 characters";
    /// A text that is not empty.
    NonEmptyText { "type": "string", "minLength": 1 }, |text| !text.is_empty(), "must not be empty";
    /// What somebody calls their passkey.
    PasskeyName { "type": "string", "minLength": 1, "maxLength": 100 },
        |text| !text.trim().is_empty() && text.chars().count() <= 100, "must have from 1 to 100 characters";
    /// The URL of a website, perhaps with wildcards in its host.
    WebUrl { "type": "string", "pattern": "^https?://", "maxLength": 300 },
        |text| (text.starts_with("https://") || text.starts_with("http://")) && url(text, 300),
        "must be a URL that starts with http:// or https://, without spaces and of at most 300 characters";
    /// A path on a website.
    HandlerPath { "type": "string", "pattern": "^/", "maxLength": 300 },
        |text| text.starts_with('/') && text.chars().count() <= 300,
        "must start with \"/\" and have at most 300 characters";
    /// Padded standard base64 (RFC 4648 section 4).
    Base64Text { "type": "string", "contentEncoding": "base64" }, base64, "must be padded standard base64";
}

/// The local parts and domains of HTML's `<input type=email>`, which deliberately allows less than RFC 5322.
fn plain_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let local_ok = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    !local.is_empty() && local.bytes().all(local_ok) && text.len() <= 320 && domain.split('.').all(label)
}

/// A label of a host name (RFC 1123 section 2.1).
fn label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn strict_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let top = domain.rsplit_once('.').map_or("", |(_, top)| top);
    plain_email(text)
        && text.len() <= 256
        && local.split('.').all(|atom| !atom.is_empty())
        && top.len() >= 2
        && top.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn url(text: &str, max_chars: usize) -> bool {
    text.chars().count() <= max_chars
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        && url::Url::parse(text).is_ok()
}

fn base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
}

macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident { $most:expr };)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The secret as it was sent.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The secret as it was sent.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl Input for $name {
            fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
                let text = read_text(value, at, out)?;
                let most: fn(InputLimits) -> usize = $most;
                let most = most(out.limits());
                if text.chars().count() <= most {
                    return Some(Self(text.into_owned()));
                }
                out.add(at, format_args!("must have at most {most} characters"));
                None
            }
        }

        $crate::schema::inline_schema!($name, json_schema!({ "type": "string", "format": "password" }));
    )*};
}

secrets! {
    /// A password, short enough to be hashed. Not shown by `Debug`.
    PasswordText { |limits| limits.password_chars };
    /// A token, code or key. Not shown by `Debug`.
    SecretText { |_| 4096 };
}

/// A country: two letters, trimmed and upper-cased.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CountryCode(String);

impl CountryCode {
    /// Two upper-case letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Input for CountryCode {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        let text = read_text(value, at, out)?;
        let code = text.trim();
        if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Some(Self(code.to_ascii_uppercase()));
        }
        out.add(at, "must be a country code of two letters");
        None
    }
}

crate::schema::inline_schema!(CountryCode, json_schema!({ "type": "string", "pattern": "^[A-Za-z]{2}$" }));

/// A code from the link of a mail: 45 characters, in lower case. Not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct MailedCode(String);

impl MailedCode {
    /// The code in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MailedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailedCode(…)")
    }
}

impl Input for MailedCode {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        let text = read_text(value, at, out)?;
        if text.chars().count() == 45 {
            return Some(Self(text.to_lowercase()));
        }
        out.add(at, "must have 45 characters");
        None
    }
}

crate::schema::inline_schema!(
    MailedCode,
    json_schema!({ "type": "string", "minLength": 45, "maxLength": 45 })
);
