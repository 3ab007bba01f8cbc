//! Somebody who was invited joins a team, by the page that the mail leads to.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::people::{self, PASSWORD, Person};
use latchkey_tests::teams;
use serde_json::json;

use super::{cookie, press, shown, takes_the_cookie, visit};

/// Ada, invited to a team; the team and the page.
async fn invited(server: &TestServer) -> (Person, String, String) {
    let ada = people::sign_up(server, "ada@example.com").await;
    let team = teams::create(server, "Herons & Co").await;
    let (_, code) = teams::invite(server, &team, "ada@example.com").await;
    (ada, team, format!("team-invitation?code={code}"))
}

async fn sign_in(server: &TestServer, page: &str) -> Answer {
    let fields = [("action", "sign-in"), ("email", "ada@example.com"), ("password", PASSWORD)];
    press(server, page, &fields).send().await
}

on_both_engines! {
    async fn somebody_signs_in_looks_and_joins(server) {
        let (ada, team, page) = invited(&server).await;
        let html = shown(&visit(&server, &page).send().await, 200);
        assert!(!html.contains("Herons"), "what the invitation is about is told to nobody: {html}");
        let session = cookie(&sign_in(&server, &page).await);
        for _ in 0..30 {
            let html = shown(&visit(&server, &page).header("cookie", &session).send().await, 200);
            assert!(html.contains("Show the invitation") && !html.contains("Herons"), "{html}");
        }
        let look = press(&server, &page, &[("action", "look")]).header("cookie", &session).send().await;
        assert!(shown(&look, 200).contains("Join Herons &amp; Co"), "{}", look.text());
        assert!(teams::members(&server, &team).await.is_empty());
        let join = press(&server, &page, &[("action", "join")]).header("cookie", &session).send().await;
        assert!(shown(&join, 200).contains("joined"));
        assert!(takes_the_cookie(&join));
        assert_eq!(teams::members(&server, &team).await, [ada.id.as_str()]);
        let again = sign_in(&server, &page).await;
        let again = press(&server, &page, &[("action", "join")]).header("cookie", &cookie(&again)).send().await;
        assert!(shown(&again, 409).contains("used before"));
    }

    async fn nobody_joins_without_signing_in(server) {
        let (_, team, page) = invited(&server).await;
        for action in ["look", "join"] {
            let answer = press(&server, &page, &[("action", action)]).send().await;
            assert_eq!(answer.status, 401, "{}", answer.text());
        }
        assert!(teams::members(&server, &team).await.is_empty());
    }

    async fn a_restricted_user_does_not_join(server) {
        let (ada, team, page) = invited(&server).await;
        people::change(&server, &ada.id, &json!({ "restricted_by_admin": true })).await;
        let session = cookie(&sign_in(&server, &page).await);
        let answer = press(&server, &page, &[("action", "join")]).header("cookie", &session).send().await;
        shown(&answer, 403);
        assert!(teams::members(&server, &team).await.is_empty());
    }
}
