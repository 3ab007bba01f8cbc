//! The SQLite engine: one writer thread with group commit, read connections that are used in place by whoever reads,
//! one that always reads so that they need not lock, a checkpoint thread. Owns the file and its settings.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};

use self::checkpoint::Checkpoints;
use self::connection::Role;
use self::index_names::IndexNames;
use self::read_mark::ReadMark;
use self::writer::{Closure, Message, Writer, WriterCounts};
use super::{BoxFuture, EngineKind, Outcome, Stmt, StorageError, StoreOptions, StoreStats, Tx};

mod checkpoint;
mod connection;
mod index_names;
mod read_mark;
mod writer;

pub(crate) use self::connection::SqliteConnection;

/// Jobs that may wait for the writer; beyond that, callers wait to get into the queue.
const QUEUE: usize = 1024;

/// An open SQLite database.
pub(crate) struct Sqlite {
    queue: mpsc::Sender<Message>,
    readers: Arc<Readers>,
    scans: Arc<Semaphore>,
    counts: Arc<WriterCounts>,
}

impl Sqlite {
    /// Opens or creates the file and starts the threads.
    pub(crate) fn open(path: &Path, options: &StoreOptions) -> Result<Self, StorageError> {
        create(path).map_err(|error| StorageError::open(EngineKind::Sqlite, error))?;
        let names = Arc::new(IndexNames::default());
        let connect = |role| {
            SqliteConnection::open(path, role, options.busy_timeout, &names)
                .map_err(|error| StorageError::open(EngineKind::Sqlite, error))
        };
        let writer = connect(Role::Writer)?;
        writer.refresh_index_names()?;
        let mark = Arc::new(ReadMark::hold(connect(Role::Reader { mmap_bytes: 0 })?));
        let checkpoints = Checkpoints::start(connect(Role::Checkpointer)?, Arc::clone(&mark))?;
        let counts = Arc::new(WriterCounts::default());
        let (queue, receiver) = mpsc::channel(QUEUE);
        let mut wal_path = path.as_os_str().to_owned();
        wal_path.push("-wal");
        let writer = Writer {
            tx: Tx::on_sqlite(writer),
            queue: receiver,
            counts: Arc::clone(&counts),
            checkpoints,
            mark,
            wal_path: PathBuf::from(wal_path),
            wal_limit: options.wal_limit_bytes,
            busy_timeout: options.busy_timeout,
            next_emptying: options.wal_limit_bytes,
        };
        thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| StorageError::open(EngineKind::Sqlite, error))?;
        let readers = Readers {
            idle: Mutex::new(Vec::new()),
            keep: options.readers.max(1),
            path: path.to_owned(),
            role: Role::Reader { mmap_bytes: options.mmap_bytes },
            busy_timeout: options.busy_timeout,
            names,
        };
        let scans = Arc::new(Semaphore::new(readers.keep));
        Ok(Self { queue, readers: Arc::new(readers), scans, counts })
    }

    /// Runs a read in place, on the task that asks: a point read is shorter than a change of threads.
    pub(crate) fn read<T, E, F>(&self, single: bool, f: F) -> Result<T, E>
    where
        E: From<StorageError>,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
    {
        self.readers.read(single, f)
    }

    /// Runs a long read on a thread that may block.
    pub(crate) async fn scan<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let permit = Arc::clone(&self.scans).acquire_owned().await;
        let permit = permit.map_err(|_| StorageError::internal("the scan limit is gone"))?;
        let readers = Arc::clone(&self.readers);
        let scan = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            readers.read(false, f)
        });
        match scan.await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(StorageError::Unavailable("the program is ending".to_owned()).into()),
        }
    }

    /// Runs a closure on the writer thread, in a group commit with its neighbours.
    pub(crate) async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        self.submit(move |tx| now(f(tx))?).await
    }

    /// Runs guarded statements on the writer thread, all or none.
    pub(crate) async fn batch(&self, stmts: Vec<Stmt>) -> Result<Vec<Outcome>, StorageError> {
        self.submit(move |tx| {
            now(async {
                let mut outcomes = Vec::with_capacity(stmts.len());
                for (position, stmt) in stmts.into_iter().enumerate() {
                    let outcome = tx.run(stmt).await.map_err(|error| match error {
                        StorageError::Guard { affected, .. } => {
                            StorageError::Guard { statement: position, affected }
                        }
                        other => other,
                    })?;
                    outcomes.push(outcome);
                }
                Ok(outcomes)
            })?
        })
        .await
    }

    async fn submit<T, E, B>(&self, body: B) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
        B: FnOnce(&mut Tx) -> Result<T, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let closed = || StorageError::Unavailable("the store is closed".to_owned());
        let job = Message::Job(Box::new(Closure::new(body, reply)));
        self.queue.send(job).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Whether reads and the writer work.
    pub(crate) fn ping(&self) -> Result<(), StorageError> {
        if self.queue.is_closed() {
            return Err(StorageError::Unavailable("the writer has ended".to_owned()));
        }
        self.read(true, |tx| Box::pin(tx.query_one::<(i64,)>("SELECT 1", Vec::new()))).map(|_| ())
    }

    /// What SQLite's own checks find wrong.
    pub(crate) async fn check_integrity(&self) -> Result<Vec<String>, StorageError> {
        self.scan(|tx| {
            Box::pin(async move {
                let damage: Vec<(String,)> = tx.query("PRAGMA integrity_check", Vec::new()).await?;
                let dangling: Vec<(String, String, i64)> = tx
                    .query(
                        "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2",
                        Vec::new(),
                    )
                    .await?;
                let damage = damage.into_iter().map(|(line,)| line).filter(|line| line != "ok");
                let dangling = dangling.into_iter().map(|(table, parent, rows)| {
                    format!("{rows} rows of {table} refer to rows of {parent} that do not exist")
                });
                Ok(damage.chain(dangling).collect())
            })
        })
        .await
    }

    /// Finishes what is queued, empties the log and closes the file.
    pub(crate) async fn close(&self) {
        let (closer, done) = oneshot::channel();
        if self.queue.send(Message::Close(closer)).await.is_ok() {
            drop(done.await);
        }
        self.readers.idle().clear();
    }

    pub(crate) fn stats(&self) -> StoreStats {
        let idle = self.readers.idle().len();
        StoreStats {
            queued: self.queue.max_capacity() - self.queue.capacity(),
            writes: self.counts.jobs.load(Ordering::Relaxed),
            commits: self.counts.groups.load(Ordering::Relaxed),
            idle_connections: idle,
            ..StoreStats::default()
        }
    }
}

/// Read connections that are not in use. Reads never wait for each other: one that finds none opens one, and since a
/// read does not leave its thread, there are never more than threads.
struct Readers {
    /// Each with the thread that used it last, whose processor may still hold its pages.
    idle: Mutex<Vec<(ThreadId, Tx)>>,
    keep: usize,
    path: PathBuf,
    role: Role,
    busy_timeout: Duration,
    names: Arc<IndexNames>,
}

impl Readers {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(ThreadId, Tx)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Tx, StorageError> {
        let this = thread::current().id();
        let known = {
            let mut idle = self.idle();
            let own = idle.iter().rposition(|(thread, _)| *thread == this);
            own.map(|at| idle.swap_remove(at)).or_else(|| idle.pop())
        };
        if let Some((_, tx)) = known {
            return Ok(tx);
        }
        SqliteConnection::open(&self.path, self.role, self.busy_timeout, &self.names)
            .map(Tx::on_sqlite)
            .map_err(|error| StorageError::open(EngineKind::Sqlite, error))
    }

    fn read<T, E, F>(&self, single: bool, f: F) -> Result<T, E>
    where
        E: From<StorageError>,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
    {
        let mut lease = Lease { readers: self, tx: Some(self.take()?) };
        let Some(tx) = lease.tx.as_mut() else { return Err(StorageError::internal("an empty lease").into()) };
        tx.start(single);
        if !single {
            tx.sqlite().command("BEGIN")?;
        }
        let result = now(f(tx))?;
        tx.settle(result)
    }
}

/// A read connection in use; goes back when dropped, also by a panic, and then holds no transaction.
struct Lease<'a> {
    readers: &'a Readers,
    tx: Option<Tx>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(tx) = self.tx.take() else { return };
        if tx.sqlite().in_transaction() && tx.sqlite().command("ROLLBACK").is_err() {
            return;
        }
        let mut idle = self.readers.idle();
        if idle.len() < self.readers.keep {
            idle.push((thread::current().id(), tx));
        }
    }
}

/// The result of a future that only does storage: on SQLite nothing in it ever waits.
fn now<T>(future: impl Future<Output = T>) -> Result<T, StorageError> {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => {
            Err(StorageError::internal("a storage closure awaited something that is not storage"))
        }
    }
}

/// Creates the file, readable by its owner only, unless it exists. SQLite gives its companions the same mode.
fn create(path: &Path) -> std::io::Result<()> {
    let mut open = std::fs::OpenOptions::new();
    open.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    match open.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
