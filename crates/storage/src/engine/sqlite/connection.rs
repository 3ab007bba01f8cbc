//! One SQLite connection: how it is set up, how a statement runs on it, what its errors mean.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef as SqliteValue};
use rusqlite::{Connection, OpenFlags, ffi};

use super::index_names::IndexNames;
use crate::engine::record::{Cells, Source};
use crate::engine::tx::Fetched;
use crate::engine::{EngineKind, Record, Sql, StorageError, Value, ValueRef, statement};

/// A connection together with what is needed to explain its errors.
pub(crate) struct SqliteConnection {
    pub(super) raw: Connection,
    names: Arc<IndexNames>,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The only one that writes.
    Writer,
    /// Refuses to write. Maps this many bytes of the file into memory.
    Reader { mmap_bytes: u64 },
    /// Copies the write-ahead log into the file.
    Checkpointer,
}

impl SqliteConnection {
    /// Opens an existing file.
    pub(super) fn open(
        path: &Path,
        role: Role,
        busy_timeout: Duration,
        names: &Arc<IndexNames>,
    ) -> Result<Self, rusqlite::Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let raw = Connection::open_with_flags(path, flags)?;
        raw.busy_timeout(busy_timeout)?;
        // FULL: a commit is on disk before it is answered. Caches are small because memory is (KiB, per connection).
        // Checkpoints are never done by a commit: see `checkpoint`.
        raw.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
             PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
             PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2000;",
        )?;
        raw.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        raw.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        // Plans do not depend on bound values; otherwise a new value makes SQLite plan the statement anew, which costs
        // many times what running it does.
        raw.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        raw.set_prepared_statement_cache_capacity(match role {
            Role::Writer | Role::Reader { .. } => 256,
            Role::Checkpointer => 0,
        });
        if let Role::Reader { mmap_bytes } = role {
            raw.pragma_update(None, "mmap_size", i64::try_from(mmap_bytes).unwrap_or(i64::MAX))?;
            raw.pragma_update(None, "query_only", true)?;
        }
        Ok(Self { raw, names: Arc::clone(names) })
    }

    /// Runs a statement to its end.
    pub(crate) fn run<R: Record>(&self, sql: Sql, args: &[Value]) -> Result<Fetched<R>, StorageError> {
        let text = sql.on(EngineKind::Sqlite);
        statement::note(EngineKind::Sqlite, text);
        let mut prepared = self.raw.prepare_cached(text).map_err(|error| self.explain(&error))?;
        // SQLite numbers `$2` by first appearance, so arguments are bound by what the placeholder says.
        for position in 1..=prepared.parameter_count() {
            let argument = prepared
                .parameter_name(position)
                .and_then(|name| name.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1))
                .and_then(|index| args.get(index))
                .ok_or_else(|| StorageError::internal("placeholders and arguments do not match"))?;
            prepared.raw_bind_parameter(position, argument).map_err(|error| self.explain(&error))?;
        }
        let mut records = Vec::new();
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next().map_err(|error| self.explain(&error))? {
            records.push(Cells::read_all(&SqliteRow(row))?);
        }
        drop(rows);
        let affected = if prepared.readonly() { records.len() as u64 } else { self.raw.changes() };
        Ok(Fetched { records, affected })
    }

    /// Runs a fixed command such as `BEGIN IMMEDIATE` through the statement cache.
    pub(crate) fn command(&self, text: &'static str) -> Result<(), StorageError> {
        let run = || self.raw.prepare_cached(text)?.raw_execute();
        run().map(|_| ()).map_err(|error| self.explain(&error))
    }

    /// Runs several statements without arguments or results.
    pub(crate) fn script(&self, text: &str) -> Result<(), StorageError> {
        self.raw.execute_batch(text).map_err(|error| self.explain(&error))
    }

    /// Whether a transaction is open.
    pub(crate) fn in_transaction(&self) -> bool {
        !self.raw.is_autocommit()
    }

    /// Reads the names of all unique indexes anew; needed after a change of the schema.
    pub(crate) fn refresh_index_names(&self) -> Result<(), StorageError> {
        self.names.refresh(&self.raw).map_err(|error| self.explain(&error))
    }

    /// What an error of the driver means.
    pub(crate) fn explain(&self, error: &rusqlite::Error) -> StorageError {
        let rusqlite::Error::SqliteFailure(failure, message) = error else {
            return match error {
                rusqlite::Error::SqlInputError { msg, .. } => StorageError::internal(msg.clone()),
                other => StorageError::internal(other.to_string()),
            };
        };
        let message = message.as_deref().unwrap_or_default();
        match failure.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE
            | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | ffi::SQLITE_CONSTRAINT_ROWID => StorageError::Unique { index: self.names.find(message) },
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => StorageError::ForeignKey,
            // A read that writes; a medium that cannot be written to has a code of its own.
            ffi::SQLITE_READONLY => StorageError::internal(message),
            _ => match failure.code {
                ffi::ErrorCode::ConstraintViolation
                | ffi::ErrorCode::TypeMismatch
                | ffi::ErrorCode::TooBig => StorageError::Integrity(message.to_owned()),
                ffi::ErrorCode::DatabaseBusy | ffi::ErrorCode::DatabaseLocked => StorageError::Busy,
                ffi::ErrorCode::DiskFull
                | ffi::ErrorCode::SystemIoFailure
                | ffi::ErrorCode::CannotOpen
                | ffi::ErrorCode::DatabaseCorrupt
                | ffi::ErrorCode::NotADatabase
                | ffi::ErrorCode::ReadOnly => StorageError::Unavailable(message.to_owned()),
                _ => StorageError::internal(message),
            },
        }
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => SqliteValue::Null,
            Self::Int(value) => SqliteValue::Integer(*value),
            Self::Bool(value) => SqliteValue::Integer(i64::from(*value)),
            Self::Text(value) => SqliteValue::Text(value.as_bytes()),
            Self::Bytes(value) => SqliteValue::Blob(value),
        }))
    }
}

struct SqliteRow<'a>(&'a rusqlite::Row<'a>);

impl Source for SqliteRow<'_> {
    fn width(&self) -> usize {
        self.0.as_ref().column_count()
    }

    fn cell(&self, index: usize) -> Result<ValueRef<'_>, StorageError> {
        match self.0.get_ref(index).map_err(|error| StorageError::internal(error.to_string()))? {
            SqliteValue::Null => Ok(ValueRef::Null),
            SqliteValue::Integer(value) => Ok(ValueRef::Int(value)),
            SqliteValue::Real(_) => Err(StorageError::column(index, "floating point numbers are not used")),
            SqliteValue::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(ValueRef::Text(text)),
                Err(_) => Err(StorageError::column(index, "the text is not UTF-8")),
            },
            SqliteValue::Blob(bytes) => Ok(ValueRef::Bytes(bytes)),
        }
    }
}
