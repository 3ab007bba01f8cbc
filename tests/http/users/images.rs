//! Contract 05 §5: pictures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people;
use reqwest::Method;
use serde_json::{Value, json};

const PNG: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const GIF: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==";

/// The answer at a picture's address.
async fn fetch(server: &TestServer, url: &Value) -> latchkey_testkit::Answer {
    let path =
        url.as_str().and_then(|url| url.strip_prefix(server.public_url())).expect("an address of ours");
    server.request(Method::GET, path).send().await
}

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

    async fn an_inline_image_is_served_as_what_it_is_and_can_do_nothing(server) {
        let user = people::create(&server, &json!({ "profile_image_url": PNG.replace("image/png", "image/tiff") })).await;
        let url = user["profile_image_url"].as_str().expect("an address");
        let folder = format!("{}/api/v1/images/{}/user-profile-images/", server.public_url(), server.project_id());
        assert_eq!(url.strip_prefix(&folder).and_then(|file| file.split_once('.')).map(|(_, format)| format), Some("png"), "{url}");
        let answer = fetch(&server, &user["profile_image_url"]).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body.starts_with(b"\x89PNG"), "the very bytes");
        assert_eq!(answer.header("content-type"), Some("image/png"));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("content-security-policy"), Some("default-src 'none'; sandbox"));
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("cross-origin"));
        for wrong in [
            url.replace(".png", ".gif"), url.replace(".png", ""), url.replace("user-profile", "team-profile"),
            url.replace(server.project_id(), &server.other_project().id),
        ] {
            fetch(&server, &json!(wrong)).await.expect_text(404);
        }
    }

    async fn a_picture_follows_the_server_to_a_new_address(server) {
        let ada = people::create(&server, &json!({ "profile_image_url": PNG })).await;
        let web = people::create(&server, &json!({ "profile_image_url": "https://example.com/api/v1/images/a.png" })).await;
        let moved = server.twin_with(|builder| builder.config("server.public_url", "https://new.example.com/auth")).await;
        let read = |id: &Value| format!("/users/{}", id.as_str().expect("an id"));
        let url = |user: &Value| user["profile_image_url"].as_str().expect("an address").to_owned();
        let there = moved.get(&read(&ada["id"])).server().send().await.expect(200);
        let path = url(&ada).strip_prefix(server.public_url()).expect("an address of ours").to_owned();
        assert_eq!(url(&there), format!("https://new.example.com/auth{path}"));
        assert_eq!(moved.request(Method::GET, &path).send().await.status, 200);
        // Sent back to the new address, it is still ours.
        let body = json!({ "profile_image_url": url(&there) });
        moved.patch(&read(&ada["id"])).server().json(&body).send().await.expect(200);
        let here = server.get(&read(&ada["id"])).server().send().await.expect(200);
        assert_eq!(url(&here), url(&ada));
        assert_eq!(fetch(&server, &here["profile_image_url"]).await.status, 200);
        assert_eq!(url(&moved.get(&read(&web["id"])).server().send().await.expect(200)), url(&web), "those of others stay");
    }

    async fn a_replaced_image_is_gone_and_one_that_was_sent_back_stays(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let picture = |url: Value| { let ada = &ada; let server = &server; async move {
            people::change(server, &ada.id, &json!({ "profile_image_url": url })).await["profile_image_url"].clone()
        } };
        let first = picture(json!(PNG)).await;
        let second = picture(json!(GIF)).await;
        assert_eq!(second.as_str().and_then(|url| url.rsplit('.').next()), Some("gif"));
        fetch(&server, &first).await.expect_text(404);
        assert_eq!(picture(second.clone()).await, second, "a client that saves what it read");
        assert_eq!(fetch(&server, &second).await.status, 200);
        picture(json!("https://example.com/a.png")).await;
        fetch(&server, &second).await.expect_text(404);
        let third = picture(json!(PNG)).await;
        picture(Value::Null).await;
        fetch(&server, &third).await.expect_text(404);
    }

    async fn an_image_goes_with_its_user(server) {
        let user = people::create(&server, &json!({ "profile_image_url": PNG })).await;
        assert_eq!(fetch(&server, &user["profile_image_url"]).await.status, 200);
        let id = user["id"].as_str().expect("an id");
        server.delete(&format!("/users/{id}")).server().send().await.expect(200);
        fetch(&server, &user["profile_image_url"]).await.expect_text(404);
    }

    async fn a_refused_change_keeps_the_image(server) {
        people::sign_up(&server, "taken@example.com").await;
        let fields = json!({ "profile_image_url": PNG, "primary_email": "ada@example.com", "primary_email_auth_enabled": true });
        let user = people::create(&server, &fields).await;
        let body = json!({ "profile_image_url": GIF, "primary_email": "taken@example.com" });
        let id = user["id"].as_str().expect("an id");
        let answer = server.patch(&format!("/users/{id}")).server().json(&body).send().await;
        answer.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
        assert_eq!(fetch(&server, &user["profile_image_url"]).await.status, 200);
    }

    async fn clients_send_images_inline_only(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let change = |url: &str| {
            let body = json!({ "profile_image_url": url });
            server.patch("/users/me").client().user(&ada.access_token).json(&body).send()
        };
        change("https://example.com/a.png").await.expect_text(400);
        change("http://example.com/a.png").await.expect_text(400);
        change(&PNG.replace("image/png", "image/tiff")).await.expect_text(400);
        let url = change(PNG).await.expect(200)["profile_image_url"].clone();
        assert_eq!(fetch(&server, &url).await.status, 200);
        let none = server.patch("/users/me").client().user(&ada.access_token).json(&json!({ "profile_image_url": null }));
        assert_eq!(none.send().await.expect(200)["profile_image_url"], Value::Null);
    }

    async fn clients_declare_six_words_and_each_picture_is_served_as_what_it_is(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let jpeg: &[u8] = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc2\x00\x11\x08\x00\x10\x00\x20";
        let table: [(&str, &[u8], &str); 6] = [
            ("png", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01", "png"),
            ("jpg", jpeg, "jpeg"), ("jpeg", jpeg, "jpeg"), ("gif", b"GIF89a\x01\0\x01\0", "gif"),
            ("bmp", b"BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0\x01\0\0\0\x01\0\0\0", "bmp"),
            ("webp", b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\0\0\0\0", "webp"),
        ];
        for (word, bytes, format) in table {
            let body = json!({ "profile_image_url": format!("data:image/{word};base64,{}", STANDARD.encode(bytes)) });
            let change = server.patch("/users/me").client().user(&ada.access_token).json(&body);
            let url = change.send().await.expect(200)["profile_image_url"].clone();
            assert_eq!(url.as_str().and_then(|url| url.rsplit('.').next()), Some(format), "{word}");
            let answer = fetch(&server, &url).await;
            let kind = format!("image/{format}");
            assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind.as_str())), "{word}");
            assert_eq!(answer.body, bytes, "{word}");
        }
    }

    async fn what_is_no_picture_is_refused_for_everybody(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let refused = [
            "javascript:alert(1)", "data:text/html;base64,PHNjcmlwdD4=", "data:image/svg+xml;base64,PHN2Zy8+",
            "data:image/svg;base64,PHN2Zy8+", "data:image/png;base64,PHNjcmlwdD4=", "data:image/png;base64,####",
            "data:image/png;base64,", "data:image/png;base64,iVBORw0KGgo=", "data:image/png,plain",
            "ftp://example.com/a.png", "file:///etc/passwd", "urn:isbn:0",
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
        let user = answer.expect(201);
        assert!(fetch(&server, &user["profile_image_url"]).await.body.len() > 700_000);
    }
}
