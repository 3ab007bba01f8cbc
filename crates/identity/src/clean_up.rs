//! What goes by itself: rows that nobody will ask for again are deleted once a day, in small batches so that writers
//! do not wait. How long each kind is kept is configured in `[retention]`.

use latchkey_config::Duration;
use latchkey_storage::engine::Stmt;
use latchkey_storage::{
    AT_ONCE, audit_events, cli_logins, jobs, oauth_authorization_codes, oauth_states, oauth_tokens,
    one_time_codes, outbox, sessions, team_invitations, webhook_messages,
};

use crate::app::App;
use crate::failure::Failure;
use crate::projects;
use crate::signing_keys;

/// Deletes everything that has outlived its time; returns how many rows that were, those that went with them not
/// counted.
pub async fn run(app: &App) -> Result<u64, Failure> {
    let now = app.now();
    let retention = &app.config.retention;
    let before = |kept: Duration| now - kept.as_millis();
    let mut deleted = 0;
    deleted += in_chunks(app, || sessions::prune(before(retention.expired_sessions))).await?;
    deleted += in_chunks(app, || one_time_codes::prune(before(retention.one_time_codes))).await?;
    deleted += in_chunks(app, || cli_logins::prune(before(retention.one_time_codes))).await?;
    deleted += in_chunks(app, || oauth_states::prune(before(retention.one_time_codes))).await?;
    deleted += in_chunks(app, || oauth_authorization_codes::prune(before(retention.one_time_codes))).await?;
    // A token that has ended is of no use to anybody.
    deleted += in_chunks(app, || oauth_tokens::prune(now)).await?;
    deleted += in_chunks(app, || team_invitations::prune(before(retention.one_time_codes))).await?;
    deleted += in_chunks(app, || webhook_messages::prune(before(retention.webhook_log))).await?;
    // Messages that a Svix server never took.
    deleted += in_chunks(app, || jobs::prune(before(retention.webhook_log))).await?;
    let retired = now - signing_keys::honoured_for(app);
    deleted += in_chunks(app, || latchkey_storage::signing_keys::prune(retired)).await?;
    for project in projects::ids(app).await? {
        deleted += in_chunks(app, || outbox::prune(&project, before(retention.outbox))).await?;
        if let Some(kept) = retention.audit_events {
            deleted += in_chunks(app, || audit_events::prune(&project, before(kept))).await?;
        }
    }
    Ok(deleted)
}

/// Runs a statement that deletes up to [`AT_ONCE`] rows until it finds fewer.
async fn in_chunks(app: &App, statement: impl Fn() -> Stmt) -> Result<u64, Failure> {
    let mut deleted = 0;
    loop {
        let outcomes = app.store.batch(vec![statement()]).await?;
        let affected = outcomes.first().map_or(0, |outcome| outcome.affected);
        deleted += affected;
        if affected < AT_ONCE {
            return Ok(deleted);
        }
        // Whoever waits for the writer gets a turn in between.
        tokio::task::yield_now().await;
    }
}
