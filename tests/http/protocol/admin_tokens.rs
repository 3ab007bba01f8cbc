//! Contract 01 §4, step h: access tokens of the people who administer the server, in place of keys.

use latchkey_crypto::Secret;
use latchkey_identity::administrators;
use latchkey_testkit::{Request, TestServer, on_both_engines};
use latchkey_tests::people::{self, PASSWORD, Person};
use serde_json::{Value, json};

/// The request, to the project `internal` as a client.
fn internal(request: Request<'_>) -> Request<'_> {
    request.header("x-stack-access-type", "client").header("x-stack-project-id", "internal")
}

async fn enter(server: &TestServer, path: &str, email: &str) -> Person {
    let body = json!({ "email": email, "password": PASSWORD });
    Person::of(&internal(server.post(path)).json(&body).send().await.expect(200))
}

async fn administrator(server: &TestServer) -> Person {
    let password = Secret::new(PASSWORD.to_owned());
    administrators::create(server.app(), "root@example.com", None, password).await.expect("an administrator");
    enter(server, "/auth/password/sign-in", "root@example.com").await
}

/// A request of this access type for the test project that carries an admin access token and no key.
fn with_token<'s>(request: Request<'s>, server: &TestServer, access: &str, token: &str) -> Request<'s> {
    request
        .header("x-stack-access-type", access)
        .header("x-stack-project-id", server.project_id())
        .header("x-stack-admin-access-token", token)
}

/// Something that the administrator does as a server of `internal`.
async fn in_internal(request: Request<'_>, admin: &Person, body: &Value, status: u16) -> Value {
    let request = request
        .header("x-stack-access-type", "server")
        .header("x-stack-project-id", "internal")
        .header("x-stack-admin-access-token", &admin.access_token);
    request.json(body).send().await.expect(status)
}

on_both_engines! {
    async fn an_administrators_token_replaces_every_key(server) {
        let admin = administrator(&server).await;
        for access in ["client", "server", "admin"] {
            let answer = with_token(server.get("/"), &server, access, &admin.access_token).send().await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        let created = with_token(server.post("/users"), &server, "server", &admin.access_token);
        created.json(&json!({})).send().await.expect(201);
        let wrong_key = with_token(server.get("/"), &server, "server", &admin.access_token);
        let answer = wrong_key.header("x-stack-secret-server-key", "ssk_wrong").send().await;
        assert_eq!(answer.status, 200, "a key beside it is not looked at");
    }

    async fn an_expired_admin_token_tells_when_it_expired(server) {
        let admin = administrator(&server).await;
        let expiry = latchkey_tests::tokens::claims(&admin.access_token)["exp"].as_i64().expect("a time");
        server.clock().advance_seconds(600);
        let answer = with_token(server.get("/"), &server, "admin", &admin.access_token).send().await;
        let details = answer.expect_error(401, "ADMIN_ACCESS_TOKEN_EXPIRED");
        assert_eq!(details, json!({ "expired_at_millis": expiry * 1000 }));
    }

    async fn what_is_no_token_of_the_server_is_unparsable(server) {
        let admin = administrator(&server).await;
        let forged = latchkey_tests::tokens::with_claim(&admin.access_token, "name", json!("Mallory"));
        for token in ["x", "x.y.z", forged.as_str()] {
            let answer = with_token(server.get("/"), &server, "admin", token).send().await;
            assert!(answer.expect_error(401, "UNPARSABLE_ADMIN_ACCESS_TOKEN").is_null());
        }
    }

    async fn anonymous_and_restricted_people_of_internal_administer_nothing(server) {
        let admin = administrator(&server).await;
        for fields in [json!({ "is_anonymous": true }), json!({ "restricted_by_admin": true })] {
            let user = in_internal(server.post("/users"), &admin, &fields, 201).await;
            let body = json!({ "user_id": user["id"] });
            let session = in_internal(server.post("/auth/sessions"), &admin, &body, 200).await;
            let token = session["access_token"].as_str().expect("a token");
            let answer = with_token(server.get("/"), &server, "server", token).send().await;
            answer.expect_error(401, "UNPARSABLE_ADMIN_ACCESS_TOKEN");
        }
    }

    async fn tokens_of_anonymous_and_restricted_people_are_no_better_when_they_have_expired(server) {
        let admin = administrator(&server).await;
        let mut tokens = Vec::new();
        for fields in [json!({ "is_anonymous": true }), json!({ "restricted_by_admin": true })] {
            let user = in_internal(server.post("/users"), &admin, &fields, 201).await;
            let body = json!({ "user_id": user["id"] });
            let session = in_internal(server.post("/auth/sessions"), &admin, &body, 200).await;
            tokens.push(session["access_token"].as_str().expect("a token").to_owned());
        }
        server.clock().advance_seconds(600);
        for token in &tokens {
            let answer = with_token(server.get("/"), &server, "server", token).send().await;
            answer.expect_error(401, "UNPARSABLE_ADMIN_ACCESS_TOKEN");
        }
    }

    async fn a_token_of_another_project_is_not_an_admins(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let answer = with_token(server.get("/"), &server, "admin", &ada.access_token).send().await;
        assert!(answer.expect_error(401, "ADMIN_ACCESS_TOKEN_IS_NOT_ADMIN").is_null());
    }

    async fn somebody_outside_the_owning_team_is_not_an_admin(server) {
        let guest = enter(&server, "/auth/password/sign-up", "guest@example.com").await;
        let answer = with_token(server.get("/"), &server, "admin", &guest.access_token).send().await;
        answer.expect_error(401, "ADMIN_ACCESS_TOKEN_IS_NOT_ADMIN");
    }

    async fn an_administrator_who_was_deleted_or_signed_out_is_refused_in_plain_text(server) {
        let admin = administrator(&server).await;
        let again = enter(&server, "/auth/password/sign-in", "root@example.com").await;
        let sign_out = internal(server.delete("/auth/sessions/current")).user(&again.access_token);
        sign_out.send().await.expect(200);
        with_token(server.get("/"), &server, "admin", &again.access_token).send().await.expect_text(401);

        let path = format!("/users/{}", admin.id);
        in_internal(server.delete(&path), &admin, &json!({}), 200).await;
        with_token(server.get("/"), &server, "admin", &admin.access_token).send().await.expect_text(401);
    }

    async fn an_admin_token_does_not_sign_anybody_in(server) {
        let admin = administrator(&server).await;
        let answer = with_token(server.get("/users/me"), &server, "server", &admin.access_token).send().await;
        answer.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
    }
}
