//! A private database for each test: a copy of a migrated template, which costs milliseconds. On SQLite the template
//! is a file, on PostgreSQL a database that is cloned.

use std::path::PathBuf;

use latchkey_storage::MIGRATIONS;
use latchkey_storage::engine::{DatabaseUrl, Store, StoreOptions};
use tokio::sync::OnceCell;
use tokio_postgres::NoTls;
use uuid::Uuid;

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file in a temporary directory.
    Sqlite,
    /// A database of the server that `TEST_POSTGRES_URL` names.
    Postgres,
}

impl Engine {
    /// Whether tests can run on this engine here; panics if it must be and is not.
    pub fn is_available(self) -> bool {
        if self == Self::Sqlite || postgres_url().is_some() {
            return true;
        }
        assert!(
            variable("REQUIRE_ALL").is_none(),
            "REQUIRE_ALL is set, but TEST_POSTGRES_URL does not name a PostgreSQL server"
        );
        eprintln!("skipped: TEST_POSTGRES_URL is not set");
        false
    }
}

/// The database of one test; it goes when this is dropped.
pub struct Database {
    /// Where it is.
    pub url: DatabaseUrl,
    place: Place,
}

enum Place {
    Directory { _directory: tempfile::TempDir },
    Server { name: String },
}

impl Database {
    /// Makes an empty database on the server that `TEST_POSTGRES_URL` names.
    pub async fn empty_postgres() -> Self {
        let name = format!("latchkey_test_{}", unique());
        administer(&format!("CREATE DATABASE {name}")).await;
        Self { url: postgres_database(&name), place: Place::Server { name } }
    }

    /// Its URL with everything in it, for a process of its own.
    pub fn text(&self) -> String {
        match &self.url {
            DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => url.clone(),
        }
    }

    /// Makes a fresh migrated database.
    pub async fn create(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => sqlite().await,
            Engine::Postgres => postgres().await,
        }
    }
}

async fn migrate(url: &DatabaseUrl) {
    let store = Store::open(&StoreOptions::new(url.clone())).await.expect("a store");
    store.migrate(MIGRATIONS, 0).await.expect("migrations that apply");
    store.close().await;
}

async fn sqlite() -> Database {
    static TEMPLATE: OnceCell<(tempfile::TempDir, PathBuf)> = OnceCell::const_new();
    let (_, template) = TEMPLATE
        .get_or_init(|| async {
            let directory = tempfile::tempdir().expect("a temporary directory");
            let file = directory.path().join("template.db");
            migrate(&url_of(&format!("sqlite:{}", file.display()))).await;
            (directory, file)
        })
        .await;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("latchkey.db");
    std::fs::copy(template, &file).expect("a copy of the template");
    Database {
        url: url_of(&format!("sqlite:{}", file.display())),
        place: Place::Directory { _directory: directory },
    }
}

async fn postgres() -> Database {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(|| async {
            let name = format!("latchkey_template_{}", unique());
            administer(&format!("CREATE DATABASE {name}")).await;
            migrate(&postgres_database(&name)).await;
            name
        })
        .await;
    let name = format!("latchkey_test_{}", unique());
    administer(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    Database { url: postgres_database(&name), place: Place::Server { name } }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Place::Server { name } = &self.place {
            let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            // Drop cannot wait inside the test's runtime, so it gets one of its own.
            let dropped = std::thread::spawn(move || {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(administer(&statement));
            });
            drop(dropped.join());
        }
    }
}

/// Runs a statement on the server's own database. Cloning the template needs it to be idle; while another test
/// clones it, PostgreSQL says so at once, and the statement is given again.
async fn administer(statement: &str) {
    let url = postgres_url().expect("TEST_POSTGRES_URL");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("a PostgreSQL server");
    let connection = tokio::spawn(connection);
    let mut outcome = client.batch_execute(statement).await;
    for _ in 0..200 {
        let in_use = matches!(&outcome, Err(error) if error.code() == Some(&tokio_postgres::error::SqlState::OBJECT_IN_USE));
        if !in_use {
            break;
        }
        tokio::task::yield_now().await;
        outcome = client.batch_execute(statement).await;
    }
    outcome.expect("a statement that PostgreSQL accepts");
    drop(client);
    drop(connection.await);
}

fn postgres_database(name: &str) -> DatabaseUrl {
    let mut url = reqwest::Url::parse(&postgres_url().expect("TEST_POSTGRES_URL")).expect("a URL");
    url.set_path(name);
    url_of(url.as_str())
}

fn url_of(text: &str) -> DatabaseUrl {
    text.parse().expect("a database URL")
}

fn postgres_url() -> Option<String> {
    variable("TEST_POSTGRES_URL")
}

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment what they may use")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "the name of a database that lives for one test")]
fn unique() -> String {
    Uuid::new_v4().simple().to_string()
}
