//! Contract 04 §5.1: what a sign-up makes, and the order in which it is refused.

use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::people::{self, PASSWORD, Person};
use latchkey_tests::tokens::{claims, keys};
use latchkey_tests::{join_all, stored};
use serde_json::json;

use super::{try_callback, try_sign_in, try_sign_up};

const UNTRUSTED: &str = "https://evil.example.net/handler";

fn without_passwords() -> Builder {
    TestServer::builder().project(|settings| {
        settings.auth.password.allow_sign_in = false;
        settings.auth.allow_sign_up = false;
    })
}

fn without_sign_up() -> Builder {
    TestServer::builder().project(|settings| settings.auth.allow_sign_up = false)
}

on_both_engines! {
    async fn a_sign_up_answers_the_token_pair_and_nothing_else(server) {
        let answer = try_sign_up(&server, "ada@example.com", PASSWORD).await.expect(200);
        assert_eq!(keys(&answer), ["access_token", "refresh_token", "user_id"]);
        let person = Person::of(&answer);
        assert_eq!(claims(&person.access_token)["sub"], person.id);
        let token = &person.refresh_token;
        assert_eq!(token.len(), 45);
        assert!(token.chars().all(|c| c.is_ascii_digit() || (c.is_ascii_lowercase() && !"ilou".contains(c))), "{token}");
    }

    async fn the_new_user_has_an_unverified_email_that_signs_in(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let user = people::seen_by_server(&server, &ada.id).await;
        assert_eq!(user["primary_email"], "ada@example.com");
        assert_eq!(user["primary_email_verified"], false);
        assert_eq!(user["primary_email_auth_enabled"], true);
        assert_eq!(user["has_password"], true);
        assert_eq!(user["auth_with_email"], true);
        assert_eq!(user["is_anonymous"], false);
        assert_eq!(user["is_restricted"], false);
        assert_eq!(user["display_name"], json!(null));
        assert_eq!(stored::event_kinds(&server, &ada.id).await, ["user.signed_up"]);
    }

    async fn an_address_is_stored_in_lower_case(server) {
        let ada = people::sign_up(&server, "Ada.Lovelace@Example.COM").await;
        let user = people::seen_by_server(&server, &ada.id).await;
        assert_eq!(user["primary_email"], "ada.lovelace@example.com");
        for spelling in ["ada.lovelace@example.com", "ADA.LOVELACE@EXAMPLE.COM", "Ada.Lovelace@Example.COM"] {
            assert_eq!(people::sign_in(&server, spelling).await.id, ada.id);
        }
    }

    async fn an_address_signs_up_once_whatever_its_spelling(server) {
        people::sign_up(&server, "ada@example.com").await;
        for spelling in ["ada@example.com", "ADA@example.com"] {
            let details = try_sign_up(&server, spelling, PASSWORD).await.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
            assert_eq!(details, json!({ "email": "ada@example.com", "would_work_if_email_was_verified": false }));
        }
        // No tricks with dots and tags.
        people::sign_up(&server, "a.da@example.com").await;
        people::sign_up(&server, "ada+1@example.com").await;
    }

    async fn the_same_address_signs_up_in_each_project(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let other = server.other_project().clone();
        let request = people::speaking_for(server.post("/auth/password/sign-up"), &other, "client");
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let there = Person::of(&request.json(&body).send().await.expect(200));
        assert_ne!(there.id, ada.id);
    }

    async fn an_address_that_signs_nobody_in_is_free(server) {
        let fields = json!({ "primary_email": "ada@example.com", "primary_email_auth_enabled": false });
        let listed = people::create(&server, &fields).await;
        let ada = people::sign_up(&server, "ada@example.com").await;
        assert_ne!(listed["id"], ada.id);
    }

    async fn addresses_must_be_ones_that_mail_reaches(server) {
        let long = format!("{}@example.com", "a".repeat(250));
        let refused = [
            "", "ada", "@example.com", "ada@", "ada@example", "ada@example.c", ".ada@example.com", "ada.@example.com",
            "a..da@example.com", "a da@example.com", " ada@example.com", "ada@exam ple.com", "ada@-example.com",
            "ada@example..com", "ada@b@example.com", "ada@example.com\n", "ada@example.123", &long,
        ];
        for email in refused {
            let details = try_sign_up(&server, email, PASSWORD).await.expect_error(400, "SCHEMA_ERROR");
            assert!(details["message"].as_str().is_some_and(|text| text.contains("body.email")), "{email}: {details}");
        }
        for email in ["o'brien+news@sub.example.co.uk", "1@example.com", "a-b_c@xn--bcher-kva.example"] {
            try_sign_up(&server, email, PASSWORD).await.expect(200);
        }
    }

    async fn passwords_off_is_told_first(server, builder = without_passwords()) {
        let answer = try_callback(&server, "ada@example.com", UNTRUSTED).await;
        assert!(answer.expect_error(400, "PASSWORD_AUTHENTICATION_NOT_ENABLED").is_null());
    }

    async fn an_untrusted_callback_is_told_before_closed_sign_ups(server, builder = without_sign_up()) {
        let answer = try_callback(&server, "ada@example.com", UNTRUSTED).await;
        assert!(answer.expect_error(400, "REDIRECT_URL_NOT_WHITELISTED").is_null());
    }

    async fn closed_sign_ups_are_told_before_a_short_password(server, builder = without_sign_up()) {
        let answer = try_sign_up(&server, "ada@example.com", "short").await;
        assert!(answer.expect_error(400, "SIGN_UP_NOT_ENABLED").is_null());
    }

    async fn a_short_password_is_told_before_a_taken_address(server) {
        people::sign_up(&server, "ada@example.com").await;
        let details = try_sign_up(&server, "ada@example.com", "short").await.expect_error(400, "PASSWORD_TOO_SHORT");
        assert_eq!(details, json!({ "min_length": 8 }));
    }

    async fn fields_of_bot_challenges_are_accepted_and_ignored(server) {
        let body = json!({
            "email": "ada@example.com", "password": PASSWORD,
            "bot_challenge_token": "token", "bot_challenge_phase": "visible",
        });
        server.post("/auth/password/sign-up").client().json(&body).send().await.expect(200);
        let body = json!({ "email": "bo@example.com", "password": PASSWORD, "bot_challenge_unavailable": "true" });
        server.post("/auth/password/sign-up").client().json(&body).send().await.expect(200);
        for (field, value) in [("bot_challenge_phase", "loud"), ("bot_challenge_unavailable", "false")] {
            let body = json!({ "email": "cy@example.com", "password": PASSWORD, field: value });
            let answer = server.post("/auth/password/sign-up").client().json(&body).send().await;
            answer.expect_error(400, "SCHEMA_ERROR");
        }
    }

    async fn a_refused_sign_up_leaves_nothing_behind(server) {
        try_callback(&server, "ada@example.com", UNTRUSTED).await.expect_error(400, "REDIRECT_URL_NOT_WHITELISTED");
        try_sign_up(&server, "ada@example.com", "short").await.expect_error(400, "PASSWORD_TOO_SHORT");
        try_sign_in(&server, "ada@example.com", PASSWORD).await.expect_error(400, "EMAIL_PASSWORD_MISMATCH");
        people::sign_up(&server, "ada@example.com").await;
    }

    async fn of_24_racers_for_one_address_one_wins(server) {
        let answers = join_all((0..24).map(|_| try_sign_up(&server, "ada@example.com", PASSWORD))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 23));
        for answer in &lost {
            let details = answer.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
            assert_eq!(details, json!({ "email": "ada@example.com", "would_work_if_email_was_verified": false }));
        }
        let winner = Person::of(&won[0].json());
        assert_eq!(people::sign_in(&server, "ada@example.com").await.id, winner.id);
        people::seen_by_self(&server, &winner).await;
    }

    async fn every_access_type_may_sign_somebody_up(server) {
        for (access, email) in [("client", "a@example.com"), ("server", "b@example.com"), ("admin", "c@example.com")] {
            let request = server.post("/auth/password/sign-up");
            let request = match access {
                "client" => request.client(),
                "server" => request.server(),
                _ => request.admin(),
            };
            request.json(&json!({ "email": email, "password": PASSWORD })).send().await.expect(200);
        }
    }
}
