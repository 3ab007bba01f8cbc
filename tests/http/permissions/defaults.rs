//! Contract 06 §5: what is given without asking, and what tokens say of it.

use latchkey_config::ExtraClaim;
use latchkey_config::settings::{PermissionDefinition, PermissionScope};
use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::{people, teams, tokens};
use serde_json::json;

use super::{PROJECT, TEAM, in_project};

fn set(ids: &[&str]) -> std::collections::BTreeMap<String, bool> {
    ids.iter().map(|id| ((*id).to_owned(), true)).collect()
}

/// New users may write, and so read; team sets hold system permissions and one that is of the wrong scope.
fn builder() -> Builder {
    TestServer::builder().project(|settings| {
        let project = |contained: &[&str]| PermissionDefinition {
            scope: PermissionScope::Project,
            contained_permission_ids: set(contained),
            ..PermissionDefinition::default()
        };
        let rbac = &mut settings.rbac;
        rbac.permissions.insert("read".to_owned(), project(&[]));
        rbac.permissions.insert("write".to_owned(), project(&["read"]));
        rbac.default_permissions.sign_up = set(&["write", "team_member"]);
        rbac.default_permissions.team_creator = set(&["team_admin", "$read_members", "read"]);
        rbac.default_permissions.team_member = set(&["$invite_members"]);
        settings.latchkey.extra_claims = vec![ExtraClaim::Permissions];
    })
}

on_both_engines! {
    async fn every_new_user_gets_the_sets_project_permissions(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::created(&server, &json!({})).await;
        let nobody = people::anonymous(&server).await;
        for person in [&ada, &bo, &nobody] {
            assert_eq!(in_project(&server, &person.id, false).await, ["write"], "as far as the scope is right");
        }
    }

    async fn tokens_tell_effective_project_permissions_as_of_now(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        assert_eq!(tokens::claims(&ada.access_token)["permissions"], json!(["read", "write"]));
        server.delete(&format!("/project-permissions/{}/write", ada.id)).server().send().await.expect(200);
        let again = people::sign_in(&server, "ada@example.com").await;
        assert_eq!(tokens::claims(&again.access_token)["permissions"], json!([]));
    }

    async fn creators_and_members_get_their_sets(server, builder = builder()) {
        let ada = people::created(&server, &json!({})).await;
        let bo = people::created(&server, &json!({})).await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        teams::add(&server, &team, &bo.id).await.expect(201);
        assert_eq!(teams::permissions(&server, &team, &ada.id, false).await, ["$read_members", "team_admin"]);
        assert_eq!(teams::permissions(&server, &team, &bo.id, false).await, ["$invite_members"]);
    }

    async fn defaults_that_lost_their_definition_are_skipped(server, builder = builder()) {
        server.delete(&format!("{TEAM}/team_admin")).admin().send().await.expect(200);
        server.delete(&format!("{PROJECT}/write")).admin().send().await.expect(200);
        let ada = people::created(&server, &json!({})).await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        assert_eq!(teams::permissions(&server, &team, &ada.id, false).await, ["$read_members"]);
        assert!(in_project(&server, &ada.id, false).await.is_empty());
    }

    async fn other_sets_are_for_those_who_come_later(server, builder = builder()) {
        let ada = people::created(&server, &json!({})).await;
        let bo = people::created(&server, &json!({})).await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        teams::add(&server, &team, &bo.id).await.expect(201);
        let config = json!({
            "user_default_permissions": [{ "id": "read" }], "team_creator_default_permissions": [{ "id": "$delete_team" }],
            "team_member_default_permissions": [{ "id": "$update_team" }],
        });
        let change = server.patch("/internal/projects/current").admin().json(&json!({ "config": config }));
        change.send().await.expect(200);
        let cy = people::created(&server, &json!({})).await;
        let later = teams::created_by(&server, &cy, "Later").await;
        teams::add(&server, &team, &cy.id).await.expect(201);
        for (person, in_the_project, in_the_team) in [
            (&ada, "write", vec!["$read_members", "team_admin"]), (&bo, "write", vec!["$invite_members"]),
            (&cy, "read", vec!["$update_team"]),
        ] {
            assert_eq!(in_project(&server, &person.id, false).await, [in_the_project]);
            assert_eq!(teams::permissions(&server, &team, &person.id, false).await, in_the_team);
        }
        assert_eq!(teams::permissions(&server, &later, &cy.id, false).await, ["$delete_team"]);
    }

    async fn what_was_given_stays_whatever_a_definition_becomes(server, builder = builder()) {
        let ada = people::created(&server, &json!({})).await;
        let body = json!({ "contained_permission_ids": [] });
        server.patch(&format!("{PROJECT}/write")).admin().json(&body).send().await.expect(200);
        assert_eq!(in_project(&server, &ada.id, true).await, ["write"], "containment is looked at when asked");
    }
}
