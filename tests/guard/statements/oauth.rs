//! Signing in through OAuth providers, and what they gave.

use latchkey_api_types::ids::ProjectId;
use latchkey_storage::oauth_tokens;
use latchkey_testkit::{Builder, TestServer};
use latchkey_tests::oauth::{self, Flow};
use latchkey_tests::people;
use serde_json::json;

pub(super) fn builder() -> Builder {
    oauth::builder().config("oauth.shared.hands_out_access_tokens", "true")
}

/// Signing in through a provider: somebody new, an anonymous user, one whose address it is; and going on elsewhere.
pub(super) async fn tour(server: TestServer) {
    let first = oauth::sign_in(&server, "google", "ada@example.com").await;
    oauth::sign_in(&server, "github", "ada@example.com").await;
    let anonymous = people::anonymous(&server).await;
    let upgrade = Flow::new(&server, "google").with("token", &anonymous.access_token);
    let code = oauth::code(&upgrade.as_user("alan@example.com").await);
    oauth::exchange(&server, &code, &[]).send().await.expect(200);
    let code = oauth::code(&Flow::new(&server, "google").as_user("ada@example.com").await);
    for status in [200, 400] {
        assert_eq!(oauth::exchange(&server, &code, &[]).send().await.status, status);
    }
    let text = |name: &str| first[name].as_str().expect("a token").to_owned();
    let body =
        json!({ "redirect_uri": oauth::REDIRECT_URI, "state": "s", "code_challenge": oauth::challenge() });
    let request = server.post("/auth/oauth/cross-domain/authorize").client().user(&text("access_token"));
    let request = request.header("x-stack-refresh-token", &text("refresh_token"));
    let handed = request.json(&body).send().await.expect(200);
    let url = reqwest::Url::parse(handed["redirect_url"].as_str().expect("an address")).expect("a URL");
    let code = url.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
    oauth::exchange(&server, &code, &[]).send().await.expect(200);
    provider_tokens(&server).await;
    latchkey_identity::clean_up::run(server.app()).await.expect("a clean-up");
}

/// What providers gave: handed out, refreshed, and what is left when they refuse.
async fn provider_tokens(server: &TestServer) {
    let listed = server.get("/oauth-providers").server().send().await.expect(200);
    let user = listed["items"][0]["user_id"].as_str().expect("an id");
    server.clock().advance_seconds(3600);
    let path = format!("/connected-accounts/{user}/google/access-token");
    server.post(&path).server().json(&json!({})).send().await.expect(201);
    let project: ProjectId = server.project_id().parse().expect("a project id");
    let of = project.clone();
    let store = &server.app().store;
    let read = store.read(move |tx| Box::pin(async move { oauth_tokens::list_all(tx, &of, "", 100).await }));
    let row = read.await.expect("grants").remove(0);
    let statements = vec![
        oauth_tokens::reseal_access_token(&project, row.id, b"old", b"new"),
        oauth_tokens::reseal_refresh_token(&project, row.id, b"old", b"new"),
        oauth_tokens::claim(&row, 1, 2),
        oauth_tokens::release(&row, 2),
        oauth_tokens::end_access_token(&row),
        oauth_tokens::end_refresh_token(&row),
        oauth_tokens::delete_if_empty(&row).exactly(1),
        oauth_tokens::delete_of_account(&project, row.oauth_account_id),
    ];
    store.batch(statements).await.expect("the life of a grant");
}
