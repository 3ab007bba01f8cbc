//! The storage engine: one API over SQLite and PostgreSQL. Owns connections, transactions, retries, migrations and the
//! translation of errors; knows no table.
//!
//! Four ways in. [`Store::read`] is a snapshot, [`Store::lookup`] a single statement without one, [`Store::batch`] a
//! list of guarded statements that run all or none, [`Store::write`] an interactive serialisable transaction.
//! [`Store::scan`] is a read that may take long.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use self::postgres::Postgres;
use self::sqlite::Sqlite;

mod ddl;
mod error;
mod migrate;
mod options;
mod postgres;
mod record;
mod sqlite;
mod statement;
mod tx;
mod value;

pub use self::error::StorageError;
pub use self::migrate::Migration;
pub use self::options::{DatabaseUrl, StoreOptions};
pub use self::record::{Cells, Record, Row};
#[cfg(feature = "record-statements")]
pub use self::statement::recorded;
pub use self::statement::{Outcome, Sql, Stmt, joined, joined_length, stmt};
pub use self::tx::Tx;
pub use self::value::{FromValue, ToValue, Value, ValueRef, wrong_kind};
pub use crate::{args, record, sql, text_value};

/// What the closures of [`Store`] return: `Box::pin(async move { … })`.
pub type BoxFuture<'t, T> = Pin<Box<dyn Future<Output = T> + Send + 't>>;

/// The two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EngineKind {
    /// SQLite, in this process.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// Numbers for metrics, as of now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// SQLite: writes that wait for the writer.
    pub queued: usize,
    /// Writes that were committed or refused since the start.
    pub writes: u64,
    /// SQLite: group commits since the start; `writes / commits` is the mean size of a group.
    pub commits: u64,
    /// PostgreSQL: transactions that ran again after a conflict.
    pub retries: u64,
    /// Connections that are open (PostgreSQL) and those that nobody uses.
    pub connections: usize,
    /// Connections that nobody uses.
    pub idle_connections: usize,
    /// PostgreSQL: callers that wait for a connection.
    pub waiting: usize,
}

/// An open database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
}

/// What waits for a server is boxed: its state is large, and would be carried through every layer of every request, on
/// SQLite as well.
#[derive(Clone)]
enum Engine {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

impl Store {
    /// Opens a database; a SQLite file is created if need be.
    pub async fn open(options: &StoreOptions) -> Result<Self, StorageError> {
        let engine = match &options.url {
            DatabaseUrl::Sqlite(path) => {
                let (path, options) = (path.clone(), options.clone());
                let opening = tokio::task::spawn_blocking(move || Sqlite::open(&path, &options));
                let opened = opening.await.map_err(|error| StorageError::open(EngineKind::Sqlite, error))?;
                Engine::Sqlite(Arc::new(opened?))
            }
            DatabaseUrl::Postgres(url) => Engine::Postgres(Arc::new(Postgres::open(url, options).await?)),
        };
        Ok(Self { engine })
    }

    /// Which engine this is.
    pub fn kind(&self) -> EngineKind {
        match &self.engine {
            Engine::Sqlite(_) => EngineKind::Sqlite,
            Engine::Postgres(_) => EngineKind::Postgres,
        }
    }

    /// Applies the missing migrations in one transaction and gives their names. Safe when several servers start at
    /// once. `applied_at` is the time now in epoch milliseconds. Fails with a sentence for the operator if the
    /// database holds a migration that has changed since or is unknown.
    pub async fn migrate(
        &self,
        migrations: &[Migration],
        applied_at: i64,
    ) -> Result<Vec<&'static str>, StorageError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let migrations = migrations.to_vec();
                let apply = sqlite.write(move |tx| {
                    let migrations = migrations.clone();
                    Box::pin(async move {
                        let applied = migrate::apply(tx, &migrations, applied_at).await?;
                        tx.sqlite().refresh_index_names()?;
                        Ok(applied)
                    })
                });
                apply.await
            }
            Engine::Postgres(postgres) => postgres.migrate(migrations, applied_at).await,
        }
    }

    /// Names of the migrations that [`Store::migrate`] would apply; fails as it does.
    pub async fn pending(&self, migrations: &[Migration]) -> Result<Vec<&'static str>, StorageError> {
        let migrations = migrations.to_vec();
        let read = self.read(|tx| Box::pin(async move { migrate::pending(tx, &migrations).await }));
        Ok(read.await?.iter().map(|migration: &Migration| migration.name).collect())
    }

    /// Reads from one snapshot. On SQLite it runs in place and must be short; see [`Store::scan`]. The closure awaits
    /// nothing but `tx`.
    pub async fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send,
        E: From<StorageError> + Send,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(false, f),
            Engine::Postgres(postgres) => Box::pin(postgres.read(false, f)).await,
        }
    }

    /// Reads by a single statement, which spares the price of a snapshot (on PostgreSQL a third of the work). A
    /// second statement is refused.
    pub async fn lookup<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send,
        E: From<StorageError> + Send,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(true, f),
            Engine::Postgres(postgres) => Box::pin(postgres.read(true, f)).await,
        }
    }

    /// Like [`Store::read`], for what takes more than a millisecond: on SQLite it runs on a thread that may block.
    pub async fn scan<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.scan(f).await,
            Engine::Postgres(postgres) => Box::pin(postgres.read(false, f)).await,
        }
    }

    /// An interactive transaction, serialisable against other `write`s. `Err` rolls back. The closure may run again
    /// after a conflict, so it has no effects outside `tx`; it awaits nothing but `tx`. On PostgreSQL a
    /// [`Store::batch`] beside it is only as isolated as its guards make it.
    pub async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(f).await,
            Engine::Postgres(postgres) => Box::pin(postgres.write(f)).await,
        }
    }

    /// Runs guarded statements in order, all or none; what each did, in the same order. A broken guard is
    /// [`StorageError::Guard`] with the position of its statement.
    pub async fn batch(&self, stmts: Vec<Stmt>) -> Result<Vec<Outcome>, StorageError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.batch(stmts).await,
            Engine::Postgres(postgres) => Box::pin(postgres.batch(&stmts)).await,
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StorageError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.ping(),
            Engine::Postgres(postgres) => postgres.ping().await,
        }
    }

    /// Looks for damage; one line per finding, none if all is well. Reads the whole database on SQLite.
    pub async fn check_integrity(&self) -> Result<Vec<String>, StorageError> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.check_integrity().await,
            Engine::Postgres(postgres) => postgres.check_integrity().await,
        }
    }

    /// Finishes the writes that wait, refuses new ones and closes the database. Other clones of the store are of no
    /// use afterwards.
    pub async fn close(self) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.close().await,
            Engine::Postgres(postgres) => postgres.close(),
        }
    }

    /// Numbers for metrics.
    pub fn stats(&self) -> StoreStats {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.stats(),
            Engine::Postgres(postgres) => postgres.stats(),
        }
    }
}
