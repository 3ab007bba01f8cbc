//! SQL texts and guarded statements. Owns the rule that SQL is `'static`: values only ever enter by placeholders,
//! and the statement caches stay bounded.

use super::{EngineKind, Record, Row, StorageError, Value};

/// One SQL text for both engines, with `$1`, `$2` … as placeholders, and perhaps another one for PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sql {
    common: &'static str,
    postgres: Option<&'static str>,
}

impl Sql {
    /// A text that both engines run.
    pub const fn both(text: &'static str) -> Self {
        Self { common: text, postgres: None }
    }

    /// The same with a faster text for PostgreSQL. Placeholders and columns must be the same.
    #[must_use]
    pub const fn postgres(self, text: &'static str) -> Self {
        Self { postgres: Some(text), ..self }
    }

    /// The text for an engine.
    pub(crate) fn on(self, kind: EngineKind) -> &'static str {
        match (kind, self.postgres) {
            (EngineKind::Postgres, Some(text)) => text,
            _ => self.common,
        }
    }
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self::both(text)
    }
}

/// Joins constant texts into one at compile time: `sql!["SELECT ", UserRow::COLUMNS, " FROM users"]`.
#[macro_export]
macro_rules! sql {
    ($($part:expr),+ $(,)?) => {{
        const PARTS: &[&str] = &[$($part),+];
        const LENGTH: usize = $crate::engine::joined_length(PARTS);
        const BYTES: [u8; LENGTH] = $crate::engine::joined::<LENGTH>(PARTS);
        const TEXT: &str = match ::core::str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => panic!("joined texts are text"),
        };
        TEXT
    }};
}

/// For `sql!`: the length of the parts together.
#[doc(hidden)]
pub const fn joined_length(parts: &[&str]) -> usize {
    let (mut length, mut part) = (0, 0);
    while part < parts.len() {
        length += parts[part].len();
        part += 1;
    }
    length
}

/// For `sql!`: the parts one after the other.
#[doc(hidden)]
pub const fn joined<const N: usize>(parts: &[&str]) -> [u8; N] {
    let (mut bytes, mut at, mut part) = ([0; N], 0, 0);
    while part < parts.len() {
        let text = parts[part].as_bytes();
        let mut i = 0;
        while i < text.len() {
            bytes[at] = text[i];
            at += 1;
            i += 1;
        }
        part += 1;
    }
    bytes
}

/// How many rows a statement must touch; otherwise the whole batch is rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    Any,
    Exactly(u64),
    AtLeast(u64),
}

/// A statement with its arguments and its guard.
#[derive(Debug, Clone)]
pub struct Stmt {
    pub(crate) sql: Sql,
    pub(crate) args: Vec<Value>,
    pub(crate) guard: Guard,
}

/// A statement without guard; see [`Stmt::exactly`] and [`Stmt::at_least`].
pub fn stmt(sql: impl Into<Sql>, args: Vec<Value>) -> Stmt {
    Stmt { sql: sql.into(), args, guard: Guard::Any }
}

impl Stmt {
    /// The statement must touch (or, if it is a SELECT, return) exactly `rows` rows.
    #[must_use]
    pub fn exactly(self, rows: u64) -> Self {
        Self { guard: Guard::Exactly(rows), ..self }
    }

    /// The statement must touch `rows` rows or more. On PostgreSQL a batch of one statement with `at_least(1)` needs
    /// one round trip where `exactly(1)` needs two: prefer it where a key allows one row at most.
    #[must_use]
    pub fn at_least(self, rows: u64) -> Self {
        Self { guard: Guard::AtLeast(rows), ..self }
    }

    /// Any number of rows will do, none included.
    #[must_use]
    pub fn any(self) -> Self {
        Self { guard: Guard::Any, ..self }
    }

    /// Whether a broken guard may leave something to roll back, if this is the only statement.
    pub(crate) fn may_need_rollback(&self) -> bool {
        !matches!(self.guard, Guard::Any | Guard::AtLeast(0 | 1))
    }

    /// Compares what the statement did with its guard; `statement` is its position in the batch.
    pub(crate) fn check(&self, statement: usize, affected: u64) -> Result<(), StorageError> {
        let holds = match self.guard {
            Guard::Any => true,
            Guard::Exactly(rows) => affected == rows,
            Guard::AtLeast(rows) => affected >= rows,
        };
        if holds { Ok(()) } else { Err(StorageError::Guard { statement, affected }) }
    }
}

/// Refuses text with a NUL character: PostgreSQL cannot store it; SQLite would, and then cut it off here and there.
pub(crate) fn refuse_nul(args: &[Value]) -> Result<(), StorageError> {
    if args.iter().any(|value| matches!(value, Value::Text(text) if text.contains('\0'))) {
        return Err(StorageError::Integrity("text with a NUL character".to_owned()));
    }
    Ok(())
}

/// What a statement of a batch did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Rows inserted, updated or deleted; for SELECT, rows returned.
    pub affected: u64,
    /// Rows of `RETURNING` or SELECT.
    pub rows: Vec<Row>,
}

impl Outcome {
    /// The rows as records.
    pub fn read<R: Record>(&self) -> Result<Vec<R>, StorageError> {
        self.rows.iter().map(Row::read).collect()
    }

    /// The first row as a record; `None` if there is none.
    pub fn first<R: Record>(&self) -> Result<Option<R>, StorageError> {
        self.rows.first().map(Row::read).transpose()
    }
}

/// Which statements ran on which engine: the basis of the guard test that every statement runs on both.
#[cfg(feature = "record-statements")]
pub mod recorded {
    use std::collections::BTreeSet;
    use std::sync::{Mutex, PoisonError};

    use super::EngineKind;

    static SEEN: Mutex<BTreeSet<(EngineKind, &'static str)>> = Mutex::new(BTreeSet::new());

    pub(crate) fn note(kind: EngineKind, text: &'static str) {
        SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert((kind, text));
    }

    /// The statements that an engine has run in this process, sorted.
    pub fn on(kind: EngineKind) -> Vec<&'static str> {
        let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().filter(|(engine, _)| *engine == kind).map(|(_, text)| *text).collect()
    }
}

/// Remembers, where the feature is on, that an engine ran a text.
pub(crate) fn note(kind: EngineKind, text: &'static str) {
    #[cfg(feature = "record-statements")]
    recorded::note(kind, text);
    #[cfg(not(feature = "record-statements"))]
    let _ = (kind, text);
}
