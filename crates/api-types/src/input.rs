//! Reading requests: lenient about spelling, strict about shape, and never stopping at the first mistake.
//!
//! Owns the casts and the violations that end up in `SCHEMA_ERROR`. Unknown properties are violations at every
//! level. Refuses rules that need to know more than the value itself: those belong to use cases.

mod object;
mod text;
mod values;
mod words;

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

pub use object::{Property, object, object_schema};
pub(crate) use text::texts;
pub use text::{
    Base64Text, CountryCode, DisplayName, HandlerPath, ImageUrl, MailedCode, NonEmptyText, PasskeyName,
    PasswordText, PlainEmail, SecretText, StrictEmail, UrlText, WebUrl,
};
pub use values::{Integer, JsonValue, OnlyFalse, OnlyTrue, QueryBool, UserIdOrMe};

/// A value that can be read from a request.
pub trait Input: Sized + JsonSchema {
    /// Whether a property of this type must be present.
    const REQUIRED: bool = true;

    /// Reads `value`, which is `None` if the property is absent. Whatever is wrong is added to `out`, and only an
    /// empty `out` means that the request is right: a value that was read may hold an unknown property.
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self>;

    /// The JSON schema of a property of this type.
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

/// Where a value stands in the request; prints as `body.oauth_providers[0].id`.
#[derive(Clone, Copy, Debug)]
pub enum Location<'a> {
    /// A part of the request: `body`, `query`, `params`, `headers`, `auth`.
    Root(&'static str),
    /// A property of the value at the inner location.
    Property(&'a Location<'a>, &'a str),
    /// An element of the array at the inner location.
    Item(&'a Location<'a>, usize),
}

impl<'a> Location<'a> {
    /// The property `name` of the value here.
    #[must_use]
    pub const fn property(&'a self, name: &'a str) -> Location<'a> {
        Location::Property(self, name)
    }

    /// The element `index` of the array here.
    #[must_use]
    pub const fn item(&'a self, index: usize) -> Location<'a> {
        Location::Item(self, index)
    }
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(name) => f.write_str(name),
            Self::Property(parent, name) => {
                write!(f, "{parent}.")?;
                // A caller's own property names are echoed, but not without end.
                match name.char_indices().nth(64) {
                    Some((end, _)) => write!(f, "{}…", &name[..end]),
                    None => f.write_str(name),
                }
            }
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// Limits on values that the operator can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputLimits {
    /// The longest password, in characters.
    pub password_chars: usize,
}

impl Default for InputLimits {
    fn default() -> Self {
        Self { password_chars: 70 }
    }
}

/// Everything that is wrong with a request, one line each: `body.email must be an email address`.
#[derive(Debug, Default)]
pub struct Violations {
    limits: InputLimits,
    lines: Vec<String>,
    more: usize,
}

impl Violations {
    /// The most lines that are kept; a hostile request gets no answer longer than that.
    const MOST: usize = 50;

    /// None yet.
    pub const fn new(limits: InputLimits) -> Self {
        Self { limits, lines: Vec::new(), more: 0 }
    }

    /// The limits that apply to this request.
    pub const fn limits(&self) -> InputLimits {
        self.limits
    }

    /// Adds one: what the value at this location must be, or is not.
    pub fn add(&mut self, at: &Location<'_>, what: impl fmt::Display) {
        if self.lines.len() < Self::MOST {
            self.lines.push(format!("{at} {what}"));
        } else {
            self.more += 1;
        }
    }

    /// Whether nothing is wrong.
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.lines.iter().enumerate() {
            write!(f, "{}- {line}", if index == 0 { "" } else { "\n" })?;
        }
        if self.more > 0 {
            write!(f, "\n- and {} more", self.more)?;
        }
        Ok(())
    }
}

/// The value if it is there and not null; otherwise a violation.
pub(crate) fn required<'v>(
    value: Option<&'v Value>,
    at: &Location<'_>,
    out: &mut Violations,
) -> Option<&'v Value> {
    match value {
        None => out.add(at, "is required"),
        Some(Value::Null) => out.add(at, "must not be null"),
        Some(value) => return Some(value),
    }
    None
}

/// May be absent; null is not the same as absent.
impl<T: Input> Input for Option<T> {
    const REQUIRED: bool = false;

    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        match value {
            None => Some(None),
            present => T::read(present, at, out).map(Some),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

/// A value or null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nullable<T>(pub Option<T>);

impl<T: Input> Input for Nullable<T> {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        match value {
            Some(Value::Null) => Some(Self(None)),
            value => T::read(value, at, out).map(|value| Self(Some(value))),
        }
    }
}

impl<T: Input> JsonSchema for Nullable<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Nullable{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [T::schema(generator), { "type": "null" }] })
    }
}

impl<T: Input> Input for Vec<T> {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        let Value::Array(items) = required(value, at, out)? else {
            out.add(at, "must be an array");
            return None;
        };
        let mut all = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            all.extend(T::read(Some(item), &at.item(index), out));
        }
        (all.len() == items.len()).then_some(all)
    }
}

#[cfg(test)]
mod tests;
