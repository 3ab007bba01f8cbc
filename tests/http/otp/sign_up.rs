//! Somebody new by a code (§6.2, §10, §11): what the account is, whom the rules let in, and who was anonymous before.

use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::people::{self, Person};
use latchkey_tests::{mail, stored};
use serde_json::{Value, json};

use super::{CALLBACK, code_for, set, sign_in, using, verified, with_otp};

fn behind_a_proxy() -> Builder {
    with_otp().config("server.trusted_proxy", "cloudflare")
}

/// The code of somebody whose browser asked for it in this country.
async fn code_from(server: &TestServer, email: &str, country: &str) -> String {
    let request = server.post("/auth/otp/send-sign-in-code").client().header("user-agent", "Mozilla/5.0");
    let request = request.header("cf-connecting-ip", "203.0.113.9").header("cf-ipcountry", country);
    request.json(&json!({ "email": email, "callback_url": CALLBACK })).send().await.expect(200);
    mail::code_to(server, email).await
}

fn rule(condition: &str, action: &str) -> Value {
    json!({ "enabled": true, "condition": condition, "action": { "type": action } })
}

on_both_engines! {
    async fn somebody_new_owns_the_address(server, builder = with_otp()) {
        let answer = sign_in(&server, &code_for(&server, "Ada@example.com").await).await.expect(200);
        assert_eq!(answer["is_new_user"], true);
        let id = answer["user_id"].as_str().expect("an id");
        let user = people::seen_by_server(&server, id).await;
        let expected = json!({
            "primary_email": "ada@example.com", "primary_email_verified": true, "primary_email_auth_enabled": true,
            "otp_auth_enabled": true, "has_password": false, "is_anonymous": false, "is_restricted": false,
        });
        for (name, value) in expected.as_object().expect("fields") {
            assert_eq!(&user[name], value, "{name}");
        }
        assert_eq!(stored::event_kinds(&server, id).await, ["user.signed_up"]);
        assert_eq!(people::seen_by_self(&server, &Person::of(&answer)).await["id"], id);
    }

    async fn what_new_users_get_they_get_here_too(
        server, builder = with_otp().project(|settings| settings.teams.create_personal_team_on_sign_up = true)
    ) {
        let ada = Person::of(&sign_in(&server, &code_for(&server, "ada@example.com").await).await.expect(200));
        assert_eq!(people::seen_by_self(&server, &ada).await["selected_team"]["display_name"], "ada@example.com's Team");
    }

    async fn closed_sign_ups_refuse_and_use_the_code_up(server, builder = with_otp()) {
        let code = code_for(&server, "ada@example.com").await;
        set(&server, "auth.allowSignUp", json!(false)).await;
        sign_in(&server, &code).await.expect_error(400, "SIGN_UP_NOT_ENABLED");
        set(&server, "auth.allowSignUp", json!(true)).await;
        sign_in(&server, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
    }

    async fn codes_that_were_switched_off_make_no_accounts(server, builder = with_otp()) {
        let code = code_for(&server, "ada@example.com").await;
        set(&server, "auth.otp.allowSignIn", json!(false)).await;
        sign_in(&server, &code).await.expect_text(403);
        sign_in(&server, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
    }

    async fn rules_reject_and_use_the_code_up(server, builder = with_otp()) {
        set(&server, "auth.signUpRules", json!({ "no": rule("authMethod == 'otp' && emailDomain == 'spam.example.com'", "reject") })).await;
        let code = code_for(&server, "ada@spam.example.com").await;
        sign_in(&server, &code).await.expect_error(403, "SIGN_UP_REJECTED");
        sign_in(&server, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        sign_in(&server, &code_for(&server, "ada@example.com").await).await.expect(200);
    }

    async fn rules_restrict(server, builder = with_otp()) {
        set(&server, "auth.signUpRules", json!({ "watched": rule("email.startsWith('new-')", "restrict") })).await;
        let answer = sign_in(&server, &code_for(&server, "new-ada@example.com").await).await.expect(200);
        let user = people::seen_by_server(&server, answer["user_id"].as_str().expect("an id")).await;
        assert_eq!(user["restricted_reason"], json!({ "type": "restricted_by_administrator" }));
    }

    async fn the_country_is_that_of_the_request_for_the_code(server, builder = behind_a_proxy()) {
        set(&server, "auth.signUpRules", json!({ "no": rule("countryCode == 'FR'", "reject") })).await;
        let (here, there) = (code_from(&server, "ada@example.com", "de").await, code_from(&server, "bo@example.com", "FR").await);
        let elsewhere = |code: &str| using(&server, code).header("user-agent", "Mozilla/5.0").header("cf-connecting-ip", "198.51.100.7").header("cf-ipcountry", "FR");
        let answer = elsewhere(&here).send().await.expect(200);
        let ada = answer["user_id"].as_str().expect("an id").to_owned();
        assert_eq!(people::seen_by_server(&server, &ada).await["country_code"], "DE");
        let event = stored::events(&server, &ada).await.remove(0);
        assert!(event.details.contains("203.0.113.9"), "{}", event.details);
        assert_eq!(event.ip.as_deref(), Some("198.51.100.7"));
        let nowhere = using(&server, &there).header("user-agent", "Mozilla/5.0").header("cf-connecting-ip", "198.51.100.7").header("cf-ipcountry", "DE");
        nowhere.send().await.expect_error(403, "SIGN_UP_REJECTED");
        let odd = code_from(&server, "cy@example.com", "T1x").await;
        let answer = sign_in(&server, &odd).await.expect(200);
        assert_eq!(people::seen_by_server(&server, answer["user_id"].as_str().expect("an id")).await["country_code"], Value::Null);
    }

    async fn an_anonymous_caller_becomes_the_new_user(server, builder = with_otp()) {
        let nobody = people::anonymous(&server).await;
        people::change(&server, &nobody.id, &json!({ "client_metadata": { "cart": [1] } })).await;
        let before = people::seen_by_server(&server, &nobody.id).await;
        let code = code_for(&server, "ada@example.com").await;
        server.clock().advance_seconds(60);
        let answer = using(&server, &code).user(&nobody.access_token).send().await.expect(200);
        assert_eq!((&answer["user_id"], &answer["is_new_user"]), (&json!(nobody.id), &json!(true)));
        let user = people::seen_by_server(&server, &nobody.id).await;
        let expected = json!({
            "is_anonymous": false, "is_restricted": false, "primary_email": "ada@example.com", "primary_email_verified": true,
            "primary_email_auth_enabled": true, "otp_auth_enabled": true, "client_metadata": { "cart": [1] },
            "signed_up_at_millis": before["signed_up_at_millis"].as_i64().expect("a time") + 60_000,
        });
        for (name, value) in expected.as_object().expect("fields") {
            assert_eq!(&user[name], value, "{name}");
        }
        assert!(stored::event_kinds(&server, &nobody.id).await.contains(&"user.upgraded".to_owned()));
        people::seen_by_self(&server, &nobody).await;
    }

    async fn it_counts_who_uses_the_code_not_who_asked_for_it(server, builder = with_otp()) {
        let nobody = people::anonymous(&server).await;
        let body = json!({ "email": "ada@example.com", "callback_url": CALLBACK });
        server.post("/auth/otp/send-sign-in-code").client().user(&nobody.access_token).json(&body).send().await.expect(200);
        let answer = sign_in(&server, &mail::code_to(&server, "ada@example.com").await).await.expect(200);
        assert_ne!(answer["user_id"], nobody.id);
        assert_eq!(people::seen_by_self(&server, &nobody).await["is_anonymous"], true);
    }

    async fn an_anonymous_caller_is_not_merged_into_somebody_who_exists(server, builder = with_otp()) {
        let ada = verified(&server, "ada@example.com").await;
        let nobody = people::anonymous(&server).await;
        let code = code_for(&server, "ada@example.com").await;
        let answer = using(&server, &code).user(&nobody.access_token).send().await.expect(200);
        assert_eq!((&answer["user_id"], &answer["is_new_user"]), (&json!(ada), &json!(false)));
        assert_eq!(people::seen_by_self(&server, &nobody).await["is_anonymous"], true);
    }

    async fn rules_are_asked_for_the_upgrade_too(server, builder = with_otp()) {
        set(&server, "auth.signUpRules", json!({
            "no": rule("email.startsWith('no')", "reject"), "watched": rule("email.startsWith('new')", "restrict"),
        })).await;
        let nobody = people::anonymous(&server).await;
        let code = code_for(&server, "no@example.com").await;
        using(&server, &code).user(&nobody.access_token).send().await.expect_error(403, "SIGN_UP_REJECTED");
        assert_eq!(people::seen_by_self(&server, &nobody).await["is_anonymous"], true);
        let code = code_for(&server, "new@example.com").await;
        using(&server, &code).user(&nobody.access_token).send().await.expect(200);
        let user = people::seen_by_server(&server, &nobody.id).await;
        assert_eq!((&user["is_anonymous"], &user["restricted_by_admin"]), (&json!(false), &json!(true)));
    }

    async fn an_upgrade_of_somebody_with_a_second_factor_asks_for_it(server, builder = with_otp()) {
        let nobody = people::anonymous(&server).await;
        people::change(&server, &nobody.id, &json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" })).await;
        let code = code_for(&server, "ada@example.com").await;
        let answer = using(&server, &code).user(&nobody.access_token).send().await;
        answer.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
        assert_eq!(people::seen_by_server(&server, &nobody.id).await["is_anonymous"], false);
    }
}
