//! Contract 07 §8: trying sign-up rules out, and how often they applied. The shapes are Latchkey's own.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people;
use latchkey_tests::tokens::keys;
use serde_json::{Value, json};

use super::{rule, set, sign_up};

async fn test(server: &TestServer, applicant: &Value) -> Value {
    server.post("/internal/sign-up-rules-test").admin().json(applicant).send().await.expect(200)
}

async fn stats(server: &TestServer, query: &str) -> Value {
    server.flush().await;
    server.get(&format!("/internal/sign-up-rules-stats{query}")).admin().send().await.expect(200)
}

/// A rule that is asked at this place.
fn at(priority: i64, condition: &str, action: &str) -> Value {
    let mut rule = rule(condition, action);
    rule["priority"] = json!(priority);
    rule
}

fn counts(allow: i64, reject: i64, restrict: i64, log: i64) -> Value {
    json!({ "allow": allow, "reject": reject, "restrict": restrict, "log": log })
}

on_both_engines! {
    async fn a_test_tells_what_every_rule_makes_of_somebody_and_the_decision(server) {
        let mut off = at(9, "true", "reject");
        off["enabled"] = json!(false);
        set(&server, &json!({
            "off": off, "broken": at(8, "nothing == 1", "reject"), "noted": at(7, "true", "log"),
            "young": at(6, "riskScores.bot > 50", "restrict"), "later": at(5, "riskScores.bot > 50", "restrict"),
            "french": at(4, "countryCode == 'FR' && authMethod == 'oauth' && oauthProvider == 'google'", "reject"),
            "ours": at(3, "email == 'ada@example.com' && emailDomain == 'example.com'", "allow"), "behind": at(2, "true", "reject"),
        })).await;
        let outcomes = |answer: &Value| -> Vec<(String, String)> {
            let text = |value: &Value| value.as_str().expect("a word").to_owned();
            answer["rules"].as_array().expect("rules").iter().map(|rule| (text(&rule["id"]), text(&rule["outcome"]))).collect()
        };
        let expected = |rows: [(&str, &str); 8]| rows.map(|(id, outcome)| (id.to_owned(), outcome.to_owned()));
        let let_in = test(&server, &json!({
            "email": "Ada@Example.com", "auth_method": "password", "risk_scores": { "bot": "60", "free_trial_abuse": 0 },
        })).await;
        assert_eq!(outcomes(&let_in), expected([
            ("off", "skipped"), ("broken", "undecided"), ("noted", "matched"), ("young", "matched"), ("later", "matched"),
            ("french", "not_matched"), ("ours", "matched"), ("behind", "matched"),
        ]));
        assert_eq!(keys(&let_in), ["decision", "rules"]);
        assert_eq!(let_in["rules"][2], json!({ "id": "noted", "display_name": "Of the house", "action": "log", "outcome": "matched" }));
        assert_eq!(let_in["decision"], json!({ "is_allowed": true, "decided_by": "ours", "restricted_by": "young" }));
        let french = test(&server, &json!({ "auth_method": "oauth", "oauth_provider": "google", "country_code": " fr ", "email": null })).await;
        assert_eq!(french["decision"], json!({ "is_allowed": false, "decided_by": "french", "restricted_by": null }));
        // Exactly what becomes of a sign-up.
        sign_up(&server, "Ada@Example.com").await.expect(200);
        let other = test(&server, &json!({ "auth_method": "password", "email": "bo@example.com" })).await;
        assert_eq!(other["decision"], json!({ "is_allowed": false, "decided_by": "behind", "restricted_by": null }));
        sign_up(&server, "bo@example.com").await.expect_error(403, "SIGN_UP_REJECTED");
    }

    async fn without_a_rule_that_decides_the_default_action_does(server) {
        let somebody = json!({ "auth_method": "passkey" });
        let answer = test(&server, &somebody).await;
        assert_eq!(answer, json!({ "rules": [], "decision": { "is_allowed": true, "decided_by": null, "restricted_by": null } }));
        let keys = json!({ "auth.signUpRulesDefaultAction": "reject" });
        let body = json!({ "config_override_string": keys.to_string() });
        server.patch("/internal/config/override/branch").admin().json(&body).send().await.expect(200);
        assert_eq!(test(&server, &somebody).await["decision"]["is_allowed"], false);
    }

    async fn what_is_no_applicant_is_refused(server) {
        for body in [
            json!({}), json!({ "auth_method": "smoke" }), json!({ "auth_method": "otp", "email": "no address" }),
            json!({ "auth_method": "otp", "country_code": "FRA" }), json!({ "auth_method": "otp", "odd": 1 }),
            json!({ "auth_method": "otp", "risk_scores": { "bot": 101, "free_trial_abuse": 0 } }),
            json!({ "auth_method": "otp", "risk_scores": { "bot": 1 } }),
        ] {
            server.post("/internal/sign-up-rules-test").admin().json(&body).send().await.expect_error(400, "SCHEMA_ERROR");
        }
        for query in ["?days=0", "?days=91", "?odd=1"] {
            let answer = server.get(&format!("/internal/sign-up-rules-stats{query}")).admin().send().await;
            answer.expect_error(400, "SCHEMA_ERROR");
        }
    }

    async fn a_test_counts_for_nothing_and_sign_ups_count_for_what_applied_to_them(server) {
        set(&server, &json!({
            "noted": at(9, "true", "log"), "watched": at(8, "email.startsWith('new-')", "restrict"),
            "spam": at(7, "emailDomain == 'spam.example.com'", "reject"), "ours": at(6, "emailDomain == 'example.com'", "allow"),
            "idle": at(5, "false", "reject"),
        })).await;
        test(&server, &json!({ "auth_method": "otp", "email": "new-ada@example.com" })).await;
        for email in ["ada@example.com", "new-bo@example.com", "new-cy@elsewhere.example", "new-di@spam.example.com"] {
            let status = if email.ends_with("spam.example.com") { 403 } else { 200 };
            assert_eq!(sign_up(&server, email).await.status, status, "{email}");
        }
        // Neither anonymous users nor those whom servers create are asked about.
        people::anonymous(&server).await;
        people::create(&server, &json!({ "primary_email": "eve@spam.example.com" })).await;
        let answer = stats(&server, "").await;
        let named = |id: &str, counts: Value| json!({ "id": id, "display_name": "Of the house", "is_configured": true, "counts": counts });
        assert_eq!(answer, json!({
            "since_millis": server.app().now() - 7 * 24 * 60 * 60 * 1000,
            "rejected_by_default": 0,
            "rules": [
                named("noted", counts(0, 0, 0, 4)), named("watched", counts(0, 0, 3, 0)), named("spam", counts(0, 1, 0, 0)),
                named("ours", counts(2, 0, 0, 0)), named("idle", counts(0, 0, 0, 0)),
            ],
        }));
        // A rule that is gone is remembered for as long as is asked for.
        set(&server, &json!({})).await;
        let keys = json!({ "auth.signUpRulesDefaultAction": "reject" });
        let body = json!({ "config_override_string": keys.to_string() });
        server.patch("/internal/config/override/branch").admin().json(&body).send().await.expect(200);
        sign_up(&server, "flo@example.com").await.expect_error(403, "SIGN_UP_REJECTED");
        let gone = stats(&server, "").await;
        assert_eq!(gone["rejected_by_default"], 1);
        assert_eq!(gone["rules"].as_array().expect("rules").len(), 4);
        assert_eq!(gone["rules"][3], json!({ "id": "watched", "display_name": null, "is_configured": false, "counts": counts(0, 0, 3, 0) }));
        server.clock().advance_seconds(2 * 24 * 60 * 60);
        assert_eq!(stats(&server, "?days=1").await["rules"], json!([]));
        assert_eq!(stats(&server, "?days=3").await["rules"], gone["rules"]);
        // Another project has counts of its own.
        let other = server.other_project().clone();
        let there = people::speaking_for(server.get("/internal/sign-up-rules-stats"), &other, "admin").send().await;
        assert_eq!(there.expect(200)["rules"], json!([]));
    }

    async fn a_mailed_code_that_signs_up_is_counted_once(
        server, builder = TestServer::builder().project(|settings| settings.auth.otp.allow_sign_in = true)
    ) {
        set(&server, &json!({ "codes": rule("authMethod == 'otp'", "log") })).await;
        let body = json!({ "email": "ada@example.com", "callback_url": "http://localhost/" });
        for _ in 0..2 {
            server.clock().advance_seconds(60);
            server.post("/auth/otp/send-sign-in-code").client().json(&body).send().await.expect(200);
            let body = json!({ "code": latchkey_tests::mail::code_to(&server, "ada@example.com").await });
            server.post("/auth/otp/sign-in").client().json(&body).send().await.expect(200);
        }
        assert_eq!(stats(&server, "").await["rules"][0]["counts"], counts(0, 0, 0, 1), "the second time nobody is new");
    }
}
