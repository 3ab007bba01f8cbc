//! Taking apart what belonged to a deleted project, a few rows at a time, so that nobody else's writes wait for it.
//! Owns the list of tables whose rows belong to projects; a guard test compares it with the database.

use latchkey_api_types::ids::ProjectId;

use crate::engine::{Stmt, args, stmt};

/// Declares the tables, those that refer to others before them, each with what is its key beside the project.
macro_rules! tables {
    ($($table:literal ($($key:literal)+)),+ $(,)?) => {
        /// The tables whose rows belong to projects, in the order in which they are emptied.
        pub const TABLES: &[&str] = &[$($table),+];

        /// A statement per table that gives a row for each that belongs to a project. For tests.
        pub fn count_all(project: &ProjectId) -> Vec<Stmt> {
            vec![$(stmt(
                concat!("SELECT project_id FROM ", $table, " WHERE project_id = $1"),
                args![project],
            )),+]
        }

        /// A statement per table that removes up to 50 rows of a project which is marked as deleted: few, since on
        /// SQLite the writes of everybody else wait for it. The number stands in the text for the reason that
        /// `at_once` gives, the order for one like it: the first rows in an index are found without a look at
        /// those that are gone.
        pub fn remove_some(project: &ProjectId) -> Vec<Stmt> {
            vec![$(stmt(
                concat!(
                    "DELETE FROM ", $table, " WHERE project_id = $1 AND (", $($key,)+ ") IN (SELECT ", $($key,)+
                    " FROM ", $table, " WHERE project_id = $1 ORDER BY project_id, ", $($key,)+ " LIMIT 50) AND EXISTS \
                     (SELECT 1 FROM projects WHERE id = $1 AND deleted_at IS NOT NULL)"
                ),
                args![project],
            )),+]
        }
    };
}

tables! {
    "jobs" ("id"),
    "outbox" ("id"),
    "mailings" ("id"),
    "email_drafts" ("id"),
    "mail_capacities" ("project_id"),
    "webhook_deliveries" ("endpoint_id, message_id"),
    "webhook_attempts" ("id"),
    "webhook_messages" ("id"),
    "webhook_endpoints" ("id"),
    "api_keys" ("id"),
    "data_vault_entries" ("store_id, hashed_key"),
    "audit_events" ("id"),
    "one_time_codes" ("id"),
    "password_reset_requests" ("id"),
    "cli_logins" ("polling_code_hash"),
    "second_factors" ("user_id"),
    "backup_codes" ("user_id, code_hash"),
    "oauth_states" ("state_hash"),
    "oauth_authorization_codes" ("code_hash"),
    "images" ("id"),
    "sessions" ("id"),
    "contact_channels" ("id"),
    "credentials" ("user_id, kind"),
    "oauth_tokens" ("id"),
    "oauth_accounts" ("id"),
    "passkeys" ("id"),
    "notification_preferences" ("user_id, category_id"),
    "team_permissions" ("team_id, user_id, permission_id"),
    "project_permissions" ("user_id, permission_id"),
    "team_invitations" ("id"),
    "team_memberships" ("team_id, user_id"),
    "teams" ("id"),
    "users" ("id"),
    "key_sets" ("id"),
    "signing_keys" ("kid"),
}
