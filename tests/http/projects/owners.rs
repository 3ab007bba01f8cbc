//! Contract 07 §1 and §3: people of `internal` own projects through their teams.

use latchkey_testkit::on_both_engines;
use latchkey_tests::owners::{self, administering, internal};
use latchkey_tests::people;
use serde_json::{Value, json};

const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";

on_both_engines! {
    async fn a_new_project_starts_with_what_every_project_starts_with(server) {
        let ada = owners::sign_up(&server, "ada@example.com").await;
        let team = owners::team(&server, &ada, &[]).await;
        let project = owners::project(&server, &ada, &team, &json!({})).await;
        let id = project["id"].as_str().expect("an id");
        assert_eq!((&project["owner_team_id"], &project["onboarding_status"]), (&json!(team), &json!("completed")));
        assert_eq!(project["created_at_millis"], json!(server.app().now()));
        let config = &project["config"];
        for (field, value) in [("allow_localhost", true), ("credential_enabled", true), ("sign_up_enabled", true), ("magic_link_enabled", false), ("create_team_on_sign_up", false)] {
            assert_eq!(config[field], value, "{field}");
        }
        let environment = administering(server.get("/internal/config/override/environment"), id, &ada).send().await.expect(200);
        let environment: Value = serde_json::from_str(environment["config_string"].as_str().expect("a text")).expect("JSON");
        assert_eq!(environment, json!({
            "rbac.permissions.team_member": { "scope": "team", "containedPermissionIds": { "$read_members": true, "$invite_members": true } },
            "rbac.permissions.team_admin": { "scope": "team", "containedPermissionIds": {
                "$update_team": true, "$delete_team": true, "$read_members": true, "$remove_members": true, "$invite_members": true, "$manage_api_keys": true,
            } },
            "rbac.defaultPermissions.teamCreator": { "team_admin": true },
            "rbac.defaultPermissions.teamMember": { "team_member": true },
            "auth.password.allowSignIn": true,
            "apps.installed.authentication.enabled": true,
            "apps.installed.emails.enabled": true,
            "domains.allowLocalhost": true,
        }));
        let keys = administering(server.get("/internal/api-keys"), id, &ada).send().await.expect(200);
        assert_eq!(keys["items"], json!([]), "no keys are made");
    }

    async fn a_project_is_made_with_the_settings_that_are_sent(server) {
        let ada = owners::sign_up(&server, "ada@example.com").await;
        let team = owners::team(&server, &ada, &[]).await;
        let project = owners::project(&server, &ada, &team, &json!({
            "display_name": "Shop", "description": "Sells", "is_production_mode": true, "onboarding_status": "welcome",
            "config": { "allow_localhost": false, "credential_enabled": false, "magic_link_enabled": true, "team_creator_default_permissions": [] },
        })).await;
        assert_eq!((&project["display_name"], &project["onboarding_status"]), (&json!("Shop"), &json!("welcome")));
        let config = &project["config"];
        assert_eq!((&config["allow_localhost"], &config["credential_enabled"], &config["magic_link_enabled"]), (&json!(false), &json!(false), &json!(true)));
        assert_eq!(config["team_creator_default_permissions"], json!([]));
    }

    async fn keys_made_by_an_owner_serve_the_new_project(server) {
        let ada = owners::sign_up(&server, "ada@example.com").await;
        let team = owners::team(&server, &ada, &[]).await;
        let project = owners::project(&server, &ada, &team, &json!({})).await;
        let id = project["id"].as_str().expect("an id");
        let body = json!({
            "description": "", "expires_at_millis": server.app().now() + 1000, "has_publishable_client_key": true,
            "has_secret_server_key": true, "has_super_secret_admin_key": true,
        });
        let set = administering(server.post("/internal/api-keys"), id, &ada).json(&body).send().await.expect(200);
        let user = server.post("/users").header("x-stack-access-type", "server").header("x-stack-project-id", id)
            .header("x-stack-secret-server-key", set["secret_server_key"].as_str().expect("a key"));
        user.json(&json!({ "primary_email": "someone@example.com" })).send().await.expect(201);
    }

    async fn people_list_the_projects_of_their_teams_with_credentials(server) {
        let ada = owners::sign_up(&server, "ada@example.com").await;
        let bo = owners::sign_up(&server, "bo@example.com").await;
        let (one, two) = (owners::team(&server, &ada, &[]).await, owners::team(&server, &bo, &[]).await);
        let provider = json!({ "id": "google", "type": "standard", "client_id": "i", "client_secret": "kept-secret" });
        let first = owners::project(&server, &ada, &one, &json!({ "config": { "oauth_providers": [provider] } })).await;
        server.clock().advance_seconds(1);
        let ada = people_again(&server, "ada@example.com").await;
        let second = owners::project(&server, &ada, &one, &json!({})).await;
        let bo = people_again(&server, "bo@example.com").await;
        owners::project(&server, &bo, &two, &json!({})).await;
        let list = internal(server.get("/internal/projects")).user(&ada.access_token).send().await.expect(200);
        assert_eq!(list, json!({ "items": [second, first], "is_paginated": false }));
        assert_eq!(list["items"][1]["config"]["oauth_providers"][0]["client_secret"], "kept-secret");
        owners::join(&server, &two, &ada).await;
        let more = internal(server.get("/internal/projects")).user(&ada.access_token).send().await.expect(200);
        assert_eq!(more["items"].as_array().expect("items").len(), 3);
    }

    async fn somebody_must_be_signed_in_to_own_projects(server) {
        let body = json!({ "display_name": "x", "owner_team_id": NOBODY });
        internal(server.get("/internal/projects")).send().await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
        internal(server.post("/internal/projects")).json(&body).send().await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
        server.get("/internal/projects").client().send().await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
    }

    async fn only_people_of_internal_own_projects(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "display_name": "x", "owner_team_id": NOBODY });
        server.get("/internal/projects").client().user(&ada.access_token).send().await.expect_error(401, "EXPECTED_INTERNAL_PROJECT");
        server.post("/internal/projects").client().user(&ada.access_token).json(&body).send().await.expect_error(401, "EXPECTED_INTERNAL_PROJECT");
    }

    async fn a_project_is_made_for_ones_own_team_only(server) {
        let ada = owners::sign_up(&server, "ada@example.com").await;
        let bo = owners::sign_up(&server, "bo@example.com").await;
        let foreign = owners::team(&server, &bo, &[]).await;
        for team in [foreign.as_str(), NOBODY] {
            let body = json!({ "display_name": "x", "owner_team_id": team });
            let answer = internal(server.post("/internal/projects")).user(&ada.access_token).json(&body).send().await;
            assert_eq!(answer.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND"), json!({ "team_id": team, "user_id": ada.id }));
        }
        for body in [json!({ "display_name": "x" }), json!({ "owner_team_id": foreign }), json!({ "display_name": "x", "owner_team_id": "x" })] {
            internal(server.post("/internal/projects")).user(&ada.access_token).json(&body).send().await.expect_error(400, "SCHEMA_ERROR");
        }
    }

    async fn a_member_of_the_owning_team_administers_the_project_whatever_their_role(server) {
        let ada = owners::sign_up(&server, "ada@example.com").await;
        let bo = owners::sign_up(&server, "bo@example.com").await;
        let team = owners::team(&server, &ada, &["team_admin"]).await;
        let project = owners::project(&server, &ada, &team, &json!({})).await;
        let id = project["id"].as_str().expect("an id");
        administering(server.get("/internal/projects/current"), id, &bo).send().await.expect_error(401, "ADMIN_ACCESS_TOKEN_IS_NOT_ADMIN");
        owners::join(&server, &team, &bo).await;
        let seen = administering(server.get("/internal/projects/current"), id, &bo).send().await.expect(200);
        assert_eq!(seen, project);
        // An empty key beside the token is what dashboards send.
        let request = administering(server.get("/users/me"), id, &bo).header("x-stack-access-type", "server");
        request.header("x-stack-secret-server-key", "").send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        let unknown = administering(server.get("/internal/projects/current"), NOBODY, &bo).send().await;
        assert_eq!(unknown.expect_error(400, "CURRENT_PROJECT_NOT_FOUND"), json!({ "project_id": NOBODY }));
        let branch = administering(server.get("/internal/projects/current"), id, &bo).header("x-stack-branch-id", "other").send().await;
        assert_eq!(branch.expect_error(400, "BRANCH_DOES_NOT_EXIST"), json!({ "branch_id": "other" }));
    }

    async fn a_project_is_handed_to_another_team_by_an_admin_of_the_owning_one(server) {
        let ada = owners::sign_up(&server, "ada@example.com").await;
        let bo = owners::sign_up(&server, "bo@example.com").await;
        let (old, new) = (owners::team(&server, &ada, &["team_admin"]).await, owners::team(&server, &bo, &["team_admin"]).await);
        owners::join(&server, &old, &bo).await;
        let project = owners::project(&server, &ada, &old, &json!({})).await;
        let id = project["id"].as_str().expect("an id");
        let hand = |person: &latchkey_tests::people::Person, project: &str, team: &str| {
            let body = json!({ "project_id": project, "new_team_id": team });
            internal(server.post("/internal/projects/transfer")).user(&person.access_token).json(&body).send()
        };
        assert_eq!(hand(&ada, NOBODY, &new).await.expect_error(404, "PROJECT_NOT_FOUND"), json!({ "project_id": NOBODY }));
        let details = hand(&bo, id, &new).await.expect_error(401, "TEAM_PERMISSION_REQUIRED");
        assert_eq!(details, json!({ "team_id": old, "user_id": bo.id, "permission_id": "team_admin" }));
        let details = hand(&ada, id, &new).await.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        assert_eq!(details, json!({ "team_id": new, "user_id": ada.id }));
        owners::join(&server, &new, &ada).await;
        assert_eq!(hand(&ada, id, &new).await.expect(200), json!({ "success": "true" }));
        let seen = administering(server.get("/internal/projects/current"), id, &bo).send().await.expect(200);
        assert_eq!(seen["owner_team_id"], new);
        hand(&ada, id, &old).await.expect_error(401, "TEAM_PERMISSION_REQUIRED");
    }

    async fn somebody_outside_the_owning_team_is_told_that_they_are_not_in_it(server) {
        let ada = owners::sign_up(&server, "ada@example.com").await;
        let bo = owners::sign_up(&server, "bo@example.com").await;
        let (old, new) = (owners::team(&server, &ada, &["team_admin"]).await, owners::team(&server, &bo, &["team_admin"]).await);
        let project = owners::project(&server, &ada, &old, &json!({})).await;
        let body = json!({ "project_id": project["id"], "new_team_id": new });
        let hand = internal(server.post("/internal/projects/transfer")).user(&bo.access_token).json(&body);
        let details = hand.send().await.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        assert_eq!(details, json!({ "team_id": old, "user_id": bo.id }));
        let id = project["id"].as_str().expect("an id");
        let seen = administering(server.get("/internal/projects/current"), id, &ada).send().await.expect(200);
        assert_eq!(seen["owner_team_id"], old);
    }

    async fn handing_over_needs_the_project_internal_and_a_user(server) {
        let body = json!({ "project_id": server.project_id(), "new_team_id": NOBODY });
        internal(server.post("/internal/projects/transfer")).json(&body).send().await.expect_error(400, "SCHEMA_ERROR");
        let ada = people::sign_up(&server, "ada@example.com").await;
        let elsewhere = server.post("/internal/projects/transfer").client().user(&ada.access_token).json(&body);
        elsewhere.send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn restricted_and_anonymous_people_own_no_projects(server) {
        let ada = owners::sign_up(&server, "ada@example.com").await;
        let held = owners::sign_up(&server, "bo@example.com").await;
        let nobody = internal(server.post("/auth/anonymous/sign-up")).send().await.expect(200);
        let nobody = people::Person::of(&nobody);
        let mut owned = Vec::new();
        for person in [&held, &nobody] {
            let team = owners::team(&server, person, &["team_admin"]).await;
            owners::join(&server, &team, &ada).await;
            let project = owners::project(&server, &ada, &team, &json!({})).await;
            owned.push((person, team, project["id"].clone()));
        }
        let list = internal(server.get("/internal/projects")).user(&held.access_token).send().await.expect(200);
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "not restricted yet");
        let user = held.id.parse().expect("a user id");
        let internal_id = latchkey_api_types::ids::ProjectId::internal();
        let read = server.app().store.read(move |tx| Box::pin(async move { latchkey_storage::users::get(tx, &internal_id, user).await }));
        let mut row = read.await.expect("a row").expect("a user");
        row.restricted_by_admin = true;
        server.app().store.batch(vec![latchkey_storage::users::update(&row)]).await.expect("a change");
        for (person, team, project) in owned {
            let make = json!({ "display_name": "x", "owner_team_id": team });
            let hand = json!({ "project_id": project, "new_team_id": team });
            let requests = [
                server.get("/internal/projects"), server.post("/internal/projects").json(&make),
                server.post("/internal/projects/transfer").json(&hand),
            ];
            for request in requests {
                let answer = internal(request).user(&person.access_token).send().await;
                answer.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
            }
        }
    }

    async fn a_project_that_nobody_owns_cannot_be_handed_over(server) {
        let ada = owners::sign_up(&server, "ada@example.com").await;
        let team = owners::team(&server, &ada, &["team_admin"]).await;
        let project = owners::project(&server, &ada, &team, &json!({})).await;
        let id = project["id"].as_str().expect("an id");
        let disown = latchkey_storage::engine::stmt(
            "UPDATE projects SET owner_team_id = NULL WHERE id = $1", latchkey_storage::engine::args![id.to_owned()]
        );
        server.app().store.batch(vec![disown.exactly(1)]).await.expect("a project without owner");
        let body = json!({ "project_id": id, "new_team_id": team });
        let hand = internal(server.post("/internal/projects/transfer")).user(&ada.access_token).json(&body);
        hand.send().await.expect_text(400);
    }
}

/// A fresh session after the clock was moved.
async fn people_again(server: &latchkey_testkit::TestServer, email: &str) -> latchkey_tests::people::Person {
    let body = json!({ "email": email, "password": latchkey_tests::people::PASSWORD });
    let answer = internal(server.post("/auth/password/sign-in")).json(&body).send().await.expect(200);
    latchkey_tests::people::Person::of(&answer)
}
