//! The end of a project. Deleting marks it, and from then on nobody finds it; what belonged to it is removed in the
//! background, a few rows at a time, so that other projects' writes do not wait. The mark survives a crash, and so the
//! work goes on after it.

use latchkey_api_types::ids::ProjectId;
use latchkey_storage::engine::{Stmt, StorageError};
use latchkey_storage::{project_deletion, projects};
use tokio::sync::watch;

use crate::app::App;
use crate::audit::{self, Event};
use crate::authenticate::Auth;
use crate::failure::Failure;

/// Deletes the project of the request.
///
/// # Errors
/// 400 for `internal`; `CURRENT_PROJECT_NOT_FOUND` if somebody else was faster.
pub async fn delete(app: &App, auth: &Auth) -> Result<(), Failure> {
    let id = &auth.project.id;
    if id.is_internal() {
        return Err(Failure::text(
            400,
            "The project \"internal\" cannot be deleted: it administers the others.",
        ));
    }
    let event = Event::of(auth.access).with(serde_json::json!({ "project_id": id }));
    let statements = vec![
        projects::mark_deleted(id, app.now()).exactly(1),
        // In the log of `internal`, as that of the project goes with it.
        audit::record(app, &ProjectId::internal(), audit::kind::PROJECT_DELETED, &event),
    ];
    match app.store.batch(statements).await {
        Ok(_) => {}
        Err(StorageError::Guard { .. }) => return Err(crate::projects::gone(id)),
        Err(error) => return Err(error.into()),
    }
    app.projects.forget(id);
    app.deletions.notify_one();
    Ok(())
}

/// Removes what belonged to deleted projects whenever there are any, until `stop` says so.
pub(crate) async fn work(app: &App, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            outcome = run_due(app) => {
                if let Err(error) = outcome {
                    tracing::error!(?error, "a deleted project could not be removed");
                }
            }
            _ = stop.wait_for(|stop| *stop) => return,
        }
        tokio::select! {
            () = app.deletions.notified() => {}
            () = tokio::time::sleep(crate::jobs::TICK) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Removes what belonged to deleted projects; returns how many projects that were.
pub async fn run_due(app: &App) -> Result<usize, Failure> {
    let mut done = 0;
    loop {
        let next = app
            .store
            .read(|tx| Box::pin(async move { Ok::<_, Failure>(projects::next_deleted(tx).await?) }))
            .await?;
        let Some(project) = next else { return Ok(done) };
        purge(app, &project).await?;
        done += 1;
    }
}

/// Removes everything of one deleted project, and at last its row.
pub(crate) async fn purge(app: &App, project: &ProjectId) -> Result<(), Failure> {
    for statement in project_deletion::remove_some(project) {
        while removed(app, statement.clone()).await? > 0 {}
    }
    removed(app, projects::remove(project)).await?;
    app.projects.forget(project);
    tracing::info!(%project, "removed a deleted project");
    Ok(())
}

async fn removed(app: &App, statement: Stmt) -> Result<u64, Failure> {
    let outcomes = app.store.batch(vec![statement]).await?;
    Ok(outcomes.first().map_or(0, |outcome| outcome.affected))
}
