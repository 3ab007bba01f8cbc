//! One server in this process, with a database of its own, on a free port.

use std::sync::Arc;

use latchkey::wire::{Running, Wiring, start};
use latchkey_config::{Config, ProjectDeclaration, ProjectSettings, SecretText, Sources};
use latchkey_identity::{App, Clock, activity, jobs};
use latchkey_mail::DevMailbox;
use latchkey_storage::Store;
use latchkey_storage::engine::StoreOptions;
use reqwest::Method;
use tokio::net::TcpListener;

use crate::client::Request;
use crate::clock::FakeClock;
use crate::database::{Database, Engine};

/// The keys of a project.
#[derive(Clone)]
pub struct Keys {
    /// Publishable client key.
    pub publishable: String,
    /// Secret server key.
    pub secret: String,
    /// Super secret admin key.
    pub admin: String,
}

/// A declared project.
#[derive(Clone)]
pub struct Project {
    /// Identifier.
    pub id: String,
    /// Keys.
    pub keys: Keys,
}

type Change = Arc<dyn Fn(&mut ProjectSettings) + Send + Sync>;

/// What a test server is made of.
#[derive(Clone, Default)]
pub struct Builder {
    overrides: Vec<(String, String)>,
    changes: Vec<Change>,
}

impl Builder {
    /// Changes the settings of the test project. The other project keeps the defaults.
    #[must_use]
    pub fn project(mut self, change: impl Fn(&mut ProjectSettings) + Send + Sync + 'static) -> Self {
        self.changes.push(Arc::new(change));
        self
    }

    /// Sets a configuration key, as text: `.config("tokens.rotation_overlap", "30s")`.
    #[must_use]
    pub fn config(mut self, key: &str, value: &str) -> Self {
        self.overrides.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Starts the server.
    pub async fn start(self, engine: Engine) -> TestServer {
        let database = Database::create(engine).await;
        TestServer::on(self, database).await
    }
}

/// A running server.
pub struct TestServer {
    builder: Builder,
    base_url: String,
    project: Project,
    other: Project,
    clock: Arc<FakeClock>,
    mailbox: Arc<DevMailbox>,
    running: Running,
    http: reqwest::Client,
    // Last, so that the database goes after everything that uses it.
    database: Arc<Database>,
}

/// The master key of every test server that is not given another one.
pub const MASTER_KEY: &str = "test:dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q=";

/// Settings of every test server, before those of the test: hashing costs as little as the configuration allows.
const PRESETS: [(&str, &str); 5] = [
    ("server.bind", "127.0.0.1:0"),
    ("passwords.memory_kib", "8192"),
    ("passwords.iterations", "1"),
    ("passwords.threads", "2"),
    ("security.master_keys", MASTER_KEY),
];

fn declare(id: &str, name: &str) -> (Project, ProjectDeclaration) {
    let key = |kind: &str| format!("{kind}_{name}_0123456789abcdefghjkmnpqrstvwxyz");
    let keys = Keys { publishable: key("pck"), secret: key("ssk"), admin: key("sak") };
    let mut declaration = ProjectDeclaration {
        id: id.to_owned(),
        display_name: format!("The {name} project"),
        settings: ProjectSettings::for_new_project(),
        ..ProjectDeclaration::default()
    };
    declaration.keys.publishable_client_key = Some(SecretText::new(keys.publishable.clone()));
    declaration.keys.secret_server_key = Some(SecretText::new(keys.secret.clone()));
    declaration.keys.super_secret_admin_key = Some(SecretText::new(keys.admin.clone()));
    (Project { id: id.to_owned(), keys }, declaration)
}

impl TestServer {
    /// Begins to describe a server.
    pub fn builder() -> Builder {
        Builder::default()
    }

    async fn on(builder: Builder, database: impl Into<Arc<Database>>) -> Self {
        let database = database.into();
        let sources = Sources {
            presets: PRESETS.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            overrides: builder.overrides.clone(),
            ..Sources::default()
        };
        let mut config = Config::load(sources).expect("a valid configuration");
        let (project, mut declared) = declare("11111111-1111-4111-8111-111111111111", "test");
        let (other, declared_other) = declare("22222222-2222-4222-8222-222222222222", "other");
        for change in &builder.changes {
            change(&mut declared.settings);
        }
        let mut internal = ProjectDeclaration::internal();
        internal.settings.auth.allow_sign_up = true;
        config.projects.extend([internal, declared, declared_other]);

        let store = Store::open(&StoreOptions {
            readers: 2,
            pool_size: 8,
            ..StoreOptions::new(database.url.clone())
        })
        .await
        .expect("a store");
        let clock = Arc::new(FakeClock::default());
        let time = Arc::clone(&clock);
        let mailbox = Arc::new(DevMailbox::new(move || time.now_millis()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let running = start(Wiring {
            config: Arc::new(config),
            store,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            mail: Some(Arc::clone(&mailbox) as Arc<dyn latchkey_mail::Transport>),
            listener,
            observe: None,
            pages: latchkey::dev_pages::pages(&mailbox),
            has_mock_oauth: true,
        })
        .await
        .expect("a server that starts");
        let base_url = format!("http://{}", running.address);
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("an HTTP client");
        Self { builder, base_url, project, other, clock, mailbox, running, http, database }
    }

    /// A second server on the same database, as on another machine; its clock is its own.
    pub async fn twin(&self) -> Self {
        Self::on(self.builder.clone(), Arc::clone(&self.database)).await
    }

    /// A second server on the same database that is configured otherwise.
    pub async fn twin_with(&self, change: impl FnOnce(Builder) -> Builder) -> Self {
        Self::on(change(self.builder.clone()), Arc::clone(&self.database)).await
    }

    /// A request to a path below `/api/v1`.
    pub fn api(&self, method: Method, path: &str) -> Request<'_> {
        Request::new(self, method, format!("{}/api/v1{path}", self.base_url))
    }

    /// `GET` of a path below `/api/v1`.
    pub fn get(&self, path: &str) -> Request<'_> {
        self.api(Method::GET, path)
    }

    /// `POST` to a path below `/api/v1`.
    pub fn post(&self, path: &str) -> Request<'_> {
        self.api(Method::POST, path)
    }

    /// `PATCH` of a path below `/api/v1`.
    pub fn patch(&self, path: &str) -> Request<'_> {
        self.api(Method::PATCH, path)
    }

    /// `DELETE` of a path below `/api/v1`.
    pub fn delete(&self, path: &str) -> Request<'_> {
        self.api(Method::DELETE, path)
    }

    /// A request to any path.
    pub fn request(&self, method: Method, path: &str) -> Request<'_> {
        Request::new(self, method, format!("{}{path}", self.base_url))
    }

    /// Where the server listens.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The origin that stands in issuers.
    pub fn public_url(&self) -> &str {
        self.running.base_url()
    }

    /// The project that requests speak to.
    pub fn project_id(&self) -> &str {
        &self.project.id
    }

    /// Its keys.
    pub fn keys(&self) -> &Keys {
        &self.project.keys
    }

    /// Another project of the same server.
    pub fn other_project(&self) -> &Project {
        &self.other
    }

    /// The server's clock.
    pub fn clock(&self) -> &FakeClock {
        &self.clock
    }

    /// The mails that the server sent.
    pub fn mailbox(&self) -> &DevMailbox {
        &self.mailbox
    }

    /// The application.
    pub fn app(&self) -> &Arc<App> {
        &self.running.app
    }

    /// Runs the jobs that are due and writes collected activity.
    pub async fn flush(&self) {
        jobs::run_due(self.app()).await.expect("jobs that run");
        activity::flush(self.app()).await.expect("activity that is written");
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }
}
