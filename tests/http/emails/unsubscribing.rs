//! Contract 08 §3 and RFC 8058: how readers end a kind of mail.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::{mail, people};
use serde_json::{Value, json};

use super::{MARKETING, outbox, with_own_server};

/// Sends a user a mail of this kind and gives the link by which it can be ended.
async fn link(server: &TestServer, user: &str, kind: &str) -> Option<String> {
    let subject = format!("{kind} {}", server.app().random.uuid());
    let body = json!({ "html": "<p>x</p>", "user_ids": [user], "notification_category_name": kind, "subject": subject });
    server.post("/emails/send-email").server().json(&body).send().await.expect(200);
    let mails = outbox(server).await;
    let mail = mails.iter().find(|mail| mail["subject"] == subject).expect("a mail");
    let text = mail["text"].as_str().expect("text");
    let link = mail::links(text).into_iter().find(|link| link.contains("/emails/unsubscribe-link"));
    // What stands in the headers, RFC 8058.
    assert_eq!(mail["unsubscribe_url"], json!(link));
    if let Some(link) = &link {
        assert!(mail["html"].as_str().expect("html").contains(link), "{mail}");
    }
    link
}

fn path(link: &str) -> &str {
    link.split_once("/api/v1").expect("a link into the API").1
}

async fn wanted(server: &TestServer, user: &str) -> Value {
    let list =
        server.get(&format!("/emails/notification-preference/{user}")).server().send().await.expect(200);
    let items = list["items"].as_array().expect("items").clone();
    items.into_iter().find(|item| item["notification_category_id"] == MARKETING).expect("the kind")["enabled"]
        .clone()
}

async fn user(server: &TestServer) -> String {
    let user = people::create(server, &json!({ "primary_email": "ada@example.com" })).await;
    user["id"].as_str().expect("an id").to_owned()
}

on_both_engines! {
    async fn the_link_ends_the_kind_without_signing_in_and_works_again(server, builder = with_own_server()) {
        let ada = user(&server).await;
        let link = link(&server, &ada, "Marketing").await.expect("a link");
        assert!(link.starts_with(server.public_url()), "{link}");
        assert_eq!(link.split_once("?code=").expect("a code").1.len(), 45);
        assert_eq!(wanted(&server, &ada).await, true);
        for _ in 0..2 {
            let page = server.get(path(&link)).send().await;
            assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
            assert!(page.text().contains("You have been unsubscribed") && page.text().contains("The test project"));
            assert!(page.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'")));
            assert_eq!(wanted(&server, &ada).await, false);
        }
    }

    async fn the_page_is_in_the_language_of_the_reader(server, builder = with_own_server()) {
        let ada = user(&server).await;
        let link = link(&server, &ada, "Marketing").await.expect("a link");
        let page = server.get(path(&link)).header("accept-language", "de-AT").send().await;
        assert!(page.text().contains("Sie wurden abgemeldet"), "{}", page.text());
    }

    async fn whoever_changes_their_mind_gets_mail_again(server, builder = with_own_server()) {
        let ada = user(&server).await;
        let first = link(&server, &ada, "Marketing").await.expect("a link");
        server.get(path(&first)).send().await;
        let change = format!("/emails/notification-preference/{ada}/{MARKETING}");
        server.patch(&change).server().json(&json!({ "enabled": true })).send().await.expect(200);
        assert_eq!(server.get(path(&first)).send().await.status, 200);
        assert_eq!(wanted(&server, &ada).await, true, "a used link ends nothing");
        let second = link(&server, &ada, "Marketing").await.expect("a link");
        assert_ne!(first, second);
    }

    async fn a_mail_program_ends_it_by_one_post(server, builder = with_own_server()) {
        let ada = user(&server).await;
        let link = link(&server, &ada, "Marketing").await.expect("a link");
        let answer = server.post(path(&link)).form(&[("List-Unsubscribe", "One-Click")]).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("set-cookie"), None);
        assert_eq!(wanted(&server, &ada).await, false);
    }

    async fn transactional_mail_has_no_link(server, builder = with_own_server()) {
        let ada = user(&server).await;
        assert_eq!(link(&server, &ada, "Transactional").await, None);
    }

    async fn what_is_no_code_ends_nothing(server) {
        for query in ["", "?code=", "?code=abc", &format!("?code={}", "a".repeat(46)), &format!("?code={}", "é".repeat(22))] {
            server.get(&format!("/emails/unsubscribe-link{query}")).send().await.expect_text(400);
        }
        let unknown = format!("/emails/unsubscribe-link?code={}", "a".repeat(45));
        server.get(&unknown).send().await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        server.post(&unknown).form(&[("List-Unsubscribe", "One-Click")]).send().await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
    }

    async fn a_link_lives_for_thirty_days(server, builder = with_own_server()) {
        let ada = user(&server).await;
        let (first, second) = (link(&server, &ada, "Marketing").await, link(&server, &ada, "Marketing").await);
        let (first, second) = (first.expect("a link"), second.expect("a link"));
        server.clock().advance_seconds(30 * 24 * 60 * 60 - 60);
        assert_eq!(server.get(path(&first)).send().await.status, 200);
        server.clock().advance_seconds(120);
        server.get(path(&second)).send().await.expect_error(400, "VERIFICATION_CODE_EXPIRED");
        assert_eq!(server.get(path(&first)).send().await.status, 200, "already done");
    }

    async fn a_code_of_another_kind_ends_nothing(server, builder = with_own_server()) {
        let body = json!({
            "email": "bo@example.com", "password": people::PASSWORD, "verification_callback_url": "http://localhost/verify",
        });
        let shared = server.other_project().clone();
        people::speaking_for(server.post("/auth/password/sign-up"), &shared, "client").json(&body).send().await.expect(200);
        let text = mail::to(&server, "bo@example.com").await.remove(0).text;
        let link = mail::links(&text).into_iter().find(|link| link.contains("code=")).expect("a link");
        let code = link.split_once("code=").expect("a code").1;
        let path = format!("/emails/unsubscribe-link?code={code}");
        server.get(&path).send().await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
    }

    async fn the_link_of_somebody_who_is_gone_does_no_harm(server, builder = with_own_server()) {
        let ada = user(&server).await;
        let link = link(&server, &ada, "Marketing").await.expect("a link");
        server.delete(&format!("/users/{ada}")).server().send().await.expect(200);
        assert_eq!(server.get(path(&link)).send().await.status, 200);
    }
}
