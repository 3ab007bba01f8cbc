//! Rounds of sign-ups, each cut short.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::process::{Place, Server, binary, variable};

const SIGN_UPS: usize = 200;
const PASSWORD: &str = "a quiet harbour at 6";

/// Somebody who was told that they have an account.
#[derive(Clone)]
struct Acknowledged {
    email: String,
    user_id: String,
    refresh_token: String,
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("an HTTP client")
}

fn request(client: &reqwest::Client, server: &Server, path: &str, body: &Value) -> reqwest::RequestBuilder {
    client
        .post(server.url(path))
        .header("x-stack-access-type", "client")
        .header("x-stack-project-id", server.text("project_id"))
        .header("x-stack-publishable-client-key", server.text("publishable_client_key"))
        .header("content-type", "application/json")
        .body(body.to_string())
}

/// Sends all sign-ups at once, kills the server as soon as `until` were acknowledged, and gives all that were.
async fn cut_short(server: Server, round: usize, until: usize) -> Vec<Acknowledged> {
    let client = client();
    let (count, reached) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let mut running = JoinSet::new();
    for index in 0..SIGN_UPS {
        let email = format!("user{index}.round{round}@example.com");
        let body =
            json!({ "email": email, "password": PASSWORD, "verification_callback_url": "http://localhost/" });
        let sent = request(&client, &server, "/auth/password/sign-up", &body);
        let (count, reached) = (Arc::clone(&count), Arc::clone(&reached));
        running.spawn(async move {
            // Once the server is dead, there is no answer, or half of one: then nothing was acknowledged.
            let answer = sent.send().await.ok()?;
            let status = answer.status();
            let body: Value = serde_json::from_slice(&answer.bytes().await.ok()?).ok()?;
            assert_eq!(status.as_u16(), 200, "{body}");
            if count.fetch_add(1, Ordering::SeqCst) + 1 == until {
                reached.notify_one();
            }
            let text = |name: &str| body[name].as_str().expect("a text").to_owned();
            Some(Acknowledged { email, user_id: text("user_id"), refresh_token: text("refresh_token") })
        });
    }
    reached.notified().await;
    server.kill().await;
    let mut acknowledged = Vec::new();
    while let Some(outcome) = running.join_next().await {
        acknowledged.extend(outcome.expect("a sign-up that ends"));
    }
    acknowledged
}

/// Everybody who was acknowledged signs in, and the session that they got still refreshes.
async fn assert_all_there(server: &Server, acknowledged: &[Acknowledged]) {
    let client = client();
    let mut running = JoinSet::new();
    for person in acknowledged.iter().cloned() {
        let sign_in = json!({ "email": person.email, "password": PASSWORD });
        let sign_in = request(&client, server, "/auth/password/sign-in", &sign_in);
        // By header, so that the token stays as it is for a later look.
        let refresh = request(&client, server, "/auth/sessions/current/refresh", &json!({}))
            .header("x-stack-refresh-token", &person.refresh_token);
        running.spawn(async move {
            let answer = sign_in.send().await.expect("an answer");
            let status = answer.status().as_u16();
            let text = answer.text().await.expect("a body");
            assert_eq!(status, 200, "{} cannot sign in: {text}", person.email);
            let body: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(body["user_id"], person.user_id);
            let answer = refresh.send().await.expect("an answer");
            assert_eq!(answer.status().as_u16(), 200, "the session of {} is gone", person.email);
        });
    }
    while let Some(outcome) = running.join_next().await {
        outcome.expect("everybody is there");
    }
}

fn assert_healthy(doctor: &Value) {
    let integrity = doctor["findings"]
        .as_array()
        .and_then(|findings| findings.iter().find(|finding| finding["name"] == "integrity").cloned());
    assert_eq!(integrity.map(|finding| finding["verdict"].clone()), Some(json!("ok")), "{doctor}");
}

async fn rounds(place: Place) {
    let rounds: usize = variable("CRASH_ROUNDS").map_or(20, |text| text.parse().expect("a number of rounds"));
    let mut everybody = Vec::new();
    for round in 0..rounds {
        // Somewhere between the first and the last, another place in each round.
        let until = 1 + (round * 67 + 13) % (SIGN_UPS - 1);
        let acknowledged = cut_short(place.start().await, round, until).await;
        assert!(acknowledged.len() >= until, "{} of {until}", acknowledged.len());
        assert_healthy(&place.doctor().await);
        let server = place.start().await;
        assert_all_there(&server, &acknowledged).await;
        server.kill().await;
        everybody.extend(acknowledged.into_iter().take(10));
    }
    let server = place.start().await;
    assert_all_there(&server, &everybody).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_sign_ups_survive_kill_9_on_sqlite() {
    let directory = tempfile::tempdir().expect("a directory");
    rounds(Place { binary: binary().await, directory: directory.path().to_owned(), database_url: None })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_sign_ups_survive_kill_9_on_postgres() {
    if !latchkey_testkit::Engine::Postgres.is_available() {
        return;
    }
    let database = latchkey_testkit::Database::empty_postgres().await;
    let directory = tempfile::tempdir().expect("a directory");
    let database_url = Some(database.text());
    rounds(Place { binary: binary().await, directory: directory.path().to_owned(), database_url }).await;
}
