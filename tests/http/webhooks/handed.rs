//! Webhooks that are handed to a Svix server.

use latchkey_identity::webhooks::Event;
use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::people;
use latchkey_tests::receiver::Receiver;
use latchkey_tests::svix_server::{SvixServer, TOKEN, Trouble};
use serde_json::json;

use super::{audited, endpoint, grant, happen, id, user, with_receivers};

/// A server that hands its webhooks to this one.
fn handing_to(svix: &SvixServer, builder: Builder) -> Builder {
    builder.config("webhooks.svix_url", &svix.url).config("webhooks.svix_token", TOKEN)
}

/// The same on the database of another one.
async fn handing(server: &TestServer, svix: &SvixServer) -> TestServer {
    server.twin_with(|builder| handing_to(svix, builder)).await
}

on_both_engines! {
    async fn an_event_is_handed_over_with_the_application_of_its_project(server, builder = with_receivers()) {
        let svix = SvixServer::start().await;
        let server = handing(&server, &svix).await;
        let ada = people::created(&server, &json!({ "display_name": "Ada" })).await;
        server.flush().await;
        let messages = svix.messages();
        let created = messages.iter().find(|message| message.event_type == "user.created").expect("the event");
        assert_eq!(created.application, server.project_id());
        assert_eq!((&created.payload["type"], &created.payload["data"]["id"]), (&json!("user.created"), &json!(ada.id)));
        assert!(created.event_id.starts_with("msg_"), "{}", created.event_id);
        let name = server.get("/projects/current").client().send().await.expect(200)["display_name"].clone();
        assert_eq!(svix.applications().into_iter().collect::<Vec<_>>(), [(server.project_id().to_owned(), name.as_str().expect("a name").to_owned())]);
        let before = svix.requests().len();
        server.flush().await;
        assert_eq!(svix.requests().len(), before, "each is handed over once");
        svix.assert_content();
    }

    async fn the_background_worker_hands_over_without_being_asked(server, builder = with_receivers()) {
        let svix = SvixServer::start().await;
        let server = handing(&server, &svix).await;
        grant(&server, "a").await;
        while svix.messages().is_empty() {
            tokio::task::yield_now().await;
        }
        svix.assert_content();
    }

    async fn a_server_that_makes_no_application_along_with_a_message_is_asked_to_make_it_first(server, builder = with_receivers()) {
        let svix = SvixServer::start().await;
        svix.grow_old();
        let server = handing(&server, &svix).await;
        grant(&server, "a").await;
        server.flush().await;
        let path = format!("POST /api/v1/app/{}/msg", server.project_id());
        assert_eq!(svix.requests(), [path.as_str(), "POST /api/v1/app", path.as_str()]);
        assert_eq!(svix.messages().len(), 1);
        grant(&server, "b").await;
        server.flush().await;
        assert_eq!(svix.requests().len(), 4, "the next one finds it");
        svix.assert_content();
    }

    async fn what_was_not_taken_is_handed_over_again_after_a_pause(server, builder = with_receivers()) {
        let svix = SvixServer::start().await;
        svix.trouble([Trouble::Status(503), Trouble::Status(401)]);
        let server = handing(&server, &svix).await;
        grant(&server, "a").await;
        server.flush().await;
        server.clock().advance_seconds(4);
        server.flush().await;
        assert_eq!(svix.requests().len(), 1, "too early");
        server.clock().advance_seconds(1);
        server.flush().await;
        assert_eq!((svix.requests().len(), svix.messages().len()), (2, 0));
        server.clock().advance_seconds(5 * 60);
        server.flush().await;
        assert_eq!(svix.messages().len(), 1);
        svix.assert_content();
    }

    async fn a_message_whose_answer_got_lost_is_there_once(server, builder = with_receivers()) {
        let svix = SvixServer::start().await;
        svix.trouble([Trouble::LostAnswer]);
        let server = handing(&server, &svix).await;
        grant(&server, "a").await;
        server.flush().await;
        assert_eq!((svix.requests().len(), svix.messages().len()), (1, 1));
        server.clock().advance_seconds(5);
        server.flush().await;
        assert_eq!((svix.requests().len(), svix.messages().len()), (2, 1), "told again, and known by its event id");
        server.clock().advance_seconds(24 * 3600);
        server.flush().await;
        assert_eq!(svix.requests().len(), 2, "that counts as taken");
        svix.assert_content();
    }

    async fn a_message_that_is_never_taken_is_given_up_after_the_schedule(server, builder = with_receivers()) {
        let svix = SvixServer::start().await;
        svix.trouble((0..20).map(|_| Trouble::Status(500)));
        let server = handing(&server, &svix).await;
        grant(&server, "a").await;
        for _ in 0..12 {
            server.flush().await;
            server.clock().advance_seconds(10 * 3600);
        }
        assert_eq!(svix.requests().len(), 8);
    }

    async fn an_event_of_a_deed_that_was_undone_is_handed_to_nobody(server, builder = with_receivers()) {
        let svix = SvixServer::start().await;
        let server = handing(&server, &svix).await;
        let project = server.project_id().parse().expect("a project id");
        let event = Event::ProjectPermissionCreated { id: "a", user: user(1) };
        let mut statements = latchkey_identity::webhooks::queue(server.app(), &project, &event);
        statements.push(latchkey_storage::project_permissions::revoke(&project, user(1), "never granted").exactly(1));
        assert!(server.app().store.batch(statements).await.is_err());
        server.flush().await;
        assert_eq!(svix.requests(), Vec::<String>::new());
    }

    async fn events_of_two_projects_go_to_two_applications(server, builder = with_receivers()) {
        let svix = SvixServer::start().await;
        let server = handing(&server, &svix).await;
        grant(&server, "a").await;
        let internal = latchkey_api_types::ids::ProjectId::internal();
        let event = Event::ProjectPermissionCreated { id: "b", user: user(2) };
        let statements = latchkey_identity::webhooks::queue(server.app(), &internal, &event);
        server.app().store.batch(statements).await.expect("an event is queued");
        server.flush().await;
        let mut seen: Vec<_> = svix.messages().into_iter().map(|message| (message.application, message.payload["data"]["id"].clone())).collect();
        seen.sort_by(|a, b| a.0.cmp(&b.0));
        let mut expected = [(server.project_id().to_owned(), json!("a")), ("internal".to_owned(), json!("b"))];
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(seen, expected);
        svix.assert_content();
    }

    async fn the_token_and_the_page_are_those_of_the_svix_server(server, builder = with_receivers()) {
        let svix = SvixServer::start().await;
        let server = handing(&server, &svix).await;
        for old in [false, true] {
            if old {
                svix.grow_old();
            }
            let answer = server.post("/webhooks/svix-token").admin().json(&json!({})).send().await.expect(201);
            let project = server.project_id();
            assert_eq!(answer, json!({ "token": format!("appsk_{project}"), "url": format!("https://app.svix.example/login#{project}") }));
        }
        svix.trouble([Trouble::Status(500)]);
        let refused = server.post("/webhooks/svix-token").admin().json(&json!({})).send().await.expect_text(502);
        assert!(!refused.contains(TOKEN) && !refused.contains(&svix.url), "{refused}");
        svix.assert_content();
    }

    async fn endpoints_and_messages_of_this_server_are_not_to_be_had(server, builder = with_receivers()) {
        let svix = SvixServer::start().await;
        let receiver = Receiver::start().await;
        let own = endpoint(&server, &receiver.url).await;
        let own = id(&own).to_owned();
        let project = server.project_id().parse().expect("a project id");
        let token = latchkey_identity::webhooks::issue_token(server.app(), &project).expect("a token");
        let server = handing(&server, &svix).await;
        for path in ["/webhooks/endpoints".to_owned(), format!("/webhooks/endpoints/{own}"), format!("/webhooks/endpoints/{own}/attempts"),
            format!("/webhooks/endpoints/{own}/secret"), "/webhooks/messages/msg_000000000000000000000000000".to_owned()] {
            let said = server.get(&path).admin().send().await.expect_text(404);
            assert!(said.contains("Svix"), "{path}: {said}");
        }
        let body = json!({ "url": receiver.url });
        server.post("/webhooks/endpoints").admin().json(&body).send().await.expect_text(404);
        for path in ["endpoint", "msg"] {
            let path = format!("/app/{}/{path}", server.project_id());
            let answer = server.get(&path).header("authorization", &format!("Bearer {token}")).send().await.expect(404);
            assert_eq!(answer["code"], "not_found");
        }
        grant(&server, "a").await;
        server.flush().await;
        assert_eq!((receiver.received().len(), svix.messages().len()), (0, 1), "an endpoint from before hears of nothing new");
        assert_eq!(audited(&server).await, ["webhook_endpoint.created"]);
    }

    async fn a_test_message_is_sent_by_the_svix_server_and_its_outcome_told(server, builder = with_receivers()) {
        let svix = SvixServer::start().await;
        let server = handing(&server, &svix).await;
        let test = |endpoint: &str| server.post("/internal/send-test-webhook").admin().json(&json!({ "endpoint_id": endpoint }));
        happen(&server, &Event::ProjectPermissionCreated { id: "a", user: user(1) }).await;
        server.flush().await;
        assert_eq!(test("ep_known").send().await.expect(200), json!({ "success": true }));
        let sent = svix.messages().pop().expect("a message");
        assert_eq!((sent.event_type.as_str(), &sent.payload["data"]["endpointUrl"]), ("stack.test", &json!("https://hooks.example.com/known")));
        svix.attempts_end_with(2);
        let failed = test("ep_known").send().await.expect(200);
        assert_eq!((&failed["success"], failed["error_message"].as_str().is_some_and(|said| said.contains("503"))), (&json!(false), true), "{failed}");
        let before = svix.messages().len();
        for strange in ["ep_unknown", "../../../app", "a/b", "?x", "#"] {
            let unknown = test(strange).send().await.expect(200);
            assert_eq!((&unknown["success"], unknown["error_message"].is_string()), (&json!(false), true), "{unknown}");
        }
        assert_eq!(svix.messages().len(), before);
        assert!(svix.requests().iter().all(|request| request.contains("/api/v1/app")), "{:?}", svix.requests());
        svix.assert_content();
    }

    async fn the_svix_server_is_called_only_where_the_configuration_allows(server) {
        let svix = SvixServer::start().await;
        let server = handing(&server, &svix).await;
        grant(&server, "a").await;
        server.flush().await;
        assert_eq!(svix.requests(), Vec::<String>::new());
        server.post("/webhooks/svix-token").admin().json(&json!({})).send().await.expect_text(502);
    }
}
