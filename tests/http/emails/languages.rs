//! In which language a mail is: RFC 9110 §12.5.4, and what is known about its reader.

use latchkey_api_types::Locale;
use latchkey_mail::StoredMail;
use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::{mail, people};
use serde_json::json;

const ENGLISH: &str = "Verify your email at The test project";
const GERMAN: &str = "Bestätigen Sie Ihre E-Mail-Adresse bei The test project";
const FRENCH: &str = "Confirmez votre adresse e-mail sur The test project";

/// Signs up with this header and gives the mail that follows.
async fn greeted(server: &TestServer, email: &str, accepted: &str) -> StoredMail {
    let body = json!({
        "email": email, "password": people::PASSWORD, "verification_callback_url": "http://localhost/verify",
    });
    let request = server.post("/auth/password/sign-up").client().header("accept-language", accepted);
    request.json(&body).send().await.expect(200);
    mail::to(server, email).await.remove(0)
}

fn of_project(locale: Locale) -> Builder {
    TestServer::builder().project(move |settings| settings.latchkey.mail_locale = Some(locale))
}

on_both_engines! {
    async fn a_mail_is_in_the_language_that_the_request_asks_for(server) {
        for (index, (accepted, subject)) in [
            ("de-CH,de;q=0.9,en;q=0.8", GERMAN), ("nl, fr;q=0.5", FRENCH), ("*", ENGLISH), ("nl", ENGLISH), ("", ENGLISH),
            ("de;q=0, fr;q=0.1", FRENCH), ("zh-TW", ENGLISH), ("zh-CN", "请验证您在 The test project 使用的邮箱"),
            ("ja", "The test project のメールアドレスをご確認ください"),
        ].into_iter().enumerate() {
            let mail = greeted(&server, &format!("user{index}@example.com"), accepted).await;
            assert_eq!(mail.subject, subject, "{accepted}");
        }
    }

    async fn every_language_keeps_link_and_recipient(server) {
        for locale in Locale::ALL {
            let email = format!("{}@example.com", locale.tag().to_lowercase());
            let mail = greeted(&server, &email, locale.tag()).await;
            let link = mail::links(&mail.text).into_iter().find(|link| link.contains("?code=")).expect("a link");
            assert!(mail.html.contains(&link) && mail.html.contains(&format!("lang=\"{locale}\"")), "{}", mail.html);
            assert!(mail.text.contains("The test project") && mail.subject.contains("The test project"));
        }
    }

    async fn what_is_known_of_a_user_weighs_more_than_their_browser(server) {
        let user = people::created(&server, &json!({
            "primary_email": "ada@example.com", "client_metadata": { "locale": "fr-CA" },
        })).await;
        let send = || {
            let body = json!({ "email": "ada@example.com", "callback_url": "http://localhost/verify" });
            let request = server.post("/contact-channels/send-verification-code").client().user(&user.access_token);
            request.header("accept-language", "ja").json(&body).send()
        };
        send().await.expect(200);
        assert_eq!(mail::to(&server, "ada@example.com").await[0].subject, FRENCH);
        people::change(&server, &user.id, &json!({ "server_metadata": { "locale": "de" } })).await;
        send().await.expect(200);
        assert_eq!(mail::to(&server, "ada@example.com").await[0].subject, GERMAN, "servers have the last word");
        people::change(&server, &user.id, &json!({ "server_metadata": { "locale": "tlh" } })).await;
        send().await.expect(200);
        assert_eq!(mail::to(&server, "ada@example.com").await[0].subject, FRENCH, "what is no language is nothing");
    }

    async fn a_project_has_a_language_for_those_who_ask_for_none(server, builder = of_project(Locale::De)) {
        assert_eq!(greeted(&server, "a@example.com", "nl").await.subject, GERMAN);
        assert_eq!(greeted(&server, "b@example.com", "en").await.subject, ENGLISH);
    }

    async fn a_deployment_has_a_language_for_projects_without_one(
        server, builder = TestServer::builder().config("mail.locale", "fr")
    ) {
        assert_eq!(greeted(&server, "a@example.com", "nl").await.subject, FRENCH);
    }

    async fn a_header_without_end_is_read_without_trouble(server) {
        let endless = "nl;q=0.1,".repeat(500) + "de";
        assert_eq!(greeted(&server, "a@example.com", &endless).await.subject, ENGLISH);
        let odd = "de;q=1;q=1, ,;;, nl-;q=0.001, fr;q=0.0001";
        assert_eq!(greeted(&server, "b@example.com", odd).await.subject, ENGLISH);
    }
}
