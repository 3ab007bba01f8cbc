//! Webhooks: deliveries that succeed and fail, everything that people may do with endpoints and messages, and a Svix
//! server.

use latchkey_api_types::ids::{ProjectId, UserId};
use latchkey_identity::webhooks::{Event, queue};
use latchkey_testkit::{Builder, TestServer};
use latchkey_tests::receiver::Receiver;
use latchkey_tests::svix_server::{SvixServer, TOKEN, Trouble};
use reqwest::Method;
use serde_json::json;

/// Deliveries that succeed and fail, and everything that people may do with endpoints and messages.
pub(super) async fn tour(server: &TestServer) {
    let receiver = Receiver::start().await;
    let admin = |method: Method, path: &str| server.api(method, path).admin();
    let made = admin(Method::POST, "/webhooks/endpoints")
        .json(&json!({ "url": receiver.url }))
        .send()
        .await
        .expect(201);
    let own = format!("/webhooks/endpoints/{}", made["id"].as_str().expect("an id"));
    admin(Method::GET, "/webhooks/endpoints").send().await.expect(200);
    admin(Method::PATCH, &own).json(&json!({ "description": "a" })).send().await.expect(200);
    admin(Method::POST, &format!("{own}/secret/rotate")).json(&json!({})).send().await.expect(200);
    receiver.fail(1, 500);
    let project: ProjectId = server.project_id().parse().expect("a project id");
    let user = UserId::from_uuid(server.app().random.uuid());
    let event = Event::ProjectPermissionCreated { id: "a", user };
    server.app().store.batch(queue(server.app(), &project, &event)).await.expect("an event");
    server.flush().await;
    server.clock().advance_seconds(5);
    server.flush().await;
    let message = receiver.received()[0].header("svix-id").to_owned();
    admin(Method::GET, &format!("/webhooks/messages/{message}")).send().await.expect(200);
    let body = json!({ "endpoint_id": made["id"] });
    admin(Method::POST, &format!("/webhooks/messages/{message}/resend")).json(&body).send().await.expect(200);
    admin(Method::POST, "/internal/send-test-webhook").json(&body).send().await.expect(200);
    admin(Method::GET, &format!("{own}/attempts")).send().await.expect(200);
    let token = admin(Method::POST, "/webhooks/svix-token").json(&json!({})).send().await.expect(201);
    let bearer = format!("Bearer {}", token["token"].as_str().expect("a token"));
    for path in [format!("/app/{project}/msg"), format!("/app/{project}/attempt/msg/{message}")] {
        server.get(&path).header("authorization", &bearer).send().await.expect(200);
    }
    let declared = json!([{ "id": "33333333-3333-4333-8333-333333333333",
        "webhooks": [{ "id": "main", "url": "https://hooks.example.com/" }] }]);
    let declared = declared.to_string();
    let configured =
        |builder: Builder| builder.config("project", &declared).config("retention.audit_events", "30d");
    let twin = server.twin_with(configured).await;
    latchkey_identity::clean_up::run(twin.app()).await.expect("a clean-up");
    // Whatever is sealed again later finds the first one.
    let second = json!({ "url": receiver.url });
    let second = admin(Method::POST, "/webhooks/endpoints").json(&second).send().await.expect(201);
    let second = format!("/webhooks/endpoints/{}", second["id"].as_str().expect("an id"));
    admin(Method::DELETE, &second).send().await.expect(200);
}

/// Messages for a Svix server: one that is given up, and one that is taken.
pub(super) async fn handed_over(server: &TestServer, project: &ProjectId) {
    let svix = SvixServer::start().await;
    svix.trouble((0..8).map(|_| Trouble::Status(500)));
    let handing = server.twin_with(|builder| {
        builder.config("webhooks.svix_url", &svix.url).config("webhooks.svix_token", TOKEN)
    });
    let handing = handing.await;
    let event =
        Event::TeamDeleted { team: "00000000-0000-4000-8000-0000000000b1".parse().expect("a team id") };
    handing.app().store.batch(queue(handing.app(), project, &event)).await.expect("an event");
    for _ in 0..8 {
        handing.flush().await;
        handing.clock().advance_seconds(10 * 3600);
    }
    handing.app().store.batch(queue(handing.app(), project, &event)).await.expect("an event");
    handing.flush().await;
    assert_eq!((svix.requests().len(), svix.messages().len()), (9, 1));
    latchkey_identity::clean_up::run(handing.app()).await.expect("a clean-up");
}
