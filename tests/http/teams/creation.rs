//! Contract 06 §1: `POST /teams`.

use latchkey_testkit::on_both_engines;
use latchkey_tests::{people, teams, tokens};
use serde_json::{Value, json};

use super::{NOBODY, PNG, open};

on_both_engines! {
    async fn a_server_creates_a_team_without_members(server) {
        let body = json!({
            "display_name": "", "client_metadata": { "a": 1 }, "client_read_only_metadata": [2], "server_metadata": "s",
        });
        let team = server.post("/teams").server().json(&body).send().await.expect(201);
        assert_eq!(team, json!({
            "id": team["id"], "display_name": "", "profile_image_url": null, "client_metadata": { "a": 1 },
            "client_read_only_metadata": [2], "server_metadata": "s", "created_at_millis": server.app().now(),
        }));
        assert!(teams::members(&server, &teams::id_of(&team)).await.is_empty());
    }

    async fn the_creator_gets_exactly_the_permissions_of_creators(server) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        assert_eq!(teams::members(&server, &team).await, [ada.id.as_str()]);
        assert_eq!(teams::permissions(&server, &team, &ada.id, false).await, ["team_admin"]);
        let user = people::seen_by_server(&server, &ada.id).await;
        assert_eq!(user["selected_team_id"], Value::Null, "nobody's selected team changes");
        let body = json!({ "display_name": "x", "creator_user_id": "me" });
        let mine = server.post("/teams").server().user(&ada.access_token).json(&body).send().await.expect(201);
        assert_eq!(teams::members(&server, &teams::id_of(&mine)).await, [ada.id.as_str()]);
    }

    async fn an_unknown_creator_creates_nothing(server) {
        let body = json!({ "display_name": "x", "creator_user_id": NOBODY });
        server.post("/teams").server().json(&body).send().await.expect_error(404, "USER_NOT_FOUND");
        let me = json!({ "display_name": "x", "creator_user_id": "me" });
        let answer = server.post("/teams").server().json(&me).send().await;
        answer.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        assert!(teams::ids(&server.get("/teams").server().send().await.expect(200)).is_empty());
    }

    async fn a_client_becomes_the_creator_named_or_not(server, builder = open()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for creator in [None, Some("me"), Some(ada.id.as_str())] {
            let mut body = json!({ "display_name": "Engines", "client_metadata": 1 });
            if let Some(creator) = creator {
                body["creator_user_id"] = creator.into();
            }
            let team = server.post("/teams").client().user(&ada.access_token).json(&body).send().await.expect(201);
            let keys = ["client_metadata", "client_read_only_metadata", "display_name", "id", "profile_image_url"];
            assert_eq!(tokens::keys(&team), keys, "a client sees no more");
            assert_eq!(teams::permissions(&server, &teams::id_of(&team), &ada.id, false).await, ["team_admin"]);
        }
    }

    async fn a_client_is_checked_in_the_order_of_the_contract(server, builder = open()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bad = json!({ "display_name": "x", "creator_user_id": NOBODY, "profile_image_url": "https://example.com/a.png" });
        server.post("/teams").client().json(&bad).send().await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
        let as_ada = |body: &Value| server.post("/teams").client().user(&ada.access_token).json(body);
        as_ada(&bad).send().await.expect_text(400);
        as_ada(&json!({ "display_name": "x", "creator_user_id": NOBODY })).send().await.expect_text(403);
        for extra in ["server_metadata", "client_read_only_metadata", "created_at_millis", "id"] {
            let body = json!({ "display_name": "x", extra: null });
            as_ada(&body).send().await.expect_error(400, "SCHEMA_ERROR");
        }
        as_ada(&json!({})).send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn where_creation_is_kept_to_servers_clients_are_refused(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "display_name": "x", "profile_image_url": "https://example.com/a.png" });
        server.post("/teams").client().user(&ada.access_token).json(&body).send().await.expect_text(403);
    }

    async fn pictures_come_inline_from_clients_and_as_urls_from_servers(server, builder = open()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "display_name": "x", "profile_image_url": PNG });
        let mine = server.post("/teams").client().user(&ada.access_token).json(&body).send().await.expect(201);
        assert!(mine["profile_image_url"].is_string());
        let url = json!({ "display_name": "x", "profile_image_url": "https://example.com/a.png" });
        let team = server.post("/teams").server().json(&url).send().await.expect(201);
        assert_eq!(team["profile_image_url"], "https://example.com/a.png");
        let script = json!({ "display_name": "x", "profile_image_url": "javascript:alert(1)" });
        server.post("/teams").server().json(&script).send().await.expect_text(400);
    }

    async fn the_deprecated_add_current_user_adds_the_signed_in_one(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "display_name": "x" });
        let add = |value: &str| server.post(&format!("/teams?add_current_user={value}")).server().json(&body);
        add("true").send().await.expect_text(401);
        let team = add("true").user(&ada.access_token).send().await.expect(201);
        assert_eq!(teams::members(&server, &teams::id_of(&team)).await, [ada.id.as_str()]);
        let team = add("false").user(&ada.access_token).send().await.expect(201);
        assert!(teams::members(&server, &teams::id_of(&team)).await.is_empty());
        let both = json!({ "display_name": "x", "creator_user_id": ada.id });
        server.post("/teams?add_current_user=true").server().user(&ada.access_token).json(&both).send().await.expect_text(400);
        add("1").send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn with_the_deprecated_add_current_user_a_client_is_the_creator_in_any_case(server, builder = open()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "display_name": "x" });
        for value in ["true", "false"] {
            let path = format!("/teams?add_current_user={value}");
            let team = server.post(&path).client().user(&ada.access_token).json(&body).send().await.expect(201);
            assert_eq!(teams::permissions(&server, &teams::id_of(&team), &ada.id, false).await, ["team_admin"]);
            let both = json!({ "display_name": "x", "creator_user_id": "me" });
            server.post(&path).client().user(&ada.access_token).json(&both).send().await.expect_text(400);
            // That nobody is signed in is said first.
            for body in [&body, &both] {
                server.post(&path).client().json(body).send().await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
            }
        }
        let mine = json!({ "display_name": "x", "creator_user_id": "me" });
        server.post("/teams").client().json(&mine).send().await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
    }

    async fn names_may_be_numbers(server) {
        let team = server.post("/teams").server().json(&json!({ "display_name": 5 })).send().await.expect(201);
        assert_eq!(team["display_name"], "5");
        let path = format!("/teams/{}", teams::id_of(&team));
        let changed = server.patch(&path).server().json(&json!({ "display_name": true })).send().await.expect(200);
        assert_eq!(changed["display_name"], "true");
        server.patch(&path).server().json(&json!({ "display_name": ["x"] })).send().await.expect_error(400, "SCHEMA_ERROR");
    }
}
