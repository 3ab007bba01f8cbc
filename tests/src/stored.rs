//! What is in the database, for rules that no answer shows.

use latchkey_api_types::ids::{ProjectId, UserId};
use latchkey_storage::audit_events::{self, AuditEventRow};
use latchkey_storage::{StorageError, credentials};
use latchkey_testkit::TestServer;

fn ids(server: &TestServer, user: &str) -> (ProjectId, UserId) {
    (server.project_id().parse().expect("a project id"), user.parse().expect("a user id"))
}

/// The stored hash of a user's password.
pub async fn password_hash(server: &TestServer, user: &str) -> Option<String> {
    let (project, user) = ids(server, user);
    let read = server.app().store.read(move |tx| {
        Box::pin(async move {
            let row = credentials::password(tx, &project, user).await?;
            Ok::<_, StorageError>(row.and_then(|row| row.hash))
        })
    });
    read.await.expect("a password is read")
}

/// Stores this hash as a user's password.
pub async fn set_password_hash(server: &TestServer, user: &str, hash: &str) {
    let (project, user) = ids(server, user);
    let statement = credentials::set_password(&project, user, hash, server.app().now());
    server.app().store.batch(vec![statement]).await.expect("a hash is written");
}

/// The audit events about a user, oldest first.
pub async fn events(server: &TestServer, user: &str) -> Vec<AuditEventRow> {
    let (project, user) = ids(server, user);
    let read = server
        .app()
        .store
        .read(move |tx| Box::pin(async move { audit_events::list_of_user(tx, &project, user).await }));
    read.await.expect("events are read")
}

/// The kinds of the audit events about a user, oldest first.
pub async fn event_kinds(server: &TestServer, user: &str) -> Vec<String> {
    events(server, user).await.into_iter().map(|event| event.kind).collect()
}
