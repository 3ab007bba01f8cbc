//! Signing in through OAuth providers.

use latchkey_testkit::TestServer;
use latchkey_tests::oauth::{self, Flow};
use latchkey_tests::people;
use serde_json::json;

/// Signing in through a provider: somebody new, an anonymous user, one whose address it is; and going on elsewhere.
pub(super) async fn tour(server: TestServer) {
    let first = oauth::sign_in(&server, "google", "ada@example.com").await;
    oauth::sign_in(&server, "github", "ada@example.com").await;
    let anonymous = people::anonymous(&server).await;
    let upgrade = Flow::new(&server, "google").with("token", &anonymous.access_token);
    oauth::code(&upgrade.as_user("alan@example.com").await);
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
    latchkey_identity::clean_up::run(server.app()).await.expect("a clean-up");
}
