//! Second factors, from the set-up to their end.

use latchkey_testkit::TestServer;
use latchkey_tests::people::{self, PASSWORD};
use latchkey_tests::second_factors;
use serde_json::json;

/// The second factor of somebody, from the set-up to its end.
pub(super) async fn tour(server: &TestServer) {
    let email = "dora@example.com";
    let (dora, secret, codes) = second_factors::set_up(server, email).await;
    server.get("/auth/mfa").client().user(&dora.access_token).send().await.expect(200);
    let attempt = second_factors::attempt(server, email).await;
    second_factors::complete(server, &attempt, &second_factors::backup(&codes[0])).await.expect(200);
    let path = "/auth/mfa/backup-codes/regenerate";
    second_factors::call(server, &dora, path, &json!({})).await.expect(200);
    for path in ["/auth/reauthenticate", "/auth/mfa/totp/disable"] {
        server.clock().advance_seconds(second_factors::STEP);
        let proof = second_factors::totp(&secret.code_at(server.app().now()));
        second_factors::call(server, &dora, path, &proof).await.expect(200);
    }
    let proof = json!({ "type": "password", "password": PASSWORD });
    second_factors::call(server, &dora, "/auth/reauthenticate", &proof).await.expect(200);
    let body = json!({ "totp_secret_base64": null });
    server.patch("/users/me").client().user(&dora.access_token).json(&body).send().await.expect(200);
}

/// The first factor alone signs nobody in whose second one a server set.
pub(super) async fn asked_for(server: &TestServer, user: &str, email: &str) {
    people::change(server, user, &json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" })).await;
    let body = json!({ "email": email, "password": PASSWORD });
    let answer = server.post("/auth/password/sign-in").client().json(&body).send().await;
    answer.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
}
