//! A server that is killed between the commit of a deed and the delivery of its mail loses no mail.

use std::collections::BTreeSet;
use std::time::Duration;

use latchkey_tests::mail_server::{MailServer, Reply};
use serde_json::{Value, json};

use super::process::{Place, Server, binary};

const SIGN_UPS: usize = 20;
/// How long the mails may take after the restart: the leases of the killed server must run out first.
const DELIVERED_WITHIN: Duration = Duration::from_mins(2);

async fn ask(
    client: &reqwest::Client,
    server: &Server,
    method: reqwest::Method,
    path: &str,
    access: &str,
    body: &Value,
) {
    let request = client
        .request(method, server.url(path))
        .header("x-stack-access-type", access)
        .header("x-stack-project-id", server.text("project_id"))
        .header("x-stack-publishable-client-key", server.text("publishable_client_key"))
        .header("x-stack-super-secret-admin-key", server.text("super_secret_admin_key"))
        .header("content-type", "application/json")
        .body(body.to_string());
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200, "{}", answer.text().await.unwrap_or_default());
}

fn reached(mail_server: &MailServer) -> BTreeSet<String> {
    mail_server.taken().into_iter().map(|mail| mail.to).collect()
}

async fn no_mail_is_lost(place: Place) {
    let client = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
    let server = place.start().await;
    let mail_server = MailServer::start().await;
    // Whatever comes before the end of the first server is heard and not taken.
    mail_server.reply((0..1000).map(|_| Reply::Silence));
    let own = json!({
        "type": "standard", "host": "127.0.0.1", "port": mail_server.port, "username": "u", "password": "p", "sender_name": "N",
        "sender_email": "n@example.com",
    });
    let body = json!({ "config": { "email_config": own } });
    ask(&client, &server, reqwest::Method::PATCH, "/internal/projects/current", "admin", &body).await;
    let mut wanted = BTreeSet::new();
    for number in 0..SIGN_UPS {
        let email = format!("user{number}@example.com");
        let body = json!({ "email": email, "password": "a quiet harbour at 6", "verification_callback_url": "http://localhost/" });
        ask(&client, &server, reqwest::Method::POST, "/auth/password/sign-up", "client", &body).await;
        wanted.insert(email);
    }
    server.kill().await;
    assert!(mail_server.taken().is_empty());
    let port = mail_server.port;
    drop(mail_server);

    let mail_server = restarted(port).await;
    let server = place.start().await;
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    let all = async {
        while reached(&mail_server).len() < SIGN_UPS {
            tick.tick().await;
        }
    };
    let delivered = tokio::time::timeout(DELIVERED_WITHIN, all).await;
    assert!(delivered.is_ok(), "only {} mails came", mail_server.taken().len());
    assert_eq!(reached(&mail_server), wanted);
    server.kill().await;
}

/// A mail server at the place of one that was just dropped, whose task may take a moment to let go of its port.
async fn restarted(port: u16) -> MailServer {
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    for _ in 0..500 {
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            break;
        }
        tick.tick().await;
    }
    MailServer::start_on(port).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_before_delivery_loses_no_mail_on_sqlite() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = Place { binary: binary().await, directory: directory.path().to_owned(), database_url: None };
    no_mail_is_lost(place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_before_delivery_loses_no_mail_on_postgres() {
    if !latchkey_testkit::Engine::Postgres.is_available() {
        return;
    }
    let database = latchkey_testkit::Database::empty_postgres().await;
    let directory = tempfile::tempdir().expect("a directory");
    let database_url = Some(database.text());
    no_mail_is_lost(Place { binary: binary().await, directory: directory.path().to_owned(), database_url })
        .await;
}
