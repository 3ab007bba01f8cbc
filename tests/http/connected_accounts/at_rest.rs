//! Providers' tokens at rest: sealed, bound to their place, and gone with what they belong to.

use latchkey_api_types::ids::OauthTokensId;
use latchkey_identity::{clean_up, master_key_rotation, project_deletion};
use latchkey_storage::oauth_tokens::{self, OauthTokensRow};
use latchkey_testkit::{MASTER_KEY, TestServer, on_both_engines};
use latchkey_tests::oauth::{self, Flow};
use latchkey_tests::oauth_provider::OauthProvider;
use latchkey_tests::people::Person;
use serde_json::json;

use super::{ADA, NOT_ENOUGH, asked, asking, rows, token};

const NEW: &str = "new:bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=";

async fn link_path(server: &TestServer, person: &Person) -> String {
    let listed =
        server.get(&format!("/oauth-providers?user_id={}", person.id)).server().send().await.expect(200);
    format!("/oauth-providers/{}/{}", person.id, listed["items"][0]["id"].as_str().expect("an id"))
}

on_both_engines! {
    async fn the_table_holds_no_token(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        server.clock().advance_seconds(3600);
        let handed_out = token(&asked(&server, &ada).send().await);
        let given = provider.tokens();
        assert!(given.contains(&handed_out));
        let rows = rows(&server).await;
        assert_eq!(rows.len(), 1);
        let sealed = [rows[0].access_token_sealed.clone(), rows[0].refresh_token_sealed.clone()].map(|sealed| sealed.expect("a token"));
        let text = format!("{:?}", rows[0]);
        for token in given {
            assert!(!text.contains(&token), "{text}");
            assert!(sealed.iter().all(|bytes| bytes.windows(token.len()).all(|window| window != token.as_bytes())));
        }
    }

    async fn a_token_cannot_be_moved_to_another_account(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        provider.sign_in(&server, "google", ADA).await;
        let mallory = provider.sign_in(&server, "google", "mallory@example.com").await;
        let rows = rows(&server).await;
        let own = |subject: &str| rows.iter().position(|row| {
            let sealed = row.access_token_sealed.as_ref().expect("a token");
            let context = format!("oauth-access-token:{}:{}:{}", row.project_id, row.oauth_account_id, row.id);
            let opened = server.app().master_keys.open(&context, sealed).expect("a token of its place");
            provider.belongs_to(std::str::from_utf8(&opened).expect("a token"), subject)
        }).map(|place| rows[place].clone()).expect("a row");
        let (victim, mine) = (own(ADA), own("mallory@example.com"));
        let stolen = OauthTokensRow {
            access_token_sealed: victim.access_token_sealed, refresh_token_sealed: victim.refresh_token_sealed, ..mine
        };
        server.app().store.batch(vec![oauth_tokens::renew(&stolen).exactly(1)]).await.expect("a write");
        assert_eq!(asked(&server, &mallory).send().await.status, 500, "it opens nowhere else");
    }

    async fn a_new_master_key_takes_the_tokens_over(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        let first = token(&asked(&server, &ada).send().await);
        let both = server.twin_with(|builder| builder.config("security.master_keys", &format!("{NEW},{MASTER_KEY}"))).await;
        assert_eq!(token(&asked(&both, &ada).send().await), first);
        master_key_rotation::reseal(both.app()).await.expect("a new seal");
        assert_eq!(master_key_rotation::reseal(both.app()).await.expect("nothing to do"), 0);
        let only = server.twin_with(|builder| builder.config("security.master_keys", NEW)).await;
        assert_eq!(token(&asked(&only, &ada).send().await), first);
        only.clock().advance_seconds(3600);
        assert_ne!(token(&asked(&only, &ada).send().await), first, "the refresh token opens, too");
    }

    async fn tokens_go_with_the_account(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        assert_eq!(rows(&server).await.len(), 1);
        let path = link_path(&server, &ada).await;
        server.delete(&path).server().send().await.expect(200);
        assert_eq!(rows(&server).await.len(), 0);
        asked(&server, &ada).send().await.expect_error(400, "OAUTH_CONNECTION_NOT_CONNECTED_TO_USER");
    }

    async fn tokens_go_with_the_user(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        let bo = provider.sign_in(&server, "google", "bo@example.com").await;
        server.delete(&format!("/users/{}", ada.id)).server().send().await.expect(200);
        assert_eq!(rows(&server).await.len(), 1);
        token(&asked(&server, &bo).send().await);
    }

    async fn tokens_go_with_the_project(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        provider.sign_in(&server, "google", ADA).await;
        server.delete("/internal/projects/current").admin().send().await.expect(200);
        project_deletion::run_due(server.app()).await.expect("a purge");
        assert_eq!(rows(&server).await.len(), 0);
    }

    async fn tokens_are_not_those_of_another_account_that_the_link_comes_to_name(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        let path = link_path(&server, &ada).await;
        server.patch(&path).server().json(&json!({ "account_id": ADA, "email": "x@example.com" })).send().await.expect(200);
        token(&asked(&server, &ada).send().await);
        server.patch(&path).server().json(&json!({ "account_id": "somebody else" })).send().await.expect(200);
        asked(&server, &ada).send().await.expect_error(400, NOT_ENOUGH);
        assert_eq!(rows(&server).await.len(), 0);
    }

    async fn a_callback_whose_account_is_refused_keeps_nothing(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        let bo = provider.sign_in(&server, "google", "bo@example.com").await;
        let before: Vec<OauthTokensId> = rows(&server).await.iter().map(|row| row.id).collect();
        let at = Flow::new(&server, "google").with("type", "link").with("token", &bo.access_token).begin().await;
        let callback = provider.agree(&at.location, ADA);
        let answer = at.leaves_for(callback).come_back().await;
        assert_eq!(oauth::error_code(&answer), "OAUTH_CONNECTION_ALREADY_CONNECTED_TO_ANOTHER_USER");
        let after: Vec<OauthTokensId> = rows(&server).await.iter().map(|row| row.id).collect();
        assert_eq!(before, after);
        assert_ne!(token(&asked(&server, &ada).send().await), token(&asked(&server, &bo).send().await));
    }

    async fn signing_in_often_leaves_one_grant(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        for _ in 0..5 {
            provider.sign_in(&server, "google", ADA).await;
            server.clock().advance_seconds(1);
        }
        assert_eq!(rows(&server).await.len(), 1);
    }

    async fn a_grant_that_can_be_refreshed_is_not_given_up_for_one_that_cannot(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        provider.sign_in(&server, "google", ADA).await;
        provider.behave(|behaviour| behaviour.gives_refresh_tokens = false);
        server.clock().advance_seconds(1);
        let ada = provider.sign_in(&server, "google", ADA).await;
        assert_eq!(rows(&server).await.len(), 2);
        server.clock().advance_seconds(3600);
        token(&asked(&server, &ada).send().await);
    }

    async fn an_account_keeps_ten_grants_at_most(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        for number in 0..13 {
            provider.behave(|behaviour| behaviour.scope = Some(format!("scope-{number}")));
            provider.sign_in(&server, "google", ADA).await;
            server.clock().advance_seconds(1);
        }
        assert_eq!(rows(&server).await.len(), 10);
        let ada = provider.sign_in(&server, "google", ADA).await;
        for (number, status) in [(12, 201), (4, 201), (2, 400)] {
            let answer = asking(&server, &ada.id, "google", &format!("scope-{number}")).server().send().await;
            assert_eq!(answer.status, status, "scope-{number}");
        }
    }

    async fn what_has_ended_and_cannot_be_refreshed_is_cleaned_up(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        provider.sign_in(&server, "google", ADA).await;
        provider.behave(|behaviour| behaviour.gives_refresh_tokens = false);
        provider.sign_in(&server, "google", "bo@example.com").await;
        provider.behave(|behaviour| behaviour.expires_in = None);
        provider.sign_in(&server, "google", "cy@example.com").await;
        server.clock().advance_seconds(3600);
        clean_up::run(server.app()).await.expect("a clean-up");
        assert_eq!(rows(&server).await.len(), 3, "it ends now");
        server.clock().advance_millis(1);
        clean_up::run(server.app()).await.expect("a clean-up");
        let left = rows(&server).await;
        assert_eq!(left.len(), 2);
        assert!(left.iter().all(|row| row.refresh_token_sealed.is_some() || row.access_expires_at.is_none()));
    }
}
