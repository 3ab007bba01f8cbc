//! Many at once: the provider is asked once, in one process and in several, and no answer of it is lost.

use latchkey_storage::oauth_tokens;
use latchkey_testkit::on_both_engines;
use latchkey_tests::oauth_provider::{OauthProvider, Trouble};
use latchkey_tests::{join_all, oauth};

use super::{ADA, NOT_NOW, asked, rows, token};

on_both_engines! {
    async fn of_24_callers_one_refreshes_and_all_get_its_token(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        for round in [1, 2] {
            server.clock().advance_seconds(3600);
            provider.close_gate();
            let callers = join_all((0..24).map(|_| asked(&server, &ada).send()));
            let opening = async {
                provider.wait_for("refresh_token", round).await;
                provider.open_gate();
            };
            let (answers, ()) = tokio::join!(callers, opening);
            let mut tokens: Vec<String> = answers.iter().map(token).collect();
            tokens.dedup();
            assert_eq!(tokens.len(), 1, "{tokens:?}");
            assert_eq!(provider.count("refresh_token"), round);
        }
    }

    async fn callers_of_several_servers_wait_for_the_one_that_refreshes(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        let twins = [server.twin().await, server.twin().await];
        let servers = [&server, &twins[0], &twins[1]];
        for each in servers {
            each.clock().advance_seconds(3600);
        }
        provider.close_gate();
        let callers = join_all((0..24).map(|number| asked(servers[number % 3], &ada).send()));
        let opening = async {
            provider.wait_for("refresh_token", 1).await;
            provider.open_gate();
        };
        let (answers, ()) = tokio::join!(callers, opening);
        let mut tokens: Vec<String> = answers.iter().map(token).collect();
        tokens.dedup();
        assert_eq!(tokens.len(), 1, "{tokens:?}");
        assert_eq!(provider.count("refresh_token"), 1);
    }

    async fn trouble_reaches_everybody_who_waits(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        server.clock().advance_seconds(3600);
        provider.behave(|behaviour| behaviour.at_refresh = Trouble::Status(503));
        provider.close_gate();
        // The second one comes while the first one waits for the provider.
        let first = asked(&server, &ada).send();
        let second = async {
            provider.wait_for("refresh_token", 1).await;
            let (answer, ()) = tokio::join!(asked(&server, &ada).send(), async {
                tokio::task::yield_now().await;
                provider.open_gate();
            });
            answer
        };
        let (first, second) = tokio::join!(first, second);
        first.expect_error(503, NOT_NOW);
        second.expect_error(503, NOT_NOW);
    }

    async fn a_refresh_goes_on_when_its_caller_has_gone(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        server.clock().advance_seconds(3600);
        provider.close_gate();
        tokio::select! {
            answer = asked(&server, &ada).send() => panic!("the gate is closed: {}", answer.text()),
            () = provider.wait_for("refresh_token", 1) => {}
        }
        provider.open_gate();
        token(&asked(&server, &ada).send().await);
        assert_eq!(provider.count("refresh_token"), 1, "the answer was not lost");
    }

    async fn a_server_that_died_while_refreshing_holds_up_the_others_for_a_while_only(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        server.clock().advance_seconds(3600);
        let row = rows(&server).await.remove(0);
        let (now, lease) = (server.app().now(), 22_000);
        let claim = || oauth_tokens::claim(&row, now, now + lease).exactly(1);
        server.app().store.batch(vec![claim()]).await.expect("a claim");
        assert!(server.app().store.batch(vec![claim()]).await.is_err(), "one at a time");
        server.clock().advance_millis(lease);
        token(&asked(&server, &ada).send().await);
        assert_eq!(provider.count("refresh_token"), 1);
        assert_eq!(rows(&server).await[0].refreshing_until, 0);
    }

    async fn nothing_that_was_decided_about_old_tokens_is_done_to_new_ones(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        server.clock().advance_seconds(3600);
        let old = rows(&server).await.remove(0);
        let current = token(&asked(&server, &ada).send().await);
        let late = vec![
            oauth_tokens::end_access_token(&old), oauth_tokens::end_refresh_token(&old), oauth_tokens::renew(&old),
            oauth_tokens::claim(&old, server.app().now(), i64::MAX), oauth_tokens::release(&old, 0),
        ];
        let outcomes = server.app().store.batch(late).await.expect("statements");
        assert!(outcomes.iter().all(|outcome| outcome.affected == 0));
        assert_eq!(token(&asked(&server, &ada).send().await), current);
    }

    async fn signing_in_while_somebody_refreshes_gives_both_a_token(server, builder = oauth::builder()) {
        let (provider, server) = OauthProvider::beside(&server).await;
        let ada = provider.sign_in(&server, "google", ADA).await;
        server.clock().advance_seconds(3600);
        provider.close_gate();
        let again = async {
            provider.wait_for("refresh_token", 1).await;
            provider.sign_in(&server, "google", ADA).await;
            provider.open_gate();
        };
        let (answer, ()) = tokio::join!(asked(&server, &ada).send(), again);
        token(&answer);
        token(&asked(&server, &ada).send().await);
        assert_eq!(rows(&server).await.len(), 1, "the newer grant took the place of the older one");
    }
}
