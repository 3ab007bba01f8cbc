//! What holds for every page: no foreign form, no frame, no script, no host from a request.

use latchkey_testkit::on_both_engines;
use reqwest::Method;
use serde_json::json;

use super::{path, press, shown, visit};

const CODE: &str = "abcdefghjkmnpqrstvwxyz0123456789abcdefghjkmnp";

/// Every page, with a link that is whole.
fn pages() -> [String; 4] {
    [
        format!("cli-auth-confirm?login_code={CODE}"),
        format!("email-verification?code={CODE}"),
        format!("password-reset?code={CODE}"),
        format!("team-invitation?code={CODE}"),
    ]
}

on_both_engines! {
    async fn a_form_of_another_site_does_nothing(server) {
        for page in pages() {
            let headers: [&[(&str, &str)]; 7] = [
                &[],
                &[("sec-fetch-site", "cross-site")],
                &[("sec-fetch-site", "same-site")],
                &[("sec-fetch-site", "none")],
                &[("sec-fetch-site", "cross-site"), ("origin", "http://localhost")],
                &[("origin", "https://evil.example")],
                &[("origin", "null")],
            ];
            for sent in headers {
                let mut request = server.request(Method::POST, &path(&server, &page)).form(&[("action", "confirm")]);
                for (name, value) in sent {
                    request = request.header(name, value);
                }
                let html = shown(&request.send().await, 403);
                assert!(html.contains("not sent from this page"), "{page} {sent:?}");
            }
            // A host that the request names is not believed either.
            let request = server.request(Method::POST, &path(&server, &page)).form(&[]);
            let request = request.header("host", "evil.example").header("origin", "http://evil.example");
            shown(&request.send().await, 403);
        }
    }

    async fn a_browser_that_names_this_server_as_the_origin_is_believed(server) {
        let page = format!("email-verification?code={CODE}");
        let origin = server.public_url().to_owned();
        let request = server.request(Method::POST, &path(&server, &page)).form(&[]).header("origin", &origin);
        shown(&request.send().await, 404);
    }

    async fn every_page_is_locked_down(server) {
        for page in pages() {
            for answer in [visit(&server, &page).send().await, press(&server, &page, &[("action", "x")]).send().await] {
                let policy = answer.header("content-security-policy").expect("a policy").to_owned();
                for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
                    assert!(policy.contains(part), "{page}: {policy}");
                }
                assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
                let nonce = policy.split_once("'nonce-").expect("a nonce").1.split_once('\'').expect("an end").0.to_owned();
                let html = answer.text();
                assert!(html.contains(&format!("<style nonce=\"{nonce}\">")), "{html}");
                assert!(!html.contains("<script") && !html.contains("style=\"") && !html.contains("http"), "{html}");
                assert_eq!(answer.header("x-frame-options"), Some("DENY"));
                assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
                assert_eq!(answer.header("cache-control"), Some("no-store"));
                assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
                assert_eq!(answer.header("access-control-allow-origin"), None);
            }
        }
    }

    async fn a_nonce_is_used_once(server) {
        let page = format!("email-verification?code={CODE}");
        let policy = |answer: &latchkey_testkit::Answer| answer.header("content-security-policy").expect("a policy").to_owned();
        let (one, two) = (visit(&server, &page).send().await, visit(&server, &page).send().await);
        assert_ne!(policy(&one), policy(&two));
    }

    async fn the_name_of_a_project_is_shown_as_text(server) {
        let name = json!({ "display_name": "<img src=x onerror=alert(1)>\"'&" });
        server.patch("/internal/projects/current").admin().json(&name).send().await.expect(200);
        let html = shown(&visit(&server, &format!("email-verification?code={CODE}")).send().await, 200);
        assert!(html.contains("&lt;img") && !html.contains("<img"), "{html}");
    }

    async fn unknown_projects_and_pages_and_methods_are_none(server) {
        for path in [
            path(&server, "nothing"),
            path(&server, ""),
            "/projects/00000000-0000-4000-8000-00000000dead/handler/email-verification".to_owned(),
            "/projects/x/handler/email-verification".to_owned(),
            "/projects/%00/handler/email-verification".to_owned(),
            "/projects/%ff/handler/email-verification".to_owned(),
        ] {
            let answer = server.request(Method::GET, &path).send().await;
            assert!([400, 404].contains(&answer.status), "{path}: {}", answer.status);
        }
        for method in [Method::PUT, Method::DELETE, Method::PATCH] {
            assert_eq!(server.request(method, &path(&server, "email-verification")).send().await.status, 405);
        }
    }

    async fn what_is_no_form_is_refused(server) {
        let page = path(&server, &format!("email-verification?code={CODE}"));
        let send = |content_type: &str, body: Vec<u8>| {
            let request = server.request(Method::POST, &page).header("sec-fetch-site", "same-origin");
            request.header("content-type", content_type).bytes(body).send()
        };
        assert_eq!(send("application/json", b"{}".to_vec()).await.status, 400);
        assert_eq!(send("text/plain", b"action=confirm".to_vec()).await.status, 400);
        assert_eq!(send("application/x-www-form-urlencoded", b"action=\xff".to_vec()).await.status, 400);
        assert_eq!(send("application/x-www-form-urlencoded", b"action=%00".to_vec()).await.status, 400);
        assert_eq!(send("application/x-www-form-urlencoded", vec![b'a'; 17 * 1024]).await.status, 413);
    }
}
