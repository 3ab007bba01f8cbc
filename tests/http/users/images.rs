//! Contract 05 §5: pictures.

use latchkey_testkit::on_both_engines;
use latchkey_tests::people;
use serde_json::{Value, json};

const PNG: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

on_both_engines! {
    async fn servers_set_addresses_and_images_and_clear_them(server) {
        let user = people::create(&server, &json!({ "profile_image_url": "https://example.com/a.png?b=1#c" })).await;
        assert_eq!(user["profile_image_url"], "https://example.com/a.png?b=1#c");
        let id = user["id"].as_str().expect("an id");
        for url in ["http://localhost/a.png", PNG] {
            let changed = people::change(&server, id, &json!({ "profile_image_url": url })).await;
            assert!(changed["profile_image_url"].is_string(), "{changed}");
        }
        let cleared = people::change(&server, id, &json!({ "profile_image_url": null })).await;
        assert_eq!(cleared["profile_image_url"], Value::Null);
    }

    async fn clients_send_images_inline_only(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let change = |url: &str| {
            let body = json!({ "profile_image_url": url });
            server.patch("/users/me").client().user(&ada.access_token).json(&body).send()
        };
        change("https://example.com/a.png").await.expect_text(400);
        change("http://example.com/a.png").await.expect_text(400);
        assert!(change(PNG).await.expect(200)["profile_image_url"].is_string());
        let none = server.patch("/users/me").client().user(&ada.access_token).json(&json!({ "profile_image_url": null }));
        assert_eq!(none.send().await.expect(200)["profile_image_url"], Value::Null);
    }

    async fn what_is_no_picture_is_refused_for_everybody(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let refused = [
            "javascript:alert(1)", "data:text/html;base64,PHNjcmlwdD4=", "data:image/svg+xml;base64,PHN2Zy8+",
            "data:image/png;base64,PHNjcmlwdD4=", "data:image/png;base64,####", "data:image/png;base64,",
            "data:image/png,plain", "ftp://example.com/a.png", "file:///etc/passwd", "urn:isbn:0",
        ];
        for url in refused {
            let body = json!({ "profile_image_url": url });
            let requests = [
                server.post("/users").server().json(&body),
                server.patch(&format!("/users/{}", ada.id)).admin().json(&body),
                server.patch("/users/me").client().user(&ada.access_token).json(&body),
            ];
            for request in requests {
                let answer = request.send().await;
                assert_eq!(answer.status, 400, "{url}: {}", answer.text());
                answer.expect_text(400);
            }
        }
    }

    async fn what_is_no_url_is_a_violation(server) {
        let long = format!("https://example.com/{}", "a".repeat(1_000_000));
        for url in ["", "a.png", "https://exa mple.com/", "//example.com/a.png", &long] {
            let answer = server.post("/users").server().json(&json!({ "profile_image_url": url })).send().await;
            answer.expect_error(400, "SCHEMA_ERROR");
        }
    }

    async fn an_image_of_a_megabyte_passes(server) {
        let head = &PNG[..PNG.len() - 2];
        let mut url = head.to_owned();
        url.truncate(url.len() - (url.len() - "data:image/png;base64,".len()) % 4);
        let room = 1_000_000 - url.len();
        url.push_str(&"A".repeat(room / 4 * 4));
        let answer = server.post("/users").server().json(&json!({ "profile_image_url": url })).send().await;
        answer.expect(201);
    }
}
