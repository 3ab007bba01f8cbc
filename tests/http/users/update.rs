//! Contract 05 §3.1 and §3.2: `PATCH /users/{user_id}`, field by field.

use latchkey_api_types::ids::{ProjectId, TeamId, UserId};
use latchkey_storage::teams::{self, TeamRow};
use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::{people, stored};
use serde_json::{Value, json};

use super::{NOBODY, TOTP};

async fn user(server: &TestServer) -> String {
    people::create(server, &json!({})).await["id"].as_str().expect("an id").to_owned()
}

/// A team, and the user in it if asked for; there is no endpoint for teams yet.
async fn team(server: &TestServer, id: &str, member: Option<&str>) {
    let project: ProjectId = server.project_id().parse().expect("a project id");
    let team: TeamId = id.parse().expect("a team id");
    let row = TeamRow {
        project_id: project.clone(),
        id: team,
        display_name: "Engines".to_owned(),
        profile_image_url: None,
        client_metadata: None,
        client_read_only_metadata: None,
        server_metadata: Some("{\"hidden\":1}".to_owned()),
        created_at: 5,
    };
    let mut statements = vec![teams::insert_if_absent(&row)];
    if let Some(member) = member {
        let member: UserId = member.parse().expect("a user id");
        statements.push(teams::add_member(&project, team, member, 5));
    }
    server.app().store.batch(statements).await.expect("a team");
}

on_both_engines! {
    async fn an_unknown_user_is_not_found_by_any_method(server) {
        let path = format!("/users/{NOBODY}");
        for request in [server.get(&path), server.patch(&path).json(&json!({ "display_name": "x" })), server.delete(&path)] {
            assert!(request.server().send().await.expect_error(404, "USER_NOT_FOUND").is_null());
        }
        let body = json!({ "password": "a quiet harbour" });
        server.patch(&path).server().json(&body).send().await.expect_error(404, "USER_NOT_FOUND");
    }

    async fn me_is_the_user_of_the_access_token(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        // The path of the signed-in user is /users/me for every access type.
        let body = json!({ "display_name": "Ada" });
        let changed = server.patch("/users/me").admin().user(&ada.access_token).json(&body).send().await.expect(200);
        assert_eq!((&changed["id"], &changed["display_name"]), (&json!(ada.id), &json!("Ada")));
    }

    async fn what_is_absent_stays_and_what_is_null_goes(server) {
        let id = user(&server).await;
        people::change(&server, &id, &json!({
            "display_name": "Ada", "client_metadata": { "a": 1, "b": 2 }, "server_metadata": 7, "country_code": "de",
            "profile_image_url": "https://example.com/a.png",
        })).await;
        let same = people::change(&server, &id, &json!({})).await;
        assert_eq!(same["display_name"], "Ada");
        let replaced = people::change(&server, &id, &json!({ "client_metadata": { "b": 3 } })).await;
        assert_eq!(replaced["client_metadata"], json!({ "b": 3 }), "replaced as a whole, not merged");
        assert_eq!((&replaced["server_metadata"], &replaced["country_code"]), (&json!(7), &json!("DE")));
        let cleared = people::change(&server, &id, &json!({
            "display_name": null, "client_metadata": null, "server_metadata": null, "country_code": null,
            "profile_image_url": null,
        })).await;
        for field in ["display_name", "client_metadata", "server_metadata", "country_code", "profile_image_url"] {
            assert_eq!(cleared[field], Value::Null, "{field}");
        }
        assert!(stored::event_kinds(&server, &id).await.contains(&"user.updated".to_owned()));
    }

    async fn metadata_is_any_json(server) {
        let id = user(&server).await;
        let long = "x".repeat(200_000);
        for value in [json!(null), json!(false), json!(-7), json!(1.5), json!("text"), json!([]), json!({}), json!({ "": { "é": "\u{1F600}" } }), json!(long)] {
            for field in ["client_metadata", "client_read_only_metadata", "server_metadata"] {
                let changed = people::change(&server, &id, &json!({ field: value })).await;
                assert_eq!(changed[field], value, "{field}");
            }
        }
        let seen = people::seen_by_server(&server, &id).await;
        assert_eq!(seen["server_metadata"], json!(long));
    }

    async fn a_second_factor_is_switched_by_its_secret(server) {
        let id = user(&server).await;
        assert_eq!(people::change(&server, &id, &json!({ "totp_secret_base64": TOTP })).await["requires_totp_mfa"], true);
        assert_eq!(people::change(&server, &id, &json!({ "display_name": "A" })).await["requires_totp_mfa"], true);
        assert_eq!(people::change(&server, &id, &json!({ "totp_secret_base64": null })).await["requires_totp_mfa"], false);
    }

    async fn a_restriction_carries_its_reasons_and_takes_them_along(server) {
        let id = user(&server).await;
        let held = people::change(&server, &id, &json!({
            "restricted_by_admin": true, "restricted_by_admin_reason": "because",
            "restricted_by_admin_private_details": "secretly",
        })).await;
        assert_eq!(held["is_restricted"], true);
        assert_eq!(held["restricted_reason"], json!({ "type": "restricted_by_administrator" }));
        assert_eq!(held["restricted_by_admin_private_details"], "secretly");
        let renamed = people::change(&server, &id, &json!({ "display_name": "A" })).await;
        assert_eq!(renamed["restricted_by_admin_reason"], "because");
        for body in [json!({ "restricted_by_admin_reason": "x" }), json!({ "restricted_by_admin_private_details": "x" })] {
            let answer = server.patch(&format!("/users/{id}")).server().json(&body).send().await;
            assert_eq!(answer.status, 400, "the restriction must be in the same request: {}", answer.text());
        }
        let cleared = people::change(&server, &id, &json!({ "restricted_by_admin_reason": null })).await;
        assert_eq!(cleared["restricted_by_admin_reason"], Value::Null);
        let free = people::change(&server, &id, &json!({ "restricted_by_admin": false })).await;
        for field in ["restricted_by_admin_reason", "restricted_by_admin_private_details", "restricted_reason"] {
            assert_eq!(free[field], Value::Null, "{field}");
        }
        assert_eq!(free["is_restricted"], false);
    }

    async fn risk_scores_are_replaced_as_a_whole(server) {
        let id = user(&server).await;
        let scores = json!({ "sign_up": { "bot": 100, "free_trial_abuse": 7 } });
        let changed = people::change(&server, &id, &json!({ "risk_scores": scores })).await;
        assert_eq!(changed["risk_scores"], scores);
        for part in [
            json!(null), json!({}), json!({ "sign_up": {} }), json!({ "sign_up": { "bot": 1 } }),
            json!({ "sign_up": { "free_trial_abuse": 1 } }), json!({ "sign_up": { "bot": 101, "free_trial_abuse": 0 } }),
        ] {
            let body = json!({ "display_name": "Ada", "risk_scores": part });
            let answer = server.patch(&format!("/users/{id}")).server().json(&body).send().await;
            answer.expect_error(400, "SCHEMA_ERROR");
        }
        assert_eq!(people::seen_by_server(&server, &id).await, changed);
    }

    async fn an_anonymous_user_is_upgraded_and_never_downgraded(server) {
        let nobody = people::anonymous(&server).await;
        server.clock().advance_seconds(60);
        let change = |value: bool| {
            server.patch(&format!("/users/{}", nobody.id)).server().json(&json!({ "is_anonymous": value })).send()
        };
        change(true).await.expect_error(400, "SCHEMA_ERROR");
        let upgraded = change(false).await.expect(200);
        assert_eq!((&upgraded["is_anonymous"], &upgraded["is_restricted"]), (&json!(false), &json!(false)));
        assert_eq!(upgraded["signed_up_at_millis"], server.app().now());
        server.clock().advance_seconds(60);
        let again = change(false).await.expect(200);
        assert_eq!(again["signed_up_at_millis"], upgraded["signed_up_at_millis"], "once");
    }

    async fn a_passkey_cannot_be_switched_on_by_hand(server) {
        let id = user(&server).await;
        let on = server.patch(&format!("/users/{id}")).server().json(&json!({ "passkey_auth_enabled": true }));
        on.send().await.expect_text(400);
        people::change(&server, &id, &json!({ "passkey_auth_enabled": false })).await;
    }

    async fn only_a_member_selects_a_team(server) {
        let ada = people::created(&server, &json!({})).await;
        let (own, foreign) = ("00000000-0000-4000-8000-0000000000a1", "00000000-0000-4000-8000-0000000000a2");
        team(&server, own, Some(&ada.id)).await;
        team(&server, foreign, None).await;
        for id in [foreign, NOBODY] {
            let answer = server.patch(&format!("/users/{}", ada.id)).server().json(&json!({ "selected_team_id": id }));
            let details = answer.send().await.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
            assert_eq!(details, json!({ "team_id": id, "user_id": ada.id }));
            let mine = server.patch("/users/me").client().user(&ada.access_token).json(&json!({ "selected_team_id": id }));
            mine.send().await.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        }
        let selected = people::change(&server, &ada.id, &json!({ "selected_team_id": own })).await;
        assert_eq!(selected["selected_team_id"], own);
        assert_eq!(selected["selected_team"]["display_name"], "Engines");
        assert_eq!(selected["selected_team"]["server_metadata"], json!({ "hidden": 1 }));
        let client = people::seen_by_self(&server, &ada).await;
        assert_eq!(client["selected_team"]["id"], own);
        assert!(client["selected_team"].get("server_metadata").is_none(), "{client}");
        let again = people::session_for(&server, &ada.id).await;
        assert_eq!(latchkey_tests::tokens::claims(&again.access_token)["selected_team_id"], own);
        let cleared = people::change(&server, &ada.id, &json!({ "selected_team_id": null })).await;
        assert_eq!((&cleared["selected_team_id"], &cleared["selected_team"]), (&Value::Null, &Value::Null));
    }

    async fn fields_that_only_a_creation_knows_are_refused(server) {
        let id = user(&server).await;
        for body in [json!({ "oauth_providers": [] }), json!({ "id": NOBODY }), json!({ "signed_up_at_millis": 1 })] {
            let answer = server.patch(&format!("/users/{id}")).server().json(&body).send().await;
            answer.expect_error(400, "SCHEMA_ERROR");
        }
    }

    async fn a_refused_change_changes_nothing(server) {
        people::sign_up(&server, "taken@example.com").await;
        let fields = json!({ "primary_email": "ada@example.com", "primary_email_auth_enabled": true });
        let ada = people::create(&server, &fields).await;
        let id = ada["id"].as_str().expect("an id");
        let body = json!({ "display_name": "Mallory", "password": "a new quiet harbour", "primary_email": "taken@example.com" });
        let answer = server.patch(&format!("/users/{id}")).server().json(&body).send().await;
        answer.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
        assert_eq!(people::seen_by_server(&server, id).await, ada);
    }
}
