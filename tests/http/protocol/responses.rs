//! Contract 01 §7 and §10: headers of answers, overriding of statuses, cross-origin access, pretty printing.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::people;
use reqwest::Method;
use serde_json::json;

/// An answer of each kind.
async fn answers(server: &TestServer) -> Vec<(&'static str, Answer)> {
    let key_set = format!("/projects/{}/.well-known/jwks.json", server.project_id());
    let anonymous_key_set =
        format!("/projects-anonymous-users/{}/.well-known/jwks.json", server.project_id());
    let ada = people::sign_up(server, "ada@example.com").await;
    vec![
        ("JSON", server.get("/users/me").client().user(&ada.access_token).send().await),
        ("created", server.post("/users").server().json(&json!({})).send().await),
        ("text", server.get("/").send().await),
        ("known error", server.get("/users/me").client().send().await),
        ("unknown route", server.get("/nowhere").send().await),
        ("unknown method", server.delete("/auth/password/sign-in").send().await),
        ("cached", server.get(&key_set).send().await),
        ("redirect", server.get(&anonymous_key_set).send().await),
        ("preflight", server.request(Method::OPTIONS, "/api/v1/users/me").send().await),
        (
            "unparsable",
            server.post("/users").header("content-type", "application/json").bytes("{").send().await,
        ),
    ]
}

on_both_engines! {
    async fn every_answer_has_its_own_request_id(server) {
        let mut seen = Vec::new();
        for (kind, answer) in answers(&server).await {
            let id = answer.header("x-stack-request-id").unwrap_or_else(|| panic!("{kind} has no id")).to_owned();
            assert_eq!(id.len(), 16, "{kind}: {id}");
            assert!(id.chars().all(|c| c.is_ascii_digit() || (c.is_ascii_lowercase() && !"ilou".contains(c))), "{id}");
            seen.push(id);
        }
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }

    async fn every_answer_has_the_security_headers(server) {
        for (kind, answer) in answers(&server).await {
            let header = |name| answer.header(name).unwrap_or_else(|| panic!("{kind} has no {name}")).to_owned();
            assert_eq!(header("cross-origin-opener-policy"), "same-origin");
            assert_eq!(header("referrer-policy"), "strict-origin-when-cross-origin");
            assert_eq!(header("x-content-type-options"), "nosniff");
            assert_eq!(header("x-frame-options"), "SAMEORIGIN");
            assert_eq!(header("permissions-policy"), "");
            assert_eq!(header("content-security-policy"), "");
        }
    }

    async fn every_answer_of_the_api_can_be_read_from_any_origin_without_cookies(server) {
        let allowed = [
            "content-type", "authorization", "x-stack-project-id", "x-stack-branch-id",
            "x-stack-override-error-status", "x-stack-random-nonce", "x-stack-client-version",
            "x-stack-disable-artificial-development-delay", "x-stack-access-type", "x-stack-publishable-client-key",
            "x-stack-secret-server-key", "x-stack-super-secret-admin-key", "x-stack-admin-access-token",
            "x-stack-refresh-token", "x-stack-access-token", "x-stack-allow-anonymous-user", "baggage",
            "sentry-trace", "x-vercel-protection-bypass", "ngrok-skip-browser-warning",
        ];
        let list = |answer: &Answer, name: &str| -> Vec<String> {
            answer.header(name).unwrap_or_default().split(',').map(|word| word.trim().to_lowercase()).collect()
        };
        for (kind, answer) in answers(&server).await {
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{kind}");
            assert_eq!(answer.header("access-control-allow-credentials"), None, "{kind}");
            assert_eq!(answer.header("access-control-max-age"), Some("86400"), "{kind}");
            let methods = list(&answer, "access-control-allow-methods");
            for method in ["get", "post", "put", "patch", "delete", "options"] {
                assert!(methods.iter().any(|word| word == method), "{kind}: {method}");
            }
            for header in allowed {
                for name in ["access-control-allow-headers", "vary"] {
                    assert!(list(&answer, name).iter().any(|word| word == header), "{kind}: {name}: {header}");
                }
            }
            let exposed = list(&answer, "access-control-expose-headers");
            assert_eq!(exposed, ["content-type", "x-stack-actual-status", "x-stack-known-error"], "{kind}");
        }
    }

    async fn a_preflight_needs_no_authentication_and_has_no_body(server) {
        for path in ["/api/v1/users/me", "/api/v1/nowhere", "/api/v9", "/api/v1/auth/password/sign-in"] {
            let request = server.request(Method::OPTIONS, path)
                .header("origin", "https://app.example.com")
                .header("access-control-request-method", "POST")
                .header("x-stack-secret-server-key", "ssk_wrong");
            let answer = request.send().await;
            assert_eq!((answer.status, answer.body.as_slice()), (200, &b""[..]), "{path}");
        }
    }

    async fn nothing_is_cached_but_key_sets(server) {
        for (kind, answer) in answers(&server).await {
            let expected = if kind == "cached" { "public, max-age=3600" } else { "no-store, max-age=0" };
            if kind != "redirect" {
                assert_eq!(answer.header("cache-control"), Some(expected), "{kind}");
            }
        }
    }

    async fn bodies_are_json_or_text_in_utf8(server) {
        for (kind, answer) in answers(&server).await {
            let expected = match kind {
                "JSON" | "created" | "known error" | "unparsable" => "application/json; charset=utf-8",
                "text" | "unknown route" => "text/plain; charset=utf-8",
                _ => continue,
            };
            assert_eq!(answer.header("content-type"), Some(expected), "{kind}");
        }
    }

    async fn a_known_error_is_named_in_the_header_and_nothing_else_is(server) {
        for (kind, answer) in answers(&server).await {
            let named = answer.header("x-stack-known-error").map(str::to_owned);
            match kind {
                "known error" => assert_eq!(named.as_deref(), answer.json()["code"].as_str()),
                "unparsable" => assert_eq!(named.as_deref(), Some("BODY_PARSING_ERROR")),
                _ => assert_eq!(named, None, "{kind}"),
            }
        }
    }

    async fn a_client_error_can_be_sent_with_status_200(server) {
        for value in ["true", "false", ""] {
            let ask = |path| server.get(path).client().header("x-stack-override-error-status", value);
            let answer = ask("/users/me").send().await;
            assert_eq!((answer.status, answer.header("x-stack-actual-status")), (200, Some("400")));
            assert_eq!(answer.header("x-stack-known-error"), Some("CANNOT_GET_OWN_USER_WITHOUT_USER"));
            assert_eq!(answer.json()["code"], "CANNOT_GET_OWN_USER_WITHOUT_USER");
            let answer = ask("/nowhere").send().await;
            assert_eq!((answer.status, answer.header("x-stack-actual-status")), (200, Some("404")));
            assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")));
        }
        let body = json!({ "email": "nobody@example.com", "password": "wrong password" });
        let request = server.post("/auth/password/sign-in").client().json(&body);
        let answer = request.header("x-stack-override-error-status", "true").send().await;
        assert_eq!((answer.status, answer.header("x-stack-actual-status")), (200, Some("400")));
    }

    async fn successes_and_redirects_are_not_overridden(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let redirect = format!("/projects-anonymous-users/{}/.well-known/jwks.json", server.project_id());
        let requests = [
            (200, server.get("/users/me").client().user(&ada.access_token)),
            (201, server.post("/users").server().json(&json!({}))),
            (307, server.get(&redirect)),
        ];
        for (status, request) in requests {
            let answer = request.header("x-stack-override-error-status", "true").send().await;
            assert_eq!((answer.status, answer.header("x-stack-actual-status")), (status, None));
        }
    }

    async fn json_is_printed_for_people_who_accept_html(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let ask = |accept: &str| server.get("/users/me").client().user(&ada.access_token).header("accept", accept).send();
        let (plain, pretty) = (ask("application/json").await, ask("text/html,application/xhtml+xml,*/*;q=0.8").await);
        assert!(!plain.text().contains('\n'), "{}", plain.text());
        assert!(pretty.text().contains("\n  \"id\""), "{}", pretty.text());
        assert_eq!(plain.json(), pretty.json());
        assert_eq!(pretty.header("content-type"), Some("application/json; charset=utf-8"));
        let error = server.get("/users/me").client().header("accept", "text/html").send().await;
        assert!(error.text().contains("\n  \"code\""), "{}", error.text());
    }

    async fn a_success_has_no_headers_beyond_the_contracts(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let answer = server.get("/users/me").client().user(&ada.access_token).send().await;
        let known = [
            "content-type", "content-length", "date", "cache-control", "vary", "x-stack-request-id",
            "cross-origin-opener-policy", "referrer-policy", "x-content-type-options", "x-frame-options",
            "permissions-policy", "content-security-policy",
        ];
        for name in answer.headers.keys() {
            let name = name.as_str();
            assert!(known.contains(&name) || name.starts_with("access-control-"), "{name} is one header too many");
        }
    }
}
