//! The five kinds of value that both databases share, and how Rust types become one and come out of one.
//! Owns no SQL and no driver type.

use std::fmt;

/// A value on its way into a statement or out of a kept row.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// BOOLEAN (0 or 1 on SQLite).
    Bool(bool),
    /// TEXT.
    Text(String),
    /// BYTEA (BLOB on SQLite).
    Bytes(Vec<u8>),
}

impl Value {
    /// The same value, borrowed.
    pub fn borrowed(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Int(*value),
            Self::Bool(value) => ValueRef::Bool(*value),
            Self::Text(value) => ValueRef::Text(value),
            Self::Bytes(value) => ValueRef::Bytes(value),
        }
    }
}

/// Shows kind and length only: values are people's data.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Int(_) => f.write_str("Int"),
            Self::Bool(_) => f.write_str("Bool"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
        }
    }
}

/// A value as a driver hands it out, before anything is copied.
#[derive(Clone, Copy)]
pub enum ValueRef<'a> {
    /// SQL NULL.
    Null,
    /// Any integer.
    Int(i64),
    /// A boolean of PostgreSQL; SQLite gives `Int` 0 or 1.
    Bool(bool),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl ValueRef<'_> {
    /// An owned copy.
    pub fn to_owned(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Int(value) => Value::Int(value),
            Self::Bool(value) => Value::Bool(value),
            Self::Text(value) => Value::Text(value.to_owned()),
            Self::Bytes(value) => Value::Bytes(value.to_owned()),
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "an integer",
            Self::Bool(_) => "a boolean",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
        }
    }
}

/// Types that can be bound to a placeholder.
pub trait ToValue {
    /// The value to bind.
    fn to_value(&self) -> Value;
}

/// Types that can be read from a column.
pub trait FromValue: Sized {
    /// Reads one column. The error is a short sentence without the value.
    fn from_value(value: ValueRef<'_>) -> Result<Self, String>;
}

/// The sentence for a column of the wrong kind.
pub fn wrong_kind<T>(wanted: &str, value: ValueRef<'_>) -> Result<T, String> {
    Err(format!("expected {wanted}, found {}", value.kind()))
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: ValueRef<'_>) -> Result<Self, String> {
        match value {
            ValueRef::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl ToValue for Value {
    fn to_value(&self) -> Value {
        self.clone()
    }
}

impl FromValue for Value {
    fn from_value(value: ValueRef<'_>) -> Result<Self, String> {
        Ok(value.to_owned())
    }
}

impl ToValue for i64 {
    fn to_value(&self) -> Value {
        Value::Int(*self)
    }
}

impl FromValue for i64 {
    fn from_value(value: ValueRef<'_>) -> Result<Self, String> {
        match value {
            ValueRef::Int(value) => Ok(value),
            other => wrong_kind("an integer", other),
        }
    }
}

impl ToValue for bool {
    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }
}

impl FromValue for bool {
    fn from_value(value: ValueRef<'_>) -> Result<Self, String> {
        match value {
            ValueRef::Bool(value) => Ok(value),
            ValueRef::Int(0) => Ok(false),
            ValueRef::Int(1) => Ok(true),
            other => wrong_kind("a boolean", other),
        }
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value {
        Value::Text(self.to_owned())
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }
}

impl FromValue for String {
    fn from_value(value: ValueRef<'_>) -> Result<Self, String> {
        match value {
            ValueRef::Text(value) => Ok(value.to_owned()),
            other => wrong_kind("text", other),
        }
    }
}

impl ToValue for [u8] {
    fn to_value(&self) -> Value {
        Value::Bytes(self.to_owned())
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn to_value(&self) -> Value {
        Value::Bytes(self.to_vec())
    }
}

impl ToValue for Vec<u8> {
    fn to_value(&self) -> Value {
        Value::Bytes(self.clone())
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: ValueRef<'_>) -> Result<Self, String> {
        match value {
            ValueRef::Bytes(value) => Ok(value.to_owned()),
            other => wrong_kind("bytes", other),
        }
    }
}

/// Lets types be bound and read as TEXT through their `Display` and `FromStr`: `text_value!(UserId, TeamId);`
#[macro_export]
macro_rules! text_value {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::engine::ToValue for $type {
            fn to_value(&self) -> $crate::engine::Value {
                $crate::engine::Value::Text(::std::string::ToString::to_string(self))
            }
        }

        impl $crate::engine::FromValue for $type {
            fn from_value(value: $crate::engine::ValueRef<'_>) -> ::std::result::Result<Self, String> {
                match value {
                    $crate::engine::ValueRef::Text(text) => text
                        .parse()
                        .map_err(|_| concat!("the text is no ", stringify!($type)).to_owned()),
                    other => $crate::engine::wrong_kind("text", other),
                }
            }
        }
    )+};
}

/// The arguments of a statement, in the order of its placeholders: `args![project, user, now]`. Takes references.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        ::std::vec![$($crate::engine::ToValue::to_value(&$value)),*]
    };
}
