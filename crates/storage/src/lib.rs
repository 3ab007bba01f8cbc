//! All SQL: the engine with its two drivers, one file per noun, migrations.

/// A DELETE up to the end of the SELECT that says which rows, completed so that these are [`AT_ONCE`] at most. The number
/// stands in the text because PostgreSQL plans without a look at arguments (see `engine::postgres`): for `LIMIT $1` it
/// expects a tenth of the table, and joins with all of it.
macro_rules! at_once {
    () => {
        500
    };
    ($delete:literal) => {
        concat!($delete, " LIMIT ", at_once!(), ")")
    };
}

pub mod api_keys;
pub mod audit_events;
pub mod backup_codes;
pub mod cli_logins;
pub mod contact_channels;
pub mod credentials;
pub mod data_vault_entries;
pub mod deployment_secrets;
pub mod email_drafts;
pub mod engine;
pub mod images;
pub mod jobs;
pub mod key_sets;
pub mod mail_capacities;
pub mod mailings;
pub mod notification_preferences;
pub mod oauth_accounts;
pub mod oauth_authorization_codes;
pub mod oauth_states;
pub mod oauth_tokens;
pub mod one_time_codes;
pub mod outbox;
pub mod passkeys;
pub mod password_reset_requests;
pub mod project_deletion;
pub mod project_permissions;
pub mod projects;
pub mod second_factors;
pub mod sessions;
pub mod signing_keys;
pub mod team_invitations;
pub mod team_memberships;
pub mod team_permissions;
pub mod teams;
pub mod users;
mod values;
pub mod webhook_deliveries;
pub mod webhook_endpoints;
pub mod webhook_messages;

use engine::Migration;
pub use engine::{StorageError, Store};

/// How many rows one statement deletes at most when it deletes what has outlived its time.
pub const AT_ONCE: u64 = at_once!();

/// The migrations of Latchkey, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_core", sql: include_str!("../migrations/0001_core.sql") },
    Migration { name: "0002_jobs", sql: include_str!("../migrations/0002_jobs.sql") },
    Migration { name: "0003_people", sql: include_str!("../migrations/0003_people.sql") },
    Migration { name: "0004_teams", sql: include_str!("../migrations/0004_teams.sql") },
    Migration { name: "0005_projects", sql: include_str!("../migrations/0005_projects.sql") },
    Migration { name: "0006_webhooks", sql: include_str!("../migrations/0006_webhooks.sql") },
    Migration { name: "0007_api_keys", sql: include_str!("../migrations/0007_api_keys.sql") },
    Migration { name: "0008_data_vault", sql: include_str!("../migrations/0008_data_vault.sql") },
    Migration { name: "0009_outbox", sql: include_str!("../migrations/0009_outbox.sql") },
    Migration { name: "0010_passkeys", sql: include_str!("../migrations/0010_passkeys.sql") },
    Migration {
        name: "0011_password_reset_requests",
        sql: include_str!("../migrations/0011_password_reset_requests.sql"),
    },
    Migration {
        name: "0012_team_invitations_expiry",
        sql: include_str!("../migrations/0012_team_invitations_expiry.sql"),
    },
    Migration { name: "0013_cli_logins", sql: include_str!("../migrations/0013_cli_logins.sql") },
    Migration { name: "0014_mailings", sql: include_str!("../migrations/0014_mailings.sql") },
    Migration { name: "0015_second_factors", sql: include_str!("../migrations/0015_second_factors.sql") },
    Migration { name: "0016_oauth", sql: include_str!("../migrations/0016_oauth.sql") },
    Migration { name: "0017_oauth_tokens", sql: include_str!("../migrations/0017_oauth_tokens.sql") },
    Migration { name: "0019_sign_up_rules", sql: include_str!("../migrations/0019_sign_up_rules.sql") },
    Migration { name: "0020_oauth_codes", sql: include_str!("../migrations/0020_oauth_codes.sql") },
];
