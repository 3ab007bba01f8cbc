//! The token endpoint with the grant `authorization_code` (contract 04 §8.4).

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::oauth::{self, Flow, REDIRECT_URI, VERIFIER, code, exchange};
use latchkey_tests::people::{self, Person};
use latchkey_tests::{join_all, second_factors, tokens};
use serde_json::{Value, json};

async fn fresh(server: &TestServer) -> String {
    code(&Flow::new(server, "google").as_user("ada@example.com").await)
}

async fn refreshes(server: &TestServer, answer: &Value) -> u16 {
    let token = answer["refresh_token"].as_str().expect("a token");
    let request =
        server.post("/auth/sessions/current/refresh").client().header("x-stack-refresh-token", token);
    request.send().await.status
}

on_both_engines! {
    async fn the_answer_has_what_clients_read_and_must_not_be_stored(server, builder = oauth::builder()) {
        let flow = Flow::new(&server, "google").with("after_callback_redirect_url", "http://localhost:3000/next");
        let code = code(&flow.as_user("ada@example.com").await);
        assert!(code.len() == 64 && code.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{code}");
        let answer = exchange(&server, &code, &[]).send().await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("pragma"), Some("no-cache"));
        let answer = answer.expect(200);
        assert_eq!(tokens::keys(&answer), [
            "access_token", "afterCallbackRedirectUrl", "after_callback_redirect_url", "expires_in", "is_new_user", "newUser",
            "refresh_token", "scope", "token_type",
        ]);
        assert_eq!((answer["token_type"].clone(), answer["scope"].clone()), (json!("Bearer"), json!("legacy")));
        assert!(matches!(answer["expires_in"].as_i64(), Some(3599 | 3600)), "{answer}");
        assert_eq!((answer["is_new_user"].clone(), answer["newUser"].clone()), (json!(true), json!(true)));
        assert_eq!(answer["after_callback_redirect_url"], "http://localhost:3000/next");
        assert_eq!(answer["afterCallbackRedirectUrl"], "http://localhost:3000/next");
        assert_eq!(refreshes(&server, &answer).await, 200);
    }

    async fn json_and_clients_without_key_are_as_good(server, builder = oauth::builder()) {
        let body = json!({
            "grant_type": "authorization_code", "client_id": format!("{}#main", server.project_id()), "code": fresh(&server).await,
            "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER, "unknown": 1,
        });
        let answer = server.post("/auth/oauth/token").json(&body).send().await.expect(200);
        assert_eq!(answer["after_callback_redirect_url"], Value::Null);
        let sentinel = [("client_secret", "__stack_public_client__")];
        exchange(&server, &fresh(&server).await, &sentinel).send().await.expect(200);
    }

    async fn without_the_verifier_the_code_is_worthless_and_stays_good_for_its_owner(server, builder = oauth::builder()) {
        let code = fresh(&server).await;
        for verifier in ["", "x", oauth::challenge().as_str(), "another-verifier-which-is-also-long-enough-22"] {
            let answer = exchange(&server, &code, &[("code_verifier", verifier)]).send().await;
            answer.expect_error(400, "INVALID_AUTHORIZATION_CODE");
        }
        exchange(&server, &code, &[]).send().await.expect(200);
    }

    async fn another_redirect_uri_is_refused_and_uses_the_code_up(server, builder = oauth::builder()) {
        for address in ["http://localhost:3000/handler/oauth-callback", "http://localhost:3000/handler/oauth-callback?keep=1#", ""] {
            let code = fresh(&server).await;
            exchange(&server, &code, &[("redirect_uri", address)]).send().await.expect_text(400);
            exchange(&server, &code, &[]).send().await.expect_error(400, "INVALID_AUTHORIZATION_CODE");
        }
    }

    async fn unknown_and_expired_codes_are_refused(server, builder = oauth::builder()) {
        let unknown = ["0".repeat(64), "x".to_owned(), "0".repeat(1000)];
        for code in &unknown {
            exchange(&server, code, &[]).send().await.expect_error(400, "INVALID_AUTHORIZATION_CODE");
        }
        let code = fresh(&server).await;
        server.clock().advance_seconds(5 * 60);
        exchange(&server, &code, &[]).send().await.expect_error(400, "INVALID_AUTHORIZATION_CODE");
    }

    async fn the_code_of_a_deleted_user_is_refused(server, builder = oauth::builder()) {
        let ada = oauth::sign_in(&server, "google", "ada@example.com").await;
        let code = fresh(&server).await;
        let id = tokens::claim(ada["access_token"].as_str().expect("a token"), "sub");
        server.delete(&format!("/users/{id}")).server().send().await.expect(200);
        exchange(&server, &code, &[]).send().await.expect_error(400, "INVALID_AUTHORIZATION_CODE");
    }

    async fn the_code_of_another_project_is_refused(server, builder = oauth::builder()) {
        let code = fresh(&server).await;
        let other = server.other_project().clone();
        let changes = [("client_id", other.id.as_str()), ("client_secret", other.keys.publishable.as_str())];
        exchange(&server, &code, &changes).send().await.expect_error(400, "INVALID_AUTHORIZATION_CODE");
        exchange(&server, &code, &[]).send().await.expect(200);
    }

    async fn a_code_that_is_used_again_ends_the_session_that_it_began(server, builder = oauth::builder()) {
        let code = fresh(&server).await;
        let answer = exchange(&server, &code, &[]).send().await.expect(200);
        // Without proof nobody ends anything.
        exchange(&server, &code, &[("code_verifier", "")]).send().await.expect_error(400, "INVALID_AUTHORIZATION_CODE");
        assert_eq!(refreshes(&server, &answer).await, 200);
        exchange(&server, &code, &[]).send().await.expect_error(400, "INVALID_AUTHORIZATION_CODE");
        assert_eq!(refreshes(&server, &answer).await, 401);
    }

    async fn of_many_who_race_with_one_code_one_at_most_gets_tokens_and_they_end(server, builder = oauth::builder()) {
        let code = fresh(&server).await;
        let answers = join_all((0..24).map(|_| exchange(&server, &code, &[]).send())).await;
        let (good, bad): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!(good.len(), 1);
        for answer in bad {
            answer.expect_error(400, "INVALID_AUTHORIZATION_CODE");
        }
        assert_eq!(refreshes(&server, &good[0].json()).await, 401, "the others had the same proof");
    }

    async fn clients_must_be_who_they_say(server, builder = oauth::builder()) {
        let code = fresh(&server).await;
        for changes in [
            [("client_id", ""), ("x", "")],
            [("client_id", "00000000-0000-4000-8000-00000000dead"), ("x", "")],
            [("client_id", "x"), ("x", "")],
            [("client_secret", "pck_wrong"), ("x", "")],
            [("client_secret", ""), ("code_verifier", "")],
        ] {
            let details = exchange(&server, &code, &changes).send().await.expect_error(400, "INVALID_OAUTH_CLIENT_ID_OR_SECRET");
            assert_eq!(details["client_id"], Value::Null, "{changes:?}");
        }
        exchange(&server, &code, &[("grant_type", "password")]).send().await.expect_error(400, "SCHEMA_ERROR");
        let missing = exchange(&server, "", &[("code", "")]).send().await;
        assert_eq!(missing.header("x-stack-known-error"), None);
        let missing = missing.expect(400);
        assert_eq!((&missing["error"], missing["error_description"].is_string()), (&json!("invalid_request"), true));
        exchange(&server, &code, &[]).send().await.expect(200);
    }

    async fn a_project_that_requires_keys_gets_them(server, builder = oauth::builder().project(|settings| settings.project.require_publishable_client_key = true)) {
        let code = fresh(&server).await;
        for secret in ["", "__stack_public_client__"] {
            let answer = exchange(&server, &code, &[("client_secret", secret)]).send().await;
            answer.expect_error(401, "PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT");
        }
        exchange(&server, &code, &[]).send().await.expect(200);
    }

    async fn a_user_with_a_second_factor_gets_no_tokens_for_a_code(server, builder = oauth::builder()) {
        let ada = oauth::sign_in(&server, "google", "ada@example.com").await;
        let id = tokens::claim(ada["access_token"].as_str().expect("a token"), "sub");
        people::change(&server, &id, &json!({ "totp_secret_base64": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" })).await;
        let code = fresh(&server).await;
        let answer = exchange(&server, &code, &[]).send().await;
        let details = answer.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
        assert_eq!(details["attempt_code"].as_str().expect("a code").len(), 45);
        assert!(answer.json()["error"].is_string());
        exchange(&server, &code, &[]).send().await.expect_error(400, "INVALID_AUTHORIZATION_CODE");
    }

    async fn plain_challenges_are_met_by_themselves_and_cannot_be_downgraded_to(server, builder = oauth::builder()) {
        let plain = Flow::new(&server, "google").with("code_challenge_method", "plain").with("code_challenge", VERIFIER);
        let code = code(&plain.as_user("ada@example.com").await);
        let answer = exchange(&server, &code, &[]).send().await.expect(200);
        let ada = Person { id: String::new(), access_token: answer["access_token"].as_str().expect("a token").to_owned(), refresh_token: String::new() };
        people::seen_by_self(&server, &ada).await;
        // A thief of the challenge of another request says that it was plain.
        let challenge = oauth::challenge();
        let stolen = fresh(&server).await;
        let changes = [("code_verifier", challenge.as_str()), ("code_challenge_method", "plain")];
        exchange(&server, &stolen, &changes).send().await.expect_error(400, "INVALID_AUTHORIZATION_CODE");
    }

    async fn who_was_asked_for_a_second_factor_is_not_new_afterwards(server, builder = oauth::builder()) {
        let code = fresh(&server).await;
        let users = server.get("/users").server().send().await.expect(200);
        let id = users["items"][0]["id"].as_str().expect("an id");
        people::change(&server, id, &json!({ "totp_secret_base64": second_factors::TOTP })).await;
        let details = exchange(&server, &code, &[]).send().await.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
        let attempt = details["attempt_code"].as_str().expect("a code");
        let proof = second_factors::totp(&second_factors::code(&server));
        let done = second_factors::complete(&server, attempt, &proof).await.expect(200);
        assert_eq!((done["user_id"].as_str(), &done["is_new_user"]), (Some(id), &json!(false)));
    }

    async fn credentials_in_a_header_are_none(server, builder = oauth::builder()) {
        use base64::Engine as _;
        let code = fresh(&server).await;
        let pair = format!("{}:{}", server.project_id(), server.keys().publishable);
        let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        let request = exchange(&server, &code, &[("client_id", ""), ("client_secret", "")]).header("authorization", &basic);
        request.send().await.expect_error(400, "INVALID_OAUTH_CLIENT_ID_OR_SECRET");
        exchange(&server, &code, &[]).send().await.expect(200);
    }
}
