//! Contract 06 §2: joining and leaving.

use latchkey_testkit::on_both_engines;
use latchkey_tests::{people, teams};
use serde_json::{Value, json};

use super::NOBODY;

on_both_engines! {
    async fn a_server_puts_a_user_into_a_team_once(server) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::create(&server, "Engines").await;
        let joined = teams::add(&server, &team, &ada.id).await.expect(201);
        assert_eq!(joined, json!({ "team_id": team, "user_id": ada.id }));
        assert_eq!(teams::permissions(&server, &team, &ada.id, false).await, ["team_member"]);
        let effective = teams::permissions(&server, &team, &ada.id, true).await;
        assert_eq!(effective, ["$invite_members", "$read_members", "team_member"]);
        teams::add(&server, &team, &ada.id).await.expect_error(409, "TEAM_MEMBERSHIP_ALREADY_EXISTS");
    }

    async fn unknown_users_and_teams_are_told_apart(server) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::create(&server, "Engines").await;
        teams::add(&server, &team, NOBODY).await.expect_error(404, "USER_NOT_FOUND");
        teams::add(&server, NOBODY, NOBODY).await.expect_error(404, "USER_NOT_FOUND");
        let details = teams::add(&server, NOBODY, &ada.id).await.expect_error(404, "TEAM_NOT_FOUND");
        assert_eq!(details, json!({ "team_id": NOBODY }));
        let path = format!("/team-memberships/{team}/{}", ada.id);
        server.post(&path).server().send().await.expect_error(400, "SCHEMA_ERROR");
        server.post(&path).server().json(&json!({ "x": 1 })).send().await.expect_error(400, "SCHEMA_ERROR");
        server.post(&format!("{path}?x=1")).server().json(&json!({})).send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn everybody_may_leave_and_takes_nothing_along(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::create(&server, "Engines").await;
        teams::add(&server, &team, &ada.id).await.expect(201);
        teams::grant(&server, &team, &ada.id, "$delete_team").await.expect(201);
        people::change(&server, &ada.id, &json!({ "selected_team_id": team })).await;
        let leave = || {
            let path = format!("/team-memberships/{team}/me");
            server.delete(&path).client().user(&ada.access_token).json(&json!({})).send()
        };
        assert_eq!(leave().await.expect(200), json!({ "success": true }));
        assert_eq!(people::seen_by_server(&server, &ada.id).await["selected_team_id"], Value::Null);
        let details = leave().await.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        assert_eq!(details, json!({ "team_id": team, "user_id": ada.id }));
        teams::add(&server, &team, &ada.id).await.expect(201);
        assert_eq!(teams::permissions(&server, &team, &ada.id, false).await, ["team_member"], "old grants do not return");
    }

    async fn another_selected_team_stays_selected(server) {
        let ada = people::created(&server, &json!({})).await;
        let (one, other) = (teams::create(&server, "one").await, teams::create(&server, "other").await);
        for team in [&one, &other] {
            teams::add(&server, team, &ada.id).await.expect(201);
        }
        people::change(&server, &ada.id, &json!({ "selected_team_id": other })).await;
        teams::remove(&server, &one, &ada.id).await.expect(200);
        assert_eq!(people::seen_by_server(&server, &ada.id).await["selected_team_id"], other);
    }

    async fn a_client_removes_others_with_the_permission_only(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let cy = people::sign_up(&server, "cy@example.com").await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        teams::add(&server, &team, &bo.id).await.expect(201);
        let path = format!("/team-memberships/{team}/{}", ada.id);
        server.delete(&path).client().send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        let answer = server.delete(&path).client().user(&bo.access_token).send().await;
        let details = answer.expect_error(401, "TEAM_PERMISSION_REQUIRED");
        assert_eq!(details, json!({ "team_id": team, "user_id": bo.id, "permission_id": "$remove_members" }));
        let answer = server.delete(&path).client().user(&cy.access_token).send().await;
        answer.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        let out = |user: &str| {
            let path = format!("/team-memberships/{team}/{user}");
            server.delete(&path).client().user(&ada.access_token).send()
        };
        out(&cy.id).await.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        out(NOBODY).await.expect_error(404, "USER_NOT_FOUND");
        out(&bo.id).await.expect(200);
        assert_eq!(teams::members(&server, &team).await, [ada.id.as_str()]);
    }

    async fn a_server_removes_anybody(server) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        teams::remove(&server, NOBODY, &ada.id).await.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        teams::remove(&server, &team, NOBODY).await.expect_error(404, "USER_NOT_FOUND");
        teams::remove(&server, &team, &ada.id).await.expect(200);
        assert!(teams::members(&server, &team).await.is_empty(), "a team may be empty");
        server.get(&format!("/teams/{team}")).server().send().await.expect(200);
    }

    async fn a_deleted_user_is_in_no_team(server) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        server.delete(&format!("/users/{}", ada.id)).server().send().await.expect(200);
        assert!(teams::members(&server, &team).await.is_empty());
        assert_eq!(server.get("/team-permissions").server().send().await.expect(200)["items"], json!([]));
    }
}
