//! Two projects know nothing of each other: an id of one means nothing to the other, at any level.

mod requests;

use latchkey_testkit::{Answer, Project, Request, TestServer, on_both_engines};
use latchkey_tests::operations;
use latchkey_tests::people::{self, Person};
use latchkey_tests::teams;
use reqwest::Method;
use serde_json::{Value, json};

/// What Ada has in her project besides herself.
struct Belongings {
    team: String,
    invitation: String,
}

/// Gives Ada a team and an open invitation to it.
async fn belongings(server: &TestServer, ada: &Person) -> Belongings {
    let team = teams::created_by(server, ada, "marker-of-ada").await;
    let (invitation, _) = teams::invite(server, &team, "ada@example.com").await;
    Belongings { team, invitation }
}

/// Speaks for another project at this level, with somebody of that project signed in.
fn from_outside<'s>(request: Request<'s>, other: &Project, access: &str, outsider: &Person) -> Request<'s> {
    people::speaking_for(request, other, access).user(&outsider.access_token)
}

fn is_refused(answer: &Answer) -> bool {
    let empty_list = answer.status == 200 && answer.json()["items"] == json!([]);
    // A test message tells by its answer that it found nobody to be sent to.
    let without_success = answer.status == 200 && answer.json()["success"] == json!(false);
    (400..500).contains(&answer.status) || empty_list || without_success
}

async fn outsider(server: &TestServer) -> Person {
    let other = server.other_project().clone();
    let request = people::speaking_for(server.post("/auth/password/sign-up"), &other, "client");
    let body = json!({ "email": "mallory@example.com", "password": people::PASSWORD });
    Person::of(&request.json(&body).send().await.expect(200))
}

async fn assert_untouched(server: &TestServer, ada: &Person, before: &Value) {
    assert_eq!(people::seen_by_server(server, &ada.id).await, *before);
    people::seen_by_self(server, ada).await;
    let refresh = server.post("/auth/sessions/current/refresh").client();
    refresh.header("x-stack-refresh-token", &ada.refresh_token).send().await.expect(200);
}

on_both_engines! {
    async fn ids_in_filters_mean_nothing_to_another_project(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let own = belongings(&server, &ada).await;
        let mallory = outsider(&server).await;
        let other = server.other_project().clone();
        let mut tried = 0;
        for operation in operations::all(&server).await.iter().filter(|operation| operation.method == "GET") {
            // Filters have no effect where one thing is addressed.
            if operation.path.contains('{') || operation.path == "/users/me" {
                continue;
            }
            for (filter, value) in [("user_id", &ada.id), ("team_id", &own.team), ("cursor", &own.team), ("cursor", &ada.id)] {
                if !operation.reads("query", filter) {
                    continue;
                }
                for access in &operation.access {
                    let path = format!("/api/v1{}?{filter}={value}", operation.path);
                    let answer = from_outside(server.request(Method::GET, &path), &other, access, &mallory).send().await;
                    assert!(is_refused(&answer), "{access} at {path}: {}", answer.text());
                    tried += 1;
                }
            }
        }
        assert!(tried >= 20, "{tried}");
    }

    async fn teams_of_one_project_take_nobody_of_another_in(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let own = belongings(&server, &ada).await;
        let (_, code) = teams::invite(&server, &own.team, "mallory@example.com").await;
        let mallory = outsider(&server).await;
        let other = server.other_project().clone();
        let there = |request, access| from_outside(request, &other, access, &mallory);
        let created = there(server.post("/teams"), "server").json(&json!({ "display_name": "x" })).send().await.expect(201);
        let theirs = teams::id_of(&created);
        let body = json!({ "display_name": "x", "creator_user_id": ada.id });
        there(server.post("/teams"), "server").json(&body).send().await.expect_error(404, "USER_NOT_FOUND");
        for (team, user, code) in [
            (&theirs, &ada.id, "USER_NOT_FOUND"), (&own.team, &mallory.id, "TEAM_NOT_FOUND"), (&own.team, &ada.id, "USER_NOT_FOUND"),
        ] {
            let path = format!("/team-memberships/{team}/{user}");
            there(server.post(&path), "server").json(&json!({})).send().await.expect_error(404, code);
        }
        let body = json!({ "team_id": own.team, "email": "mallory@example.com", "callback_url": "http://localhost/" });
        there(server.post("/team-invitations/send-code"), "server").json(&body).send().await.expect_error(404, "TEAM_NOT_FOUND");
        for path in ["accept", "accept/details", "accept/check-code"] {
            let request = there(server.post(&format!("/team-invitations/{path}")), "client").json(&json!({ "code": code }));
            request.send().await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        }
        let verified = json!({ "primary_email_verified": true });
        there(server.patch("/users/me"), "server").json(&verified).send().await.expect(200);
        let listed = there(server.get("/team-invitations?user_id=me"), "client").send().await.expect(200);
        assert_eq!(listed["items"], json!([]), "the same address in another project");
        let path = format!("/team-invitations/{}?team_id={theirs}", own.invitation);
        there(server.delete(&path), "server").send().await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        assert_eq!(teams::members(&server, &own.team).await, [ada.id.as_str()]);
    }

    async fn definitions_of_one_project_are_none_of_another(server) {
        let other = server.other_project().clone();
        for endpoint in ["/team-permission-definitions", "/project-permission-definitions"] {
            let body = json!({ "id": format!("own{}", endpoint.len()) });
            let made = server.post(endpoint).admin().json(&body).send().await.expect(201);
            let there = people::speaking_for(server.get(endpoint), &other, "admin").send().await.expect(200);
            assert!(!teams::ids(&there).contains(&teams::id_of(&made)));
            let path = format!("{endpoint}/{}", teams::id_of(&made));
            let removed = people::speaking_for(server.delete(&path), &other, "admin").send().await;
            removed.expect_error(404, "PERMISSION_NOT_FOUND");
        }
    }

    async fn tokens_of_one_project_open_no_route_of_another(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let other = server.other_project().clone();
        for operation in operations::all(&server).await {
            for access in &operation.access {
                let method = Method::from_bytes(operation.method.as_bytes()).expect("a method");
                let path = operation.path_with(&ada.id);
                let request = server.request(method, &format!("/api/v1{path}"));
                let request = if operation.has_body() { request.json(&json!({})) } else { request };
                let answer = people::speaking_for(request, &other, access).user(&ada.access_token).send().await;
                assert_eq!(
                    answer.header("x-stack-known-error"), Some("INVALID_PROJECT_FOR_ACCESS_TOKEN"), "{} {path}", operation.method
                );
            }
        }
    }

    async fn refresh_tokens_of_one_project_refresh_nothing_in_another(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let other = server.other_project().clone();
        let refresh = || people::speaking_for(server.post("/auth/sessions/current/refresh"), &other, "client");
        for request in [
            refresh().header("x-stack-refresh-token", &ada.refresh_token),
            refresh().json(&json!({ "refresh_token": ada.refresh_token })),
        ] {
            request.send().await.expect_error(401, "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED");
        }
        let form = [
            ("grant_type", "refresh_token"), ("refresh_token", ada.refresh_token.as_str()),
            ("client_id", other.id.as_str()), ("client_secret", other.keys.publishable.as_str()),
        ];
        server.post("/auth/oauth/token").form(&form).send().await
            .expect_error(401, "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED");
        let refresh = server.post("/auth/sessions/current/refresh").client();
        refresh.header("x-stack-refresh-token", &ada.refresh_token).send().await.expect(200);
    }

    async fn the_same_address_is_two_people_with_two_passwords(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let other = server.other_project().clone();
        let there = |path: &str| people::speaking_for(server.post(path), &other, "client");
        let body = json!({ "email": "ada@example.com", "password": people::OTHER_PASSWORD });
        let twin = Person::of(&there("/auth/password/sign-up").json(&body).send().await.expect(200));
        assert_ne!(twin.id, ada.id);
        let crossed = json!({ "email": "ada@example.com", "password": people::PASSWORD });
        there("/auth/password/sign-in").json(&crossed).send().await.expect_error(400, "EMAIL_PASSWORD_MISMATCH");
        let path = format!("/users/{}", twin.id);
        people::speaking_for(server.delete(&path), &other, "server").send().await.expect(200);
        people::sign_in(&server, "ada@example.com").await;
    }
}
