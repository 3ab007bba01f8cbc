//! Contract 07 §5.3: rules about who may sign up by themselves. How they are ordered and read has its tests beside the
//! code.

mod dashboard;

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

    async fn a_rejection_says_nothing_about_the_address(server) {
        sign_up(&server, "ada@example.com").await.expect(200);
        set(&server, &json!({ "closed": rule("true", "reject") })).await;
        sign_up(&server, "ada@example.com").await.expect_error(403, "SIGN_UP_REJECTED");
        sign_up(&server, "bo@example.com").await.expect_error(403, "SIGN_UP_REJECTED");
    }

    async fn rules_know_method_and_address_and_no_more_of_a_password_sign_up(server) {
        let everything = "authMethod == 'password' && oauthProvider == '' && countryCode == '' && riskScores.bot == 0 \
            && riskScores.free_trial_abuse == 0 && email == 'ada@example.com' && emailDomain == 'example.com'";
        set(&server, &json!({ "all": rule(everything, "reject") })).await;
        sign_up(&server, "Ada@Example.com").await.expect_error(403, "SIGN_UP_REJECTED");
        sign_up(&server, "bo@example.com").await.expect(200);
    }

    async fn the_country_is_what_the_operators_proxy_says(
        server, builder = TestServer::builder().config("server.trusted_proxy", "cloudflare")
    ) {
        set(&server, &json!({ "iceland": rule("countryCode == 'IS'", "reject") })).await;
        let from = |email: &str, country: &str| {
            let body = json!({ "email": email, "password": PASSWORD });
            server.post("/auth/password/sign-up").client().json(&body).header("user-agent", "Mozilla/5.0")
                .header("cf-connecting-ip", "198.51.100.7").header("cf-ipcountry", country).send()
        };
        from("ada@example.com", "is").await.expect_error(403, "SIGN_UP_REJECTED");
        for (email, sent, kept) in [("bo@example.com", "NO", json!("NO")), ("cy@example.com", "XX", Value::Null), ("di@example.com", "T1", Value::Null)] {
            let id = from(email, sent).await.expect(200)["user_id"].clone();
            let user = people::seen_by_server(&server, id.as_str().expect("an id")).await;
            assert_eq!(user["country_code"], kept, "{sent}");
        }
        let anonymous = server.post("/auth/anonymous/sign-up").client().header("user-agent", "Mozilla/5.0")
            .header("cf-connecting-ip", "198.51.100.7").header("cf-ipcountry", "IS");
        let nobody = people::Person::of(&anonymous.send().await.expect(200));
        let body = json!({ "email": "eve@example.com", "password": PASSWORD });
        let upgrade = server.post("/auth/password/sign-up").client().user(&nobody.access_token).json(&body);
        let upgrade = upgrade.header("user-agent", "Mozilla/5.0").header("cf-connecting-ip", "198.51.100.7").header("cf-ipcountry", "NO");
        upgrade.send().await.expect_error(403, "SIGN_UP_REJECTED");
        assert_eq!(people::seen_by_server(&server, &nobody.id).await["country_code"], "IS", "where they came from stays");
    }

    async fn a_country_that_anybody_can_claim_is_not_believed(server) {
        set(&server, &json!({ "iceland": rule("countryCode == 'IS'", "reject") })).await;
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let request = server.post("/auth/password/sign-up").client().json(&body).header("user-agent", "Mozilla/5.0");
        request.header("cf-ipcountry", "IS").header("x-vercel-ip-country", "IS").send().await.expect(200);
    }

    async fn a_restricted_sign_up_gives_tokens_of_the_restricted_kind(server) {
        set(&server, &json!({ "watched": rule("true", "restrict") })).await;
        let ada = people::Person::of(&sign_up(&server, "ada@example.com").await.expect(200));
        let said = latchkey_tests::tokens::claims(&ada.access_token);
        assert_eq!(said["aud"], format!("{}:restricted", server.project_id()));
        let without = server.get("/users/me").client().header("x-stack-access-token", &ada.access_token);
        without.send().await.expect_error(403, "RESTRICTED_USER_NOT_ALLOWED");
        let with = server.get("/users/me").client().header("x-stack-access-token", &ada.access_token);
        with.header("x-stack-allow-restricted-user", "true").send().await.expect(200);
        assert_eq!(people::sign_in(&server, "ada@example.com").await.id, ada.id, "and they sign in again");
    }

    async fn somebody_who_is_upgraded_by_a_rule_that_restricts_keeps_old_tokens_and_gets_restricted_ones(server) {
        set(&server, &json!({ "watched": rule("true", "restrict") })).await;
        let nobody = people::anonymous(&server).await;
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        server.post("/auth/password/sign-up").client().user(&nobody.access_token).json(&body).send().await.expect(200);
        let refresh = server.post("/auth/sessions/current/refresh").client();
        let token = refresh.header("x-stack-refresh-token", &nobody.refresh_token).send().await.expect(200);
        let said = latchkey_tests::tokens::claims(token["access_token"].as_str().expect("a token"));
        assert_eq!(said["restricted_reason"], json!({ "type": "restricted_by_administrator" }));
    }
}
