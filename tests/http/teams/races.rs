//! Fifty at once: whoever loses gets a known error, and what the winner did stands once.

use latchkey_testkit::{Answer, on_both_engines};
use latchkey_tests::people::Person;
use latchkey_tests::{join_all, people, teams};
use serde_json::{Value, json};

const MANY: usize = 50;

#[track_caller]
fn count(answers: &[Answer], status: u16) -> usize {
    for answer in answers {
        assert!(answer.status < 500, "{}", answer.text());
    }
    answers.iter().filter(|answer| answer.status == status).count()
}

on_both_engines! {
    async fn fifty_accepts_of_one_user_give_one_membership(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::create(&server, "Engines").await;
        let (_, code) = teams::invite(&server, &team, "ada@example.com").await;
        let answers = join_all((0..MANY).map(|_| teams::accept(&server, &ada, &code))).await;
        assert_eq!(count(&answers, 200), 1);
        for loser in answers.iter().filter(|answer| answer.status != 200) {
            let code = loser.header("x-stack-known-error").unwrap_or_default();
            let known = ["VERIFICATION_CODE_ALREADY_USED", "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED"];
            assert!(known.contains(&code), "{}", loser.text());
        }
        assert_eq!(teams::members(&server, &team).await, [ada.id.as_str()]);
        assert_eq!(teams::permissions(&server, &team, &ada.id, false).await, ["team_member"]);
    }

    async fn of_fifty_users_with_one_code_exactly_one_gets_in(server) {
        let mut people: Vec<Person> = Vec::new();
        for _ in 0..MANY {
            people.push(people::created(&server, &json!({})).await);
        }
        let team = teams::create(&server, "Engines").await;
        let (_, code) = teams::invite(&server, &team, "ada@example.com").await;
        let answers = join_all(people.iter().map(|person| teams::accept(&server, person, &code))).await;
        assert_eq!(count(&answers, 200), 1);
        let winner = answers.iter().position(|answer| answer.status == 200).expect("a winner");
        assert_eq!(teams::members(&server, &team).await, [people[winner].id.clone()]);
    }

    async fn fifty_accepts_by_id_give_one_membership(server) {
        let fields = json!({ "primary_email": "cy@example.com", "primary_email_verified": true });
        let cy = people::created(&server, &fields).await;
        let team = teams::create(&server, "Engines").await;
        let (id, _) = teams::invite(&server, &team, "cy@example.com").await;
        let path = format!("/team-invitations/{id}/accept?user_id=me");
        let accept = || server.post(&path).client().user(&cy.access_token).send();
        let answers = join_all((0..MANY).map(|_| accept())).await;
        assert_eq!(count(&answers, 200), 1);
        assert_eq!(count(&answers, 404), MANY - 1);
        assert_eq!(teams::members(&server, &team).await, [cy.id.as_str()]);
    }

    async fn two_open_invitations_at_once_give_one_membership(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::create(&server, "Engines").await;
        let mut codes = Vec::new();
        for _ in 0..8 {
            codes.push(teams::invite(&server, &team, "ada@example.com").await.1);
        }
        let answers = join_all(codes.iter().map(|code| teams::accept(&server, &ada, code))).await;
        assert_eq!(count(&answers, 200), codes.len(), "whoever is a member already has nothing to complain of");
        assert_eq!(teams::members(&server, &team).await, [ada.id.as_str()]);
    }

    async fn fifty_joinings_give_one_membership_and_known_errors(server) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::create(&server, "Engines").await;
        let answers = join_all((0..MANY).map(|_| teams::add(&server, &team, &ada.id))).await;
        assert_eq!((count(&answers, 201), count(&answers, 409)), (1, MANY - 1));
        assert_eq!(teams::permissions(&server, &team, &ada.id, false).await, ["team_member"]);
    }

    async fn a_grant_to_a_member_who_is_being_removed_leaves_nothing_behind(server) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::create(&server, "Engines").await;
        for _ in 0..10 {
            teams::add(&server, &team, &ada.id).await.expect(201);
            let grants = (0..5).map(|_| async { teams::grant(&server, &team, &ada.id, "$delete_team").await });
            let (granted, removed) =
                tokio::join!(join_all(grants), async { teams::remove(&server, &team, &ada.id).await });
            removed.expect(200);
            for answer in granted {
                if answer.status != 201 {
                    answer.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
                }
            }
            assert_eq!(server.get("/team-permissions").server().send().await.expect(200)["items"], json!([]));
        }
    }

    async fn nobody_works_in_a_team_that_they_are_leaving(server) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::create(&server, "Engines").await;
        for _ in 0..10 {
            teams::add(&server, &team, &ada.id).await.expect(201);
            let path = format!("/users/{}", ada.id);
            let body = json!({ "selected_team_id": team });
            let select = server.patch(&path).server().json(&body).send();
            let (selected, removed) =
                tokio::join!(select, async { teams::remove(&server, &team, &ada.id).await });
            removed.expect(200);
            assert!(selected.status == 200 || selected.status == 404, "{}", selected.text());
            assert_eq!(people::seen_by_server(&server, &ada.id).await["selected_team_id"], Value::Null);
        }
    }

    async fn concurrent_changes_of_a_team_are_all_kept(server) {
        let team = teams::create(&server, "Engines").await;
        let path = format!("/teams/{team}");
        let bodies = [
            json!({ "display_name": "Motors" }), json!({ "client_metadata": 1 }), json!({ "client_read_only_metadata": 2 }),
            json!({ "server_metadata": 3 }), json!({ "profile_image_url": "https://example.com/a.png" }),
        ];
        let answers = join_all(bodies.iter().map(|body| server.patch(&path).server().json(body).send())).await;
        assert_eq!(count(&answers, 200), bodies.len());
        let seen = server.get(&path).server().send().await.expect(200);
        for body in bodies {
            for (name, value) in body.as_object().expect("an object") {
                assert_eq!(seen[name], *value, "{name}");
            }
        }
    }
}
