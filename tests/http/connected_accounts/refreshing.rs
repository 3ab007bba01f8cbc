//! Refresh tokens: used when no access token is left, replaced when the provider replaces them, and given up only when
//! the provider says so.

use latchkey_testkit::on_both_engines;
use latchkey_tests::oauth;
use latchkey_tests::oauth_provider::{OauthProvider, Trouble};

use super::{ADA, NOT_ENOUGH, NOT_NOW, asked, token};

const HOUR: i64 = 3600;

on_both_engines! {
    async fn a_replaced_refresh_token_replaces_the_old_one(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        let mut seen = Vec::new();
        for round in 1..=4 {
            // The provider ends the grant when an old one comes again.
            server.clock().advance_seconds(HOUR);
            seen.push(token(&asked(&server, &ada).send().await));
            assert_eq!(provider.count("refresh_token"), round);
        }
        seen.dedup();
        assert_eq!(seen.len(), 4);
    }

    async fn a_refresh_token_that_is_not_replaced_is_used_again(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        provider.behave(|behaviour| behaviour.rotates = false);
        let ada = provider.sign_in(&server, "google", ADA).await;
        for round in 1..=3 {
            server.clock().advance_seconds(HOUR);
            token(&asked(&server, &ada).send().await);
            assert_eq!(provider.count("refresh_token"), round);
        }
    }

    async fn trouble_while_refreshing_is_not_held_against_the_token(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let impatient = server.twin_with(|builder| builder.config("oauth.provider_timeout", "300ms")).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        impatient.clock().advance_seconds(HOUR);
        server.clock().advance_seconds(HOUR);
        for trouble in [
            Trouble::Status(500), Trouble::Status(429), Trouble::Code("temporarily_unavailable"), Trouble::Garbage, Trouble::Silence,
        ] {
            provider.behave(|behaviour| behaviour.at_refresh = trouble);
            let server = if trouble == Trouble::Silence { &impatient } else { &server };
            asked(server, &ada).send().await.expect_error(503, NOT_NOW);
        }
        assert_eq!(provider.count("refresh_token"), 5, "once each: the answer may have been lost on its way");
        provider.behave(|behaviour| behaviour.at_refresh = Trouble::None);
        token(&asked(&server, &ada).send().await);
    }

    async fn a_provider_that_is_gone_is_not_available(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        server.clock().advance_seconds(HOUR);
        drop(provider);
        asked(&server, &ada).send().await.expect_error(503, NOT_NOW);
    }

    async fn a_refused_refresh_token_is_forgotten(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        server.clock().advance_seconds(HOUR);
        provider.behave(|behaviour| behaviour.at_refresh = Trouble::Code("invalid_grant"));
        asked(&server, &ada).send().await.expect_error(400, NOT_ENOUGH);
        provider.behave(|behaviour| behaviour.at_refresh = Trouble::None);
        asked(&server, &ada).send().await.expect_error(400, NOT_ENOUGH);
        assert_eq!(provider.count("refresh_token"), 1, "it is not tried again");
        provider.sign_in(&server, "google", ADA).await;
        token(&asked(&server, &ada).send().await);
    }

    async fn what_the_provider_holds_against_the_client_does_not_end_the_token(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        server.clock().advance_seconds(HOUR);
        for code in ["invalid_client", "unauthorized_client", "invalid_request"] {
            provider.behave(|behaviour| behaviour.at_refresh = Trouble::Code(code));
            asked(&server, &ada).send().await.expect_error(400, NOT_ENOUGH);
        }
        provider.behave(|behaviour| behaviour.at_refresh = Trouble::None);
        token(&asked(&server, &ada).send().await);
    }

    async fn tokens_that_live_shortly_are_handed_out_when_they_come(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        provider.behave(|behaviour| behaviour.expires_in = Some(60));
        let ada = provider.sign_in(&server, "google", ADA).await;
        let first = token(&asked(&server, &ada).send().await);
        assert_ne!(token(&asked(&server, &ada).send().await), first);
    }
}
