//! Contract 07 §8: themes and templates of mails.

use latchkey_testkit::{TestServer, on_both_engines};
use serde_json::{Value, json};

const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";
const LIGHT: &str = "1df07ae6-abf3-4a40-83a5-a1a2cbe336ac";
const RESET: &str = "a70fb3a4-56c1-4e42-af25-49d25603abd0";

async fn own_server(server: &TestServer) {
    let own = json!({
        "type": "standard", "host": "smtp.example.com", "port": 587, "username": "u", "password": "p", "sender_name": "N", "sender_email": "n@example.com",
    });
    let body = json!({ "config": { "email_config": own } });
    server.patch("/internal/projects/current").admin().json(&body).send().await.expect(200);
}

async fn listed(server: &TestServer, kind: &str) -> Vec<Value> {
    let list = server.get(&format!("/internal/email-{kind}")).admin().send().await.expect(200);
    assert_eq!(list.as_object().expect("an object").len(), 1);
    list[kind].as_array().expect("a list").clone()
}

on_both_engines! {
    async fn three_themes_are_built_in(server) {
        let themes = listed(&server, "themes").await;
        assert_eq!(themes.len(), 3);
        for theme in &themes {
            assert_eq!(theme.as_object().expect("an object").len(), 3);
            assert!(theme["tsx_source"].as_str().is_some_and(|source| source.contains("EmailTheme")));
        }
        let light = server.get(&format!("/internal/email-themes/{LIGHT}")).admin().send().await.expect(200);
        assert_eq!(light, themes[0]);
    }

    async fn themes_are_made_changed_chosen_and_deleted(server) {
        let made = server.post("/internal/email-themes").admin().json(&json!({ "display_name": "Mine" })).send().await.expect(200);
        let id = made["id"].as_str().expect("an id");
        let path = format!("/internal/email-themes/{id}");
        assert_eq!(server.get(&path).admin().send().await.expect(200), made);
        let changed = server.patch(&path).admin().json(&json!({ "tsx_source": "source" })).send().await.expect(200);
        assert_eq!(changed, json!({ "id": id, "display_name": "Mine", "tsx_source": "source" }));
        let choose = json!({ "config": { "email_theme": id } });
        let project = server.patch("/internal/projects/current").admin().json(&choose).send().await.expect(200);
        assert_eq!(project["config"]["email_theme"], id);
        server.delete(&path).admin().send().await.expect(200);
        server.get(&path).admin().send().await.expect_text(404);
        let project = server.get("/internal/projects/current").admin().send().await.expect(200);
        assert_eq!(project["config"]["email_theme"], LIGHT, "one that does not exist counts as the default one");
    }

    async fn a_built_in_theme_is_changed_and_comes_back_when_it_is_deleted(server) {
        let path = format!("/internal/email-themes/{LIGHT}");
        let original = server.get(&path).admin().send().await.expect(200);
        let changed = server.patch(&path).admin().json(&json!({ "tsx_source": "other" })).send().await.expect(200);
        assert_eq!((&changed["tsx_source"], &changed["display_name"]), (&json!("other"), &original["display_name"]));
        server.delete(&path).admin().send().await.expect(200);
        assert_eq!(server.get(&path).admin().send().await.expect(200), original);
    }

    async fn unknown_themes_and_templates_are_not_found(server) {
        for path in [format!("/internal/email-themes/{NOBODY}"), format!("/internal/email-templates/{NOBODY}"), "/internal/email-themes/x".to_owned()] {
            server.patch(&path).admin().json(&json!({ "tsx_source": "x" })).send().await.expect_text(404);
            server.delete(&path).admin().send().await.expect_text(404);
        }
        server.get(&format!("/internal/email-themes/{NOBODY}")).admin().send().await.expect_text(404);
    }

    async fn templates_of_ones_own_need_a_mail_server_of_ones_own(server) {
        let body = json!({ "display_name": "Mine" });
        server.post("/internal/email-templates").admin().json(&body).send().await.expect_error(400, "REQUIRES_CUSTOM_EMAIL_SERVER");
        assert_eq!(listed(&server, "templates").await.len(), 5);
        own_server(&server).await;
        let made = server.post("/internal/email-templates").admin().json(&body).send().await.expect(200);
        let id = made["id"].as_str().expect("an id");
        assert!(made.get("theme_id").is_none());
        let path = format!("/internal/email-templates/{id}");
        let change = |body: Value| server.patch(&path).admin().json(&body).send();
        assert_eq!(change(json!({ "theme_id": false })).await.expect(200)["theme_id"], false);
        assert_eq!(change(json!({ "theme_id": LIGHT, "tsx_source": "t" })).await.expect(200)["theme_id"], LIGHT);
        assert!(change(json!({ "theme_id": null })).await.expect(200).get("theme_id").is_none());
        change(json!({ "theme_id": true })).await.expect_error(400, "SCHEMA_ERROR");
        assert_eq!(listed(&server, "templates").await.len(), 6);
        server.delete(&path).admin().send().await.expect(200);
        assert_eq!(listed(&server, "templates").await.len(), 5);
    }

    async fn changed_templates_wait_for_a_mail_server_of_ones_own(server) {
        let source = |templates: &[Value]| templates.iter().find(|template| template["id"] == RESET).expect("a template")["tsx_source"].clone();
        server.patch(&format!("/internal/email-templates/{RESET}")).admin().json(&json!({ "tsx_source": "mine" })).send().await.expect(200);
        assert_ne!(source(&listed(&server, "templates").await), "mine");
        own_server(&server).await;
        assert_eq!(source(&listed(&server, "templates").await), "mine");
    }
}
