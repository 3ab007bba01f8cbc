//! A shared lock on the newest state of the database, held so that reads need not ask the system for theirs: a process
//! takes a lock from the system for the first of its connections that wants it, and gives it back for the last. All
//! that a read does to see the newest state it still does itself.

use std::sync::{Mutex, PoisonError};

use super::connection::SqliteConnection;
use crate::engine::StorageError;

/// A connection that is always reading.
pub(super) struct ReadMark(Mutex<SqliteConnection>);

impl ReadMark {
    /// Starts to hold the lock.
    pub(super) fn hold(connection: SqliteConnection) -> Self {
        let mark = Self(Mutex::new(connection));
        mark.renew();
        mark
    }

    /// Moves to what is newest now: after a commit, which leaves the old state behind, and after a checkpoint, since
    /// a log that somebody reads cannot begin anew.
    pub(super) fn renew(&self) {
        self.moved(|connection| {
            connection.command("BEGIN")?;
            // `BEGIN` alone locks nothing; a statement does, also one that gives no row.
            connection.command("SELECT 1 FROM sqlite_schema LIMIT 0")
        });
    }

    /// Lets go: before the log is emptied, which waits for all who read it.
    pub(super) fn release(&self) {
        self.moved(|_| Ok(()));
    }

    fn moved(&self, further: impl FnOnce(&SqliteConnection) -> Result<(), StorageError>) {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = if connection.in_transaction() { connection.command("COMMIT") } else { Ok(()) };
        if let Err(error) = left.and_then(|()| further(&connection)) {
            // Reads take the lock themselves, then.
            tracing::debug!(%error, "the newest state could not be marked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::Role;
    use super::super::index_names::IndexNames;
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn the_log_begins_anew_although_somebody_always_reads() {
        let folder = tempfile::tempdir().unwrap();
        let (file, log) = (folder.path().join("a.db"), folder.path().join("a.db-wal"));
        super::super::create(&file).unwrap();
        let names = Arc::new(IndexNames::default());
        let connect = |role| SqliteConnection::open(&file, role, Duration::ZERO, &names).unwrap();
        let (writer, checkpointer) = (connect(Role::Writer), connect(Role::Checkpointer));
        writer.script("CREATE TABLE filled (bytes BLOB)").unwrap();
        let mark = ReadMark::hold(connect(Role::Reader { mmap_bytes: 0 }));
        let mut lengths = Vec::new();
        for _ in 0..10 {
            writer.script("INSERT INTO filled VALUES (zeroblob(100000))").unwrap();
            mark.renew();
            checkpointer.script("PRAGMA wal_checkpoint(PASSIVE)").unwrap();
            mark.renew();
            lengths.push(std::fs::metadata(&log).unwrap().len());
        }
        assert!(lengths.iter().max() <= Some(&250_000), "{lengths:?}");
        mark.release();
        writer.script("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        assert_eq!(std::fs::metadata(&log).unwrap().len(), 0);
    }
}
