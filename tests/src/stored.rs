//! What is in the database, for rules that no answer shows.

use latchkey_api_types::ids::{OauthAccountId, ProjectId, UserId};
use latchkey_storage::audit_events::{self, AuditEventRow};
use latchkey_storage::oauth_accounts::{self, OauthAccountRow};
use latchkey_storage::sessions::{self, SessionRow};
use latchkey_storage::{StorageError, credentials, project_permissions, teams, users};
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

/// The TOTP secret of a user, in base64, whether or not it is asked for at sign-in.
pub async fn totp_secret(server: &TestServer, user: &str) -> Option<String> {
    let (project, user) = ids(server, user);
    let context = format!("totp:{project}:{user}");
    let read =
        server.app().store.read(move |tx| Box::pin(async move { users::get(tx, &project, user).await }));
    let sealed = read.await.expect("a user is read").expect("a user").totp_secret_sealed?;
    let opened = server.app().master_keys.open(&context, &sealed).expect("the master key opens it");
    Some(String::from_utf8(opened.to_vec()).expect("a text"))
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

/// The session of an access token.
pub async fn session(server: &TestServer, access_token: &str) -> Option<SessionRow> {
    let project: ProjectId = server.project_id().parse().expect("a project id");
    let id = crate::tokens::claim(access_token, "refresh_token_id").parse().expect("a session id");
    let read =
        server.app().store.read(move |tx| Box::pin(async move { sessions::get(tx, &project, id).await }));
    read.await.expect("a session is read")
}

/// The permissions that a user holds directly in the project, sorted.
pub async fn project_permissions(server: &TestServer, user: &str) -> Vec<String> {
    let (project, user) = ids(server, user);
    let read = server
        .app()
        .store
        .read(move |tx| Box::pin(async move { project_permissions::list(tx, &project, Some(user)).await }));
    let mut held: Vec<String> =
        read.await.expect("permissions are read").into_iter().map(|row| row.permission_id).collect();
    held.sort();
    held
}

/// Whether a user is in a team.
pub async fn is_member(server: &TestServer, team: &str, user: &str) -> bool {
    let (project, user) = ids(server, user);
    let team = team.parse().expect("a team id");
    let read = server
        .app()
        .store
        .read(move |tx| Box::pin(async move { teams::is_member(tx, &project, team, user).await }));
    read.await.expect("a membership is read")
}

/// Links an account to a user, whatever the project's providers; its id.
pub async fn linked_account(server: &TestServer, user: &str) -> String {
    let (project_id, user_id) = ids(server, user);
    let id = OauthAccountId::from_uuid(server.app().random.uuid());
    let row = OauthAccountRow {
        project_id,
        id,
        user_id,
        provider_config_id: "github".to_owned(),
        account_id: "marker-of-ada".to_owned(),
        email: None,
        allow_sign_in: true,
        allow_connected_accounts: true,
        created_at: server.app().now(),
    };
    server.app().store.batch(vec![oauth_accounts::insert(&row)]).await.expect("an account");
    id.to_string()
}
