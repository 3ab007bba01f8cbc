//! Contract 06 §6: permission definitions.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::{people, teams};
use serde_json::{Value, json};

use super::{PROJECT, TEAM, define, defined, grant_in_project, in_project};

fn ids(definitions: &[Value]) -> Vec<&str> {
    definitions.iter().map(|definition| definition["id"].as_str().expect("an id")).collect()
}

async fn change(server: &TestServer, endpoint: &str, id: &str, body: Value) -> latchkey_testkit::Answer {
    server.patch(&format!("{endpoint}/{id}")).admin().json(&body).send().await
}

on_both_engines! {
    async fn a_new_project_has_two_team_permissions_and_the_servers_six(server) {
        let all = defined(&server, TEAM).await;
        assert_eq!(ids(&all), [
            "$delete_team", "$invite_members", "$manage_api_keys", "$read_members", "$remove_members", "$update_team",
            "team_admin", "team_member",
        ]);
        for system in &all[..6] {
            assert!(system["description"].is_string());
            assert_eq!(system["contained_permission_ids"], json!([]));
        }
        assert_eq!(all[7], json!({ "id": "team_member", "contained_permission_ids": ["$invite_members", "$read_members"] }));
        assert_eq!(all[6]["contained_permission_ids"].as_array().expect("ids").len(), 6);
        assert!(defined(&server, PROJECT).await.is_empty());
    }

    async fn definitions_are_added_and_sorted_by_id(server) {
        for id in ["b", "a_z", "1", "aaa"] {
            define(&server, PROJECT, id, &[]).await.expect(201);
        }
        let body = json!({ "id": "c:d", "description": "What it is for", "contained_permission_ids": ["b", "1", "b"] });
        let made = server.post(PROJECT).admin().json(&body).send().await.expect(201);
        assert_eq!(made, json!({ "id": "c:d", "description": "What it is for", "contained_permission_ids": ["1", "b"] }));
        assert_eq!(ids(&defined(&server, PROJECT).await), ["1", "aaa", "a_z", "b", "c:d"]);
    }

    async fn both_scopes_share_their_ids(server) {
        define(&server, PROJECT, "reader", &[]).await.expect(201);
        for endpoint in [TEAM, PROJECT] {
            for id in ["reader", "team_member"] {
                let details = define(&server, endpoint, id, &[]).await.expect_error(400, "PERMISSION_ID_ALREADY_EXISTS");
                assert_eq!(details, json!({ "permission_id": id }));
            }
        }
    }

    async fn what_is_contained_must_exist_in_the_same_scope(server) {
        define(&server, PROJECT, "p", &[]).await.expect(201);
        let cases = [
            (TEAM, vec!["$read_members", "gone", "p"], "gone"), (TEAM, vec!["p"], "p"), (TEAM, vec!["new"], "new"),
            (PROJECT, vec!["p", "team_member"], "team_member"), (PROJECT, vec!["$read_members"], "$read_members"),
        ];
        for (endpoint, contained, first) in cases {
            let answer = define(&server, endpoint, "new", &contained).await;
            let details = answer.expect_error(400, "CONTAINED_PERMISSION_NOT_FOUND");
            assert_eq!(details, json!({ "permission_id": first }));
        }
        define(&server, TEAM, "new", &["team_member", "$update_team"]).await.expect(201);
    }

    async fn a_change_too_contains_only_what_exists_in_the_same_scope(server) {
        define(&server, PROJECT, "p", &[]).await.expect(201);
        define(&server, PROJECT, "q", &["p"]).await.expect(201);
        define(&server, TEAM, "lead", &["team_member"]).await.expect(201);
        let before = (defined(&server, TEAM).await, defined(&server, PROJECT).await);
        let cases = [
            (TEAM, "lead", vec!["$read_members", "gone", "p"], "gone"), (TEAM, "lead", vec!["p", "gone"], "p"),
            (PROJECT, "q", vec!["p", "team_member"], "team_member"), (PROJECT, "q", vec!["gone", "team_member"], "gone"),
            (PROJECT, "q", vec!["$read_members"], "$read_members"),
        ];
        for (endpoint, id, contained, first) in cases {
            let body = json!({ "id": "new", "description": "text", "contained_permission_ids": contained });
            let details = change(&server, endpoint, id, body).await.expect_error(400, "CONTAINED_PERMISSION_NOT_FOUND");
            assert_eq!(details, json!({ "permission_id": first }));
        }
        assert_eq!((defined(&server, TEAM).await, defined(&server, PROJECT).await), before);
        let contained = json!(["$update_team", "team_admin"]);
        let changed = change(&server, TEAM, "lead", json!({ "contained_permission_ids": contained })).await;
        assert_eq!(changed.expect(200)["contained_permission_ids"], contained);
    }

    async fn ids_follow_their_grammar(server) {
        for id in ["", "A", "a-b", "a b", "$x", "$read_members", "é"] {
            define(&server, TEAM, id, &[]).await.expect_error(400, "SCHEMA_ERROR");
        }
        for contained in ["$x", "A", ""] {
            define(&server, TEAM, "fine", &[contained]).await.expect_error(400, "SCHEMA_ERROR");
        }
        change(&server, TEAM, "team_member", json!({ "id": "$x" })).await.expect_error(400, "SCHEMA_ERROR");
        change(&server, TEAM, "$x", json!({})).await.expect_error(400, "SCHEMA_ERROR");
        let null = server.post(TEAM).admin().json(&json!({ "id": "x", "description": null })).send().await;
        null.expect_error(400, "SCHEMA_ERROR");
    }

    async fn a_change_replaces_everything(server) {
        let body = json!({ "id": "a", "description": "text", "contained_permission_ids": ["team_member"] });
        server.post(TEAM).admin().json(&body).send().await.expect(201);
        let emptied = change(&server, TEAM, "a", json!({})).await.expect(200);
        assert_eq!(emptied, json!({ "id": "a", "contained_permission_ids": [] }));
        let filled = change(&server, TEAM, "a", json!({ "id": "a", "description": "", "contained_permission_ids": ["$read_members"] })).await;
        assert_eq!(filled.expect(200), json!({ "id": "a", "description": "", "contained_permission_ids": ["$read_members"] }));
    }

    async fn a_new_id_is_followed_by_containments_and_grants_but_not_by_defaults(server) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::create(&server, "Engines").await;
        teams::add(&server, &team, &ada.id).await.expect(201);
        define(&server, TEAM, "lead", &["team_member"]).await.expect(201);
        let renamed = json!({ "id": "peer", "contained_permission_ids": ["$read_members"] });
        change(&server, TEAM, "team_member", renamed).await.expect(200);
        assert_eq!(teams::permissions(&server, &team, &ada.id, false).await, ["peer"]);
        let lead = defined(&server, TEAM).await.into_iter().find(|definition| definition["id"] == "lead").expect("lead");
        assert_eq!(lead["contained_permission_ids"], json!(["peer"]));
        let bo = people::created(&server, &json!({})).await;
        teams::add(&server, &team, &bo.id).await.expect(201);
        assert!(teams::permissions(&server, &team, &bo.id, false).await.is_empty(), "the default names what is gone");

        define(&server, PROJECT, "p", &[]).await.expect(201);
        grant_in_project(&server, &ada.id, "p").await.expect(201);
        change(&server, PROJECT, "p", json!({ "id": "q" })).await.expect(200);
        assert_eq!(in_project(&server, &ada.id, false).await, ["q"]);
        let taken = change(&server, PROJECT, "q", json!({ "id": "lead" })).await;
        taken.expect_error(400, "PERMISSION_ID_ALREADY_EXISTS");
    }

    async fn a_circle_of_containment_ends(server) {
        define(&server, TEAM, "a", &[]).await.expect(201);
        define(&server, TEAM, "b", &["a", "$read_members"]).await.expect(201);
        change(&server, TEAM, "a", json!({ "contained_permission_ids": ["b", "a"] })).await.expect(200);
        let ada = people::created(&server, &json!({})).await;
        let team = teams::create(&server, "Engines").await;
        teams::add(&server, &team, &ada.id).await.expect(201);
        teams::revoke(&server, &team, &ada.id, "team_member").await.expect(200);
        teams::grant(&server, &team, &ada.id, "a").await.expect(201);
        assert_eq!(teams::permissions(&server, &team, &ada.id, true).await, ["$read_members", "a", "b"]);
        change(&server, TEAM, "a", json!({ "id": "z", "contained_permission_ids": ["b", "a"] })).await.expect(200);
        assert_eq!(teams::permissions(&server, &team, &ada.id, true).await, ["$read_members", "b", "z"]);
    }

    async fn what_is_removed_is_contained_and_held_nowhere(server) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::create(&server, "Engines").await;
        teams::add(&server, &team, &ada.id).await.expect(201);
        define(&server, TEAM, "lead", &["team_member"]).await.expect(201);
        define(&server, PROJECT, "p", &[]).await.expect(201);
        grant_in_project(&server, &ada.id, "p").await.expect(201);
        let remove = |endpoint: &str, id: &str| server.delete(&format!("{endpoint}/{id}")).admin().send();
        assert_eq!(remove(TEAM, "team_member").await.expect(200), json!({ "success": true }));
        remove(PROJECT, "p").await.expect(200);
        assert!(teams::permissions(&server, &team, &ada.id, false).await.is_empty());
        let lead = defined(&server, TEAM).await.into_iter().find(|definition| definition["id"] == "lead").expect("lead");
        assert_eq!(lead["contained_permission_ids"], json!([]));
        // Whoever held it does not hold what is defined under its id later.
        define(&server, TEAM, "team_member", &["$delete_team"]).await.expect(201);
        define(&server, PROJECT, "p", &[]).await.expect(201);
        assert!(teams::permissions(&server, &team, &ada.id, true).await.is_empty());
        assert!(in_project(&server, &ada.id, false).await.is_empty());
    }

    async fn unknown_foreign_and_system_permissions_are_not_found(server) {
        define(&server, PROJECT, "p", &[]).await.expect(201);
        let cases = [(TEAM, "gone"), (TEAM, "p"), (TEAM, "$read_members"), (PROJECT, "team_member"), (PROJECT, "$read_members")];
        for (endpoint, id) in cases {
            let removed = server.delete(&format!("{endpoint}/{id}")).admin().send().await;
            for answer in [removed, change(&server, endpoint, id, json!({ "id": "other" })).await] {
                assert_eq!(answer.expect_error(404, "PERMISSION_NOT_FOUND"), json!({ "permission_id": id }));
            }
        }
        assert_eq!(ids(&defined(&server, PROJECT).await), ["p"]);
    }
}
