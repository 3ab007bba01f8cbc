//! The server's own mails in the words of a project.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people;
use serde_json::{Value, json};

use super::{outbox, with_own_server};

const VERIFICATION: &str = "/internal/email-templates/e7d009ce-8d47-4528-b245-5bf119f2ffa3";
const LIGHT: &str = "/internal/email-themes/1df07ae6-abf3-4a40-83a5-a1a2cbe336ac";

async fn change(server: &TestServer, path: &str, source: &str) {
    server.patch(path).admin().json(&json!({ "tsx_source": source })).send().await.expect(200);
}

/// The mail that a new user gets.
async fn greeted(server: &TestServer, email: &str) -> Value {
    let body = json!({
        "email": email, "password": people::PASSWORD, "verification_callback_url": "http://localhost/verify",
    });
    server.post("/auth/password/sign-up").client().json(&body).send().await.expect(200);
    let mails = outbox(server).await;
    mails.into_iter().find(|mail| mail["addresses"].to_string().contains(email)).expect("a mail")
}

fn text<'m>(mail: &'m Value, key: &str) -> &'m str {
    mail[key].as_str().unwrap_or_else(|| panic!("no {key}: {mail}"))
}

on_both_engines! {
    async fn a_changed_template_is_what_is_sent(server, builder = with_own_server()) {
        let source = "Subject: Please at {{ project.displayName }}\n\n<p>Mine <a href=\"{{ variables.emailVerificationLink }}\">here</a></p>";
        change(&server, VERIFICATION, source).await;
        let mail = greeted(&server, "ada@example.com").await;
        assert_eq!(mail["subject"], "Please at The test project");
        assert!(text(&mail, "html").contains("<p>Mine <a href=\"http://localhost/verify?code="), "{mail}");
        assert!(text(&mail, "html").contains("class=\"small\""), "in the theme of the project: {mail}");
        assert!(text(&mail, "text").contains("Mine here (http://localhost/verify?code="), "{mail}");
    }

    async fn a_template_that_loses_the_link_or_fails_is_not_sent(server, builder = with_own_server()) {
        for (index, source) in [
            "<p>There is no link</p>", "export function EmailTemplate() {\n  return <p style={{ a: 1 }} />;\n}",
            "{% if user.displayName %}{{ user.displayName|default('x') }}{% endif %}",
        ].into_iter().enumerate() {
            change(&server, VERIFICATION, source).await;
            let mail = greeted(&server, &format!("user{index}@example.com")).await;
            assert_eq!(mail["subject"], "Verify your email at The test project", "{source}");
            assert!(text(&mail, "text").contains("http://localhost/verify?code="), "{mail}");
        }
    }

    async fn a_theme_that_loses_the_content_is_not_used(server, builder = with_own_server()) {
        change(&server, LIGHT, "<b class=\"mine\">{{ content }}</b>").await;
        assert!(text(&greeted(&server, "ada@example.com").await, "html").contains("class=\"mine\""));
        for (index, source) in ["<b class=\"mine\">nothing</b>", "import a from \"b\";\nexport function EmailTheme() {}"].into_iter().enumerate() {
            change(&server, LIGHT, source).await;
            let mail = greeted(&server, &format!("user{index}@example.com")).await;
            assert!(!text(&mail, "html").contains("class=\"mine\""), "{mail}");
            assert!(text(&mail, "html").contains("http://localhost/verify?code="), "{mail}");
        }
    }

    async fn a_template_may_speak_several_languages(server, builder = with_own_server()) {
        let source = "Subject: {% if locale == \"de\" %}Hallo{% else %}Hello{% endif %}\n\n{{ variables.emailVerificationLink }}";
        change(&server, VERIFICATION, source).await;
        let body = json!({
            "email": "ada@example.com", "password": people::PASSWORD, "verification_callback_url": "http://localhost/verify",
        });
        let request = server.post("/auth/password/sign-up").client().header("accept-language", "de-AT");
        request.json(&body).send().await.expect(200);
        assert_eq!(outbox(&server).await[0]["subject"], "Hallo");
    }

    async fn hostile_names_stay_text(server, builder = with_own_server()) {
        let source = "Subject: {{ project.displayName }}\n\n<p title=\"{{ project.displayName }}\">{{ variables.emailVerificationLink }}</p>";
        change(&server, VERIFICATION, source).await;
        let hostile = "\"><script>alert(1)</script>\r\nBcc: eve@example.com {{ 7 }}";
        let body = json!({ "display_name": hostile });
        server.patch("/internal/projects/current").admin().json(&body).send().await.expect(200);
        let mail = greeted(&server, "ada@example.com").await;
        assert!(!text(&mail, "html").contains("<script"), "{mail}");
        assert!(text(&mail, "html").contains("{{ 7 }}"), "a name is no template: {mail}");
    }
}
