//! Contract 08 §4.1: the envelope of each event, and that it is queued with its deed or not at all.

use latchkey_api_types::ids::{ProjectId, TeamId};
use latchkey_identity::webhooks::{self, Event};
use latchkey_storage::engine::{Stmt, stmt};
use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people;
use latchkey_tests::receiver::Receiver;
use serde_json::json;

use super::{endpoint, endpoint_with, grant, granted, happen, user, with_receivers};

fn project(server: &TestServer) -> ProjectId {
    server.project_id().parse().expect("a project id")
}

async fn count(server: &TestServer, table: &'static str) -> i64 {
    let text = match table {
        "webhook_messages" => "SELECT COUNT(*) FROM webhook_messages",
        _ => "SELECT COUNT(*) FROM webhook_deliveries",
    };
    let outcomes = server.app().store.batch(vec![stmt(text, Vec::new())]).await.expect("a count");
    outcomes[0].first::<(i64,)>().expect("a number").expect("a row").0
}

on_both_engines! {
    async fn each_event_has_the_envelope_of_the_contract(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        endpoint(&server, &receiver.url).await;
        let ada = people::create(&server, &json!({ "primary_email": "ada@example.com" })).await;
        let before = receiver.received().len();
        let (team, member) = (TeamId::from_uuid(server.app().random.uuid()), user(7));
        let events = [
            Event::UserDeleted { user: member, teams: &[team] },
            Event::TeamDeleted { team },
            Event::MembershipCreated { team, user: member },
            Event::MembershipDeleted { team, user: member },
            Event::TeamPermissionCreated { id: "edit", team, user: member },
            Event::TeamPermissionDeleted { id: "edit", team, user: member },
            Event::ProjectPermissionCreated { id: "edit", user: member },
            Event::ProjectPermissionDeleted { id: "edit", user: member },
        ];
        server.flush().await;
        let before = receiver.received().len().max(before);
        for event in &events {
            happen(&server, event).await;
        }
        server.flush().await;
        let in_team = json!({ "id": "edit", "team_id": team, "user_id": member });
        let in_project = json!({ "id": "edit", "user_id": member });
        let membership = json!({ "team_id": team, "user_id": member });
        let expected = [
            json!({ "type": "user.deleted", "data": { "id": member, "teams": [{ "id": team }] } }),
            json!({ "type": "team.deleted", "data": { "id": team } }),
            json!({ "type": "team_membership.created", "data": membership }),
            json!({ "type": "team_membership.deleted", "data": membership }),
            json!({ "type": "team_permission.created", "data": in_team }),
            json!({ "type": "team_permission.deleted", "data": in_team }),
            json!({ "type": "project_permission.created", "data": in_project }),
            json!({ "type": "project_permission.deleted", "data": in_project }),
        ];
        let received: Vec<_> = receiver.received()[before..].iter().map(latchkey_tests::receiver::Received::json).collect();
        assert_eq!(received, expected);
        // Users are those that servers see.
        let seen: latchkey_api_types::user::ServerUser = serde_json::from_value(ada.clone()).expect("a user");
        happen(&server, &Event::UserUpdated(&seen)).await;
        server.flush().await;
        assert_eq!(receiver.received().last().expect("an event").json(), json!({ "type": "user.updated", "data": ada }));
    }

    async fn a_project_without_listeners_writes_nothing(server) {
        grant(&server, "a").await;
        assert_eq!((count(&server, "webhook_messages").await, count(&server, "webhook_deliveries").await), (0, 0));
    }

    async fn an_endpoint_hears_only_what_it_asked_for(server, builder = with_receivers()) {
        let (all, some, none) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
        endpoint(&server, &all.url).await;
        let filter = json!(["project_permission.created", "team.deleted"]);
        endpoint_with(&server, &json!({ "url": some.url, "event_types": filter })).await;
        endpoint_with(&server, &json!({ "url": none.url, "is_disabled": true })).await;
        grant(&server, "a").await;
        happen(&server, &Event::ProjectPermissionDeleted { id: "a", user: user(1) }).await;
        server.flush().await;
        assert_eq!(all.events(), ["project_permission.created", "project_permission.deleted"]);
        assert_eq!(some.events(), ["project_permission.created"]);
        assert_eq!(none.events(), [""; 0]);
    }

    async fn an_event_goes_with_its_deed_or_not_at_all(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        endpoint(&server, &receiver.url).await;
        let mut statements = webhooks::queue(
            server.app(), &project(&server), &Event::ProjectPermissionCreated { id: "lost", user: user(1) }
        );
        let broken: Stmt = stmt("DELETE FROM users WHERE project_id = 'none'", Vec::new()).exactly(1);
        statements.push(broken);
        server.app().store.batch(statements).await.expect_err("the deed fails");
        assert_eq!(count(&server, "webhook_messages").await, 0);
        grant(&server, "kept").await;
        server.flush().await;
        assert_eq!(granted(&receiver.received()), ["kept"]);
    }

    async fn events_of_one_project_are_not_heard_in_another(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        let other = server.other_project().clone();
        let body = json!({ "url": receiver.url });
        people::speaking_for(server.post("/webhooks/endpoints"), &other, "admin").json(&body).send().await.expect(201);
        grant(&server, "a").await;
        server.flush().await;
        assert_eq!(receiver.events(), [""; 0]);
    }
}
