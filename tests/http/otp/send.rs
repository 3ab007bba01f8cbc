//! Asking for a code (§6.1): what is checked, in which order, and what the mail says.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::{mail, people, tokens};
use serde_json::json;

use super::{CALLBACK, code_for, send, set, sign_in, verified, with_otp};

async fn send_to(server: &TestServer, email: &str, callback: &str) -> latchkey_testkit::Answer {
    let body = json!({ "email": email, "callback_url": callback });
    server.post("/auth/otp/send-sign-in-code").client().json(&body).send().await
}

on_both_engines! {
    async fn the_mail_says_six_characters_and_the_answer_says_the_rest(server, builder = with_otp()) {
        let answer = send(&server, "ada@example.com").await.expect(200);
        assert_eq!(tokens::keys(&answer), ["nonce"]);
        let nonce = answer["nonce"].as_str().expect("a nonce");
        assert_eq!(nonce.len(), 39);
        let link = mail::link_to(&server, "ada@example.com").await;
        let code = mail::code_of(&link);
        assert_eq!((code.len(), &code[6..]), (45, nonce));
        assert!(code.bytes().all(|byte| b"0123456789abcdefghjkmnpqrstvwxyz".contains(&byte)), "{code}");
        assert_eq!((link.host_str(), link.port(), link.path()), (Some("localhost"), Some(3000), "/handler/magic-link-callback"));
        assert!(link.query_pairs().any(|(name, value)| name == "next" && value == "/home"), "{link}");
        let mail = mail::to(&server, "ada@example.com").await.remove(0);
        let typed = code[..6].to_uppercase();
        assert!(mail.text.contains(&typed) && mail.html.contains(&typed), "{}", mail.text);
        assert!(mail.html.contains(&code), "{}", mail.html);
    }

    async fn a_new_and_a_known_address_get_the_same_answer_and_the_same_mail(server, builder = with_otp()) {
        verified(&server, "ada@example.com").await;
        let (known, new) = (send(&server, "ada@example.com").await, send(&server, "new@example.com").await);
        assert_eq!(tokens::keys(&known.expect(200)), tokens::keys(&new.expect(200)));
        let (ada, bo) = (mail::to(&server, "ada@example.com").await.remove(0), mail::to(&server, "new@example.com").await.remove(0));
        assert_eq!(ada.subject.split_whitespace().count(), bo.subject.split_whitespace().count());
        assert_eq!(ada.text.lines().count(), bo.text.lines().count());
    }

    async fn where_codes_do_not_sign_in_that_is_said_first_and_in_words(server) {
        people::sign_up(&server, "unverified@example.com").await;
        for (email, callback) in [("unverified@example.com", CALLBACK), ("new@example.com", "https://evil.example/")] {
            send_to(&server, email, callback).await.expect_text(403);
        }
        assert!(mail::to(&server, "new@example.com").await.is_empty());
    }

    async fn an_address_that_is_known_and_not_verified_is_refused_whatever_the_callback(server, builder = with_otp()) {
        people::sign_up(&server, "Ada@example.com").await;
        for callback in [CALLBACK, "https://evil.example/"] {
            let details = send_to(&server, "ADA@example.com", callback).await.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
            assert_eq!(details, json!({ "email": "ada@example.com", "would_work_if_email_was_verified": true }));
        }
        assert!(mail::to(&server, "ada@example.com").await.is_empty());
    }

    async fn closed_sign_ups_refuse_new_addresses_before_the_callback_and_let_known_ones_in(server, builder = with_otp()) {
        verified(&server, "ada@example.com").await;
        set(&server, "auth.allowSignUp", json!(false)).await;
        for callback in [CALLBACK, "https://evil.example/"] {
            send_to(&server, "new@example.com", callback).await.expect_error(400, "SIGN_UP_NOT_ENABLED");
        }
        send(&server, "ada@example.com").await.expect(200);
        assert!(mail::to(&server, "new@example.com").await.is_empty());
    }

    async fn an_untrusted_callback_is_refused_for_new_and_known_addresses(server, builder = with_otp()) {
        let ada = verified(&server, "ada@example.com").await;
        for email in ["ada@example.com", "new@example.com"] {
            send_to(&server, email, "https://evil.example/").await.expect_error(400, "REDIRECT_URL_NOT_WHITELISTED");
            assert!(mail::to(&server, email).await.is_empty());
        }
        assert_eq!(people::seen_by_server(&server, &ada).await["otp_auth_enabled"], false, "nothing was sent");
    }

    async fn a_verified_owner_without_the_method_gets_it_when_the_code_is_sent(server, builder = with_otp()) {
        let ada = verified(&server, "ada@example.com").await;
        assert_eq!(people::seen_by_server(&server, &ada).await["otp_auth_enabled"], false);
        send(&server, "ada@example.com").await.expect(200);
        assert_eq!(people::seen_by_server(&server, &ada).await["otp_auth_enabled"], true);
    }

    async fn the_answers_of_challenges_against_bots_are_accepted_and_ignored(server, builder = with_otp()) {
        for challenge in [
            json!({ "bot_challenge_token": "x", "bot_challenge_phase": "invisible" }),
            json!({ "bot_challenge_token": "x", "bot_challenge_phase": "visible" }),
            json!({ "bot_challenge_unavailable": "true" }),
        ] {
            let mut body = json!({ "email": "ada@example.com", "callback_url": CALLBACK });
            body.as_object_mut().expect("an object").extend(challenge.as_object().expect("an object").clone());
            server.post("/auth/otp/send-sign-in-code").client().json(&body).send().await.expect(200);
        }
        let body = json!({ "email": "ada@example.com", "callback_url": CALLBACK, "bot_challenge_unavailable": "false" });
        server.post("/auth/otp/send-sign-in-code").client().json(&body).send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn addresses_are_strict_and_in_ascii(server, builder = with_otp()) {
        // The Kelvin sign and the dotless i become ordinary letters in other cases, which must not reach anybody's account.
        for email in ["", "ada", "root@localhost", "a..b@example.com", "a@b@example.com", "mi\u{212a}e@example.com", "m\u{131}ke@example.com", "ada@ex\u{e4}mple.com"] {
            send(&server, email).await.expect_error(400, "SCHEMA_ERROR");
        }
    }

    async fn the_mail_goes_to_the_address_as_it_is_stored(server, builder = with_otp()) {
        verified(&server, "ada@example.com").await;
        send(&server, "ADA@Example.COM").await.expect(200);
        assert_eq!(mail::to(&server, "ada@example.com").await.len(), 1);
        assert_eq!(mail::to(&server, "ada@example.com").await[0].to, "ada@example.com");
    }

    async fn several_codes_are_good_at_once(server, builder = with_otp()) {
        let first = code_for(&server, "ada@example.com").await;
        server.clock().advance_seconds(1);
        let second = code_for(&server, "ada@example.com").await;
        assert_ne!(first, second);
        assert_eq!(sign_in(&server, &second).await.expect(200)["is_new_user"], true);
        assert_eq!(sign_in(&server, &first).await.expect(200)["is_new_user"], false);
    }

    async fn an_address_that_does_not_sign_in_is_invisible(server, builder = with_otp()) {
        let fields = json!({ "primary_email": "ada@example.com", "primary_email_verified": false, "primary_email_auth_enabled": false });
        let ada = people::create(&server, &fields).await;
        let answer = sign_in(&server, &code_for(&server, "ada@example.com").await).await.expect(200);
        assert_eq!(answer["is_new_user"], true);
        assert_ne!(answer["user_id"], ada["id"]);
        assert_eq!(people::seen_by_server(&server, ada["id"].as_str().expect("an id")).await["otp_auth_enabled"], false);
    }
}
