//! Contract 08 §2.1: who gets a mail that a back end sends, and what is checked before.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::people;
use serde_json::{Value, json};

use super::{MARKETING, outbox, with_own_server};

const TRANSACTIONAL: &str = "7bb82d33-2f54-4a3d-9d23-82739e0d66ef";

const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";
const MAGIC_LINK: &str = "822687fe-8d0a-4467-a0d1-416b6e639478";

async fn send(server: &TestServer, body: &Value) -> Answer {
    server.post("/emails/send-email").server().json(body).send().await
}

async fn user(server: &TestServer, email: &str) -> String {
    let user = people::create(server, &json!({ "primary_email": email, "display_name": "<i>Ada</i>" })).await;
    user["id"].as_str().expect("an id").to_owned()
}

/// A template of the project with this source.
async fn template(server: &TestServer, source: &str) -> String {
    let body = json!({ "display_name": "Mine" });
    let made = server.post("/internal/email-templates").admin().json(&body).send().await.expect(200);
    let id = made["id"].as_str().expect("an id").to_owned();
    let path = format!("/internal/email-templates/{id}");
    server.patch(&path).admin().json(&json!({ "tsx_source": source })).send().await.expect(200);
    id
}

on_both_engines! {
    async fn a_project_without_a_mail_server_of_its_own_sends_none(server) {
        for body in [json!({ "html": "<p>x</p>" }), json!({ "html": "<p>x</p>", "user_ids": [NOBODY], "all_users": true })] {
            send(&server, &body).await.expect_error(400, "REQUIRES_CUSTOM_EMAIL_SERVER");
        }
    }

    async fn the_first_thing_that_is_wrong_is_the_one_that_is_said(server, builder = with_own_server()) {
        let ada = user(&server, "ada@example.com").await;
        let odd = "No such kind";
        let wrong = json!({ "html": "x", "user_ids": [ada], "all_users": true, "notification_category_name": odd });
        send(&server, &wrong).await.expect_error(400, "SCHEMA_ERROR");
        send(&server, &json!({ "html": "x", "notification_category_name": odd })).await.expect_error(400, "SCHEMA_ERROR");
        let kind = json!({ "template_id": NOBODY, "user_ids": [NOBODY], "notification_category_name": odd });
        assert!(send(&server, &kind).await.expect_text(400).contains("kind"));
        let unknown = json!({ "template_id": NOBODY, "user_ids": [NOBODY] });
        assert!(send(&server, &unknown).await.expect_text(400).contains("template"));
        for draft in [NOBODY, "x"] {
            let unknown = json!({ "draft_id": draft, "user_ids": [NOBODY] });
            assert!(send(&server, &unknown).await.expect_text(400).contains("draft"));
        }
        for missing in [NOBODY, "not-an-id", ""] {
            let body = json!({ "html": "x", "user_ids": [ada, missing, "another"] });
            let details = send(&server, &body).await.expect_error(400, "USER_ID_DOES_NOT_EXIST");
            assert_eq!(details["user_id"], missing);
        }
        assert_eq!(outbox(&server).await, Vec::<Value>::new(), "nothing was queued");
    }

    async fn exactly_one_content_is_sent(server, builder = with_own_server()) {
        let ada = user(&server, "ada@example.com").await;
        for content in [
            json!({}), json!({ "html": "x", "template_id": MAGIC_LINK }), json!({ "html": "x", "draft_id": "x" }),
            json!({ "template_id": MAGIC_LINK, "draft_id": "x" }), json!({ "html": "x", "variables": {} }), json!({ "template_id": "x" }),
            json!({ "template_id": MAGIC_LINK, "variables": [] }), json!({ "html": null }), json!({ "html": "x", "all_users": false }),
            json!({ "html": "x", "theme_id": true }), json!({ "html": "x", "theme_id": "x" }),
        ] {
            let mut body = content;
            body["user_ids"] = json!([ada]);
            send(&server, &body).await.expect_error(400, "SCHEMA_ERROR");
        }
    }

    async fn html_goes_out_as_it_is(server, builder = with_own_server()) {
        let ada = user(&server, "ada@example.com").await;
        let html = "<p>{{ user.displayName }} {% if %} & more</p>";
        let body = json!({ "html": html, "user_ids": [ada, ada], "subject": "Hi\r\nBcc: everybody@example.com" });
        let sent = send(&server, &body).await.expect(200);
        assert_eq!(sent, json!({ "results": [{ "user_id": ada }, { "user_id": ada }] }));
        let mails = outbox(&server).await;
        assert_eq!(mails.len(), 1, "one mail per user: {mails:?}");
        assert!(mails[0]["html"].as_str().expect("html").contains(html), "{}", mails[0]);
        assert!(mails[0]["text"].as_str().expect("text").contains("{{ user.displayName }} {% if %} & more"));
        assert!(mails[0]["subject"].as_str().expect("a subject").starts_with("Hi"));
        assert_eq!((&mails[0]["category"], &mails[0]["theme_id"]), (&json!(TRANSACTIONAL), &json!(null)));
        assert_eq!((&mails[0]["user_id"], &mails[0]["addresses"]), (&json!(ada), &json!(null)), "the primary address of the day");
    }

    async fn a_template_shows_variables_and_user_escaped(server, builder = with_own_server()) {
        let ada = user(&server, "ada@example.com").await;
        let source = "Subject: For {{ user.displayName }}\nCategory: Marketing\n\n<p title=\"{{ variables.a }}\">{{ user.displayName }} {{ user.primaryEmail }} {{ project.displayName }}</p>";
        let id = template(&server, source).await;
        let body = json!({ "template_id": id, "variables": { "a": "\"><script>" }, "user_ids": [ada] });
        send(&server, &body).await.expect(200);
        let mail = outbox(&server).await.remove(0);
        let html = mail["html"].as_str().expect("html");
        assert!(html.contains("title=\"&quot;&gt;&lt;script&gt;\"") && html.contains("&lt;i&gt;Ada&lt;/i&gt; ada@example.com The test project"), "{html}");
        assert_eq!(mail["subject"], "For <i>Ada</i>", "no HTML, and so not escaped");
        assert_eq!(mail["category"], MARKETING, "as the template says");
        assert_eq!((&mail["variables"], &mail["source"]), (&body["variables"], &json!(source)));
        let body = json!({ "template_id": id, "user_ids": [ada], "subject": "Mine", "notification_category_name": "Transactional" });
        send(&server, &body).await.expect(200);
        let mails = outbox(&server).await;
        let mail = mails.iter().find(|mail| mail["subject"] == "Mine").expect("the request's subject");
        assert_eq!(mail["category"], TRANSACTIONAL, "as the request says");
    }

    async fn a_theme_is_chosen_by_request_template_and_project(server, builder = with_own_server()) {
        let ada = user(&server, "ada@example.com").await;
        let body = json!({ "display_name": "Mine" });
        let made = server.post("/internal/email-themes").admin().json(&body).send().await.expect(200);
        let theme = made["id"].as_str().expect("an id");
        let source = json!({ "tsx_source": "<b class=\"mine\">{{ content }}</b> {{ project.displayName }}" });
        server.patch(&format!("/internal/email-themes/{theme}")).admin().json(&source).send().await.expect(200);
        for (choice, says, not) in [
            (json!(theme), "class=\"mine\"", "class=\"small\""), (json!(false), "<p>x</p>", "class=\"small\""),
            (json!(null), "class=\"small\"", "class=\"mine\""), (json!(NOBODY), "class=\"small\"", "class=\"mine\""),
        ] {
            let subject = choice.to_string();
            let body = json!({ "html": "<p>x</p>", "user_ids": [ada], "theme_id": choice, "subject": subject });
            send(&server, &body).await.expect(200);
            let mails = outbox(&server).await;
            let mail = mails.iter().find(|mail| mail["subject"] == subject).expect("a mail");
            let html = mail["html"].as_str().expect("html");
            assert!(html.contains(says) && !html.contains(not), "{choice}: {html}");
        }
    }

    async fn everybody_is_meant_by_all_users(server, builder = with_own_server()) {
        let mut everybody = vec![user(&server, "ada@example.com").await, user(&server, "bo@example.com").await];
        everybody.push(people::anonymous(&server).await.id);
        everybody.push(people::restricted(&server).await.id);
        let sent = send(&server, &json!({ "html": "x", "all_users": true })).await.expect(200);
        let ids = |list: &Value, key: &str| {
            let mut ids: Vec<String> =
                list.as_array().expect("a list").iter().map(|item| item[key].as_str().expect("an id").to_owned()).collect();
            ids.sort();
            ids
        };
        everybody.sort();
        assert_eq!(ids(&sent["results"], "user_id"), everybody);
        let mails = outbox(&server).await;
        let mut reached: Vec<String> = mails.iter().map(|mail| mail["user_id"].as_str().expect("an id").to_owned()).collect();
        reached.sort();
        assert_eq!(reached, everybody);
        for mail in mails.iter().filter(|mail| mail["status"] == "skipped") {
            assert_eq!(mail["skipped_reason"], "USER_HAS_NO_PRIMARY_EMAIL", "{mail}");
        }
        assert_eq!(mails.iter().filter(|mail| mail["status"] == "skipped").count(), 2);
    }

    async fn who_does_not_want_a_kind_of_mail_is_skipped_unless_nobody_can_refuse_it(server, builder = with_own_server()) {
        let ada = user(&server, "ada@example.com").await;
        for category in [MARKETING, TRANSACTIONAL] {
            let path = format!("/emails/notification-preference/{ada}/{category}");
            let change = server.patch(&path).server().json(&json!({ "enabled": false }));
            assert_eq!(change.send().await.expect(200)["enabled"], false, "kept, whether or not it has an effect");
        }
        for kind in ["Marketing", "Transactional"] {
            let body = json!({ "html": "x", "user_ids": [ada], "notification_category_name": kind, "subject": kind });
            send(&server, &body).await.expect(200);
        }
        let mails = outbox(&server).await;
        let skipped: Vec<&Value> = mails.iter().filter(|mail| mail["status"] == "skipped").collect();
        assert_eq!(skipped.len(), 1, "{mails:?}");
        assert_eq!(skipped[0]["skipped_reason"], "USER_UNSUBSCRIBED");
        assert!(mails.iter().any(|mail| mail["subject"] == "Transactional" && mail["status"] != "skipped"));
    }

    async fn a_template_that_fails_is_said_in_the_outbox(server, builder = with_own_server()) {
        let ada = user(&server, "ada@example.com").await;
        let tsx = template(&server, "export function EmailTemplate() {\n  return <p style={{ a: 1 }} />;\n}").await;
        let long = template(&server, "{% for a in variables.a %}{% for b in variables.a %}{{ b }}{% endfor %}{% endfor %}").await;
        for (id, variables) in [(tsx, json!({})), (long, json!({ "a": vec![1; 1000] }))] {
            send(&server, &json!({ "template_id": id, "variables": variables, "user_ids": [ada] })).await.expect(200);
        }
        let mails = outbox(&server).await;
        assert_eq!(mails.len(), 2);
        for mail in mails {
            assert_eq!(mail["status"], "render-error", "{mail}");
            assert!(mail["render_error"].as_str().is_some_and(|error| !error.is_empty()), "{mail}");
        }
    }

    async fn only_servers_send(server, builder = with_own_server()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "html": "x", "user_ids": [ada.id] });
        let request = server.post("/emails/send-email").client().user(&ada.access_token);
        request.json(&body).send().await.expect_error(401, "INSUFFICIENT_ACCESS_TYPE");
    }

    async fn users_of_another_project_get_nothing(server, builder = with_own_server()) {
        let other = server.other_project().clone();
        let request = people::speaking_for(server.post("/users"), &other, "server");
        let theirs = request.json(&json!({ "primary_email": "eve@example.com" })).send().await.expect(201);
        let body = json!({ "html": "x", "user_ids": [theirs["id"]] });
        send(&server, &body).await.expect_error(400, "USER_ID_DOES_NOT_EXIST");
        let sent = send(&server, &json!({ "html": "x", "all_users": true })).await.expect(200);
        assert_eq!(sent["results"], json!([]));
    }

    async fn too_many_names_are_refused(server, builder = with_own_server()) {
        let many = vec![NOBODY; 1001];
        send(&server, &json!({ "html": "x", "user_ids": many })).await.expect_text(400);
        let endless = "x".repeat(200_000);
        let ada = user(&server, "ada@example.com").await;
        send(&server, &json!({ "html": endless, "user_ids": [ada] })).await.expect_text(400);
    }
}
