//! Contract 05 §3.2, "Password": passwords and hashes that a server writes.

use latchkey_testkit::{Answer, Builder, TestServer, on_both_engines};
use latchkey_tests::people::{self, OTHER_PASSWORD, PASSWORD, Person};
use latchkey_tests::stored;
use serde_json::{Value, json};

const HASH: &str = "$2b$05$c0nzIfHPZhtAZphVti7DiuDZ84GsRro/rRqYWp1XoP8r5Ym6xH7Vy";

async fn change(server: &TestServer, id: &str, fields: Value) -> Answer {
    server.patch(&format!("/users/{id}")).server().json(&fields).send().await
}

async fn refresh(server: &TestServer, session: &Person) -> Answer {
    let request = server.post("/auth/sessions/current/refresh").client();
    request.header("x-stack-refresh-token", &session.refresh_token).send().await
}

async fn signs_in(server: &TestServer, email: &str, password: &str) -> bool {
    let body = json!({ "email": email, "password": password });
    let answer = server.post("/auth/password/sign-in").client().json(&body).send().await;
    if answer.status != 200 {
        answer.expect_error(400, "EMAIL_PASSWORD_MISMATCH");
    }
    answer.status == 200
}

fn without_passwords() -> Builder {
    TestServer::builder().project(|settings| settings.auth.password.allow_sign_in = false)
}

on_both_engines! {
    async fn a_server_replaces_and_removes_a_password(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let user = change(&server, &ada.id, json!({ "password": OTHER_PASSWORD })).await.expect(200);
        assert_eq!(user["has_password"], true);
        assert!(signs_in(&server, "ada@example.com", OTHER_PASSWORD).await);
        assert!(!signs_in(&server, "ada@example.com", PASSWORD).await);
        let user = change(&server, &ada.id, json!({ "password": null })).await.expect(200);
        assert_eq!((&user["has_password"], &user["auth_with_email"]), (&json!(false), &json!(false)));
        assert!(!signs_in(&server, "ada@example.com", OTHER_PASSWORD).await);
        change(&server, &ada.id, json!({ "password_hash": HASH })).await.expect(200);
        assert!(signs_in(&server, "ada@example.com", PASSWORD).await);
    }

    async fn a_servers_password_has_no_minimum(server) {
        let fields = json!({ "primary_email": "ada@example.com", "primary_email_auth_enabled": true, "password": "short" });
        people::create(&server, &fields).await;
        assert!(signs_in(&server, "ada@example.com", "short").await);
    }

    async fn a_password_and_a_hash_at_once_are_refused(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let before = stored::password_hash(&server, &ada.id).await;
        for password in [json!(OTHER_PASSWORD), json!(null)] {
            let both = json!({ "password": password, "password_hash": HASH });
            server.post("/users").server().json(&both).send().await.expect_text(400);
            change(&server, &ada.id, both).await.expect_text(400);
        }
        assert_eq!(stored::password_hash(&server, &ada.id).await, before);
        let everybody = server.get("/users").server().send().await.expect(200);
        assert_eq!(everybody["items"].as_array().map(Vec::len), Some(1));
    }

    async fn every_change_of_a_password_ends_all_sessions_of_the_user_and_of_nobody_else(server) {
        let bo = people::sign_up(&server, "bo@example.com").await;
        let changes = [
            ("word", json!({ "password": OTHER_PASSWORD })), ("hash", json!({ "password_hash": HASH })),
            ("null", json!({ "password": null })),
        ];
        for (name, fields) in changes {
            let email = format!("{name}@example.com");
            let sessions = [people::sign_up(&server, &email).await, people::sign_in(&server, &email).await];
            let id = &sessions[0].id;
            change(&server, id, json!({ "display_name": "Ada" })).await.expect(200);
            for session in &sessions {
                refresh(&server, session).await.expect(200);
            }
            change(&server, id, fields).await.expect(200);
            for session in &sessions {
                refresh(&server, session).await.expect_error(401, "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED");
            }
        }
        refresh(&server, &bo).await.expect(200);
    }

    async fn only_bcrypt_of_a_bearable_cost_is_imported(server) {
        let rest = &HASH[7..];
        let wrong = [
            "plain".to_owned(), "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA".to_owned(), HASH[..59].to_owned(),
            format!("{HASH}x"), format!("$2x$05${rest}"), format!("$2b$17${rest}"), format!("$2b$31${rest}"),
            format!("$2b$5${rest}x"), HASH.replace("nz", "n!"), "5f4dcc3b5aa765d61d8327deb882cf99".to_owned(),
        ];
        for hash in wrong {
            let answer = server.post("/users").server().json(&json!({ "password_hash": hash })).send().await;
            assert_eq!(answer.status, 400, "{hash}: {}", answer.text());
            answer.expect_text(400);
        }
        people::create(&server, &json!({ "password_hash": format!("$2b$16${rest}") })).await;
    }

    async fn a_first_password_needs_a_primary_email(server) {
        let user = people::create(&server, &json!({})).await;
        let id = user["id"].as_str().expect("an id");
        change(&server, id, json!({ "password": PASSWORD })).await.expect_text(400);
        assert_eq!(stored::password_hash(&server, id).await, None);
        let fields = json!({ "password": PASSWORD, "primary_email": "ada@example.com", "primary_email_auth_enabled": true });
        change(&server, id, fields).await.expect(200);
        assert!(signs_in(&server, "ada@example.com", PASSWORD).await);
    }

    async fn on_creation_it_does_not(server) {
        let user = people::create(&server, &json!({ "password": PASSWORD })).await;
        assert_eq!(user["has_password"], true);
    }

    async fn a_first_password_is_refused_where_the_project_has_none(server, builder = without_passwords()) {
        let fields = json!({ "primary_email": "ada@example.com", "primary_email_auth_enabled": true });
        let user = people::create(&server, &fields).await;
        let id = user["id"].as_str().expect("an id");
        for fields in [json!({ "password": PASSWORD }), json!({ "password_hash": HASH })] {
            change(&server, id, fields).await.expect_text(400);
        }
        // Replacing one that is there is allowed, and so is removing it.
        stored::set_password_hash(&server, id, HASH).await;
        change(&server, id, json!({ "password": OTHER_PASSWORD })).await.expect(200);
        assert_ne!(stored::password_hash(&server, id).await.as_deref(), Some(HASH));
        change(&server, id, json!({ "password": null })).await.expect(200);
        assert_eq!(stored::password_hash(&server, id).await, None);
    }

    async fn a_password_of_seventy_characters_of_four_bytes_each_is_kept_whole(server) {
        let long: String = "𝄞".repeat(69) + "a";
        let fields = json!({ "primary_email": "ada@example.com", "primary_email_auth_enabled": true, "password": long });
        people::create(&server, &fields).await;
        assert!(signs_in(&server, "ada@example.com", &long).await);
        assert!(!signs_in(&server, "ada@example.com", &("𝄞".repeat(69) + "b")).await, "the last character counts");
    }
}
