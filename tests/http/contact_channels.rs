//! Contract 05 §6: contact channels and how they are verified.

mod verification;

use latchkey_testkit::{Request, TestServer, on_both_engines};
use latchkey_tests::people::{self, Person};
use latchkey_tests::{join_all, tokens};
use serde_json::{Value, json};

const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";

/// Adds a channel as a server.
async fn add(server: &TestServer, user: &str, value: &str, fields: Value) -> Value {
    let mut body = json!({ "user_id": user, "type": "email", "value": value, "used_for_auth": false });
    for (name, field) in fields.as_object().cloned().unwrap_or_default() {
        body[name] = field;
    }
    server.post("/contact-channels").server().json(&body).send().await.expect(201)
}

async fn channels(server: &TestServer, user: &str) -> Vec<Value> {
    let page = server.get(&format!("/contact-channels?user_id={user}")).server().send().await.expect(200);
    assert_eq!(page["is_paginated"], false);
    assert!(page.get("pagination").is_none(), "{page}");
    page["items"].as_array().expect("items").clone()
}

fn path(channel: &Value) -> String {
    let text = |name: &str| channel[name].as_str().expect("an id");
    format!("/contact-channels/{}/{}", text("user_id"), text("id"))
}

fn as_client<'s>(request: Request<'s>, person: &Person) -> Request<'s> {
    request.client().user(&person.access_token)
}

on_both_engines! {
    async fn a_channel_has_the_same_fields_for_everybody(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let own = channels(&server, &ada.id).await;
        assert_eq!(own.len(), 1);
        assert_eq!(own[0], json!({
            "user_id": ada.id, "id": own[0]["id"], "type": "email", "value": "ada@example.com", "is_primary": true,
            "is_verified": false, "used_for_auth": true,
        }));
        assert_eq!(tokens::keys(&own[0]).len(), 7);
        let seen = as_client(server.get(&path(&own[0])), &ada).send().await.expect(200);
        assert_eq!(seen, own[0]);
        let listed = as_client(server.get("/contact-channels?user_id=me"), &ada).send().await.expect(200);
        assert_eq!(listed["items"], json!(own));
        assert_eq!(server.get(&path(&own[0])).admin().send().await.expect(200), own[0]);
    }

    async fn channels_are_listed_oldest_first_of_one_user_or_of_everybody(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for value in ["z@example.com", "a@example.com"] {
            server.clock().advance_seconds(1);
            add(&server, &ada.id, value, json!({})).await;
        }
        server.clock().advance_seconds(1);
        people::sign_up(&server, "bo@example.com").await;
        let values = |items: &[Value]| -> Vec<String> {
            items.iter().map(|item| item["value"].as_str().unwrap_or_default().to_owned()).collect()
        };
        let own = channels(&server, &ada.id).await;
        assert_eq!(values(&own), ["ada@example.com", "z@example.com", "a@example.com"]);
        let all = server.get("/contact-channels").server().send().await.expect(200);
        assert_eq!(all["items"].as_array().map(|items| values(items)), Some(vec![
            "ada@example.com".to_owned(), "z@example.com".to_owned(), "a@example.com".to_owned(), "bo@example.com".to_owned(),
        ]));
        let one = format!("/contact-channels?contact_channel_id={}", own[1]["id"].as_str().expect("an id"));
        assert_eq!(server.get(&one).server().send().await.expect(200)["items"], json!([own[1]]));
        assert_eq!(channels(&server, NOBODY).await, Vec::<Value>::new());
    }

    async fn a_client_without_user_is_told_so(server) {
        let own = add(&server, &people::sign_up(&server, "ada@example.com").await.id, "b@example.com", json!({})).await;
        let body = json!({ "user_id": "me", "type": "email", "value": "x@example.com", "used_for_auth": false });
        let requests = [
            server.get("/contact-channels?user_id=me"), server.get("/contact-channels"),
            server.post("/contact-channels").json(&body), server.get(&path(&own)), server.delete(&path(&own)),
            server.patch(&path(&own)).json(&json!({})),
        ];
        for request in requests {
            request.client().send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        }
    }

    async fn a_client_touches_nobody_elses_channels(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let foreign = channels(&server, &ada.id).await.remove(0);
        let body = json!({ "user_id": ada.id, "type": "email", "value": "x@example.com", "used_for_auth": false });
        let requests = [
            server.get(&format!("/contact-channels?user_id={}", ada.id)), server.get("/contact-channels"),
            server.post("/contact-channels").json(&body), server.get(&path(&foreign)), server.delete(&path(&foreign)),
            server.patch(&path(&foreign)).json(&json!({ "is_primary": false })),
        ];
        for request in requests {
            as_client(request, &bo).send().await.expect_text(403);
        }
        // The own user beside a channel of somebody else.
        let mixed = format!("/contact-channels/me/{}", foreign["id"].as_str().expect("an id"));
        as_client(server.get(&mixed), &bo).send().await.expect_text(404);
        as_client(server.delete(&mixed), &bo).send().await.expect_text(400);
        as_client(server.patch(&mixed).json(&json!({ "used_for_auth": false })), &bo).send().await.expect_text(400);
        assert_eq!(channels(&server, &ada.id).await, [foreign]);
    }

    async fn only_servers_say_what_is_verified(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let own = channels(&server, &ada.id).await.remove(0);
        let body = json!({ "user_id": "me", "type": "email", "value": "x@example.com", "used_for_auth": false, "is_verified": true });
        as_client(server.post("/contact-channels").json(&body), &ada).send().await.expect_error(400, "SCHEMA_ERROR");
        let change = server.patch(&path(&own)).json(&json!({ "is_verified": true }));
        as_client(change, &ada).send().await.expect_error(400, "SCHEMA_ERROR");
        assert_eq!(server.patch(&path(&own)).server().json(&json!({ "is_verified": true })).send().await.expect(200)["is_verified"], true);
        assert_eq!(add(&server, &ada.id, "y@example.com", json!({ "is_verified": true })).await["is_verified"], true);
    }

    async fn a_channel_that_is_not_there_is_404_to_read_and_400_to_change(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let path = format!("/contact-channels/{}/{NOBODY}", ada.id);
        server.get(&path).server().send().await.expect_text(404);
        server.patch(&path).server().json(&json!({})).send().await.expect_text(400);
        server.delete(&path).server().send().await.expect_text(400);
        server.get(&format!("/contact-channels/{}/x", ada.id)).server().send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn an_address_is_checked_and_normalised(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        assert_eq!(add(&server, &ada.id, "X.Y@Example.COM", json!({})).await["value"], "x.y@example.com");
        for value in ["", "x", "a b@example.com"] {
            let body = json!({ "user_id": ada.id, "type": "email", "value": value, "used_for_auth": false });
            server.post("/contact-channels").server().json(&body).send().await.expect_error(400, "SCHEMA_ERROR");
        }
        let own = add(&server, &ada.id, "z@example.com", json!({})).await;
        let changed = server.patch(&path(&own)).server().json(&json!({ "value": "Q@Example.com" })).send().await.expect(200);
        assert_eq!(changed["value"], "q@example.com", "also without type: otherwise Q@ could sign in beside q@");
    }

    async fn fields_are_required_and_others_refused(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let whole = json!({ "user_id": ada.id, "type": "email", "value": "x@example.com", "used_for_auth": false });
        for field in ["user_id", "type", "value", "used_for_auth"] {
            let mut body = whole.clone();
            body.as_object_mut().expect("an object").remove(field);
            server.post("/contact-channels").server().json(&body).send().await.expect_error(400, "SCHEMA_ERROR");
        }
        for (field, value) in [("type", json!("phone")), ("extra", json!(1)), ("user_id", json!("x"))] {
            let mut body = whole.clone();
            body[field] = value;
            server.post("/contact-channels").server().json(&body).send().await.expect_error(400, "SCHEMA_ERROR");
        }
        let mut nobodys = whole.clone();
        nobodys["user_id"] = json!(NOBODY);
        server.post("/contact-channels").server().json(&nobodys).send().await.expect_error(404, "USER_NOT_FOUND");
    }

    async fn a_user_has_an_address_once(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "user_id": ada.id, "type": "email", "value": "ADA@example.com", "used_for_auth": true });
        server.post("/contact-channels").server().json(&body).send().await.expect_text(400);
        let other = add(&server, &ada.id, "b@example.com", json!({})).await;
        server.patch(&path(&other)).server().json(&json!({ "value": "ada@example.com" })).send().await.expect_text(400);
        assert_eq!(channels(&server, &ada.id).await.len(), 2);
    }

    async fn an_address_signs_in_one_user_only(server) {
        people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let body = json!({ "user_id": "me", "type": "email", "value": "ada@example.com", "used_for_auth": true });
        let code = "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE";
        let details = as_client(server.post("/contact-channels").json(&body), &bo).send().await.expect_error(409, code);
        assert_eq!(details, json!({
            "type": "email", "contact_channel_value": "ada@example.com", "would_work_if_email_was_verified": false,
        }));
        let own = add(&server, &bo.id, "ada@example.com", json!({})).await;
        let details = as_client(server.patch(&path(&own)).json(&json!({ "used_for_auth": true })), &bo).send().await.expect_error(409, code);
        assert_eq!(details["contact_channel_value"], Value::Null);
        let used = add(&server, &bo.id, "bo2@example.com", json!({ "used_for_auth": true })).await;
        server.delete(&path(&own)).server().send().await.expect(200);
        let change = server.patch(&path(&used)).server().json(&json!({ "value": "ada@example.com" }));
        change.send().await.expect_error(409, code);
    }

    async fn of_racing_channels_with_one_address_one_signs_in(server) {
        let mut users = Vec::new();
        for number in 0..8 {
            users.push(people::create(&server, &json!({ "display_name": format!("User {number}") })).await["id"].clone());
        }
        let answers = join_all(users.iter().map(|id| {
            let body = json!({ "user_id": id, "type": "email", "value": "one@example.com", "used_for_auth": true });
            server.post("/contact-channels").server().json(&body).send()
        })).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            answer.expect_error(409, "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE");
        }
    }

    async fn another_address_has_to_be_verified_anew(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let own = add(&server, &ada.id, "b@example.com", json!({ "is_verified": true })).await;
        let change = |body: Value| server.patch(&path(&own)).server().json(&body).send();
        assert_eq!(change(json!({ "used_for_auth": true })).await.expect(200)["is_verified"], true);
        assert_eq!(change(json!({ "value": "c@example.com" })).await.expect(200)["is_verified"], false);
        let told = change(json!({ "value": "d@example.com", "type": "email", "is_verified": true })).await.expect(200);
        assert_eq!((&told["value"], &told["is_verified"], &told["used_for_auth"]), (&json!("d@example.com"), &json!(true), &json!(true)));
    }

    async fn there_is_one_primary_channel_or_none(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let first = channels(&server, &ada.id).await.remove(0);
        let second = add(&server, &ada.id, "b@example.com", json!({ "is_primary": true, "is_verified": true })).await;
        let primary = || async {
            let user = people::seen_by_server(&server, &ada.id).await;
            (user["primary_email"].clone(), user["primary_email_verified"].clone(), user["has_password"].clone())
        };
        assert_eq!(primary().await, (json!("b@example.com"), json!(true), json!(true)));
        assert_eq!(server.get(&path(&first)).server().send().await.expect(200)["is_primary"], false);
        let back = server.patch(&path(&first)).server().json(&json!({ "is_primary": true })).send().await.expect(200);
        assert_eq!((&back["is_primary"], &back["used_for_auth"]), (&json!(true), &json!(true)));
        assert_eq!(primary().await.0, "ada@example.com");
        server.patch(&path(&first)).server().json(&json!({ "is_primary": false })).send().await.expect(200);
        assert_eq!(primary().await.0, Value::Null, "nothing takes its place");
        server.patch(&path(&second)).server().json(&json!({ "is_primary": true })).send().await.expect(200);
        server.delete(&path(&second)).server().send().await.expect(200);
        assert_eq!(primary().await, (Value::Null, json!(false), json!(true)), "the password stays");
        assert_eq!(channels(&server, &ada.id).await.len(), 1);
    }

    async fn of_racing_primary_channels_one_stays(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let answers = join_all((0..8).map(|number| {
            let body = json!({
                "user_id": ada.id, "type": "email", "value": format!("n{number}@example.com"), "used_for_auth": false, "is_primary": true,
            });
            server.post("/contact-channels").server().json(&body).send()
        })).await;
        assert!(answers.iter().all(|answer| answer.status < 500));
        assert!(answers.iter().any(|answer| answer.status == 201));
        assert_eq!(channels(&server, &ada.id).await.iter().filter(|channel| channel["is_primary"] == true).count(), 1);
    }

    async fn a_removed_channel_signs_nobody_in(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let own = channels(&server, &ada.id).await.remove(0);
        assert_eq!(as_client(server.delete(&path(&own)), &ada).send().await.expect(200), json!({ "success": true }));
        let body = json!({ "email": "ada@example.com", "password": people::PASSWORD });
        let sign_in = server.post("/auth/password/sign-in").client().json(&body).send().await;
        sign_in.expect_error(400, "EMAIL_PASSWORD_MISMATCH");
        people::sign_up(&server, "ada@example.com").await;
    }

    async fn flags_are_cast_leniently(server) {
        let user = people::create(&server, &json!({})).await;
        let id = user["id"].as_str().expect("an id");
        let fields = json!({ "is_verified": "true", "used_for_auth": 1, "is_primary": "0" });
        let made = add(&server, id, "ada@example.com", fields).await;
        let read = |channel: &Value| ["is_verified", "used_for_auth", "is_primary"].map(|name| channel[name].clone());
        assert_eq!(read(&made), [json!(true), json!(true), json!(false)]);
        let change = |body: Value| server.patch(&path(&made)).server().json(&body).send();
        let changed = change(json!({ "is_verified": 0, "used_for_auth": "false", "is_primary": "1" })).await.expect(200);
        assert_eq!(read(&changed), [json!(false), json!(false), json!(true)]);
        for wrong in [json!("yes"), json!(2), json!("")] {
            change(json!({ "is_verified": wrong })).await.expect_error(400, "SCHEMA_ERROR");
        }
    }
}
