//! A server that is killed between the commit of a deed and the delivery of its event loses no event.

use std::collections::BTreeSet;
use std::time::Duration;

use latchkey_tests::receiver::{Reaction, Receiver};
use serde_json::{Value, json};

use super::process::{Place, Server, binary};

const SIGN_UPS: usize = 20;
/// How long the deliveries may take after the restart: the lease of the killed server must run out first.
const DELIVERED_WITHIN: Duration = Duration::from_mins(1);

fn post(
    client: &reqwest::Client,
    server: &Server,
    access: &str,
    path: &str,
    body: &Value,
) -> reqwest::RequestBuilder {
    client
        .post(server.url(path))
        .header("x-stack-access-type", access)
        .header("x-stack-project-id", server.text("project_id"))
        .header("x-stack-publishable-client-key", server.text("publishable_client_key"))
        .header("x-stack-super-secret-admin-key", server.text("super_secret_admin_key"))
        .header("content-type", "application/json")
        .body(body.to_string())
}

/// The users whose creation was told.
fn told(receiver: &Receiver) -> BTreeSet<String> {
    let created = receiver.received().into_iter().filter(|delivery| delivery.event() == "user.created");
    created.map(|delivery| delivery.json()["data"]["id"].as_str().expect("an id").to_owned()).collect()
}

async fn no_event_is_lost(place: Place) {
    let client = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
    let server = place.start().await;
    let receiver = Receiver::start().await;
    // Whatever comes before the end of the first server is heard and not accepted.
    receiver.react((0..1000).map(|_| Reaction::Silence));
    let endpoint = json!({ "url": receiver.url });
    let made =
        post(&client, &server, "admin", "/webhooks/endpoints", &endpoint).send().await.expect("an answer");
    assert_eq!(made.status().as_u16(), 201);
    let mut acknowledged = BTreeSet::new();
    for number in 0..SIGN_UPS {
        let body =
            json!({ "email": format!("user{number}@example.com"), "password": "a quiet harbour at 6" });
        let answer = post(&client, &server, "client", "/auth/password/sign-up", &body)
            .send()
            .await
            .expect("an answer");
        let body: Value = serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON");
        acknowledged.insert(body["user_id"].as_str().expect("an id").to_owned());
    }
    server.kill().await;
    let heard = receiver.received().len();
    assert!(heard < SIGN_UPS, "most events were not even tried: {heard}");
    let address = receiver.url.trim_start_matches("http://").trim_end_matches("/hooks").to_owned();
    receiver.stop().await;

    let receiver = Receiver::start_on(&address).await;
    let server = place.start().await;
    let delivered = tokio::time::timeout(DELIVERED_WITHIN, receiver.wait_for(SIGN_UPS)).await;
    assert!(delivered.is_ok(), "only {} events came", receiver.received().len());
    assert_eq!(told(&receiver), acknowledged);
    server.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_before_delivery_loses_no_event_on_sqlite() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = Place { binary: binary().await, directory: directory.path().to_owned(), database_url: None };
    no_event_is_lost(place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_before_delivery_loses_no_event_on_postgres() {
    if !latchkey_testkit::Engine::Postgres.is_available() {
        return;
    }
    let database = latchkey_testkit::Database::empty_postgres().await;
    let directory = tempfile::tempdir().expect("a directory");
    let database_url = Some(database.text());
    no_event_is_lost(Place { binary: binary().await, directory: directory.path().to_owned(), database_url })
        .await;
}
