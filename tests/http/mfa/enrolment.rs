//! Switching TOTP on and off by our own endpoints.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people::{self, Person};
use latchkey_tests::second_factors::{STEP, attempt, call, complete, secret_of, set_up, totp};
use latchkey_tests::tokens::keys;
use latchkey_tests::{join_all, second_factors, stored};
use serde_json::{Value, json};

async fn begin(server: &TestServer, person: &Person) -> Value {
    call(server, person, "/auth/mfa/totp/setup", &json!({})).await.expect(200)
}

async fn status(server: &TestServer, person: &Person) -> Value {
    server.get("/auth/mfa").client().user(&person.access_token).send().await.expect(200)
}

on_both_engines! {
    async fn setting_up_shows_what_an_app_needs_and_changes_nothing_yet(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let setup = begin(&server, &ada).await;
        assert_eq!(keys(&setup), ["expires_at_millis", "otpauth_uri", "qr_code_png", "qr_code_svg", "secret"]);
        assert_eq!(secret_of(&setup).expose().len(), 20);
        let secret = setup["secret"].as_str().expect("a secret");
        assert_eq!(
            setup["otpauth_uri"],
            format!("otpauth://totp/The%20test%20project:ada%40example.com?secret={secret}&issuer=The%20test%20project&algorithm=SHA1&digits=6&period=30")
        );
        let png = setup["qr_code_png"].as_str().and_then(|url| url.strip_prefix("data:image/png;base64,")).expect("a PNG");
        assert!(STANDARD.decode(png).expect("base64").starts_with(b"\x89PNG\r\n\x1a\n"));
        assert!(setup["qr_code_svg"].as_str().is_some_and(|svg| svg.contains("<svg")));
        assert_eq!(
            status(&server, &ada).await,
            json!({ "totp_enabled": false, "totp_setup_pending": true, "backup_codes_remaining": 0 })
        );
        people::sign_in(&server, "ada@example.com").await;
    }

    async fn a_first_code_switches_it_on_and_gives_ten_backup_codes(server) {
        let (ada, secret, codes) = set_up(&server, "ada@example.com").await;
        assert_eq!(codes.len(), 10);
        assert_eq!(
            status(&server, &ada).await,
            json!({ "totp_enabled": true, "totp_setup_pending": false, "backup_codes_remaining": 10 })
        );
        assert_eq!(people::seen_by_self(&server, &ada).await["requires_totp_mfa"], true);
        let session = stored::session(&server, &ada.access_token).await.expect("a session");
        assert_eq!(session.amr, "pwd otp mfa");
        let first = attempt(&server, "ada@example.com").await;
        let seen = secret.code_at(server.app().now());
        complete(&server, &first, &totp(&seen)).await.expect_error(400, "INVALID_TOTP_CODE");
        server.clock().advance_seconds(STEP);
        complete(&server, &first, &totp(&secret.code_at(server.app().now()))).await.expect(200);
        let events = stored::event_kinds(&server, &ada.id).await;
        assert!(["totp.setup_begun", "totp.enabled"].iter().all(|kind| events.iter().any(|event| event == kind)), "{events:?}");
    }

    async fn a_wrong_first_code_switches_nothing_on_and_the_set_up_goes_on(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let setup = begin(&server, &ada).await;
        let path = "/auth/mfa/totp/confirm";
        call(&server, &ada, path, &json!({ "totp": "000" })).await.expect_error(400, "INVALID_TOTP_CODE");
        assert_eq!(status(&server, &ada).await["totp_enabled"], false);
        let code = secret_of(&setup).code_at(server.app().now());
        call(&server, &ada, path, &json!({ "totp": code })).await.expect(200);
    }

    async fn without_a_set_up_that_waits_there_is_nothing_to_confirm(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let path = "/auth/mfa/totp/confirm";
        call(&server, &ada, path, &json!({ "totp": "000000" })).await.expect_text(400);
        let setup = begin(&server, &ada).await;
        server.clock().advance_seconds(15 * 60);
        let there = people::sign_in(&server, "ada@example.com").await;
        let code = secret_of(&setup).code_at(server.app().now());
        call(&server, &there, path, &json!({ "totp": code })).await.expect_text(400);
        assert_eq!(status(&server, &there).await["totp_setup_pending"], false);
    }

    async fn a_new_set_up_replaces_one_that_waits(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let (first, second) = (begin(&server, &ada).await, begin(&server, &ada).await);
        let path = "/auth/mfa/totp/confirm";
        let code = |setup: &Value| json!({ "totp": secret_of(setup).code_at(server.app().now()) });
        call(&server, &ada, path, &code(&first)).await.expect_error(400, "INVALID_TOTP_CODE");
        call(&server, &ada, path, &code(&second)).await.expect(200);
    }

    async fn what_is_on_is_not_replaced(server) {
        let (ada, secret, _) = set_up(&server, "ada@example.com").await;
        call(&server, &ada, "/auth/mfa/totp/setup", &json!({})).await.expect_text(409);
        call(&server, &ada, "/auth/mfa/totp/confirm", &json!({ "totp": "000000" })).await.expect_text(409);
        server.clock().advance_seconds(STEP);
        let attempt = attempt(&server, "ada@example.com").await;
        complete(&server, &attempt, &totp(&secret.code_at(server.app().now()))).await.expect(200);
    }

    async fn one_code_confirms_once_of_many_at_once(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let setup = begin(&server, &ada).await;
        let body = json!({ "totp": secret_of(&setup).code_at(server.app().now()) });
        let answers = join_all((0..8).map(|_| call(&server, &ada, "/auth/mfa/totp/confirm", &body))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert!(answers.iter().all(|answer| answer.status < 500));
        assert_eq!(status(&server, &ada).await["backup_codes_remaining"], 10);
    }

    async fn a_secret_of_one_user_is_not_confirmed_by_another(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let setup = begin(&server, &ada).await;
        begin(&server, &bo).await;
        let body = json!({ "totp": secret_of(&setup).code_at(server.app().now()) });
        call(&server, &bo, "/auth/mfa/totp/confirm", &body).await.expect_error(400, "INVALID_TOTP_CODE");
    }

    async fn a_fresh_factor_switches_it_off_and_nothing_else_does(server) {
        let (ada, secret, codes) = set_up(&server, "ada@example.com").await;
        let path = "/auth/mfa/totp/disable";
        call(&server, &ada, path, &json!({})).await.expect_error(400, "SCHEMA_ERROR");
        call(&server, &ada, path, &totp("000")).await.expect_error(400, "INVALID_TOTP_CODE");
        let used = totp(&secret.code_at(server.app().now()));
        call(&server, &ada, path, &used).await.expect_error(400, "INVALID_TOTP_CODE");
        server.clock().advance_seconds(STEP);
        let fresh = totp(&secret.code_at(server.app().now()));
        call(&server, &ada, path, &fresh).await.expect(200);
        assert_eq!(
            status(&server, &ada).await,
            json!({ "totp_enabled": false, "totp_setup_pending": false, "backup_codes_remaining": 0 })
        );
        people::sign_in(&server, "ada@example.com").await;
        call(&server, &ada, path, &fresh).await.expect_text(400);
        assert!(stored::event_kinds(&server, &ada.id).await.contains(&"totp.disabled".to_owned()));
        // Old backup codes are of no use after it is switched on anew.
        people::change(&server, &ada.id, &json!({ "totp_secret_base64": second_factors::TOTP })).await;
        let attempt = attempt(&server, "ada@example.com").await;
        let answer = complete(&server, &attempt, &second_factors::backup(&codes[0])).await;
        answer.expect_error(400, "INVALID_BACKUP_CODE");
    }

    async fn a_server_that_takes_the_secret_away_lets_a_locked_out_user_in(server) {
        let (ada, _, _) = set_up(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "totp_secret_base64": null })).await;
        let there = people::sign_in(&server, "ada@example.com").await;
        assert_eq!(status(&server, &there).await["backup_codes_remaining"], 0);
    }

    async fn somebody_must_be_signed_in(server) {
        server.get("/auth/mfa").client().send().await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
        for (path, body) in [
            ("/auth/mfa/totp/setup", json!({})),
            ("/auth/mfa/totp/confirm", json!({ "totp": "000000" })),
            ("/auth/mfa/totp/disable", totp("000000")),
            ("/auth/mfa/backup-codes/regenerate", json!({})),
            ("/auth/reauthenticate", totp("000000")),
        ] {
            let answer = server.post(path).client().json(&body).send().await;
            answer.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
        }
    }

    async fn the_names_of_people_and_projects_cannot_break_the_uri(server) {
        let ada = people::created(&server, &json!({ "display_name": "A:b?c=d&secret=AAAA#e/\u{202e}\u{1F600}".repeat(5) })).await;
        let setup = begin(&server, &ada).await;
        let uri = setup["otpauth_uri"].as_str().expect("a URI");
        let (label, query) = uri.strip_prefix("otpauth://totp/").and_then(|rest| rest.split_once('?')).expect("a label and a query");
        assert_eq!(label.matches(':').count(), 1, "{uri}");
        assert!(query.starts_with(&format!("secret={}&issuer=", setup["secret"].as_str().expect("a secret"))), "{uri}");
        assert_eq!(query.matches("secret=").count(), 1, "{uri}");
    }
}
