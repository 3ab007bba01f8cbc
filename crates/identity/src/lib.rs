//! The use cases of Latchkey: the only place where rules live. Handlers translate into calls of these functions,
//! storage remembers what they decide. Nothing here is ambient: time, randomness, mail and outgoing HTTP are on
//! [`App`].

mod access_tokens;
pub mod activity;
pub mod administrators;
pub mod api_keys;
mod app;
mod audit;
pub mod authenticate;
pub mod bot_challenge;
mod breach_check;
pub mod claims;
pub mod clean_up;
pub mod cli_logins;
pub mod clock;
pub mod configuration;
pub mod contact_channels;
pub mod data_vault;
mod declared_projects;
mod deployment_secrets;
pub mod email_probe;
pub mod email_templates;
pub mod email_themes;
mod failure;
pub mod images;
pub mod jobs;
pub mod key_sets;
pub mod master_key_rotation;
pub mod notifications;
pub mod oauth_accounts;
pub mod oauth_token;
mod one_time_codes;
pub mod outbox;
pub mod outgoing;
pub mod passkeys;
pub mod passwords;
pub mod permissions;
pub mod project_deletion;
pub mod projects;
mod refresh_tokens;
pub mod sessions;
pub mod sign_in;
mod sign_up_rules;
pub mod signing_keys;
mod system_mails;
pub mod teams;
pub mod users;
pub mod webhooks;

pub use app::{App, Parts};
pub use authenticate::{Auth, Credentials, CurrentUser, authenticate};
pub use clock::{Clock, SystemClock};
pub use failure::Failure;
pub use latchkey_crypto::Secret;
pub use projects::Project;
