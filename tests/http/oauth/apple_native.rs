//! Signing in with Apple in a native app (contract 04 §8.6).

use latchkey_config::settings::AccountMergeStrategy;
use latchkey_identity::Clock as _;
use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::forge::{Forger, encode};
use latchkey_tests::oauth;
use latchkey_tests::people;
use latchkey_tests::provider::{Provider, Reply, configure};
use latchkey_tests::{join_all, tokens};
use serde_json::{Value, json};

const ADA: &str = "ada@example.com";
const BUNDLE: &str = "com.example.app";
const TAKEN: &str = "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE";

/// Apple, and a project with two apps.
async fn apple(server: &TestServer) -> Provider {
    let apple = Provider::start().await;
    apple.answers("/auth/keys", Reply::Json(json!({ "keys": [apple.key().public_jwk()] })));
    server.app().stand_in_for("https://appleid.apple.com", apple.url().parse().expect("a URL"));
    let bundles = json!({ "a": { "bundleId": "com.example.other" }, "b": { "bundleId": BUNDLE } });
    configure(server, "apple", &json!({ "type": "apple", "appleBundles": bundles })).await;
    apple
}

/// What Apple says about somebody, with changes; null takes a claim away.
fn claims(server: &TestServer, changes: &Value) -> Value {
    let now = server.clock().now_seconds();
    let mut claims = json!({
        "iss": "https://appleid.apple.com", "aud": BUNDLE, "iat": now, "exp": now + 600, "sub": "001.ada", "email": ADA,
        "email_verified": "true", "nonce_supported": true,
    });
    for (name, value) in changes.as_object().expect("changes") {
        claims[name] = value.clone();
        if value.is_null() {
            claims.as_object_mut().expect("claims").remove(name);
        }
    }
    claims
}

async fn send(server: &TestServer, token: &str) -> Answer {
    let request = server.post("/auth/oauth/callback/apple/native").client();
    request.json(&json!({ "id_token": token })).send().await
}

async fn sign_in(server: &TestServer, apple: &Provider, changes: &Value) -> Answer {
    send(server, &apple.key().sign(&claims(server, changes)).expect("a token")).await
}

on_both_engines! {
    async fn somebody_new_is_signed_up_and_afterwards_signed_in(server, builder = oauth::builder()) {
        let apple = apple(&server).await;
        let first = sign_in(&server, &apple, &json!({})).await.expect(200);
        assert_eq!(tokens::keys(&first), ["access_token", "is_new_user", "refresh_token", "user_id"]);
        assert_eq!(first["is_new_user"], true);
        let id = first["user_id"].as_str().expect("an id");
        let user = people::seen_by_server(&server, id).await;
        assert_eq!((user["primary_email"].clone(), user["primary_email_verified"].clone()), (json!(ADA), json!(true)));
        assert_eq!(user["oauth_providers"], json!([{ "id": "apple", "account_id": "001.ada", "email": ADA }]));
        // Another app of the same project, and Apple says the address no more.
        let again = sign_in(&server, &apple, &json!({ "aud": "com.example.other", "email": null })).await.expect(200);
        assert_eq!((again["user_id"].clone(), again["is_new_user"].clone()), (first["user_id"].clone(), json!(false)));
        assert_ne!(again["refresh_token"], first["refresh_token"]);
        assert_eq!(apple.requests().len(), 1, "the keys are kept");
    }

    async fn tokens_that_prove_nothing_are_refused(server, builder = oauth::builder()) {
        let apple = apple(&server).await;
        let now = server.clock().now_seconds();
        for changes in [
            json!({ "aud": "com.evil.app" }), json!({ "aud": "our-client" }), json!({ "aud": null }), json!({ "aud": [] }), json!({ "aud": "" }),
            json!({ "aud": [BUNDLE, "com.evil.app"] }), json!({ "iss": "https://appleid.apple.com/" }), json!({ "iss": "https://evil.example" }),
            json!({ "exp": now - 61 }), json!({ "exp": null }), json!({ "iat": now + 3600 }), json!({ "sub": "" }), json!({ "sub": null }),
        ] {
            sign_in(&server, &apple, &changes).await.expect_error(400, "INVALID_APPLE_CREDENTIALS");
        }
        let good = claims(&server, &json!({}));
        let (own, same_id) = (Forger::own("mine"), Forger::own(apple.key().kid()));
        let unsigned = |alg: &str| format!("{}.{}.", encode(json!({ "alg": alg, "kid": apple.key().kid() }).to_string()), encode(good.to_string()));
        for token in [own.claim(&good), same_id.claim(&good), unsigned("none"), unsigned("ES256"), unsigned("HS256"), "x".to_owned(), "a.b.c".to_owned(), String::new()] {
            send(&server, &token).await.expect_error(400, "INVALID_APPLE_CREDENTIALS");
        }
        assert_eq!(server.get("/users").server().send().await.expect(200)["items"], json!([]));
        server.post("/auth/oauth/callback/apple/native").client().json(&json!({})).send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn the_token_of_our_own_web_sign_in_is_not_one_of_an_app(server, builder = oauth::builder()) {
        // What a website of the same company was given is for its client id, which is no bundle.
        let apple = apple(&server).await;
        let web = json!({ "aud": latchkey_tests::provider::CLIENT_ID, "nonce": "x" });
        sign_in(&server, &apple, &web).await.expect_error(400, "INVALID_APPLE_CREDENTIALS");
    }

    async fn the_provider_and_its_bundles_must_be_configured(server, builder = oauth::builder()) {
        let path = "/auth/oauth/callback/apple/native";
        let body = json!({ "id_token": "x" });
        let send = || server.post(path).client().json(&body).send();
        send().await.expect_error(400, "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED");
        configure(&server, "apple", &json!({ "type": "apple", "allowSignIn": false, "appleBundles": { "a": { "bundleId": BUNDLE } } })).await;
        send().await.expect_error(400, "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED");
        for bundles in [json!({}), json!({ "a": {} }), json!({ "a": { "bundleId": "" } })] {
            configure(&server, "apple", &json!({ "type": "apple", "appleBundles": bundles })).await;
            send().await.expect_error(400, "APPLE_BUNDLE_ID_NOT_CONFIGURED");
        }
    }

    async fn a_verified_address_joins_and_an_unverified_one_never_does(server, builder = oauth::builder()) {
        let apple = apple(&server).await;
        let mine = json!({ "primary_email": ADA, "primary_email_auth_enabled": true, "primary_email_verified": true });
        let ada = people::create(&server, &mine).await;
        let unsure = json!({ "sub": "002", "email_verified": "false" });
        let details = sign_in(&server, &apple, &unsure).await.expect_error(409, TAKEN);
        assert_eq!(details["would_work_if_email_was_verified"], false);
        assert_eq!(sign_in(&server, &apple, &json!({})).await.expect(200)["user_id"], ada["id"]);
        // Whoever took an address first that is not theirs does not meet its owner.
        let squatted = json!({ "primary_email": "grace@example.com", "primary_email_auth_enabled": true, "password": people::PASSWORD });
        people::create(&server, &squatted).await;
        let details = sign_in(&server, &apple, &json!({ "sub": "003", "email": "Grace@Example.com" })).await.expect_error(409, TAKEN);
        assert_eq!(details["would_work_if_email_was_verified"], true);
    }

    async fn strategies_and_closed_sign_up_hold_here_as_well(server, builder = oauth::builder().project(|settings| {
        settings.auth.oauth.account_merge_strategy = AccountMergeStrategy::RaiseError;
        settings.auth.allow_sign_up = false;
    })) {
        let apple = apple(&server).await;
        sign_in(&server, &apple, &json!({})).await.expect_error(400, "SIGN_UP_NOT_ENABLED");
        people::create(&server, &json!({ "primary_email": ADA, "primary_email_auth_enabled": true, "primary_email_verified": true })).await;
        sign_in(&server, &apple, &json!({})).await.expect_error(409, TAKEN);
    }

    async fn sign_up_rules_are_asked_for_apps_as_well(server, builder = oauth::builder().project(|settings| {
        let rule = json!({ "enabled": true, "condition": "oauthProvider == 'apple'", "action": { "type": "reject" } });
        settings.auth.sign_up_rules.insert("no".to_owned(), serde_json::from_value(rule).expect("a rule"));
    })) {
        let apple = apple(&server).await;
        sign_in(&server, &apple, &json!({})).await.expect_error(403, "SIGN_UP_REJECTED");
    }

    async fn a_second_factor_is_asked_for(server, builder = oauth::builder()) {
        let apple = apple(&server).await;
        let first = sign_in(&server, &apple, &json!({})).await.expect(200);
        let id = first["user_id"].as_str().expect("an id");
        people::change(&server, id, &json!({ "totp_secret_base64": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" })).await;
        let details = sign_in(&server, &apple, &json!({})).await.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
        assert_eq!(details["attempt_code"].as_str().expect("a code").len(), 45);
    }

    async fn many_who_come_at_once_with_one_new_account_are_one_user(server, builder = oauth::builder()) {
        let apple = apple(&server).await;
        let same = json!({});
        let answers = join_all((0..12).map(|_| sign_in(&server, &apple, &same))).await;
        let answers: Vec<Value> = answers.iter().map(|answer| answer.expect(200)).collect();
        assert!(answers.iter().all(|answer| answer["user_id"] == answers[0]["user_id"]));
        assert_eq!(answers.iter().filter(|answer| answer["is_new_user"] == true).count(), 1);
    }

    async fn while_apple_cannot_be_asked_nobody_is_let_in(server, builder = oauth::builder()) {
        let apple = apple(&server).await;
        apple.answers("/auth/keys", Reply::Raw(503, "text/plain", String::new()));
        sign_in(&server, &apple, &json!({})).await.expect_error(503, "OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE");
    }

    async fn it_is_one_account_by_app_and_by_browser(server, builder = oauth::builder()) {
        let apple = apple(&server).await;
        let native = sign_in(&server, &apple, &json!({})).await.expect(200);
        apple.claims(&json!({ "iss": "https://appleid.apple.com" }));
        let at = oauth::Flow::new(&server, "apple").begin().await;
        let way = apple.agree(at, &json!({ "sub": "001.ada", "email": ADA, "email_verified": "true" }), &[]);
        let code = oauth::code(&way.come_back().await);
        let answer = oauth::exchange(&server, &code, &[]).send().await.expect(200);
        let user: String = tokens::claim(answer["access_token"].as_str().expect("a token"), "sub");
        assert_eq!(native["user_id"], user.as_str());
    }

    async fn an_anonymous_user_is_not_upgraded_by_an_app(server, builder = oauth::builder()) {
        let apple = apple(&server).await;
        let anonymous = people::anonymous(&server).await;
        let token = apple.key().sign(&claims(&server, &json!({}))).expect("a token");
        let request = server.post("/auth/oauth/callback/apple/native").client().user(&anonymous.access_token);
        let answer = request.json(&json!({ "id_token": token })).send().await.expect(200);
        assert_ne!(answer["user_id"], anonymous.id.as_str());
        assert_eq!(people::seen_by_server(&server, &anonymous.id).await["is_anonymous"], true);
    }
}
