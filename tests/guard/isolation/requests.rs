//! Each operation that takes an id, with ids of one project in every place where it takes one: path, query and body.
//! Spoken for that project each of them works, so that a refusal is about the project and nothing else; spoken for
//! another one none does.

use std::collections::{BTreeMap, BTreeSet};

use latchkey_testkit::{Answer, Builder, Keys, Project, Request, TestServer, on_both_engines};
use latchkey_tests::operations::{self, Operation};
use latchkey_tests::people::{self, Person};
use latchkey_tests::receiver::Receiver;
use latchkey_tests::{passkeys, stored, teams};
use reqwest::Method;
use serde_json::{Value, json};

use super::{assert_untouched, is_refused};

/// Operation, path with query, body. `@words` are ids of the one project, but for `@self`: whoever asks. They stand in an
/// order in which the project itself can do all of it.
const REQUESTS: &[(&str, &str, &str)] = &[
    ("GET /users/{user_id}", "/users/@user", ""),
    ("PATCH /users/{user_id}", "/users/@user", r#"{"display_name":"changed"}"#),
    ("PATCH /users/{user_id}", "/users/@self", r#"{"selected_team_id":"@team"}"#),
    ("PATCH /users/me", "/users/me", r#"{"selected_team_id":"@team"}"#),
    ("GET /contact-channels/{user_id}/{contact_channel_id}", "/contact-channels/@user/@channel", ""),
    (
        "POST /contact-channels",
        "/contact-channels",
        r#"{"user_id":"@user","type":"email","value":"new@example.com","used_for_auth":false}"#,
    ),
    (
        "PATCH /contact-channels/{user_id}/{contact_channel_id}",
        "/contact-channels/@user/@second",
        r#"{"used_for_auth":false}"#,
    ),
    (
        "POST /contact-channels/{user_id}/{contact_channel_id}/send-verification-code",
        "/contact-channels/@user/@second/send-verification-code",
        r#"{"callback_url":"http://localhost/"}"#,
    ),
    ("DELETE /contact-channels/{user_id}/{contact_channel_id}", "/contact-channels/@user/@second", ""),
    (
        "POST /oauth-providers",
        "/oauth-providers",
        r#"{"user_id":"@user","provider_config_id":"github","account_id":"9","allow_sign_in":false,"allow_connected_accounts":true}"#,
    ),
    ("GET /oauth-providers/{user_id}/{provider_id}", "/oauth-providers/@user/@account", ""),
    (
        "PATCH /oauth-providers/{user_id}/{provider_id}",
        "/oauth-providers/@user/@account",
        r#"{"allow_connected_accounts":true}"#,
    ),
    ("GET /connected-accounts/{user_id}", "/connected-accounts/@user", ""),
    ("DELETE /oauth-providers/{user_id}/{provider_id}", "/oauth-providers/@user/@account", ""),
    ("GET /passkeys", "/passkeys?user_id=@user", ""),
    ("GET /passkeys/{user_id}/{passkey_id}", "/passkeys/@user/@passkey", ""),
    ("PATCH /passkeys/{user_id}/{passkey_id}", "/passkeys/@user/@passkey", r#"{"name":"changed"}"#),
    ("DELETE /passkeys/{user_id}/{passkey_id}", "/passkeys/@user/@passkey", ""),
    ("GET /emails/notification-preference/{user_id}", "/emails/notification-preference/@user", ""),
    (
        "PATCH /emails/notification-preference/{user_id}/{notification_category_id}",
        "/emails/notification-preference/@user/4f6f8873-3d04-46bd-8bef-18338b1a1b4c",
        r#"{"enabled":true}"#,
    ),
    ("GET /auth/sessions", "/auth/sessions?user_id=@user", ""),
    ("POST /auth/sessions", "/auth/sessions", r#"{"user_id":"@user"}"#),
    ("DELETE /auth/sessions/{id}", "/auth/sessions/@session?user_id=@user", ""),
    ("GET /teams/{team_id}", "/teams/@team", ""),
    ("PATCH /teams/{team_id}", "/teams/@team", r#"{"display_name":"changed"}"#),
    ("POST /teams", "/teams", r#"{"display_name":"x","creator_user_id":"@user"}"#),
    ("POST /team-memberships/{team_id}/{user_id}", "/team-memberships/@team/@friend", "{}"),
    ("GET /team-member-profiles/{team_id}/{user_id}", "/team-member-profiles/@team/@user", ""),
    (
        "PATCH /team-member-profiles/{team_id}/{user_id}",
        "/team-member-profiles/@team/@user",
        r#"{"display_name":"changed"}"#,
    ),
    (
        "POST /team-permissions/{team_id}/{user_id}/{permission_id}",
        "/team-permissions/@team/@friend/team_admin",
        "{}",
    ),
    (
        "DELETE /team-permissions/{team_id}/{user_id}/{permission_id}",
        "/team-permissions/@team/@friend/team_admin",
        "",
    ),
    ("DELETE /team-memberships/{team_id}/{user_id}", "/team-memberships/@team/@friend", ""),
    ("POST /project-permissions/{user_id}/{permission_id}", "/project-permissions/@user/read", "{}"),
    ("DELETE /project-permissions/{user_id}/{permission_id}", "/project-permissions/@user/read", ""),
    (
        "POST /team-invitations/send-code",
        "/team-invitations/send-code",
        r#"{"team_id":"@team","email":"x@example.com","callback_url":"http://localhost/"}"#,
    ),
    ("POST /team-invitations/{id}/accept", "/team-invitations/@invitation/accept?user_id=@user", ""),
    ("POST /team-invitations/{id}/accept", "/team-invitations/@letter/accept?user_id=@self", ""),
    ("DELETE /team-invitations/{id}", "/team-invitations/@open?team_id=@team", ""),
    (
        "POST /user-api-keys",
        "/user-api-keys",
        r#"{"user_id":"@user","description":"x","expires_at_millis":null}"#,
    ),
    ("GET /user-api-keys", "/user-api-keys?user_id=@user", ""),
    ("GET /user-api-keys/{api_key_id}", "/user-api-keys/@user-key", ""),
    ("PATCH /user-api-keys/{api_key_id}", "/user-api-keys/@user-key", r#"{"description":"changed"}"#),
    (
        "POST /team-api-keys",
        "/team-api-keys",
        r#"{"team_id":"@team","description":"x","expires_at_millis":null}"#,
    ),
    ("GET /team-api-keys", "/team-api-keys?team_id=@team", ""),
    ("GET /team-api-keys/{api_key_id}", "/team-api-keys/@team-key?team_id=@team", ""),
    (
        "PATCH /team-api-keys/{api_key_id}",
        "/team-api-keys/@team-key?team_id=@team",
        r#"{"description":"changed"}"#,
    ),
    ("GET /internal/api-keys/{id}", "/internal/api-keys/@set", ""),
    ("PATCH /internal/api-keys/{id}", "/internal/api-keys/@set", r#"{"description":"changed"}"#),
    (
        "POST /emails/send-email",
        "/emails/send-email",
        r#"{"user_ids":["@user"],"html":"<p>x</p>","subject":"x"}"#,
    ),
    ("POST /emails/send-email", "/emails/send-email", r#"{"user_ids":["@self"],"draft_id":"@draft"}"#),
    ("POST /emails/send-email", "/emails/send-email", r#"{"user_ids":["@self"],"template_id":"@template"}"#),
    ("GET /emails/outbox/{id}", "/emails/outbox/@mail", ""),
    ("PATCH /emails/outbox/{id}", "/emails/outbox/@mail", r#"{"is_paused":false}"#),
    ("GET /internal/email-drafts/{id}", "/internal/email-drafts/@draft", ""),
    ("PATCH /internal/email-drafts/{id}", "/internal/email-drafts/@draft", r#"{"display_name":"changed"}"#),
    ("DELETE /internal/email-drafts/{id}", "/internal/email-drafts/@draft", ""),
    (
        "PATCH /internal/email-templates/{id}",
        "/internal/email-templates/@template",
        r#"{"tsx_source":"changed"}"#,
    ),
    ("DELETE /internal/email-templates/{id}", "/internal/email-templates/@template", ""),
    ("GET /internal/email-themes/{id}", "/internal/email-themes/@theme", ""),
    ("PATCH /internal/email-themes/{id}", "/internal/email-themes/@theme", r#"{"display_name":"changed"}"#),
    ("DELETE /internal/email-themes/{id}", "/internal/email-themes/@theme", ""),
    ("GET /webhooks/endpoints/{endpoint_id}", "/webhooks/endpoints/@endpoint", ""),
    (
        "PATCH /webhooks/endpoints/{endpoint_id}",
        "/webhooks/endpoints/@endpoint",
        r#"{"description":"changed"}"#,
    ),
    ("GET /webhooks/endpoints/{endpoint_id}/secret", "/webhooks/endpoints/@endpoint/secret", ""),
    (
        "POST /webhooks/endpoints/{endpoint_id}/secret/rotate",
        "/webhooks/endpoints/@endpoint/secret/rotate",
        "{}",
    ),
    ("GET /webhooks/endpoints/{endpoint_id}/attempts", "/webhooks/endpoints/@endpoint/attempts", ""),
    ("GET /webhooks/messages/{message_id}", "/webhooks/messages/@message", ""),
    (
        "POST /webhooks/messages/{message_id}/resend",
        "/webhooks/messages/@message/resend",
        r#"{"endpoint_id":"@endpoint"}"#,
    ),
    ("POST /internal/send-test-webhook", "/internal/send-test-webhook", r#"{"endpoint_id":"@endpoint"}"#),
    // In the form of Svix, where the bearer token says whose: of another project, and of one's own with ids of the other.
    ("GET /app/{project_id}/endpoint", "/app/@project/endpoint", ""),
    ("POST /app/{project_id}/endpoint", "/app/@project/endpoint", r#"{"url":"https://hooks.example.com/"}"#),
    ("GET /app/{project_id}/msg", "/app/@project/msg", ""),
    ("GET /app/{project_id}/endpoint/{endpoint_id}", "/app/@project/endpoint/@endpoint", ""),
    ("GET /app/{project_id}/endpoint/{endpoint_id}", "/app/@mine/endpoint/@endpoint", ""),
    (
        "PUT /app/{project_id}/endpoint/{endpoint_id}",
        "/app/@mine/endpoint/@endpoint",
        r#"{"url":"https://hooks.example.com/"}"#,
    ),
    (
        "PATCH /app/{project_id}/endpoint/{endpoint_id}",
        "/app/@mine/endpoint/@endpoint",
        r#"{"description":"changed"}"#,
    ),
    ("GET /app/{project_id}/endpoint/{endpoint_id}/secret", "/app/@mine/endpoint/@endpoint/secret", ""),
    (
        "POST /app/{project_id}/endpoint/{endpoint_id}/secret/rotate",
        "/app/@mine/endpoint/@endpoint/secret/rotate",
        "{}",
    ),
    ("GET /app/{project_id}/attempt/endpoint/{endpoint_id}", "/app/@mine/attempt/endpoint/@endpoint", ""),
    ("GET /app/{project_id}/attempt/msg/{message_id}", "/app/@mine/attempt/msg/@message", ""),
    ("GET /app/{project_id}/msg/{message_id}", "/app/@mine/msg/@message", ""),
    (
        "POST /app/{project_id}/msg/{message_id}/endpoint/{endpoint_id}/resend",
        "/app/@mine/msg/@message/endpoint/@endpoint/resend",
        "",
    ),
    ("DELETE /app/{project_id}/endpoint/{endpoint_id}", "/app/@mine/endpoint/@endpoint", ""),
    ("DELETE /webhooks/endpoints/{endpoint_id}", "/webhooks/endpoints/@other-endpoint", ""),
    ("DELETE /teams/{team_id}", "/teams/@team", ""),
    ("DELETE /users/{user_id}", "/users/@user", ""),
];

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
    async fn ask(&self, server: &TestServer, row: &(&str, &str, &str), access: &str, ids: &Ids) -> Answer {
        let (operation, path, body) = row;
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
        let tried: BTreeSet<&str> = REQUESTS.iter().map(|(operation, _, _)| *operation).collect();
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
                assert!(is_refused(&answer), "{who}");
                assert_ne!(answer.header("x-stack-known-error"), Some("SCHEMA_ERROR"), "it is well-formed: {who}");
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
