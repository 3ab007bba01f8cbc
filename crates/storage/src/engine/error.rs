//! What can go wrong in storage, in terms that use cases can act on. No variant ever carries a stored value.

use super::EngineKind;

/// Failure of a storage operation. The transaction that it happened in has been rolled back, except where
/// [`StorageError::Unavailable`] says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// A row would have stood twice in a unique index or primary key.
    #[error("a row would stand twice in {index}")]
    Unique {
        /// Name of the index, the same on both engines (`table_pkey` for a primary key).
        index: String,
    },
    /// A row would have referred to a row that does not exist, or still referred to one that was to go.
    #[error("a foreign key was violated")]
    ForeignKey,
    /// A statement touched another number of rows than its guard allows.
    #[error("statement {statement} touched {affected} rows, which its guard does not allow")]
    Guard {
        /// Position in the batch, from 0.
        statement: usize,
        /// Rows that it touched.
        affected: u64,
    },
    /// The database could not serve the work in time (lock, full pool, timeout, lasting conflict). Trying later is
    /// safe: nothing was written.
    #[error("the database is busy")]
    Busy,
    /// The database cannot be reached, or went away. If that happened during a write, whether the write was
    /// committed is unknown.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A CHECK or NOT NULL constraint or a rule of the engine (no NUL in text) refused the data.
    #[error("the data was refused: {0}")]
    Integrity(String),
    /// The migrations of this program and of the database do not fit together.
    #[error("{0}")]
    Migration(String),
    /// A defect in this program: wrong SQL, wrong column type, a closure that panicked.
    #[error("internal storage error: {0}")]
    Internal(String),
}

impl StorageError {
    /// An internal error with a text of our own.
    pub(crate) fn internal(text: impl Into<String>) -> Self {
        Self::Internal(text.into())
    }

    /// A column whose value has no place in the type that asked for it. `column` counts from 0.
    pub(crate) fn column(column: usize, problem: &str) -> Self {
        Self::Internal(format!("column {column}: {problem}"))
    }

    /// The engine could not be opened.
    pub(crate) fn open(kind: EngineKind, problem: impl std::fmt::Display) -> Self {
        Self::Unavailable(format!("{kind} could not be opened: {problem}"))
    }
}
