//! Contract 06 §5–§8: permission definitions, and who holds which permission.

mod defaults;
mod definitions;
mod grants;
mod races;

use latchkey_testkit::{Answer, TestServer};
use serde_json::{Value, json};

/// An id that nothing has.
const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";

/// The two endpoints for definitions.
const TEAM: &str = "/team-permission-definitions";
const PROJECT: &str = "/project-permission-definitions";

/// Defines a permission.
async fn define(server: &TestServer, endpoint: &str, id: &str, contained: &[&str]) -> Answer {
    let body = json!({ "id": id, "contained_permission_ids": contained });
    server.post(endpoint).admin().json(&body).send().await
}

/// The definitions of an endpoint.
async fn defined(server: &TestServer, endpoint: &str) -> Vec<Value> {
    let list = server.get(endpoint).admin().send().await.expect(200);
    assert_eq!(list["is_paginated"], false);
    list["items"].as_array().expect("items").clone()
}

/// What a user has in the project, directly or in all.
async fn in_project(server: &TestServer, user: &str, recursive: bool) -> Vec<String> {
    let path = format!("/project-permissions?user_id={user}&recursive={recursive}");
    latchkey_tests::teams::ids(&server.get(&path).server().send().await.expect(200))
}

/// Gives a user a permission in the project.
async fn grant_in_project(server: &TestServer, user: &str, permission: &str) -> Answer {
    let path = format!("/project-permissions/{user}/{permission}");
    server.post(&path).server().json(&json!({})).send().await
}
