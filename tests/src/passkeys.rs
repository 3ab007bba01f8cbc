//! Passkeys for the tests: registering and signing in by the public API with a software authenticator.

use latchkey_testkit::{Answer, Builder, TestServer};
use serde_json::{Value, json};

use crate::authenticator::{Authenticator, Draft};
use crate::people::Person;

/// The page on which things happen unless said otherwise; new projects trust localhost.
pub const ORIGIN: &str = "http://localhost:3000";

/// A server whose test project uses passkeys.
pub fn builder() -> Builder {
    TestServer::builder().project(|settings| settings.auth.passkey.allow_sign_in = true)
}

/// Options and code for a registration by this user.
pub async fn begin_registration(server: &TestServer, person: &Person) -> Value {
    let request = server.post("/auth/passkey/initiate-passkey-registration").client();
    request.user(&person.access_token).json(&json!({})).send().await.expect(200)
}

/// Options and code for a sign-in.
pub async fn begin_sign_in(server: &TestServer) -> Value {
    let request = server.post("/auth/passkey/initiate-passkey-authentication").client();
    request.json(&json!({})).send().await.expect(200)
}

/// Sends the answer to a registration.
pub async fn send_registration(
    server: &TestServer,
    person: &Person,
    begun: &Value,
    credential: &Value,
) -> Answer {
    let body = json!({ "credential": credential, "code": begun["code"] });
    server.post("/auth/passkey/register").client().user(&person.access_token).json(&body).send().await
}

/// Sends the answer to a challenge.
pub async fn send_sign_in(server: &TestServer, begun: &Value, response: &Value) -> Answer {
    let body = json!({ "authentication_response": response, "code": begun["code"] });
    server.post("/auth/passkey/sign-in").client().json(&body).send().await
}

/// Registers an authenticator, with a change to the honest answer.
pub async fn register_as(
    server: &TestServer,
    person: &Person,
    authenticator: &mut Authenticator,
    change: impl FnOnce(&mut Draft),
) -> Answer {
    let begun = begin_registration(server, person).await;
    let options = &begun["options_json"];
    authenticator.user_handle = options["user"]["id"].as_str().map(str::to_owned);
    let mut draft = Draft::new(options, ORIGIN);
    change(&mut draft);
    send_registration(server, person, &begun, &authenticator.attest(&draft)).await
}

/// A new authenticator, registered for this user.
pub async fn registered(server: &TestServer, person: &Person) -> Authenticator {
    let mut authenticator = Authenticator::new();
    register_as(server, person, &mut authenticator, |_| ()).await.expect(200);
    authenticator
}

/// Signs in with an authenticator, with a change to the honest answer.
pub async fn sign_in_as(
    server: &TestServer,
    authenticator: &Authenticator,
    change: impl FnOnce(&mut Draft),
) -> Answer {
    let begun = begin_sign_in(server).await;
    let mut draft = Draft::new(&begun["options_json"], ORIGIN);
    change(&mut draft);
    send_sign_in(server, &begun, &authenticator.assert(&draft)).await
}

/// Signs in with an authenticator.
pub async fn sign_in(server: &TestServer, authenticator: &Authenticator) -> Answer {
    sign_in_as(server, authenticator, |_| ()).await
}

/// The passkeys of a user, as servers see them.
pub async fn list(server: &TestServer, user: &str) -> Vec<Value> {
    let page = server.get(&format!("/passkeys?user_id={user}")).server().send().await.expect(200);
    page["items"].as_array().expect("items").clone()
}
