//! Contract 06 §7 and §8: permissions of members and of users.

use latchkey_testkit::{Answer, on_both_engines};
use latchkey_tests::{people, teams};
use serde_json::{Value, json};

use super::{NOBODY, PROJECT, TEAM, define, grant_in_project, in_project};

fn items(answer: &Answer) -> Value {
    answer.expect(200)["items"].clone()
}

on_both_engines! {
    async fn a_member_is_given_a_permission_and_loses_it(server) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::create(&server, "Engines").await;
        teams::add(&server, &team, &ada.id).await.expect(201);
        for _ in 0..2 {
            let given = teams::grant(&server, &team, &ada.id, "$update_team").await.expect(201);
            assert_eq!(given, json!({ "id": "$update_team", "user_id": ada.id, "team_id": team }), "also a second time");
        }
        assert_eq!(teams::permissions(&server, &team, &ada.id, false).await, ["$update_team", "team_member"]);
        assert_eq!(teams::revoke(&server, &team, &ada.id, "$update_team").await.expect(200), json!({ "success": true }));
        assert_eq!(teams::permissions(&server, &team, &ada.id, false).await, ["team_member"]);
    }

    async fn what_cannot_be_given_in_a_team_is_refused(server) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::create(&server, "Engines").await;
        define(&server, PROJECT, "p", &[]).await.expect(201);
        teams::grant(&server, &team, NOBODY, "team_member").await.expect_error(404, "USER_NOT_FOUND");
        for id in [team.as_str(), NOBODY] {
            let details = teams::grant(&server, id, &ada.id, "gone").await.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
            assert_eq!(details, json!({ "team_id": id, "user_id": ada.id }), "membership is looked at first");
        }
        teams::add(&server, &team, &ada.id).await.expect(201);
        let details = teams::grant(&server, &team, &ada.id, "gone").await.expect_error(404, "PERMISSION_NOT_FOUND");
        assert_eq!(details, json!({ "permission_id": "gone" }));
        let details = teams::grant(&server, &team, &ada.id, "p").await.expect_error(404, "WRONG_PERMISSION_SCOPE");
        assert_eq!(details, json!({ "permission_id": "p", "expected_scope": "team", "actual_scope": "project" }));
        teams::grant(&server, &team, &ada.id, "$nothing").await.expect_error(400, "SCHEMA_ERROR");
        let path = format!("/team-permissions/{team}/{}/team_admin", ada.id);
        server.post(&path).server().send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn only_what_is_held_directly_is_taken_away(server) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::create(&server, "Engines").await;
        teams::revoke(&server, &team, &ada.id, "team_member").await.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        teams::add(&server, &team, &ada.id).await.expect(201);
        for id in ["$read_members", "team_admin", "gone"] {
            let details = teams::revoke(&server, &team, &ada.id, id).await.expect_error(401, "TEAM_PERMISSION_NOT_FOUND");
            assert_eq!(details, json!({ "team_id": team, "user_id": ada.id, "permission_id": id }));
        }
    }

    async fn servers_filter_the_list_and_see_it_sorted(server) {
        let (ada, bo) = (people::created(&server, &json!({})).await, people::created(&server, &json!({})).await);
        let (one, two) = (teams::create(&server, "one").await, teams::create(&server, "two").await);
        for team in [&one, &two] {
            for person in [&ada, &bo] {
                teams::add(&server, team, &person.id).await.expect(201);
                teams::grant(&server, team, &person.id, "$read_members").await.expect(201);
            }
        }
        let get = |query: String| server.get(&format!("/team-permissions{query}")).server().send();
        let all = items(&get(String::new()).await);
        let key = |item: &Value| (item["team_id"].to_string(), item["user_id"].to_string());
        let listed = all.as_array().expect("items").clone();
        assert_eq!(listed.len(), 8);
        assert!(listed.is_sorted_by_key(key));
        assert!(listed.chunks(2).all(|pair| pair[0]["id"] == "$read_members" && pair[1]["id"] == "team_member"));
        let count = async |query: String| items(&get(query).await).as_array().expect("items").len();
        assert_eq!(count(format!("?team_id={one}")).await, 4);
        assert_eq!(count(format!("?user_id={}", ada.id)).await, 4);
        assert_eq!(count(format!("?team_id={one}&user_id={}", ada.id)).await, 2);
        assert_eq!(count("?permission_id=team_member".to_owned()).await, 4);
        assert_eq!(count("?permission_id=$invite_members".to_owned()).await, 0, "not directly");
        assert_eq!(count("?permission_id=$invite_members&recursive=true".to_owned()).await, 4);
        assert_eq!(count(format!("?team_id={NOBODY}")).await, 0);
        // What is held twice over is listed once.
        assert_eq!(count(format!("?team_id={one}&user_id={}&recursive=true", ada.id)).await, 3);
        for query in ["?recursive=1", "?permission_id=$x", "?team_id=x", "?x=1"] {
            get(query.to_owned()).await.expect_error(400, "SCHEMA_ERROR");
        }
    }

    async fn clients_ask_for_their_own_only(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        define(&server, PROJECT, "p", &[]).await.expect(201);
        grant_in_project(&server, &ada.id, "p").await.expect(201);
        for endpoint in ["/team-permissions", "/project-permissions"] {
            let get = |query: &str| server.get(&format!("{endpoint}{query}")).client().user(&ada.access_token).send();
            assert_eq!(items(&get("?user_id=me").await).as_array().expect("items").len(), 1);
            assert_eq!(items(&get(&format!("?user_id={}", ada.id)).await).as_array().expect("items").len(), 1);
            get("").await.expect_text(403);
            get(&format!("?user_id={}", bo.id)).await.expect_text(403);
            for query in ["", "?user_id=me"] {
                let nobody = server.get(&format!("{endpoint}{query}")).client().send().await;
                nobody.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
            }
        }
        let path = format!("/team-permissions?team_id={team}&user_id=me&recursive=true");
        let all = server.get(&path).client().user(&ada.access_token).send().await;
        assert_eq!(items(&all).as_array().expect("items").len(), 7, "team_admin and the six that it contains");
    }

    async fn a_user_is_given_a_permission_in_the_project_and_loses_it(server) {
        let ada = people::created(&server, &json!({})).await;
        define(&server, PROJECT, "read", &[]).await.expect(201);
        define(&server, PROJECT, "write", &["read"]).await.expect(201);
        for _ in 0..2 {
            let given = grant_in_project(&server, &ada.id, "write").await.expect(201);
            assert_eq!(given, json!({ "id": "write", "user_id": ada.id }));
        }
        assert_eq!(in_project(&server, &ada.id, false).await, ["write"]);
        assert_eq!(in_project(&server, &ada.id, true).await, ["read", "write"]);
        let all = server.get("/project-permissions?permission_id=read&recursive=true").server().send().await;
        assert_eq!(items(&all), json!([{ "id": "read", "user_id": ada.id }]));
        let revoke = |id: &str| server.delete(&format!("/project-permissions/{}/{id}", ada.id)).server().send();
        let details = revoke("read").await.expect_error(404, "PERMISSION_NOT_FOUND");
        assert_eq!(details, json!({ "permission_id": "read" }));
        assert_eq!(revoke("write").await.expect(200), json!({ "success": true }));
        assert!(in_project(&server, &ada.id, true).await.is_empty());
    }

    async fn what_cannot_be_given_in_the_project_is_refused(server) {
        let ada = people::created(&server, &json!({})).await;
        define(&server, TEAM, "t", &[]).await.expect(201);
        grant_in_project(&server, NOBODY, "gone").await.expect_error(404, "USER_NOT_FOUND");
        for id in ["gone", "$read_members"] {
            let details = grant_in_project(&server, &ada.id, id).await.expect_error(404, "PERMISSION_NOT_FOUND");
            assert_eq!(details, json!({ "permission_id": id }));
        }
        let details = grant_in_project(&server, &ada.id, "t").await.expect_error(404, "WRONG_PERMISSION_SCOPE");
        assert_eq!(details, json!({ "permission_id": "t", "expected_scope": "project", "actual_scope": "team" }));
        let path = format!("/project-permissions/{NOBODY}/gone");
        server.delete(&path).server().send().await.expect_error(404, "USER_NOT_FOUND");
    }
}
