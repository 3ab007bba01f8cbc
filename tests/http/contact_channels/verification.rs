//! Contract 05 §6.1: a code goes to the address by mail, and comes back.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::people::{self, Person};
use latchkey_tests::{join_all, mail};
use serde_json::{Value, json};

use super::{NOBODY, add, as_client, channels, path};

const CALLBACK: &str = "http://localhost:3000/verify?next=home";

/// The code of the newest mail to an address.
async fn mailed_code(server: &TestServer, address: &str) -> String {
    let mails = mail::to(server, address).await;
    let links = mail::links(&mails.first().expect("a mail").text);
    let link = links.iter().find(|link| link.contains("code=")).expect("a link with a code");
    let url = reqwest::Url::parse(link).expect("a URL");
    assert_eq!(
        url.query_pairs().find(|(name, _)| name == "next").map(|(_, value)| value.into_owned()).as_deref(),
        Some("home")
    );
    let code = url.query_pairs().find(|(name, _)| name == "code").map(|(_, value)| value.into_owned());
    code.expect("a code")
}

async fn send(server: &TestServer, channel: &Value) -> Answer {
    let path = format!("{}/send-verification-code", path(channel));
    server.post(&path).server().json(&json!({ "callback_url": CALLBACK })).send().await
}

/// Somebody with an unverified primary address, and a code that went there.
async fn waiting(server: &TestServer) -> (Person, String) {
    let ada = people::sign_up(server, "ada@example.com").await;
    let own = channels(server, &ada.id).await.remove(0);
    assert_eq!(send(server, &own).await.expect(200), json!({ "success": true }));
    (ada, mailed_code(server, "ada@example.com").await)
}

async fn check(server: &TestServer, code: &str) -> Answer {
    server.post("/contact-channels/verify/check-code").client().json(&json!({ "code": code })).send().await
}

async fn verify(server: &TestServer, code: &str) -> Answer {
    server.post("/contact-channels/verify").client().json(&json!({ "code": code })).send().await
}

on_both_engines! {
    async fn a_mailed_code_verifies_the_address_it_went_to(server) {
        let (ada, code) = waiting(&server).await;
        assert_eq!(code.len(), 45);
        assert_eq!(check(&server, &code).await.expect(200), json!({ "is_code_valid": true }));
        assert_eq!(people::seen_by_server(&server, &ada.id).await["primary_email_verified"], false, "not by asking");
        assert_eq!(verify(&server, &code.to_uppercase()).await.expect(200), json!({ "success": true }));
        assert_eq!(people::seen_by_server(&server, &ada.id).await["primary_email_verified"], true);
        verify(&server, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        check(&server, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
    }

    async fn the_code_of_a_sign_up_works_as_well(server) {
        let body = json!({ "email": "bo@example.com", "password": people::PASSWORD, "verification_callback_url": CALLBACK });
        let bo = Person::of(&server.post("/auth/password/sign-up").client().json(&body).send().await.expect(200));
        verify(&server, &mailed_code(&server, "bo@example.com").await).await.expect(200);
        assert_eq!(people::seen_by_server(&server, &bo.id).await["primary_email_verified"], true);
    }

    async fn a_sign_up_in_mixed_case_is_verified_as_well(server) {
        let body = json!({ "email": "Bo.Bo@Example.COM", "password": people::PASSWORD, "verification_callback_url": CALLBACK });
        let bo = Person::of(&server.post("/auth/password/sign-up").client().json(&body).send().await.expect(200));
        verify(&server, &mailed_code(&server, "bo.bo@example.com").await).await.expect(200);
        assert_eq!(people::seen_by_server(&server, &bo.id).await["primary_email_verified"], true);
    }

    async fn only_the_channel_of_the_user_to_whom_the_code_belongs_is_verified(server) {
        let (ada, code) = waiting(&server).await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let same = add(&server, &bo.id, "ada@example.com", json!({})).await;
        verify(&server, &code).await.expect(200);
        assert_eq!(people::seen_by_server(&server, &ada.id).await["primary_email_verified"], true);
        assert_eq!(server.get(&path(&same)).server().send().await.expect(200)["is_verified"], false);
    }

    async fn nobody_needs_to_be_signed_in_to_verify(server) {
        let (ada, code) = waiting(&server).await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        as_client(server.post("/contact-channels/verify").json(&json!({ "code": code })), &bo).send().await.expect(200);
        assert_eq!(people::seen_by_server(&server, &ada.id).await["primary_email_verified"], true);
        assert_eq!(people::seen_by_server(&server, &bo.id).await["primary_email_verified"], false);
    }

    async fn of_racing_uses_one_succeeds(server) {
        let (_, code) = waiting(&server).await;
        let answers = join_all((0..24).map(|_| verify(&server, &code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        let refusals = ["VERIFICATION_CODE_ALREADY_USED", "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED"];
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            let code = answer.header("x-stack-known-error").expect("a known error");
            assert!(refusals.contains(&code), "{}", answer.text());
        }
    }

    async fn a_code_of_another_length_is_a_violation_and_an_unknown_one_is_not_found(server) {
        let (_, code) = waiting(&server).await;
        for wrong in ["", "x", &code[1..], &format!("{code}0")] {
            verify(&server, wrong).await.expect_error(400, "SCHEMA_ERROR");
            check(&server, wrong).await.expect_error(400, "SCHEMA_ERROR");
        }
        verify(&server, &"z".repeat(45)).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        let other = server.other_project().clone();
        let elsewhere = people::speaking_for(server.post("/contact-channels/verify"), &other, "client");
        elsewhere.json(&json!({ "code": code })).send().await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        verify(&server, &code).await.expect(200);
    }

    async fn a_code_of_another_purpose_is_not_found(server) {
        let fields = json!({ "primary_email": "cy@example.com", "primary_email_auth_enabled": true, "password": people::PASSWORD });
        let cy = people::create(&server, &fields).await;
        people::change(&server, cy["id"].as_str().expect("an id"), &json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" })).await;
        let body = json!({ "email": "cy@example.com", "password": people::PASSWORD });
        let answer = server.post("/auth/password/sign-in").client().json(&body).send().await;
        let details = answer.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
        let attempt = details["attempt_code"].as_str().expect("a code");
        verify(&server, attempt).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
    }

    async fn a_code_lives_seven_days(server) {
        let (_, code) = waiting(&server).await;
        server.clock().advance_seconds(7 * 24 * 60 * 60 - 1);
        check(&server, &code).await.expect(200);
        server.clock().advance_seconds(1);
        check(&server, &code).await.expect_error(400, "VERIFICATION_CODE_EXPIRED");
        verify(&server, &code).await.expect_error(400, "VERIFICATION_CODE_EXPIRED");
    }

    async fn twenty_look_ups_are_allowed_those_of_other_beginnings_included(server) {
        let (_, code) = waiting(&server).await;
        for attempt in 0..20 {
            if attempt % 2 == 0 {
                check(&server, &code).await.expect(200);
            } else {
                let guess = format!("000000{}", &code[6..]);
                check(&server, &guess).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
            }
        }
        check(&server, &code).await.expect_error(400, "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED");
        verify(&server, &code).await.expect_error(400, "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED");
    }

    async fn a_code_for_a_channel_that_is_gone_is_refused(server) {
        let (ada, code) = waiting(&server).await;
        let own = channels(&server, &ada.id).await.remove(0);
        server.delete(&path(&own)).server().send().await.expect(200);
        verify(&server, &code).await.expect_text(400);
        verify(&server, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
    }

    async fn a_channel_that_has_another_address_by_now_is_not_verified(server) {
        let (ada, code) = waiting(&server).await;
        let own = channels(&server, &ada.id).await.remove(0);
        server.patch(&path(&own)).server().json(&json!({ "value": "victim@example.com" })).send().await.expect(200);
        verify(&server, &code).await.expect_text(400);
        assert_eq!(server.get(&path(&own)).server().send().await.expect(200)["is_verified"], false);
    }

    async fn a_code_is_sent_under_conditions(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let own = channels(&server, &ada.id).await.remove(0);
        let to = |path: String| server.post(&format!("{path}/send-verification-code")).json(&json!({ "callback_url": CALLBACK }));
        as_client(to(path(&own)), &bo).send().await.expect_text(400);
        to(format!("/contact-channels/me/{}", own["id"].as_str().expect("an id"))).client().send().await
            .expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        let details = to(format!("/contact-channels/{NOBODY}/{NOBODY}")).server().send().await.expect_error(400, "USER_ID_DOES_NOT_EXIST");
        assert_eq!(details, json!({ "user_id": NOBODY }));
        to(format!("/contact-channels/{}/{NOBODY}", ada.id)).server().send().await.expect_text(404);
        let verified = add(&server, &ada.id, "v@example.com", json!({ "is_verified": true })).await;
        to(path(&verified)).server().send().await.expect_error(409, "EMAIL_ALREADY_VERIFIED");
        let foreign = server.post(&format!("{}/send-verification-code", path(&own))).json(&json!({ "callback_url": "https://evil.example/" }));
        as_client(foreign, &ada).send().await.expect_error(400, "REDIRECT_URL_NOT_WHITELISTED");
        assert!(mail::to(&server, "ada@example.com").await.is_empty(), "nothing was mailed");
        as_client(to(path(&own)), &ada).send().await.expect(200);
        assert_eq!(mail::to(&server, "ada@example.com").await.len(), 1);
    }

    async fn the_deprecated_way_verifies_the_primary_email(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let send = |email: &str| {
            let body = json!({ "email": email, "callback_url": CALLBACK });
            server.post("/contact-channels/send-verification-code").json(&body).client()
        };
        send("ada@example.com").send().await.expect_error(400, "SCHEMA_ERROR");
        let wrong = send("b@example.com").user(&ada.access_token).send().await;
        let details = wrong.expect_error(400, "EMAIL_IS_NOT_PRIMARY_EMAIL");
        assert_eq!(details, json!({ "email": "b@example.com", "primary_email": "ada@example.com" }));
        send("root@localhost").user(&ada.access_token).send().await.expect_error(400, "SCHEMA_ERROR");
        assert_eq!(send("ADA@example.com").user(&ada.access_token).send().await.expect(200), json!({ "success": true }));
        verify(&server, &mailed_code(&server, "ada@example.com").await).await.expect(200);
        let again = send("ada@example.com").user(&ada.access_token).send().await;
        again.expect_error(409, "EMAIL_ALREADY_VERIFIED");
        let none = people::created(&server, &json!({})).await;
        let details = send("x@example.com").user(&none.access_token).send().await.expect_error(400, "EMAIL_IS_NOT_PRIMARY_EMAIL");
        assert_eq!(details["primary_email"], Value::Null);
    }
}
