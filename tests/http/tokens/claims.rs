//! Contract 03 §1 and §2: what an access token says, and nothing else.

use latchkey_config::ExtraClaim;
use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::people;
use latchkey_tests::tokens::{claims, header, keys};
use serde_json::{Value, json};

const CLAIMS: [&str; 18] = [
    "aud",
    "branch_id",
    "email",
    "email_verified",
    "exp",
    "iat",
    "is_anonymous",
    "is_restricted",
    "iss",
    "name",
    "project_id",
    "refresh_token_id",
    "requires_totp_mfa",
    "restricted_reason",
    "role",
    "selected_team_id",
    "signed_up_at",
    "sub",
];

fn with_extra_claims() -> Builder {
    TestServer::builder().project(|settings| {
        settings.latchkey.extra_claims =
            vec![ExtraClaim::Jti, ExtraClaim::Amr, ExtraClaim::AuthTime, ExtraClaim::Permissions];
    })
}

fn with_project_audience() -> Builder {
    TestServer::builder().project(|settings| settings.latchkey.anonymous_tokens_use_project_audience = true)
}

on_both_engines! {
    async fn the_claims_of_a_user_are_exactly_the_contracts(server) {
        let now = server.app().now();
        let ada = people::sign_up(&server, "ada@example.com").await;
        let said = claims(&ada.access_token);
        let issuer = format!("{}/api/v1/projects/{}", server.app().public_url, server.project_id());
        assert_eq!(said, json!({
            "sub": ada.id, "iss": issuer, "aud": server.project_id(), "iat": now / 1000, "exp": now / 1000 + 600,
            "project_id": server.project_id(), "branch_id": "main", "refresh_token_id": ada.session_id(),
            "role": "authenticated", "name": null, "email": "ada@example.com", "email_verified": false,
            "selected_team_id": null, "signed_up_at": now / 1000, "is_anonymous": false, "is_restricted": false,
            "restricted_reason": null, "requires_totp_mfa": false,
        }));
        assert_eq!(keys(&said), CLAIMS);
    }

    async fn the_header_is_algorithm_and_key_id_only(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let header = header(&ada.access_token);
        assert_eq!(keys(&header), ["alg", "kid"]);
        assert_eq!(header["alg"], "ES256");
        let kid = header["kid"].as_str().expect("a key id");
        assert_eq!(kid.len(), 12);
        assert!(kid.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{kid}");
    }

    async fn a_restricted_user_has_audience_issuer_and_reason_of_their_own(server) {
        let held = people::restricted(&server).await;
        let said = claims(&held.access_token);
        assert_eq!(keys(&said), CLAIMS);
        assert_eq!(said["aud"], format!("{}:restricted", server.project_id()));
        let issuer = format!("{}/api/v1/projects-restricted-users/{}", server.app().public_url, server.project_id());
        assert_eq!(said["iss"], issuer);
        assert_eq!(said["is_restricted"], true);
        assert_eq!(said["restricted_reason"], json!({ "type": "restricted_by_administrator" }));
        assert_eq!(said["role"], "authenticated");
    }

    async fn an_anonymous_user_has_audience_issuer_and_reason_of_their_own(server) {
        let nobody = people::anonymous(&server).await;
        let said = claims(&nobody.access_token);
        assert_eq!(keys(&said), CLAIMS);
        assert_eq!(said["aud"], format!("{}:anon", server.project_id()));
        let issuer = format!("{}/api/v1/projects-anonymous-users/{}", server.app().public_url, server.project_id());
        assert_eq!(said["iss"], issuer);
        assert_eq!((&said["is_anonymous"], &said["is_restricted"]), (&json!(true), &json!(true)));
        assert_eq!(said["restricted_reason"], json!({ "type": "anonymous" }));
        assert_eq!(said["role"], "authenticated", "published clients accept no other word");
        assert_eq!(said["email"], Value::Null);
    }

    async fn the_first_reason_for_a_restriction_wins(
        server, builder = TestServer::builder().project(|settings| settings.onboarding.require_email_verification = true)
    ) {
        let reason = async |fields: Value| {
            let person = people::created(&server, &fields).await;
            claims(&person.access_token)["restricted_reason"]["type"].clone()
        };
        let everything = json!({ "is_anonymous": true, "restricted_by_admin": true });
        assert_eq!(reason(everything).await, "anonymous");
        assert_eq!(reason(json!({ "restricted_by_admin": true })).await, "email_not_verified");
        let verified = json!({
            "primary_email": "ada@example.com", "primary_email_verified": true, "restricted_by_admin": true,
        });
        assert_eq!(reason(verified).await, "restricted_by_administrator");
        let free = json!({ "primary_email": "bo@example.com", "primary_email_verified": true });
        assert_eq!(reason(free).await, Value::Null);
    }

    async fn times_are_seconds_rounded_down(server) {
        server.clock().advance_millis(999);
        let ada = people::sign_up(&server, "ada@example.com").await;
        let said = claims(&ada.access_token);
        let seconds = server.app().now() / 1000;
        assert_eq!((&said["iat"], &said["signed_up_at"]), (&json!(seconds), &json!(seconds)));
    }

    async fn the_lifetime_is_configurable(
        server, builder = TestServer::builder().config("tokens.access_token_lifetime", "90s")
    ) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let ask = || server.get("/users/me").client().user(&ada.access_token).send();
        server.clock().advance_seconds(89);
        ask().await.expect(200);
        server.clock().advance_seconds(1);
        ask().await.expect_error(401, "ACCESS_TOKEN_EXPIRED");
    }

    async fn a_project_can_ask_for_more_claims(server, builder = with_extra_claims()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let again = people::sign_in(&server, "ada@example.com").await;
        let (first, second) = (claims(&ada.access_token), claims(&again.access_token));
        let mut expected = CLAIMS.to_vec();
        expected.extend(["jti", "amr", "auth_time", "permissions"]);
        expected.sort_unstable();
        assert_eq!(keys(&first), expected);
        assert_eq!(first["amr"], json!(["pwd"]));
        assert_eq!(first["auth_time"], server.app().now() / 1000);
        assert_eq!(first["permissions"], json!([]));
        assert!(first["jti"].is_string() && first["jti"] != second["jti"]);
        people::seen_by_self(&server, &ada).await;
    }

    async fn a_project_can_give_anonymous_users_its_own_audience(server, builder = with_project_audience()) {
        let nobody = people::anonymous(&server).await;
        let said = claims(&nobody.access_token);
        assert_eq!(said["aud"], server.project_id());
        assert_eq!(said["role"], "anon");
        assert_eq!((&said["is_anonymous"], &said["is_restricted"]), (&json!(true), &json!(true)));
        let issuer = format!("{}/api/v1/projects/{}", server.app().public_url, server.project_id());
        assert_eq!(said["iss"], issuer);
        let ask = || server.get("/users/me").client().header("x-stack-access-token", &nobody.access_token);
        ask().send().await.expect_error(401, "ANONYMOUS_AUTHENTICATION_NOT_ALLOWED");
        ask().header("x-stack-allow-anonymous-user", "true").send().await.expect(200);
        let ada = people::sign_up(&server, "ada@example.com").await;
        assert_eq!(claims(&ada.access_token)["role"], "authenticated");
        let key_set = format!("/projects/{}/.well-known/jwks.json", server.project_id());
        let published = server.get(&key_set).send().await.expect(200);
        let kid = header(&nobody.access_token)["kid"].clone();
        assert!(published["keys"].as_array().expect("keys").iter().any(|key| key["kid"] == kid));
    }

    async fn the_token_of_a_session_that_is_over_is_nobodys_before_it_ends_itself(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "user_id": ada.id, "expires_in_millis": 60_000, "is_impersonation": true });
        let acting = server.post("/auth/sessions").server().json(&body).send().await.expect(200);
        let token = acting["access_token"].as_str().expect("a token");
        let me = || server.get("/users/me").client().user(token).send();
        server.clock().advance_millis(59_999);
        me().await.expect(200);
        server.clock().advance_millis(1);
        me().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
    }
}
