//! Changing and cancelling mails that have not left.

use latchkey_testkit::on_both_engines;
use latchkey_tests::mail_server::MailServer;
use latchkey_tests::people;
use serde_json::{Value, json};

use super::{change, local, mailed, only, path, try_again, use_server};

/// A mail that waits for a server which is not there yet; the port where the server would be.
async fn waiting(server: &latchkey_testkit::TestServer) -> (Value, u16) {
    let port = MailServer::nobody().await;
    use_server(server, port).await;
    mailed(server, "ada@example.com").await;
    server.flush().await;
    (only(server).await, port)
}

on_both_engines! {
    async fn a_cancelled_mail_never_leaves(server, builder = local()) {
        let (mail, port) = waiting(&server).await;
        let cancelled = change(&server, &mail, &json!({ "cancel": true })).await.expect(200);
        assert_eq!((&cancelled["status"], &cancelled["skipped_reason"]), (&json!("skipped"), &json!("MANUALLY_CANCELLED")));
        assert_eq!(cancelled["skipped_at_millis"], server.app().now());
        let mail_server = MailServer::start_on(port).await;
        try_again(&server, 2).await;
        assert!(mail_server.taken().is_empty());
        let details = change(&server, &mail, &json!({ "is_paused": false })).await.expect_error(400, "EMAIL_NOT_EDITABLE");
        assert_eq!(details, json!({ "email_id": mail["id"], "status": "skipped" }));
    }

    async fn a_paused_mail_waits_until_it_is_let_go(server, builder = local()) {
        let (mail, port) = waiting(&server).await;
        let paused = change(&server, &mail, &json!({ "is_paused": true })).await.expect(200);
        assert_eq!((&paused["status"], &paused["is_paused"], &paused["simple_status"]), (&json!("paused"), &json!(true), &json!("in-progress")));
        let mail_server = MailServer::start_on(port).await;
        try_again(&server, 2).await;
        assert!(mail_server.taken().is_empty());
        change(&server, &mail, &json!({ "is_paused": false })).await.expect(200);
        try_again(&server, 1).await;
        assert_eq!(mail_server.taken().len(), 1);
    }

    async fn a_scheduled_mail_leaves_at_its_time(server, builder = local()) {
        let (mail, port) = waiting(&server).await;
        let at = server.app().now() + 40 * 3600 * 1000;
        let scheduled = change(&server, &mail, &json!({ "scheduled_at_millis": at })).await.expect(200);
        assert_eq!((&scheduled["status"], &scheduled["scheduled_at_millis"]), (&json!("scheduled"), &json!(at)));
        let mail_server = MailServer::start_on(port).await;
        server.clock().advance_seconds(40 * 3600 - 1);
        server.flush().await;
        assert!(mail_server.taken().is_empty());
        server.clock().advance_seconds(1);
        server.flush().await;
        assert_eq!(mail_server.taken().len(), 1);
    }

    async fn a_mail_that_was_sent_cannot_be_changed(server) {
        mailed(&server, "ada@example.com").await;
        server.flush().await;
        let mail = only(&server).await;
        for changes in [json!({ "cancel": true }), json!({ "is_paused": true }), json!({})] {
            let details = change(&server, &mail, &changes).await.expect_error(400, "EMAIL_NOT_EDITABLE");
            assert_eq!(details, json!({ "email_id": mail["id"], "status": "sent" }));
        }
        assert_eq!(only(&server).await, mail);
    }

    async fn what_is_changed_is_shown(server, builder = local()) {
        let (mail, _) = waiting(&server).await;
        let to = json!({ "type": "custom-emails", "emails": ["bo@example.com"] });
        let changes = json!({ "to": to, "skip_deliverability_check": true });
        let changed = change(&server, &mail, &changes).await.expect(200);
        assert_eq!((&changed["to"], &changed["skip_deliverability_check"]), (&to, &json!(true)));
        assert_eq!(changed, only(&server).await);
        assert_eq!((&changed["id"], &changed["created_at_millis"]), (&mail["id"], &mail["created_at_millis"]));
    }

    async fn nonsense_changes_nothing(server, builder = local()) {
        let (mail, _) = waiting(&server).await;
        for changes in [
            json!({ "cancel": false }), json!({ "to": {} }), json!({ "to": { "type": "custom-emails" } }),
            json!({ "to": { "type": "user-primary-email" } }), json!({ "to": { "type": "user-primary-email", "user_id": "me" } }),
            json!({ "to": { "type": "custom-emails", "emails": ["a@b.com\r\nBcc: x@evil.example"] } }),
            json!({ "to": { "type": "custom-emails", "emails": vec!["a@example.com"; 101] } }),
            json!({ "is_paused": "maybe" }), json!({ "status": "sent" }), json!({ "scheduled_at_millis": "soon" }),
        ] {
            change(&server, &mail, &changes).await.expect_error(400, "SCHEMA_ERROR");
        }
        change(&server, &mail, &json!({ "variables": [] })).await.expect_text(400);
        assert_eq!(only(&server).await, mail);
    }

    async fn mails_of_another_project_do_not_exist(server, builder = local()) {
        let (mail, _) = waiting(&server).await;
        let other = server.other_project().clone();
        let there = |request| people::speaking_for(request, &other, "server");
        there(server.get(&path(&mail))).send().await.expect_text(404);
        there(server.patch(&path(&mail))).json(&json!({ "cancel": true })).send().await.expect_text(404);
        assert_eq!(there(server.get("/emails/outbox")).send().await.expect(200)["items"], json!([]));
        let cursor = format!("/emails/outbox?cursor={}", mail["id"].as_str().expect("an id"));
        there(server.get(&cursor)).send().await.expect_text(400);
        assert_eq!(only(&server).await, mail);
    }

    async fn racing_changes_lose_none_and_cancel_once(server, builder = local()) {
        let (mail, _) = waiting(&server).await;
        let cancel = || async { change(&server, &mail, &json!({ "cancel": true })).await.status };
        let mut statuses = latchkey_tests::join_all((0..6).map(|_| cancel())).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400, 400, 400, 400, 400]);
    }
}
