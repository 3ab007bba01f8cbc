//! Contract 07 §6: sets of project keys.

use latchkey_testkit::{Request, TestServer, on_both_engines};
use serde_json::{Value, json};

const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";

fn wanted(server: &TestServer, publishable: bool, secret: bool, admin: bool) -> Value {
    json!({
        "description": "For the back end",
        "expires_at_millis": server.app().now() + 3_600_000,
        "has_publishable_client_key": publishable,
        "has_secret_server_key": secret,
        "has_super_secret_admin_key": admin,
    })
}

async fn made(server: &TestServer, body: &Value) -> Value {
    server.post("/internal/api-keys").admin().json(body).send().await.expect(200)
}

fn id(set: &Value) -> &str {
    set["id"].as_str().expect("an id")
}

fn with_secret<'s>(request: Request<'s>, server: &TestServer, key: &str) -> Request<'s> {
    request
        .header("x-stack-access-type", "server")
        .header("x-stack-project-id", server.project_id())
        .header("x-stack-secret-server-key", key)
}

on_both_engines! {
    async fn keys_are_shown_whole_when_they_are_made_and_never_again(server) {
        // Later than the declared set, which is listed behind it.
        server.clock().advance_seconds(1);
        let set = made(&server, &wanted(&server, true, true, true)).await;
        let now = server.app().now();
        assert_eq!((&set["created_at_millis"], &set["expires_at_millis"]), (&json!(now), &json!(now + 3_600_000)));
        let mut shown = json!({
            "id": set["id"], "description": "For the back end",
            "created_at_millis": now, "expires_at_millis": now + 3_600_000,
        });
        for (name, prefix) in [("publishable_client_key", "pck_"), ("secret_server_key", "ssk_"), ("super_secret_admin_key", "sak_")] {
            let key = set[name].as_str().expect("a key");
            let random = key.strip_prefix(prefix).expect("a prefix");
            assert_eq!(random.len(), 45);
            assert!(random.bytes().all(|byte| b"0123456789abcdefghjkmnpqrstvwxyz".contains(&byte)), "{key}");
            shown[name] = json!({ "last_four": &key[key.len() - 4..] });
        }
        assert_eq!(set.as_object().expect("an object").len(), 7);
        let read = server.get(&format!("/internal/api-keys/{}", id(&set))).admin().send().await.expect(200);
        assert_eq!(read, shown);
        let list = server.get("/internal/api-keys").admin().send().await.expect(200);
        assert_eq!(list["is_paginated"], false);
        assert_eq!(list["items"][0], shown);
    }

    async fn a_set_holds_only_the_keys_that_were_asked_for(server) {
        let set = made(&server, &wanted(&server, false, true, false)).await;
        assert!(set.get("publishable_client_key").is_none() && set.get("super_secret_admin_key").is_none());
        let read = server.get(&format!("/internal/api-keys/{}", id(&set))).admin().send().await.expect(200);
        assert!(read.get("publishable_client_key").is_none() && read.get("manually_revoked_at_millis").is_none());
    }

    async fn a_new_key_opens_its_own_access_type_of_its_own_project_at_once(server) {
        let set = made(&server, &wanted(&server, true, true, true)).await;
        let secret = set["secret_server_key"].as_str().expect("a key");
        with_secret(server.post("/users"), &server, secret).json(&json!({})).send().await.expect(201);
        let admin = set["super_secret_admin_key"].as_str().expect("a key");
        with_secret(server.post("/users"), &server, admin).json(&json!({})).send().await
            .expect_error(401, "INVALID_SECRET_SERVER_KEY");
        let other = &server.other_project().id;
        let elsewhere = with_secret(server.post("/users"), &server, secret).header("x-stack-project-id", other);
        elsewhere.json(&json!({})).send().await.expect_error(401, "INVALID_SECRET_SERVER_KEY");
    }

    async fn sets_are_listed_newest_first_revoked_and_expired_ones_included(server) {
        let mut ids = Vec::new();
        for _ in 0..3 {
            server.clock().advance_seconds(1);
            ids.insert(0, made(&server, &wanted(&server, true, false, false)).await["id"].clone());
        }
        server.patch(&format!("/internal/api-keys/{}", ids[1].as_str().expect("an id"))).admin()
            .json(&json!({ "revoked": true })).send().await.expect(200);
        let list = server.get("/internal/api-keys").admin().send().await.expect(200);
        let listed: Vec<&Value> = list["items"].as_array().expect("items").iter().map(|set| &set["id"]).collect();
        assert_eq!(listed[..3], ids.iter().collect::<Vec<_>>());
    }

    async fn a_revoked_key_opens_nothing_from_then_on_for_good(server) {
        let set = made(&server, &wanted(&server, false, true, false)).await;
        let key = set["secret_server_key"].as_str().expect("a key");
        let path = format!("/internal/api-keys/{}", id(&set));
        let change = |body: Value| server.patch(&path).admin().json(&body).send();
        change(json!({ "revoked": false })).await.expect_error(400, "SCHEMA_ERROR");
        let revoked = change(json!({ "revoked": true })).await.expect(200);
        let first = revoked["manually_revoked_at_millis"].clone();
        assert_eq!(first, json!(server.app().now()));
        with_secret(server.get("/"), &server, key).send().await.expect_error(401, "INVALID_SECRET_SERVER_KEY");
        server.clock().advance_seconds(5);
        let again = change(json!({ "revoked": true, "description": "gone" })).await.expect(200);
        assert_eq!((&again["manually_revoked_at_millis"], &again["description"]), (&first, &json!("gone")));
    }

    async fn an_expired_key_opens_nothing(server) {
        let mut body = wanted(&server, false, true, false);
        let set = made(&server, &body).await;
        let key = set["secret_server_key"].as_str().expect("a key");
        server.clock().advance_seconds(3_599);
        assert_eq!(with_secret(server.get("/"), &server, key).send().await.status, 200);
        server.clock().advance_seconds(2);
        with_secret(server.get("/"), &server, key).send().await.expect_error(401, "INVALID_SECRET_SERVER_KEY");
        body["expires_at_millis"] = json!(1);
        let past = made(&server, &body).await;
        let key = past["secret_server_key"].as_str().expect("a key");
        with_secret(server.get("/"), &server, key).send().await.expect_error(401, "INVALID_SECRET_SERVER_KEY");
    }

    async fn every_field_of_a_new_set_is_required_and_others_are_refused(server) {
        let whole = wanted(&server, true, true, true);
        for name in whole.as_object().expect("an object").keys() {
            let mut body = whole.clone();
            body.as_object_mut().expect("an object").remove(name);
            let details = server.post("/internal/api-keys").admin().json(&body).send().await.expect_error(400, "SCHEMA_ERROR");
            assert!(details["message"].as_str().expect("a message").contains(&format!("body.{name}")));
        }
        let mut body = whole.clone();
        body["secret_server_key"] = json!("ssk_of_my_choice");
        server.post("/internal/api-keys").admin().json(&body).send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn an_unknown_set_is_not_found_and_none_can_be_deleted(server) {
        let path = format!("/internal/api-keys/{NOBODY}");
        assert!(server.get(&path).admin().send().await.expect_error(404, "API_KEY_NOT_FOUND").is_null());
        server.patch(&path).admin().json(&json!({})).send().await.expect_error(404, "API_KEY_NOT_FOUND");
        assert_eq!(server.delete(&path).admin().send().await.status, 405);
    }

    async fn a_publishable_key_is_needed_only_where_the_project_says_so_and_must_be_right_if_sent(server) {
        let bare = || server.get("/projects/current").client().without("x-stack-publishable-client-key");
        let id = server.project_id();
        bare().send().await.expect(200);
        bare().header("x-stack-publishable-client-key", "__stack_public_client__").send().await.expect(200);
        let wrong = bare().header("x-stack-publishable-client-key", "pck_wrong").send().await;
        assert_eq!(wrong.expect_error(401, "INVALID_PUBLISHABLE_CLIENT_KEY"), json!({ "project_id": id }));
        let body = json!({ "config_override_string": "{\"project.requirePublishableClientKey\":true}" });
        server.patch("/internal/config/override/project").admin().json(&body).send().await.expect(200);
        for request in [bare(), bare().header("x-stack-publishable-client-key", "__stack_public_client__")] {
            let details = request.send().await.expect_error(401, "PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT");
            assert_eq!(details, json!({ "project_id": id }));
        }
        server.get("/projects/current").client().send().await.expect(200);
    }

    async fn keys_are_kept_as_hashes(server) {
        let set = made(&server, &wanted(&server, true, true, true)).await;
        let project = server.project_id().parse().expect("a project id");
        let read = server.app().store.read(move |tx| {
            Box::pin(async move { latchkey_storage::key_sets::list(tx, &project).await })
        });
        let rows = read.await.expect("rows");
        let row = rows.iter().find(|row| row.id.to_string() == id(&set)).expect("the set");
        let hash = latchkey_crypto::TokenHash::of(set["secret_server_key"].as_str().expect("a key"));
        assert!(row.secret_server_key_hash == Some(hash));
    }
}
