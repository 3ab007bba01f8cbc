//! A private database for each test, and the table that most tests use.

use std::ffi::OsString;
use std::sync::atomic::{AtomicU32, Ordering};

use latchkey_storage::engine::{
    DatabaseUrl, EngineKind, Migration, Stmt, StorageError, Store, StoreOptions, args, stmt,
};
use tempfile::TempDir;

/// The schema of the tests.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_test",
    sql: "
        -- Counters; the owner makes a foreign key.
        CREATE TABLE owners (id BIGINT NOT NULL PRIMARY KEY, is_active BOOLEAN NOT NULL);
        CREATE TABLE counters (
            name TEXT NOT NULL PRIMARY KEY,
            value BIGINT NOT NULL,
            label TEXT,
            owner_id BIGINT,
            is_main BOOLEAN NOT NULL DEFAULT FALSE,
            extra BYTEA,
            UNIQUE (value, label),
            CHECK (value >= 0),
            FOREIGN KEY (owner_id) REFERENCES owners (id)
        );
        CREATE UNIQUE INDEX counters_is_main_key ON counters (is_main) WHERE is_main;
        CREATE UNIQUE INDEX counters_label_lower_key ON counters (lower(label)) WHERE value > 9;
    ",
}];

/// A database that nobody else uses.
pub struct Database {
    pub options: StoreOptions,
    place: Place,
}

enum Place {
    Directory(TempDir),
    Schema(String),
}

impl Database {
    pub fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(directory.path().join("test.db"));
        Self { options: StoreOptions::new(url), place: Place::Directory(directory) }
    }

    /// `None` without a server.
    pub async fn postgres() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let server = server()?;
        let schema = format!("contract_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}")).await;
        let separator = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{separator}options=-csearch_path%3D{schema}");
        let mut options = StoreOptions::new(DatabaseUrl::Postgres(url));
        options.pool_size = 8;
        Some(Self { options, place: Place::Schema(schema) })
    }

    /// A store on the database, without tables.
    pub async fn open(&self) -> Store {
        Store::open(&self.options).await.unwrap()
    }

    /// A store on the database, with tables.
    pub async fn store(&self) -> Store {
        let store = self.open().await;
        store.migrate(MIGRATIONS, 0).await.unwrap();
        store
    }

    /// The path of the SQLite file.
    pub fn file(&self) -> &std::path::Path {
        match &self.options.url {
            DatabaseUrl::Sqlite(path) => path,
            DatabaseUrl::Postgres(_) => panic!("not a file"),
        }
    }

    async fn remove(self) {
        match self.place {
            Place::Directory(directory) => directory.close().unwrap(),
            Place::Schema(schema) => execute(&format!("DROP SCHEMA {schema} CASCADE")).await,
        }
    }
}

/// The server for tests, if there is one.
pub fn server() -> Option<String> {
    let variable = |name| std::env::var_os(name).map(OsString::into_string).map(Result::unwrap);
    let server = variable("TEST_POSTGRES_URL");
    if server.is_none() {
        assert!(variable("REQUIRE_ALL").is_none(), "REQUIRE_ALL is set, but TEST_POSTGRES_URL is not");
        eprintln!("skipped on PostgreSQL: TEST_POSTGRES_URL is not set");
    }
    server
}

/// Runs SQL on the server, past the engine.
pub async fn execute(sql: &str) {
    let (client, connection) =
        tokio_postgres::connect(&server().unwrap(), tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

/// Runs a test and removes its database, also if it fails.
pub async fn run<F: Future<Output = ()> + Send + 'static>(
    database: Option<Database>,
    test: impl FnOnce(std::sync::Arc<Database>) -> F,
) {
    let Some(database) = database else { return };
    let database = std::sync::Arc::new(database);
    let outcome = tokio::spawn(test(std::sync::Arc::clone(&database))).await;
    if let Some(database) = std::sync::Arc::into_inner(database) {
        database.remove().await;
    }
    if let Err(error) = outcome {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// Makes two tests of each function: one per engine.
#[macro_export]
macro_rules! on_each_engine {
    ($(async fn $name:ident($database:ident) $body:block)+) => {$(
        async fn $name($database: std::sync::Arc<$crate::support::Database>) $body

        mod $name {
            use super::$name as body;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                $crate::support::run(Some($crate::support::Database::sqlite()), body).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                $crate::support::run($crate::support::Database::postgres().await, body).await;
            }
        }
    )+};
}

/// A statement that inserts a counter.
pub fn counter(name: &str, value: i64) -> Stmt {
    stmt("INSERT INTO counters (name, value) VALUES ($1, $2)", args![name, value])
}

/// How many counters there are.
pub async fn count(store: &Store) -> i64 {
    let counted = store.lookup(|tx| {
        Box::pin(async move { tx.query_one::<(i64,)>("SELECT count(*) FROM counters", args![]).await })
    });
    counted.await.unwrap().0
}

/// The value of a counter.
pub async fn value(store: &Store, name: &'static str) -> i64 {
    let read = store.lookup(move |tx| {
        Box::pin(async move {
            tx.query_one::<(i64,)>("SELECT value FROM counters WHERE name = $1", args![name]).await
        })
    });
    read.await.unwrap().0
}

/// The sentence of an internal error.
pub fn internal<T: std::fmt::Debug>(result: Result<T, StorageError>) -> String {
    match result.unwrap_err() {
        StorageError::Internal(text) => text,
        other => panic!("expected an internal error, found {other:?}"),
    }
}

/// Blocks until a future is done, inside a closure of the store, which must not wait itself.
pub fn meanwhile<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| runtime.block_on(future))
}

/// Whether a store runs on PostgreSQL.
pub fn is_postgres(store: &Store) -> bool {
    store.kind() == EngineKind::Postgres
}
