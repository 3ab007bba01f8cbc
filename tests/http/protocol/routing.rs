//! Contract 01 §1, §5 and §10: versions, paths, methods, lists, and what lies beside the API.

use latchkey_config::settings::TrustedDomain;
use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::people;
use latchkey_tests::tokens::keys;
use reqwest::Method;
use serde_json::json;

fn with_domain() -> Builder {
    TestServer::builder().project(|settings| {
        let domain =
            TrustedDomain { base_url: Some("https://**.example.com".to_owned()), ..TrustedDomain::default() };
        settings.domains.trusted_domains.insert("app".to_owned(), domain);
    })
}

on_both_engines! {
    async fn every_version_is_the_same_api(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let expected = people::seen_by_self(&server, &ada).await;
        for version in ["v1", "v2beta1", "v2beta2", "v2beta3", "v2beta4", "v2beta5", "latest"] {
            let request = server.request(Method::GET, &format!("/api/{version}/users/me"));
            assert_eq!(request.client().user(&ada.access_token).send().await.expect(200), expected, "{version}");
            let token = server.request(Method::POST, &format!("/api/{version}/auth/sessions/current/refresh"));
            let answer = token.client().header("x-stack-refresh-token", &ada.refresh_token).send().await.expect(200);
            let issuer = latchkey_tests::tokens::claim(answer["access_token"].as_str().expect("a token"), "iss");
            assert!(issuer.contains("/api/v1/projects/"), "{issuer}");
        }
    }

    async fn a_version_must_match_exactly(server) {
        for version in ["v2", "V1", "v3", "v2beta6", "v1.0", "", "%761"] {
            let answer = server.request(Method::GET, &format!("/api/{version}/users/me")).client().send().await;
            answer.expect_text(404);
        }
    }

    async fn an_unknown_path_is_a_text_error_for_any_method(server) {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            for path in ["/api/v1/nowhere", "/api/v1/users/me/nowhere", "/api/v1//users/me", "/api/v9/users", "/api"] {
                let answer = server.request(method.clone(), path).server().send().await;
                answer.expect_text(404);
            }
        }
    }

    async fn a_known_path_without_the_method_is_an_empty_405(server) {
        for (method, path) in [
            (Method::PUT, "/api/v1/users/me"), (Method::POST, "/api/v1/users/me"),
            (Method::GET, "/api/v1/auth/password/sign-in"), (Method::DELETE, "/api/v1"),
        ] {
            let answer = server.request(method, path).client().send().await;
            assert_eq!((answer.status, answer.body.as_slice()), (405, &b""[..]), "{path}");
            assert_eq!(answer.header("x-stack-known-error"), None);
        }
    }

    async fn head_and_unheard_of_methods_are_refused(server) {
        for path in ["/api/v1/users/me", "/api/v1", "/api/v1/nowhere"] {
            let answer = server.request(Method::HEAD, path).client().send().await;
            assert_eq!((answer.status, answer.body.len()), (405, 0), "{path}");
            for method in ["TRACE", "PROPFIND", "BREW"] {
                let method = Method::from_bytes(method.as_bytes()).expect("a method");
                server.request(method, path).client().send().await.expect_text(405);
            }
        }
    }

    async fn a_trailing_slash_does_not_matter(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for path in ["/users/me", "/users/me/"] {
            let answer = server.get(path).client().user(&ada.access_token).send().await;
            assert_eq!(answer.expect(200)["id"], ada.id);
        }
        for path in ["/api/v1", "/api/v1/", "/api/latest/"] {
            assert_eq!(server.request(Method::GET, path).send().await.status, 200, "{path}");
        }
    }

    async fn the_root_says_who_the_caller_is(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let plain = server.get("/").send().await;
        assert_eq!((plain.status, plain.header("content-type")), (200, Some("text/plain; charset=utf-8")));
        let text = server.get("/").server().user(&ada.access_token).send().await.text();
        for word in ["server", server.project_id(), &ada.id] {
            assert!(text.contains(word), "{text}");
        }
        server.get("/?a=1").send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn the_health_of_the_server_is_public(server) {
        let answer = server.request(Method::GET, "/health").send().await;
        assert_eq!(answer.expect(200), json!({ "status": "ok" }));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }

    async fn a_list_that_is_not_paginated_says_so_and_nothing_more(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let list = server.get("/auth/sessions?user_id=me").client().user(&ada.access_token).send().await.expect(200);
        assert_eq!(keys(&list), ["is_paginated", "items"]);
        assert_eq!(list["is_paginated"], false);
    }

    async fn creations_answer_201_and_actions_200(server) {
        let created = server.post("/users").server().json(&json!({})).send().await;
        assert_eq!(created.status, 201);
        let body = json!({ "user_id": created.json()["id"] });
        assert_eq!(server.post("/auth/sessions").server().json(&body).send().await.status, 200);
        let body = json!({ "email": "ada@example.com", "password": people::PASSWORD });
        assert_eq!(server.post("/auth/password/sign-up").client().json(&body).send().await.status, 200);
    }

    async fn the_public_settings_of_the_project_look_the_same_to_everybody(server, builder = with_domain()) {
        let client = server.get("/projects/current").client().send().await.expect(200);
        assert_eq!(client, json!({
            "id": server.project_id(), "display_name": "The test project",
            "config": {
                "sign_up_enabled": true, "credential_enabled": true, "magic_link_enabled": false,
                "passkey_enabled": false, "client_team_creation_enabled": false, "client_user_deletion_enabled": false,
                "allow_user_api_keys": false, "allow_team_api_keys": false, "enabled_oauth_providers": [],
                "domains": [{ "domain": "https://**.example.com", "handler_path": "/handler" }],
            },
        }));
        assert_eq!(server.get("/projects/current").server().send().await.expect(200), client);
        assert_eq!(server.get("/projects/current").admin().send().await.expect(200), client);
    }

    async fn sdks_ask_whether_they_are_up_to_date(server) {
        let ask = |version: &str| server.post("/check-version").json(&json!({ "clientVersion": version })).send();
        assert_eq!(ask("2.8.108").await.expect(200), json!({ "upToDate": true }));
        let odd = ask("newest").await.expect(200);
        assert_eq!((&odd["upToDate"], &odd["severe"]), (&json!(false), &json!(true)));
        assert!(odd["error"].is_string());
        server.post("/check-version").json(&json!({})).send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn interest_in_a_feature_is_answered_in_text(server) {
        let answer = server.post("/check-feature-support").json(&json!({ "feature": ["any", 1] })).send().await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    }

    async fn the_reference_page_loads_nothing_from_elsewhere(server) {
        let page = server.request(Method::GET, "/docs").send().await;
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        for asset in ["/docs/reference.css", "/docs/reference.js"] {
            assert!(page.text().contains(asset));
            let answer = server.request(Method::GET, asset).send().await;
            assert_eq!(answer.status, 200, "{asset}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        }
        assert!(!page.text().contains("https://"), "{}", page.text());
        let nowhere = server.request(Method::GET, "/nowhere").send().await;
        nowhere.expect_text(404);
    }
}
