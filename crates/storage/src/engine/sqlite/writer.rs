//! The one thread that writes. Takes queued jobs, runs each in a savepoint of its own inside one transaction, commits
//! them together (group commit: one fsync for all), then answers. A job that fails is rolled back alone.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::checkpoint::{Checkpoints, PATIENCE};
use super::read_mark::ReadMark;
use crate::engine::{StorageError, Tx};

/// Most jobs that share a commit: at 50 µs each the first waits some 12 ms for the last.
const GROUP_LIMIT: usize = 256;

/// What the writer is sent.
pub(super) enum Message {
    Job(Box<dyn Job>),
    /// Drain the queue, empty the log, close the file, then answer.
    Close(oneshot::Sender<()>),
}

/// Work for the writer.
pub(super) trait Job: Send {
    /// Runs inside its savepoint. `false`: roll back to it.
    fn run(&mut self, tx: &mut Tx) -> bool;
    /// Tells the caller, once the group is committed or lost.
    fn answer(self: Box<Self>, group: Result<(), StorageError>);
}

/// A job made of a closure that runs to its end at once.
pub(super) struct Closure<B, T, E> {
    body: Option<B>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<B, T, E> Closure<B, T, E> {
    pub(super) fn new(body: B, reply: oneshot::Sender<Result<T, E>>) -> Self {
        Self { body: Some(body), result: None, reply }
    }
}

impl<B, T, E> Job for Closure<B, T, E>
where
    B: FnOnce(&mut Tx) -> Result<T, E> + Send,
    T: Send,
    E: From<StorageError> + Send,
{
    fn run(&mut self, tx: &mut Tx) -> bool {
        // Nobody waits any more: do not write on behalf of the absent.
        let Some(body) = self.body.take().filter(|_| !self.reply.is_closed()) else { return false };
        let result = catch_unwind(AssertUnwindSafe(|| body(tx)))
            .unwrap_or_else(|panic| Err(StorageError::internal(panic_text(panic.as_ref())).into()));
        let result = tx.settle(result);
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn answer(self: Box<Self>, group: Result<(), StorageError>) {
        let result = match (self.result, group) {
            (Some(Ok(_)) | None, Err(error)) => Err(error.into()),
            (Some(result), _) => result,
            (None, Ok(())) => return,
        };
        // The caller may have gone meanwhile.
        drop(self.reply.send(result));
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a storage closure panicked: {}", said.unwrap_or("no text"))
}

/// Counts for metrics.
#[derive(Default)]
pub(super) struct WriterCounts {
    pub(super) jobs: AtomicU64,
    pub(super) groups: AtomicU64,
}

/// The thread's own state.
pub(super) struct Writer {
    pub(super) tx: Tx,
    pub(super) queue: mpsc::Receiver<Message>,
    pub(super) counts: Arc<WriterCounts>,
    pub(super) checkpoints: Checkpoints,
    pub(super) mark: Arc<ReadMark>,
    pub(super) wal_path: PathBuf,
    pub(super) wal_limit: u64,
    pub(super) busy_timeout: Duration,
    /// Size of the log above which the next attempt to empty it is made.
    pub(super) next_emptying: u64,
}

impl Writer {
    /// Works until every sender is gone or somebody closes the store.
    pub(super) fn run(mut self) {
        let mut closers = Vec::new();
        while let Some(message) = self.queue.blocking_recv() {
            match message {
                Message::Job(job) => self.group(job, &mut closers),
                Message::Close(closer) => self.close_queue(closer, &mut closers),
            }
        }
        self.checkpoints.stop();
        self.mark.release();
        self.empty_log();
        drop((self.tx, self.mark));
        for closer in closers {
            let _ = closer.send(());
        }
    }

    fn close_queue(&mut self, closer: oneshot::Sender<()>, closers: &mut Vec<oneshot::Sender<()>>) {
        self.queue.close();
        closers.push(closer);
    }

    /// One transaction: the job at hand and whatever waits behind it.
    fn group(&mut self, first: Box<dyn Job>, closers: &mut Vec<oneshot::Sender<()>>) {
        let mut members = Vec::new();
        let mut next = Some(first);
        let mut fate = self.tx.sqlite().command("BEGIN IMMEDIATE");
        while let Some(mut job) = next.take() {
            if fate.is_ok() {
                fate = self.member(job.as_mut());
            }
            members.push(job);
            while next.is_none() && members.len() < GROUP_LIMIT {
                match self.queue.try_recv() {
                    Ok(Message::Job(job)) => next = Some(job),
                    Ok(Message::Close(closer)) => self.close_queue(closer, closers),
                    Err(_) => break,
                }
            }
        }
        let fate = fate.and_then(|()| self.tx.sqlite().command("COMMIT"));
        if self.tx.sqlite().in_transaction()
            && let Err(error) = self.tx.sqlite().command("ROLLBACK")
        {
            tracing::error!(%error, "a failed group of writes could not be rolled back");
        }
        self.counts.jobs.fetch_add(members.len() as u64, Ordering::Relaxed);
        self.counts.groups.fetch_add(1, Ordering::Relaxed);
        for job in members {
            job.answer(fate.clone());
        }
        self.mark.renew();
        self.checkpoints.wake();
        self.bound_log();
    }

    /// Runs a job in its savepoint. An error concerns the whole group.
    fn member(&mut self, job: &mut dyn Job) -> Result<(), StorageError> {
        self.tx.sqlite().command("SAVEPOINT job")?;
        let keep = job.run(&mut self.tx);
        if !self.tx.sqlite().in_transaction() {
            // Disk full, I/O error: SQLite has rolled everything back by itself.
            return Err(StorageError::Unavailable("the database rolled a group of writes back".to_owned()));
        }
        if !keep {
            self.tx.sqlite().command("ROLLBACK TO job")?;
        }
        self.tx.sqlite().command("RELEASE job")
    }

    /// Under unbroken load the log is copied but never begins anew; above the limit the writer empties it between
    /// two groups. Readers that still need it are waited for only briefly; if they stay, the log may grow by another
    /// quarter before the next attempt, so that a long scan does not slow every commit down.
    fn bound_log(&mut self) {
        let length = || std::fs::metadata(&self.wal_path).map_or(0, |wal| wal.len());
        if length() <= self.next_emptying {
            return;
        }
        self.checkpoints.exclusively(|| {
            self.mark.release();
            self.empty_log();
            self.mark.renew();
        });
        let left = length();
        self.next_emptying = if left > self.wal_limit { left + self.wal_limit / 4 } else { self.wal_limit };
    }

    /// Copies all of the log into the file and empties it, unless others read it for longer than they are waited for:
    /// another process may do so all the time.
    fn empty_log(&self) {
        let connection = &self.tx.sqlite().raw;
        let emptied = connection
            .busy_timeout(PATIENCE)
            .and_then(|()| connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"))
            .and_then(|()| connection.busy_timeout(self.busy_timeout));
        if let Err(error) = emptied {
            tracing::warn!(%error, "the write-ahead log could not be emptied");
        }
    }
}
