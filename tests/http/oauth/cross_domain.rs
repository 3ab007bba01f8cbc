//! Going on at another domain with the same session (contract 04 §8.5, 03 §7).

use latchkey_testkit::{Request, TestServer, on_both_engines};
use latchkey_tests::oauth::{self, REDIRECT_URI, exchange};
use latchkey_tests::people::{self, Person};
use latchkey_tests::tokens;
use reqwest::Url;
use serde_json::{Value, json};

fn request<'s>(server: &'s TestServer, person: &Person, changes: &Value) -> Request<'s> {
    let mut body =
        json!({ "redirect_uri": REDIRECT_URI, "state": "s", "code_challenge": oauth::challenge() });
    for (name, value) in changes.as_object().expect("changes") {
        body[name] = value.clone();
    }
    let request = server.post("/auth/oauth/cross-domain/authorize").client().user(&person.access_token);
    request.header("x-stack-refresh-token", &person.refresh_token).json(&body)
}

fn code(answer: &Value) -> String {
    let url = Url::parse(answer["redirect_url"].as_str().expect("an address")).expect("a URL");
    url.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned()
}

on_both_engines! {
    async fn the_code_brings_the_same_session_to_the_other_domain(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let answer = request(&server, &ada, &json!({ "after_callback_redirect_url": "http://localhost/next" })).send().await.expect(200);
        assert_eq!(tokens::keys(&answer), ["redirect_url"]);
        let code = code(&answer);
        let tokens = exchange(&server, &code, &[]).send().await.expect(200);
        assert_eq!(tokens["refresh_token"], ada.refresh_token.as_str());
        assert_eq!((tokens["is_new_user"].clone(), tokens["after_callback_redirect_url"].clone()), (json!(false), json!("http://localhost/next")));
        assert_eq!(tokens::claim(tokens["access_token"].as_str().expect("a token"), "refresh_token_id"), ada.session_id());
        // A second time it is refused, and the session that was there before goes on.
        exchange(&server, &code, &[]).send().await.expect_error(400, "INVALID_AUTHORIZATION_CODE");
        people::seen_by_self(&server, &ada).await;
    }

    async fn a_session_that_has_ended_meanwhile_goes_on_nowhere(server) {
        for rotates in [false, true] {
            let settings = json!({ "latchkey.requireRefreshRotation": rotates }).to_string();
            let body = json!({ "config_override_string": settings });
            server.patch("/internal/config/override/environment").admin().json(&body).send().await.expect(200);
            let ada = people::sign_up(&server, &format!("{rotates}@example.com")).await;
            let other = people::sign_in(&server, &format!("{rotates}@example.com")).await;
            let [ended, kept] = [&ada, &other].map(|person| request(&server, person, &json!({})).send());
            let (ended, kept) = (code(&ended.await.expect(200)), code(&kept.await.expect(200)));
            server.delete("/auth/sessions/current").client().user(&ada.access_token).send().await.expect(200);
            exchange(&server, &ended, &[]).send().await.expect_error(400, "INVALID_AUTHORIZATION_CODE");
            exchange(&server, &kept, &[]).send().await.expect(200);
        }
    }

    async fn where_tokens_rotate_the_other_domain_gets_a_session_of_its_own(server, builder = TestServer::builder().project(|settings| settings.latchkey.require_refresh_rotation = true)) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let code = code(&request(&server, &ada, &json!({})).send().await.expect(200));
        let tokens = exchange(&server, &code, &[]).send().await.expect(200);
        assert_ne!(tokens["refresh_token"], ada.refresh_token.as_str());
        people::seen_by_self(&server, &ada).await;
    }

    async fn an_access_token_alone_hands_nothing_over(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let grace = people::sign_up(&server, "grace@example.com").await;
        request(&server, &ada, &json!({})).without("x-stack-access-token").send().await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
        request(&server, &ada, &json!({})).without("x-stack-refresh-token").send().await.expect_text(400);
        let other = people::sign_in(&server, "ada@example.com").await;
        for token in ["x", &"0".repeat(45), &grace.refresh_token, &other.refresh_token] {
            request(&server, &ada, &json!({})).header("x-stack-refresh-token", token).send().await.expect_text(401);
        }
    }

    async fn untrusted_addresses_and_weak_challenges_are_refused(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for name in ["redirect_uri", "after_callback_redirect_url"] {
            let changes = json!({ name: "https://evil.example/" });
            request(&server, &ada, &changes).send().await.expect_error(400, "REDIRECT_URL_NOT_WHITELISTED");
        }
        request(&server, &ada, &json!({ "code_challenge": "short" })).send().await.expect_text(400);
        request(&server, &ada, &json!({ "state": "x".repeat(513) })).send().await.expect_text(400);
        for changes in [json!({ "code_challenge_method": "plain" }), json!({ "state": "" }), json!({ "redirect_uri": "x" })] {
            request(&server, &ada, &changes).send().await.expect_error(400, "SCHEMA_ERROR");
        }
    }

    async fn a_project_that_trusts_no_place_hands_nothing_over(server, builder = TestServer::builder().project(|settings| settings.domains.allow_localhost = false)) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let answer = request(&server, &ada, &json!({})).send().await;
        answer.expect_error(400, "INVALID_OAUTH_CLIENT_ID_OR_SECRET");
    }

    async fn a_second_factor_is_asked_for_at_the_exchange(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let code = code(&request(&server, &ada, &json!({})).send().await.expect(200));
        people::change(&server, &ada.id, &json!({ "totp_secret_base64": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" })).await;
        exchange(&server, &code, &[]).send().await.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
    }

    async fn the_address_keeps_its_query_and_gets_code_and_state(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for state in ["s", &"x".repeat(512)] {
            let changes = json!({ "state": state, "code_challenge_method": "S256" });
            let answer = request(&server, &ada, &changes).send().await.expect(200);
            let address = answer["redirect_url"].as_str().expect("an address");
            assert!(address.starts_with(&format!("{REDIRECT_URI}&code=")), "{address}");
            assert!(address.ends_with(&format!("&state={state}")), "{address}");
        }
    }

    async fn native_apps_go_on_without_configuration_of_their_own(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let native = "stack-auth-mobile-oauth-url://back";
        let changes = json!({ "redirect_uri": native, "after_callback_redirect_url": "stack-auth-mobile-oauth-url://next" });
        let answer = request(&server, &ada, &changes).send().await.expect(200);
        let tokens = exchange(&server, &code(&answer), &[("redirect_uri", native)]).send().await.expect(200);
        assert_eq!(tokens["refresh_token"], ada.refresh_token.as_str());
        assert_eq!(tokens["after_callback_redirect_url"], "stack-auth-mobile-oauth-url://next");
    }

    async fn the_key_may_be_left_out_but_not_be_wrong(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let header = "x-stack-publishable-client-key";
        request(&server, &ada, &json!({})).without(header).send().await.expect(200);
        request(&server, &ada, &json!({})).header(header, "__stack_public_client__").send().await.expect(200);
        let wrong = request(&server, &ada, &json!({})).header(header, "pck_wrong").send().await;
        wrong.expect_error(401, "INVALID_PUBLISHABLE_CLIENT_KEY");
    }

    async fn a_project_that_requires_keys_gets_one_here_as_well(server, builder = TestServer::builder().project(|settings| settings.project.require_publishable_client_key = true)) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let answer = request(&server, &ada, &json!({})).without("x-stack-publishable-client-key").send().await;
        answer.expect_error(401, "PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT");
        request(&server, &ada, &json!({})).send().await.expect(200);
    }

    async fn a_session_that_was_handed_over_lives_on_for_a_year(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "user_id": ada.id, "expires_in_millis": 3_600_000 });
        let mut sessions = Vec::new();
        for _ in 0..2 {
            let answer = server.post("/auth/sessions").server().json(&body).send().await.expect(200);
            let text = |name: &str| answer[name].as_str().expect("a token").to_owned();
            sessions.push(Person { id: ada.id.clone(), access_token: text("access_token"), refresh_token: text("refresh_token") });
        }
        let code = code(&request(&server, &sessions[0], &json!({})).send().await.expect(200));
        exchange(&server, &code, &[]).send().await.expect(200);
        let refresh = |person: &Person| server.post("/auth/sessions/current/refresh").client().header("x-stack-refresh-token", &person.refresh_token).send();
        server.clock().advance_seconds(365 * 24 * 3600 - 60);
        assert_eq!(refresh(&sessions[0]).await.status, 200);
        assert_eq!(refresh(&sessions[1]).await.status, 401, "the other one ended after its hour");
        server.clock().advance_seconds(60);
        assert_eq!(refresh(&sessions[0]).await.status, 401);
    }

    async fn the_token_of_a_session_that_has_expired_hands_nothing_over(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "user_id": ada.id, "expires_in_millis": 60_000 });
        let answer = server.post("/auth/sessions").server().json(&body).send().await.expect(200);
        let text = |name: &str| answer[name].as_str().expect("a token").to_owned();
        let short = Person { id: ada.id.clone(), access_token: text("access_token"), refresh_token: text("refresh_token") };
        server.clock().advance_seconds(61);
        let answer = request(&server, &short, &json!({})).send().await;
        assert_eq!((answer.status, answer.header("location")), (401, None), "{}", answer.text());
    }
}
