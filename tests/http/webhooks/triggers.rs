//! Contract 05 §9: which deeds are told.

use latchkey_testkit::on_both_engines;
use latchkey_tests::people;
use latchkey_tests::receiver::Receiver;
use serde_json::json;

use super::{endpoint, id, with_receivers};

on_both_engines! {
    async fn every_creation_of_a_user_is_told_as_servers_see_them(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        endpoint(&server, &receiver.url).await;
        let made = people::create(&server, &json!({ "primary_email": "ada@example.com", "server_metadata": { "a": 1 } })).await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        server.flush().await;
        let received = receiver.received();
        assert_eq!(receiver.events(), ["user.created", "user.created"]);
        assert_eq!(received[0].json()["data"], made);
        assert_eq!(received[1].json()["data"], people::seen_by_server(&server, &bo.id).await);
    }

    async fn a_sign_up_that_fails_is_not_told(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        people::sign_up(&server, "ada@example.com").await;
        endpoint(&server, &receiver.url).await;
        let body = json!({ "email": "ada@example.com", "password": people::PASSWORD });
        let again = server.post("/auth/password/sign-up").client().json(&body).send().await;
        again.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
        let body = json!({ "primary_email": "ada@example.com", "primary_email_auth_enabled": true });
        server.post("/users").server().json(&body).send().await.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
        server.flush().await;
        assert_eq!(receiver.events(), [""; 0]);
    }

    async fn an_upgrade_of_an_anonymous_user_is_an_update(server, builder = with_receivers()) {
        let nobody = people::anonymous(&server).await;
        let receiver = Receiver::start().await;
        endpoint(&server, &receiver.url).await;
        let body = json!({ "email": "ada@example.com", "password": people::PASSWORD });
        let upgrade = server.post("/auth/password/sign-up").client().user(&nobody.access_token).json(&body);
        upgrade.send().await.expect(200);
        server.flush().await;
        assert_eq!(receiver.events(), ["user.updated"]);
        assert_eq!(receiver.received()[0].json()["data"], people::seen_by_server(&server, &nobody.id).await);
    }

    async fn a_deletion_is_told_with_the_teams_of_the_user(server, builder = with_receivers()) {
        let ada = people::create(&server, &json!({})).await;
        let receiver = Receiver::start().await;
        endpoint(&server, &receiver.url).await;
        server.delete(&format!("/users/{}", id(&ada))).server().send().await.expect(200);
        server.delete(&format!("/users/{}", id(&ada))).server().send().await.expect_error(404, "USER_NOT_FOUND");
        server.flush().await;
        let received = receiver.received();
        assert_eq!(received.len(), 1);
        assert_eq!(received[0].json(), json!({ "type": "user.deleted", "data": { "id": id(&ada), "teams": [] } }));
    }

    async fn addresses_and_wishes_are_not_told(server, builder = with_receivers()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let receiver = Receiver::start().await;
        endpoint(&server, &receiver.url).await;
        let body = json!({ "user_id": ada.id, "type": "email", "value": "b@example.com", "used_for_auth": false, "is_primary": true });
        let channel = server.post("/contact-channels").server().json(&body).send().await.expect(201);
        let path = format!("/contact-channels/{}/{}", ada.id, id(&channel));
        server.patch(&path).server().json(&json!({ "is_verified": true })).send().await.expect(200);
        server.delete(&path).server().send().await.expect(200);
        let wish = format!("/emails/notification-preference/{}/4f6f8873-3d04-46bd-8bef-18338b1a1b4c", ada.id);
        server.patch(&wish).server().json(&json!({ "enabled": false })).send().await.expect(200);
        server.flush().await;
        assert_eq!(receiver.events(), [""; 0]);
    }

    async fn a_user_is_told_before_the_team_that_they_get_and_a_deletion_names_it(
        server, builder = with_receivers().project(|settings| settings.teams.create_personal_team_on_sign_up = true)
    ) {
        let receiver = Receiver::start().await;
        endpoint(&server, &receiver.url).await;
        let ada = people::create(&server, &json!({ "display_name": "Ada" })).await;
        server.flush().await;
        let received = receiver.received();
        assert_eq!(received[0].json(), json!({ "type": "user.created", "data": ada }));
        assert_eq!(received[0].json()["data"]["selected_team_id"], json!(null));
        assert!(receiver.events().contains(&"team.created".to_owned()), "{:?}", receiver.events());
        let team = people::seen_by_server(&server, id(&ada)).await["selected_team_id"].clone();
        server.delete(&format!("/users/{}", id(&ada))).server().send().await.expect(200);
        server.flush().await;
        let received = receiver.received();
        let last = received.last().expect("an event").json();
        assert_eq!(last, json!({ "type": "user.deleted", "data": { "id": id(&ada), "teams": [{ "id": team }] } }));
        assert!(receiver.events().contains(&"team_membership.deleted".to_owned()), "{:?}", receiver.events());
    }
}
