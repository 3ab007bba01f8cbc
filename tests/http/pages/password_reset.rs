//! The link of the mail for a forgotten password leads to a form.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::mail;
use latchkey_tests::people::{self, OTHER_PASSWORD, PASSWORD};
use serde_json::json;

use super::{path, press, shown, visit};

/// Ada has forgotten her password; the page that the mail leads to.
async fn forgotten(server: &TestServer) -> String {
    let callback = format!("{}{}", server.public_url(), path(server, "password-reset"));
    let body = json!({ "email": "ada@example.com", "callback_url": callback });
    server.post("/auth/password/send-reset-code").client().json(&body).send().await.expect(200);
    format!("password-reset?code={}", mail::code_to(server, "ada@example.com").await)
}

async fn signs_in(server: &TestServer, password: &str) -> bool {
    let body = json!({ "email": "ada@example.com", "password": password });
    server.post("/auth/password/sign-in").client().json(&body).send().await.status == 200
}

on_both_engines! {
    async fn somebody_who_forgot_their_password_chooses_another_one(
        server, builder = TestServer::builder().project(|settings| settings.domains.allow_localhost = false)
    ) {
        people::sign_up(&server, "ada@example.com").await;
        let page = forgotten(&server).await;
        for _ in 0..30 {
            let html = shown(&visit(&server, &page).send().await, 200);
            assert!(html.contains("autocomplete=\"new-password\""), "{html}");
        }
        assert!(signs_in(&server, PASSWORD).await, "not by looking");
        let set = |password: &str| press(&server, &page, &[("action", "reset"), ("password", password)]).send();
        for weak in ["", "short", "password123"] {
            let html = shown(&set(weak).await, 400);
            assert!(html.contains("role=\"alert\"") && html.contains("new-password"), "{html}");
        }
        assert!(shown(&set(OTHER_PASSWORD).await, 200).contains("is changed"), "a weak one uses nothing up");
        assert!(signs_in(&server, OTHER_PASSWORD).await && !signs_in(&server, PASSWORD).await);
        assert!(shown(&set(PASSWORD).await, 409).contains("used before"));
    }
}
