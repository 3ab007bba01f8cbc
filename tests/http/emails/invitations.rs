//! Contract 08 §2: invitations to sign in.

use latchkey_testkit::on_both_engines;
use latchkey_tests::mail;
use serde_json::json;

on_both_engines! {
    async fn an_invitation_leads_to_the_callback_as_it_is(server) {
        let callback = "http://localhost:3000/handler/sign-in?next=%2Fhome&b=1#part";
        let body = json!({ "email": "Ada@Example.com", "callback_url": callback });
        let sent = server.post("/internal/send-sign-in-invitation").server().json(&body).send().await.expect(200);
        assert_eq!(sent, json!({ "success": true }));
        let mails = mail::to(&server, "ada@example.com").await;
        assert_eq!(mails.len(), 1);
        assert!(mails[0].subject.contains("The test project"), "{}", mails[0].subject);
        assert!(mails[0].text.contains(callback) && !mails[0].text.contains("code="), "{}", mails[0].text);
        assert!(mails[0].html.contains(&callback.replace('&', "&amp;")), "{}", mails[0].html);
    }

    async fn an_invitation_leads_nowhere_else(server) {
        for callback in ["https://evil.example.com/", "http://localhost@evil.com/", "javascript://localhost/%0aalert(1)"] {
            let body = json!({ "email": "ada@example.com", "callback_url": callback });
            let refused = server.post("/internal/send-sign-in-invitation").server().json(&body).send().await;
            assert!(refused.status == 400, "{callback}");
        }
        let body = json!({ "email": "ada@example.com", "callback_url": "https://evil.example.com/" });
        let refused = server.post("/internal/send-sign-in-invitation").server().json(&body).send().await;
        refused.expect_error(400, "REDIRECT_URL_NOT_WHITELISTED");
        assert!(mail::to(&server, "ada@example.com").await.is_empty());
    }
}
