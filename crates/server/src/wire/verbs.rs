//! What the verbs of the command line ask for, in terms of the parts.

use std::sync::Arc;

use latchkey_config::{Config, SecretText};
use latchkey_crypto::Random;
use latchkey_http::{api, openapi as document};
use latchkey_identity::{
    App, Failure, Secret, SystemClock, administrators, master_key_rotation, signing_keys,
};
use latchkey_mail::{DevMailbox, Transport};
use latchkey_storage::MIGRATIONS;
use serde_json::Value;
use tokio::net::TcpListener;

use super::{Running, Wiring, application, open_migrated_store, open_store, shared_mail_server, start};
use crate::dev_pages;
use crate::doctor::{Finding, Verdict};
use crate::output::Failed;

/// What the server is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `dev`: mail stays in a mailbox unless a project has a server of its own, and the pages of the mailbox exist.
    Development,
    /// `serve`.
    Production,
}

/// What is said when `serve` has nothing that takes mail.
const NO_MAIL_SERVER: &str = "mail.shared.host is not set: mail of projects without a mail server of their own waits in \
                              the outbox until it is";

/// Starts the server: database and migrations, declared projects, then both listeners. It accepts requests when this
/// returns.
pub(crate) async fn serve(config: Config, mode: Mode) -> Result<Running, Failed> {
    let config = Arc::new(config);
    let clock = Arc::new(SystemClock);
    let bind = |address| async move {
        TcpListener::bind(address)
            .await
            .map_err(|error| Failed::new(format!("cannot listen on {address}: {error}")))
    };
    let listener = bind(config.server.bind).await?;
    let observe = bind(config.server.observe_bind).await?;
    let store = open_migrated_store(&config, &*clock).await.map_err(Failed::new)?;
    let (mail, pages): (Option<Arc<dyn Transport>>, _) = match mode {
        Mode::Development => {
            let mailbox = Arc::new(DevMailbox::new(|| latchkey_identity::Clock::now_millis(&SystemClock)));
            let pages = dev_pages::pages(&mailbox);
            (Some(mailbox), pages)
        }
        Mode::Production => {
            let server = shared_mail_server(&config).map_err(Failed::new)?;
            if server.is_none() {
                tracing::warn!("{NO_MAIL_SERVER}");
            }
            (server.map(|server| Arc::new(server) as Arc<dyn Transport>), axum::Router::new())
        }
    };
    let has_mock_oauth = matches!(mode, Mode::Development);
    start(Wiring { config, store, clock, mail, listener, observe: Some(observe), pages, has_mock_oauth })
        .await
        .map_err(Failed::new)
}

/// Applies missing migrations and returns their names.
pub(crate) async fn migrate(config: &Config) -> Result<Vec<String>, Failed> {
    let store = open_store(config).await.map_err(Failed::new)?;
    let now = latchkey_identity::Clock::now_millis(&SystemClock);
    let applied = store.migrate(MIGRATIONS, now).await.map_err(|error| Failed::new(error.to_string()))?;
    store.close().await;
    Ok(applied.into_iter().map(str::to_owned).collect())
}

/// Whether the mail server of the deployment would take mail.
pub(crate) async fn examine_mail(config: &Config) -> Finding {
    let server = match shared_mail_server(config) {
        Ok(Some(server)) => server,
        Ok(None) => return Finding::new("mail", Verdict::Warning, NO_MAIL_SERVER),
        Err(error) => return Finding::new("mail", Verdict::Error, error),
    };
    let name = format!("{:?}", server.server);
    match server.check().await {
        Ok(()) => Finding::new("mail", Verdict::Ok, format!("{name} would take mail")),
        Err(error) => Finding::new("mail", Verdict::Error, format!("{name}: {error}")),
    }
}

/// What only a look into the database can tell: reachable, current, whole, its secrets readable.
pub(crate) async fn examine(config: &Config) -> Vec<Finding> {
    let store = match open_store(config).await {
        Ok(store) => store,
        Err(error) => return vec![Finding::new("database", Verdict::Error, error)],
    };
    let mut findings = Vec::new();
    match store.pending(MIGRATIONS).await {
        Ok(pending) if pending.is_empty() => {
            findings.push(Finding::new("migrations", Verdict::Ok, "the tables are up to date"));
        }
        Ok(pending) => {
            let detail = format!("{} will be applied at the next start", pending.join(", "));
            findings.push(Finding::new("migrations", Verdict::Warning, detail));
        }
        Err(error) => findings.push(Finding::new("migrations", Verdict::Error, error.to_string())),
    }
    match store.check_integrity().await {
        Ok(problems) if problems.is_empty() => {
            findings.push(Finding::new(
                "integrity",
                Verdict::Ok,
                "the database finds nothing wrong with itself",
            ));
        }
        Ok(problems) => findings.push(Finding::new("integrity", Verdict::Error, problems.join("; "))),
        Err(error) => findings.push(Finding::new("integrity", Verdict::Error, error.to_string())),
    }
    store.close().await;
    findings
}

/// Creates a user of project `internal` who administers the declared projects; returns the id.
pub(crate) async fn create_admin(
    config: &Config,
    email: &str,
    display_name: Option<&str>,
    password: &SecretText,
) -> Result<String, Failed> {
    let app = offline(config).await?;
    let password = Secret::new(password.expose().to_owned());
    let created = administrators::create(&app, email, display_name, password).await.map_err(failed);
    app.store.clone().close().await;
    created.map(|id| id.to_string())
}

/// How much `keys rotate` did.
#[derive(Debug, Default)]
pub(crate) struct Rotated {
    pub signing_keys: usize,
    pub too_fresh: usize,
    pub resealed: usize,
}

/// Replaces signing keys, of one project or all, and seals again what another master key than the first sealed.
pub(crate) async fn rotate_keys(
    config: &Config,
    project: Option<&str>,
    force: bool,
) -> Result<Rotated, Failed> {
    let app = offline(config).await?;
    let projects = match project {
        Some(id) => vec![id.parse().map_err(|_| Failed::new(format!("{id:?} is not the id of a project")))?],
        None => latchkey_identity::projects::ids(&app).await.map_err(failed)?,
    };
    let mut rotated = Rotated::default();
    for project in &projects {
        let rotation = signing_keys::rotate(&app, project, force).await.map_err(failed)?;
        rotated.signing_keys += rotation.signing.len();
        rotated.too_fresh += rotation.too_fresh.len();
    }
    rotated.resealed = master_key_rotation::reseal(&app).await.map_err(failed)?;
    app.store.clone().close().await;
    Ok(rotated)
}

/// The application without listeners, for verbs that act on the data.
async fn offline(config: &Config) -> Result<Arc<App>, Failed> {
    let store = open_migrated_store(config, &SystemClock).await.map_err(Failed::new)?;
    let public_url = config.server.public_url.as_ref().map(|url| url.as_str().to_owned()).unwrap_or_default();
    application(Arc::new(config.clone()), store, Arc::new(SystemClock), None, public_url, None)
        .await
        .map_err(Failed::new)
}

fn failed(failure: Failure) -> Failed {
    Failed::new(match failure {
        Failure::Known(error) => error.message,
        Failure::Text { message, .. } => message.into_owned(),
        Failure::Oauth { description, .. } => description.into_owned(),
        Failure::Busy { .. } => "the server is busy; try again".to_owned(),
        Failure::Internal(what) => what,
    })
}

/// The OpenAPI document.
pub(crate) fn openapi() -> Value {
    document::document(&api::routes())
}

/// The source of random bytes for what the verbs make themselves.
pub(crate) fn random() -> impl Fn(&mut [u8]) {
    let random = Random::system();
    move |bytes| random.fill(bytes)
}
