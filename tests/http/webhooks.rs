//! Contract 08 §4: webhooks. Who listens, what is sent when, and what becomes of it.

mod configuration;
mod delivery;
mod endpoints;
mod guarded;
mod handed;
mod queueing;
mod secrets;
mod svix;
mod test_messages;
mod triggers;
mod untold;

use latchkey_api_types::ids::{ProjectId, UserId};
use latchkey_identity::webhooks::{self, Event};
use latchkey_storage::StorageError;
use latchkey_testkit::{Builder, TestServer};
use serde_json::{Value, json};

/// A server that may call receivers on this machine.
fn with_receivers() -> Builder {
    TestServer::builder().config("outgoing.allow_private_addresses", r#"["127.0.0.0/8"]"#)
}

/// Creates an endpoint for everything; what the server answered.
async fn endpoint(server: &TestServer, url: &str) -> Value {
    endpoint_with(server, &json!({ "url": url })).await
}

async fn endpoint_with(server: &TestServer, body: &Value) -> Value {
    server.post("/webhooks/endpoints").admin().json(body).send().await.expect(201)
}

fn id(value: &Value) -> &str {
    value["id"].as_str().expect("an id")
}

/// A user id that ends in this number.
fn user(number: u32) -> UserId {
    format!("00000000-0000-4000-8000-{number:012}").parse().expect("a user id")
}

/// Commits an event of the test project by itself, as a deed would with it.
async fn happen(server: &TestServer, event: &Event<'_>) {
    let project: ProjectId = server.project_id().parse().expect("a project id");
    let statements = webhooks::queue(server.app(), &project, event);
    server.app().store.batch(statements).await.expect("an event is queued");
}

/// The permission `id` is given to somebody in the project: an event that needs nothing else to exist.
async fn grant(server: &TestServer, id: &str) {
    happen(server, &Event::ProjectPermissionCreated { id, user: user(1) }).await;
}

/// The ids of the granted permissions in what was received.
fn granted(received: &[latchkey_tests::receiver::Received]) -> Vec<String> {
    received
        .iter()
        .map(|received| received.json()["data"]["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// The attempts to deliver to an endpoint, oldest first.
async fn attempts(server: &TestServer, endpoint: &str) -> Vec<Value> {
    let path = format!("/webhooks/endpoints/{endpoint}/attempts");
    let list = server.get(&path).admin().send().await.expect(200);
    let mut items = list["items"].as_array().expect("a list").clone();
    items.reverse();
    items
}

/// The kinds of the audit events of the test project, oldest first.
async fn audited(server: &TestServer) -> Vec<String> {
    let project: ProjectId = server.project_id().parse().expect("a project id");
    let read = server.app().store.read(move |tx| {
        Box::pin(async move {
            let rows: Vec<(String,)> = tx
                .query(
                    "SELECT kind FROM audit_events WHERE project_id = $1 ORDER BY occurred_at, id",
                    latchkey_storage::engine::args![project],
                )
                .await?;
            Ok::<_, StorageError>(rows.into_iter().map(|(kind,)| kind).collect())
        })
    });
    read.await.expect("events are read")
}
