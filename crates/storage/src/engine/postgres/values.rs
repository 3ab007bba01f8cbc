//! Values to and from PostgreSQL's binary format.

use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::engine::record::Source;
use crate::engine::{StorageError, Value, ValueRef};

type Problem = Box<dyn Error + Sync + Send>;

impl Value {
    /// The type to declare where the server is not asked first.
    pub(super) fn postgres_type(&self) -> Type {
        match self {
            Self::Null => Type::UNKNOWN,
            Self::Int(_) => Type::INT8,
            Self::Bool(_) => Type::BOOL,
            Self::Text(_) => Type::TEXT,
            Self::Bytes(_) => Type::BYTEA,
        }
    }
}

impl ToSql for Value {
    fn to_sql(&self, to: &Type, out: &mut BytesMut) -> Result<IsNull, Problem> {
        match (self, to) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(value), &Type::INT8) => value.to_sql(to, out),
            (Self::Int(value), &Type::INT4) => i32::try_from(*value)?.to_sql(to, out),
            (Self::Int(value), &Type::INT2) => i16::try_from(*value)?.to_sql(to, out),
            (Self::Bool(value), &Type::BOOL) => value.to_sql(to, out),
            (Self::Text(value), _) if <String as ToSql>::accepts(to) => value.to_sql(to, out),
            (Self::Bytes(value), &Type::BYTEA) => value.to_sql(to, out),
            (value, to) => Err(format!("{value:?} does not fit a parameter of type {to}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for ValueRef<'a> {
    fn from_sql(from: &Type, raw: &'a [u8]) -> Result<Self, Problem> {
        match *from {
            Type::INT8 => i64::from_sql(from, raw).map(ValueRef::Int),
            Type::INT4 => i32::from_sql(from, raw).map(|value| ValueRef::Int(value.into())),
            Type::INT2 => i16::from_sql(from, raw).map(|value| ValueRef::Int(value.into())),
            Type::BOOL => bool::from_sql(from, raw).map(ValueRef::Bool),
            Type::BYTEA => Ok(ValueRef::Bytes(raw)),
            _ if <&str as FromSql>::accepts(from) => <&str>::from_sql(from, raw).map(ValueRef::Text),
            Type::NUMERIC => Err("it is NUMERIC; write CAST(… AS BIGINT)".into()),
            _ => Err(format!("type {from} is not used").into()),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, Problem> {
        Ok(ValueRef::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A row of the driver.
pub(super) struct PostgresRow<'a>(pub(super) &'a tokio_postgres::Row);

impl Source for PostgresRow<'_> {
    fn width(&self) -> usize {
        self.0.len()
    }

    fn cell(&self, index: usize) -> Result<ValueRef<'_>, StorageError> {
        self.0.try_get(index).map_err(|error| {
            let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            StorageError::column(index, &cause)
        })
    }
}
