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
}
