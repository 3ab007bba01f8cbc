//! The view of the database that storage functions are given: one type for reads and writes, on both engines.

use super::postgres::PostgresConnection;
use super::sqlite::SqliteConnection;
use super::statement::refuse_nul;
use super::{EngineKind, Outcome, Record, Row, Sql, Stmt, StorageError, Value};

/// A snapshot, a transaction, or a single look-up in progress. After the first statement that fails, the whole
/// transaction has failed: further statements are refused and nothing is written, even if the closure answers `Ok`.
pub struct Tx {
    link: Link,
    failure: Option<StorageError>,
    /// Statements that may still run; `None` means any number.
    left: Option<u8>,
}

enum Link {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PostgresConnection>),
}

/// What a statement gave.
pub(crate) struct Fetched<R> {
    pub(crate) records: Vec<R>,
    pub(crate) affected: u64,
}

impl Tx {
    /// Runs a query and reads all rows.
    pub async fn query<R: Record>(
        &mut self,
        sql: impl Into<Sql>,
        args: Vec<Value>,
    ) -> Result<Vec<R>, StorageError> {
        Ok(self.fetch(sql.into(), &args).await?.records)
    }

    /// Runs a query that gives at most one row; a second one is an internal error.
    pub async fn query_opt<R: Record>(
        &mut self,
        sql: impl Into<Sql>,
        args: Vec<Value>,
    ) -> Result<Option<R>, StorageError> {
        let mut records = self.fetch(sql.into(), &args).await?.records;
        let record = records.pop();
        if records.is_empty() {
            Ok(record)
        } else {
            self.fail(StorageError::internal("more than one row where at most one was expected"))
        }
    }

    /// Runs a query that gives exactly one row, such as a count; anything else is an internal error.
    pub async fn query_one<R: Record>(
        &mut self,
        sql: impl Into<Sql>,
        args: Vec<Value>,
    ) -> Result<R, StorageError> {
        match self.query_opt(sql, args).await? {
            Some(record) => Ok(record),
            None => self.fail(StorageError::internal("no row where one was expected")),
        }
    }

    /// Whether a query gives any row. Write it as `SELECT 1 …`.
    pub async fn exists(&mut self, sql: impl Into<Sql>, args: Vec<Value>) -> Result<bool, StorageError> {
        Ok(!self.fetch::<Row>(sql.into(), &args).await?.records.is_empty())
    }

    /// Runs a statement; gives the number of rows that it touched.
    pub async fn execute(&mut self, sql: impl Into<Sql>, args: Vec<Value>) -> Result<u64, StorageError> {
        Ok(self.fetch::<Row>(sql.into(), &args).await?.affected)
    }

    /// Runs a guarded statement. A broken guard is `Guard { statement: 0 }` and fails the transaction.
    pub async fn run(&mut self, stmt: Stmt) -> Result<Outcome, StorageError> {
        let Fetched { records: rows, affected } = self.fetch(stmt.sql, &stmt.args).await?;
        match stmt.check(0, affected) {
            Ok(()) => Ok(Outcome { affected, rows }),
            Err(error) => self.fail(error),
        }
    }

    /// Runs guarded statements, one after the other. A broken guard names the statement by its position and fails the
    /// transaction.
    pub async fn run_all(&mut self, statements: &[Stmt]) -> Result<(), StorageError> {
        for (position, stmt) in statements.iter().enumerate() {
            let affected = self.fetch::<Row>(stmt.sql, &stmt.args).await?.affected;
            if let Err(error) = stmt.check(position, affected) {
                return self.fail(error);
            }
        }
        Ok(())
    }

    /// Which engine this runs on. For tests and the engine itself; storage functions do not ask.
    pub fn kind(&self) -> EngineKind {
        match self.link {
            Link::Sqlite(_) => EngineKind::Sqlite,
            Link::Postgres(_) => EngineKind::Postgres,
        }
    }

    pub(crate) fn on_sqlite(connection: SqliteConnection) -> Self {
        Self { link: Link::Sqlite(Box::new(connection)), failure: None, left: None }
    }

    pub(crate) fn on_postgres(connection: PostgresConnection) -> Self {
        Self { link: Link::Postgres(Box::new(connection)), failure: None, left: None }
    }

    /// Begins anew. `single` allows one statement only: what runs without a snapshot must not pretend to have one.
    pub(crate) fn start(&mut self, single: bool) {
        self.failure = None;
        self.left = single.then_some(1);
    }

    /// The SQLite connection beneath; only the SQLite engine asks, and only for its own transactions.
    pub(crate) fn sqlite(&self) -> &SqliteConnection {
        match &self.link {
            Link::Sqlite(connection) => connection,
            Link::Postgres(_) => unreachable!("the SQLite engine holds a SQLite transaction"),
        }
    }

    /// The same for PostgreSQL.
    pub(crate) fn postgres(&mut self) -> &mut PostgresConnection {
        match &mut self.link {
            Link::Postgres(connection) => connection,
            Link::Sqlite(_) => unreachable!("the PostgreSQL engine holds a PostgreSQL transaction"),
        }
    }

    /// Runs statements of a migration, without arguments or results.
    pub(crate) async fn script(&mut self, text: &str) -> Result<(), StorageError> {
        let result = match &mut self.link {
            Link::Sqlite(connection) => connection.script(text),
            Link::Postgres(connection) => connection.script(text).await,
        };
        result.or_else(|error| self.fail(error))
    }

    /// The result of a closure, corrected: `Ok` does not stand if a statement failed. Clears the failure.
    pub(crate) fn settle<T, E: From<StorageError>>(&mut self, result: Result<T, E>) -> Result<T, E> {
        match (self.failure.take(), result) {
            (Some(failure), Ok(_)) => Err(failure.into()),
            (_, result) => result,
        }
    }

    async fn fetch<R: Record>(&mut self, sql: Sql, args: &[Value]) -> Result<Fetched<R>, StorageError> {
        if self.failure.is_some() {
            return Err(StorageError::internal("a statement after one that failed in the same transaction"));
        }
        if let Some(left) = &mut self.left {
            let Some(less) = left.checked_sub(1) else {
                return self.fail(StorageError::internal("a look-up ran a second statement; use read"));
            };
            *left = less;
        }
        if let Err(error) = refuse_nul(args) {
            return self.fail(error);
        }
        let fetched = match &mut self.link {
            Link::Sqlite(connection) => connection.run(sql, args),
            Link::Postgres(connection) => connection.run(sql, args).await,
        };
        fetched.or_else(|error| self.fail(error))
    }

    fn fail<T>(&mut self, error: StorageError) -> Result<T, StorageError> {
        self.failure = Some(error.clone());
        Err(error)
    }
}
