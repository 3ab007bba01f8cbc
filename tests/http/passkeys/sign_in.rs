//! Signing in with passkeys.

use latchkey_config::settings::ExtraClaim;
use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::authenticator::{Authenticator, BACKED_UP, Draft, ELIGIBLE, PRESENT, VERIFIED};
use latchkey_tests::passkeys::{
    self, ORIGIN, begin_sign_in, builder, register_as, registered, send_sign_in, sign_in, sign_in_as,
};
use latchkey_tests::people::{self, Person};
use latchkey_tests::{join_all, stored, tokens};
use serde_json::{Value, json};

const TOTP_SECRET: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=";

/// Ada, and a key that counts from this number.
async fn counting(server: &TestServer, count: u32) -> (Person, Authenticator) {
    let ada = people::sign_up(server, "ada@example.com").await;
    let mut key = Authenticator::new();
    register_as(server, &ada, &mut key, |draft| draft.sign_count = count).await.expect(200);
    (ada, key)
}

/// Signs in with this signature counter.
async fn with_count(server: &TestServer, key: &Authenticator, count: u32) -> u16 {
    sign_in_as(server, key, |draft| draft.sign_count = count).await.status
}

fn methods(answer: &Value) -> Value {
    tokens::claims(answer["access_token"].as_str().expect("a token"))["amr"].clone()
}

on_both_engines! {
    async fn the_options_are_those_of_the_contract(server, builder = builder()) {
        let begun = begin_sign_in(&server).await;
        assert_eq!(tokens::keys(&begun), ["code", "options_json"]);
        let challenge = begun["options_json"]["challenge"].clone();
        assert_eq!(challenge.as_str().map(str::len), Some(43), "32 bytes");
        assert_eq!(begun["options_json"], json!({
            "challenge": challenge, "rpId": "THIS_VALUE_WILL_BE_REPLACED.example.com", "allowCredentials": [],
            "timeout": 60000, "userVerification": "preferred",
        }));
    }

    async fn a_passkey_signs_its_owner_in(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let key = registered(&server, &ada).await;
        server.clock().advance_seconds(1);
        let answer = sign_in(&server, &key).await.expect(200);
        assert_eq!(tokens::keys(&answer), ["access_token", "is_new_user", "refresh_token", "user_id"]);
        assert_eq!((&answer["user_id"], &answer["is_new_user"]), (&json!(ada.id), &json!(false)));
        let session = Person::of(&answer);
        assert_ne!(session.session_id(), ada.session_id(), "a session of its own");
        people::seen_by_self(&server, &session).await;
        people::seen_by_self(&server, &ada).await;
        server.flush().await;
        assert_eq!(stored::event_kinds(&server, &ada.id).await.last().map(String::as_str), Some("user.signed_in"));
    }

    async fn the_code_may_be_written_in_capitals_and_the_user_handle_be_left_out(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let key = registered(&server, &ada).await;
        let mut begun = begin_sign_in(&server).await;
        let mut response = key.assert(&Draft::new(&begun["options_json"], ORIGIN));
        response["response"].as_object_mut().expect("an object").remove("userHandle");
        begun["code"] = json!(begun["code"].as_str().expect("a code").to_uppercase());
        send_sign_in(&server, &begun, &response).await.expect(200);
        let begun = begin_sign_in(&server).await;
        let mut response = key.assert(&Draft::new(&begun["options_json"], ORIGIN));
        response["response"]["userHandle"] = Value::Null;
        send_sign_in(&server, &begun, &response).await.expect(200);
    }

    async fn a_counter_must_grow_unless_it_never_counted(server, builder = builder()) {
        let (ada, key) = counting(&server, 5).await;
        for (count, status) in [(5, 400), (4, 400), (0, 400), (6, 200), (6, 400), (5, 400), (u32::MAX, 200), (7, 400)] {
            assert_eq!(with_count(&server, &key, count).await, status, "{count}");
        }
        server.flush().await;
        let events = stored::events(&server, &ada.id).await;
        let refused: Vec<_> = events.iter().filter(|event| event.kind == "passkey.refused").collect();
        assert_eq!(refused.len(), 6);
        assert!(refused[0].details.contains("copy of the authenticator"), "{}", refused[0].details);
    }

    async fn an_authenticator_that_does_not_count_may_begin_to(server, builder = builder()) {
        let (_, key) = counting(&server, 0).await;
        for (count, status) in [(0, 200), (0, 200), (1, 200), (0, 400), (1, 400), (2, 200)] {
            assert_eq!(with_count(&server, &key, count).await, status, "{count}");
        }
    }

    async fn of_two_answers_with_one_count_only_one_signs_in(server, builder = builder()) {
        let (_, key) = counting(&server, 1).await;
        let statuses = join_all((0..4).map(|_| with_count(&server, &key, 2))).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 3, "{statuses:?}");
    }

    async fn of_many_who_send_one_answer_only_one_signs_in(server, builder = builder()) {
        let (_, key) = counting(&server, 0).await;
        let begun = begin_sign_in(&server).await;
        let response = key.assert(&Draft::new(&begun["options_json"], ORIGIN));
        let answers = join_all((0..6).map(|_| send_sign_in(&server, &begun, &response))).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        }
    }

    async fn a_challenge_is_answered_within_65_seconds(server, builder = builder()) {
        let (_, key) = counting(&server, 0).await;
        for (millis, status) in [(64_999, 200), (65_000, 400)] {
            let begun = begin_sign_in(&server).await;
            server.clock().advance_millis(millis);
            let response = key.assert(&Draft::new(&begun["options_json"], ORIGIN));
            let answer = send_sign_in(&server, &begun, &response).await;
            assert_eq!(answer.status, status, "{}", answer.text());
            if status == 400 {
                answer.expect_error(400, "VERIFICATION_CODE_EXPIRED");
            }
        }
    }

    async fn a_passkey_of_a_verified_user_is_two_factors(server, builder = builder()) {
        let (ada, key) = counting(&server, 0).await;
        people::change(&server, &ada.id, &json!({ "totp_secret_base64": TOTP_SECRET })).await;
        Person::of(&sign_in_as(&server, &key, |draft| draft.flags = PRESENT | VERIFIED).await.expect(200));
        let touched = sign_in_as(&server, &key, |draft| draft.flags = PRESENT).await;
        let details = touched.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
        assert_eq!(details["attempt_code"].as_str().map(str::len), Some(45));
    }

    async fn a_project_may_ask_for_the_code_beside_every_passkey(
        server,
        builder = builder().project(|settings| settings.latchkey.passkeys.verified_passkeys_are_two_factors = false)
    ) {
        let (ada, key) = counting(&server, 1).await;
        people::change(&server, &ada.id, &json!({ "totp_secret_base64": TOTP_SECRET })).await;
        let answer = sign_in_as(&server, &key, |draft| draft.sign_count = 2).await;
        answer.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
        assert_eq!(with_count(&server, &key, 2).await, 400, "the attempt has used this count");
    }

    async fn a_session_says_how_it_began(
        server,
        builder = builder().project(|settings| settings.latchkey.extra_claims = vec![ExtraClaim::Amr])
    ) {
        let (ada, key) = counting(&server, 0).await;
        let answer = sign_in(&server, &key).await.expect(200);
        assert_eq!(methods(&answer), json!(["hwk", "user", "mfa"]));
        let answer = sign_in_as(&server, &key, |draft| draft.flags = PRESENT).await.expect(200);
        assert_eq!(methods(&answer), json!(["hwk", "user"]));
        let mut synced = Authenticator::new();
        register_as(&server, &ada, &mut synced, |draft| draft.flags |= ELIGIBLE).await.expect(200);
        let answer = sign_in_as(&server, &synced, |draft| draft.flags |= ELIGIBLE | BACKED_UP).await.expect(200);
        assert_eq!(methods(&answer), json!(["swk", "user", "mfa"]));
    }

    async fn whether_a_passkey_is_copied_is_followed_and_whether_it_may_be_is_not_changed(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let mut key = Authenticator::new();
        register_as(&server, &ada, &mut key, |draft| draft.flags |= ELIGIBLE).await.expect(200);
        assert_eq!(passkeys::list(&server, &ada.id).await[0]["is_backed_up"], false);
        sign_in_as(&server, &key, |draft| draft.flags |= ELIGIBLE | BACKED_UP).await.expect(200);
        assert_eq!(passkeys::list(&server, &ada.id).await[0]["is_backed_up"], true);
        sign_in(&server, &key).await.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
        let alone = sign_in_as(&server, &key, |draft| draft.flags |= BACKED_UP).await;
        alone.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
    }

    async fn restricted_users_may_sign_in(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let key = registered(&server, &ada).await;
        people::change(&server, &ada.id, &json!({ "restricted_by_admin": true })).await;
        let session = Person::of(&sign_in(&server, &key).await.expect(200));
        assert_eq!(people::seen_by_self(&server, &session).await["is_restricted"], true);
    }

    async fn an_anonymous_caller_is_not_merged(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let key = registered(&server, &ada).await;
        let nobody = people::anonymous(&server).await;
        let begun = begin_sign_in(&server).await;
        let response = key.assert(&Draft::new(&begun["options_json"], ORIGIN));
        let body = json!({ "authentication_response": response, "code": begun["code"] });
        let request = server.post("/auth/passkey/sign-in").client().user(&nobody.access_token);
        assert_eq!(request.json(&body).send().await.expect(200)["user_id"], json!(ada.id));
        assert_eq!(people::seen_by_self(&server, &nobody).await["is_anonymous"], true);
    }
}
