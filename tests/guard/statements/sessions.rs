//! Sessions: refreshing with and without rotation, reuse, the list, and ends.

use latchkey_testkit::TestServer;
use latchkey_tests::people::{self, Person};
use serde_json::json;

/// From a refresh to the end of a session; somebody who signed in afterwards.
pub(super) async fn tour(server: &TestServer, ada: &Person) -> Person {
    let refresh = || server.post("/auth/sessions/current/refresh").client();
    refresh().header("x-stack-refresh-token", &ada.refresh_token).send().await.expect(200);
    refresh().json(&json!({ "refresh_token": ada.refresh_token })).send().await.expect(200);
    server.clock().advance_seconds(60);
    refresh()
        .json(&json!({ "refresh_token": ada.refresh_token }))
        .send()
        .await
        .expect_error(401, "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED");
    let ada = people::sign_in(server, "ada@example.com").await;
    server.flush().await;
    server.get("/auth/sessions?user_id=me").client().user(&ada.access_token).send().await.expect(200);
    let other = people::session_for(server, &ada.id).await;
    let path = format!("/auth/sessions/{}?user_id=me", other.session_id());
    server.delete(&path).client().user(&ada.access_token).send().await.expect(200);
    ada
}

/// The end of the current session.
pub(super) async fn end(server: &TestServer) {
    let last = people::sign_in(server, "ada@example.com").await;
    server.delete("/auth/sessions/current").client().user(&last.access_token).send().await.expect(200);
}
