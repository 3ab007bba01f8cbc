//! One connection on loan from the pool: begins lazily together with its first statement, sends without waiting where
//! it can, and never goes back to the pool inside a transaction.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use deadpool_postgres::{Client, Pool};
use futures_util::TryStreamExt;
use tokio_postgres::{Error, Statement};

use super::errors::explain;
use super::values::PostgresRow;
use crate::engine::record::Cells;
use crate::engine::statement::{self, Guard, refuse_nul};
use crate::engine::tx::Fetched;
use crate::engine::{EngineKind, Outcome, Record, Row, Sql, Stmt, StorageError, Value};

/// What stood in the way of a transaction, if it was not its own fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Another transaction; nothing was written, trying again may help.
    Conflict,
    /// The connection went before `COMMIT` was sent; nothing was written.
    Lost,
    /// The connection went while a commit was on its way.
    OutcomeUnknown,
}

/// A connection and the transaction on it.
pub(crate) struct PostgresConnection {
    /// `None` only while it is given up.
    client: Option<Client>,
    /// What begins the transaction; `None`: each statement commits itself.
    begin: Option<Arc<str>>,
    /// `BEGIN` has been sent, and its end not yet been seen.
    open: bool,
    /// Where to get another connection if this one is dead at the first statement. Reads only.
    pub(super) spare: Option<Pool>,
    /// No named prepared statements.
    unnamed: bool,
    trouble: Option<Trouble>,
}

/// Errors of the driver are kept until it is clear what they mean.
enum Problem {
    Driver(Error),
    Ours(StorageError),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        Self::Ours(error)
    }
}

impl PostgresConnection {
    pub(super) fn new(client: Client, begin: Option<Arc<str>>, unnamed: bool) -> Self {
        Self { client: Some(client), begin, open: false, spare: None, unnamed, trouble: None }
    }

    /// Runs a statement to its end.
    pub(crate) async fn run<R: Record>(
        &mut self,
        sql: Sql,
        args: &[Value],
    ) -> Result<Fetched<R>, StorageError> {
        let text = sql.on(EngineKind::Postgres);
        statement::note(EngineKind::Postgres, text);
        let first = self.attempt(text, args).await;
        let spare = self.spare.take();
        let error = match (first, spare) {
            (Ok(fetched), _) => return Ok(fetched),
            (Err(Problem::Driver(error)), Some(pool)) if explain(&error).1 == Some(Trouble::Lost) => {
                // Dead since it was last used. Nothing has been read yet, so another connection can begin anew.
                self.open = false;
                drop(self.client.take().map(Client::take));
                self.client = Some(super::checkout(&pool).await?);
                match self.attempt(text, args).await {
                    Ok(fetched) => return Ok(fetched),
                    Err(problem) => problem,
                }
            }
            (Err(problem), _) => problem,
        };
        Err(self.note_trouble(error))
    }

    /// Runs several statements without arguments or results.
    pub(crate) async fn script(&mut self, text: &str) -> Result<(), StorageError> {
        let begins = self.begin.clone().filter(|_| !self.open);
        self.open |= begins.is_some();
        let client = self.client()?;
        let run = async {
            begin(client, begins).await?;
            client.batch_execute(text).await
        };
        let ran = run.await;
        ran.map_err(|error| self.note_trouble(error.into()))
    }

    /// Runs guarded statements and commits: one round trip without guards, two with them.
    pub(super) async fn batch(&mut self, stmts: &[Stmt]) -> Result<Vec<Outcome>, StorageError> {
        for stmt in stmts {
            refuse_nul(&stmt.args)?;
            statement::note(EngineKind::Postgres, stmt.sql.on(EngineKind::Postgres));
        }
        if let [stmt] = stmts
            && !stmt.may_need_rollback()
        {
            self.begin = None;
        }
        let commits_along = self.begin.is_none() || stmts.iter().all(|stmt| stmt.guard == Guard::Any);
        let outcomes = self.pipeline(stmts, commits_along).await;
        self.open &= !(commits_along && outcomes.is_ok());
        let outcomes = outcomes.map_err(|problem| self.note_trouble(problem));
        if commits_along && self.trouble == Some(Trouble::Lost) {
            self.trouble = Some(Trouble::OutcomeUnknown);
        }
        let outcomes = outcomes?;
        for (position, (stmt, outcome)) in stmts.iter().zip(&outcomes).enumerate() {
            stmt.check(position, outcome.affected)?;
        }
        self.commit().await?;
        Ok(outcomes)
    }

    /// Commits, if anything was begun.
    pub(super) async fn commit(&mut self) -> Result<(), StorageError> {
        if !self.open {
            return Ok(());
        }
        let committed = self.client()?.batch_execute("COMMIT").await;
        // Whatever it answered, the transaction is over.
        self.open = false;
        committed.map_err(|error| {
            let error = self.note_trouble(error.into());
            if self.trouble == Some(Trouble::Lost) {
                self.trouble = Some(Trouble::OutcomeUnknown);
            }
            error
        })
    }

    /// Ends a transaction that was not committed, and says what troubled it. Sends `ROLLBACK` without waiting: whoever
    /// uses the connection next stands behind it in the queue.
    pub(super) fn leave(&mut self) -> Option<Trouble> {
        if self.open
            && let Ok(client) = self.client()
        {
            let _ = pin!(client.batch_execute("ROLLBACK")).poll(&mut Context::from_waker(Waker::noop()));
            self.open = false;
        }
        self.trouble
    }

    fn client(&self) -> Result<&Client, StorageError> {
        self.client.as_ref().ok_or_else(|| StorageError::internal("the connection was given up"))
    }

    fn note_trouble(&mut self, problem: Problem) -> StorageError {
        match problem {
            Problem::Ours(error) => error,
            Problem::Driver(error) => {
                let (error, trouble) = explain(&error);
                self.trouble = trouble;
                error
            }
        }
    }

    async fn prepare(&self, text: &str) -> Result<Option<Statement>, Problem> {
        if self.unnamed {
            return Ok(None);
        }
        Ok(Some(self.client()?.prepare_cached(text).await?))
    }

    /// One statement, with `BEGIN` before it in the same flight if it is the first.
    async fn attempt<R: Record>(&mut self, text: &str, args: &[Value]) -> Result<Fetched<R>, Problem> {
        let prepared = self.prepare(text).await?;
        let begins = self.begin.clone().filter(|_| !self.open);
        self.open |= begins.is_some();
        let client = self.client()?;
        let begun = Sent::start(begin(client, begins)).await;
        let sent = Sent::start(fetch(client, text, prepared.as_ref(), args)).await;
        begun.finish().await?;
        sent.finish().await
    }

    /// All statements in one flight, with `BEGIN` before them and `COMMIT` behind them where that is right.
    async fn pipeline(&mut self, stmts: &[Stmt], commits_along: bool) -> Result<Vec<Outcome>, Problem> {
        let mut prepared = Vec::with_capacity(stmts.len());
        for stmt in stmts {
            prepared.push(self.prepare(stmt.sql.on(EngineKind::Postgres)).await?);
        }
        let begins = self.begin.clone();
        self.open = begins.is_some();
        let client = self.client()?;
        let commits = self.open && commits_along;
        let begun = Sent::start(begin(client, begins)).await;
        let mut sent = Vec::with_capacity(stmts.len());
        for (stmt, prepared) in stmts.iter().zip(&prepared) {
            let text = stmt.sql.on(EngineKind::Postgres);
            sent.push(Sent::start(fetch::<Row>(client, text, prepared.as_ref(), &stmt.args)).await);
        }
        let committed = if commits { Some(Sent::start(client.batch_execute("COMMIT")).await) } else { None };
        begun.finish().await?;
        let mut outcomes = Vec::with_capacity(stmts.len());
        for sent in sent {
            let Fetched { records: rows, affected } = sent.finish().await?;
            outcomes.push(Outcome { affected, rows });
        }
        if let Some(committed) = committed {
            committed.finish().await?;
        }
        Ok(outcomes)
    }
}

/// Gives the connection back. If a future that held a transaction was dropped, it is rolled back before the pool sees it
/// again; a connection that is dead or cannot be rolled back does not return.
impl Drop for PostgresConnection {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        if matches!(self.trouble, Some(Trouble::Lost | Trouble::OutcomeUnknown)) {
            drop(Client::take(client));
        } else if self.open {
            match tokio::runtime::Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn(async move {
                    if client.batch_execute("ROLLBACK").await.is_err() {
                        drop(Client::take(client));
                    }
                })),
                Err(_) => drop(Client::take(client)),
            }
        }
    }
}

async fn begin(client: &Client, begin: Option<Arc<str>>) -> Result<(), Error> {
    match begin {
        Some(begin) => client.batch_execute(&begin).await,
        None => Ok(()),
    }
}

/// Runs a statement and reads its rows.
async fn fetch<R: Record>(
    client: &Client,
    text: &str,
    prepared: Option<&Statement>,
    args: &[Value],
) -> Result<Fetched<R>, Problem> {
    let rows = if let Some(prepared) = prepared {
        client.query_raw(prepared, args).await?
    } else {
        let typed = args.iter().map(|value| (value, value.postgres_type()));
        client.query_typed_raw(text, typed).await?
    };
    let mut rows = pin!(rows);
    let mut records = Vec::new();
    while let Some(row) = rows.try_next().await? {
        records.push(Cells::read_all(&PostgresRow(&row))?);
    }
    Ok(Fetched { records, affected: rows.rows_affected().unwrap_or_default() })
}

/// A request that is on its way. The driver sends when a future is first polled, in the order of those polls.
enum Sent<F: Future> {
    Waiting(Pin<Box<F>>),
    Answered(F::Output),
}

impl<F: Future> Sent<F> {
    async fn start(future: F) -> Self {
        let mut future = Some(Box::pin(future));
        std::future::poll_fn(move |context| {
            let Some(mut pinned) = future.take() else { return Poll::Pending };
            Poll::Ready(match pinned.as_mut().poll(context) {
                Poll::Ready(output) => Self::Answered(output),
                Poll::Pending => Self::Waiting(pinned),
            })
        })
        .await
    }

    async fn finish(self) -> F::Output {
        match self {
            Self::Waiting(future) => future.await,
            Self::Answered(output) => output,
        }
    }
}
