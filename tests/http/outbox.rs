//! Contract 08 §1 and §2: mail on its way out, and the endpoints that show, change and try it.

mod capacity;
mod changing;
mod delivery;
mod listing;
mod own_server;
mod trying_out;

use latchkey_testkit::{Builder, TestServer};
use latchkey_tests::people::{self, Person};
use serde_json::{Value, json};

/// A server that may call this machine, where the mail servers of the tests are.
fn local() -> Builder {
    TestServer::builder().config("outgoing.allow_private_addresses", r#"["127.0.0.0/8"]"#)
}

/// Gives the project a mail server of its own on this machine.
async fn use_server(server: &TestServer, port: u16) {
    let own = json!({
        "type": "standard", "host": "127.0.0.1", "port": port, "username": "u", "password": "right",
        "sender_name": "The Harbour", "sender_email": "hello@harbour.example",
    });
    let body = json!({ "config": { "email_config": own } });
    server.patch("/internal/projects/current").admin().json(&body).send().await.expect(200);
}

/// Somebody who signs up and is sent a mail.
async fn mailed(server: &TestServer, email: &str) -> Person {
    let body = json!({ "email": email, "password": people::PASSWORD, "verification_callback_url": "http://localhost/" });
    Person::of(&server.post("/auth/password/sign-up").client().json(&body).send().await.expect(200))
}

/// A page of the outbox.
async fn listed(server: &TestServer, query: &str) -> Vec<Value> {
    let list = server.get(&format!("/emails/outbox{query}")).server().send().await.expect(200);
    assert_eq!(list["is_paginated"], true);
    list["items"].as_array().expect("items").clone()
}

/// The only mail of the outbox.
async fn only(server: &TestServer) -> Value {
    let mut mails = listed(server, "").await;
    assert_eq!(mails.len(), 1, "{mails:#?}");
    mails.remove(0)
}

fn path(mail: &Value) -> String {
    format!("/emails/outbox/{}", mail["id"].as_str().expect("an id"))
}

/// Changes a mail.
async fn change(server: &TestServer, mail: &Value, changes: &Value) -> latchkey_testkit::Answer {
    server.patch(&path(mail)).server().json(changes).send().await
}

/// Tries whatever is due now to leave, and moves the clock past the pause after a failure, this many times.
async fn try_again(server: &TestServer, times: usize) {
    for _ in 0..times {
        server.flush().await;
        server.clock().advance_seconds(6 * 3600 + 1);
    }
    server.flush().await;
}
