//! The one place where everything is put together: storage, keys, hashing, mail, the application and its two
//! listeners. Owns their start and their end; decides nothing. What the verbs of the command line ask for is in
//! `wire/verbs.rs`.

mod verbs;

use std::net::SocketAddr;
use std::sync::Arc;

use latchkey_config::{Config, ConnectionUrl, MailTls};
use latchkey_crypto::{HashParams, MasterKeys, PasswordHasher, Random};
use latchkey_http::{Limits, Metrics, Observe, Readiness, Service, api, docs, pages};
use latchkey_identity::outgoing::Outgoing;
use latchkey_identity::{App, Clock, Failure, Parts, jobs};
use latchkey_mail::{Smtp, SmtpServer, SmtpTls, SmtpTransport, Transport};
use latchkey_storage::engine::{DatabaseUrl, StoreOptions};
use latchkey_storage::{MIGRATIONS, Store};
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::dev_oauth::MockProvider;

pub(crate) use verbs::{
    Mode, create_admin, examine, examine_mail, migrate, openapi, random, rotate_keys, serve,
};

/// What a server is made of besides its configuration.
pub struct Wiring {
    /// Effective configuration.
    pub config: Arc<Config>,
    /// Database, migrated.
    pub store: Store,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where mail goes of projects without a mail server of their own; without it, such mail waits.
    pub mail: Option<Arc<dyn Transport>>,
    /// Public listener, already bound.
    pub listener: TcpListener,
    /// Operators' listener, already bound; `None` goes without.
    pub observe: Option<TcpListener>,
    /// Pages beside the API, below those that every server has.
    pub pages: axum::Router,
    /// Whether the built-in OAuth provider stands behind providers that projects configure as shared.
    pub has_mock_oauth: bool,
}

/// A server at work; see [`Running::stop`].
pub struct Running {
    /// The application.
    pub app: Arc<App>,
    /// Where the public listener is.
    pub address: SocketAddr,
    base_url: String,
    stop: watch::Sender<bool>,
    stop_worker: watch::Sender<bool>,
    listeners: Vec<JoinHandle<usize>>,
    worker: JoinHandle<()>,
}

/// Opens the configured database.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub async fn open_store(config: &Config) -> Result<Store, String> {
    let options = StoreOptions {
        pool_size: config.database.pool_size as usize,
        behind_pooler: config.database.behind_pooler,
        statement_timeout: config.database.statement_timeout.as_std(),
        ..StoreOptions::new(database_url(&config.database.url)?)
    };
    Store::open(&options).await.map_err(|error| error.to_string())
}

fn database_url(url: &ConnectionUrl) -> Result<DatabaseUrl, String> {
    url.expose().parse().map_err(|error| format!("database.url: {error}"))
}

/// Opens the configured database and brings its tables up to date.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub async fn open_migrated_store(config: &Config, clock: &dyn Clock) -> Result<Store, String> {
    let store = open_store(config).await?;
    for name in store.migrate(MIGRATIONS, clock.now_millis()).await.map_err(|error| error.to_string())? {
        tracing::info!(migration = name, "applied");
    }
    Ok(store)
}

/// The keys that seal secrets at rest.
///
/// # Errors
/// A sentence that says which setting is missing.
pub fn master_keys(config: &Config) -> Result<MasterKeys, String> {
    let keys = config.security.master_keys().into_iter().map(|key| (key.id, *key.bytes)).collect();
    MasterKeys::new(keys)
        .ok_or_else(|| "security.master_keys is missing: set it to ID:BASE64 of 32 random bytes".into())
}

/// What speaks to mail servers.
///
/// # Errors
/// A sentence that says what is wrong with the authorities that are to be trusted.
fn smtp(config: &Config) -> Result<Smtp, String> {
    let authorities = match &config.mail.ca_file {
        None => None,
        Some(path) => Some(std::fs::read(path).map_err(|error| format!("mail.ca_file: {path}: {error}"))?),
    };
    Smtp::new(authorities.as_deref(), config.mail.timeout.as_std())
        .map_err(|error| format!("mail.ca_file: {error}"))
}

/// The mail server of the deployment; `None` if there is none.
///
/// # Errors
/// As [`smtp`].
fn shared_mail_server(config: &Config) -> Result<Option<SmtpTransport>, String> {
    let shared = &config.mail.shared;
    let Some(host) = &shared.host else { return Ok(None) };
    let tls = match shared.tls {
        MailTls::Auto => SmtpTls::Auto,
        MailTls::Implicit => SmtpTls::Implicit,
        MailTls::Starttls => SmtpTls::StartTls,
        MailTls::None => SmtpTls::Plain,
    };
    let password = shared.password.as_ref().map(|password| password.expose().to_owned());
    let credentials = shared.username.clone().zip(password);
    let server = SmtpServer { host: host.clone(), port: shared.port, tls, credentials };
    Ok(Some(SmtpTransport { smtp: smtp(config)?, server }))
}

/// Builds the application without listening: enough for commands that act on it.
///
/// # Errors
/// A sentence that says what is missing or broken.
pub async fn application(
    config: Arc<Config>,
    store: Store,
    clock: Arc<dyn Clock>,
    mail: Option<Arc<dyn Transport>>,
    public_url: String,
    shared_oauth_issuer: Option<String>,
) -> Result<Arc<App>, String> {
    let passwords = &config.passwords;
    let params = HashParams {
        memory_kib: passwords.memory_kib,
        iterations: passwords.iterations,
        parallelism: passwords.parallelism,
    };
    let hasher = PasswordHasher::new(params, passwords.threads as usize, passwords.queue as usize)
        .map_err(|error| error.to_string())?;
    let outgoing =
        Outgoing::new(config.outgoing.allow_private_addresses.clone()).map_err(|error| error.to_string())?;
    let master_keys = master_keys(&config)?;
    let smtp = smtp(&config)?;
    App::start(Parts {
        store,
        clock,
        random: Random::system(),
        master_keys,
        hasher,
        mail,
        smtp,
        outgoing,
        config,
        public_url,
        shared_oauth_issuer,
    })
    .await
    .map_err(|failure| match failure {
        Failure::Internal(what) => what,
        other => format!("{other:?}"),
    })
}

/// Starts a server: from its return on, requests are answered.
///
/// # Errors
/// A sentence that says what is missing or broken.
pub async fn start(wiring: Wiring) -> Result<Running, String> {
    let address = wiring.listener.local_addr().map_err(|error| error.to_string())?;
    let config = Arc::clone(&wiring.config);
    let public_url = match &config.server.public_url {
        Some(url) => url.as_str().to_owned(),
        None => format!("http://localhost:{}", address.port()),
    };
    let mock = if wiring.has_mock_oauth {
        Some(MockProvider::new(&public_url, Arc::clone(&wiring.clock), Random::system())?)
    } else {
        None
    };
    let issuer = mock.as_ref().map(|mock| mock.issuer().to_owned());
    let app =
        application(config, wiring.store, wiring.clock, wiring.mail, public_url.clone(), issuer).await?;
    let server = Arc::new(app.config.server.clone());
    let limits = Limits::from(&*server);

    let mut registry = Registry::default();
    let metrics = Metrics::new(&mut registry);
    let mut pages = docs::pages(database(&app))
        .merge(docs::email_probe(Arc::clone(&app)))
        .merge(pages::pages(&app, &server))
        .merge(wiring.pages);
    if let Some(mock) = &mock {
        pages = pages.merge(mock.pages());
    }
    let service = Service::new(Arc::clone(&app), server, api::routes(), pages, metrics.clone());
    let (stop, stopped) = watch::channel(false);
    let until = |mut stopped: watch::Receiver<bool>| async move {
        // An error means that the sender is gone, which is an end as well.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let mut listeners = vec![tokio::spawn(latchkey_http::serve(
        wiring.listener,
        service,
        limits.clone(),
        Some(metrics),
        until(stopped.clone()),
    ))];
    if let Some(listener) = wiring.observe {
        let observe = Observe::new(Arc::new(registry), readiness(&app, stopped.clone()));
        listeners.push(tokio::spawn(latchkey_http::serve(listener, observe, limits, None, until(stopped))));
    }
    let (stop_worker, worker_stop) = watch::channel(false);
    let worked = Arc::clone(&app);
    let worker = tokio::spawn(async move { jobs::work(&worked, worker_stop).await });
    Ok(Running { app, address, base_url: public_url, stop, stop_worker, listeners, worker })
}

/// Whether the database answers.
fn database(app: &Arc<App>) -> Readiness {
    let app = Arc::clone(app);
    Arc::new(move || {
        let app = Arc::clone(&app);
        Box::pin(async move { app.store.ping().await.map_err(|error| error.to_string()) })
    })
}

/// Ready means: not stopping, and the database answers.
fn readiness(app: &Arc<App>, stopped: watch::Receiver<bool>) -> Readiness {
    let app = Arc::clone(app);
    Arc::new(move || {
        let (app, stopping) = (Arc::clone(&app), *stopped.borrow());
        Box::pin(async move {
            if stopping {
                return Err("the server is stopping".to_owned());
            }
            app.store.ping().await.map_err(|error| error.to_string())
        })
    })
}

impl Running {
    /// Where clients reach the server, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Stops accepting, lets requests in flight finish within the configured grace, writes what is collected and
    /// closes the database. Returns how many connections had to be cut.
    pub async fn stop(mut self) -> usize {
        let _ = self.stop.send(true);
        let mut cut = 0;
        for listener in self.listeners.drain(..) {
            cut += listener.await.unwrap_or(0);
        }
        let _ = self.stop_worker.send(true);
        let finished = tokio::time::timeout(self.app.config.server.shutdown_grace.into(), &mut self.worker);
        if finished.await.is_err() {
            tracing::error!("background work did not finish in time and was cut");
            self.worker.abort();
        }
        self.app.store.clone().close().await;
        cut
    }
}
