//! Scopes: what a token has, and which one serves.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::oauth::{self, Flow};
use latchkey_tests::oauth_provider::OauthProvider;
use latchkey_tests::people::Person;
use serde_json::{Value, json};

use super::{ADA, NOT_ENOUGH, asking, token};

async fn link(provider: &OauthProvider, server: &TestServer, ada: &Person, scope: &str) {
    provider.behave(|behaviour| behaviour.scope = Some(scope.to_owned()));
    let flow = Flow::new(server, "google").with("type", "link").with("token", &ada.access_token);
    provider.finish(server, flow, ADA).await;
}

async fn configure(server: &TestServer, provider: Value) {
    let body = json!({ "config": { "oauth_providers": [provider] } });
    server.patch("/internal/projects/current").admin().json(&body).send().await.expect(200);
}

on_both_engines! {
    async fn a_token_serves_for_the_scopes_that_the_provider_granted(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        provider.behave(|behaviour| behaviour.scope = Some("openid calendar mail.read".to_owned()));
        let ada = provider.sign_in(&server, "google", ADA).await;
        for scope in ["", " ", "openid", "mail.read  calendar", "calendar openid mail.read"] {
            token(&asking(&server, &ada.id, "google", scope).server().send().await);
        }
        for scope in ["calendar.write", "mail", "openid files", "CALENDAR", "%", "a\"b"] {
            asking(&server, &ada.id, "google", scope).server().send().await.expect_error(400, NOT_ENOUGH);
        }
        assert_eq!(provider.count("refresh_token"), 0, "no refresh gives more than was granted");
    }

    async fn linking_again_with_more_scopes_gives_a_token_that_has_them(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        provider.behave(|behaviour| behaviour.scope = Some("openid".to_owned()));
        let ada = provider.sign_in(&server, "google", ADA).await;
        let ask = |scope: &str| asking(&server, &ada.id, "google", scope).server().send();
        ask("calendar").await.expect_error(400, NOT_ENOUGH);
        link(&provider, &server, &ada, "openid calendar").await;
        let wide = token(&ask("calendar").await);
        // Signing in as ever does not take it away, nor does it end with its access token.
        provider.behave(|behaviour| behaviour.scope = Some("openid".to_owned()));
        server.clock().advance_seconds(1);
        provider.sign_in(&server, "google", ADA).await;
        assert_eq!(token(&ask("calendar").await), wide);
        assert_ne!(token(&ask("openid").await), wide);
        server.clock().advance_seconds(3400);
        provider.behave(|behaviour| behaviour.scope = None);
        assert_ne!(token(&ask("calendar").await), wide);
        assert_eq!(provider.count("refresh_token"), 1);
    }

    async fn two_consents_beside_each_other_each_serve_for_their_own(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        link(&provider, &server, &ada, "calendar").await;
        link(&provider, &server, &ada, "mail").await;
        let ask = |scope: &str| asking(&server, &ada.id, "google", scope).server().send();
        assert_ne!(token(&ask("calendar").await), token(&ask("mail").await));
        ask("calendar mail").await.expect_error(400, NOT_ENOUGH);
    }

    async fn the_wish_for_a_refresh_token_is_met_by_having_one(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        provider.behave(|behaviour| behaviour.scope = Some("openid".to_owned()));
        let ada = provider.sign_in(&server, "google", ADA).await;
        token(&asking(&server, &ada.id, "google", "openid offline_access").server().send().await);
        provider.behave(|behaviour| behaviour.gives_refresh_tokens = false);
        let bo = provider.sign_in(&server, "google", "bo@example.com").await;
        asking(&server, &bo.id, "google", "openid offline_access").server().send().await.expect_error(400, NOT_ENOUGH);
    }

    async fn a_refresh_that_gives_less_is_not_repeated(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        provider.behave(|behaviour| behaviour.scope = Some("openid calendar".to_owned()));
        let ada = provider.sign_in(&server, "google", ADA).await;
        server.clock().advance_seconds(3600);
        provider.behave(|behaviour| behaviour.scope = Some("openid".to_owned()));
        asking(&server, &ada.id, "google", "calendar").server().send().await.expect_error(400, NOT_ENOUGH);
        assert_eq!(provider.count("refresh_token"), 1);
        token(&asking(&server, &ada.id, "google", "openid").server().send().await);
    }

    async fn what_was_asked_for_counts_where_the_provider_says_nothing(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        provider.behave(|behaviour| behaviour.scope = None);
        let ada = provider.sign_in(&server, "google", ADA).await;
        let ask = |scope: &str| asking(&server, &ada.id, "google", scope).server().send();
        token(&ask("openid offline_access").await);
        ask("calendar").await.expect_error(400, NOT_ENOUGH);
        // Scopes beside the usual ones need keys of the project's own, which no provider here accepts: the flow begins with
        // them, and ends with shared ones.
        configure(&server, json!({ "id": "google", "type": "standard", "client_id": "i", "client_secret": "s" })).await;
        let flow = Flow::new(&server, "google").with("type", "link").with("token", &ada.access_token).with("provider_scope", "calendar");
        let at = flow.begin().await;
        assert!(at.parameter("scope").expect("scopes").ends_with(" calendar"));
        configure(&server, json!({ "id": "google", "type": "shared" })).await;
        let callback = provider.agree(&at.location, ADA);
        let code = oauth::code(&at.leaves_for(callback).come_back().await);
        oauth::exchange(&server, &code, &[]).send().await.expect(200);
        token(&ask("calendar openid").await);
    }

    async fn a_provider_cannot_make_scopes_of_what_is_none(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        provider.behave(|behaviour| behaviour.scope = Some("openid \u{0}x calen\u{7}dar \"quoted\" mail".to_owned()));
        let ada = provider.sign_in(&server, "google", ADA).await;
        token(&asking(&server, &ada.id, "google", "openid mail").server().send().await);
    }
}
