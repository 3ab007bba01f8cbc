//! Everything that a use case may use, in one value: storage, time, randomness, keys, hashing, mail, outgoing HTTP.
//! Nothing else in this crate reaches for the outside world.

use std::sync::Arc;

use latchkey_config::Config;
use latchkey_crypto::{MasterKeys, PasswordHasher, Random};
use latchkey_mail::{Smtp, Transport};
use latchkey_storage::Store;
use tokio::sync::Notify;

use crate::access_tokens::VerifiedTokens;
use crate::activity::Activity;
use crate::api_keys::usage::KeyUsage;
use crate::clock::Clock;
use crate::deployment_secrets::DeploymentSecrets;
use crate::failure::Failure;
use crate::jobs::JobQueue;
use crate::oauth_upstreams::UpstreamDocuments;
use crate::outbox::Outbox;
use crate::outgoing::Outgoing;
use crate::passwords::reset;
use crate::projects::ProjectCache;
use crate::provider_tokens::refresh::Refreshes;
use crate::signing_keys::SigningKeyCache;
use crate::webhooks::Webhooks;

/// What the binary (or a test) brings.
pub struct Parts {
    /// Database, migrated.
    pub store: Store,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Random,
    /// Keys that seal secrets at rest.
    pub master_keys: MasterKeys,
    /// Threads that hash passwords.
    pub hasher: PasswordHasher,
    /// Where mail goes of projects without a mail server of their own; without it, such mail waits.
    pub mail: Option<Arc<dyn Transport>>,
    /// What speaks to the mail servers of projects.
    pub smtp: Smtp,
    /// Outgoing HTTP.
    pub outgoing: Outgoing,
    /// Effective configuration; `server.public_url` must be set.
    pub config: Arc<Config>,
    /// Externally visible origin, without a trailing slash.
    pub public_url: String,
    /// The issuer that stands in for OAuth providers which are configured as shared, if the configuration names none.
    pub shared_oauth_issuer: Option<String>,
}

/// The server's state. Cheap to share by `Arc`.
pub struct App {
    /// Database.
    pub store: Store,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Random,
    /// Keys that seal secrets at rest.
    pub master_keys: MasterKeys,
    /// Threads that hash passwords.
    pub hasher: PasswordHasher,
    /// Where mail goes of projects without a mail server of their own; without it, such mail waits.
    pub mail: Option<Arc<dyn Transport>>,
    /// What speaks to the mail servers of projects.
    pub smtp: Smtp,
    /// Outgoing HTTP.
    pub outgoing: Outgoing,
    /// Effective configuration.
    pub config: Arc<Config>,
    /// Externally visible origin, without a trailing slash.
    pub public_url: String,
    /// The issuer that stands in for OAuth providers which are configured as shared.
    pub shared_oauth_issuer: Option<String>,
    pub(crate) projects: ProjectCache,
    pub(crate) signing_keys: SigningKeyCache,
    pub(crate) verified_tokens: VerifiedTokens,
    pub(crate) activity: Activity,
    pub(crate) key_usage: KeyUsage,
    pub(crate) secrets: DeploymentSecrets,
    pub(crate) jobs: JobQueue,
    pub(crate) outbox: Outbox,
    /// Says that a project was deleted.
    pub(crate) deletions: Notify,
    pub(crate) webhooks: Webhooks,
    pub(crate) password_resets: reset::Requests,
    pub(crate) upstream_documents: UpstreamDocuments,
    pub(crate) refreshes: Refreshes,
}

impl App {
    /// Puts the parts together, reads or creates the deployment's shared secrets and applies the declared projects.
    pub async fn start(parts: Parts) -> Result<Arc<Self>, Failure> {
        let now = parts.clock.now_millis();
        let secrets = DeploymentSecrets::load(&parts.store, &parts.master_keys, &parts.random, now).await?;
        let shared = parts.config.oauth.shared.issuer.clone();
        let app = Arc::new(Self {
            shared_oauth_issuer: shared.or(parts.shared_oauth_issuer),
            store: parts.store,
            clock: parts.clock,
            random: parts.random,
            master_keys: parts.master_keys,
            hasher: parts.hasher,
            mail: parts.mail,
            smtp: parts.smtp,
            outgoing: parts.outgoing,
            config: parts.config,
            public_url: parts.public_url,
            projects: ProjectCache::default(),
            signing_keys: SigningKeyCache::default(),
            verified_tokens: VerifiedTokens::default(),
            activity: Activity::default(),
            key_usage: KeyUsage::default(),
            secrets,
            jobs: JobQueue::default(),
            outbox: Outbox::default(),
            deletions: Notify::default(),
            webhooks: Webhooks::default(),
            password_resets: reset::Requests::default(),
            upstream_documents: UpstreamDocuments::default(),
            refreshes: Refreshes::default(),
        });
        crate::declared_projects::apply(&app).await?;
        Ok(app)
    }

    /// Now, epoch milliseconds.
    pub fn now(&self) -> i64 {
        self.clock.now_millis()
    }
}
