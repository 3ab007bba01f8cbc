//! What changes a credential asks for a recent proof of who somebody is.

use latchkey_config::settings::EnforceReauthentication::{AllEndpoints, Nothing};
use latchkey_testkit::{Answer, Builder, TestServer, on_both_engines};
use latchkey_tests::people::{self, OTHER_PASSWORD, PASSWORD, Person};
use latchkey_tests::second_factors::{STEP, backup, call, code, person, set_up, totp};
use latchkey_tests::tokens::keys;
use latchkey_tests::{passkeys, second_factors, stored};
use serde_json::{Value, json};

/// Ten minutes, the default, and a moment.
const TOO_LATE: i64 = 10 * 60 * 1000 + 1;

async fn set_totp_up(server: &TestServer, person: &Person) -> Answer {
    call(server, person, "/auth/mfa/totp/setup", &json!({})).await
}

async fn reauthenticate(server: &TestServer, person: &Person, proof: &Value) -> Answer {
    call(server, person, "/auth/reauthenticate", proof).await
}

fn password(text: &str) -> Value {
    json!({ "type": "password", "password": text })
}

/// A fresh access token of the same session.
async fn refreshed(server: &TestServer, person: &Person) -> Person {
    let request = server.post("/auth/sessions/current/refresh").client();
    let answer = request.header("x-stack-refresh-token", &person.refresh_token).send().await.expect(200);
    Person { access_token: answer["access_token"].as_str().expect("a token").to_owned(), ..person.clone() }
}

fn everywhere() -> Builder {
    TestServer::builder().project(|settings| {
        settings.latchkey.reauthentication.enforce_on = AllEndpoints;
        settings.api_keys.enabled.user = true;
    })
}

on_both_engines! {
    async fn an_old_sign_in_is_not_enough_and_refreshing_does_not_renew_it(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        server.clock().advance_millis(TOO_LATE - 1);
        let ada = refreshed(&server, &ada).await;
        set_totp_up(&server, &ada).await.expect(200);
        server.clock().advance_millis(1);
        let details = set_totp_up(&server, &ada).await.expect_error(403, "REAUTHENTICATION_REQUIRED");
        assert_eq!(details, json!({ "max_age_seconds": 600, "methods": ["password"] }));
        let ada = refreshed(&server, &ada).await;
        set_totp_up(&server, &ada).await.expect_error(403, "REAUTHENTICATION_REQUIRED");
        let again = people::sign_in(&server, "ada@example.com").await;
        set_totp_up(&server, &again).await.expect(200);
        set_totp_up(&server, &ada).await.expect_error(403, "REAUTHENTICATION_REQUIRED");
    }

    async fn the_password_renews_the_proof_of_this_session_only(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let thief = people::sign_in(&server, "ada@example.com").await;
        server.clock().advance_millis(TOO_LATE);
        let (ada, thief) = (refreshed(&server, &ada).await, refreshed(&server, &thief).await);
        let mismatch = reauthenticate(&server, &thief, &password(OTHER_PASSWORD)).await;
        mismatch.expect_error(400, "PASSWORD_CONFIRMATION_MISMATCH");
        let answer = reauthenticate(&server, &ada, &password(PASSWORD)).await.expect(200);
        let now = server.app().now();
        assert_eq!(answer, json!({ "authenticated_at_millis": now, "recent_until_millis": now + 600_000 }));
        set_totp_up(&server, &thief).await.expect_error(403, "REAUTHENTICATION_REQUIRED");
        set_totp_up(&server, &ada).await.expect(200);
        let session = stored::session(&server, &ada.access_token).await.expect("a session");
        assert_eq!((session.auth_time, session.amr.as_str()), (now, "pwd"));
        assert!(stored::event_kinds(&server, &ada.id).await.contains(&"session.reauthenticated".to_owned()));
    }

    async fn whoever_has_a_second_factor_proves_it(server) {
        let (ada, secret, codes) = set_up(&server, "ada@example.com").await;
        server.clock().advance_millis(TOO_LATE);
        let ada = refreshed(&server, &ada).await;
        let regenerate = || async { call(&server, &ada, "/auth/mfa/backup-codes/regenerate", &json!({})).await };
        let details = regenerate().await.expect_error(403, "REAUTHENTICATION_REQUIRED");
        assert_eq!(details["methods"], json!(["totp", "backup_code"]));
        let refused = reauthenticate(&server, &ada, &password(PASSWORD)).await;
        assert_eq!(refused.expect_error(403, "REAUTHENTICATION_REQUIRED")["methods"], json!(["totp", "backup_code"]));
        reauthenticate(&server, &ada, &backup("00000-00000")).await.expect_error(400, "INVALID_BACKUP_CODE");
        let right = totp(&secret.code_at(server.app().now()));
        reauthenticate(&server, &ada, &right).await.expect(200);
        reauthenticate(&server, &ada, &right).await.expect_error(400, "INVALID_TOTP_CODE");
        regenerate().await.expect(200);
        server.clock().advance_millis(TOO_LATE);
        let ada = refreshed(&server, &ada).await;
        reauthenticate(&server, &ada, &backup(&codes[0])).await.expect_error(400, "INVALID_BACKUP_CODE");
    }

    async fn a_fresh_session_without_the_second_factor_is_not_enough_for_its_backup_codes(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let thief = people::sign_in(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "totp_secret_base64": second_factors::TOTP })).await;
        let path = "/auth/mfa/backup-codes/regenerate";
        call(&server, &thief, path, &json!({})).await.expect_error(403, "REAUTHENTICATION_REQUIRED");
        reauthenticate(&server, &ada, &totp(&code(&server))).await.expect(200);
        call(&server, &ada, path, &json!({})).await.expect(200);
        server.clock().advance_seconds(STEP);
        let by_server = people::session_for(&server, &ada.id).await;
        call(&server, &by_server, path, &json!({})).await.expect_error(403, "REAUTHENTICATION_REQUIRED");
        reauthenticate(&server, &by_server, &totp(&code(&server))).await.expect(200);
        call(&server, &by_server, path, &json!({})).await.expect(200);
    }

    async fn whoever_acts_as_a_user_cannot_prove_to_be_them(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "user_id": ada.id, "is_impersonation": true });
        let answer = server.post("/auth/sessions").server().json(&body).send().await.expect(200);
        let actor = Person { access_token: answer["access_token"].as_str().expect("a token").to_owned(), ..ada };
        set_totp_up(&server, &actor).await.expect_error(403, "REAUTHENTICATION_REQUIRED");
        reauthenticate(&server, &actor, &password(PASSWORD)).await.expect_text(403);
    }

    async fn somebody_without_any_factor_is_told_to_sign_in_again(server) {
        let ada = people::created(&server, &json!({})).await;
        server.clock().advance_millis(TOO_LATE);
        let ada = refreshed(&server, &ada).await;
        let details = set_totp_up(&server, &ada).await.expect_error(403, "REAUTHENTICATION_REQUIRED");
        assert_eq!((keys(&details), &details["methods"]), (vec!["max_age_seconds", "methods"], &json!([])));
        let answer = reauthenticate(&server, &ada, &password(PASSWORD)).await;
        answer.expect_error(400, "USER_DOES_NOT_HAVE_PASSWORD");
        reauthenticate(&server, &ada, &totp("000000")).await.expect_error(400, "INVALID_TOTP_CODE");
        let again = people::session_for(&server, &ada.id).await;
        set_totp_up(&server, &again).await.expect(200);
    }

    async fn the_endpoints_of_the_sdks_do_not_ask_unless_the_project_says_so(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        server.clock().advance_millis(TOO_LATE);
        let ada = refreshed(&server, &ada).await;
        let body = json!({ "totp_secret_base64": second_factors::TOTP });
        server.patch("/users/me").client().user(&ada.access_token).json(&body).send().await.expect(200);
    }

    async fn a_project_can_ask_everywhere(server, builder = everywhere()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::created(&server, &json!({ "primary_email": "bo@example.com" })).await;
        server.clock().advance_millis(TOO_LATE);
        let (ada, bo) = (refreshed(&server, &ada).await, refreshed(&server, &bo).await);
        let patch = |body: Value| {
            server.patch("/users/me").client().user(&ada.access_token).json(&body).send()
        };
        for body in [
            json!({ "totp_secret_base64": second_factors::TOTP }), json!({ "totp_secret_base64": null }),
            json!({ "primary_email": "eve@example.com" }), json!({ "passkey_auth_enabled": false }),
        ] {
            patch(body).await.expect_error(403, "REAUTHENTICATION_REQUIRED");
        }
        patch(json!({ "display_name": "Ada" })).await.expect(200);
        let channels = server.get("/contact-channels?user_id=me").client().user(&ada.access_token).send().await.expect(200);
        let channel = format!("/contact-channels/me/{}", channels["items"][0]["id"].as_str().expect("an id"));
        let requests = [
            server.patch(&channel).json(&json!({ "used_for_auth": false })),
            server.delete(&channel),
            server.post("/contact-channels").json(&json!({ "user_id": "me", "value": "eve@example.com", "type": "email", "used_for_auth": true })),
            server.post("/user-api-keys").json(&json!({ "user_id": "me", "description": "x", "expires_at_millis": null })),
        ];
        for request in requests {
            let answer = request.client().user(&ada.access_token).send().await;
            answer.expect_error(403, "REAUTHENTICATION_REQUIRED");
        }
        let set = call(&server, &bo, "/auth/password/set", &json!({ "password": PASSWORD })).await;
        set.expect_error(403, "REAUTHENTICATION_REQUIRED");
        // The old password is a proof of its own, and a server acts for itself.
        let body = json!({ "old_password": PASSWORD, "new_password": OTHER_PASSWORD });
        let update = server.post("/auth/password/update").client().user(&ada.access_token);
        update.header("x-stack-refresh-token", &ada.refresh_token).json(&body).send().await.expect(200);
        people::change(&server, &ada.id, &json!({ "primary_email": "ada@example.org" })).await;
        reauthenticate(&server, &ada, &password(OTHER_PASSWORD)).await.expect(200);
        patch(json!({ "totp_secret_base64": second_factors::TOTP })).await.expect(200);
    }

    async fn removing_a_passkey_asks_and_signing_in_with_one_that_verified_its_user_is_an_answer(server, builder = passkeys::builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let key = passkeys::registered(&server, &ada).await;
        let listed = passkeys::list(&server, &ada.id).await;
        let path = format!("/passkeys/me/{}", listed[0]["id"].as_str().expect("an id"));
        server.clock().advance_millis(TOO_LATE);
        let ada = refreshed(&server, &ada).await;
        let delete = |person: &Person| server.delete(&path).client().user(&person.access_token).send();
        delete(&ada).await.expect_error(403, "REAUTHENTICATION_REQUIRED");
        // The SDKs register passkeys by endpoints of the contract, and know nothing of this.
        passkeys::registered(&server, &ada).await;
        let again = Person::of(&passkeys::sign_in(&server, &key).await.expect(200));
        delete(&again).await.expect(200);
    }

    async fn a_project_that_asks_everywhere_asks_before_a_passkey_is_registered(
        server, builder = passkeys::builder().project(|settings| settings.latchkey.reauthentication.enforce_on = AllEndpoints)
    ) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        passkeys::registered(&server, &ada).await;
        server.clock().advance_millis(TOO_LATE);
        let ada = refreshed(&server, &ada).await;
        let path = "/auth/passkey/initiate-passkey-registration";
        call(&server, &ada, path, &json!({})).await.expect_error(403, "REAUTHENTICATION_REQUIRED");
    }

    async fn a_project_can_ask_nowhere(
        server, builder = TestServer::builder().project(|settings| settings.latchkey.reauthentication.enforce_on = Nothing)
    ) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        server.clock().advance_millis(TOO_LATE);
        let ada = refreshed(&server, &ada).await;
        set_totp_up(&server, &ada).await.expect(200);
    }

    async fn a_project_without_passwords_does_not_take_one_as_proof(
        server, builder = TestServer::builder().project(|settings| settings.auth.password.allow_sign_in = false)
    ) {
        let ada = people::created(&server, &json!({})).await;
        let answer = reauthenticate(&server, &ada, &password(PASSWORD)).await;
        answer.expect_error(400, "PASSWORD_AUTHENTICATION_NOT_ENABLED");
    }

    async fn a_proof_of_a_session_that_ended_is_of_no_use(server) {
        let ada = person(&server, "ada@example.com").await;
        server.delete("/auth/sessions/current").client().user(&ada.access_token).send().await.expect(200);
        let answer = reauthenticate(&server, &ada, &totp(&code(&server))).await;
        answer.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
    }
}
