//! Templates and themes are tried before they are kept.

use latchkey_testkit::{TestServer, on_both_engines};
use serde_json::{Value, json};

const LIGHT: &str = "/internal/email-themes/1df07ae6-abf3-4a40-83a5-a1a2cbe336ac";
const RESET: &str = "/internal/email-templates/a70fb3a4-56c1-4e42-af25-49d25603abd0";

/// The words with which a source is refused.
async fn refused(server: &TestServer, path: &str, source: &str) -> String {
    let before = listed(server, path).await;
    let answer = server.patch(path).admin().json(&json!({ "tsx_source": source })).send().await;
    let details = answer.expect_error(400, "EMAIL_RENDERING_ERROR");
    assert_eq!(listed(server, path).await, before, "nothing was kept");
    details["error"].as_str().expect("words").to_owned()
}

async fn listed(server: &TestServer, path: &str) -> Value {
    let list = path.rsplit_once('/').expect("a path").0;
    server.get(list).admin().send().await.expect(200)
}

on_both_engines! {
    async fn an_error_names_line_and_reason(server) {
        for path in [LIGHT, RESET] {
            let error = refused(&server, path, "<p>\n{{ user.displayName|shout }}\n{{ content }}").await;
            assert!(error.starts_with("line 2: unknown filter"), "{error}");
            let error = refused(&server, path, "<p>\n\n{% if user %}").await;
            assert!(error.starts_with("line 3: syntax error"), "{error}");
        }
        let error = refused(&server, RESET, "Subject: a\nBcc: everybody@example.com\n\n<p>").await;
        assert!(error.starts_with("line 2: "), "{error}");
    }

    async fn sources_that_take_without_end_are_refused(server) {
        let loops = "{% for a in [1,2,3,4,5,6,7,8,9] %}".repeat(8) + "x" + &"{% endfor %}".repeat(8);
        let long = "x".repeat(200_000);
        let doubling = "{% set a = 'x' %}".to_owned() + &"{% set a = a ~ a %}".repeat(64) + "{{ a }}";
        for path in [LIGHT, RESET] {
            for source in [
                loops.as_str(), &long, &doubling, "{% include '/etc/passwd' %}", "{% extends 'notice.html' %}", "{{ 'x' * 99999999 }}",
                "{% macro m(a) %}{{ m(a) }}{% endmacro %}{{ m(1) }}", "{{ range(99999999) }}", "{{ ( }} ~ 'x' ) }}",
            ] {
                refused(&server, path, source).await;
            }
        }
    }

    async fn components_of_other_tools_are_kept(server) {
        let source = "import { Html } from \"@react-email/components\";\nexport function EmailTheme({ children }) {\n  return <Html style={{ a: 1 }}>{children}</Html>;\n}\n";
        let kept = server.patch(LIGHT).admin().json(&json!({ "tsx_source": source })).send().await.expect(200);
        assert_eq!(kept["tsx_source"], source);
        server.patch(RESET).admin().json(&json!({ "tsx_source": source })).send().await.expect(200);
    }

    async fn what_is_built_in_can_be_saved_as_it_is(server) {
        for kind in ["themes", "templates"] {
            let list = server.get(&format!("/internal/email-{kind}")).admin().send().await.expect(200);
            for item in list[kind].as_array().expect("a list") {
                let path = format!("/internal/email-{kind}/{}", item["id"].as_str().expect("an id"));
                server.patch(&path).admin().json(&json!({ "tsx_source": item["tsx_source"] })).send().await.expect(200);
            }
        }
    }
}
