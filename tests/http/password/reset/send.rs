//! Asking for the link (§5.5): one answer for everybody, and a mail for those who have an account.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::{mail, people};
use serde_json::json;

use super::{CALLBACK, check, code_for, reset, send, send_to};

on_both_engines! {
    async fn everybody_gets_the_same_answer_and_owners_a_mail(server) {
        people::sign_up(&server, "ada@example.com").await;
        let expected = json!({ "success": "maybe, only if user with e-mail exists" });
        for email in ["ada@example.com", "nobody@example.com", "root@localhost"] {
            assert_eq!(send(&server, email).await.expect(200), expected);
        }
        let link = mail::link_to(&server, "ada@example.com").await;
        assert_eq!((link.host_str(), link.port(), link.path()), (Some("localhost"), Some(3000), "/handler/password-reset"));
        assert!(link.query_pairs().any(|(name, value)| name == "next" && value == "/home"), "{link}");
        assert_eq!(mail::code_of(&link).len(), 45);
        assert!(mail::to(&server, "nobody@example.com").await.is_empty());
    }

    async fn an_untrusted_callback_is_refused_whether_or_not_there_is_an_account(server) {
        people::sign_up(&server, "ada@example.com").await;
        for email in ["ada@example.com", "nobody@example.com"] {
            send_to(&server, email, "https://evil.example/").await.expect_error(400, "REDIRECT_URL_NOT_WHITELISTED");
        }
        assert!(mail::to(&server, "ada@example.com").await.is_empty());
    }

    async fn where_passwords_do_not_sign_in_that_is_said_first(
        server, builder = TestServer::builder().project(|settings| settings.auth.password.allow_sign_in = false)
    ) {
        for callback in [CALLBACK, "https://evil.example/"] {
            send_to(&server, "ada@example.com", callback).await.expect_error(400, "PASSWORD_AUTHENTICATION_NOT_ENABLED");
        }
    }

    async fn an_owner_without_a_password_gets_the_mail_too(server) {
        people::create(&server, &json!({ "primary_email": "ada@example.com", "primary_email_auth_enabled": true })).await;
        send(&server, "ada@example.com").await.expect(200);
        assert_eq!(mail::to(&server, "ada@example.com").await.len(), 1);
    }

    async fn an_address_that_does_not_sign_in_gets_no_mail(server) {
        people::create(&server, &json!({ "primary_email": "ada@example.com", "primary_email_auth_enabled": false })).await;
        send(&server, "ada@example.com").await.expect(200);
        assert!(mail::to(&server, "ada@example.com").await.is_empty());
    }

    async fn the_mail_goes_to_the_address_as_it_is_stored(server) {
        people::sign_up(&server, "Ada@example.com").await;
        send(&server, "ADA@Example.COM").await.expect(200);
        let mails = mail::to(&server, "ada@example.com").await;
        assert_eq!((mails.len(), mails[0].to.as_str()), (1, "ada@example.com"));
        // The Kelvin sign is a k in lower case.
        people::sign_up(&server, "kim@example.com").await;
        send(&server, "\u{212a}im@example.com").await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn what_was_asked_of_one_server_any_server_answers_once(server) {
        people::sign_up(&server, "ada@example.com").await;
        let twin = server.twin().await;
        for _ in 0..8 {
            send(&server, "ada@example.com").await.expect(200);
        }
        tokio::join!(server.flush(), twin.flush());
        let sent = mail::to(&server, "ada@example.com").await.len() + mail::to(&twin, "ada@example.com").await.len();
        assert_eq!(sent, 8);
    }

    async fn another_projects_people_are_nobody(server) {
        people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "email": "ada@example.com", "callback_url": CALLBACK });
        let request = server.post("/auth/password/send-reset-code").json(&body);
        people::speaking_for(request, server.other_project(), "client").send().await.expect(200);
        assert!(mail::to(&server, "ada@example.com").await.is_empty());
    }

    async fn somebody_who_is_deleted_before_the_answer_gets_no_mail(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        send(&server, "ada@example.com").await.expect(200);
        server.delete(&format!("/users/{}", ada.id)).server().send().await.expect(200);
        server.flush().await;
        let code = mail::to(&server, "ada@example.com").await;
        // The worker may have been faster; its code is of no use then.
        if let Some(mail) = code.first() {
            let link = mail::links(&mail.text).into_iter().find(|link| link.contains("code=")).expect("a link");
            reset(&server, &mail::code_of(&link.parse().expect("a URL"))).await.expect_text(400);
        }
    }

    async fn several_codes_are_good_at_once_until_one_sets_the_password(server) {
        people::sign_up(&server, "ada@example.com").await;
        let first = code_for(&server, "ada@example.com").await;
        server.clock().advance_seconds(1);
        let second = code_for(&server, "ada@example.com").await;
        for code in [&first, &second] {
            check(&server, code).await.expect(200);
        }
        reset(&server, &second).await.expect(200);
        reset(&server, &first).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
    }
}
