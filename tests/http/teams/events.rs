//! Contract 06 §9: which deeds about teams and permissions are told, and in which order.

use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::receiver::Receiver;
use latchkey_tests::{people, teams};
use serde_json::{Value, json};

/// A server that may call receivers on this machine.
fn with_receivers() -> Builder {
    TestServer::builder().config("outgoing.allow_private_addresses", r#"["127.0.0.0/8"]"#)
}

/// A receiver that hears of everything from now on.
async fn listening(server: &TestServer) -> Receiver {
    let receiver = Receiver::start().await;
    server.post("/webhooks/endpoints").admin().json(&json!({ "url": receiver.url })).send().await.expect(201);
    receiver
}

/// What was told: event and data.
async fn told(server: &TestServer, receiver: &Receiver) -> Vec<(String, Value)> {
    server.flush().await;
    let received = receiver.received();
    received.iter().map(|received| (received.event(), received.json()["data"].clone())).collect()
}

on_both_engines! {
    async fn a_new_team_is_told_alone_whoever_creates_it(server, builder = with_receivers()) {
        let ada = people::created(&server, &json!({})).await;
        let receiver = listening(&server).await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        let seen = server.get(&format!("/teams/{team}")).server().send().await.expect(200);
        assert_eq!(told(&server, &receiver).await, [("team.created".to_owned(), seen)]);
    }

    async fn changes_and_the_end_of_a_team_are_told(server, builder = with_receivers()) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        let receiver = listening(&server).await;
        let path = format!("/teams/{team}");
        let changed = server.patch(&path).server().json(&json!({ "server_metadata": 1 })).send().await.expect(200);
        server.delete(&path).server().send().await.expect(200);
        server.delete(&path).server().send().await.expect_error(404, "TEAM_NOT_FOUND");
        assert_eq!(told(&server, &receiver).await, [
            ("team.updated".to_owned(), changed), ("team.deleted".to_owned(), json!({ "id": team })),
        ]);
    }

    async fn a_new_member_is_told_with_what_they_are_given(server, builder = with_receivers()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let team = teams::create(&server, "Engines").await;
        let receiver = listening(&server).await;
        teams::add(&server, &team, &ada.id).await.expect(201);
        teams::add(&server, &team, &ada.id).await.expect_error(409, "TEAM_MEMBERSHIP_ALREADY_EXISTS");
        let (_, code) = teams::invite(&server, &team, "bo@example.com").await;
        teams::accept(&server, &bo, &code).await.expect(200);
        let (_, code) = teams::invite(&server, &team, "bo@example.com").await;
        teams::accept(&server, &bo, &code).await.expect(200);
        teams::remove(&server, &team, &ada.id).await.expect(200);
        let joined = |user: &str| {
            [
                ("team_membership.created".to_owned(), json!({ "team_id": team, "user_id": user })),
                ("team_permission.created".to_owned(), json!({ "id": "team_member", "team_id": team, "user_id": user })),
            ]
        };
        let mut expected = [joined(&ada.id), joined(&bo.id)].concat();
        expected.push(("team_membership.deleted".to_owned(), json!({ "team_id": team, "user_id": ada.id })));
        assert_eq!(told(&server, &receiver).await, expected, "a member who accepts again is no news");
    }

    async fn grants_are_told_also_a_second_time(server, builder = with_receivers()) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        let body = json!({ "id": "p" });
        server.post("/project-permission-definitions").admin().json(&body).send().await.expect(201);
        let receiver = listening(&server).await;
        for _ in 0..2 {
            teams::grant(&server, &team, &ada.id, "$read_members").await.expect(201);
        }
        teams::revoke(&server, &team, &ada.id, "$read_members").await.expect(200);
        teams::revoke(&server, &team, &ada.id, "$read_members").await.expect_error(401, "TEAM_PERMISSION_NOT_FOUND");
        let path = format!("/project-permissions/{}/p", ada.id);
        server.post(&path).server().json(&json!({})).send().await.expect(201);
        server.delete(&path).server().send().await.expect(200);
        let in_team = json!({ "id": "$read_members", "team_id": team, "user_id": ada.id });
        let in_project = json!({ "id": "p", "user_id": ada.id });
        assert_eq!(told(&server, &receiver).await, [
            ("team_permission.created".to_owned(), in_team.clone()), ("team_permission.created".to_owned(), in_team.clone()),
            ("team_permission.deleted".to_owned(), in_team), ("project_permission.created".to_owned(), in_project.clone()),
            ("project_permission.deleted".to_owned(), in_project),
        ]);
    }

    async fn changes_of_definitions_are_told_to_nobody(server, builder = with_receivers()) {
        let ada = people::created(&server, &json!({})).await;
        teams::created_by(&server, &ada, "Engines").await;
        let receiver = listening(&server).await;
        let path = "/team-permission-definitions/team_admin";
        server.patch(path).admin().json(&json!({ "id": "boss" })).send().await.expect(200);
        server.delete("/team-permission-definitions/boss").admin().send().await.expect(200);
        assert!(told(&server, &receiver).await.is_empty());
    }
}
