//! Contract 03 §5.6 and 04 §8.4: `POST /auth/oauth/token` with grant `refresh_token`.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::people;
use latchkey_tests::tokens::{claim, keys};
use serde_json::{Value, json};

use super::sign_out;

const PUBLIC: &str = "__stack_public_client__";

/// A token request with the right fields, after `change`.
async fn request(server: &TestServer, refresh_token: &str, change: impl FnOnce(&mut Value)) -> Answer {
    let mut body = json!({
        "grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": server.project_id(),
        "client_secret": PUBLIC,
    });
    change(&mut body);
    server.post("/auth/oauth/token").json(&body).send().await
}

/// An error in the shape of RFC 6749 §5.2.
#[track_caller]
fn assert_oauth_error(answer: &Answer, error: &str) {
    let body = answer.expect(400);
    assert_eq!(body["error"], error, "{body}");
    assert!(body["error_description"].is_string(), "{body}");
    assert_eq!(answer.header("x-stack-known-error"), None);
}

on_both_engines! {
    async fn the_answer_has_the_contracts_fields_and_no_refresh_token(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let form = [
            ("grant_type", "refresh_token"), ("refresh_token", ada.refresh_token.as_str()),
            ("client_id", server.project_id()), ("client_secret", server.keys().publishable.as_str()),
        ];
        let answer = server.post("/auth/oauth/token").form(&form).send().await;
        let body = answer.expect(200);
        let expected = [
            "access_token", "afterCallbackRedirectUrl", "after_callback_redirect_url", "expires_in", "scope", "token_type",
        ];
        assert_eq!(keys(&body), expected);
        assert_eq!((&body["token_type"], &body["scope"]), (&json!("Bearer"), &json!("legacy")));
        assert_eq!((&body["afterCallbackRedirectUrl"], &body["after_callback_redirect_url"]), (&json!(null), &json!(null)));
        assert!(matches!(body["expires_in"].as_i64(), Some(3599 | 3600)), "{body}");
        assert_eq!(claim(body["access_token"].as_str().expect("a token"), "refresh_token_id"), ada.session_id());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("pragma"), Some("no-cache"));
    }

    async fn json_is_accepted_and_unknown_fields_are_ignored(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        request(&server, &ada.refresh_token, |body| body["odd"] = json!({ "a": 1 })).await.expect(200);
    }

    async fn the_main_branch_may_be_named_and_no_other(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let id = |branch: &str| json!(format!("{}#{branch}", server.project_id()));
        request(&server, &ada.refresh_token, |body| body["client_id"] = id("main")).await.expect(200);
        let answer = request(&server, &ada.refresh_token, |body| body["client_id"] = id("other")).await;
        answer.expect_error(400, "INVALID_OAUTH_CLIENT_ID_OR_SECRET");
    }

    async fn a_dead_refresh_token_is_refused(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        sign_out(&server, &bo.access_token).await.expect(200);
        for token in ["x", &"0".repeat(45), bo.refresh_token.as_str()] {
            let answer = request(&server, token, |_| ()).await;
            assert!(answer.expect_error(401, "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED").is_null());
        }
        let other = server.other_project().id.clone();
        let answer = request(&server, &ada.refresh_token, |body| body["client_id"] = json!(other)).await;
        answer.expect_error(401, "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED");
    }

    async fn wrong_or_missing_client_credentials_are_refused(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let unknown = json!("00000000-0000-4000-8000-00000000dead");
        let secret = json!(server.keys().secret);
        let foreign = json!(server.other_project().keys.publishable);
        let changes: [(&str, Option<Value>); 8] = [
            ("client_id", None), ("client_id", Some(unknown)), ("client_id", Some(json!("not-a-project"))),
            ("client_secret", None), ("client_secret", Some(json!("pck_wrong"))), ("client_secret", Some(secret)),
            ("client_secret", Some(foreign)), ("client_id", Some(json!(""))),
        ];
        for (field, value) in changes {
            let answer = request(&server, &ada.refresh_token, |body| match &value {
                Some(value) => body[field] = value.clone(),
                None => drop(body.as_object_mut().and_then(|body| body.remove(field))),
            });
            let details = answer.await.expect_error(400, "INVALID_OAUTH_CLIENT_ID_OR_SECRET");
            assert_eq!(details, json!({ "client_id": null }), "{field}: {value:?}");
        }
    }

    async fn a_project_that_requires_keys_accepts_neither_the_sentinel_nor_none(
        server, builder = TestServer::builder().project(|settings| settings.project.require_publishable_client_key = true)
    ) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let expected = json!({ "project_id": server.project_id() });
        let sentinel = request(&server, &ada.refresh_token, |_| ()).await;
        let code = "PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT";
        assert_eq!(sentinel.expect_error(401, code), expected);
        let missing = request(&server, &ada.refresh_token, |body| {
            body.as_object_mut().expect("an object").remove("client_secret");
        });
        assert_eq!(missing.await.expect_error(401, code), expected);
        let key = json!(server.keys().publishable);
        request(&server, &ada.refresh_token, |body| body["client_secret"] = key).await.expect(200);
    }

    async fn a_missing_refresh_token_is_an_error_of_oauth(server) {
        let answer = request(&server, "x", |body| {
            body.as_object_mut().expect("an object").remove("refresh_token");
        });
        assert_oauth_error(&answer.await, "invalid_request");
    }

    async fn another_grant_is_a_violation(server) {
        for grant in [json!("password"), json!("client_credentials"), json!(""), json!(null), json!(["refresh_token"])] {
            let answer = request(&server, "x", |body| body["grant_type"] = grant.clone()).await;
            answer.expect_error(400, "SCHEMA_ERROR");
        }
        let answer = request(&server, "x", |body| {
            body.as_object_mut().expect("an object").remove("grant_type");
        });
        answer.await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn basic_credentials_have_no_effect(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "grant_type": "refresh_token", "refresh_token": ada.refresh_token });
        let request = server.post("/auth/oauth/token").json(&body).header("authorization", "Basic aW50ZXJuYWw6eA==");
        request.send().await.expect_error(400, "INVALID_OAUTH_CLIENT_ID_OR_SECRET");
    }
}
