//! When users and sessions were last active: collected in memory and written about once a second, so that a refresh
//! costs no transaction. A crash may lose the last second of it; sign-ins themselves are never kept here.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use latchkey_api_types::ids::{ProjectId, SessionId, UserId};
use latchkey_storage::engine::Stmt;
use latchkey_storage::{sessions, users};

use crate::api_keys::usage;
use crate::app::App;
use crate::failure::Failure;

/// One session that was used.
struct Use {
    user: UserId,
    at: i64,
    end_user_ip: Option<String>,
}

/// Refused sign-ins that may wait to be written; an attacker must not be able to fill the memory.
const MAX_EVENTS: usize = 10_000;

/// What is not written yet.
#[derive(Default)]
struct Pending {
    uses: HashMap<(ProjectId, SessionId), Use>,
    events: Vec<Stmt>,
}

/// What is not written yet, shared.
#[derive(Default)]
pub(crate) struct Activity {
    pending: Mutex<Pending>,
    /// Held while something is written, so that whoever flushes finds nothing on its way when it returns.
    writing: tokio::sync::Mutex<()>,
}

impl Activity {
    /// Notes that a token was minted from a session.
    pub(crate) fn note(
        &self,
        project: &ProjectId,
        session: SessionId,
        user: UserId,
        at: i64,
        ip: Option<String>,
    ) {
        let mut pending = self.pending();
        let entry =
            pending.uses.entry((project.clone(), session)).or_insert(Use { user, at, end_user_ip: None });
        entry.at = entry.at.max(at);
        if ip.is_some() {
            entry.end_user_ip = ip;
        }
    }

    /// Keeps an event that must not cost its caller a transaction: whether a refused sign-in met a known address
    /// would show in the time it takes.
    pub(crate) fn note_event(&self, event: Stmt) {
        let mut pending = self.pending();
        if pending.events.len() < MAX_EVENTS {
            pending.events.push(event);
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many sessions one transaction touches.
const CHUNK: usize = 500;

/// Writes what was collected.
pub async fn flush(app: &App) -> Result<(), Failure> {
    {
        let _alone = app.activity.writing.lock().await;
        let events = mem::take(&mut app.activity.pending().events);
        for chunk in events.chunks(CHUNK) {
            app.store.batch(chunk.to_vec()).await?;
        }
    }
    flush_uses(app).await?;
    usage::flush(app).await
}

/// Writes which sessions were used. Those and users that ended meanwhile stay ended: these are updates, never inserts.
/// Unlike [`flush`], a request may call it: whoever goes away in the middle loses times, but no events.
pub(crate) async fn flush_uses(app: &App) -> Result<(), Failure> {
    let _alone = app.activity.writing.lock().await;
    let uses: Vec<_> = mem::take(&mut app.activity.pending().uses).into_iter().collect();
    for chunk in uses.chunks(CHUNK) {
        let statements = chunk.iter().flat_map(|((project, session), used)| {
            [
                sessions::touch(project, *session, used.at, used.end_user_ip.as_deref()),
                users::touch(project, used.user, used.at),
            ]
        });
        app.store.batch(statements.collect()).await?;
    }
    Ok(())
}
