//! Contract 04 §11: the challenge against bots. The service that verifies is one of the test's own, on loopback.

use latchkey_testkit::{Answer, Builder, TestServer, on_both_engines};
use latchkey_tests::oauth::{self, Flow};
use latchkey_tests::people::{self, PASSWORD};
use latchkey_tests::receiver::{Reaction, Receiver};
use serde_json::{Value, json};

/// Signs up with these fields beside email and password.
async fn sign_up(server: &TestServer, email: &str, challenge: &Value) -> Answer {
    let mut body = challenge.clone();
    body["email"] = json!(email);
    body["password"] = json!(PASSWORD);
    server
        .post("/auth/password/sign-up")
        .client()
        .header("user-agent", "Mozilla/5.0")
        .json(&body)
        .send()
        .await
}

/// A server that asks `service`.
async fn asking(server: &TestServer, service: &str, change: impl FnOnce(Builder) -> Builder) -> TestServer {
    server
        .twin_with(|builder| {
            change(
                builder
                    .config("bot_challenge.enabled", "true")
                    .config("bot_challenge.site_key", "the site key")
                    .config("bot_challenge.secret_key", "the secret key")
                    .config("bot_challenge.verify_url", service)
                    .config("outgoing.allow_private_addresses", r#"["127.0.0.0/8"]"#),
            )
        })
        .await
}

/// Lets the server reach the provider that is its own.
fn private(builder: Builder) -> Builder {
    builder.config("outgoing.allow_private_addresses", r#"["127.0.0.0/8", "::1", "localhost"]"#)
}

fn says(verdict: &Value) -> Reaction {
    Reaction::Answer(200, verdict.to_string())
}

fn yes() -> Reaction {
    says(&json!({ "success": true, "hostname": "app.example.com" }))
}

fn no() -> Reaction {
    says(&json!({ "success": false, "error-codes": ["invalid-input-response"] }))
}

async fn is_unknown(server: &TestServer, email: &str) -> bool {
    let body = json!({ "email": email, "password": PASSWORD });
    server.post("/auth/password/sign-in").client().json(&body).send().await.status == 400
}

async fn risk(server: &TestServer, answer: &Answer) -> Value {
    let user = people::seen_by_server(server, answer.expect(200)["user_id"].as_str().expect("an id")).await;
    user["risk_scores"]["sign_up"]["bot"].clone()
}

on_both_engines! {
    async fn a_deployment_without_challenges_accepts_and_ignores_the_fields(server) {
        let sent = [
            json!({ "bot_challenge_token": "x", "bot_challenge_phase": "visible" }),
            json!({ "bot_challenge_token": "x", "bot_challenge_phase": "invisible" }),
            json!({ "bot_challenge_phase": "visible" }),
            json!({ "bot_challenge_unavailable": "true" }),
            json!({ "bot_challenge_unavailable": "true", "bot_challenge_token": "x", "bot_challenge_phase": "visible" }),
            json!({}),
        ];
        for (number, challenge) in sent.iter().enumerate() {
            let answer = sign_up(&server, &format!("a{number}@example.com"), challenge).await;
            assert_eq!(risk(&server, &answer).await, 0);
        }
        for wrong in [json!({ "bot_challenge_phase": "late" }), json!({ "bot_challenge_unavailable": "false" })] {
            sign_up(&server, "b@example.com", &wrong).await.expect_error(400, "SCHEMA_ERROR");
        }
    }

    async fn a_token_that_the_service_accepts_lets_people_sign_up(server) {
        let service = Receiver::start().await;
        let server = asking(&server, &service.url, |builder| builder).await;
        for phase in ["invisible", "visible"] {
            service.react([yes()]);
            let challenge = json!({ "bot_challenge_token": "tok en&=é", "bot_challenge_phase": phase });
            let answer = sign_up(&server, &format!("{phase}@example.com"), &challenge).await;
            assert_eq!(risk(&server, &answer).await, 0);
        }
        let asked = service.received().remove(0);
        assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
        assert_eq!(asked.body, "secret=the+secret+key&response=tok+en%26%3D%C3%A9&remoteip=127.0.0.1");
    }

    async fn a_token_that_is_not_ok_is_a_conflict_before_the_challenge_was_visible_and_a_failure_after(server) {
        let service = Receiver::start().await;
        let server = asking(&server, &service.url, |builder| builder).await;
        service.react([no(), no()]);
        let sent = |token: Option<&str>, phase: &str| match token {
            Some(token) => json!({ "bot_challenge_token": token, "bot_challenge_phase": phase }),
            None => json!({ "bot_challenge_phase": phase }),
        };
        let long = "x".repeat(3000);
        for token in [Some("bad"), None, Some(&*long)] {
            sign_up(&server, "a@example.com", &sent(token, "invisible")).await.expect_error(409, "BOT_CHALLENGE_REQUIRED");
            let details = sign_up(&server, "a@example.com", &sent(token, "visible")).await.expect_error(400, "BOT_CHALLENGE_FAILED");
            assert!(details["message"].is_string());
        }
        assert_eq!(service.received().len(), 2, "what cannot be a token is not sent on");
        assert!(is_unknown(&server, "a@example.com").await);
    }

    async fn without_a_phase_nobody_is_blocked_and_the_result_is_a_risk(server) {
        let service = Receiver::start().await;
        let server = asking(&server, &service.url, |builder| builder).await;
        service.react([yes(), no(), Reaction::Answer(500, "no".to_owned())]);
        for (email, challenge, score) in [
            ("a@example.com", json!({ "bot_challenge_token": "good" }), 0),
            ("b@example.com", json!({ "bot_challenge_token": "bad" }), 100),
            ("c@example.com", json!({ "bot_challenge_token": "unlucky" }), 50),
            ("d@example.com", json!({}), 100),
        ] {
            let answer = sign_up(&server, email, &challenge).await;
            assert_eq!(risk(&server, &answer).await, score, "{email}");
        }
        let rule = json!({ "auth.signUpRules.bots": { "enabled": true, "condition": "riskScores.bot >= 100", "action": { "type": "reject" } } });
        let body = json!({ "config_override_string": rule.to_string() });
        server.patch("/internal/config/override/branch").admin().json(&body).send().await.expect(200);
        sign_up(&server, "e@example.com", &json!({})).await.expect_error(403, "SIGN_UP_REJECTED");
    }

    async fn where_the_challenge_was_unavailable_no_account_is_made_unless_the_deployment_allows_it(server) {
        let service = Receiver::start().await;
        let strict = asking(&server, &service.url, |builder| builder).await;
        let unavailable = json!({ "bot_challenge_unavailable": "true" });
        sign_up(&strict, "a@example.com", &unavailable).await.expect_error(400, "BOT_CHALLENGE_FAILED");
        let nobody = people::anonymous(&strict).await;
        let body = json!({ "email": "a@example.com", "password": PASSWORD, "bot_challenge_unavailable": "true" });
        let upgrade = strict.post("/auth/password/sign-up").client().user(&nobody.access_token).json(&body);
        upgrade.send().await.expect_error(400, "BOT_CHALLENGE_FAILED");
        for mixed in [
            json!({ "bot_challenge_unavailable": "true", "bot_challenge_token": "x" }),
            json!({ "bot_challenge_unavailable": "true", "bot_challenge_phase": "visible" }),
        ] {
            sign_up(&strict, "a@example.com", &mixed).await.expect_error(400, "SCHEMA_ERROR");
        }
        assert!(is_unknown(&strict, "a@example.com").await);
        let lenient = asking(&server, &service.url, |builder| builder.config("bot_challenge.allow_unavailable", "true")).await;
        let answer = sign_up(&lenient, "a@example.com", &unavailable).await;
        assert_eq!(risk(&lenient, &answer).await, 50);
        assert!(service.received().is_empty());
    }

    async fn a_service_that_does_not_answer_blocks_unless_the_deployment_allows_it(server) {
        let silent = Receiver::start().await;
        let visible = json!({ "bot_challenge_token": "x", "bot_challenge_phase": "visible" });
        let strict = asking(&server, &silent.url, |builder| builder.config("bot_challenge.timeout", "100ms")).await;
        for reaction in [
            Reaction::Silence, Reaction::Answer(200, "<html>".to_owned()), Reaction::Redirect("http://127.0.0.1:1/".to_owned()),
            Reaction::Answer(500, r#"{"success":true}"#.to_owned()), Reaction::Answer(200, r#"{"success":"true"}"#.to_owned()),
        ] {
            silent.react([reaction]);
            sign_up(&strict, "a@example.com", &visible).await.expect_error(400, "BOT_CHALLENGE_FAILED");
        }
        silent.react([Reaction::Silence]);
        let lenient = asking(&server, &silent.url, |builder| {
            builder.config("bot_challenge.timeout", "100ms").config("bot_challenge.allow_unavailable", "true")
        }).await;
        let answer = sign_up(&lenient, "a@example.com", &visible).await;
        assert_eq!(risk(&lenient, &answer).await, 50);
    }

    async fn the_service_is_asked_after_the_password_was_checked(server) {
        let service = Receiver::start().await;
        let server = asking(&server, &service.url, |builder| builder).await;
        let body = json!({ "email": "a@example.com", "password": "short", "bot_challenge_phase": "visible" });
        server.post("/auth/password/sign-up").client().json(&body).send().await.expect_error(400, "PASSWORD_TOO_SHORT");
        people::session_for(&server, &people::anonymous(&server).await.id).await;
        assert!(service.received().is_empty(), "anonymous users are asked nothing");
    }

    async fn mailed_codes_ask_when_they_are_sent_and_remember_the_result(server) {
        let service = Receiver::start().await;
        let otp = |builder: Builder| builder.project(|settings| settings.auth.otp.allow_sign_in = true);
        let server = asking(&server, &service.url, otp).await;
        let send = |email: &str, challenge: Value| {
            let mut body = challenge;
            body["email"] = json!(email);
            body["callback_url"] = json!("http://localhost/");
            server.post("/auth/otp/send-sign-in-code").client().json(&body).send()
        };
        let sign_in = async |email: &str| {
            let code = latchkey_tests::mail::code_to(&server, email).await;
            server.post("/auth/otp/sign-in").client().json(&json!({ "code": code })).send().await
        };
        send("a@example.com", json!({ "bot_challenge_phase": "invisible" })).await.expect_error(409, "BOT_CHALLENGE_REQUIRED");
        send("a@example.com", json!({ "bot_challenge_phase": "visible" })).await.expect_error(400, "BOT_CHALLENGE_FAILED");
        send("a@example.com", json!({ "bot_challenge_unavailable": "true" })).await.expect(200);
        sign_in("a@example.com").await.expect_error(400, "BOT_CHALLENGE_FAILED");
        send("b@example.com", json!({})).await.expect(200);
        let answer = sign_in("b@example.com").await;
        assert_eq!(risk(&server, &answer).await, 100);
        server.clock().advance_seconds(1);
        send("b@example.com", json!({ "bot_challenge_unavailable": "true" })).await.expect(200);
        assert_eq!(sign_in("b@example.com").await.expect(200)["is_new_user"], false, "who is known signs in");
    }

    async fn oauth_asks_before_the_way_to_the_provider(server, builder = oauth::builder()) {
        let service = Receiver::start().await;
        let server = asking(&server, &service.url, |builder| builder).await;
        service.react([no(), no(), yes()]);
        let flow = |phase: &str| Flow::new(&server, "google").with("bot_challenge_token", "token").with("bot_challenge_phase", phase);
        flow("invisible").answer().await.expect_error(409, "BOT_CHALLENGE_REQUIRED");
        flow("visible").answer().await.expect_error(400, "BOT_CHALLENGE_FAILED");
        assert_eq!(flow("visible").answer().await.status, 307);
        let both = Flow::new(&server, "google").with("bot_challenge_unavailable", "true").with("bot_challenge_token", "token");
        both.answer().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn by_oauth_whoever_could_not_be_challenged_signs_in_but_not_up(server, builder = oauth::builder()) {
        let service = Receiver::start().await;
        let unavailable = |server| Flow::new(server, "google").with("bot_challenge_unavailable", "true");
        let strict = asking(&server, &service.url, private).await;
        let refused = unavailable(&strict).as_user("ada@example.com").await;
        assert_eq!(oauth::error_code(&refused), "BOT_CHALLENGE_FAILED");
        oauth::code(&Flow::new(&server, "google").as_user("ada@example.com").await);
        oauth::code(&unavailable(&strict).as_user("ada@example.com").await);
    }

    async fn by_oauth_a_new_user_without_a_token_is_suspect(server, builder = oauth::builder()) {
        let service = Receiver::start().await;
        let server = asking(&server, &service.url, private).await;
        oauth::code(&Flow::new(&server, "google").as_user("ada@example.com").await);
        let users = server.get("/users").server().send().await.expect(200);
        assert_eq!(users["items"][0]["risk_scores"]["sign_up"]["bot"], 100);
    }
}
