//! Contract 07 §7: API keys of users and teams.

mod check;
mod isolation;
mod leaked;
mod management;
mod permissions;
mod usage;

use latchkey_testkit::{Builder, TestServer};
use latchkey_tests::teams;
use serde_json::{Value, json};

/// A server whose project has keys of both kinds.
fn with_keys() -> Builder {
    TestServer::builder().project(|settings| {
        settings.api_keys.enabled.user = true;
        settings.api_keys.enabled.team = true;
    })
}

/// A key of a user, created by a server; what the server answered.
async fn user_key(server: &TestServer, user: &str) -> Value {
    user_key_with(server, user, &json!({})).await
}

/// The same with other fields.
async fn user_key_with(server: &TestServer, user: &str, fields: &Value) -> Value {
    let mut body = json!({ "user_id": user, "description": "a key", "expires_at_millis": null });
    merge(&mut body, fields);
    server.post("/user-api-keys").server().json(&body).send().await.expect(200)
}

/// A key of a team, created by a server.
async fn team_key(server: &TestServer, team: &str) -> Value {
    let body = json!({ "team_id": team, "description": "a key", "expires_at_millis": null });
    server.post("/team-api-keys").server().json(&body).send().await.expect(200)
}

/// A team without members.
async fn team(server: &TestServer) -> String {
    teams::create(server, "Engines").await
}

/// Puts a user into a team, with these permissions there beside the default ones.
async fn join(server: &TestServer, team: &str, user: &str, permissions: &[&str]) {
    teams::add(server, team, user).await.expect(201);
    for permission in permissions {
        teams::grant(server, team, user, permission).await.expect(201);
    }
}

fn merge(body: &mut Value, fields: &Value) {
    for (name, value) in fields.as_object().expect("fields") {
        body[name] = value.clone();
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value}"))
}
