//! Signing keys and the master keys that seal them and other secrets.

use latchkey_api_types::ids::ProjectId;
use latchkey_identity::{master_key_rotation, projects, signing_keys};
use latchkey_testkit::TestServer;
use latchkey_tests::people;

const NEW_MASTER_KEY: &str = "new:bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=";

/// A rotation by hand, and the key sets after it.
pub(super) async fn rotate(server: &TestServer, project: &ProjectId) {
    signing_keys::rotate(server.app(), project, true).await.expect("a rotation");
    let path = format!("/projects/{project}/.well-known/jwks.json?include_anonymous=true");
    server.get(&path).send().await.expect(200);
}

/// Rotations on another server of the same database, whose tokens this one accepts.
pub(super) async fn rotate_elsewhere(server: &TestServer, project: &ProjectId, user: &str) {
    projects::ids(server.app()).await.expect("projects");
    let twin = server.twin().await;
    for _ in 0..2 {
        signing_keys::rotate(twin.app(), project, true).await.expect("a rotation");
    }
    let there = people::session_for(&twin, user).await;
    people::seen_by_self(server, &there).await;
}

/// Everything that lies sealed is sealed again.
pub(super) async fn reseal(server: &TestServer) {
    let fresh = format!("{NEW_MASTER_KEY},{}", latchkey_testkit::MASTER_KEY);
    let twin = server.twin_with(|builder| builder.config("security.master_keys", &fresh)).await;
    let sealed = master_key_rotation::reseal(twin.app()).await.expect("secrets to seal again");
    assert!(sealed > 0);
}
