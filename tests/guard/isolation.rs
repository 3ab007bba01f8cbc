//! Two projects know nothing of each other: an id of one means nothing to the other, at any level.

use latchkey_testkit::{Answer, Project, Request, TestServer, on_both_engines};
use latchkey_tests::operations::{self, Operation};
use latchkey_tests::people::{self, Person};
use latchkey_tests::{passkeys, stored, teams};
use reqwest::Method;
use serde_json::{Value, json};

/// What Ada has in her project besides herself.
struct Belongings {
    team: String,
    invitation: String,
    channel: String,
    account: String,
    passkey: String,
    mail: String,
}

/// Gives Ada a team, an open invitation to it, an account with a provider, and a passkey; she has an address.
async fn belongings(server: &TestServer, ada: &Person) -> Belongings {
    let team = teams::created_by(server, ada, "marker-of-ada").await;
    let (invitation, _) = teams::invite(server, &team, "ada@example.com").await;
    let path = format!("/contact-channels?user_id={}", ada.id);
    let channels = server.get(&path).server().send().await.expect(200);
    let channel = channels["items"][0]["id"].as_str().expect("an id").to_owned();
    passkeys::registered(server, ada).await;
    let passkey = passkeys::list(server, &ada.id).await[0]["id"].as_str().expect("an id").to_owned();
    let mails = server.get("/emails/outbox").server().send().await.expect(200);
    let mail = mails["items"][0]["id"].as_str().expect("the mail of the invitation").to_owned();
    Belongings {
        team,
        invitation,
        channel,
        account: stored::linked_account(server, &ada.id).await,
        passkey,
        mail,
    }
}

/// What path parameters mean. A route with a parameter that is missing here fails the test: say what it names.
fn own_value(path: &str, name: &str, ada: &Person, own: &Belongings) -> Option<String> {
    match name {
        "user_id" => Some(ada.id.clone()),
        "team_id" => Some(own.team.clone()),
        "contact_channel_id" => Some(own.channel.clone()),
        // Words of a project and of a provider; what is asked is whose account it is. Real tokens are asked for in
        // `http/connected_accounts/accounts.rs`.
        "provider_id" if path.contains("/connected-accounts/") => Some("github".to_owned()),
        "provider_account_id" => Some("marker-of-ada".to_owned()),
        "provider_id" => Some(own.account.clone()),
        "passkey_id" => Some(own.passkey.clone()),
        // The same in every project; what is asked is whose wish it is.
        "notification_category_id" => Some("4f6f8873-3d04-46bd-8bef-18338b1a1b4c".to_owned()),
        // Every project has it; what is asked is whose team or user it is held by.
        "permission_id" => Some("team_member".to_owned()),
        "id" if path.starts_with("/team-invitations") => Some(own.invitation.clone()),
        "id" if path.starts_with("/emails/outbox") => Some(own.mail.clone()),
        "id" => Some(ada.session_id()),
        // Nobody's; real ones are swapped in `http/webhooks/endpoints.rs`.
        "endpoint_id" => Some("ep_000000000000000000000000000".to_owned()),
        // The test project has no API keys; `http/api_keys/isolation.rs` swaps those of one that has.
        "api_key_id" => Some("00000000-0000-4000-8000-00000000dead".to_owned()),
        "message_id" => Some("msg_000000000000000000000000000".to_owned()),
        // Public by design, and not an id inside a project.
        "project_id" | "rest" | "folder" | "file" | "level" => None,
        other => panic!("the parameter {other} is new: say what it names in an isolated project"),
    }
}

/// The path of an operation with the ids of `ada`; `None` if it names nothing inside a project.
fn path(operation: &Operation, ada: &Person, own: &Belongings) -> Option<String> {
    let mut path = operation.path.clone();
    let mut names_something = false;
    // Definitions are named by words, which mean something else in each project.
    if path.contains("-permission-definitions") {
        return None;
    }
    for name in operation.required("path") {
        let value = own_value(&operation.path, name.trim_start_matches('*'), ada, own)?;
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
    async fn ids_in_paths_and_queries_mean_nothing_to_another_project(server, builder = passkeys::builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "client_metadata": { "secret": "marker-of-ada" } })).await;
        let own = belongings(&server, &ada).await;
        let before = people::seen_by_server(&server, &ada.id).await;
        let mallory = outsider(&server).await;
        let other = server.other_project().clone();
        let mut tried = 0;
        for operation in operations::all(&server).await {
            let Some(path) = path(&operation, &ada, &own) else { continue };
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

    async fn ids_in_bodies_mean_nothing_to_another_project(server, builder = passkeys::builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let own = belongings(&server, &ada).await;
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
                    "user_id" | "creator_user_id" => ada.id.clone(),
                    "team_id" | "selected_team_id" => own.team.clone(),
                    // Words of a project and of a provider, not ids inside a project.
                    "provider_config_id" | "account_id" => "github".to_owned(),
                    // A project, and teams of the project that owns projects.
                    "project_id" => server.project_id().to_owned(),
                    "owner_team_id" | "new_team_id" | "theme_id" | "template_id" | "draft_id" => "00000000-0000-4000-8000-0000000000a2".to_owned(),
                    "endpoint_id" => "ep_000000000000000000000000000".to_owned(),
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

    async fn ids_in_filters_mean_nothing_to_another_project(server, builder = passkeys::builder()) {
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

    async fn teams_of_one_project_take_nobody_of_another_in(server, builder = passkeys::builder()) {
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
