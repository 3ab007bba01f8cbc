//! A stored access token is handed out while it lives for more than five minutes and its provider accepts it.

use latchkey_testkit::on_both_engines;
use latchkey_tests::oauth::{self, Flow};
use latchkey_tests::oauth_provider::{OauthProvider, Trouble};

use super::{ADA, NOT_ENOUGH, NOT_NOW, asked, asking, token};

on_both_engines! {
    async fn the_token_of_the_sign_in_is_handed_out_while_the_provider_accepts_it(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        let first = token(&asked(&server, &ada).send().await);
        assert!(provider.tokens().contains(&first));
        assert_eq!(token(&asked(&server, &ada).send().await), first);
        assert_eq!((provider.count("userinfo"), provider.count("refresh_token")), (2, 0));
    }

    async fn sign_up_sign_in_merge_and_link_all_keep_what_the_provider_gave(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let mut seen = Vec::new();
        // Nobody yet; the same account; another provider's account that joins by the address; the first one linked again.
        for (id, flow) in [("google", Flow::new(&server, "google")), ("google", Flow::new(&server, "google")), ("github", Flow::new(&server, "github"))] {
            let answer = provider.finish(&server, flow, ADA).await;
            let user: String = latchkey_tests::tokens::claim(answer["access_token"].as_str().expect("a token"), "sub");
            seen.push(token(&asking(&server, &user, id, "").server().send().await));
        }
        let ada = provider.sign_in(&server, "google", ADA).await;
        for subject in [ADA, "another@example.com"] {
            let flow = Flow::new(&server, "google").with("type", "link").with("token", &ada.access_token);
            provider.finish(&server, flow, subject).await;
            seen.push(token(&asking(&server, &ada.id, &format!("google/{subject}"), "").server().send().await));
        }
        let mut different = seen.clone();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), 5, "each time the newest token: {seen:?}");
        assert_eq!(provider.count("refresh_token"), 0);
    }

    async fn an_upgraded_anonymous_user_is_connected(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let anonymous = latchkey_tests::people::anonymous(&server).await;
        let flow = Flow::new(&server, "google").with("token", &anonymous.access_token);
        provider.finish(&server, flow, ADA).await;
        token(&asked(&server, &anonymous).send().await);
    }

    async fn with_five_minutes_left_it_is_refreshed(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        let first = token(&asked(&server, &ada).send().await);
        server.clock().advance_seconds(3300 - 1);
        assert_eq!(token(&asked(&server, &ada).send().await), first, "one second more than five minutes");
        server.clock().advance_seconds(1);
        let second = token(&asked(&server, &ada).send().await);
        assert_ne!(second, first);
        assert_eq!(token(&asked(&server, &ada).send().await), second);
        assert_eq!(provider.count("refresh_token"), 1);
    }

    async fn a_token_of_unknown_life_is_good_as_long_as_the_provider_says_so(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        provider.behave(|behaviour| behaviour.expires_in = None);
        let ada = provider.sign_in(&server, "google", ADA).await;
        let first = token(&asked(&server, &ada).send().await);
        server.clock().advance_seconds(365 * 24 * 3600);
        assert_eq!(token(&asked(&server, &ada).send().await), first);
        provider.revoke_access_token(&first);
        assert_ne!(token(&asked(&server, &ada).send().await), first);
    }

    async fn a_revoked_token_is_forgotten_and_the_next_way_is_tried(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        let first = token(&asked(&server, &ada).send().await);
        provider.revoke_access_token(&first);
        let second = token(&asked(&server, &ada).send().await);
        assert_ne!(second, first);
        assert_eq!(provider.count("refresh_token"), 1);
        provider.revoke_everything();
        asked(&server, &ada).send().await.expect_error(400, NOT_ENOUGH);
        let asked_so_far = provider.count("userinfo") + provider.count("refresh_token");
        asked(&server, &ada).send().await.expect_error(400, NOT_ENOUGH);
        assert_eq!(provider.count("userinfo") + provider.count("refresh_token"), asked_so_far, "nothing is left to try");
        provider.sign_in(&server, "google", ADA).await;
        token(&asked(&server, &ada).send().await);
    }

    async fn a_revoked_token_without_a_refresh_token_needs_the_user_again(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        provider.behave(|behaviour| behaviour.gives_refresh_tokens = false);
        let ada = provider.sign_in(&server, "google", ADA).await;
        let first = token(&asked(&server, &ada).send().await);
        provider.revoke_access_token(&first);
        asked(&server, &ada).send().await.expect_error(400, NOT_ENOUGH);
        assert_eq!(provider.count("refresh_token"), 0);
    }

    async fn trouble_while_asking_about_a_token_is_not_held_against_it(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let impatient = server.twin_with(|builder| builder.config("oauth.provider_timeout", "300ms")).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        let first = token(&asked(&server, &ada).send().await);
        for trouble in [Trouble::Status(500), Trouble::Status(503), Trouble::Status(429), Trouble::Status(302), Trouble::Garbage, Trouble::Silence] {
            provider.behave(|behaviour| behaviour.at_userinfo = trouble);
            let server = if trouble == Trouble::Silence { &impatient } else { &server };
            asked(server, &ada).send().await.expect_error(503, NOT_NOW);
        }
        provider.behave(|behaviour| behaviour.at_userinfo = Trouble::None);
        assert_eq!(token(&asked(&server, &ada).send().await), first);
        assert_eq!(provider.count("refresh_token"), 0);
    }

    async fn a_refusal_that_is_not_about_the_token_does_not_end_it(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        let first = token(&asked(&server, &ada).send().await);
        for trouble in [Trouble::Status(403), Trouble::Status(404), Trouble::Status(400), Trouble::Code("invalid_request")] {
            provider.behave(|behaviour| behaviour.at_userinfo = trouble);
            assert_eq!(token(&asked(&server, &ada).send().await), first, "{trouble:?}");
        }
        provider.behave(|behaviour| behaviour.at_userinfo = Trouble::Code("invalid_token"));
        assert_ne!(token(&asked(&server, &ada).send().await), first);
    }
}
