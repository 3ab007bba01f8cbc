//! Contract 01 §3 and §4: which check wins when several fail.

use latchkey_testkit::on_both_engines;
use reqwest::Method;
use serde_json::json;

on_both_engines! {
    async fn the_first_failed_check_decides(server) {
        let nowhere = "00000000-0000-4000-8000-00000000dead";
        let wrong_key = ("x-stack-secret-server-key", "ssk_wrong");
        let nonsense = json!({ "nonsense": 1 });

        let put = server.request(Method::PUT, "/api/v1/users").header("content-type", "application/json").bytes("{");
        assert_eq!(put.send().await.status, 405);

        let request = || server.post("/users").header(wrong_key.0, wrong_key.1);
        let malformed = request().header("content-type", "application/json").bytes("{").send().await;
        malformed.expect_error(400, "BODY_PARSING_ERROR");

        let request = || server.post("/users").header(wrong_key.0, wrong_key.1).json(&nonsense);
        request().send().await.expect_error(400, "PROJECT_KEY_WITHOUT_ACCESS_TYPE");
        let typed = request().header("x-stack-access-type", "root");
        typed.send().await.expect_error(400, "INVALID_ACCESS_TYPE");

        let request = || request().header("x-stack-access-type", "server");
        let token = request().header("x-stack-access-token", "x.y.z");
        token.send().await.expect_error(400, "ACCESS_TYPE_WITHOUT_PROJECT_ID");

        let in_nowhere = || request().header("x-stack-project-id", nowhere);
        let token = in_nowhere().header("x-stack-access-token", "x.y.z");
        token.send().await.expect_error(401, "UNPARSABLE_ACCESS_TOKEN");
        in_nowhere().send().await.expect_error(400, "CURRENT_PROJECT_NOT_FOUND");

        let request = || request().header("x-stack-project-id", server.project_id());
        let branch = || request().header("x-stack-branch-id", "elsewhere");
        branch().send().await.expect_error(401, "INVALID_SECRET_SERVER_KEY");
        let right_key = || branch().header(wrong_key.0, &server.keys().secret);
        right_key().send().await.expect_error(400, "BRANCH_DOES_NOT_EXIST");

        let main = || right_key().without("x-stack-branch-id");
        main().send().await.expect_error(400, "SCHEMA_ERROR");
        main().json(&json!({})).send().await.expect(201);
    }

    async fn the_access_token_is_checked_before_the_admin_token_and_the_keys(server) {
        let answer = server
            .get("/users/me")
            .header("x-stack-access-type", "admin")
            .header("x-stack-project-id", server.project_id())
            .header("x-stack-super-secret-admin-key", "sak_wrong")
            .header("x-stack-admin-access-token", "x.y.z")
            .header("x-stack-access-token", "x.y.z");
        answer.send().await.expect_error(401, "UNPARSABLE_ACCESS_TOKEN");
    }

    async fn the_admin_token_is_checked_instead_of_the_keys(server) {
        let answer = server
            .get("/users/me")
            .header("x-stack-access-type", "admin")
            .header("x-stack-project-id", server.project_id())
            .header("x-stack-super-secret-admin-key", "sak_wrong")
            .header("x-stack-admin-access-token", "x.y.z");
        answer.send().await.expect_error(401, "UNPARSABLE_ADMIN_ACCESS_TOKEN");
    }

    async fn the_access_level_is_checked_before_the_body(server) {
        let body = json!({ "nonsense": true });
        let answer = server.post("/auth/sessions").client().json(&body).send().await;
        answer.expect_error(401, "INSUFFICIENT_ACCESS_TYPE");
    }
}
