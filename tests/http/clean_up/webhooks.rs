//! The delivery log is pruned by age.

use latchkey_api_types::ids::{ProjectId, UserId};
use latchkey_identity::clean_up;
use latchkey_identity::webhooks::{Event, queue};
use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::receiver::Receiver;
use latchkey_tests::svix_server::{SvixServer, TOKEN, Trouble};
use serde_json::json;

on_both_engines! {
    async fn the_delivery_log_is_kept_for_thirty_days(
        server, builder = TestServer::builder().config("outgoing.allow_private_addresses", r#"["127.0.0.0/8"]"#)
    ) {
        let receiver = Receiver::start().await;
        let body = json!({ "url": receiver.url });
        let made = server.post("/webhooks/endpoints").admin().json(&body).send().await.expect(201);
        let project: ProjectId = server.project_id().parse().expect("a project id");
        let user: UserId = "00000000-0000-4000-8000-000000000001".parse().expect("a user id");
        let grant = || queue(server.app(), &project, &Event::ProjectPermissionCreated { id: "a", user });
        server.app().store.batch(grant()).await.expect("an event");
        server.flush().await;
        server.clock().advance_seconds(30 * 24 * 3600);
        server.app().store.batch(grant()).await.expect("an event");
        server.flush().await;
        let path = format!("/webhooks/endpoints/{}/attempts", made["id"].as_str().expect("an id"));
        let count = || async {
            server.get(&path).admin().send().await.expect(200)["items"].as_array().expect("a list").len()
        };
        assert_eq!(clean_up::run(server.app()).await.expect("a clean-up"), 0);
        assert_eq!(count().await, 2);
        server.clock().advance_millis(1);
        assert_eq!(clean_up::run(server.app()).await.expect("a clean-up"), 1);
        assert_eq!(count().await, 1);
    }

    async fn a_message_that_a_svix_server_never_took_is_kept_as_long(
        server, builder = TestServer::builder().config("outgoing.allow_private_addresses", r#"["127.0.0.0/8"]"#)
    ) {
        let svix = SvixServer::start().await;
        svix.trouble((0..8).map(|_| Trouble::Status(500)));
        let server = server.twin_with(|builder| {
            builder.config("webhooks.svix_url", &svix.url).config("webhooks.svix_token", TOKEN)
        }).await;
        let project: ProjectId = server.project_id().parse().expect("a project id");
        let user: UserId = "00000000-0000-4000-8000-000000000001".parse().expect("a user id");
        let event = queue(server.app(), &project, &Event::ProjectPermissionCreated { id: "a", user });
        server.app().store.batch(event).await.expect("an event");
        for _ in 0..8 {
            server.flush().await;
            server.clock().advance_seconds(10 * 3600);
        }
        assert_eq!(svix.requests().len(), 8);
        server.clock().advance_seconds(30 * 24 * 3600 - 8 * 10 * 3600);
        assert_eq!(clean_up::run(server.app()).await.expect("a clean-up"), 0);
        server.clock().advance_millis(1);
        assert_eq!(clean_up::run(server.app()).await.expect("a clean-up"), 1);
    }
}
