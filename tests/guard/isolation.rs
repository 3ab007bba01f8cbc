//! Two projects know nothing of each other: an id of one means nothing to the other, at any level.

use latchkey_testkit::{Answer, Project, Request, TestServer, on_both_engines};
use latchkey_tests::operations::{self, Operation};
use latchkey_tests::people::{self, Person};
use reqwest::Method;
use serde_json::{Value, json};

/// What path parameters mean. A route with a parameter that is missing here fails the test: say what it names.
fn own_value(name: &str, ada: &Person) -> Option<String> {
    match name {
        "user_id" => Some(ada.id.clone()),
        "id" => Some(ada.session_id()),
        // Public by design, and not an id inside a project.
        "project_id" | "rest" | "folder" | "file" | "level" => None,
        other => panic!("the parameter {other} is new: say what it names in an isolated project"),
    }
}

/// The path of an operation with the ids of `ada`; `None` if it names nothing inside a project.
fn path(operation: &Operation, ada: &Person) -> Option<String> {
    let mut path = operation.path.clone();
    let mut names_something = false;
    for name in operation.required("path") {
        let value = own_value(name.trim_start_matches('*'), ada)?;
        path = path.replace(&format!("{{{name}}}"), &value);
        names_something = true;
    }
    let query = operation.required("query");
    if query.iter().any(|name| name == "user_id") {
        path = format!("{path}?user_id={}", ada.id);
        names_something = true;
    }
    names_something.then_some(path)
}

/// Speaks for another project at this level, with somebody of that project signed in.
fn from_outside<'s>(request: Request<'s>, other: &Project, access: &str, outsider: &Person) -> Request<'s> {
    people::speaking_for(request, other, access).user(&outsider.access_token)
}

fn is_refused(answer: &Answer) -> bool {
    let empty_list = answer.status == 200 && answer.json()["items"] == json!([]);
    (400..500).contains(&answer.status) || empty_list
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
    async fn ids_in_paths_and_queries_mean_nothing_to_another_project(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "client_metadata": { "secret": "marker-of-ada" } })).await;
        let before = people::seen_by_server(&server, &ada.id).await;
        let mallory = outsider(&server).await;
        let other = server.other_project().clone();
        let mut tried = 0;
        for operation in operations::all(&server).await {
            let Some(path) = path(&operation, &ada) else { continue };
            for access in &operation.access {
                let method = Method::from_bytes(operation.method.as_bytes()).expect("a method");
                let request = server.request(method, &format!("/api/v1{path}"));
                let request = if operation.has_body() { request.json(&json!({})) } else { request };
                let answer = from_outside(request, &other, access, &mallory).send().await;
                let who = format!("{access} of another project at {} {path}: {}", operation.method, answer.text());
                assert!(is_refused(&answer), "{who}");
                assert!(!answer.text().contains("marker-of-ada") && !answer.text().contains("ada@example.com"), "{who}");
                tried += 1;
            }
        }
        assert!(tried >= 9, "{tried}");
        assert_untouched(&server, &ada, &before).await;
    }

    async fn ids_in_bodies_mean_nothing_to_another_project(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let before = people::seen_by_server(&server, &ada.id).await;
        let mallory = outsider(&server).await;
        let other = server.other_project().clone();
        let mut tried = 0;
        for operation in operations::all(&server).await.iter().filter(|operation| operation.has_body()) {
            let fields: Vec<String> = operation
                .bodies()
                .iter()
                .filter_map(|form| form.get("properties")?.as_object().cloned())
                .flat_map(|fields| fields.into_iter().map(|(name, _)| name))
                .filter(|name| name.ends_with("_id") && name != "client_id")
                .collect();
            for field in fields {
                let value = match field.as_str() {
                    "user_id" => ada.id.clone(),
                    // No team belongs to anybody here.
                    "selected_team_id" => "00000000-0000-4000-8000-0000000000a1".to_owned(),
                    // A project, and teams of the project that owns projects.
                    "project_id" => server.project_id().to_owned(),
                    "owner_team_id" | "new_team_id" | "theme_id" => "00000000-0000-4000-8000-0000000000a2".to_owned(),
                    other => panic!("the field {other} is new: say what it names in an isolated project"),
                };
                for access in &operation.access {
                    let method = Method::from_bytes(operation.method.as_bytes()).expect("a method");
                    let path = operation.path_with(&mallory.id);
                    let request = server.request(method, &format!("/api/v1{path}")).json(&json!({ field.clone(): value }));
                    let answer = from_outside(request, &other, access, &mallory).send().await;
                    assert!(is_refused(&answer), "{access} at {} {path} with {field}: {}", operation.method, answer.text());
                    tried += 1;
                }
            }
        }
        assert!(tried >= 2, "{tried}");
        assert_untouched(&server, &ada, &before).await;
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
