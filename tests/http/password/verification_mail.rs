//! Contract 04 §2, §3 and §5.1: the mail that a sign-up sends, and where its link may lead.

use latchkey_config::settings::TrustedDomain;
use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::mail;
use latchkey_tests::people;
use reqwest::Url;

use super::try_callback;

fn trusting(patterns: &'static [&'static str]) -> Builder {
    TestServer::builder().project(move |settings| {
        settings.domains.allow_localhost = false;
        for (index, pattern) in patterns.iter().enumerate() {
            let domain = TrustedDomain { base_url: Some((*pattern).to_owned()), ..TrustedDomain::default() };
            settings.domains.trusted_domains.insert(format!("d{index}"), domain);
        }
    })
}

/// Tries each callback with an address of its own; gives those that were refused.
async fn refused<'c>(server: &TestServer, callbacks: &[&'c str]) -> Vec<&'c str> {
    let mut refused = Vec::new();
    for (index, callback) in callbacks.iter().enumerate() {
        let answer = try_callback(server, &format!("user{index}@example.com"), callback).await;
        if answer.status == 400 {
            answer.expect_error(400, "REDIRECT_URL_NOT_WHITELISTED");
            refused.push(*callback);
        } else {
            answer.expect(200);
        }
    }
    refused
}

on_both_engines! {
    async fn the_mail_carries_the_callback_with_a_code(server) {
        let callback = "http://localhost:3000/handler/email-verification?next=%2Fhome&code=old#part";
        try_callback(&server, "Ada@example.com", callback).await.expect(200);
        let mails = mail::to(&server, "ada@example.com").await;
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].to, "ada@example.com");
        assert!(!mails[0].subject.is_empty());
        let link = mail::links(&mails[0].text).into_iter().find(|link| link.contains("code=")).expect("a link");
        let link = Url::parse(&link).expect("a URL");
        assert_eq!((link.host_str(), link.port(), link.path()), (Some("localhost"), Some(3000), "/handler/email-verification"));
        assert_eq!(link.fragment(), Some("part"));
        let query = |name: &str| -> Vec<String> {
            link.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
        };
        assert_eq!(query("next"), ["/home"]);
        let codes = query("code");
        assert_eq!((codes.len(), codes[0].len()), (1, 45));
        assert!(codes[0].chars().all(|c| c.is_ascii_digit() || (c.is_ascii_lowercase() && !"ilou".contains(c))));
        assert!(mails[0].html.contains(&codes[0]), "the HTML part carries the same code");
    }

    async fn without_a_callback_no_mail_is_sent(server) {
        people::sign_up(&server, "ada@example.com").await;
        assert!(mail::to(&server, "ada@example.com").await.is_empty());
    }

    async fn a_sign_up_that_fails_sends_no_mail(server) {
        people::sign_up(&server, "ada@example.com").await;
        let answer = try_callback(&server, "ada@example.com", "http://localhost/x").await;
        answer.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
        assert!(mail::to(&server, "ada@example.com").await.is_empty());
    }

    async fn the_mailbox_is_served_newest_first(server) {
        for email in ["ada@example.com", "bo@example.com"] {
            try_callback(&server, email, "http://localhost/x").await.expect(200);
            server.flush().await;
            server.clock().advance_seconds(1);
        }
        let ask = |path: &str| server.request(reqwest::Method::GET, path).send();
        let all = ask("/dev/emails").await.expect(200);
        let to = |index: usize| all["items"][index]["to"].clone();
        assert_eq!((to(0), to(1)), ("bo@example.com".into(), "ada@example.com".into()));
        let own = ask("/dev/emails?to=ada@example.com").await.expect(200);
        assert_eq!(own["items"].as_array().map(Vec::len), Some(1));
        let expected = ["from", "html", "id", "sent_at_millis", "subject", "text", "to"];
        assert_eq!(latchkey_tests::tokens::keys(&own["items"][0]), expected);
    }

    async fn the_mailbox_page_shows_mail_as_text_and_runs_nothing(server) {
        try_callback(&server, "ada@example.com", "http://localhost/<script>alert(1)</script>").await.expect(200);
        server.flush().await;
        let page = server.request(reqwest::Method::GET, "/dev/mailbox").send().await;
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
        assert!(page.text().contains("ada@example.com"));
        assert!(!page.text().contains("<script>alert"), "{}", page.text());
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    }

    async fn localhost_is_trusted_by_default(server) {
        let trusted = ["http://localhost/a", "https://localhost:1/b?c", "http://app.localhost:3000/", "http://127.1.2.3/"];
        assert_eq!(refused(&server, &trusted).await, [""; 0]);
    }

    async fn nothing_else_is_trusted_by_default(server) {
        let hostile = [
            "https://example.com/", "http://localhost.evil.com/", "http://evillocalhost/", "http://localhost@evil.com/",
            "http://user:pw@localhost/", "javascript://localhost/%0aalert(1)", "data:text/html,localhost",
            "http://128.0.0.1/", "http://[::1]/", "stack-auth-mobile-oauth-url://success",
        ];
        assert_eq!(refused(&server, &hostile).await, hostile);
    }

    async fn localhost_can_be_distrusted(server, builder = trusting(&[])) {
        let local = ["http://localhost/a", "http://127.0.0.1/", "http://app.localhost/"];
        assert_eq!(refused(&server, &local).await, local);
    }

    async fn a_trusted_domain_is_compared_as_a_url(server, builder = trusting(&["https://app.example.com"])) {
        let trusted = ["https://app.example.com/any?q#f", "https://app.example.com:443/", "https://APP.example.com/"];
        assert_eq!(refused(&server, &trusted).await, [""; 0]);
        let hostile = [
            "http://app.example.com/", "https://app.example.com:8443/", "https://app.example.com.evil.com/",
            "https://evil.com/https://app.example.com", "https://app.example.com@evil.com/", "https://example.com/",
            "https://x.app.example.com/", "https://app.example.com%2eevil.com/",
        ];
        assert_eq!(refused(&server, &hostile).await, hostile);
    }

    async fn stars_match_one_label_and_double_stars_any_number(
        server, builder = trusting(&["https://*.one.example", "https://**.many.example", "http://*.port.example:8080"])
    ) {
        let trusted = [
            "https://a.one.example/", "https://a.many.example/", "https://a.b.many.example/",
            "http://a.port.example:8080/",
        ];
        assert_eq!(refused(&server, &trusted).await, [""; 0]);
        let hostile = [
            "https://one.example/", "https://a.b.one.example/", "https://many.example/", "https://a.one.example:8443/",
            "http://a.one.example/", "http://a.port.example/", "https://a.one.example.evil.com/",
        ];
        assert_eq!(refused(&server, &hostile).await, hostile);
    }

    async fn a_callback_must_be_an_absolute_url(server) {
        for callback in ["", "/handler", "localhost:", "http://", "http://local host/", "not a url"] {
            let answer = try_callback(&server, "ada@example.com", callback).await;
            let code = answer.json()["code"].clone();
            assert!(answer.status == 400 && (code == "SCHEMA_ERROR" || code == "REDIRECT_URL_NOT_WHITELISTED"), "{callback}");
        }
    }
}
