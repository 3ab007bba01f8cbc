//! Mails that a project sends, and how deliveries go that do not go well.

use latchkey_api_types::ids::{EmailId, MailingId, ProjectId};
use latchkey_storage::mail_capacities;
use latchkey_storage::mailings::{self, MailingRow};
use latchkey_storage::outbox::{self, ClaimedMail};
use latchkey_testkit::TestServer;
use serde_json::json;

/// Mails that a project sends to its users.
pub(super) async fn sent_by_projects(server: &TestServer, user: &str) {
    let draft = server.post("/internal/email-drafts").admin().json(&json!({ "display_name": "x" }));
    let draft = draft.send().await.expect(200);
    let path = format!("/internal/email-drafts/{}", draft["id"].as_str().expect("an id"));
    server.get("/internal/email-drafts").admin().send().await.expect(200);
    server.patch(&path).admin().json(&json!({ "display_name": "y" })).send().await.expect(200);
    let own = json!({
        "type": "standard", "host": "127.0.0.1", "port": 9, "username": "u", "password": "p", "sender_name": "N",
        "sender_email": "n@example.com",
    });
    let change = |config: serde_json::Value| {
        let body = json!({ "config": { "email_config": config } });
        server.patch("/internal/projects/current").admin().json(&body).send()
    };
    change(own).await.expect(200);
    for whom in [json!({ "user_ids": [user] }), json!({ "all_users": true })] {
        let mut body = whom;
        body["draft_id"] = draft["id"].clone();
        server.post("/emails/send-email").server().json(&body).send().await.expect(200);
    }
    server.flush().await;
    change(json!({ "type": "shared" })).await.expect(200);
    server.delete(&path).admin().send().await.expect(200);
    let unknown = format!("/emails/unsubscribe-link?code={}", "a".repeat(45));
    server.get(&unknown).send().await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
    // All users of a large project.
    let project: ProjectId = server.project_id().parse().expect("a project id");
    let now = server.app().now();
    let row = MailingRow {
        project_id: project.clone(),
        id: MailingId::from_uuid(server.app().random.uuid()),
        mail_sealed: Vec::new(),
        reached: String::new(),
    };
    let moved = MailingRow { reached: "x".to_owned(), ..row.clone() };
    let statements = vec![
        mailings::insert(&project, row.id, b"sealed", now + 1_000_000),
        mailings::reseal(&row, b"sealed again"),
        mailings::advance(&row, "x", now + 1_000_000),
        mailings::finish(&moved),
    ];
    server.app().store.batch(statements).await.expect("a mailing");
}

/// How deliveries go that do not go well.
pub(super) async fn badly_delivered(server: &TestServer, project: &ProjectId) {
    let store = &server.app().store;
    let mail = ClaimedMail {
        project_id: project.clone(),
        id: EmailId::from_uuid(server.app().random.uuid()),
        user_id: None,
        addresses: None,
        content_sealed: Vec::new(),
        has_rendered: true,
        scheduled_at: 0,
        attempts: 1,
        errors: None,
        delivered_to: None,
        revision: 1,
    };
    let unlucky = vec![
        outbox::retry_later(&mail, 1, "[]", 1),
        outbox::give_up(&mail, "[]", 1),
        outbox::release(&mail, 1),
        outbox::note_skipped(&mail, "USER_UNSUBSCRIBED", 1),
        outbox::note_delivered(&mail, "[]"),
        outbox::note_rendered(&mail, b"", 1),
        outbox::note_render_error(&mail, "no", 1),
        mail_capacities::hold(project, 1),
        mail_capacities::begin_boost(project, 2, 1),
    ];
    store.batch(unlucky).await.expect("statements that touch no mail");
    let of = project.clone();
    let read = store.read(move |tx| {
        Box::pin(async move {
            let row = outbox::list(tx, &of, 1, ",sent,queued,", None, 1).await?.remove(0);
            outbox::get(tx, &of, row.id, 1).await?;
            outbox::count_sent(tx, &of, 0).await?;
            let sealed = outbox::list_sealed(tx, &of, "", 1).await?.remove(0);
            mail_capacities::boosted(tx, 1).await?;
            assert_eq!(mail_capacities::boost_expires_at(tx, &of).await?, Some(2));
            Ok::<_, latchkey_storage::StorageError>((row, sealed))
        })
    });
    let (row, sealed) = read.await.expect("a mail");
    let changes = vec![
        outbox::reseal(project, &sealed, &sealed.content_sealed),
        outbox::update(project, &row, 1),
        outbox::cancel(project, &row, 1),
    ];
    store.batch(changes).await.expect("changes of a mail");
}
