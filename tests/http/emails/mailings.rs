//! Mail to all users of a large project: a few at a time, everybody once.

use std::collections::BTreeMap;

use latchkey_api_types::ids::{MailingId, ProjectId, UserId};
use latchkey_identity::emails;
use latchkey_storage::StorageError;
use latchkey_storage::engine::Stmt;
use latchkey_storage::mailings;
use latchkey_storage::outbox;
use latchkey_storage::users::{self, UserRow};
use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people;
use serde_json::json;

use super::with_own_server;

/// More than are served in the transaction of the request.
const MANY: usize = 1050;

fn project(server: &TestServer) -> ProjectId {
    server.project_id().parse().expect("a project id")
}

/// Fills the project with users who never had a mail.
async fn crowd(server: &TestServer) {
    let project = project(server);
    let template = people::anonymous(server).await.id;
    let (id, of) = (template.parse::<UserId>().expect("an id"), project.clone());
    let read = server.app().store.read(move |tx| Box::pin(async move { users::get(tx, &of, id).await }));
    let template = read.await.expect("a user is read").expect("the user is there");
    let new = |_| {
        let row = UserRow { id: UserId::from_uuid(server.app().random.uuid()), ..template.clone() };
        users::insert(&row)
    };
    let statements: Vec<Stmt> = (1..MANY).map(new).collect();
    server.app().store.batch(statements).await.expect("users are written");
}

/// How many mails of the outbox each user has.
async fn reached(server: &TestServer) -> BTreeMap<String, usize> {
    let project = project(server);
    let read = server.app().store.read(move |tx| {
        Box::pin(async move {
            let now = i64::MAX;
            let mut found = BTreeMap::new();
            let mut after = String::new();
            loop {
                let page = outbox::list_sealed(tx, &project, &after, 500).await?;
                let Some(last) = page.last() else { return Ok::<_, StorageError>(found) };
                after = last.id.to_string();
                for mail in page {
                    let row = outbox::get(tx, &project, mail.id, now).await?.expect("the mail is there");
                    *found.entry(row.user_id.expect("a user").to_string()).or_insert(0) += 1;
                }
            }
        })
    });
    read.await.expect("mails are read")
}

async fn send_to_all(server: &TestServer) {
    let body = json!({ "html": "<p>x</p>", "all_users": true });
    let sent = server.post("/emails/send-email").server().json(&body).send().await.expect(200);
    assert_eq!(sent, json!({ "results": [] }), "too many to name");
}

/// Works on mailings until there is none: the servers' own workers do the same meanwhile, and each may hold one.
async fn finish(server: &TestServer) {
    for _ in 0..100_000 {
        emails::run_due(server.app()).await.expect("a step");
        let project = project(server);
        let read =
            server.app().store.read(move |tx| Box::pin(async move { mailings::list(tx, &project).await }));
        if read.await.expect("mailings are read").is_empty() {
            return;
        }
    }
    panic!("the mailing does not end");
}

on_both_engines! {
    async fn everybody_gets_it_once_however_many_servers_work(server, builder = with_own_server()) {
        crowd(&server).await;
        let twin = server.twin().await;
        send_to_all(&server).await;
        tokio::join!(finish(&server), finish(&twin), finish(&server));
        let reached = reached(&server).await;
        assert_eq!(reached.len(), MANY);
        assert!(reached.values().all(|count| *count == 1), "{reached:?}");
    }

    async fn what_somebody_began_and_left_is_finished_by_others(server, builder = with_own_server()) {
        crowd(&server).await;
        let (project, now) = (project(&server), server.app().now());
        let id = MailingId::from_uuid(server.app().random.uuid());
        let mail = json!({
            "content": null, "subject": "x", "category": "7bb82d33-2f54-4a3d-9d23-82739e0d66ef", "is_high_priority": false,
            "scheduled_at": null, "source": "<p>x</p>", "variables": {}, "theme_id": null, "template_id": null, "draft_id": null,
            "created_with": "programmatic-call", "skip_deliverability_check": false,
        });
        let sealed = server.app().master_keys.seal(&format!("mailing/{project}/{id}"), mail.to_string().as_bytes());
        // Somebody has claimed it, and dies.
        let begun = vec![mailings::insert(&project, id, &sealed, now), mailings::claim(now, now + 60_000)];
        server.app().store.batch(begun).await.expect("a mailing");
        assert_eq!(emails::run_due(server.app()).await.expect("nothing"), None, "it is somebody else's");
        assert!(reached(&server).await.is_empty());
        server.clock().advance_seconds(61);
        finish(&server).await;
        let reached = reached(&server).await;
        assert_eq!(reached.len(), MANY);
        assert!(reached.values().all(|count| *count == 1), "{reached:?}");
    }
}
