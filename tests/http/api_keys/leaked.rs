//! Contract 07 §7.2: a scanning partner revokes keys that it found in public.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::{mail, people};
use serde_json::json;

use super::{join, team, team_key, text, user_key_with, with_keys};

async fn report(server: &TestServer, key: &str) -> Answer {
    let path = "/integrations/credential-scanning/revoke";
    server.post(path).json(&json!({ "api_key": key })).send().await
}

on_both_engines! {
    async fn a_leaked_key_is_revoked_and_its_owner_told(server, builder = with_keys()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let made = user_key_with(&server, &ada.id, &json!({ "description": "<b>prod</b>" })).await;
        let key = text(&made, "value");
        assert_eq!(report(&server, key).await.expect(200), json!({ "success": true }));
        let check = server.post("/user-api-keys/check").server().json(&json!({ "api_key": key }));
        check.send().await.expect_error(401, "API_KEY_REVOKED");
        let mails = mail::to(&server, "ada@example.com").await;
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].subject, "API Key Revoked: <b>prod</b>");
        assert!(mails[0].html.contains("&lt;b&gt;prod&lt;/b&gt;") && !mails[0].html.contains("<b>prod"));
        // Once more: nothing happens, and no mail is sent.
        report(&server, key).await.expect(200);
        assert_eq!(mail::to(&server, "ada@example.com").await.len(), 1);
    }

    async fn of_a_team_s_key_everybody_who_manages_keys_is_told(server, builder = with_keys()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let cy = people::sign_up(&server, "cy@example.com").await;
        let team = team(&server).await;
        join(&server, &team, &ada.id, &["$manage_api_keys"]).await;
        join(&server, &team, &bo.id, &["team_admin"]).await;
        join(&server, &team, &cy.id, &[]).await;
        let made = team_key(&server, &team).await;
        report(&server, text(&made, "value")).await.expect(200);
        let mut counts = Vec::new();
        for address in ["ada@example.com", "bo@example.com", "cy@example.com"] {
            counts.push(mail::to(&server, address).await.len());
        }
        assert_eq!(counts, [1, 1, 0]);
    }

    async fn unknown_comes_before_public_and_that_before_expired(server, builder = with_keys()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        report(&server, "sk_nothing").await.expect_error(404, "API_KEY_NOT_FOUND");
        let public = user_key_with(&server, &ada.id, &json!({ "is_public": true, "expires_at_millis": 5 })).await;
        report(&server, text(&public, "value")).await.expect_error(400, "PUBLIC_API_KEY_CANNOT_BE_REVOKED");
        let expired = user_key_with(&server, &ada.id, &json!({ "expires_at_millis": 5 })).await;
        let revoke = server.patch(&format!("/user-api-keys/{}", text(&expired, "id"))).server();
        revoke.json(&json!({ "revoked": true })).send().await.expect(200);
        report(&server, text(&expired, "value")).await.expect_error(401, "API_KEY_EXPIRED");
        assert_eq!(mail::to(&server, "ada@example.com").await.len(), 0);
    }

    async fn fifty_reports_at_once_send_one_mail(server, builder = with_keys()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let made = user_key_with(&server, &ada.id, &json!({})).await;
        let reports = (0..50).map(|_| report(&server, text(&made, "value")));
        for answer in latchkey_tests::join_all(reports).await {
            answer.expect(200);
        }
        assert_eq!(mail::to(&server, "ada@example.com").await.len(), 1);
    }
}
