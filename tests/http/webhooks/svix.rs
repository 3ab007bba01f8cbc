//! Contract 08, "Svix-shaped routes": what existing tools call, with the token of an admin.

use latchkey_testkit::{Request, TestServer, on_both_engines};
use latchkey_tests::people;
use latchkey_tests::receiver::Receiver;
use latchkey_tests::tokens::keys;
use serde_json::{Value, json};

use super::{grant, granted, with_receivers};

async fn token(server: &TestServer) -> String {
    let answer = server.post("/webhooks/svix-token").admin().json(&json!({})).send().await.expect(201);
    assert_eq!(keys(&answer), ["token"]);
    answer["token"].as_str().expect("a token").to_owned()
}

fn with<'s>(request: Request<'s>, token: &str) -> Request<'s> {
    request.header("authorization", &format!("Bearer {token}"))
}

fn app(server: &TestServer) -> String {
    format!("/app/{}", server.project_id())
}

async fn create(server: &TestServer, token: &str, body: &Value) -> Value {
    let path = format!("{}/endpoint", app(server));
    with(server.post(&path), token).json(body).send().await.expect(201)
}

on_both_engines! {
    async fn a_tool_creates_an_endpoint_and_reads_attempts_and_messages(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        let token = token(&server).await;
        let made = create(&server, &token, &json!({ "url": receiver.url })).await;
        let path = app(&server);
        grant(&server, "a").await;
        server.flush().await;
        let id = made["id"].as_str().expect("an id");
        let log = with(server.get(&format!("{path}/attempt/endpoint/{id}?limit=50")), &token).send().await.expect(200);
        assert_eq!((&log["done"], &log["iterator"], &log["prevIterator"]), (&json!(true), &json!(null), &json!(null)));
        let attempt = &log["data"][0];
        let message = receiver.received()[0].header("svix-id").to_owned();
        assert_eq!((&attempt["msgId"], &attempt["endpointId"], &attempt["status"]), (&json!(message), &json!(id), &json!(0)));
        assert_eq!((&attempt["responseStatusCode"], &attempt["triggerType"]), (&json!(200), &json!(0)));
        let read = with(server.get(&format!("{path}/msg/{message}?with_content=true")), &token).send().await.expect(200);
        assert_eq!(
            read,
            json!({
                "id": message, "eventType": "project_permission.created", "eventId": null, "channels": null,
                "payload": receiver.received()[0].json(), "timestamp": "2026-01-01T00:00:00.000Z",
            })
        );
        assert!(message.starts_with("msg_") && message.len() == 4 + 27);
        let bare = with(server.get(&format!("{path}/msg/{message}?with_content=false")), &token).send().await.expect(200);
        assert_eq!(bare["payload"], json!({}));
        let of_message = with(server.get(&format!("{path}/attempt/msg/{message}")), &token).send().await.expect(200);
        assert_eq!(of_message["data"], log["data"]);
        let all = with(server.get(&format!("{path}/msg")), &token).send().await.expect(200);
        assert_eq!(all["data"], json!([read]));
        let again = format!("{path}/msg/{message}/endpoint/{id}/resend");
        assert_eq!(with(server.post(&again), &token).send().await.expect(202), json!({}));
        server.flush().await;
        assert_eq!(granted(&receiver.received()), ["a", "a"]);
    }

    async fn endpoints_are_managed_in_the_form_of_svix(server) {
        let token = token(&server).await;
        let body = json!({
            "url": "https://hooks.example.com/a", "description": "a", "filterTypes": ["user.created"], "uid": "main",
            "version": 1, "rateLimit": null, "metadata": {},
        });
        let made = create(&server, &token, &body).await;
        assert_eq!(
            made,
            json!({
                "id": made["id"], "uid": "main", "url": "https://hooks.example.com/a", "description": "a", "version": 1,
                "disabled": false, "filterTypes": ["user.created"], "eventTypes": ["user.created"], "channels": null,
                "rateLimit": null, "throttleRate": null, "metadata": {},
                "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z",
            })
        );
        let path = format!("{}/endpoint", app(&server));
        let taken = with(server.post(&path), &token).json(&body).send().await;
        assert_eq!((taken.status, &taken.json()["code"]), (409, &json!("conflict")));
        let main = format!("{path}/main");
        assert_eq!(with(server.get(&main), &token).send().await.expect(200), made);
        let changed = with(server.patch(&main), &token).json(&json!({ "disabled": true, "eventTypes": ["user.created", "team.created"] })).send().await.expect(200);
        assert_eq!((&changed["disabled"], &changed["description"]), (&json!(true), &json!("a")));
        assert_eq!(changed["filterTypes"], json!(["user.created", "team.created"]));
        let put = with(server.api(reqwest::Method::PUT, &main), &token).json(&json!({ "url": "https://hooks.example.com/b" }));
        let replaced = put.send().await.expect(200);
        assert_eq!((&replaced["disabled"], &replaced["description"], &replaced["filterTypes"]), (&json!(false), &json!(""), &json!(null)));
        assert_eq!(replaced["uid"], json!(null));
        let other = create(&server, &token, &json!({ "url": "https://hooks.example.com/c" })).await;
        let first = with(server.get(&format!("{path}?limit=1")), &token).send().await.expect(200);
        assert_eq!((&first["data"], &first["done"], &first["iterator"]), (&json!([replaced]), &json!(false), &made["id"]));
        let iterator = made["id"].as_str().expect("an id");
        let second = with(server.get(&format!("{path}?limit=1&iterator={iterator}")), &token).send().await.expect(200);
        assert_eq!((&second["data"], &second["done"]), (&json!([other]), &json!(true)));
        let own = format!("{path}/{iterator}");
        let secret = with(server.get(&format!("{own}/secret")), &token).send().await.expect(200);
        assert_eq!(with(server.post(&format!("{own}/secret/rotate")), &token).json(&json!({})).send().await.status, 204);
        assert_ne!(with(server.get(&format!("{own}/secret")), &token).send().await.expect(200), secret);
        assert_eq!(with(server.delete(&own), &token).send().await.status, 204);
        let gone = with(server.get(&own), &token).send().await;
        assert_eq!((gone.status, &gone.json()["code"]), (404, &json!("not_found")));
    }

    async fn a_token_opens_the_webhooks_of_its_project_only_and_for_an_hour(server) {
        let own = token(&server).await;
        let other = server.other_project().clone();
        let request = people::speaking_for(server.post("/webhooks/svix-token"), &other, "admin");
        let theirs = request.json(&json!({})).send().await.expect(201)["token"].as_str().expect("a token").to_owned();
        let path = format!("{}/endpoint", app(&server));
        let forged = format!("{}{}{}", &own[..40], if &own[40..41] == "A" { "B" } else { "A" }, &own[41..]);
        let admin_key = server.keys().admin.clone();
        for wrong in ["", "x", theirs.as_str(), forged.as_str(), admin_key.as_str()] {
            let answer = with(server.get(&path), wrong).send().await;
            assert_eq!((answer.status, &answer.json()["code"]), (401, &json!("authentication_failed")), "{wrong}");
        }
        assert_eq!(server.get(&path).send().await.status, 401);
        assert_eq!(server.get(&path).admin().send().await.status, 401, "keys open nothing here");
        assert_eq!(with(server.get(&format!("/app/{}/endpoint", other.id)), &own).send().await.status, 401);
        assert_eq!(with(server.get("/app/nothing/endpoint"), &own).send().await.status, 401);
        with(server.get(&path), &own).send().await.expect(200);
        // Nor does the token open anything else.
        let answer = with(server.get("/users/me").client(), &own).send().await;
        answer.expect_error(401, "UNPARSABLE_ACCESS_TOKEN");
        server.clock().advance_seconds(3600);
        assert_eq!(with(server.get(&path), &own).send().await.status, 401);
    }

    async fn ids_of_another_project_are_not_found_with_ones_own_token(server) {
        let own = token(&server).await;
        let made = create(&server, &own, &json!({ "url": "https://hooks.example.com/a", "uid": "main" })).await;
        let other = server.other_project().clone();
        let request = people::speaking_for(server.post("/webhooks/svix-token"), &other, "admin");
        let theirs = request.json(&json!({})).send().await.expect(201)["token"].as_str().expect("a token").to_owned();
        for name in [made["id"].as_str().expect("an id"), "main"] {
            let path = format!("/app/{}/endpoint/{name}", other.id);
            assert_eq!(with(server.get(&path), &theirs).send().await.status, 404);
            assert_eq!(with(server.delete(&path), &theirs).send().await.status, 404);
            assert_eq!(with(server.get(&format!("{path}/secret")), &theirs).send().await.status, 404);
            let log = format!("/app/{}/attempt/endpoint/{name}", other.id);
            assert_eq!(with(server.get(&log), &theirs).send().await.status, 404);
        }
        create_twin(&server, &theirs, &other.id).await;
        with(server.get(&format!("{}/endpoint/main", app(&server))), &own).send().await.expect(200);
    }
}

/// A name that is taken in one project is free in another.
async fn create_twin(server: &TestServer, token: &str, project: &str) {
    let body = json!({ "url": "https://hooks.example.com/a", "uid": "main" });
    with(server.post(&format!("/app/{project}/endpoint")), token).json(&body).send().await.expect(201);
}
