//! Contract 01 §8: `SCHEMA_ERROR`, and what is read leniently.

use latchkey_testkit::{Answer, on_both_engines};
use latchkey_tests::{oauth, people, stored, teams};
use serde_json::json;

const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";

/// The violations of a `SCHEMA_ERROR`, after checking its shape: the first line names the request.
#[track_caller]
fn violations(answer: &Answer, request: &str) -> Vec<String> {
    let details = answer.expect_error(400, "SCHEMA_ERROR");
    let body = answer.json();
    assert_eq!(details, json!({ "message": body["error"] }), "the text stands in both places");
    let mut lines = body["error"].as_str().expect("a text").lines();
    let first = lines.next().expect("a first line");
    assert!(first.contains(request), "{first:?} names {request:?}");
    lines.map(str::to_owned).collect()
}

on_both_engines! {
    async fn every_violation_is_reported_with_its_location(server) {
        let body = json!({
            "display_name": ["no"],
            "primary_email": "not an address",
            "risk_scores": { "sign_up": { "bot": 101, "extra": 1 } },
            "oauth_providers": [{ "id": "google", "account_id": "1" }, { "id": {}, "nonsense": 1 }],
            "nonsense": true,
        });
        let lines = violations(&server.post("/users?odd=1").server().json(&body).send().await, "POST /api/v1/users");
        let expected = [
            "query.odd", "body.display_name", "body.primary_email", "body.risk_scores.sign_up.bot",
            "body.risk_scores.sign_up.extra", "body.risk_scores.sign_up.free_trial_abuse", "body.nonsense",
            "body.oauth_providers[1].id", "body.oauth_providers[1].account_id", "body.oauth_providers[1].nonsense",
        ];
        for location in expected {
            let named = |line: &&String| line.contains(&format!("{location} "));
            assert_eq!(lines.iter().filter(named).count(), 1, "{location} in {lines:#?}");
        }
        assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    }

    async fn the_request_is_named_as_it_was_received(server) {
        for version in ["v1", "v2beta3", "latest"] {
            let path = format!("/api/{version}/auth/password/sign-in");
            let request = server.request(reqwest::Method::POST, &path).client().json(&json!({}));
            let lines = violations(&request.send().await, &format!("POST {path}"));
            assert_eq!(lines.len(), 2, "{lines:?}");
        }
    }

    async fn path_query_header_and_user_have_locations_too(server) {
        let lines = violations(&server.get("/users/7").server().send().await, "GET /api/v1/users/7");
        assert!(lines[0].contains("params.user_id"), "{lines:?}");
        let lines = violations(&server.get("/auth/sessions").server().send().await, "GET /api/v1/auth/sessions");
        assert!(lines[0].contains("query.user_id"), "{lines:?}");
        let answer = server.post("/auth/sessions/current/refresh").client().send().await;
        let lines = violations(&answer, "POST /api/v1/auth/sessions/current/refresh");
        assert!(lines[0].contains("headers.x-stack-refresh-token"), "{lines:?}");
        let answer = server.post("/auth/password/set").client().json(&json!({})).send().await;
        let lines = violations(&answer, "POST /api/v1/auth/password/set").join("\n");
        assert!(lines.contains("auth.user") && lines.contains("body.password"), "{lines}");
    }

    async fn null_is_refused_unless_the_field_is_nullable(server) {
        for field in ["primary_email_verified", "otp_auth_enabled", "password_hash", "risk_scores", "oauth_providers"] {
            let answer = server.post("/users").server().json(&json!({ field: null })).send().await;
            let lines = violations(&answer, "POST /api/v1/users");
            assert!(lines[0].contains(&format!("body.{field}")), "{lines:?}");
        }
        let nullable = json!({
            "display_name": null, "profile_image_url": null, "client_metadata": null, "server_metadata": null,
            "client_read_only_metadata": null, "primary_email": null, "password": null, "country_code": null,
            "totp_secret_base64": null, "restricted_by_admin_reason": null,
            "restricted_by_admin_private_details": null,
        });
        people::create(&server, &nullable).await;
    }

    async fn values_are_cast_leniently(server) {
        let user = people::create(&server, &json!({
            "display_name": 5, "primary_email": "ada@example.com", "primary_email_verified": "true",
            "primary_email_auth_enabled": "0", "restricted_by_admin": 1,
            "risk_scores": { "sign_up": { "bot": "7", "free_trial_abuse": 8.0 } },
        })).await;
        assert_eq!(user["display_name"], "5");
        assert_eq!(user["primary_email_verified"], true);
        assert_eq!(user["primary_email_auth_enabled"], false);
        assert_eq!(user["restricted_by_admin"], true);
        assert_eq!(user["risk_scores"], json!({ "sign_up": { "bot": 7, "free_trial_abuse": 8 } }));
        assert_eq!(people::create(&server, &json!({ "display_name": true })).await["display_name"], "true");
        let body = json!({ "user_id": user["id"], "expires_in_millis": "60000", "is_impersonation": "false" });
        server.post("/auth/sessions").server().json(&body).send().await.expect(200);
        for wrong in [json!("yes"), json!(2), json!(""), json!([true])] {
            let answer = server.post("/users").server().json(&json!({ "restricted_by_admin": wrong })).send().await;
            violations(&answer, "POST /api/v1/users");
        }
    }

    async fn booleans_of_the_query_are_two_words(server) {
        let path = format!("/projects/{}/.well-known/jwks.json", server.project_id());
        for word in ["1", "0", "TRUE", "yes", ""] {
            let answer = server.get(&format!("{path}?include_anonymous={word}")).send().await;
            let lines = violations(&answer, "GET /api/v1/projects/");
            assert!(lines[0].contains("query.include_anonymous"), "{lines:?}");
        }
        for word in ["true", "false"] {
            server.get(&format!("{path}?include_anonymous={word}")).send().await.expect(200);
        }
    }

    async fn resources_refuse_query_parameters_that_they_do_not_declare(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let user = format!("/users/{}", ada.id);
        let requests = [
            server.get("/users/me?odd=1"), server.patch("/users/me?odd=1").json(&json!({})),
            server.delete("/users/me?odd=1"), server.get(&format!("{user}?odd=1")),
            server.post("/users?odd=1").json(&json!({})), server.get("/auth/sessions?user_id=me&odd=1"),
            server.get("/projects/current?odd=1"), server.get("/?odd=1"),
        ];
        for request in requests {
            let lines = violations(&request.server().user(&ada.access_token).send().await, "/api/v1");
            assert!(lines[0].contains("query.odd"), "{lines:?}");
        }
    }

    async fn filters_of_the_users_list_are_accepted_on_single_users(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let path = format!("/users/{}?limit=1&include_anonymous=true", ada.id);
        server.get(&path).server().send().await.expect(200);
    }

    async fn filters_of_a_list_mean_nothing_where_one_thing_is_addressed(server, builder = oauth::builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        let channels = server.get(&format!("/contact-channels?user_id={}", ada.id)).server().send().await.expect(200);
        let channel = teams::id_of(&channels["items"][0]);
        let account = stored::linked_account(&server, &ada.id).await;
        let definition = json!({ "id": "p" });
        server.post("/project-permission-definitions").admin().json(&definition).send().await.expect(201);
        let (user, of_nobody) = (&ada.id, format!("user_id={NOBODY}"));
        let in_no_team = format!("{of_nobody}&team_id={NOBODY}");
        let things = [
            (format!("/team-member-profiles/{team}/{user}"), in_no_team.clone(), json!({ "display_name": "x" })),
            (format!("/contact-channels/{user}/{channel}"), format!("{of_nobody}&contact_channel_id={NOBODY}"), json!({ "is_verified": true })),
            (format!("/oauth-providers/{user}/{account}"), of_nobody.clone(), json!({ "email": "x@example.com" })),
            (format!("/teams/{team}"), of_nobody.clone(), json!({ "display_name": "x" })),
        ];
        for (path, filters, change) in &things {
            let filtered = format!("{path}?{filters}");
            server.get(&filtered).server().send().await.expect(200);
            let changed = server.patch(&filtered).server().json(change).send().await.expect(200);
            assert_eq!(server.get(path).server().send().await.expect(200), changed, "{filtered}");
            let odd = server.get(&format!("{filtered}&odd=1")).server().send().await;
            assert!(violations(&odd, path)[0].contains("query.odd"), "{filtered}");
        }
        let others = "permission_id=other&recursive=true";
        let grants = [
            (format!("/team-permissions/{team}/{user}/$update_team"), format!("{in_no_team}&{others}")),
            (format!("/project-permissions/{user}/p"), format!("{of_nobody}&{others}")),
        ];
        for (path, filters) in grants {
            let filtered = format!("{path}?{filters}");
            server.post(&filtered).server().json(&json!({})).send().await.expect(201);
            server.delete(&filtered).server().send().await.expect(200);
        }
        for (path, filters, _) in &things[1..] {
            server.delete(&format!("{path}?{filters}")).server().send().await.expect(200);
            assert_eq!(server.get(path).server().send().await.status, 404, "{path}");
        }
    }

    async fn actions_ignore_query_parameters(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "email": "ada@example.com", "password": people::PASSWORD });
        server.post("/auth/password/sign-in?odd=1").client().json(&body).send().await.expect(200);
        let refresh = server.post("/auth/sessions/current/refresh?odd=1").client();
        refresh.header("x-stack-refresh-token", &ada.refresh_token).send().await.expect(200);
    }

    async fn a_required_field_that_is_missing_and_one_that_is_null_are_both_violations(server) {
        for body in [json!({}), json!({ "email": null, "password": null })] {
            let answer = server.post("/auth/password/sign-up").client().json(&body).send().await;
            let lines = violations(&answer, "POST /api/v1/auth/password/sign-up").join("\n");
            assert!(lines.contains("body.email") && lines.contains("body.password"), "{lines}");
        }
    }

    async fn ids_of_users_are_uuids_in_any_case(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let user = server.get(&format!("/users/{}", ada.id.to_uppercase())).server().send().await.expect(200);
        assert_eq!(user["id"], ada.id);
        for id in ["7", "not-a-uuid", "00000000000040008000000000000000", "%7B%7D", "Me", "me%20"] {
            let answer = server.get(&format!("/users/{id}")).server().send().await;
            violations(&answer, "GET /api/v1/users/");
        }
    }
}
