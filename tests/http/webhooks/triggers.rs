//! Contract 05 §9: which deeds are told.

use latchkey_config::settings::{PermissionDefinition, PermissionScope};
use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::receiver::Receiver;
use latchkey_tests::{mail, passkeys, people, teams};
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
        assert_eq!(receiver.events(), ["user.created", "team.created"], "nothing about the membership");
        let team = people::seen_by_server(&server, id(&ada)).await["selected_team_id"].clone();
        server.delete(&format!("/users/{}", id(&ada))).server().send().await.expect(200);
        server.flush().await;
        let received = receiver.received();
        let last = received.last().expect("an event").json();
        assert_eq!(last, json!({ "type": "user.deleted", "data": { "id": id(&ada), "teams": [{ "id": team }] } }));
        assert_eq!(receiver.events()[2..], ["team_membership.deleted", "user.deleted"]);
    }

    async fn every_way_to_sign_up_is_told_once_and_default_permissions_are_not(
        server, builder = with_receivers().project(|settings| {
            settings.auth.otp.allow_sign_in = true;
            let definition = PermissionDefinition { scope: PermissionScope::Project, ..PermissionDefinition::default() };
            settings.rbac.permissions.insert("use_engine".to_owned(), definition);
            settings.rbac.default_permissions.sign_up.insert("use_engine".to_owned(), true);
        })
    ) {
        let receiver = Receiver::start().await;
        endpoint(&server, &receiver.url).await;
        let by_password = people::sign_up(&server, "ada@example.com").await.id;
        let anonymous = people::anonymous(&server).await.id;
        let by_code = by_code(&server, "bo@example.com").await;
        let created = people::create(&server, &json!({})).await;
        server.flush().await;
        assert_eq!(receiver.events(), ["user.created"; 4]);
        let ids = [by_password.as_str(), &anonymous, &by_code, id(&created)];
        for (received, id) in receiver.received().iter().zip(ids) {
            assert_eq!(received.json()["data"], people::seen_by_server(&server, id).await);
        }
    }

    async fn any_patch_of_a_user_is_told_once_as_servers_see_them(
        server, builder = with_receivers().project(|settings| {
            settings.auth.otp.allow_sign_in = true;
            settings.auth.passkey.allow_sign_in = true;
        })
    ) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        passkeys::registered(&server, &ada).await;
        let receiver = Receiver::start().await;
        endpoint(&server, &receiver.url).await;
        let mut told = 0;
        for fields in [
            json!({}), json!({ "display_name": "Ada" }), json!({ "client_metadata": { "a": 1 } }),
            json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" }), json!({ "totp_secret_base64": null }),
            json!({ "otp_auth_enabled": true }), json!({ "passkey_auth_enabled": false }), json!({ "primary_email": "b@example.com" }),
        ] {
            server.patch("/users/me").client().user(&ada.access_token).json(&fields).send().await.expect(200);
            server.flush().await;
            told += 1;
            assert_eq!(receiver.events(), vec!["user.updated"; told], "{fields}");
            assert_eq!(receiver.received()[told - 1].json()["data"], people::seen_by_server(&server, &ada.id).await);
        }
        let seen = people::change(&server, &ada.id, &json!({ "server_metadata": 1, "password": people::OTHER_PASSWORD })).await;
        server.flush().await;
        assert_eq!(receiver.received()[told].json(), json!({ "type": "user.updated", "data": seen }));
        let refused = json!({ "selected_team_id": "00000000-0000-4000-8000-00000000dead" });
        let refused = server.patch(&format!("/users/{}", ada.id)).server().json(&refused).send().await;
        refused.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        server.flush().await;
        assert_eq!(receiver.received().len(), told + 1);
    }

    async fn a_password_that_is_reset_is_told(server, builder = with_receivers()) {
        let fields = json!({ "primary_email": "ada@example.com", "primary_email_auth_enabled": true });
        let ada = people::create(&server, &fields).await;
        let receiver = Receiver::start().await;
        endpoint(&server, &receiver.url).await;
        let body = json!({ "email": "ada@example.com", "callback_url": "http://localhost/" });
        server.post("/auth/password/send-reset-code").client().json(&body).send().await.expect(200);
        let code = mail::code_to(&server, "ada@example.com").await;
        let reset = |password: &str| {
            let body = json!({ "code": code, "password": password });
            server.post("/auth/password/reset").client().json(&body).send()
        };
        reset("short").await.expect_error(400, "PASSWORD_TOO_SHORT");
        server.flush().await;
        assert_eq!(receiver.events(), [""; 0], "nothing has changed");
        server.clock().advance_seconds(60);
        server.post("/auth/password/send-reset-code").client().json(&body).send().await.expect(200);
        let code = mail::code_to(&server, "ada@example.com").await;
        let body = json!({ "code": code, "password": people::PASSWORD });
        server.post("/auth/password/reset").client().json(&body).send().await.expect(200);
        server.post("/auth/password/reset").client().json(&body).send().await
            .expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        server.flush().await;
        let seen = people::seen_by_server(&server, id(&ada)).await;
        assert_eq!(seen["has_password"], true);
        let told: Vec<_> = receiver.received().iter().map(latchkey_tests::receiver::Received::json).collect();
        assert_eq!(told, [json!({ "type": "user.updated", "data": seen })]);
    }

    async fn a_deletion_tells_each_membership_first_and_names_the_teams_by_their_age(server, builder = with_receivers()) {
        let ada = people::create(&server, &json!({})).await;
        let mut made = Vec::new();
        for name in ["one", "two", "three"] {
            made.push(teams::create(&server, name).await);
            server.clock().advance_seconds(1);
        }
        for team in [&made[2], &made[0], &made[1]] {
            teams::add(&server, team, id(&ada)).await.expect(201);
            server.clock().advance_seconds(1);
        }
        let receiver = Receiver::start().await;
        endpoint(&server, &receiver.url).await;
        server.delete(&format!("/users/{}", id(&ada))).server().send().await.expect(200);
        server.flush().await;
        assert_eq!(receiver.events(), ["team_membership.deleted", "team_membership.deleted", "team_membership.deleted", "user.deleted"]);
        let received = receiver.received();
        for (received, team) in received.iter().zip(&made) {
            assert_eq!(received.json()["data"], json!({ "team_id": team, "user_id": id(&ada) }));
        }
        let named: Vec<_> = made.iter().map(|team| json!({ "id": team })).collect();
        assert_eq!(received[3].json()["data"], json!({ "id": id(&ada), "teams": named }));
        let left = teams::ids(&server.get("/teams").server().send().await.expect(200));
        assert_eq!(left, made, "teams stay, even empty ones");
    }
}

/// Somebody who signs up by a code in a mail; their id.
async fn by_code(server: &TestServer, email: &str) -> String {
    let body = json!({ "email": email, "callback_url": "http://localhost/" });
    server.post("/auth/otp/send-sign-in-code").client().json(&body).send().await.expect(200);
    let body = json!({ "code": mail::code_to(server, email).await });
    people::Person::of(&server.post("/auth/otp/sign-in").client().json(&body).send().await.expect(200)).id
}
