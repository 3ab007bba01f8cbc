//! What a code proves, and what it does not: whose account grows was said by a token in an address, so that nothing is
//! written before the code is redeemed; and a session that goes on from another one has proven no more than that one.

use latchkey_config::settings::EnforceReauthentication;
use latchkey_testkit::{Answer, Builder, TestServer, on_both_engines};
use latchkey_tests::oauth::{self, Flow, exchange};
use latchkey_tests::people::{self, Person};
use serde_json::{Value, json};

const VICTIM: &str = "victim@example.com";

/// A verifier that is not the one of the flow: what the victim's own browser has.
const ANOTHER: &str = "another-verifier-that-is-long-enough-for-a-challenge";

fn link<'s>(server: &'s TestServer, person: &Person) -> Flow<'s> {
    Flow::new(server, "google").with("type", "link").with("token", &person.access_token)
}

async fn accounts(server: &TestServer, user: &str) -> usize {
    let listed = server.get(&format!("/oauth-providers?user_id={user}")).server().send().await.expect(200);
    listed["items"].as_array().expect("accounts").len()
}

async fn count(server: &TestServer) -> usize {
    let listed = server.get("/users?include_anonymous=true").server().send().await.expect(200);
    listed["items"].as_array().expect("users").len()
}

/// Asks for something that needs a recent sign-in.
async fn change_credentials(server: &TestServer, tokens: &Value) -> Answer {
    let token = tokens["access_token"].as_str().expect("a token");
    server.post("/auth/mfa/totp/setup").client().user(token).json(&json!({})).send().await
}

/// Takes a session along to another domain: what the token endpoint answers.
async fn go_on(server: &TestServer, person: &Person) -> Value {
    let code = hand_over(server, person).await;
    exchange(server, &code, &[]).send().await.expect(200)
}

async fn hand_over(server: &TestServer, person: &Person) -> String {
    let body =
        json!({ "redirect_uri": oauth::REDIRECT_URI, "state": "s", "code_challenge": oauth::challenge() });
    let request = server.post("/auth/oauth/cross-domain/authorize").client().user(&person.access_token);
    let request = request.header("x-stack-refresh-token", &person.refresh_token).json(&body);
    let answer = request.send().await.expect(200);
    let url = reqwest::Url::parse(answer["redirect_url"].as_str().expect("an address")).expect("a URL");
    url.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned()
}

/// The same session with a new access token.
async fn refreshed(server: &TestServer, person: &Person) -> Person {
    let request = server.post("/auth/sessions/current/refresh").client();
    let tokens = request.header("x-stack-refresh-token", &person.refresh_token).send().await.expect(200);
    let text = |name: &str| tokens[name].as_str().map(str::to_owned);
    Person {
        id: person.id.clone(),
        access_token: text("access_token").expect("a token"),
        refresh_token: text("refresh_token").unwrap_or_else(|| person.refresh_token.clone()),
    }
}

fn rotating() -> Builder {
    oauth::builder().project(|settings| settings.latchkey.require_refresh_rotation = true)
}

on_both_engines! {
    async fn an_account_is_linked_when_the_code_is_redeemed_and_not_before(server, builder = oauth::builder().config("oauth.shared.hands_out_access_tokens", "true")) {
        // Mallory sends a victim to the provider in Mallory's name: the victim's browser gets a code, and has another verifier.
        let mallory = people::sign_up(&server, "mallory@example.com").await;
        let code = oauth::code(&link(&server, &mallory).as_user(VICTIM).await);
        exchange(&server, &code, &[("code_verifier", ANOTHER)]).send().await.expect_error(400, "INVALID_AUTHORIZATION_CODE");
        assert_eq!(accounts(&server, &mallory.id).await, 0);
        let asked = server.post("/connected-accounts/me/google/access-token").client().user(&mallory.access_token);
        asked.json(&json!({})).send().await.expect_error(400, "OAUTH_CONNECTION_NOT_CONNECTED_TO_USER");
        // The victim is nobody's, and signs in as somebody of their own.
        let victim = oauth::sign_in(&server, "google", VICTIM).await;
        assert_eq!(victim["is_new_user"], true);
        exchange(&server, &code, &[]).send().await.expect_error(409, "OAUTH_CONNECTION_ALREADY_CONNECTED_TO_ANOTHER_USER");
        // Whoever began has the verifier.
        let code = oauth::code(&link(&server, &mallory).as_user("mallory@example.com").await);
        exchange(&server, &code, &[]).send().await.expect(200);
        assert_eq!(accounts(&server, &mallory.id).await, 1);
    }

    async fn an_anonymous_user_is_upgraded_when_the_code_is_redeemed_and_not_before(server, builder = oauth::builder()) {
        let mallory = people::anonymous(&server).await;
        let code = oauth::code(&Flow::new(&server, "google").with("token", &mallory.access_token).as_user(VICTIM).await);
        exchange(&server, &code, &[("code_verifier", ANOTHER)]).send().await.expect_error(400, "INVALID_AUTHORIZATION_CODE");
        assert_eq!(people::seen_by_server(&server, &mallory.id).await["is_anonymous"], true);
        let victim = oauth::sign_in(&server, "google", VICTIM).await;
        assert_eq!(victim["is_new_user"], true);
        assert_eq!(count(&server).await, 2);
        // By now the account is the victim's own, and the old code makes nobody of the anonymous user.
        exchange(&server, &code, &[]).send().await.expect_text(400);
        assert_eq!(people::seen_by_server(&server, &mallory.id).await["is_anonymous"], true);
    }

    async fn of_24_racers_with_a_code_that_links_one_gets_a_session_and_the_account_is_there_once(server, builder = oauth::builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let code = oauth::code(&link(&server, &ada).as_user(VICTIM).await);
        let racers = (0..24).map(|_| exchange(&server, &code, &[]).send());
        let answers = latchkey_tests::join_all(racers).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 400)));
        assert_eq!(accounts(&server, &ada.id).await, 1);
    }

    async fn linking_asks_for_a_recent_sign_in_where_every_endpoint_does(server, builder = oauth::builder().project(|settings| settings.latchkey.reauthentication.enforce_on = EnforceReauthentication::AllEndpoints)) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        oauth::code(&link(&server, &ada).as_user(VICTIM).await);
        server.clock().advance_seconds(601);
        let ada = refreshed(&server, &ada).await;
        link(&server, &ada).answer().await.expect_error(403, "REAUTHENTICATION_REQUIRED");
    }

    async fn a_session_by_linking_has_proven_no_more_than_the_one_that_linked(server, builder = oauth::builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        server.clock().advance_seconds(601);
        let ada = refreshed(&server, &ada).await;
        let code = oauth::code(&link(&server, &ada).as_user(VICTIM).await);
        let tokens = exchange(&server, &code, &[]).send().await.expect(200);
        change_credentials(&server, &tokens).await.expect_error(403, "REAUTHENTICATION_REQUIRED");
        // Signing in by the account is a proof of its own.
        let tokens = oauth::sign_in(&server, "google", VICTIM).await;
        change_credentials(&server, &tokens).await.expect(200);
    }

    async fn a_session_of_another_domain_has_proven_no_more_than_the_first_one(server, builder = rotating()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        change_credentials(&server, &go_on(&server, &ada).await).await.expect(200);
        server.clock().advance_seconds(601);
        let ada = refreshed(&server, &ada).await;
        change_credentials(&server, &go_on(&server, &ada).await).await.expect_error(403, "REAUTHENTICATION_REQUIRED");
    }

    async fn impersonation_stays_what_it_is_at_another_domain_and_ends_when_it_would(server, builder = rotating()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "user_id": ada.id, "expires_in_millis": 60_000, "is_impersonation": true });
        let tokens = server.post("/auth/sessions").server().json(&body).send().await.expect(200);
        let text = |name: &str| tokens[name].as_str().expect("a token").to_owned();
        let acting = Person { access_token: text("access_token"), refresh_token: text("refresh_token"), ..ada };
        let there = go_on(&server, &acting).await;
        let listed = server.get(&format!("/auth/sessions?user_id={}", acting.id)).admin().send().await.expect(200);
        let sessions = listed["items"].as_array().expect("sessions");
        assert_eq!(sessions.iter().filter(|session| session["is_impersonation"] == true).count(), 2);
        server.clock().advance_seconds(61);
        let refresh = server.post("/auth/sessions/current/refresh").client();
        let refresh = refresh.header("x-stack-refresh-token", there["refresh_token"].as_str().expect("a token"));
        refresh.send().await.expect_error(401, "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED");
    }

    async fn codes_that_wait_end_with_all_sessions(server, builder = oauth::builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let code = hand_over(&server, &ada).await;
        people::change(&server, &ada.id, &json!({ "password": people::OTHER_PASSWORD })).await;
        exchange(&server, &code, &[]).send().await.expect_error(400, "INVALID_AUTHORIZATION_CODE");
    }

    async fn endless_parameters_are_not_remembered(server, builder = oauth::builder()) {
        for name in ["state", "redirect_uri", "code_challenge", "scope"] {
            let long = format!("http://localhost/{}", "x".repeat(4096));
            Flow::new(&server, "google").with(name, &long).answer().await.expect_text(400);
        }
    }
}
