//! When a mail leaves, and to whom: decided when it leaves.

use latchkey_testkit::on_both_engines;
use latchkey_tests::mail_server::MailServer;
use latchkey_tests::people;
use serde_json::json;

use super::{change, local, mailed, only, try_again, use_server};

on_both_engines! {
    async fn a_mail_of_the_shared_server_carries_the_project_s_name(server) {
        mailed(&server, "ada@example.com").await;
        server.flush().await;
        let mails = server.mailbox().list(Some("ada@example.com"));
        assert_eq!(mails[0].from, "\"The test project\" <noreply@localhost>");
        let sent = only(&server).await;
        assert_eq!((&sent["status"], &sent["simple_status"], &sent["has_delivered"]), (&json!("sent"), &json!("ok"), &json!(true)));
        assert_eq!(sent["delivered_at_millis"], server.app().now());
        assert_eq!((&sent["subject"], &sent["text"]), (&json!(mails[0].subject), &json!(mails[0].text)));
    }

    async fn a_mail_goes_with_its_user(server, builder = local()) {
        use_server(&server, MailServer::nobody().await).await;
        let ada = mailed(&server, "ada@example.com").await;
        server.flush().await;
        assert_eq!(only(&server).await["to"], json!({ "type": "user-custom-emails", "user_id": ada.id, "emails": ["ada@example.com"] }));
        server.delete(&format!("/users/{}", ada.id)).server().send().await.expect(200);
        try_again(&server, 1).await;
        let skipped = only(&server).await;
        assert_eq!((&skipped["status"], &skipped["simple_status"]), (&json!("skipped"), &json!("ok")));
        assert_eq!((&skipped["skipped_reason"], &skipped["skipped_details"]), (&json!("USER_ACCOUNT_DELETED"), &json!({})));
    }

    async fn the_primary_address_is_looked_up_when_the_mail_leaves(server, builder = local()) {
        let port = MailServer::nobody().await;
        use_server(&server, port).await;
        let ada = mailed(&server, "ada@example.com").await;
        server.flush().await;
        let to = json!({ "to": { "type": "user-primary-email", "user_id": ada.id } });
        change(&server, &only(&server).await, &to).await.expect(200);
        people::change(&server, &ada.id, &json!({ "primary_email": "new@example.com" })).await;
        let mail_server = MailServer::start_on(port).await;
        try_again(&server, 1).await;
        assert_eq!(mail_server.taken()[0].to, "new@example.com");
        assert_eq!(server.get("/internal/emails").admin().send().await.expect(200)["items"][0]["to"], json!([format!("User ID: {}", ada.id)]));
    }

    async fn a_user_without_a_primary_address_gets_no_mail(server, builder = local()) {
        use_server(&server, MailServer::nobody().await).await;
        let ada = mailed(&server, "ada@example.com").await;
        server.flush().await;
        let to = json!({ "to": { "type": "user-primary-email", "user_id": ada.id } });
        change(&server, &only(&server).await, &to).await.expect(200);
        people::change(&server, &ada.id, &json!({ "primary_email": null })).await;
        try_again(&server, 1).await;
        assert_eq!(only(&server).await["skipped_reason"], "USER_HAS_NO_PRIMARY_EMAIL");
    }

    async fn a_mail_for_nobody_is_skipped(server, builder = local()) {
        use_server(&server, MailServer::nobody().await).await;
        mailed(&server, "ada@example.com").await;
        server.flush().await;
        change(&server, &only(&server).await, &json!({ "to": { "type": "custom-emails", "emails": [] } })).await.expect(200);
        try_again(&server, 1).await;
        assert_eq!(only(&server).await["skipped_reason"], "NO_EMAIL_PROVIDED");
    }

    async fn each_of_several_addresses_gets_a_mail_of_its_own_and_only_one(server, builder = local()) {
        let port = MailServer::nobody().await;
        use_server(&server, port).await;
        mailed(&server, "ada@example.com").await;
        server.flush().await;
        let to = json!({ "to": { "type": "custom-emails", "emails": ["a@example.com", "b@example.com", "c@example.com"] } });
        change(&server, &only(&server).await, &to).await.expect(200);
        let mail_server = MailServer::start_on(port).await;
        mail_server.reply([latchkey_tests::mail_server::Reply::RefuseForNow]);
        try_again(&server, 2).await;
        let mut recipients: Vec<String> = mail_server.taken().into_iter().map(|mail| mail.to).collect();
        recipients.sort();
        assert_eq!(recipients, ["a@example.com", "b@example.com", "c@example.com"]);
        assert_eq!(only(&server).await["status"], "sent");
    }

    async fn queued_mail_cannot_be_read_or_moved_in_the_database(server, builder = local()) {
        use_server(&server, MailServer::nobody().await).await;
        let ada = mailed(&server, "ada@example.com").await;
        server.flush().await;
        let text = "SELECT content_sealed FROM outbox";
        let outcomes = server.app().store.batch(vec![latchkey_storage::engine::stmt(text, Vec::new())]).await.expect("a row");
        let (sealed,): (Vec<u8>,) = outcomes[0].first().expect("bytes").expect("a row");
        let shown = String::from_utf8_lossy(&sealed);
        assert!(!shown.contains("localhost") && !shown.contains("code=") && !shown.contains(&ada.id));
        let moved = "UPDATE outbox SET id = '00000000-0000-4000-8000-00000000dead'";
        server.app().store.batch(vec![latchkey_storage::engine::stmt(moved, Vec::new())]).await.expect("a move");
        assert_eq!(server.get("/emails/outbox").server().send().await.status, 500, "it opens in its own row only");
    }
}
