//! Each operation that takes an id, with ids of one project in every place where it takes one: path, query and body.
//! Spoken for that project each of them works, so that a refusal is about the project and nothing else; spoken for
//! another one none does, and the table says how each is refused.

mod table;

use std::collections::{BTreeMap, BTreeSet};

use latchkey_testkit::{Answer, Builder, Keys, Project, Request, TestServer, on_both_engines};
use latchkey_tests::operations::{self, Operation};
use latchkey_tests::people::{self, Person};
use latchkey_tests::receiver::Receiver;
use latchkey_tests::{passkeys, stored, teams};
use reqwest::Method;
use serde_json::{Value, json};

use self::table::{REQUESTS, Row, told};
use super::{assert_untouched, is_refused};

/// Operations with parameters or fields that look like ids, and why they are not here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("/data-vault/", "stores are named by words: http/data_vault.rs"),
    ("-permission-definitions", "permissions are named by words: isolation.rs"),
    ("/internal/email-drafts", "themes and templates; the id of a draft itself is in the table"),
    ("/internal/config/override/", "a level is a word"),
    ("/internal/projects", "projects and the teams that own them: http/projects/owners.rs"),
    ("/.well-known/", "public"),
    ("/images/", "public; http/users/images.rs swaps the project"),
    ("/access-token", "tokens of a provider, which has to be there: http/connected_accounts/accounts.rs"),
    ("/auth/oauth/", "codes, states and clients: http/oauth"),
];

/// Another project, which uses everything.
fn third() -> Project {
    let key = |kind: &str| format!("{kind}_third_0123456789abcdefghjkmnpqrstvwxyz");
    let keys = Keys { publishable: key("pck"), secret: key("ssk"), admin: key("sak") };
    Project { id: "33333333-3333-4333-8333-333333333333".to_owned(), keys }
}

fn builder() -> Builder {
    let Project { id, keys } = third();
    // The same for both, so that nothing is refused because a project does not use it.
    let settings = json!({
        "apiKeys": { "enabled": { "user": true, "team": true } },
        "auth": {
            "passkey": { "allowSignIn": true },
            "oauth": { "providers": { "github": { "type": "github", "allowSignIn": true, "allowConnectedAccounts": true } } },
        },
        "teams": { "allowClientTeamCreation": true },
        "rbac": { "permissions": { "read": { "scope": "project" } } },
    });
    let declared = json!([{
        "id": id, "settings": settings,
        "keys": {
            "publishable_client_key": keys.publishable, "secret_server_key": keys.secret, "super_secret_admin_key": keys.admin,
        },
    }]);
    let local = TestServer::builder().config("outgoing.allow_private_addresses", r#"["127.0.0.0/8"]"#);
    local.config("project", &declared.to_string())
}

/// Gives the test project, too, what the other one has.
async fn configure(server: &TestServer) {
    let keys = json!({
        "apiKeys.enabled": { "user": true, "team": true }, "auth.passkey.allowSignIn": true,
        "auth.oauth.providers": { "github": { "type": "github", "allowSignIn": true, "allowConnectedAccounts": true } },
        "teams.allowClientTeamCreation": true, "rbac.permissions.read": { "scope": "project" },
    });
    let body = json!({ "config_override_string": keys.to_string() });
    server.patch("/internal/config/override/environment").admin().json(&body).send().await.expect(200);
}

/// Makes a project send its mail by a server of its own, without which it sends none to its users.
async fn own_mail_server(request: Request<'_>) {
    let config = json!({
        "type": "standard", "host": "127.0.0.1", "port": 9, "username": "u", "password": "p", "sender_name": "N",
        "sender_email": "n@example.com",
    });
    request.json(&json!({ "config": { "email_config": config } })).send().await.expect(200);
}

/// The ids behind the `@words`.
type Ids = BTreeMap<&'static str, String>;

/// Everything that a project can have, made by the API.
async fn belongings(server: &TestServer, ada: &Person, receiver: &Receiver) -> Ids {
    let text = |value: &Value| value.as_str().expect("an id").to_owned();
    let admin = |path: &str, body: Value| {
        let request = server.post(path).admin().json(&body);
        async move { request.send().await }
    };
    let id = |answer: &Answer| text(&answer.json()["id"]);
    people::change(server, &ada.id, &json!({ "primary_email_verified": true })).await;
    let team = teams::created_by(server, ada, "marker-of-ada").await;
    let channels =
        server.get(&format!("/contact-channels?user_id={}", ada.id)).server().send().await.expect(200);
    let second =
        json!({ "user_id": ada.id, "type": "email", "value": "second@example.com", "used_for_auth": false });
    passkeys::registered(server, ada).await;
    let passkey = text(&passkeys::list(server, &ada.id).await[0]["id"]);
    let key = |kind: &str, owner: &str| json!({ kind: owner, "description": "marker-of-ada", "expires_at_millis": null });
    let set = json!({
        "description": "marker-of-ada", "expires_at_millis": 9_999_999_999_999_i64, "has_publishable_client_key": true,
        "has_secret_server_key": false, "has_super_secret_admin_key": false,
    });
    let endpoint =
        id(&admin("/webhooks/endpoints", json!({ "url": receiver.url, "description": "marker-of-ada" }))
            .await);
    let spare = json!({ "url": "https://hooks.example.com/", "event_types": ["team.deleted"] });
    let other_endpoint = id(&admin("/webhooks/endpoints", spare).await);
    // Something happens, so that there is a message.
    let friend = text(&people::create(server, &json!({ "display_name": "marker-of-ada" })).await["id"]);
    server.flush().await;
    let message = receiver.received()[0].header("svix-id").to_owned();
    let (invitation, _) = teams::invite(server, &team, "ada@example.com").await;
    let (letter, _) = teams::invite(server, &team, "ada@example.com").await;
    let (open, _) = teams::invite(server, &team, "else@example.com").await;
    let mails = server.get("/emails/outbox").server().send().await.expect(200);
    own_mail_server(server.patch("/internal/projects/current").admin()).await;
    let template = json!({ "display_name": "marker-of-ada" });
    Ids::from([
        ("project", server.project_id().to_owned()),
        ("user", ada.id.clone()),
        ("friend", friend),
        ("session", people::sign_in(server, "ada@example.com").await.session_id()),
        ("channel", text(&channels["items"][0]["id"])),
        ("second", id(&admin("/contact-channels", second).await)),
        ("account", stored::linked_account(server, &ada.id).await),
        ("passkey", passkey),
        ("user-key", id(&admin("/user-api-keys", key("user_id", &ada.id)).await)),
        ("team-key", id(&admin("/team-api-keys", key("team_id", &team)).await)),
        ("set", id(&admin("/internal/api-keys", set).await)),
        ("draft", id(&admin("/internal/email-drafts", template.clone()).await)),
        ("template", id(&admin("/internal/email-templates", template.clone()).await)),
        ("theme", id(&admin("/internal/email-themes", template).await)),
        ("mail", text(&mails["items"][0]["id"])),
        ("team", team),
        ("invitation", invitation),
        ("letter", letter),
        ("open", open),
        ("endpoint", endpoint),
        ("other-endpoint", other_endpoint),
        ("message", message),
    ])
}

/// A text with ids in place of its `@words`.
fn filled(text: &str, ids: &Ids) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('@') {
        filled.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(after.len());
        if let Some(id) = ids.get(&after[..end]) {
            filled.push_str(id);
        } else {
            // The `@` of an address.
            filled.push('@');
            filled.push_str(&after[..end]);
        }
        rest = &after[end..];
    }
    filled + rest
}

/// Whoever asks: for which project, as whom, and by which token of Svix.
struct Asker<'a> {
    project: &'a Project,
    person: &'a Person,
    bearer: String,
}

impl Asker<'_> {
    async fn ask(&self, server: &TestServer, row: &Row, access: &str, ids: &Ids) -> Answer {
        let (operation, path, body, _) = row;
        let (method, _) = operation.split_once(' ').expect("a method and a path");
        let mut ids = ids.clone();
        ids.insert("self", self.person.id.clone());
        ids.insert("mine", self.project.id.clone());
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = server.api(method, &filled(path, &ids));
        if !body.is_empty() {
            let body: Value = serde_json::from_str(&filled(body, &ids)).expect("JSON");
            request = request.json(&body);
        }
        if path.starts_with("/app/") {
            return request.header("authorization", &self.bearer).send().await;
        }
        people::speaking_for(request, self.project, access).user(&self.person.access_token).send().await
    }
}

/// An answer as the table says it.
fn in_a_word(answer: &Answer) -> String {
    match answer.header("x-stack-known-error") {
        Some(code) => code.to_owned(),
        None if answer.status == 200 && answer.json()["items"] == json!([]) => "[]".to_owned(),
        None if answer.status == 200 && answer.json()["success"] == json!(false) => "failed".to_owned(),
        None => answer.status.to_string(),
    }
}

async fn bearer(server: &TestServer, project: &Project) -> String {
    let request = people::speaking_for(server.post("/webhooks/svix-token"), project, "admin");
    let token = request.json(&json!({})).send().await.expect(201);
    format!("Bearer {}", token["token"].as_str().expect("a token"))
}

/// Somebody of the other project.
async fn mallory(server: &TestServer) -> Person {
    let request = people::speaking_for(server.post("/auth/password/sign-up"), &third(), "client");
    let body = json!({ "email": "mallory@example.com", "password": people::PASSWORD });
    Person::of(&request.json(&body).send().await.expect(200))
}

/// Whether an operation takes something that looks like an id.
fn takes_ids(operation: &Operation) -> bool {
    let is_id = |name: &str| name == "id" || name.ends_with("_id") || name.ends_with("_ids");
    let fields = operation.bodies();
    let mut fields =
        fields.iter().filter_map(|form| form.get("properties")?.as_object()).flat_map(|fields| fields.keys());
    operation.required("path").iter().any(|name| is_id(name))
        || operation.required("query").iter().any(|name| is_id(name))
        || fields.any(|name| is_id(name) && name != "client_id")
}

on_both_engines! {
    async fn every_operation_that_takes_ids_is_tried_with_ids_of_another_project(server) {
        let tried: BTreeSet<&str> = REQUESTS.iter().map(|(operation, ..)| *operation).collect();
        let all = operations::all(&server).await;
        let name = |operation: &Operation| format!("{} {}", operation.method, operation.path);
        let missing: Vec<String> = all
            .iter()
            .filter(|operation| takes_ids(operation) && !ELSEWHERE.iter().any(|(part, _)| operation.path.contains(part)))
            .map(name)
            .filter(|name| !tried.contains(name.as_str()))
            .collect();
        assert!(missing.is_empty(), "say in the table what ids these take: {missing:#?}");
        let known: BTreeSet<String> = all.iter().map(name).collect();
        let gone: Vec<&&str> = tried.iter().filter(|name| !known.contains(**name)).collect();
        assert!(gone.is_empty(), "{gone:?}");
    }

    async fn ids_of_one_project_mean_nothing_to_another_and_everything_to_their_own(server, builder = builder()) {
        configure(&server).await;
        let third = third();
        own_mail_server(people::speaking_for(server.patch("/internal/projects/current"), &third, "admin")).await;
        let receiver = Receiver::start().await;
        let ada = people::sign_up(&server, "ada@example.com").await;
        let ids = belongings(&server, &ada, &receiver).await;
        let before = people::seen_by_server(&server, &ada.id).await;
        let mallory = mallory(&server).await;
        let outsider = Asker { project: &third, person: &mallory, bearer: bearer(&server, &third).await };
        let access_of: BTreeMap<String, Vec<String>> = operations::all(&server)
            .await
            .into_iter()
            .map(|operation| (format!("{} {}", operation.method, operation.path), operation.access))
            .collect();
        let levels = |operation: &str| match access_of[operation].as_slice() {
            [] => vec!["open".to_owned()],
            levels => levels.to_vec(),
        };
        for row in REQUESTS {
            for access in levels(row.0) {
                let answer = outsider.ask(&server, row, &access, &ids).await;
                let who = format!("{access} of another project at {row:?}: {} {}", answer.status, answer.text());
                assert_eq!(in_a_word(&answer), told(row, &access), "{who}");
                assert!(!answer.text().contains("marker-of-ada") && !answer.text().contains("ada@example.com"), "{who}");
            }
        }
        assert_untouched(&server, &ada, &before).await;
        let own = Project { id: server.project_id().to_owned(), keys: server.keys().clone() };
        let insider = Asker { project: &own, person: &ada, bearer: bearer(&server, &own).await };
        for row in REQUESTS {
            let access = levels(row.0).pop().expect("a level");
            let answer = insider.ask(&server, row, &access, &ids).await;
            // A mail that has left is found, and cannot be changed any more.
            let is_found = answer.header("x-stack-known-error") == Some("EMAIL_NOT_EDITABLE");
            assert!(is_found || !is_refused(&answer), "the project itself at {row:?}: {} {}", answer.status, answer.text());
        }
    }
}
