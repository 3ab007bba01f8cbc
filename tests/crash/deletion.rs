//! A server that is killed while it removes what belonged to a deleted project goes on after its next start until
//! nothing is left, and takes nothing from others.

use std::time::Duration;

use latchkey_api_types::ids::ProjectId;
use latchkey_storage::engine::StoreOptions;
use latchkey_storage::{StorageError, Store, project_deletion, projects};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::process::{Place, Server, binary};

const PASSWORD: &str = "a quiet harbour at 6";
/// People of the project that is deleted: many transactions' worth.
const PEOPLE: usize = 2000;
/// People of another project, who stay.
const OTHERS: usize = 20;
/// Requests at a time.
const AT_ONCE: usize = 32;
/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_mins(2);

/// Requests to one server, as somebody.
struct Caller<'s> {
    client: &'s reqwest::Client,
    server: &'s Server,
    headers: Vec<(&'static str, String)>,
}

impl Caller<'_> {
    fn request(&self, method: Method, path: &str, body: &Value) -> RequestBuilder {
        let mut request = self.client.request(method, self.server.url(path));
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Value {
        answer(self.request(method, path, body)).await
    }
}

/// The JSON of an answer that must be a success.
async fn answer(request: RequestBuilder) -> Value {
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let text = answer.text().await.expect("a body");
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).expect("JSON")
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value}"))
}

/// A client of a project that asks for no key, or of the default project with its key.
fn client_of<'s>(client: &'s reqwest::Client, server: &'s Server, project: &str) -> Caller<'s> {
    let key = server.text("publishable_client_key").to_owned();
    let headers = vec![
        ("x-stack-access-type", "client".to_owned()),
        ("x-stack-project-id", project.to_owned()),
        ("x-stack-publishable-client-key", if project == "internal" { String::new() } else { key }),
    ];
    let headers = headers.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    Caller { client, server, headers }
}

/// Makes a project with many people in it; its id and what administers it.
async fn fill<'s>(client: &'s reqwest::Client, server: &'s Server) -> (ProjectId, Caller<'s>) {
    let mut owner = client_of(client, server, "internal");
    let body = json!({ "email": "owner@example.com", "password": PASSWORD });
    let session = owner.send(Method::POST, "/auth/password/sign-up", &body).await;
    let token = text(&session, "access_token").to_owned();
    owner.headers.push(("x-stack-access-token", token.clone()));
    let team = json!({ "display_name": "Owners", "creator_user_id": "me" });
    let team = owner.send(Method::POST, "/teams", &team).await;
    let body = json!({ "display_name": "Doomed", "owner_team_id": text(&team, "id") });
    let made = owner.send(Method::POST, "/internal/projects", &body).await;
    let project = text(&made, "id").to_owned();
    let headers = vec![
        ("x-stack-access-type", "admin".to_owned()),
        ("x-stack-project-id", project.clone()),
        ("x-stack-admin-access-token", token),
    ];
    let admin = Caller { client, server, headers };
    let mut running = JoinSet::new();
    for number in 0..PEOPLE {
        if running.len() == AT_ONCE {
            running.join_next().await.expect("one that runs").expect("a user");
        }
        let email = format!("doomed{number}@example.com");
        let body = json!({ "primary_email": email, "primary_email_auth_enabled": true });
        running.spawn(answer(admin.request(Method::POST, "/users", &body)));
    }
    while let Some(made) = running.join_next().await {
        made.expect("a user");
    }
    (project.parse().expect("a project id"), admin)
}

/// Rows that belong to the project, in all tables. Only reads, so that the server's writes do not wait for it.
async fn left(store: &Store, project: &ProjectId) -> u64 {
    let project = project.clone();
    let read = store.read(move |tx| {
        let counts = project_deletion::count_all(&project);
        Box::pin(async move {
            let mut rows = 0;
            for count in counts {
                rows += tx.run(count).await?.affected;
            }
            Ok::<_, StorageError>(rows)
        })
    });
    read.await.expect("counts")
}

/// Waits until fewer than `fewer` rows are left, or none at all and the project's own row is gone.
async fn wait_for_fewer(store: &Store, project: &ProjectId, fewer: u64) -> u64 {
    let mut tick = tokio::time::interval(Duration::from_millis(2));
    let waiting = async {
        loop {
            tick.tick().await;
            let rows = left(store, project).await;
            if rows < fewer {
                return rows;
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the removal goes on")
}

async fn is_marked(store: &Store, project: &ProjectId) -> bool {
    let project = project.clone();
    let read = store.read(move |tx| Box::pin(async move { projects::is_marked_deleted(tx, &project).await }));
    read.await.expect("an answer")
}

async fn a_removal_goes_on(place: Place) {
    let client = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
    let server = place.start().await;
    let default = server.text("project_id").to_owned();
    let others = client_of(&client, &server, &default);
    for number in 0..OTHERS {
        let body = json!({ "email": format!("other{number}@example.com"), "password": PASSWORD });
        others.send(Method::POST, "/auth/password/sign-up", &body).await;
    }
    let (project, admin) = fill(&client, &server).await;
    let url = place.database_url.clone();
    let url = url.unwrap_or_else(|| format!("sqlite:{}", place.directory.join("data/latchkey.db").display()));
    let store = Store::open(&StoreOptions::new(url.parse().expect("a URL"))).await.expect("a second look");

    let all = left(&store, &project).await;
    assert!(all > 4000, "{all}");
    admin.send(Method::DELETE, "/internal/projects/current", &Value::Null).await;
    wait_for_fewer(&store, &project, all).await;
    server.kill().await;
    let after_first = left(&store, &project).await;
    assert!((1..all).contains(&after_first), "killed in the middle of the removal: {after_first} of {all}");
    assert!(is_marked(&store, &project).await);

    // And once more, on the way.
    let server = place.start().await;
    wait_for_fewer(&store, &project, after_first).await;
    server.kill().await;
    let after_second = left(&store, &project).await;
    assert!((1..after_first).contains(&after_second), "{after_second} of {after_first}");

    let server = place.start().await;
    assert_eq!(wait_for_fewer(&store, &project, 1).await, 0);
    let gone = async {
        while is_marked(&store, &project).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("the project's row goes, too");
    let others = client_of(&client, &server, &default);
    for number in 0..OTHERS {
        let body = json!({ "email": format!("other{number}@example.com"), "password": PASSWORD });
        others.send(Method::POST, "/auth/password/sign-in", &body).await;
    }
    let owner = client_of(&client, &server, "internal");
    let body = json!({ "email": "owner@example.com", "password": PASSWORD });
    let session = owner.send(Method::POST, "/auth/password/sign-in", &body).await;
    let mut owner = client_of(&client, &server, "internal");
    owner.headers.push(("x-stack-access-token", text(&session, "access_token").to_owned()));
    let owned = owner.send(Method::GET, "/internal/projects", &Value::Null).await;
    assert_eq!(owned["items"], json!([]), "the project is nobody's any more");
    server.kill().await;
    store.close().await;
    let doctor = place.doctor().await;
    let findings = doctor["findings"].as_array().cloned().unwrap_or_default();
    let integrity = findings.iter().find(|finding| finding["name"] == "integrity");
    assert_eq!(integrity.map(|finding| &finding["verdict"]), Some(&json!("ok")), "{doctor}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_removal_of_a_project_survives_kill_9_on_sqlite() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = Place { binary: binary().await, directory: directory.path().to_owned(), database_url: None };
    a_removal_goes_on(place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_removal_of_a_project_survives_kill_9_on_postgres() {
    if !latchkey_testkit::Engine::Postgres.is_available() {
        return;
    }
    let database = latchkey_testkit::Database::empty_postgres().await;
    let directory = tempfile::tempdir().expect("a directory");
    let database_url = Some(database.text());
    a_removal_goes_on(Place { binary: binary().await, directory: directory.path().to_owned(), database_url })
        .await;
}
