//! Looking at passkeys, naming and removing them: our own endpoints beside the contract's.

use latchkey_testkit::{Request, TestServer, on_both_engines};
use latchkey_tests::authenticator::base64url;
use latchkey_tests::passkeys::{self, builder, registered, sign_in};
use latchkey_tests::people::{self, Person};
use latchkey_tests::stored;
use serde_json::{Value, json};

const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";

fn as_client<'s>(request: Request<'s>, person: &Person) -> Request<'s> {
    request.client().user(&person.access_token)
}

fn path(user: &str, passkey: &Value) -> String {
    format!("/passkeys/{user}/{}", passkey["id"].as_str().expect("an id"))
}

async fn one_passkey(server: &TestServer) -> (Person, Value) {
    let ada = people::sign_up(server, "ada@example.com").await;
    registered(server, &ada).await;
    let passkey = passkeys::list(server, &ada.id).await.remove(0);
    (ada, passkey)
}

on_both_engines! {
    async fn passkeys_are_listed_oldest_first_with_what_their_owner_needs(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let one = registered(&server, &ada).await;
        server.clock().advance_seconds(5);
        let two = registered(&server, &ada).await;
        let begun = server.app().now();
        let listed = passkeys::list(&server, &ada.id).await;
        assert_eq!(listed[1], json!({
            "id": listed[1]["id"], "user_id": ada.id, "name": "Passkey", "credential_id": base64url(&two.id),
            "rp_id": "localhost", "aaguid": "07070707-0707-0707-0707-070707070707", "is_backed_up": false,
            "created_at_millis": begun, "last_used_at_millis": null,
        }));
        assert_eq!(listed[0]["credential_id"], base64url(&one.id));
        server.clock().advance_seconds(5);
        sign_in(&server, &two).await.expect(200);
        let page = as_client(server.get("/passkeys?user_id=me"), &ada).send().await.expect(200);
        assert_eq!(page["is_paginated"], false);
        assert_eq!(page["items"][1]["last_used_at_millis"], begun + 5000);
        assert_eq!(page["items"][0], listed[0]);
        assert_eq!(as_client(server.get(&path("me", &listed[0])), &ada).send().await.expect(200), listed[0]);
        assert_eq!(server.get(&path(&ada.id, &listed[0])).admin().send().await.expect(200), listed[0]);
    }

    async fn a_passkey_is_renamed_by_its_owner_or_a_server(server, builder = builder()) {
        let (ada, passkey) = one_passkey(&server).await;
        let body = json!({ "name": "Blue key 🔑" });
        let renamed = as_client(server.patch(&path("me", &passkey)).json(&body), &ada).send().await.expect(200);
        assert_eq!(renamed["name"], "Blue key 🔑");
        let body = json!({ "name": "x".repeat(100) });
        let renamed = server.patch(&path(&ada.id, &passkey)).server().json(&body).send().await.expect(200);
        assert_eq!(renamed["name"], "x".repeat(100));
        for body in [json!({ "name": "" }), json!({ "name": "  " }), json!({ "name": "x".repeat(101) }), json!({}), json!({ "name": null }), json!({ "name": "x", "sign_count": 0 })] {
            let request = as_client(server.patch(&path("me", &passkey)).json(&body), &ada);
            request.send().await.expect_error(400, "SCHEMA_ERROR");
        }
        assert!(stored::event_kinds(&server, &ada.id).await.contains(&"passkey.changed".to_owned()));
    }

    async fn a_removed_passkey_signs_nobody_in(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let (gone, stays) = (registered(&server, &ada).await, registered(&server, &ada).await);
        let session = Person::of(&sign_in(&server, &gone).await.expect(200));
        let listed = passkeys::list(&server, &ada.id).await;
        let listed = listed.iter().find(|one| one["credential_id"] == base64url(&gone.id)).expect("the passkey");
        as_client(server.delete(&path("me", listed)), &ada).send().await.expect(200);
        sign_in(&server, &gone).await.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
        sign_in(&server, &stays).await.expect(200);
        people::seen_by_self(&server, &session).await;
        as_client(server.delete(&path("me", listed)), &ada).send().await.expect_text(404);
        let last = passkeys::list(&server, &ada.id).await.remove(0);
        server.delete(&path(&ada.id, &last)).server().send().await.expect(200);
        assert_eq!(people::seen_by_self(&server, &ada).await["passkey_auth_enabled"], false);
        assert!(stored::event_kinds(&server, &ada.id).await.contains(&"passkey.removed".to_owned()));
    }

    async fn clients_touch_no_passkeys_but_their_own(server, builder = builder()) {
        let (ada, passkey) = one_passkey(&server).await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let name = json!({ "name": "stolen" });
        let own = path(&ada.id, &passkey);
        let list = format!("/passkeys?user_id={}", ada.id);
        for request in [server.get(&list), server.get(&own), server.patch(&own).json(&name), server.delete(&own)] {
            as_client(request, &bo).send().await.expect_text(403);
        }
        // The own user beside a passkey of somebody else, also as a server.
        for user in ["me", &bo.id] {
            let mixed = path(user, &passkey);
            for request in [server.get(&mixed), server.patch(&mixed).json(&name), server.delete(&mixed)] {
                as_client(request, &bo).send().await.expect_text(404);
            }
        }
        let mixed = path(&bo.id, &passkey);
        for request in [server.get(&mixed), server.patch(&mixed).json(&name), server.delete(&mixed)] {
            request.server().send().await.expect_text(404);
        }
        for request in [server.get("/passkeys?user_id=me"), server.get(&path("me", &passkey)), server.delete(&path("me", &passkey))] {
            request.client().send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        }
        assert_eq!(passkeys::list(&server, &ada.id).await, [passkey]);
    }

    async fn what_is_not_there_is_404(server, builder = builder()) {
        let (ada, passkey) = one_passkey(&server).await;
        for missing in [format!("/passkeys/{}/{NOBODY}", ada.id), path(NOBODY, &passkey)] {
            server.get(&missing).server().send().await.expect_text(404);
            server.patch(&missing).server().json(&json!({ "name": "x" })).send().await.expect_text(404);
            server.delete(&missing).server().send().await.expect_text(404);
        }
        assert_eq!(passkeys::list(&server, NOBODY).await, Vec::<Value>::new());
        server.get("/passkeys").server().send().await.expect_error(400, "SCHEMA_ERROR");
        server.get("/passkeys?user_id=x").server().send().await.expect_error(400, "SCHEMA_ERROR");
    }
}
