//! Which accounts there are, who may ask, and which error comes first.

use latchkey_config::settings::{OAuthProviderSettings, ProviderType};
use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::oauth_provider::OauthProvider;
use latchkey_tests::{oauth, people, tokens};
use serde_json::{Value, json};

use super::{ADA, NOT_ENOUGH, asking, connected, token};

const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";

/// With a provider by the project's own credentials, too.
fn builder() -> Builder {
    oauth::builder().project(|settings| {
        settings.auth.oauth.providers.insert(
            "own".to_owned(),
            OAuthProviderSettings {
                provider_type: Some(ProviderType::GitLab),
                is_shared: false,
                client_id: Some("id".to_owned()),
                client_secret: Some(latchkey_config::SecretText::new("secret")),
                ..OAuthProviderSettings::default()
            },
        );
    })
}

async fn link(server: &TestServer, user: &str, provider: &str, account: &str, allowed: bool) -> Value {
    let body = json!({
        "user_id": user, "provider_config_id": provider, "account_id": account, "allow_sign_in": false,
        "allow_connected_accounts": allowed,
    });
    server.post("/oauth-providers").server().json(&body).send().await.expect(201)
}

on_both_engines! {
    async fn accounts_for_the_application_are_listed_oldest_first(server, builder = builder()) {
        let ada = people::sign_up(&server, ADA).await;
        for (provider, account, allowed) in [("google", "9", true), ("github", "1", true), ("google", "2", false), ("own", "3", true)] {
            link(&server, &ada.id, provider, account, allowed).await;
            server.clock().advance_seconds(1);
        }
        let item = |provider: &str, account: &str| json!({ "user_id": ada.id, "provider": provider, "provider_account_id": account });
        let expected = json!({ "items": [item("google", "9"), item("github", "1"), item("own", "3")], "is_paginated": false });
        assert_eq!(connected(&server, &ada.id).await, expected);
        for user in ["me", &ada.id] {
            let own = server.get(&format!("/connected-accounts/{user}")).client().user(&ada.access_token).send().await;
            assert_eq!(own.expect(200), expected);
        }
    }

    async fn an_account_that_signed_in_is_connected(server, builder = oauth::builder()) {
        let answer = oauth::sign_in(&server, "google", ADA).await;
        let id: String = tokens::claim(answer["access_token"].as_str().expect("a token"), "sub");
        assert_eq!(connected(&server, &id).await["items"], json!([{ "user_id": id, "provider": "google", "provider_account_id": ADA }]));
    }

    async fn accounts_of_a_provider_that_the_project_dropped_are_left_out(server, builder = builder()) {
        let ada = people::sign_up(&server, ADA).await;
        link(&server, &ada.id, "own", "3", true).await;
        let twin = server.twin_with(|builder| builder.project(|settings| {
            settings.auth.oauth.providers.remove("own");
        })).await;
        assert_eq!(connected(&twin, &ada.id).await["items"], json!([]));
    }

    async fn a_client_asks_for_its_own_user_only(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let account = format!("google/{ADA}");
        for path in ["google", account.as_str()] {
            asking(&server, &ada.id, path, "").client().user(&bo.access_token).send().await.expect_text(403);
            for user in ["me", &ada.id] {
                token(&asking(&server, user, path, "").client().user(&ada.access_token).send().await);
            }
            asking(&server, "me", path, "").client().send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        }
        server.get(&format!("/connected-accounts/{}", ada.id)).client().user(&bo.access_token).send().await.expect_text(403);
        // Before anything is said about the provider.
        asking(&server, &ada.id, "nowhere", "").client().user(&bo.access_token).send().await.expect_text(403);
    }

    async fn a_server_asks_for_any_user(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        token(&asking(&server, &ada.id, "google", "").server().send().await);
        token(&asking(&server, "me", "google", "").server().user(&ada.access_token).send().await);
        token(&asking(&server, &ada.id, "google", "").admin().send().await);
    }

    async fn the_first_error_is_about_the_provider_then_its_keys_then_the_user_then_the_account(server, builder = builder()) {
        let ada = people::sign_up(&server, ADA).await;
        let ask = |user: &str, provider: &str| asking(&server, user, provider, "").server().send();
        ask(NOBODY, "nowhere").await.expect_error(400, "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED");
        for user in [NOBODY, &ada.id] {
            ask(user, "google").await.expect_error(400, "OAUTH_ACCESS_TOKEN_NOT_AVAILABLE_WITH_SHARED_OAUTH_KEYS");
        }
        ask(NOBODY, "own").await.expect_error(404, "USER_NOT_FOUND");
        server.get(&format!("/connected-accounts/{NOBODY}")).server().send().await.expect_error(404, "USER_NOT_FOUND");
        ask(&ada.id, "own").await.expect_error(400, "OAUTH_CONNECTION_NOT_CONNECTED_TO_USER");
        link(&server, &ada.id, "own", "3", true).await;
        ask(&ada.id, "own").await.expect_error(400, NOT_ENOUGH);
        ask(&ada.id, "own/4").await.expect_error(400, "OAUTH_CONNECTION_NOT_CONNECTED_TO_USER");
    }

    async fn tokens_of_shared_providers_stay_here_unless_the_deployment_says_otherwise(server, builder = oauth::builder()) {
        let (provider, open) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&open, "google", ADA).await;
        let closed = open.twin_with(|builder| builder.config("oauth.shared.hands_out_access_tokens", "false")).await;
        let answer = asking(&closed, &ada.id, "google", "").server().send().await;
        answer.expect_error(400, "OAUTH_ACCESS_TOKEN_NOT_AVAILABLE_WITH_SHARED_OAUTH_KEYS");
        token(&asking(&open, &ada.id, "google", "").server().send().await);
    }

    async fn tokens_made_for_the_deployment_do_not_become_a_projects_by_its_own_keys(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        // Its id is the very one of the deployment, which is no secret.
        let own = json!({ "id": "google", "type": "standard", "client_id": "google", "client_secret": "s" });
        let body = json!({ "config": { "oauth_providers": [own] } });
        server.patch("/internal/projects/current").admin().json(&body).send().await.expect(200);
        asking(&server, &ada.id, "google", "").server().send().await.expect_error(400, NOT_ENOUGH);
        assert_eq!(provider.count("userinfo") + provider.count("refresh_token"), 0);
    }

    async fn an_account_that_is_not_for_the_application_gives_nothing(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        let listed = server.get("/oauth-providers").server().send().await.expect(200);
        let path = format!("/oauth-providers/{}/{}", ada.id, listed["items"][0]["id"].as_str().expect("an id"));
        server.patch(&path).server().json(&json!({ "allow_connected_accounts": false })).send().await.expect(200);
        let account = format!("google/{ADA}");
        for path in ["google", account.as_str()] {
            let answer = asking(&server, &ada.id, path, "").server().send().await;
            answer.expect_error(400, "OAUTH_CONNECTION_NOT_CONNECTED_TO_USER");
        }
        server.patch(&path).server().json(&json!({ "allow_connected_accounts": true })).send().await.expect(200);
        token(&asking(&server, &ada.id, "google", "").server().send().await);
    }

    async fn one_account_of_several_is_named_by_its_id_at_the_provider(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        let flow = oauth::Flow::new(&server, "google").with("type", "link").with("token", &ada.access_token);
        provider.finish(&server, flow, "work of ada/1").await;
        let first = token(&asking(&server, &ada.id, &format!("google/{ADA}"), "").server().send().await);
        let second = token(&asking(&server, &ada.id, "google/work%20of%20ada%2F1", "").server().send().await);
        assert_ne!(first, second);
        let any = token(&asking(&server, &ada.id, "google", "").server().send().await);
        assert!(any == first || any == second);
        let gone = asking(&server, &ada.id, "google/nobody", "").server().send().await;
        gone.expect_error(400, "OAUTH_CONNECTION_NOT_CONNECTED_TO_USER");
    }

    async fn the_old_path_is_for_the_signed_in_user(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        let path = "/auth/oauth/connected-accounts/google/access-token";
        for body in [json!({}), json!({ "scope": "" }), json!({ "scope": "openid" })] {
            token(&server.post(path).client().user(&ada.access_token).json(&body).send().await);
        }
        server.post(path).client().json(&json!({})).send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        let unknown = server.post(path).client().user(&ada.access_token).json(&json!({ "scopes": "openid" }));
        unknown.send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn a_token_of_one_project_is_none_of_another(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        let other = server.other_project().clone();
        let there = |request, access: &str| people::speaking_for(request, &other, access);
        let body = json!({ "config": { "oauth_providers": [{ "id": "google", "type": "shared" }] } });
        there(server.patch("/internal/projects/current"), "admin").json(&body).send().await.expect(200);
        let flow = oauth::Flow::new(&server, "google").with("client_id", &other.id).with("client_secret", &other.keys.publishable);
        let at = flow.begin().await;
        let callback = provider.agree(&at.location, ADA);
        let code = oauth::code(&at.leaves_for(callback).come_back().await);
        let change = [("client_id", other.id.as_str()), ("client_secret", other.keys.publishable.as_str())];
        let answer = oauth::exchange(&server, &code, &change).send().await.expect(200);
        let twin: String = tokens::claim(answer["access_token"].as_str().expect("a token"), "sub");
        assert_ne!(twin, ada.id, "the same account is two users in two projects");
        there(asking(&server, &ada.id, "google", ""), "server").send().await.expect_error(404, "USER_NOT_FOUND");
        there(server.get(&format!("/connected-accounts/{}", ada.id)), "server").send().await.expect_error(404, "USER_NOT_FOUND");
        let theirs = token(&there(asking(&server, &twin, "google", ""), "server").send().await);
        let ours = token(&asking(&server, &ada.id, "google", "").server().send().await);
        assert_ne!(theirs, ours);
    }
}
