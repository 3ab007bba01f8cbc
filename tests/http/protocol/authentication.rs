//! Contract 01 §4: headers that say who is asking, each error with its details.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people;
use latchkey_tests::tokens::{claims, keys};
use serde_json::json;

fn keys_required() -> latchkey_testkit::Builder {
    TestServer::builder().project(|settings| settings.project.require_publishable_client_key = true)
}

on_both_engines! {
    // Step a.
    async fn a_key_without_an_access_type_is_refused_everywhere(server) {
        let given = server.keys();
        let headers = [
            ("x-stack-publishable-client-key", given.publishable.as_str()),
            ("x-stack-secret-server-key", given.secret.as_str()),
            ("x-stack-super-secret-admin-key", given.admin.as_str()),
            ("x-stack-admin-access-token", "x.y.z"),
        ];
        for (name, value) in headers {
            for path in ["/", "/users/me"] {
                let request = server.get(path).header("x-stack-project-id", server.project_id()).header(name, value);
                let details = request.send().await.expect_error(400, "PROJECT_KEY_WITHOUT_ACCESS_TYPE");
                assert!(details.is_null(), "{details}");
            }
        }
    }

    // Step b.
    async fn without_access_type_and_keys_an_access_token_alone_is_ignored(server) {
        let lone = |path| server.get(path).header("x-stack-access-token", "x.y.z");
        assert_eq!(lone("/").send().await.status, 200);
        let details = lone("/users/me").send().await.expect_error(400, "ACCESS_TYPE_REQUIRED");
        assert!(details.is_null());
    }

    // Step c.
    async fn an_access_type_is_one_of_three_words(server) {
        for word in ["Client", "root", "client,server", "client "] {
            let request = server.get("/users/me").client().header("x-stack-access-type", word);
            let answer = request.send().await;
            if word.trim() == "client" {
                answer.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
            } else {
                assert!(answer.expect_error(400, "INVALID_ACCESS_TYPE").is_null());
            }
        }
    }

    // Step d.
    async fn an_access_type_without_project_is_refused_and_named(server) {
        for access in ["client", "server", "admin"] {
            let answer = server.get("/").header("x-stack-access-type", access).send().await;
            let details = answer.expect_error(400, "ACCESS_TYPE_WITHOUT_PROJECT_ID");
            assert_eq!(details, json!({ "request_type": access }));
        }
    }

    // Step e.
    async fn an_expired_access_token_tells_whose_it_was(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let expiry = claims(&ada.access_token)["exp"].as_i64().expect("a time");
        let ask = || server.get("/users/me").client().user(&ada.access_token).send();
        server.clock().advance_seconds(599);
        ask().await.expect(200);
        server.clock().advance_seconds(1);
        let details = ask().await.expect_error(401, "ACCESS_TOKEN_EXPIRED");
        assert_eq!(details, json!({
            "expired_at_millis": expiry * 1000,
            "project_id": server.project_id(),
            "user_id": ada.id,
            "refresh_token_id": ada.session_id(),
        }));
    }

    async fn a_token_of_another_project_is_refused_with_both_projects(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let other = server.other_project().clone();
        let request = people::speaking_for(server.get("/users/me"), &other, "client").user(&ada.access_token);
        let details = request.send().await.expect_error(401, "INVALID_PROJECT_FOR_ACCESS_TOKEN");
        let expected = json!({ "expected_project_id": other.id, "actual_project_id": server.project_id() });
        assert_eq!(details, expected);
    }

    async fn an_anonymous_user_needs_the_header_that_allows_them(server) {
        let nobody = people::anonymous(&server).await;
        let ask = || server.get("/users/me").client().header("x-stack-access-token", &nobody.access_token);
        assert!(ask().send().await.expect_error(401, "ANONYMOUS_AUTHENTICATION_NOT_ALLOWED").is_null());
        for value in ["TRUE", "1", "yes", ""] {
            let answer = ask().header("x-stack-allow-anonymous-user", value).send().await;
            answer.expect_error(401, "ANONYMOUS_AUTHENTICATION_NOT_ALLOWED");
        }
        let restricted_only = ask().header("x-stack-allow-restricted-user", "true").send().await;
        restricted_only.expect_error(401, "ANONYMOUS_AUTHENTICATION_NOT_ALLOWED");
        let allowed = ask().header("x-stack-allow-anonymous-user", "true").send().await.expect(200);
        assert_eq!(allowed["is_anonymous"], true);
    }

    async fn a_restricted_user_needs_one_of_two_headers(server) {
        let held = people::restricted(&server).await;
        let ask = || server.get("/users/me").client().header("x-stack-access-token", &held.access_token);
        let details = ask().send().await.expect_error(403, "RESTRICTED_USER_NOT_ALLOWED");
        assert_eq!(details, json!({ "restricted_reason": { "type": "restricted_by_administrator" } }));
        for header in ["x-stack-allow-restricted-user", "x-stack-allow-anonymous-user"] {
            let user = ask().header(header, "true").send().await.expect(200);
            assert_eq!(user["is_restricted"], true);
        }
    }

    async fn an_unverified_user_is_restricted_where_verification_is_required(
        server,
        builder = TestServer::builder().project(|settings| settings.onboarding.require_email_verification = true)
    ) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let ask = |token: &str| server.get("/users/me").client().header("x-stack-access-token", token).send();
        let details = ask(&ada.access_token).await.expect_error(403, "RESTRICTED_USER_NOT_ALLOWED");
        assert_eq!(details, json!({ "restricted_reason": { "type": "email_not_verified" } }));
        people::change(&server, &ada.id, &json!({ "primary_email_verified": true })).await;
        let again = people::sign_in(&server, "ada@example.com").await;
        ask(&again.access_token).await.expect(200);
    }

    async fn the_claims_of_the_token_decide_and_the_answer_shows_the_present(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let held = people::restricted(&server).await;
        people::change(&server, &ada.id, &json!({ "restricted_by_admin": true })).await;
        people::change(&server, &held.id, &json!({ "restricted_by_admin": false })).await;
        let ask = |token: &str| server.get("/users/me").client().header("x-stack-access-token", token).send();
        assert_eq!(ask(&ada.access_token).await.expect(200)["is_restricted"], true);
        ask(&held.access_token).await.expect_error(403, "RESTRICTED_USER_NOT_ALLOWED");
    }

    // Step f.
    async fn an_unknown_project_is_told_without_any_key(server) {
        for id in ["00000000-0000-4000-8000-00000000dead", "not-a-uuid", "INTERNAL", "%00"] {
            for access in ["client", "server", "admin"] {
                let request = server.get("/").header("x-stack-access-type", access).header("x-stack-project-id", id);
                let details = request.send().await.expect_error(400, "CURRENT_PROJECT_NOT_FOUND");
                assert_eq!(details, json!({ "project_id": id }));
            }
        }
    }

    // Step g.
    async fn a_development_override_key_opens_nothing(server) {
        let answer = server.get("/").server().header("x-stack-development-override-key", &server.keys().admin);
        answer.send().await.expect_text(401);
    }

    // Step i.
    async fn each_access_type_needs_its_own_key(server) {
        let table = [
            ("server", "SERVER_AUTHENTICATION_REQUIRED", "x-stack-secret-server-key", "INVALID_SECRET_SERVER_KEY"),
            ("admin", "ADMIN_AUTHENTICATION_REQUIRED", "x-stack-super-secret-admin-key", "INVALID_SUPER_SECRET_ADMIN_KEY"),
        ];
        let (own, other) = (server.keys().clone(), server.other_project().keys.clone());
        for (access, missing, header, wrong) in table {
            let bare = || {
                server.get("/").header("x-stack-access-type", access).header("x-stack-project-id", server.project_id())
            };
            assert!(bare().send().await.expect_error(401, missing).is_null());
            let foreign = [
                "ssk_nonsense", &other.secret, &other.admin, &other.publishable, &own.publishable,
                if access == "server" { &own.admin } else { &own.secret },
            ];
            for key in foreign {
                let details = bare().header(header, key).send().await.expect_error(401, wrong);
                assert_eq!(details, json!({ "project_id": server.project_id() }));
            }
        }
    }

    async fn a_key_with_characters_that_no_key_has_is_a_wrong_key(server) {
        let keys = server.keys().clone();
        for (access, header, right, wrong) in [
            ("client", "x-stack-publishable-client-key", &keys.publishable, "INVALID_PUBLISHABLE_CLIENT_KEY"),
            ("server", "x-stack-secret-server-key", &keys.secret, "INVALID_SECRET_SERVER_KEY"),
            ("admin", "x-stack-super-secret-admin-key", &keys.admin, "INVALID_SUPER_SECRET_ADMIN_KEY"),
        ] {
            let with = |key: &str| {
                let request = server.get("/").header("x-stack-access-type", access).header(header, key);
                request.header("x-stack-project-id", server.project_id()).send()
            };
            for key in ["ssk x!", "é", "%00", &format!("{right}!"), &format!("{right},{right}")] {
                let details = with(key).await.expect_error(401, wrong);
                assert_eq!(details, json!({ "project_id": server.project_id() }));
            }
            assert_eq!(with(right).await.status, 200);
        }
    }

    async fn keys_of_other_kinds_are_ignored(server) {
        let request = server.get("/").server()
            .header("x-stack-publishable-client-key", "pck_wrong")
            .header("x-stack-super-secret-admin-key", "sak_wrong");
        assert_eq!(request.send().await.status, 200);
        let request = server.get("/").client().header("x-stack-secret-server-key", "ssk_wrong");
        assert_eq!(request.send().await.status, 200);
    }

    async fn a_key_grants_its_own_access_type_only(server) {
        let keys = server.keys().clone();
        let bare = |access: &'static str| {
            server.get("/").header("x-stack-access-type", access).header("x-stack-project-id", server.project_id())
        };
        let answer = bare("admin").header("x-stack-secret-server-key", &keys.secret).send().await;
        answer.expect_error(401, "ADMIN_AUTHENTICATION_REQUIRED");
        let answer = bare("server").header("x-stack-super-secret-admin-key", &keys.admin).send().await;
        answer.expect_error(401, "SERVER_AUTHENTICATION_REQUIRED");
    }

    async fn a_publishable_key_is_optional_but_right_if_sent(server) {
        let bare = || server.get("/").header("x-stack-access-type", "client")
            .header("x-stack-project-id", server.project_id());
        assert_eq!(bare().send().await.status, 200);
        let key = |value: &str| bare().header("x-stack-publishable-client-key", value);
        assert_eq!(key("__stack_public_client__").send().await.status, 200);
        assert_eq!(key(&server.keys().publishable).send().await.status, 200);
        let secret = server.keys().secret.clone();
        let foreign = server.other_project().keys.publishable.clone();
        for wrong in ["pck_wrong", "__STACK_PUBLIC_CLIENT__", &secret, &foreign] {
            let details = key(wrong).send().await.expect_error(401, "INVALID_PUBLISHABLE_CLIENT_KEY");
            assert_eq!(details, json!({ "project_id": server.project_id() }));
        }
    }

    async fn a_project_can_require_the_publishable_key(server, builder = keys_required()) {
        let bare = || server.get("/").header("x-stack-access-type", "client")
            .header("x-stack-project-id", server.project_id());
        let code = "PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT";
        for request in [bare(), bare().header("x-stack-publishable-client-key", "__stack_public_client__")] {
            let details = request.send().await.expect_error(401, code);
            assert_eq!(details, json!({ "project_id": server.project_id() }));
        }
        let wrong = bare().header("x-stack-publishable-client-key", "pck_wrong");
        wrong.send().await.expect_error(401, "INVALID_PUBLISHABLE_CLIENT_KEY");
        assert_eq!(server.get("/").client().send().await.status, 200);
        assert_eq!(server.get("/").server().send().await.status, 200);
    }

    // Step j.
    async fn the_only_branch_is_main(server) {
        for branch in ["main", ""] {
            let answer = server.get("/").client().header("x-stack-branch-id", branch).send().await;
            assert_eq!(answer.status, 200);
        }
        let details = server.get("/").client().header("x-stack-branch-id", "Main").send().await;
        let details = details.expect_error(400, "BRANCH_DOES_NOT_EXIST");
        assert_eq!(details, json!({ "branch_id": "Main" }));
    }

    async fn branches_cannot_be_probed_without_a_key(server) {
        let request = server.get("/").server()
            .header("x-stack-secret-server-key", "ssk_wrong")
            .header("x-stack-branch-id", "elsewhere");
        request.send().await.expect_error(401, "INVALID_SECRET_SERVER_KEY");
    }

    // Step k.
    async fn a_deleted_user_is_nobody_and_no_error(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        server.delete(&format!("/users/{}", ada.id)).server().send().await.expect(200);
        for path in ["/", "/users/me"] {
            let answer = server.get(path).client().user(&ada.access_token).send().await;
            if path == "/" {
                assert_eq!(answer.status, 200);
            } else {
                answer.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
            }
        }
    }

    async fn an_access_token_counts_for_every_access_type(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let client = server.get("/users/me").client().user(&ada.access_token).send().await.expect(200);
        for request in [server.get("/users/me").server(), server.get("/users/me").admin()] {
            let user = request.user(&ada.access_token).send().await.expect(200);
            assert_eq!(user["id"], ada.id);
            assert!(keys(&user).len() > keys(&client).len());
        }
    }

    async fn a_refresh_token_never_authenticates(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let request = server.get("/users/me").client();
        let answer = request.header("x-stack-refresh-token", &ada.refresh_token).send().await;
        answer.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        let request = server.get("/users/me").client();
        let answer = request.header("x-stack-access-token", &ada.refresh_token).send().await;
        answer.expect_error(401, "UNPARSABLE_ACCESS_TOKEN");
    }

    async fn a_bearer_token_is_an_access_token(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let bearer = format!("Bearer {}", ada.access_token);
        let ask = |value: &str| server.get("/users/me").client().header("authorization", value);
        for value in [bearer.clone(), bearer.replace("Bearer", "bearer")] {
            assert_eq!(ask(&value).send().await.expect(200)["id"], ada.id);
        }
        let both = ask(&bearer).header("x-stack-access-token", &bo.access_token).send().await.expect(200);
        assert_eq!(both["id"], bo.id, "the header of the contract wins");
        ask("Bearer x.y.z").send().await.expect_error(401, "UNPARSABLE_ACCESS_TOKEN");
        ask("Basic dXNlcjpwdw==").send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
    }

    async fn an_empty_header_is_an_absent_one(server) {
        let names = [
            "x-stack-publishable-client-key", "x-stack-secret-server-key", "x-stack-super-secret-admin-key",
            "x-stack-admin-access-token", "x-stack-access-token", "x-stack-refresh-token", "x-stack-branch-id",
            "x-stack-allow-anonymous-user", "x-stack-development-override-key",
        ];
        let with_empty = |request| names.iter().fold(request, |request: latchkey_testkit::Request<'_>, name| {
            request.header(name, "")
        });
        assert_eq!(with_empty(server.get("/").header("x-stack-access-type", "")).send().await.status, 200);
        let client = with_empty(server.get("/users/me")).header("x-stack-access-type", "client")
            .header("x-stack-project-id", server.project_id());
        client.send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        let nowhere = server.get("/").header("x-stack-access-type", "client").header("x-stack-project-id", "");
        nowhere.send().await.expect_error(400, "ACCESS_TYPE_WITHOUT_PROJECT_ID");
    }

    async fn hexclave_names_stand_for_stack_names(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let request = server.get("/users/me")
            .header("x-hexclave-access-type", "server")
            .header("x-hexclave-project-id", server.project_id())
            .header("x-hexclave-secret-server-key", &server.keys().secret)
            .header("x-hexclave-access-token", &ada.access_token);
        assert_eq!(request.send().await.expect(200)["id"], ada.id);
    }

    async fn headers_are_checked_where_no_authentication_is_needed(server) {
        let key_set = format!("/projects/{}/.well-known/jwks.json", server.project_id());
        for path in ["/", key_set.as_str()] {
            let request = server.get(path).server().header("x-stack-secret-server-key", "ssk_wrong");
            request.send().await.expect_error(401, "INVALID_SECRET_SERVER_KEY");
        }
    }

    async fn the_id_of_a_project_is_compared_in_any_case(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let upper = server.project_id().to_uppercase();
        let answer = server.get("/users/me").client().header("x-stack-project-id", &upper).user(&ada.access_token);
        assert_eq!(answer.send().await.expect(200)["id"], ada.id);
    }
}
