//! What mails say, and who gets those that back ends send: contract 08 §1 to §3, and 07 §8.

mod drafts;
mod invitations;
mod languages;
mod mailings;
mod own_words;
mod saving;
mod sending;
mod unsubscribing;

use latchkey_api_types::ids::ProjectId;
use latchkey_config::SecretText;
use latchkey_storage::outbox::{self, OutboxRow};
use latchkey_testkit::{Builder, TestServer};
use serde_json::{Value, json};

/// The kind of mail that can be ended.
const MARKETING: &str = "4f6f8873-3d04-46bd-8bef-18338b1a1b4c";

/// A server whose project has a mail server of its own, at which nobody listens.
fn with_own_server() -> Builder {
    TestServer::builder().project(|settings| {
        let server = &mut settings.emails.server;
        server.is_shared = false;
        server.host = Some("127.0.0.1".to_owned());
        server.port = Some(9);
        server.username = Some("u".to_owned());
        server.password = Some(SecretText::new("p"));
        server.sender_name = Some("N".to_owned());
        server.sender_email = Some("n@example.com".to_owned());
    })
}

/// All states of mails.
const STATES: &str =
    ",paused,preparing,rendering,render-error,scheduled,queued,sending,server-error,sent,skipped,";

/// The mails of the outbox with what is sealed in them, newest first, after everything that is due was tried.
async fn outbox(server: &TestServer) -> Vec<Value> {
    server.flush().await;
    let project: ProjectId = server.project_id().parse().expect("a project id");
    let (of, now) = (project.clone(), server.app().now());
    let read = server
        .app()
        .store
        .read(move |tx| Box::pin(async move { outbox::list(tx, &of, now, STATES, None, 100).await }));
    let shown = |row: OutboxRow| {
        let context = format!("outbox/{project}/{}", row.id);
        let plain = server.app().master_keys.open(&context, &row.content_sealed).expect("a sealed mail");
        let mut mail: Value = serde_json::from_slice(&plain).expect("JSON");
        for key in ["subject", "html", "text", "unsubscribe_url"] {
            let said = mail["content"][key].clone();
            if !said.is_null() {
                mail[key] = said;
            }
        }
        mail["status"] = json!(row.status);
        mail["skipped_reason"] = json!(row.skipped_reason);
        mail["render_error"] = json!(row.render_error);
        mail["user_id"] = json!(row.user_id);
        mail["addresses"] = json!(row.addresses);
        mail
    };
    read.await.expect("mails are read").into_iter().map(shown).collect()
}
