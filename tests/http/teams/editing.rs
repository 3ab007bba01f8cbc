//! Contract 06 §1: reading, changing and deleting a team.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people::Person;
use latchkey_tests::{people, teams};
use serde_json::{Value, json};

use super::{NOBODY, PNG};

/// A team with a creator and an ordinary member.
async fn with_two(server: &TestServer) -> (String, Person, Person) {
    let ada = people::sign_up(server, "ada@example.com").await;
    let bo = people::sign_up(server, "bo@example.com").await;
    let team = teams::created_by(server, &ada, "Engines").await;
    teams::add(server, &team, &bo.id).await.expect(201);
    (team, ada, bo)
}

on_both_engines! {
    async fn members_read_their_team_and_nobody_elses(server) {
        let (team, ada, _) = with_two(&server).await;
        let cy = people::sign_up(&server, "cy@example.com").await;
        let path = format!("/teams/{team}");
        let seen = server.get(&path).client().user(&ada.access_token).send().await.expect(200);
        assert_eq!((&seen["id"], &seen["display_name"]), (&json!(team), &json!("Engines")));
        assert!(seen.get("server_metadata").is_none());
        server.get(&path).client().send().await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
        for id in [team.as_str(), NOBODY] {
            let answer = server.get(&format!("/teams/{id}")).client().user(&cy.access_token).send().await;
            let details = answer.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
            assert_eq!(details, json!({ "team_id": id, "user_id": cy.id }));
        }
        assert_eq!(server.get(&path).server().send().await.expect(200)["created_at_millis"], server.app().now());
        let details = server.get(&format!("/teams/{NOBODY}")).server().send().await.expect_error(404, "TEAM_NOT_FOUND");
        assert_eq!(details, json!({ "team_id": NOBODY }));
        server.get("/teams/x").server().send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn a_client_changes_a_team_with_the_permission_only(server) {
        let (team, ada, bo) = with_two(&server).await;
        let path = format!("/teams/{team}");
        let body = json!({ "display_name": "Motors", "client_metadata": { "x": 1 } });
        let changed = server.patch(&path).client().user(&ada.access_token).json(&body).send().await.expect(200);
        assert_eq!((&changed["display_name"], &changed["client_metadata"]), (&json!("Motors"), &json!({ "x": 1 })));
        let answer = server.patch(&path).client().user(&bo.access_token).json(&body).send().await;
        let details = answer.expect_error(401, "TEAM_PERMISSION_REQUIRED");
        assert_eq!(details, json!({ "team_id": team, "user_id": bo.id, "permission_id": "$update_team" }));
        teams::grant(&server, &team, &bo.id, "$update_team").await.expect(201);
        server.patch(&path).client().user(&bo.access_token).json(&body).send().await.expect(200);
        server.patch(&path).client().json(&body).send().await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
        for extra in ["server_metadata", "client_read_only_metadata", "creator_user_id"] {
            let body = json!({ extra: "me" });
            let answer = server.patch(&path).client().user(&ada.access_token).json(&body).send().await;
            answer.expect_error(400, "SCHEMA_ERROR");
        }
        let url = json!({ "profile_image_url": "https://example.com/a.png" });
        server.patch(&path).client().user(&ada.access_token).json(&url).send().await.expect_text(400);
        let inline = json!({ "profile_image_url": PNG });
        let changed = server.patch(&path).client().user(&ada.access_token).json(&inline).send().await.expect(200);
        assert!(changed["profile_image_url"].is_string());
    }

    async fn a_server_changes_what_it_names_and_nothing_else(server) {
        let team = teams::create(&server, "Engines").await;
        let path = format!("/teams/{team}");
        let change = |body: Value| server.patch(&path).server().json(&body).send();
        let full = json!({
            "display_name": "", "profile_image_url": "https://example.com/a.png", "client_metadata": 1,
            "client_read_only_metadata": 2, "server_metadata": 3,
        });
        let changed = change(full).await.expect(200);
        assert_eq!(change(json!({})).await.expect(200), changed, "absent fields stay");
        let nulls = json!({
            "profile_image_url": null, "client_metadata": null, "client_read_only_metadata": null, "server_metadata": null,
        });
        let cleared = change(nulls).await.expect(200);
        assert_eq!(cleared, json!({
            "id": team, "display_name": "", "profile_image_url": null, "client_metadata": null,
            "client_read_only_metadata": null, "server_metadata": null, "created_at_millis": server.app().now(),
        }));
        for wrong in [json!({ "display_name": null }), json!({ "creator_user_id": NOBODY }), json!({ "created_at_millis": 1 })] {
            change(wrong).await.expect_error(400, "SCHEMA_ERROR");
        }
        let answer = server.patch(&format!("/teams/{NOBODY}")).server().json(&json!({})).send().await;
        answer.expect_error(404, "TEAM_NOT_FOUND");
    }

    async fn a_client_deletes_a_team_with_the_permission_only(server) {
        let (team, ada, bo) = with_two(&server).await;
        let path = format!("/teams/{team}");
        server.delete(&path).client().send().await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
        let answer = server.delete(&path).client().user(&bo.access_token).send().await;
        assert_eq!(answer.expect_error(401, "TEAM_PERMISSION_REQUIRED")["permission_id"], "$delete_team");
        let answer = server.delete(&path).client().user(&ada.access_token).send().await;
        assert_eq!(answer.expect(200), json!({ "success": true }));
        server.delete(&path).client().user(&ada.access_token).send().await.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        server.delete(&path).server().send().await.expect_error(404, "TEAM_NOT_FOUND");
    }

    async fn everything_of_a_deleted_team_goes_with_it(server) {
        let (team, ada, bo) = with_two(&server).await;
        let other = teams::created_by(&server, &ada, "Other").await;
        people::change(&server, &ada.id, &json!({ "selected_team_id": team })).await;
        people::change(&server, &bo.id, &json!({ "selected_team_id": team })).await;
        let (_, code) = teams::invite(&server, &team, "cy@example.com").await;
        server.delete(&format!("/teams/{team}")).server().send().await.expect(200);
        for person in [&ada, &bo] {
            let user = people::seen_by_server(&server, &person.id).await;
            assert_eq!((&user["selected_team_id"], &user["selected_team"]), (&Value::Null, &Value::Null));
        }
        assert_eq!(teams::ids(&server.get("/teams").server().send().await.expect(200)), [other.as_str()]);
        let all = server.get("/team-permissions").server().send().await.expect(200);
        assert_eq!(all["items"], json!([{ "id": "team_admin", "user_id": ada.id, "team_id": other }]));
        let mine = server.get("/team-invitations?user_id=me").client().user(&ada.access_token).send().await.expect(200);
        assert_eq!(mine["items"], json!([]));
        teams::accept(&server, &bo, &code).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
    }
}
