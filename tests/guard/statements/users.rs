//! Users: their fields and addresses, pictures, upgrades, and every way of listing them.

use latchkey_testkit::TestServer;
use latchkey_tests::people::{self, PASSWORD, Person};
use serde_json::json;

const PICTURE: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==";

/// Bo gets addresses and loses them.
pub(super) async fn addresses(server: &TestServer, bo: &Person) {
    let fields = json!({ "primary_email": "bo@example.com", "primary_email_auth_enabled": true, "password": PASSWORD });
    people::change(server, &bo.id, &fields).await;
    people::change(server, &bo.id, &json!({ "primary_email_verified": true })).await;
    people::change(server, &bo.id, &json!({ "primary_email": "bo2@example.com" })).await;
    people::change(server, &bo.id, &json!({ "primary_email": null })).await;
}

/// A user with an account elsewhere, a picture for a while, and a second factor; their id.
pub(super) async fn with_everything(server: &TestServer) -> String {
    let fields =
        json!({ "oauth_providers": [{ "id": "github", "account_id": "7" }], "profile_image_url": PICTURE });
    let cy = people::create(server, &fields).await;
    let picture = cy["profile_image_url"].as_str().and_then(|url| url.strip_prefix(server.public_url()));
    let picture = server.request(reqwest::Method::GET, picture.expect("an address of ours")).send().await;
    assert_eq!(picture.status, 200);
    let cy = cy["id"].as_str().expect("an id").to_owned();
    people::seen_by_server(server, &cy).await;
    let fields = json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=", "profile_image_url": null });
    people::change(server, &cy, &fields).await;
    cy
}

/// Somebody anonymous who signed up.
pub(super) async fn upgraded(server: &TestServer) -> Person {
    let nobody = people::anonymous(server).await;
    let body = json!({ "email": "nobody@example.com", "password": PASSWORD });
    let upgrade = server.post("/auth/password/sign-up").client().user(&nobody.access_token);
    upgrade.json(&body).send().await.expect(200);
    nobody
}

/// Every way of listing users.
pub(super) async fn lists(server: &TestServer) {
    let team = "00000000-0000-4000-8000-0000000000b1";
    for query in [
        "limit=1",
        "include_anonymous=true",
        "query=example.com&limit=1",
        "query=no",
        "query=nobody",
        &format!("team_id={team}"),
    ] {
        for direction in ["false", "true"] {
            server.get(&format!("/users?{query}&desc={direction}")).server().send().await.expect(200);
        }
    }
    let body = json!({ "onboarding": { "require_email_verification": true } });
    server.post("/internal/onboarding/preview-affected-users").admin().json(&body).send().await.expect(200);
}
