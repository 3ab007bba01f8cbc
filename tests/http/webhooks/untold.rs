//! Contract 05 §9, last sentence: what endpoints of their own change about a user is not told as a change of the user.
//! That holds for the contract's endpoints and for Latchkey's.

use latchkey_config::settings::{OAuthProviderSettings, ProviderType};
use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::people::{OTHER_PASSWORD, PASSWORD};
use latchkey_tests::receiver::Receiver;
use latchkey_tests::{mail, passkeys, people, second_factors, teams};
use serde_json::json;

use super::{endpoint, id, with_receivers};

fn builder() -> Builder {
    with_receivers().project(|settings| {
        settings.auth.otp.allow_sign_in = true;
        settings.auth.passkey.allow_sign_in = true;
        let github = OAuthProviderSettings {
            provider_type: Some(ProviderType::GitHub),
            allow_sign_in: true,
            ..OAuthProviderSettings::default()
        };
        settings.auth.oauth.providers.insert("github".to_owned(), github);
    })
}

/// A receiver that hears of everything from now on.
async fn listening(server: &TestServer) -> Receiver {
    let receiver = Receiver::start().await;
    endpoint(server, &receiver.url).await;
    receiver
}

async fn told(server: &TestServer, receiver: &Receiver) -> Vec<String> {
    server.flush().await;
    receiver.events()
}

on_both_engines! {
    async fn passwords_that_users_set_and_change_are_not_told(server, builder = builder()) {
        let ada = people::created(&server, &json!({ "primary_email": "ada@example.com", "primary_email_auth_enabled": true })).await;
        let receiver = listening(&server).await;
        let set = server.post("/auth/password/set").client().user(&ada.access_token);
        set.json(&json!({ "password": PASSWORD })).send().await.expect(200);
        let body = json!({ "old_password": PASSWORD, "new_password": OTHER_PASSWORD });
        let update = server.post("/auth/password/update").client().user(&ada.access_token);
        update.json(&body).send().await.expect(200);
        assert_eq!(told(&server, &receiver).await, [""; 0]);
    }

    async fn second_factors_set_up_renewed_and_removed_are_not_told(server, builder = builder()) {
        let receiver = listening(&server).await;
        let (dora, secret, _) = second_factors::set_up(&server, "dora@example.com").await;
        let path = "/auth/mfa/backup-codes/regenerate";
        second_factors::call(&server, &dora, path, &json!({})).await.expect(200);
        server.clock().advance_seconds(second_factors::STEP);
        let proof = second_factors::totp(&secret.code_at(server.app().now()));
        second_factors::call(&server, &dora, "/auth/mfa/totp/disable", &proof).await.expect(200);
        assert_eq!(told(&server, &receiver).await, ["user.created"]);
        assert_eq!(people::seen_by_server(&server, &dora.id).await["requires_totp_mfa"], false);
    }

    async fn passkeys_registered_renamed_and_removed_are_not_told(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let receiver = listening(&server).await;
        passkeys::registered(&server, &ada).await;
        let own = passkeys::list(&server, &ada.id).await.remove(0);
        let path = format!("/passkeys/me/{}", id(&own));
        let rename = server.patch(&path).client().user(&ada.access_token).json(&json!({ "name": "Blue" }));
        rename.send().await.expect(200);
        server.delete(&path).client().user(&ada.access_token).send().await.expect(200);
        assert_eq!(told(&server, &receiver).await, [""; 0]);
    }

    async fn addresses_verified_by_a_code_and_codes_that_sign_in_are_not_told(server, builder = builder()) {
        people::sign_up(&server, "ada@example.com").await;
        let receiver = listening(&server).await;
        let user = people::sign_in(&server, "ada@example.com").await;
        let channels = server.get("/contact-channels?user_id=me").client().user(&user.access_token).send().await.expect(200);
        let path = format!("/contact-channels/me/{}/send-verification-code", id(&channels["items"][0]));
        let body = json!({ "callback_url": "http://localhost/" });
        server.post(&path).client().user(&user.access_token).json(&body).send().await.expect(200);
        let body = json!({ "code": mail::code_to(&server, "ada@example.com").await });
        server.post("/contact-channels/verify").client().json(&body).send().await.expect(200);
        server.clock().advance_seconds(60);
        let body = json!({ "email": "ada@example.com", "callback_url": "http://localhost/" });
        server.post("/auth/otp/send-sign-in-code").client().json(&body).send().await.expect(200);
        let body = json!({ "code": mail::code_to(&server, "ada@example.com").await });
        server.post("/auth/otp/sign-in").client().json(&body).send().await.expect(200);
        let seen = people::seen_by_server(&server, &user.id).await;
        assert_eq!((&seen["primary_email_verified"], &seen["otp_auth_enabled"]), (&json!(true), &json!(true)));
        assert_eq!(told(&server, &receiver).await, [""; 0]);
    }

    async fn accounts_elsewhere_linked_changed_and_removed_are_not_told(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let receiver = listening(&server).await;
        let body = json!({
            "user_id": ada.id, "provider_config_id": "github", "account_id": "7", "allow_sign_in": true,
            "allow_connected_accounts": false,
        });
        let made = server.post("/oauth-providers").server().json(&body).send().await.expect(201);
        let path = format!("/oauth-providers/{}/{}", ada.id, id(&made));
        server.patch(&path).server().json(&json!({ "allow_sign_in": false })).send().await.expect(200);
        server.delete(&path).server().send().await.expect(200);
        assert_eq!(told(&server, &receiver).await, [""; 0]);
    }

    async fn a_team_that_is_selected_no_more_because_its_member_left_is_told_as_that_only(server, builder = builder()) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        people::change(&server, &ada.id, &json!({ "selected_team_id": team })).await;
        let receiver = listening(&server).await;
        teams::remove(&server, &team, &ada.id).await.expect(200);
        assert_eq!(told(&server, &receiver).await, ["team_membership.deleted"]);
    }
}
