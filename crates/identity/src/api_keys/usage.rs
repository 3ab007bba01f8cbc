//! How often keys are checked: counted in memory and written about once a second, so that a check costs no transaction.
//! A crash may lose the last second of it.

use std::collections::HashMap;
use std::mem;
use std::sync::{Mutex, PoisonError};

use latchkey_api_types::ids::{ApiKeyId, ProjectId};
use latchkey_storage::api_keys;

use crate::app::App;
use crate::failure::Failure;

/// How many keys one transaction touches.
const CHUNK: usize = 500;

/// Checks that are not written yet: how many, and when the last one was.
#[derive(Default)]
pub(crate) struct KeyUsage {
    pending: Mutex<HashMap<(ProjectId, ApiKeyId), (i64, i64)>>,
    /// Held while something is written, so that whoever flushes finds nothing on its way when it returns.
    writing: tokio::sync::Mutex<()>,
}

impl KeyUsage {
    /// Notes that a key was checked.
    pub(super) fn note(&self, project: &ProjectId, key: ApiKeyId, at: i64) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, last) = pending.entry((project.clone(), key)).or_insert((0, at));
        *count += 1;
        *last = at.max(*last);
    }
}

/// Writes what was counted.
pub(crate) async fn flush(app: &App) -> Result<(), Failure> {
    let _alone = app.key_usage.writing.lock().await;
    let pending = mem::take(&mut *app.key_usage.pending.lock().unwrap_or_else(PoisonError::into_inner));
    let pending: Vec<_> = pending.into_iter().collect();
    for chunk in pending.chunks(CHUNK) {
        let counted = |((project, key), (count, last)): &((ProjectId, ApiKeyId), (i64, i64))| {
            api_keys::count_uses(project, *key, *count, *last)
        };
        app.store.batch(chunk.iter().map(counted).collect()).await?;
    }
    Ok(())
}
