//! Contract 01 §4: what an endpoint requires of its caller, and `me`.

use latchkey_testkit::on_both_engines;
use latchkey_tests::people;
use serde_json::json;

on_both_engines! {
    async fn a_level_that_is_too_low_is_told_the_levels_that_are_not(server) {
        let user = people::create(&server, &json!({})).await;
        let path = format!("/users/{}", user["id"].as_str().expect("an id"));
        let requests = [
            server.post("/users").json(&json!({})),
            server.post("/auth/sessions").json(&json!({ "user_id": user["id"] })),
            server.get(&path),
            server.patch(&path).json(&json!({})),
            server.delete(&path),
        ];
        for request in requests {
            let details = request.client().send().await.expect_error(401, "INSUFFICIENT_ACCESS_TYPE");
            let expected = json!({ "actual_access_type": "client", "allowed_access_types": ["server", "admin"] });
            assert_eq!(details, expected);
        }
    }

    async fn an_admin_may_what_a_server_may(server) {
        let user = server.post("/users").admin().json(&json!({})).send().await.expect(201);
        let path = format!("/users/{}", user["id"].as_str().expect("an id"));
        assert_eq!(server.get(&path).admin().send().await.expect(200)["id"], user["id"]);
        let body = json!({ "user_id": user["id"] });
        server.post("/auth/sessions").admin().json(&body).send().await.expect(200);
        server.delete(&path).admin().send().await.expect(200);
    }

    async fn an_endpoint_that_needs_an_access_type_says_so(server) {
        let requests = [
            server.get("/users/me"),
            server.post("/users").json(&json!({})),
            server.post("/auth/password/sign-in").json(&json!({ "email": "a@b.example", "password": "x" })),
            server.post("/auth/sessions/current/refresh"),
            server.delete("/auth/sessions/current"),
            server.get("/auth/sessions?user_id=me"),
            server.get("/projects/current"),
        ];
        for request in requests {
            let answer = request.header("x-stack-project-id", server.project_id()).send().await;
            assert!(answer.expect_error(400, "ACCESS_TYPE_REQUIRED").is_null());
        }
    }

    async fn a_user_that_the_schema_requires_is_a_violation_when_missing(server) {
        let requests = [
            server.post("/auth/password/set").json(&json!({ "password": people::PASSWORD })),
            server.post("/auth/password/update").json(&json!({ "old_password": "x", "new_password": "y" })),
        ];
        for request in requests {
            let details = request.client().send().await.expect_error(400, "SCHEMA_ERROR");
            let message = details["message"].as_str().expect("a text");
            assert!(message.contains("auth.user"), "{message}");
        }
    }

    async fn me_without_a_user_is_told_so_at_every_level(server) {
        for access in ["client", "server", "admin"] {
            let requests = [
                server.get("/users/me"),
                server.patch("/users/me").json(&json!({})),
                server.delete("/users/me"),
                server.get("/auth/sessions?user_id=me"),
            ];
            for request in requests {
                let request = match access {
                    "client" => request.client(),
                    "server" => request.server(),
                    _ => request.admin(),
                };
                let details = request.send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
                assert!(details.is_null());
            }
        }
        let body = json!({ "user_id": "me" });
        let answer = server.post("/auth/sessions").server().json(&body).send().await;
        answer.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
    }

    async fn me_is_the_user_of_the_access_token_for_every_access_type(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let lists = [
            server.get("/auth/sessions?user_id=me").client(),
            server.get("/auth/sessions?user_id=me").server(),
            server.get("/auth/sessions?user_id=me").admin(),
        ];
        for request in lists {
            let list = request.user(&ada.access_token).send().await.expect(200);
            assert_eq!(list["items"][0]["user_id"], ada.id);
        }
        let body = json!({ "user_id": "me" });
        let tokens = server.post("/auth/sessions").server().user(&ada.access_token).json(&body).send().await.expect(200);
        let token = tokens["access_token"].as_str().expect("a token");
        assert_eq!(latchkey_tests::tokens::claim(token, "sub"), ada.id);
    }

    async fn each_caller_is_told_the_violations_of_its_own_variant(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "server_metadata": { "a": 1 }, "display_name": 5 });
        let change = || server.patch("/users/me").user(&ada.access_token).json(&body);
        let details = change().client().send().await.expect_error(400, "SCHEMA_ERROR");
        let message = details["message"].as_str().expect("a text");
        assert!(message.contains("body.server_metadata") && !message.contains("display_name"), "{message}");
        assert_eq!(change().server().send().await.expect(200)["server_metadata"], json!({ "a": 1 }));
    }
}
