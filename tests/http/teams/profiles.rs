//! Contract 06 §3: what members are called in their teams.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people::Person;
use latchkey_tests::{people, teams, tokens};
use serde_json::{Value, json};

use super::{NOBODY, PNG};

const URL: &str = "https://example.com/ada.png";

/// A team of Ada, its creator, and Bo, who may see nobody.
async fn with_two(server: &TestServer) -> (String, Person, Person) {
    let ada = people::sign_up(server, "ada@example.com").await;
    let bo = people::sign_up(server, "bo@example.com").await;
    people::change(server, &ada.id, &json!({ "display_name": "Ada", "profile_image_url": URL })).await;
    let team = teams::created_by(server, &ada, "Engines").await;
    server.clock().advance_seconds(1);
    teams::add(server, &team, &bo.id).await.expect(201);
    teams::revoke(server, &team, &bo.id, "team_member").await.expect(200);
    (team, ada, bo)
}

on_both_engines! {
    async fn what_is_not_set_for_the_team_is_the_users_own(server) {
        let (team, ada, bo) = with_two(&server).await;
        let path = format!("/team-member-profiles/{team}/me");
        let mine = server.get(&path).client().user(&ada.access_token).send().await.expect(200);
        assert_eq!(mine, json!({ "team_id": team, "user_id": ada.id, "display_name": "Ada", "profile_image_url": URL }));
        let change = |body: Value| server.patch(&path).client().user(&ada.access_token).json(&body).send();
        let changed = change(json!({ "display_name": "Countess" })).await.expect(200);
        assert_eq!((&changed["display_name"], &changed["profile_image_url"]), (&json!("Countess"), &json!(URL)));
        let other = "http://example.com/other.png";
        let changed = change(json!({ "profile_image_url": other })).await.expect(200);
        assert_eq!((&changed["display_name"], &changed["profile_image_url"]), (&json!("Countess"), &json!(other)));
        let changed = change(json!({ "profile_image_url": null, "display_name": "" })).await.expect(200);
        assert_eq!((&changed["display_name"], &changed["profile_image_url"]), (&json!(""), &json!(URL)));
        change(json!({ "display_name": null })).await.expect_error(400, "SCHEMA_ERROR");
        change(json!({ "profile_image_url": "javascript:x" })).await.expect_text(400);
        assert!(change(json!({ "profile_image_url": PNG })).await.expect(200)["profile_image_url"].is_string());
        let own = server.get(&format!("/team-member-profiles/{team}/me")).client().user(&bo.access_token);
        assert_eq!(own.send().await.expect(200)["display_name"], Value::Null);
        assert_eq!(people::seen_by_server(&server, &ada.id).await["display_name"], "Ada");
    }

    async fn servers_see_the_whole_user(server) {
        let (team, ada, bo) = with_two(&server).await;
        let list = server.get(&format!("/team-member-profiles?team_id={team}")).server().send().await.expect(200);
        assert_eq!(list["is_paginated"], false);
        assert_eq!(teams::members(&server, &team).await, [ada.id.clone(), bo.id.clone()], "in the order of joining");
        let profile = &list["items"][0];
        assert_eq!(tokens::keys(profile), ["display_name", "profile_image_url", "team_id", "user", "user_id"]);
        assert_eq!(profile["user"], people::seen_by_server(&server, &ada.id).await);
        let path = format!("/team-member-profiles/{team}/{}", ada.id);
        assert_eq!(server.get(&path).server().send().await.expect(200), *profile);
        let changed = server.patch(&path).server().json(&json!({ "display_name": "X" })).send().await.expect(200);
        assert_eq!((&changed["display_name"], &changed["user"]["display_name"]), (&json!("X"), &json!("Ada")));
    }

    async fn servers_filter_by_team_and_user(server) {
        let (team, ada, _) = with_two(&server).await;
        let other = teams::created_by(&server, &ada, "Other").await;
        let count = async |query: &str| {
            let list = server.get(&format!("/team-member-profiles{query}")).server().send().await.expect(200);
            list["items"].as_array().expect("items").len()
        };
        assert_eq!(count("").await, 3);
        assert_eq!(count(&format!("?user_id={}", ada.id)).await, 2);
        assert_eq!(count(&format!("?team_id={team}&user_id={}", ada.id)).await, 1);
        assert_eq!(count(&format!("?team_id={other}")).await, 1);
        let get = |query: String| server.get(&format!("/team-member-profiles{query}")).server().send();
        get(format!("?team_id={NOBODY}")).await.expect_error(404, "TEAM_NOT_FOUND");
        get(format!("?user_id={NOBODY}")).await.expect_error(404, "USER_NOT_FOUND");
        for id in [NOBODY, team.as_str()] {
            let answer = server.get(&format!("/team-member-profiles/{id}/{NOBODY}")).server().send().await;
            answer.expect_error(404, "USER_NOT_FOUND");
        }
        let path = format!("/team-member-profiles/{NOBODY}/{}", ada.id);
        server.get(&path).server().send().await.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        let change = server.patch(&path).server().json(&json!({ "display_name": "x" }));
        change.send().await.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
    }

    async fn servers_also_list_restricted_and_anonymous_members(server) {
        let team = teams::create(&server, "Engines").await;
        let held = people::restricted(&server).await;
        let nobody = people::anonymous(&server).await;
        for person in [&held, &nobody] {
            server.clock().advance_seconds(1);
            teams::add(&server, &team, &person.id).await.expect(201);
        }
        assert_eq!(teams::members(&server, &team).await, [held.id.clone(), nobody.id.clone()]);
    }

    async fn clients_see_themselves_and_others_with_the_permission_only(server) {
        let (team, ada, bo) = with_two(&server).await;
        let cy = people::sign_up(&server, "cy@example.com").await;
        let as_bo = |path: String| server.get(&path).client().user(&bo.access_token).send();
        as_bo("/team-member-profiles".to_owned()).await.expect_text(400);
        let all = format!("/team-member-profiles?team_id={team}");
        let details = as_bo(all.clone()).await.expect_error(401, "TEAM_PERMISSION_REQUIRED");
        assert_eq!(details, json!({ "team_id": team, "user_id": bo.id, "permission_id": "$read_members" }));
        let mine = as_bo(format!("{all}&user_id=me")).await.expect(200);
        assert_eq!(mine["items"].as_array().expect("items").len(), 1);
        assert!(mine["items"][0].get("user").is_none());
        as_bo(format!("/team-member-profiles/{team}/{}", ada.id)).await.expect_error(401, "TEAM_PERMISSION_REQUIRED");
        teams::grant(&server, &team, &bo.id, "$read_members").await.expect(201);
        assert_eq!(as_bo(all.clone()).await.expect(200)["items"].as_array().expect("items").len(), 2);
        let seen = as_bo(format!("/team-member-profiles/{team}/{}", ada.id)).await.expect(200);
        assert_eq!(seen["display_name"], "Ada");
        as_bo(format!("/team-member-profiles/{team}/{}", cy.id)).await.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        server.get(&all).client().user(&cy.access_token).send().await.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        for path in [all, format!("/team-member-profiles/{team}/me"), format!("/team-member-profiles/{team}/{}", ada.id)] {
            server.get(&path).client().send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        }
    }

    async fn clients_change_their_own_profiles_only(server) {
        let (team, ada, bo) = with_two(&server).await;
        let cy = people::sign_up(&server, "cy@example.com").await;
        let body = json!({ "display_name": "x" });
        let path = format!("/team-member-profiles/{team}/{}", bo.id);
        server.patch(&path).client().user(&ada.access_token).json(&body).send().await.expect_text(403);
        let mine = format!("/team-member-profiles/{team}/me");
        let answer = server.patch(&mine).client().user(&cy.access_token).json(&body).send().await;
        answer.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        server.patch(&mine).client().json(&body).send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        server.patch(&path).client().json(&body).send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
    }
}
