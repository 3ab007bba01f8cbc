//! The PostgreSQL engine: a pool of connections, transactions with retries, pipelined batches. Owns what is done when
//! a transaction meets another one or a connection goes away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType};
use tokio::sync::Mutex;

use self::connection::Trouble;
use super::{
    BoxFuture, EngineKind, Migration, Outcome, Stmt, StorageError, StoreOptions, StoreStats, Tx, migrate,
};

mod connection;
mod errors;
mod tls;
mod values;

pub(crate) use self::connection::PostgresConnection;

/// How often a transaction is tried before it is given up as [`StorageError::Busy`].
const ATTEMPTS: u32 = 12;

/// From this attempt on, transactions that met others go one by one within this process.
const QUEUE_FROM: u32 = 2;

/// Key of the advisory lock that migrations hold: "latchkey" in ASCII.
const MIGRATION_LOCK: i64 = 0x6c61_7463_686b_6579;

/// An open PostgreSQL database.
pub(crate) struct Postgres {
    pool: Pool,
    /// Statements that begin the three kinds of transaction.
    snapshot: Arc<str>,
    guarded: Arc<str>,
    serializable: Arc<str>,
    unnamed: bool,
    conflicts: Mutex<()>,
    writes: AtomicU64,
    retries: AtomicU64,
}

impl Postgres {
    /// Sets the pool up and connects once, so that a wrong address shows at once.
    pub(crate) async fn open(url: &str, options: &StoreOptions) -> Result<Self, StorageError> {
        let failed = |problem: String| StorageError::open(EngineKind::Postgres, problem);
        let (mut config, tls) = tls::configure(url).map_err(failed)?;
        if config.get_application_name().is_none() {
            config.application_name("latchkey");
        }
        config.connect_timeout(options.connect_timeout).keepalives_idle(Duration::from_secs(30));
        let timeout = options.statement_timeout.as_millis();
        let mut local = String::new();
        if options.behind_pooler {
            // A pooler may refuse start-up options, and a setting must not outlive its transaction.
            local = format!("; SET LOCAL statement_timeout = {timeout}; SET LOCAL jit = off");
        } else {
            let given = config.get_options().unwrap_or_default();
            // Planning anew for each value would cost many times what running a statement does, and so would compiling
            // it: plans for all values look dear, because they do not know that a page is short.
            let ours =
                format!("-c statement_timeout={timeout} -c plan_cache_mode=force_generic_plan -c jit=off");
            config.options(format!("{given} {ours}").trim());
        }
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match tls {
            Some(tls) => Manager::from_config(config, tls, recycling),
            None => Manager::from_config(config, tokio_postgres::NoTls, recycling),
        };
        let pool = Pool::builder(manager)
            .max_size(options.pool_size.max(1))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(options.connect_timeout))
            .create_timeout(Some(options.connect_timeout))
            .recycle_timeout(Some(options.connect_timeout))
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let postgres = Self {
            pool,
            snapshot: format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY{local}").into(),
            guarded: format!("BEGIN ISOLATION LEVEL READ COMMITTED{local}").into(),
            serializable: format!("BEGIN ISOLATION LEVEL SERIALIZABLE{local}").into(),
            unnamed: options.behind_pooler,
            conflicts: Mutex::new(()),
            writes: AtomicU64::new(0),
            retries: AtomicU64::new(0),
        };
        postgres.ping().await?;
        Ok(postgres)
    }

    async fn connection(&self, begin: Option<&Arc<str>>) -> Result<PostgresConnection, StorageError> {
        let client = checkout(&self.pool).await?;
        Ok(PostgresConnection::new(client, begin.cloned(), self.unnamed))
    }

    /// Reads from a snapshot, or by a `single` statement without one. If the connection turns out to be dead at the
    /// first statement, another one takes over.
    pub(crate) async fn read<T, E, F>(&self, single: bool, f: F) -> Result<T, E>
    where
        E: From<StorageError>,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
    {
        let mut connection = self.connection((!single).then_some(&self.snapshot)).await?;
        connection.spare = Some(self.pool.clone());
        let mut tx = Tx::on_postgres(connection);
        tx.start(single);
        let result = f(&mut tx).await;
        tx.postgres().leave();
        tx.settle(result)
    }

    /// Runs a closure in a SERIALIZABLE transaction, again if it met another one.
    pub(crate) async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        E: From<StorageError>,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
    {
        let mut retry = Retry::new(self);
        loop {
            let mut tx = Tx::on_postgres(self.connection(Some(&self.serializable)).await?);
            let running = f(&mut tx);
            let result = running.await;
            let result = match tx.settle(result) {
                Ok(value) => tx.postgres().commit().await.map(|()| value).map_err(E::from),
                Err(error) => Err(error),
            };
            let trouble = tx.postgres().leave();
            drop(tx);
            if result.is_ok() || !retry.again(trouble).await {
                return result;
            }
        }
    }

    /// Runs guarded statements: all are sent at once; `COMMIT` follows when the guards hold.
    pub(crate) async fn batch(&self, stmts: &[Stmt]) -> Result<Vec<Outcome>, StorageError> {
        let mut retry = Retry::new(self);
        loop {
            let mut connection = self.connection(Some(&self.guarded)).await?;
            let result = connection.batch(stmts).await;
            let trouble = connection.leave();
            drop(connection);
            if result.is_ok() || !retry.again(trouble).await {
                return result;
            }
        }
    }

    /// Applies migrations; other servers wait meanwhile, and then find nothing to do.
    pub(crate) async fn migrate(
        &self,
        migrations: &[Migration],
        applied_at: i64,
    ) -> Result<Vec<&'static str>, StorageError> {
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0; \
             SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"
        );
        let mut tx = Tx::on_postgres(self.connection(Some(&begin.into())).await?);
        let result = migrate::apply(&mut tx, migrations, applied_at).await;
        let result = match tx.settle(result) {
            Ok(applied) => tx.postgres().commit().await.map(|()| applied),
            Err(error) => Err(error),
        };
        tx.postgres().leave();
        result
    }

    /// Whether the server answers.
    pub(crate) async fn ping(&self) -> Result<(), StorageError> {
        self.read(true, |tx| Box::pin(tx.query_one::<(i64,)>("SELECT 1", Vec::new()))).await.map(|_| ())
    }

    /// What the catalogue says about damage: indexes and constraints that the server does not vouch for.
    pub(crate) async fn check_integrity(&self) -> Result<Vec<String>, StorageError> {
        self.read(true, |tx| {
            Box::pin(async move {
                let findings: Vec<(String,)> = tx
                    .query(
                        "SELECT 'index ' || indexrelid::regclass::text || ' is not valid' FROM pg_index \
                         WHERE NOT indisvalid UNION ALL \
                         SELECT 'constraint ' || conname || ' is not validated' FROM pg_constraint \
                         WHERE NOT convalidated",
                        Vec::new(),
                    )
                    .await?;
                Ok(findings.into_iter().map(|(line,)| line).collect())
            })
        })
        .await
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }

    pub(crate) fn stats(&self) -> StoreStats {
        let status = self.pool.status();
        StoreStats {
            writes: self.writes.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            connections: status.size,
            idle_connections: status.available,
            waiting: status.waiting,
            ..StoreStats::default()
        }
    }
}

/// A connection of the pool.
async fn checkout(pool: &Pool) -> Result<deadpool_postgres::Client, StorageError> {
    pool.get().await.map_err(|error| match error {
        PoolError::Timeout(TimeoutType::Wait) => StorageError::Busy,
        // No statement was sent yet, so whatever it is, it is about the connection.
        PoolError::Backend(error) => match errors::explain(&error).0 {
            StorageError::Internal(text) => StorageError::Unavailable(text),
            other => other,
        },
        other => StorageError::Unavailable(other.to_string()),
    })
}

/// The retries of one write. Pauses double, without jitter; instead, whoever failed twice goes alone, so that one of
/// many that want the same row always gets through.
struct Retry<'a> {
    postgres: &'a Postgres,
    attempt: u32,
    reconnected: bool,
    turn: Option<tokio::sync::MutexGuard<'a, ()>>,
}

impl<'a> Retry<'a> {
    fn new(postgres: &'a Postgres) -> Self {
        postgres.writes.fetch_add(1, Ordering::Relaxed);
        Self { postgres, attempt: 0, reconnected: false, turn: None }
    }

    /// Whether to try again after this trouble; waits as long as is good.
    async fn again(&mut self, trouble: Option<Trouble>) -> bool {
        match trouble {
            None | Some(Trouble::OutcomeUnknown) => return false,
            // Nothing was committed; the pool finds out about its other dead connections by itself.
            Some(Trouble::Lost) => return !std::mem::replace(&mut self.reconnected, true),
            Some(Trouble::Conflict) => {}
        }
        self.attempt += 1;
        if self.attempt >= ATTEMPTS {
            return false;
        }
        self.postgres.retries.fetch_add(1, Ordering::Relaxed);
        if self.attempt >= QUEUE_FROM && self.turn.is_none() {
            self.turn = Some(self.postgres.conflicts.lock().await);
        } else {
            tokio::time::sleep(Duration::from_millis(1 << self.attempt.min(6))).await;
        }
        true
    }
}
