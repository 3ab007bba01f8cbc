//! The configuration tree: one file per section, with default, validation and schema.
//!
//! One optional TOML file; flags win over the environment, that over the file, that over the defaults. Every key is
//! declared once, as a field with a doc comment: the schema, the names of environment variables, the dump and
//! `docs/configuration.md` are derived from it. This crate decides nothing about users or tokens, and is the only one
//! that reads the environment.
//!
//! For every secret key `x` there is a key `x_file` that names a file holding it; that is the whole rule, so
//! `LATCHKEY_SECURITY__MASTER_KEYS_FILE` is simply the variable of `security.master_keys_file`.

mod bot_challenge;
mod cache;
mod codes;
mod database;
mod dump;
mod errors;
mod health;
mod load;
mod log;
mod mail;
mod oauth;
mod origin;
mod outgoing;
mod passwords;
mod production;
mod project;
mod reference;
mod retention;
mod schema;
mod security;
mod server;
pub mod settings;
mod tokens;
mod value;
mod webhooks;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use bot_challenge::BotChallengeConfig;
pub use cache::CacheConfig;
pub use codes::CodesConfig;
pub use database::DatabaseConfig;
pub use errors::{ConfigError, ConfigErrors, Problem};
pub use health::HealthConfig;
pub use load::{Sources, process_environment};
pub use log::{LogConfig, LogFormat};
pub use mail::{MailConfig, MailTls, SharedMailServer, mail_sender};
pub use oauth::{OauthConfig, SharedOauthConfig};
pub use origin::Origin;
pub use outgoing::OutgoingConfig;
pub use passwords::{BreachCheck, PasswordsConfig};
pub use production::DEV_MARK;
pub use project::{ProjectDeclaration, ProjectKeys, StatedSettings, WebhookDeclaration};
pub use retention::RetentionConfig;
pub use security::{MasterKey, SecurityConfig};
pub use server::{ServerConfig, TrustedProxy};
pub use settings::{ExtraClaim, Level, Override, Overrides, ProjectSettings};
pub use tokens::TokensConfig;
pub use value::{AllowedTarget, ConnectionUrl, Duration, Network, PublicUrl, SecretText};
pub use webhooks::{SvixServer, WebhooksConfig};

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The listeners, the proxy in front of them, and their limits.
    pub server: ServerConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// The cache.
    pub cache: CacheConfig,
    /// Logging.
    pub log: LogConfig,
    /// Lifetimes of tokens.
    pub tokens: TokensConfig,
    /// How long codes live that go out by mail, and how many requests they bear.
    pub codes: CodesConfig,
    /// Argon2id parameters and the threads that run it. Which passwords a project accepts is said in its settings.
    pub passwords: PasswordsConfig,
    /// The keys that seal what must be readable again: signing keys, TOTP secrets, tokens of OAuth providers.
    pub security: SecurityConfig,
    /// Outgoing mail.
    pub mail: MailConfig,
    /// What operators can ask of the server beyond whether it lives.
    pub health: HealthConfig,
    /// Requests that the server makes itself: to OAuth providers, webhooks, the breach check.
    pub outgoing: OutgoingConfig,
    /// The check that whoever signs up is no machine.
    pub bot_challenge: BotChallengeConfig,
    /// Signing in through other services. Providers with credentials of their own stand in the settings of projects.
    pub oauth: OauthConfig,
    /// Deliveries of events to the endpoints of projects.
    pub webhooks: WebhooksConfig,
    /// How long is kept what nobody may ask for again. A clean-up once a day deletes the rest.
    pub retention: RetentionConfig,
    /// Projects that exist as long as they are declared. Declarations are applied at every start: what stands here
    /// wins over what was changed at run time, what does not stand here is left alone.
    #[serde(rename = "project")]
    pub projects: Vec<ProjectDeclaration>,
    #[serde(skip)]
    #[schemars(skip)]
    origins: origin::Origins,
}

impl Config {
    /// Where the value at the dotted `key` (in the stored form) came from.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.exact(key)
    }

    /// What is valid and still surprises. For the log at start, and for `config check`.
    pub fn warnings(&self) -> Vec<Problem> {
        let mut found = errors::Findings::default();
        self.validate(&mut found);
        found.into_warnings(&self.origins)
    }

    /// The JSON schema (draft 2020-12) of the configuration file.
    pub fn json_schema() -> serde_json::Value {
        schema::published()
    }

    fn validate(&self, found: &mut errors::Findings) {
        self.server.validate(found);
        self.database.validate(found);
        self.cache.validate(found);
        self.log.validate(found);
        self.tokens.validate(found);
        self.codes.validate(found);
        self.passwords.validate(found);
        self.security.validate(found);
        self.mail.validate(found);
        self.health.validate(found);
        self.bot_challenge.validate(found);
        self.oauth.validate(found);
        self.webhooks.validate(found);
        self.retention.validate(found);
        for (index, project) in self.projects.iter().enumerate() {
            project.validate(&format!("project.{index}"), found);
            if self.webhooks.svix_url.is_some() && !project.webhooks.is_empty() {
                found.warning(
                    format!("project.{index}.webhooks"),
                    "The endpoints that are declared here hear of nothing, as messages go to webhooks.svix_url.",
                );
            }
            if self.projects[..index].iter().any(|earlier| earlier.id == project.id) {
                found.error(format!("project.{index}.id"), format!("repeats the id {:?}", project.id));
            }
        }
    }
}
