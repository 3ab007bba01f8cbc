//! Contract 04 §8.7: accounts of users at providers, for use by the application, and the providers' access tokens.

mod accounts;
mod at_rest;
mod races;
mod refreshing;
mod scopes;
mod stored_tokens;

use latchkey_api_types::ids::ProjectId;
use latchkey_storage::oauth_tokens::{self, OauthTokensRow};
use latchkey_testkit::{Answer, Request, TestServer};
use latchkey_tests::people::Person;
use serde_json::{Value, json};

const ADA: &str = "ada@example.com";
const NOT_ENOUGH: &str = "OAUTH_CONNECTION_DOES_NOT_HAVE_REQUIRED_SCOPE";
const NOT_NOW: &str = "OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE";

/// A request for an access token of a user's accounts at a provider, without access type.
fn asking<'s>(server: &'s TestServer, user: &str, provider: &str, scope: &str) -> Request<'s> {
    server
        .post(&format!("/connected-accounts/{user}/{provider}/access-token"))
        .json(&json!({ "scope": scope }))
}

/// The same of Google, as a server.
fn asked<'s>(server: &'s TestServer, person: &Person) -> Request<'s> {
    asking(server, &person.id, "google", "").server()
}

/// The access token of an answer that must be one.
#[track_caller]
fn token(answer: &Answer) -> String {
    let body = answer.expect(201);
    let keys: Vec<&String> = body.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["access_token"]);
    body["access_token"].as_str().expect("a token").to_owned()
}

async fn connected(server: &TestServer, user: &str) -> Value {
    server.get(&format!("/connected-accounts/{user}")).server().send().await.expect(200)
}

/// What is kept of the providers' tokens.
async fn rows(server: &TestServer) -> Vec<OauthTokensRow> {
    let project: ProjectId = server.project_id().parse().expect("a project id");
    let store = &server.app().store;
    let read =
        store.read(move |tx| Box::pin(async move { oauth_tokens::list_all(tx, &project, "", 100).await }));
    read.await.expect("rows")
}
