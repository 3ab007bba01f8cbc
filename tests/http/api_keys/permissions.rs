//! What clients may do with keys.

use latchkey_testkit::on_both_engines;
use latchkey_tests::people;
use serde_json::json;

use super::{join, team, team_key, text, user_key, with_keys};

const MANAGE: &str = "$manage_api_keys";

on_both_engines! {
    async fn nobody_signed_in_manages_no_keys(server, builder = with_keys()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let made = user_key(&server, &ada.id).await;
        let body = json!({ "user_id": ada.id, "description": "a", "expires_at_millis": null });
        let id = format!("/user-api-keys/{}", text(&made, "id"));
        for request in [
            server.post("/user-api-keys").client().json(&body),
            server.get(&format!("/user-api-keys?user_id={}", ada.id)).client(),
            server.get(&id).client(),
            server.patch(&id).client().json(&json!({ "revoked": true })),
        ] {
            request.send().await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
        }
        server.get("/user-api-keys?user_id=me").client().send().await
            .expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
    }

    async fn the_keys_of_somebody_else_are_forbidden(server, builder = with_keys()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let made = user_key(&server, &bo.id).await;
        let body = json!({ "user_id": bo.id, "description": "a", "expires_at_millis": null });
        let id = format!("/user-api-keys/{}", text(&made, "id"));
        for request in [
            server.post("/user-api-keys").client().json(&body),
            server.get(&format!("/user-api-keys?user_id={}", bo.id)).client(),
            server.get(&id).client(),
            server.get(&format!("{id}?user_id=me")).client(),
            server.patch(&id).client().json(&json!({ "revoked": true })),
        ] {
            request.user(&ada.access_token).send().await.expect_text(403);
        }
        let unknown = "/user-api-keys/00000000-0000-4000-8000-00000000dead";
        server.get(unknown).client().user(&ada.access_token).send().await.expect_error(404, "API_KEY_NOT_FOUND");
        let own = server.patch(&id).client().user(&bo.access_token).json(&json!({ "revoked": true }));
        assert!(own.send().await.expect(200)["manually_revoked_at_millis"].is_number());
    }

    async fn the_keys_of_a_team_need_the_permission_and_hide_the_team(server, builder = with_keys()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let (own, other, nobody) = (team(&server).await, team(&server).await, "00000000-0000-4000-8000-00000000dead");
        join(&server, &own, &ada.id, &[MANAGE]).await;
        join(&server, &other, &ada.id, &[]).await;
        let client = |team: &str| {
            let body = json!({ "team_id": team, "description": "a", "expires_at_millis": null });
            server.post("/team-api-keys").client().user(&ada.access_token).json(&body)
        };
        let made = client(&own).send().await.expect(200);
        let id = format!("/team-api-keys/{}?team_id={own}", text(&made, "id"));
        server.get(&id).client().user(&ada.access_token).send().await.expect(200);
        let list = server.get(&format!("/team-api-keys?team_id={own}")).client().user(&ada.access_token);
        assert_eq!(list.send().await.expect(200)["items"].as_array().map(Vec::len), Some(1));
        let foreign = team_key(&server, &other).await;
        let foreign = text(&foreign, "id");
        for team in [other.as_str(), nobody] {
            client(team).send().await.expect_error(404, "API_KEY_NOT_FOUND");
            for path in [format!("/team-api-keys?team_id={team}"), format!("/team-api-keys/{foreign}?team_id={team}")] {
                server.get(&path).client().user(&ada.access_token).send().await.expect_error(404, "API_KEY_NOT_FOUND");
            }
            let path = format!("/team-api-keys/{foreign}?team_id={team}");
            let revoke = server.patch(&path).client().user(&ada.access_token).json(&json!({ "revoked": true }));
            revoke.send().await.expect_error(404, "API_KEY_NOT_FOUND");
        }
        // One's own team in the query opens no key of another team.
        let crossed = format!("/team-api-keys/{foreign}?team_id={own}");
        server.get(&crossed).client().user(&ada.access_token).send().await.expect_error(404, "API_KEY_NOT_FOUND");
        client(&own).without("x-stack-access-token").send().await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
    }

    async fn the_permission_counts_through_what_contains_it(server, builder = with_keys()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = team(&server).await;
        join(&server, &team, &ada.id, &["team_admin"]).await;
        let body = json!({ "team_id": team, "description": "a", "expires_at_millis": null });
        server.post("/team-api-keys").client().user(&ada.access_token).json(&body).send().await.expect(200);
    }

    async fn clients_give_themselves_no_scopes(server, builder = with_keys()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "user_id": "me", "description": "a", "expires_at_millis": null, "scopes": ["admin"] });
        let create = server.post("/user-api-keys").client().user(&ada.access_token).json(&body);
        create.send().await.expect_error(400, "SCHEMA_ERROR");
        let path = "/user-api-keys?user_id=me&include=usage";
        server.get(path).client().user(&ada.access_token).send().await.expect_error(400, "SCHEMA_ERROR");
    }
}
