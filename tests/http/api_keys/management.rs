//! Creating, listing, reading and changing keys.

use latchkey_testkit::{Request, TestServer, on_both_engines};
use latchkey_tests::people;
use latchkey_tests::tokens::keys;
use serde_json::{Value, json};

use super::{team, team_key, text, user_key, user_key_with, with_keys};

on_both_engines! {
    async fn a_created_key_is_shown_once_and_has_the_documented_form(server, builder = with_keys()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "user_id": "me", "description": "laptop", "expires_at_millis": null });
        let made = server.post("/user-api-keys").client().user(&ada.access_token).json(&body).send().await.expect(200);
        assert_eq!(keys(&made), ["created_at_millis", "description", "id", "is_public", "type", "user_id", "value"]);
        let key = text(&made, "value").to_owned();
        let (prefix, rest) = key.split_once('_').expect("a prefix");
        assert_eq!((prefix, rest.len()), ("sk", 99));
        assert!(rest[..45].bytes().all(|byte| b"0123456789abcdefghjkmnpqrstvwxyz".contains(&byte)));
        assert_eq!(rest[45..77], text(&made, "id").replace('-', ""));
        assert_eq!(&rest[77..91], "user1574ck4u7h");
        assert_eq!(rest[91..], format!("{:08x}", crc32(&key.as_bytes()[..key.len() - 8])));

        let expected = json!({
            "id": made["id"], "description": "laptop", "created_at_millis": server.app().now(), "is_public": false,
            "type": "user", "user_id": ada.id, "value": { "last_four": key[key.len() - 4..] },
        });
        let path = format!("/user-api-keys/{}", text(&made, "id"));
        assert_eq!(server.get(&path).client().user(&ada.access_token).send().await.expect(200), expected);
        assert_eq!(server.get(&path).server().send().await.expect(200), expected);
        let list = server.get("/user-api-keys?user_id=me").client().user(&ada.access_token).send().await.expect(200);
        assert_eq!(list, json!({ "items": [expected], "is_paginated": false }));
    }

    async fn a_public_key_and_a_team_s_key_have_their_marks(server, builder = with_keys()) {
        let user = people::create(&server, &json!({})).await;
        let made = user_key_with(&server, text(&user, "id"), &json!({ "is_public": true, "expires_at_millis": 5 })).await;
        let key = text(&made, "value");
        assert!(key.starts_with("pk_") && key.contains("user3574ck4u7h"), "{key}");
        assert_eq!((&made["is_public"], &made["expires_at_millis"]), (&json!(true), &json!(5)), "the past is allowed");
        let team = team(&server).await;
        let made = team_key(&server, &team).await;
        assert_eq!((&made["type"], &made["team_id"]), (&json!("team"), &json!(team)));
        assert!(made.get("user_id").is_none() && text(&made, "value").contains("team1574ck4u7h"));
    }

    async fn keys_are_listed_newest_first_also_when_they_are_not_valid(server, builder = with_keys()) {
        let user = people::create(&server, &json!({})).await;
        let user = text(&user, "id");
        let first = user_key_with(&server, user, &json!({ "expires_at_millis": 5 })).await;
        server.clock().advance_seconds(1);
        let second = user_key(&server, user).await;
        let revoke = server.patch(&format!("/user-api-keys/{}", text(&second, "id"))).server();
        revoke.json(&json!({ "revoked": true })).send().await.expect(200);
        let list = server.get(&format!("/user-api-keys?user_id={user}")).server().send().await.expect(200);
        let ids: Vec<_> = list["items"].as_array().expect("a list").iter().map(|key| &key["id"]).collect();
        assert_eq!(ids, [&second["id"], &first["id"]]);
        assert_eq!(list["items"][0]["manually_revoked_at_millis"], server.app().now());
        let nobody = "/user-api-keys?user_id=00000000-0000-4000-8000-00000000dead";
        assert_eq!(server.get(nobody).server().send().await.expect(200)["items"], json!([]));
    }

    async fn a_key_revoked_twice_keeps_the_first_time_and_is_never_restored(server, builder = with_keys()) {
        let user = people::create(&server, &json!({})).await;
        let made = user_key(&server, text(&user, "id")).await;
        let path = format!("/user-api-keys/{}", text(&made, "id"));
        let revoke = || server.patch(&path).server().json(&json!({ "revoked": true }));
        let first = revoke().send().await.expect(200);
        let at = server.app().now();
        assert_eq!(first["manually_revoked_at_millis"], at);
        server.clock().advance_seconds(60);
        assert_eq!(revoke().send().await.expect(200), first);
        let restore = server.patch(&path).server().json(&json!({ "revoked": false }));
        restore.send().await.expect_error(400, "SCHEMA_ERROR");
        let renamed = server.patch(&path).server().json(&json!({ "description": "old" })).send().await.expect(200);
        assert_eq!((&renamed["description"], &renamed["manually_revoked_at_millis"]), (&json!("old"), &json!(at)));
        assert_eq!(renamed["value"], first["value"]);
    }

    async fn what_is_missing_or_belongs_to_the_other_kind_is_a_violation(server, builder = with_keys()) {
        let user = people::create(&server, &json!({})).await;
        let (user, team) = (text(&user, "id").to_owned(), team(&server).await);
        let (of_user, of_team) = (user_key(&server, &user).await, team_key(&server, &team).await);
        let (of_user, of_team) = (text(&of_user, "id"), text(&of_team, "id"));
        for path in [
            "/user-api-keys".to_owned(), format!("/user-api-keys?team_id={team}"), "/team-api-keys".to_owned(),
            format!("/team-api-keys?user_id={user}"), format!("/team-api-keys/{of_team}"),
            format!("/user-api-keys/{of_user}?team_id={team}"), format!("/team-api-keys/{of_team}?user_id={user}"),
        ] {
            server.get(&path).server().send().await.expect_error(400, "SCHEMA_ERROR");
        }
        for body in [
            json!({ "user_id": user, "description": "no end" }), json!({ "user_id": user, "expires_at_millis": null }),
            json!({ "description": "nobody's", "expires_at_millis": null }),
            json!({ "user_id": user, "description": "a", "expires_at_millis": null, "team_id": team }),
        ] {
            server.post("/user-api-keys").server().json(&body).send().await.expect_error(400, "SCHEMA_ERROR");
        }
        let (path, team_path) = (format!("/user-api-keys/{of_user}"), format!("/team-api-keys/{of_team}?team_id={team}"));
        let rename = json!({ "description": "renamed" });
        let change = |path: &str, body: &Value| server.patch(path).server().json(body).send();
        for (path, body) in [
            (&path, json!({ "user_id": user })), (&team_path, json!({ "team_id": team })),
            (&format!("{path}?team_id={team}"), rename.clone()), (&format!("/team-api-keys/{of_team}"), rename.clone()),
        ] {
            change(path, &body).await.expect_error(400, "SCHEMA_ERROR");
        }
        // A user's key need not name its user.
        for path in [&path, &team_path] {
            assert_eq!(server.get(path).server().send().await.expect(200)["description"], "a key");
            assert_eq!(change(path, &rename).await.expect(200)["description"], "renamed");
        }
    }

    async fn unknown_keys_and_owners_are_not_found(server, builder = with_keys()) {
        let user = people::create(&server, &json!({})).await;
        let (user, team) = (text(&user, "id").to_owned(), team(&server).await);
        let (of_user, of_team) = (user_key(&server, &user).await, team_key(&server, &team).await);
        let nobody = "00000000-0000-4000-8000-00000000dead";
        for path in [
            format!("/user-api-keys/{nobody}"), format!("/team-api-keys/{nobody}?team_id={team}"),
            // Of the other kind, or not the named owner's.
            format!("/user-api-keys/{}", text(&of_team, "id")), format!("/user-api-keys/{}?user_id={nobody}", text(&of_user, "id")),
            format!("/team-api-keys/{}?team_id={team}", text(&of_user, "id")),
            format!("/team-api-keys/{}?team_id={nobody}", text(&of_team, "id")),
        ] {
            server.get(&path).server().send().await.expect_error(404, "API_KEY_NOT_FOUND");
            server.patch(&path).server().json(&json!({ "revoked": true })).send().await.expect_error(404, "API_KEY_NOT_FOUND");
        }
        let body = json!({ "user_id": nobody, "description": "a", "expires_at_millis": null });
        server.post("/user-api-keys").server().json(&body).send().await.expect_error(400, "USER_ID_DOES_NOT_EXIST");
        let body = json!({ "team_id": nobody, "description": "a", "expires_at_millis": null });
        server.post("/team-api-keys").server().json(&body).send().await.expect_error(404, "TEAM_NOT_FOUND");
        let path = format!("/user-api-keys/{}", text(&of_user, "id"));
        assert_eq!(server.delete(&path).server().send().await.status, 405, "keys are revoked, not deleted");
    }

    async fn a_project_without_keys_of_users_refuses_every_route_for_them(
        server, builder = TestServer::builder().project(|settings| settings.api_keys.enabled.team = true)
    ) {
        only_one_kind_is_off(&server, "user", "team").await;
    }

    async fn a_project_without_keys_of_teams_refuses_every_route_for_them(
        server, builder = TestServer::builder().project(|settings| settings.api_keys.enabled.user = true)
    ) {
        only_one_kind_is_off(&server, "team", "user").await;
    }

    async fn keys_go_with_their_owners(server, builder = with_keys()) {
        let user = people::create(&server, &json!({})).await;
        let made = user_key(&server, text(&user, "id")).await;
        server.delete(&format!("/users/{}", text(&user, "id"))).server().send().await.expect(200);
        let check = server.post("/user-api-keys/check").server().json(&json!({ "api_key": made["value"] }));
        check.send().await.expect_error(404, "API_KEY_NOT_FOUND");
    }

    async fn keys_of_a_team_go_with_it(server, builder = with_keys()) {
        let team = team(&server).await;
        let made = team_key(&server, &team).await;
        server.delete(&format!("/teams/{team}")).server().send().await.expect(200);
        let check = server.post("/team-api-keys/check").server().json(&json!({ "api_key": made["value"] }));
        check.send().await.expect_error(404, "API_KEY_NOT_FOUND");
        let path = format!("/team-api-keys/{}?team_id={team}", text(&made, "id"));
        server.get(&path).server().send().await.expect_error(404, "API_KEY_NOT_FOUND");
    }

    async fn fields_are_cast_leniently(server, builder = with_keys()) {
        let user = people::create(&server, &json!({})).await;
        let fields = json!({ "description": 5, "is_public": "true", "expires_at_millis": "4102444800000" });
        let made = user_key_with(&server, text(&user, "id"), &fields).await;
        let read = (&made["description"], &made["is_public"], &made["expires_at_millis"]);
        assert_eq!(read, (&json!("5"), &json!(true), &json!(4_102_444_800_000_i64)));
        let path = format!("/user-api-keys/{}", text(&made, "id"));
        let change = |revoked: Value| server.patch(&path).server().json(&json!({ "revoked": revoked })).send();
        for wrong in [json!("yes"), json!(2), json!("")] {
            change(wrong).await.expect_error(400, "SCHEMA_ERROR");
        }
        assert!(change(json!("1")).await.expect(200)["manually_revoked_at_millis"].is_number());
    }
}

/// That every route of the one kind says that the project has none, before it says anything else, and that the other
/// kind is there.
async fn only_one_kind_is_off(server: &TestServer, off: &str, on: &str) {
    let nobody = "00000000-0000-4000-8000-00000000dead";
    let owner = format!("{off}_id");
    let create = json!({ owner: nobody, "description": "a", "expires_at_millis": null });
    let all = format!("/{off}-api-keys");
    let (list, one) = (format!("{all}?{off}_id={nobody}"), format!("{all}/{nobody}?{off}_id={nobody}"));
    let managing = || {
        [
            server.post(&all).json(&create),
            server.get(&list),
            server.get(&one),
            server.patch(&one).json(&json!({ "revoked": true })),
        ]
    };
    for request in managing().map(Request::server).into_iter().chain(managing().map(Request::client)) {
        request.send().await.expect_text(400);
    }
    let check = |kind: &str| {
        let request = server.post(&format!("/{kind}-api-keys/check")).server();
        request.json(&json!({ "api_key": "x" })).send()
    };
    check(off).await.expect_text(400);
    check(on).await.expect_error(404, "API_KEY_NOT_FOUND");
}

/// The checksum computed a second time, with a table.
fn crc32(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256_u32)
        .map(|byte| (0..8).fold(byte, |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }))
        .collect();
    !bytes.iter().fold(!0, |crc, byte| table[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ crc >> 8)
}
