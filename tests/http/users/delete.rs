//! Contract 05 §3.3: deleting a user and all that belongs to them.

use latchkey_storage::engine::{Outcome, args, stmt};
use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people::{self, PASSWORD};
use latchkey_tests::{join_all, stored, teams};
use serde_json::json;

use super::with_github;

macro_rules! of_user {
    ($($table:literal)+) => {
        [$(($table, concat!("SELECT COUNT(*) FROM ", $table, " WHERE user_id = $1"))),+]
    };
}

/// The tables in which something of a user stands, and how their rows are counted.
const TABLES: [(&str, &str); 9] = of_user![
    "contact_channels" "credentials" "oauth_accounts" "team_memberships" "team_permissions" "project_permissions"
    "api_keys" "notification_preferences" "sessions"
];

/// How many rows of each table are a user's.
async fn rows(server: &TestServer, user: &str) -> Vec<(&'static str, i64)> {
    let counts = TABLES.iter().map(|(_, text)| stmt(*text, args![user.to_owned()])).collect();
    let outcomes = server.app().store.batch(counts).await.expect("counts");
    let count = |outcome: &Outcome| outcome.first::<(i64,)>().expect("a number").expect("a row").0;
    TABLES.iter().zip(&outcomes).map(|((table, _), outcome)| (*table, count(outcome))).collect()
}

on_both_engines! {
    async fn a_deleted_user_leaves_nothing_that_opens_anything(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let path = format!("/users/{}", ada.id);
        assert_eq!(server.delete(&path).server().send().await.expect(200), json!({ "success": true }));
        server.get(&path).server().send().await.expect_error(404, "USER_NOT_FOUND");
        server.delete(&path).server().send().await.expect_error(404, "USER_NOT_FOUND");
        let refresh = server.post("/auth/sessions/current/refresh").client();
        let answer = refresh.header("x-stack-refresh-token", &ada.refresh_token).send().await;
        answer.expect_error(401, "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED");
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let answer = server.post("/auth/password/sign-in").client().json(&body).send().await;
        answer.expect_error(400, "EMAIL_PASSWORD_MISMATCH");
        let list = server.get(&format!("/auth/sessions?user_id={}", ada.id)).admin().send().await.expect(200);
        assert_eq!(list["items"], json!([]));
        assert!(stored::event_kinds(&server, &ada.id).await.contains(&"user.deleted".to_owned()), "the record stays");
    }

    async fn the_address_is_free_again(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        server.delete(&format!("/users/{}", ada.id)).server().send().await.expect(200);
        assert_ne!(people::sign_up(&server, "ada@example.com").await.id, ada.id);
    }

    async fn of_racing_deletions_one_succeeds(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let path = format!("/users/{}", ada.id);
        let answers = join_all((0..8).map(|_| server.delete(&path).server().send())).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.expect_error(404, "USER_NOT_FOUND");
        }
    }

    async fn a_deletion_that_races_sign_ins_and_refreshes_is_never_a_5xx(server) {
        for round in 0..3 {
            let email = format!("ada{round}@example.com");
            let ada = people::sign_up(&server, &email).await;
            let body = json!({ "email": email, "password": PASSWORD });
            let sign_ins = join_all((0..4).map(|_| server.post("/auth/password/sign-in").client().json(&body).send()));
            let refreshes = join_all((0..6).map(|_| {
                let refresh = server.post("/auth/sessions/current/refresh").client();
                refresh.json(&json!({ "refresh_token": ada.refresh_token })).send()
            }));
            let path = format!("/users/{}", ada.id);
            let delete = server.delete(&path).server().send();
            let (sign_ins, refreshes, deleted) = tokio::join!(sign_ins, refreshes, delete);
            deleted.expect(200);
            server.flush().await;
            for answer in sign_ins.iter().chain(&refreshes) {
                assert!(answer.status < 500, "{}", answer.text());
            }
        }
    }

    async fn everything_of_a_deleted_user_goes_and_their_teams_stay(
        server, builder = with_github().project(|settings| settings.api_keys.enabled.user = true)
    ) {
        let fields = json!({
            "primary_email": "ada@example.com", "primary_email_auth_enabled": true, "password": PASSWORD,
            "oauth_providers": [{ "id": "github", "account_id": "7" }],
        });
        let ada = people::created(&server, &fields).await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        server.post("/project-permission-definitions").admin().json(&json!({ "id": "p" })).send().await.expect(201);
        server.post(&format!("/project-permissions/{}/p", ada.id)).server().json(&json!({})).send().await.expect(201);
        let wish = format!("/emails/notification-preference/{}/4f6f8873-3d04-46bd-8bef-18338b1a1b4c", ada.id);
        server.patch(&wish).server().json(&json!({ "enabled": false })).send().await.expect(200);
        let key = json!({ "user_id": ada.id, "description": "a key", "expires_at_millis": null });
        server.post("/user-api-keys").server().json(&key).send().await.expect(200);
        for (table, count) in rows(&server, &ada.id).await {
            assert!(count > 0, "{table}");
        }
        server.delete(&format!("/users/{}", ada.id)).server().send().await.expect(200);
        for (table, count) in rows(&server, &ada.id).await {
            assert_eq!(count, 0, "{table}");
        }
        let lists = [
            "/users?include_anonymous=true", "/contact-channels", "/oauth-providers", "/team-member-profiles",
            "/team-permissions", "/project-permissions",
        ];
        for path in lists {
            assert_eq!(server.get(path).server().send().await.expect(200)["items"], json!([]), "{path}");
        }
        server.patch(&wish).server().json(&json!({ "enabled": true })).send().await.expect_error(404, "USER_NOT_FOUND");
        assert_eq!(teams::ids(&server.get("/teams").server().send().await.expect(200)), [team.as_str()]);
        // Neither the address nor the account elsewhere is taken any more.
        people::create(&server, &fields).await;
    }
}
