//! The PostgreSQL engine (arrives with the next commit).

use super::tx::Fetched;
use super::{Record, Sql, StorageError, Value};

/// A connection in use.
pub(crate) enum PostgresConnection {}

impl PostgresConnection {
    #[expect(clippy::unused_async, reason = "arrives with the next commit")]
    pub(crate) async fn run<R: Record>(&mut self, _: Sql, _: &[Value]) -> Result<Fetched<R>, StorageError> {
        match *self {}
    }

    #[expect(clippy::unused_async, reason = "arrives with the next commit")]
    pub(crate) async fn script(&mut self, _: &str) -> Result<(), StorageError> {
        match *self {}
    }
}
