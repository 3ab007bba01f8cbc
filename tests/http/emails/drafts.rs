//! Drafts of mails, and sending them.

use latchkey_testkit::on_both_engines;
use latchkey_tests::people;
use serde_json::{Value, json};

use super::{outbox, with_own_server};

const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";

on_both_engines! {
    async fn drafts_are_made_changed_listed_and_deleted(server) {
        let body = json!({ "display_name": "News", "tsx_source": "<p>1</p>" });
        let made = server.post("/internal/email-drafts").admin().json(&body).send().await.expect(200);
        let path = format!("/internal/email-drafts/{}", made["id"].as_str().expect("an id"));
        assert_eq!((&made["tsx_source"], &made["sent_at_millis"], made.get("theme_id")), (&json!("<p>1</p>"), &json!(null), None));
        let change = json!({ "tsx_source": "<p>2</p>", "theme_id": false, "display_name": "Old news" });
        let changed = server.patch(&path).admin().json(&change).send().await.expect(200);
        assert_eq!((&changed["tsx_source"], &changed["theme_id"], &changed["display_name"]), (&json!("<p>2</p>"), &json!(false), &json!("Old news")));
        assert_eq!(server.get(&path).admin().send().await.expect(200), changed);
        let listed = server.get("/internal/email-drafts").admin().send().await.expect(200);
        assert_eq!(listed, json!({ "drafts": [changed] }));
        server.delete(&path).admin().send().await.expect(200);
        for request in [server.get(&path), server.delete(&path), server.patch(&path).json(&json!({ "display_name": "x" }))] {
            request.admin().send().await.expect_text(404);
        }
        server.get(&format!("/internal/email-drafts/{NOBODY}")).admin().send().await.expect_text(404);
    }

    async fn a_draft_is_tried_before_it_is_kept(server) {
        let body = json!({ "display_name": "News", "tsx_source": "\n{% include 'x' %}" });
        let refused = server.post("/internal/email-drafts").admin().json(&body).send().await;
        let error = refused.expect_error(400, "EMAIL_RENDERING_ERROR");
        assert!(error["error"].as_str().is_some_and(|error| error.starts_with("line 2: ")), "{error}");
        let listed = server.get("/internal/email-drafts").admin().send().await.expect(200);
        assert_eq!(listed, json!({ "drafts": [] }));
    }

    async fn a_draft_that_was_sent_is_noted_and_not_listed(server, builder = with_own_server()) {
        let user = people::create(&server, &json!({ "primary_email": "ada@example.com", "display_name": "Ada" })).await;
        let source = "Subject: News for {{ user.displayName }}\n\n<p>Hello</p>";
        let body = json!({ "display_name": "News", "tsx_source": source, "theme_id": false });
        let made = server.post("/internal/email-drafts").admin().json(&body).send().await.expect(200);
        let wrong = json!({ "draft_id": made["id"], "user_ids": [NOBODY] });
        server.post("/emails/send-email").server().json(&wrong).send().await.expect_error(400, "USER_ID_DOES_NOT_EXIST");
        let path = format!("/internal/email-drafts/{}", made["id"].as_str().expect("an id"));
        assert_eq!(server.get(&path).admin().send().await.expect(200)["sent_at_millis"], json!(null));
        let body = json!({ "draft_id": made["id"], "user_ids": [user["id"]] });
        server.post("/emails/send-email").server().json(&body).send().await.expect(200);
        assert!(server.get(&path).admin().send().await.expect(200)["sent_at_millis"].is_number());
        let listed = server.get("/internal/email-drafts").admin().send().await.expect(200);
        assert_eq!(listed, json!({ "drafts": [] }));
        let mail = outbox(&server).await.remove(0);
        assert_eq!((&mail["subject"], &mail["created_with"], &mail["draft_id"]), (&json!("News for Ada"), &json!("draft"), &made["id"]));
    }

    async fn drafts_of_one_project_are_none_of_another(server, builder = with_own_server()) {
        let other = server.other_project().clone();
        let body = json!({ "display_name": "News" });
        let request = people::speaking_for(server.post("/internal/email-drafts"), &other, "admin");
        let theirs = request.json(&body).send().await.expect(200);
        let path = format!("/internal/email-drafts/{}", theirs["id"].as_str().expect("an id"));
        server.get(&path).admin().send().await.expect_text(404);
        let user = people::create(&server, &json!({ "primary_email": "ada@example.com" })).await;
        let body = json!({ "draft_id": theirs["id"], "user_ids": [user["id"]] });
        server.post("/emails/send-email").server().json(&body).send().await.expect_text(400);
    }

    async fn the_theme_of_another_project_means_nothing(server, builder = with_own_server()) {
        let other = server.other_project().clone();
        let there = |request| people::speaking_for(request, &other, "admin");
        let made = there(server.post("/internal/email-themes")).json(&json!({ "display_name": "Theirs" })).send().await.expect(200);
        let path = format!("/internal/email-themes/{}", made["id"].as_str().expect("an id"));
        let source = json!({ "tsx_source": "<b class=\"theirs\">{{ content }}</b>" });
        there(server.patch(&path)).json(&source).send().await.expect(200);
        server.patch(&path).admin().json(&json!({ "display_name": "Ours" })).send().await.expect_text(404);
        let user = people::create(&server, &json!({ "primary_email": "ada@example.com" })).await;
        let send = |body: Value| server.post("/emails/send-email").server().json(&body).send();
        send(json!({ "html": "<p>x</p>", "user_ids": [user["id"]], "theme_id": made["id"] })).await.expect(200);
        let draft = json!({ "display_name": "News", "tsx_source": "Subject: x\n\n<p>x</p>", "theme_id": made["id"] });
        let draft = server.post("/internal/email-drafts").admin().json(&draft).send().await.expect(200);
        send(json!({ "draft_id": draft["id"], "user_ids": [user["id"]] })).await.expect(200);
        let mails = outbox(&server).await;
        assert_eq!(mails.len(), 2);
        for mail in mails {
            let html = mail["html"].as_str().expect("html");
            assert!(html.contains("class=\"small\"") && !html.contains("theirs"), "the default one: {html}");
        }
    }
}
