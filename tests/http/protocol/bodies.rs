//! Contract 01 §6: how bodies are read.

use latchkey_testkit::on_both_engines;
use latchkey_tests::people;
use serde_json::json;

const SIGN_IN: &str = "/auth/password/sign-in";

on_both_engines! {
    async fn what_cannot_be_parsed_is_a_body_parsing_error_without_details(server) {
        let bodies: [(&str, &[u8]); 10] = [
            ("application/json", b""),
            ("application/json", b"{"),
            ("application/json", b"{\"email\":\"a@b.example\",}"),
            ("application/json", b"nul"),
            ("application/json", b"{} {}"),
            ("application/json", b"\"\xff\""),
            ("application/x-www-form-urlencoded", b"a=\xff"),
            ("text/plain", b"\xff"),
            ("application/xml", b"<a/>"),
            ("multipart/form-data; boundary=x", b"--x--"),
        ];
        for (content_type, body) in bodies {
            let request = server.post(SIGN_IN).client().header("content-type", content_type).bytes(body);
            let details = request.send().await.expect_error(400, "BODY_PARSING_ERROR");
            assert!(details.is_null(), "{content_type}");
        }
    }

    async fn parameters_and_case_of_the_content_type_do_not_matter(server) {
        people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "email": "ada@example.com", "password": people::PASSWORD }).to_string();
        for content_type in ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=latin1"] {
            let request = server.post(SIGN_IN).client().header("content-type", content_type);
            request.bytes(body.clone()).send().await.expect(200);
        }
    }

    async fn a_form_is_an_object_of_strings_of_which_the_last_counts(server) {
        let ada = people::sign_up(&server, "ada+tag@example.com").await;
        let form = [("email", "wrong@example.com"), ("email", "ada+tag@example.com"), ("password", people::PASSWORD)];
        let answer = server.post(SIGN_IN).client().form(&form).send().await.expect(200);
        assert_eq!(answer["user_id"], ada.id);
    }

    async fn a_body_without_content_type_and_a_missing_body_are_no_body(server) {
        for request in [server.post(SIGN_IN), server.post(SIGN_IN).bytes("{}"), server.patch("/users/me")] {
            let details = request.client().send().await.expect_error(400, "SCHEMA_ERROR");
            assert!(details["message"].as_str().expect("a text").contains("body"), "{details}");
        }
    }

    async fn text_bytes_arrays_and_scalars_are_not_an_object(server) {
        let bodies = [
            ("text/plain", "email"), ("application/octet-stream", "email"), ("application/json", "[]"),
            ("application/json", "\"email\""), ("application/json", "null"), ("application/json", "7"),
        ];
        for (content_type, body) in bodies {
            let request = server.post(SIGN_IN).client().header("content-type", content_type).bytes(body);
            request.send().await.expect_error(400, "SCHEMA_ERROR");
        }
    }

    async fn the_body_of_a_get_is_ignored(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for content_type in ["application/json", "application/xml", ""] {
            let request = server.get("/users/me").client().user(&ada.access_token);
            let answer = request.header("content-type", content_type).bytes("{").send().await;
            assert_eq!(answer.expect(200)["id"], ada.id);
        }
    }

    async fn a_delete_accepts_any_body_or_none(server) {
        for body in [None, Some("{}"), Some("{\"any\":[1]}"), Some("7")] {
            let ada = people::created(&server, &json!({})).await;
            let request = server.delete("/auth/sessions/current").client().user(&ada.access_token);
            let request = match body {
                Some(body) => request.header("content-type", "application/json").bytes(body),
                None => request,
            };
            assert_eq!(request.send().await.expect(200), json!({ "success": true }));
            let user = server.delete(&format!("/users/{}", ada.id)).server().json(&json!({ "ignored": true }));
            assert_eq!(user.send().await.expect(200), json!({ "success": true }));
        }
    }

    async fn an_endpoint_without_a_body_accepts_any(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let refresh = || {
            let request = server.post("/auth/sessions/current/refresh").client();
            request.header("x-stack-refresh-token", &ada.refresh_token)
        };
        refresh().send().await.expect(200);
        refresh().json(&json!({})).send().await.expect(200);
        refresh().json(&json!({ "unknown": [1, 2] })).send().await.expect(200);
        refresh().header("content-type", "text/plain").bytes("hello").send().await.expect(200);
    }

    async fn a_body_over_the_limit_is_refused(server) {
        let body = json!({ "email": "a@b.example", "password": "x".repeat(3 << 20) });
        let answer = server.post(SIGN_IN).client().json(&body).send().await;
        answer.expect_text(413);
        people::sign_up(&server, "ada@example.com").await;
    }
}
