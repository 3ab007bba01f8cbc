//! Registering passkeys.

use aws_lc_rs::rsa::KeySize;
use latchkey_testkit::on_both_engines;
use latchkey_tests::authenticator::{Authenticator, Draft, PRESENT, VERIFIED, base64url};
use latchkey_tests::passkeys::{self, ORIGIN, begin_registration, builder, register_as, send_registration};
use latchkey_tests::{people, stored, tokens};
use serde_json::json;

on_both_engines! {
    async fn the_options_are_those_of_the_contract(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let begun = begin_registration(&server, &ada).await;
        assert_eq!(tokens::keys(&begun), ["code", "options_json"]);
        assert_eq!(begun["code"].as_str().map(str::len), Some(45));
        let challenge = begun["options_json"]["challenge"].clone();
        assert_eq!(challenge.as_str().map(str::len), Some(43), "32 bytes");
        assert_eq!(begun["options_json"], json!({
            "rp": { "name": "The test project", "id": "THIS_VALUE_WILL_BE_REPLACED.example.com" },
            "user": { "id": base64url(&ada.id), "name": "ada@example.com", "displayName": "ada@example.com" },
            "challenge": challenge,
            "pubKeyCredParams": [
                { "alg": -8, "type": "public-key" }, { "alg": -7, "type": "public-key" },
                { "alg": -257, "type": "public-key" },
            ],
            "timeout": 60000,
            "attestation": "none",
            "excludeCredentials": [],
            "authenticatorSelection": {
                "residentKey": "required", "requireResidentKey": true, "userVerification": "preferred",
            },
            "extensions": { "credProps": true },
        }));
        let again = begin_registration(&server, &ada).await;
        assert_ne!(again["options_json"]["challenge"], challenge);
        assert_ne!(again["code"], begun["code"]);
        people::change(&server, &ada.id, &json!({ "display_name": "Ada" })).await;
        assert_eq!(begin_registration(&server, &ada).await["options_json"]["user"]["displayName"], "Ada");
        let nobody = people::created(&server, &json!({})).await;
        assert_eq!(begin_registration(&server, &nobody).await["options_json"]["user"]["name"], "User");
    }

    async fn a_registered_passkey_shows_on_its_user(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        assert_eq!(people::seen_by_self(&server, &ada).await["passkey_auth_enabled"], false);
        let mut key = Authenticator::new();
        let answer = register_as(&server, &ada, &mut key, |_| ()).await.expect(200);
        assert_eq!(answer, json!({ "user_handle": base64url(&key.id) }));
        assert_eq!(people::seen_by_self(&server, &ada).await["passkey_auth_enabled"], true);
        assert_eq!(people::seen_by_server(&server, &ada.id).await["passkey_auth_enabled"], true);
        let listed = server.get("/users").server().send().await.expect(200);
        assert_eq!(listed["items"][0]["passkey_auth_enabled"], true);
        assert!(stored::event_kinds(&server, &ada.id).await.contains(&"passkey.registered".to_owned()));
        people::seen_by_self(&server, &ada).await;
    }

    async fn registering_again_adds_a_passkey(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let one = passkeys::registered(&server, &ada).await;
        let two = passkeys::registered(&server, &ada).await;
        for key in [&one, &two] {
            let session = people::Person::of(&passkeys::sign_in(&server, key).await.expect(200));
            assert_eq!(session.id, ada.id);
        }
        assert_eq!(passkeys::list(&server, &ada.id).await.len(), 2);
    }

    async fn a_passkey_may_get_its_name_at_once(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for (name, shown) in [(Some("My phone"), "My phone"), (None, "Passkey")] {
            let (begun, key) = (begin_registration(&server, &ada).await, Authenticator::new());
            let mut body = json!({
                "credential": key.attest(&Draft::new(&begun["options_json"], ORIGIN)), "code": begun["code"],
            });
            if let Some(name) = name {
                body["name"] = json!(name);
            }
            let request = server.post("/auth/passkey/register").client().user(&ada.access_token);
            request.json(&body).send().await.expect(200);
            assert_eq!(passkeys::list(&server, &ada.id).await.last().expect("a passkey")["name"], shown);
            server.clock().advance_seconds(1);
        }
    }

    async fn somebody_must_be_signed_in_to_register(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let begun = begin_registration(&server, &ada).await;
        let credential = Authenticator::new().attest(&Draft::new(&begun["options_json"], ORIGIN));
        let body = json!({ "credential": credential, "code": begun["code"] });
        for path in ["initiate-passkey-registration", "register"] {
            let request = server.post(&format!("/auth/passkey/{path}")).json(&body);
            request.client().send().await.expect_error(400, "SCHEMA_ERROR");
        }
        send_registration(&server, &ada, &begun, &credential).await.expect(200);
    }

    async fn a_project_without_passkeys_has_none_of_it(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let draft = Draft::new(&json!({ "challenge": "x" }), ORIGIN);
        let key = Authenticator::new();
        let requests = [
            ("initiate-passkey-registration", json!({})),
            ("register", json!({ "credential": key.attest(&draft), "code": "x" })),
            ("initiate-passkey-authentication", json!({})),
            ("sign-in", json!({ "authentication_response": key.assert(&draft), "code": "x" })),
        ];
        for (path, body) in requests {
            let request = server.post(&format!("/auth/passkey/{path}")).client().user(&ada.access_token);
            request.json(&body).send().await.expect_error(400, "PASSKEY_AUTHENTICATION_NOT_ENABLED");
        }
    }

    async fn a_challenge_for_a_registration_is_answered_once_and_within_65_seconds(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let begun = begin_registration(&server, &ada).await;
        let draft = Draft::new(&begun["options_json"], ORIGIN);
        server.clock().advance_millis(64_999);
        send_registration(&server, &ada, &begun, &Authenticator::new().attest(&draft)).await.expect(200);
        let again = send_registration(&server, &ada, &begun, &Authenticator::new().attest(&draft)).await;
        again.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        let begun = begin_registration(&server, &ada).await;
        server.clock().advance_millis(65_000);
        let draft = Draft::new(&begun["options_json"], ORIGIN);
        let late = send_registration(&server, &ada, &begun, &Authenticator::new().attest(&draft)).await;
        late.expect_error(400, "VERIFICATION_CODE_EXPIRED");
        assert_eq!(passkeys::list(&server, &ada.id).await.len(), 1);
    }

    async fn each_algorithm_that_is_offered_can_be_registered(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for mut key in [Authenticator::new(), Authenticator::ed25519(), Authenticator::rsa(KeySize::Rsa2048), Authenticator::rsa(KeySize::Rsa4096)] {
            register_as(&server, &ada, &mut key, |_| ()).await.expect(200);
            people::Person::of(&passkeys::sign_in(&server, &key).await.expect(200));
        }
    }

    async fn switching_passkeys_off_removes_all_of_them(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let (one, two) = (passkeys::registered(&server, &ada).await, passkeys::registered(&server, &ada).await);
        let other = passkeys::registered(&server, &bo).await;
        let change = |on: bool| {
            let request = server.patch("/users/me").client().user(&ada.access_token);
            request.json(&json!({ "passkey_auth_enabled": on })).send()
        };
        change(true).await.expect_text(400);
        assert_eq!(passkeys::list(&server, &ada.id).await.len(), 2);
        assert_eq!(change(false).await.expect(200)["passkey_auth_enabled"], false);
        assert_eq!(passkeys::list(&server, &ada.id).await.len(), 0);
        for key in [&one, &two] {
            passkeys::sign_in(&server, key).await.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
        }
        passkeys::sign_in(&server, &other).await.expect(200);
        people::seen_by_self(&server, &ada).await;
        change(true).await.expect_text(400);
    }

    async fn a_user_has_fifty_passkeys_at_most(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for _ in 0..50 {
            passkeys::registered(&server, &ada).await;
        }
        let one_more = register_as(&server, &ada, &mut Authenticator::new(), |_| ()).await;
        one_more.expect_error(400, "PASSKEY_REGISTRATION_FAILED");
        assert_eq!(passkeys::list(&server, &ada.id).await.len(), 50);
    }

    async fn a_project_may_require_that_users_are_verified(
        server,
        builder = builder().project(|settings| settings.latchkey.passkeys.require_user_verification = true)
    ) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let begun = begin_registration(&server, &ada).await;
        assert_eq!(begun["options_json"]["authenticatorSelection"]["userVerification"], "required");
        let touched = register_as(&server, &ada, &mut Authenticator::new(), |draft| draft.flags = PRESENT).await;
        touched.expect_error(400, "PASSKEY_REGISTRATION_FAILED");
        let mut key = Authenticator::new();
        register_as(&server, &ada, &mut key, |draft| draft.flags = PRESENT | VERIFIED).await.expect(200);
        assert_eq!(passkeys::begin_sign_in(&server).await["options_json"]["userVerification"], "required");
        let touched = passkeys::sign_in_as(&server, &key, |draft| draft.flags = PRESENT).await;
        touched.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
        passkeys::sign_in(&server, &key).await.expect(200);
    }

    async fn nobody_loses_a_passkey_to_a_deleted_account(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let key = passkeys::registered(&server, &ada).await;
        server.delete(&format!("/users/{}", ada.id)).server().send().await.expect(200);
        passkeys::sign_in(&server, &key).await.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
        let bo = people::sign_up(&server, "bo@example.com").await;
        assert_eq!(passkeys::list(&server, &bo.id).await.len(), 0);
    }
}
