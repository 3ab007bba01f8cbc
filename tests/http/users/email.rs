//! Contract 05 §3.2, "Primary email": what becomes of addresses and their flags.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::people;
use serde_json::{Value, json};

/// The primary email, whether it is verified and whether it signs in.
fn email(user: &Value) -> (Value, bool, bool) {
    let flag = |name: &str| user[name].as_bool().expect("a flag");
    (user["primary_email"].clone(), flag("primary_email_verified"), flag("primary_email_auth_enabled"))
}

async fn with_email(server: &TestServer, address: &str, verified: bool, used: bool) -> String {
    let user = people::create(
        server,
        &json!({
            "primary_email": address, "primary_email_verified": verified, "primary_email_auth_enabled": used,
        }),
    )
    .await;
    user["id"].as_str().expect("an id").to_owned()
}

async fn change(server: &TestServer, id: &str, fields: Value) -> Answer {
    server.patch(&format!("/users/{id}")).server().json(&fields).send().await
}

on_both_engines! {
    async fn a_new_address_is_never_verified_by_inheritance_but_signs_in_as_the_old_one_did(server) {
        for used in [true, false] {
            let id = with_email(&server, &format!("old-{used}@example.com"), true, used).await;
            let new = format!("new-{used}@example.com");
            let user = change(&server, &id, json!({ "primary_email": new })).await.expect(200);
            assert_eq!(email(&user), (json!(new), false, used));
        }
    }

    async fn flags_in_the_same_request_win(server) {
        let id = with_email(&server, "old@example.com", false, false).await;
        let user = change(&server, &id, json!({
            "primary_email": "NEW@Example.com", "primary_email_verified": true, "primary_email_auth_enabled": true,
        })).await.expect(200);
        assert_eq!(email(&user), (json!("new@example.com"), true, true));
    }

    async fn the_old_address_is_demoted_and_keeps_its_flags(server) {
        let id = with_email(&server, "old@example.com", true, true).await;
        change(&server, &id, json!({ "primary_email": "new@example.com" })).await.expect(200);
        // It still belongs to the user: nobody else can sign up with it.
        let body = json!({ "email": "old@example.com", "password": people::PASSWORD });
        let answer = server.post("/auth/password/sign-up").client().json(&body).send().await;
        answer.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
        // And when it comes back, it is as verified as it was.
        change(&server, &id, json!({ "primary_email_auth_enabled": false })).await.expect(200);
        let answer = change(&server, &id, json!({ "primary_email": "old@example.com", "primary_email_auth_enabled": false }));
        assert_eq!(email(&answer.await.expect(200)), (json!("old@example.com"), true, false));
    }

    async fn any_channel_that_signs_in_is_a_conflict_even_the_users_own(server) {
        let id = with_email(&server, "old@example.com", true, true).await;
        change(&server, &id, json!({ "primary_email": "new@example.com" })).await.expect(200);
        let details = change(&server, &id, json!({ "primary_email": "old@example.com" })).await;
        let details = details.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
        assert_eq!(details, json!({ "email": "old@example.com", "would_work_if_email_was_verified": false }));
    }

    async fn somebody_elses_address_is_a_conflict_only_if_both_sign_in(server) {
        with_email(&server, "taken@example.com", false, true).await;
        let ada = with_email(&server, "ada@example.com", false, true).await;
        change(&server, &ada, json!({ "primary_email": "Taken@example.com" })).await
            .expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
        let bo = with_email(&server, "bo@example.com", false, false).await;
        let user = change(&server, &bo, json!({ "primary_email": "taken@example.com" })).await.expect(200);
        assert_eq!(email(&user), (json!("taken@example.com"), false, false));
        change(&server, &bo, json!({ "primary_email_auth_enabled": true })).await
            .expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
    }

    async fn null_demotes_the_address_and_forces_the_flags(server) {
        let id = with_email(&server, "ada@example.com", true, true).await;
        let user = change(&server, &id, json!({
            "primary_email": null, "primary_email_verified": true, "primary_email_auth_enabled": true,
        })).await.expect(200);
        assert_eq!(email(&user), (json!(null), false, false));
        let body = json!({ "email": "ada@example.com", "password": people::PASSWORD });
        let answer = server.post("/auth/password/sign-up").client().json(&body).send().await;
        answer.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
    }

    async fn flags_alone_change_the_present_address(server) {
        let id = with_email(&server, "ada@example.com", false, false).await;
        let user = change(&server, &id, json!({ "primary_email_verified": true })).await.expect(200);
        assert_eq!(email(&user), (json!("ada@example.com"), true, false));
        let user = change(&server, &id, json!({ "primary_email_auth_enabled": true })).await.expect(200);
        assert_eq!(email(&user), (json!("ada@example.com"), true, true));
        let user = change(&server, &id, json!({ "primary_email_verified": false })).await.expect(200);
        assert_eq!(email(&user), (json!("ada@example.com"), false, true));
    }

    async fn without_an_address_true_flags_are_refused_and_false_ones_do_nothing(server) {
        let user = people::create(&server, &json!({})).await;
        let id = user["id"].as_str().expect("an id");
        for field in ["primary_email_verified", "primary_email_auth_enabled"] {
            change(&server, id, json!({ field: true })).await.expect_text(400);
            change(&server, id, json!({ field: false })).await.expect(200);
        }
    }

    async fn the_same_address_in_another_spelling_is_the_same(server) {
        let id = with_email(&server, "ada@example.com", true, true).await;
        let user = change(&server, &id, json!({ "primary_email": "ADA@Example.com" })).await.expect(200);
        assert_eq!(email(&user), (json!("ada@example.com"), true, true));
    }

    async fn a_change_of_the_address_shows_in_the_next_token_only(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "primary_email": "new@example.com" })).await;
        let again = people::session_for(&server, &ada.id).await;
        assert_eq!(latchkey_tests::tokens::claim(&again.access_token, "email"), "new@example.com");
        assert_eq!(people::seen_by_self(&server, &ada).await["primary_email"], "new@example.com");
    }

    async fn of_racers_for_one_address_that_signs_in_one_wins(server) {
        let mut users = Vec::new();
        for index in 0..6 {
            users.push(with_email(&server, &format!("user{index}@example.com"), false, true).await);
        }
        let body = json!({ "primary_email": "wanted@example.com" });
        let answers = latchkey_tests::join_all(users.iter().map(|id| change(&server, id, body.clone()))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
        }
    }

    async fn a_client_cannot_claim_an_address_that_signs_somebody_else_in(server) {
        people::sign_up(&server, "taken@example.com").await;
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "primary_email": "taken@example.com" });
        let answer = server.patch("/users/me").client().user(&ada.access_token).json(&body).send().await;
        answer.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
    }

    async fn an_address_of_the_user_becomes_primary_as_verified_as_it_was_and_signs_in_as_the_one_before(server) {
        for used in [true, false] {
            let id = with_email(&server, &format!("first-{used}@example.com"), false, used).await;
            let second = format!("second-{used}@example.com");
            let channel = |value: &str| json!({
                "user_id": id, "type": "email", "value": value, "used_for_auth": false, "is_verified": true,
            });
            server.post("/contact-channels").server().json(&channel(&second)).send().await.expect(201);
            let user = change(&server, &id, json!({ "primary_email": second })).await.expect(200);
            assert_eq!(email(&user), (json!(second), true, used));
            let third = format!("third-{used}@example.com");
            server.post("/contact-channels").server().json(&channel(&third)).send().await.expect(201);
            let user = change(&server, &id, json!({ "primary_email": third, "primary_email_verified": false })).await.expect(200);
            assert_eq!(email(&user), (json!(third), false, used), "what is said wins");
            let listed = server.get(&format!("/contact-channels?user_id={id}")).server().send().await.expect(200);
            let listed = listed["items"].as_array().expect("channels");
            assert_eq!(listed.iter().filter(|channel| channel["is_primary"] == true).count(), 1);
            let second = listed.iter().find(|channel| channel["value"] == json!(second)).expect("demoted, not deleted");
            assert_eq!((&second["is_verified"], &second["used_for_auth"]), (&json!(true), &json!(used)), "it keeps its flags");
        }
    }
}
