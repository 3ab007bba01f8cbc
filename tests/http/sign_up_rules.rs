//! Contract 07 §5.3: rules about who may sign up by themselves. How they are ordered and read has its tests beside the
//! code.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::people::{self, PASSWORD};
use serde_json::{Value, json};

async fn set(server: &TestServer, rules: &Value) {
    let keys = json!({ "auth.signUpRules": rules });
    let body = json!({ "config_override_string": keys.to_string() });
    server.patch("/internal/config/override/branch").admin().json(&body).send().await.expect(200);
}

fn rule(condition: &str, action: &str) -> Value {
    json!({ "enabled": true, "condition": condition, "displayName": "Of the house", "action": { "type": action, "message": "an internal reason" } })
}

async fn sign_up(server: &TestServer, email: &str) -> Answer {
    let body = json!({ "email": email, "password": PASSWORD });
    server.post("/auth/password/sign-up").client().json(&body).send().await
}

on_both_engines! {
    async fn a_rejected_sign_up_does_not_tell_the_rules_reason(server) {
        set(&server, &json!({ "no-spam": rule("emailDomain == 'spam.example.com'", "reject") })).await;
        let details = sign_up(&server, "ada@SPAM.example.com").await.expect_error(403, "SIGN_UP_REJECTED");
        let message = details["message"].as_str().expect("a message");
        assert!(!message.contains("internal reason") && !message.contains("spam"));
        sign_up(&server, "ada@example.com").await.expect(200);
    }

    async fn a_restricting_rule_makes_a_restricted_user_and_names_itself_to_servers(server) {
        set(&server, &json!({ "watched": rule("email.startsWith('new-')", "restrict") })).await;
        let id = sign_up(&server, "new-ada@example.com").await.expect(200)["user_id"].clone();
        let user = people::seen_by_server(&server, id.as_str().expect("an id")).await;
        assert_eq!((&user["restricted_by_admin"], &user["restricted_by_admin_reason"]), (&json!(true), &Value::Null));
        assert!(user["restricted_by_admin_private_details"].as_str().expect("details").contains("watched"));
        assert_eq!(user["restricted_reason"], json!({ "type": "restricted_by_administrator" }));
    }

    async fn the_default_action_decides_where_no_rule_does(server) {
        set(&server, &json!({ "ours": rule("emailDomain == 'example.com'", "allow") })).await;
        let keys = json!({ "auth.signUpRulesDefaultAction": "reject" });
        let body = json!({ "config_override_string": keys.to_string() });
        server.patch("/internal/config/override/branch").admin().json(&body).send().await.expect(200);
        sign_up(&server, "ada@example.com").await.expect(200);
        sign_up(&server, "ada@example.org").await.expect_error(403, "SIGN_UP_REJECTED");
    }

    async fn rules_know_the_country_that_a_trusted_proxy_names(
        server, builder = TestServer::builder().config("server.trusted_proxy", "cloudflare")
    ) {
        set(&server, &json!({ "no": rule("countryCode == 'FR'", "reject") })).await;
        let from = |email: &str, country: &str| {
            let request = server.post("/auth/password/sign-up").client().header("user-agent", "Mozilla/5.0");
            let request = request.header("cf-connecting-ip", "203.0.113.9").header("cf-ipcountry", country);
            request.json(&json!({ "email": email, "password": PASSWORD })).send()
        };
        from("ada@example.com", "fr").await.expect_error(403, "SIGN_UP_REJECTED");
        let answer = from("ada@example.com", "de").await.expect(200);
        assert_eq!(people::seen_by_server(&server, answer["user_id"].as_str().expect("an id")).await["country_code"], "DE");
    }

    async fn rules_are_asked_for_upgrades_and_not_for_anonymous_users_nor_for_servers(server) {
        set(&server, &json!({ "nobody": rule("email.endsWith('@example.com')", "reject"), "some": rule("email.startsWith('some')", "restrict") })).await;
        let nobody = people::anonymous(&server).await;
        let upgrade = |email: &str| {
            let body = json!({ "email": email, "password": PASSWORD });
            server.post("/auth/password/sign-up").client().user(&nobody.access_token).json(&body).send()
        };
        upgrade("ada@example.com").await.expect_error(403, "SIGN_UP_REJECTED");
        upgrade("some@example.org").await.expect(200);
        let seen = people::seen_by_server(&server, &nobody.id).await;
        assert_eq!((&seen["is_anonymous"], &seen["restricted_by_admin"]), (&json!(false), &json!(true)));
        people::create(&server, &json!({ "primary_email": "bo@example.com" })).await;
    }
}
