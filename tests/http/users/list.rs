//! Contract 05 §4: listing users.

use latchkey_api_types::ids::{ProjectId, TeamId, UserId};
use latchkey_storage::teams::{self, TeamRow};
use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people;
use serde_json::{Value, json};

use super::{NOBODY, with_github};

const TEAM: &str = "00000000-0000-4000-8000-0000000000b1";

/// The answer to `GET /users` with this query.
async fn list(server: &TestServer, query: &str) -> Value {
    server.get(&format!("/users{query}")).server().send().await.expect(200)
}

/// The names on a page.
fn names(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("items");
    items.iter().map(|user| user["display_name"].as_str().unwrap_or("-")).collect()
}

/// Users of these names, a second apart.
async fn users(server: &TestServer, names: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for name in names {
        ids.push(user(server, &json!({ "display_name": name })).await);
        server.clock().advance_seconds(1);
    }
    ids
}

async fn user(server: &TestServer, fields: &Value) -> String {
    people::create(server, fields).await["id"].as_str().expect("an id").to_owned()
}

async fn team(server: &TestServer, members: &[&String]) {
    let project: ProjectId = server.project_id().parse().expect("a project id");
    let id: TeamId = TEAM.parse().expect("a team id");
    let row = TeamRow {
        project_id: project.clone(),
        id,
        display_name: "Engines".to_owned(),
        profile_image_url: None,
        client_metadata: None,
        client_read_only_metadata: None,
        server_metadata: None,
        created_at: 5,
    };
    let mut statements = vec![teams::insert_if_absent(&row)];
    for member in members {
        let member: UserId = member.parse().expect("a user id");
        statements.push(teams::add_member(&project, id, member, 5));
    }
    server.app().store.batch(statements).await.expect("a team");
}

on_both_engines! {
    async fn without_limit_everybody_is_listed_oldest_first(server) {
        users(&server, &["Ada", "Bo", "Cy"]).await;
        let page = list(&server, "").await;
        assert_eq!(names(&page), ["Ada", "Bo", "Cy"]);
        assert_eq!((&page["is_paginated"], &page["pagination"]), (&json!(true), &json!({ "next_cursor": null })));
        assert_eq!(list(&server, "?order_by=signed_up_at&desc=false").await, page);
        assert_eq!(names(&list(&server, "?desc=true").await), ["Cy", "Bo", "Ada"]);
        assert_eq!(page["items"][0], people::seen_by_server(&server, page["items"][0]["id"].as_str().expect("an id")).await);
    }

    async fn a_project_without_users_has_an_empty_page(server) {
        for query in ["", "?limit=1", "?query=ada", "?desc=true"] {
            let page = list(&server, query).await;
            assert_eq!(page, json!({ "items": [], "is_paginated": true, "pagination": { "next_cursor": null } }));
        }
    }

    async fn a_cursor_is_the_first_user_of_its_page(server) {
        let ids = users(&server, &["A", "B", "C", "D", "E"]).await;
        for (direction, order) in [("", ["A", "B", "C", "D", "E"]), ("&desc=true", ["E", "D", "C", "B", "A"])] {
            let mut seen: Vec<String> = Vec::new();
            let mut cursor = String::new();
            loop {
                let page = list(&server, &format!("?limit=2{direction}{cursor}")).await;
                seen.extend(names(&page).into_iter().map(str::to_owned));
                match page["pagination"]["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
                assert!(seen.len() < 9, "the pages end");
            }
            assert_eq!(seen, order);
        }
        let page = list(&server, &format!("?cursor={}", ids[3])).await;
        assert_eq!(names(&page), ["D", "E"]);
        let last = list(&server, &format!("?limit=2&cursor={}", ids[3])).await;
        assert_eq!(last["pagination"]["next_cursor"], Value::Null, "a full page may be the last");
    }

    async fn users_of_the_same_moment_are_sorted_by_id(server) {
        for _ in 0..7 {
            user(&server, &json!({})).await;
        }
        let page = list(&server, "").await;
        let ids = |page: &Value| -> Vec<String> {
            page["items"].as_array().expect("items").iter().map(|user| user["id"].to_string()).collect()
        };
        let mut sorted = ids(&page);
        sorted.sort();
        assert_eq!(ids(&page), sorted);
        sorted.reverse();
        assert_eq!(ids(&list(&server, "?desc=true").await), sorted);
        let first = list(&server, "?limit=3").await;
        let cursor = first["pagination"]["next_cursor"].as_str().expect("a cursor");
        let second = list(&server, &format!("?limit=9&cursor={cursor}")).await;
        assert_eq!([ids(&first), ids(&second)].concat(), ids(&page));
    }

    async fn a_cursor_that_is_no_user_is_refused(server) {
        user(&server, &json!({})).await;
        server.get(&format!("/users?cursor={NOBODY}")).server().send().await.expect_text(400);
    }

    async fn values_of_other_shapes_are_violations(server) {
        for query in [
            "limit=0", "limit=-1", "limit=x", "cursor=x", "order_by=id", "desc=1", "team_id=x", "include_anonymous=yes",
            "unknown=1", "only_anonymous=TRUE",
        ] {
            let answer = server.get(&format!("/users?{query}")).server().send().await;
            answer.expect_error(400, "SCHEMA_ERROR");
        }
    }

    async fn anonymous_and_restricted_users_are_hidden_unless_asked_for(server) {
        user(&server, &json!({ "display_name": "Ada" })).await;
        server.clock().advance_seconds(1);
        user(&server, &json!({ "display_name": "Nobody", "is_anonymous": true })).await;
        server.clock().advance_seconds(1);
        user(&server, &json!({ "display_name": "Rogue", "restricted_by_admin": true })).await;
        server.clock().advance_seconds(1);
        user(&server, &json!({ "display_name": "Both", "is_anonymous": true, "restricted_by_admin": true })).await;
        let table: [(&str, &[&str]); 6] = [
            ("?x", &["Ada"]),
            ("?include_restricted=true", &["Ada", "Rogue"]),
            ("?include_anonymous=true", &["Ada", "Nobody", "Rogue", "Both"]),
            ("?include_anonymous=true&include_restricted=false", &["Ada", "Nobody", "Rogue", "Both"]),
            ("?include_anonymous=true&only_anonymous=true", &["Nobody", "Both"]),
            ("?include_anonymous=true&only_anonymous=true&desc=true", &["Both", "Nobody"]),
        ];
        for (query, expected) in table {
            assert_eq!(names(&list(&server, query.trim_end_matches("?x")).await), expected, "{query}");
        }
        server.get("/users?only_anonymous=true").server().send().await.expect_text(400);
        server.get("/users?only_anonymous=true&include_restricted=true").server().send().await.expect_text(400);
    }

    async fn users_without_verified_email_are_hidden_where_one_is_required(
        server, builder = TestServer::builder().project(|settings| settings.onboarding.require_email_verification = true)
    ) {
        user(&server, &json!({ "display_name": "None" })).await;
        server.clock().advance_seconds(1);
        user(&server, &json!({ "display_name": "Unverified", "primary_email": "bo@example.com" })).await;
        server.clock().advance_seconds(1);
        user(&server, &json!({ "display_name": "Verified", "primary_email": "cy@example.com", "primary_email_verified": true })).await;
        assert_eq!(names(&list(&server, "").await), ["Verified"]);
        assert_eq!(names(&list(&server, "?query=example.com").await), ["Verified"]);
        assert_eq!(names(&list(&server, "?include_restricted=true").await), ["None", "Unverified", "Verified"]);
    }

    async fn a_text_is_found_in_names_and_in_any_address_whatever_its_case(server) {
        let ada = user(&server, &json!({ "display_name": "Ada Lovelace", "primary_email": "countess@example.com" })).await;
        server.clock().advance_seconds(1);
        user(&server, &json!({ "display_name": "Zoë ÄRGER", "primary_email": "Zoe.Xylander@sub.example.org" })).await;
        server.clock().advance_seconds(1);
        people::change(&server, &ada, &json!({ "primary_email": "ada@engine.example" })).await;
        user(&server, &json!({ "display_name": "100%_!" })).await;
        let table: [(&str, &[&str]); 16] = [
            ("love", &["Ada Lovelace"]), ("LOVELACE", &["Ada Lovelace"]), ("a l", &["Ada Lovelace"]),
            ("countess", &["Ada Lovelace"]), ("ADA@ENGINE", &["Ada Lovelace"]), ("ärger", &["Zoë ÄRGER"]),
            ("xylander@sub", &["Zoë ÄRGER"]), ("xy", &["Zoë ÄRGER"]), ("%", &["100%_!"]), ("0%_!", &["100%_!"]), ("_", &["100%_!"]),
            ("!", &["100%_!"]), ("example", &["Ada Lovelace", "Zoë ÄRGER"]), ("e", &["Ada Lovelace", "Zoë ÄRGER"]),
            ("ada@example.com", &[]), ("nobody at all", &[]),
        ];
        for (text, expected) in table {
            for limit in ["", "&limit=10"] {
                let query = reqwest::Url::parse_with_params("http://x/", [("query", text)]).expect("a URL");
                let page = list(&server, &format!("?{}{limit}", query.query().unwrap_or_default())).await;
                assert_eq!(names(&page), expected, "{text}{limit}");
            }
        }
        let whole = list(&server, "?query=").await;
        assert_eq!(whole["items"].as_array().map(Vec::len), Some(3), "an empty text is none");
    }

    async fn a_search_follows_names_and_addresses_as_they_change(server) {
        let id = user(&server, &json!({ "display_name": "Quixote", "primary_email": "first@example.com" })).await;
        let found = |text: &'static str| {
            let server = &server;
            async move { list(server, &format!("?query={text}")).await["items"].as_array().map_or(0, Vec::len) }
        };
        assert_eq!((found("quixo").await, found("first@").await), (1, 1));
        people::change(&server, &id, &json!({ "display_name": "Sancho" })).await;
        assert_eq!((found("quixo").await, found("sanch").await), (0, 1));
        people::change(&server, &id, &json!({ "display_name": null })).await;
        assert_eq!(found("sanch").await, 0);
        people::change(&server, &id, &json!({ "display_name": "Rocinante" })).await;
        assert_eq!(found("rocin").await, 1);
        let channels = server.get(&format!("/contact-channels?user_id={id}")).server().send().await.expect(200);
        let path = format!("/contact-channels/{id}/{}", channels["items"][0]["id"].as_str().expect("an id"));
        server.patch(&path).server().json(&json!({ "value": "second@example.com" })).send().await.expect(200);
        assert_eq!((found("first@").await, found("second@").await), (0, 1));
        server.delete(&path).server().send().await.expect(200);
        assert_eq!(found("second@").await, 0);
        server.delete(&format!("/users/{id}")).server().send().await.expect(200);
        assert_eq!(found("rocin").await, 0);
    }

    async fn a_user_is_found_by_the_whole_id(server) {
        let ids = users(&server, &["Ada", "Bo"]).await;
        assert_eq!(names(&list(&server, &format!("?query={}", ids[1])).await), ["Bo"]);
        assert_eq!(names(&list(&server, &format!("?query=%20%27{}%27", ids[1].to_uppercase())).await), ["Bo"]);
        assert_eq!(names(&list(&server, &format!("?query={}", &ids[1][..20])).await), [""; 0]);
    }

    async fn a_hostile_text_finds_nobody_and_breaks_nothing(server) {
        user(&server, &json!({ "display_name": "Ada" })).await;
        for text in ["%22%22%22", "%22%20OR%20%22ada", "a*b*c", "NEAR(a%20b)", "'%20OR%201=1%20--", "%5C%5C%5C", "()()", "a%0Ab%0Ac"] {
            assert_eq!(names(&list(&server, &format!("?query={text}")).await), [""; 0], "{text}");
            assert_eq!(names(&list(&server, &format!("?query={text}&limit=3")).await), [""; 0], "{text}");
        }
        let long = "x".repeat(5000);
        assert_eq!(names(&list(&server, &format!("?query={long}")).await), [""; 0]);
    }

    async fn a_team_narrows_the_list_to_its_members(server) {
        let ids = users(&server, &["Ada", "Bo", "Cy", "Di"]).await;
        team(&server, &[&ids[0], &ids[2], &ids[3]]).await;
        people::change(&server, &ids[3], &json!({ "restricted_by_admin": true })).await;
        assert_eq!(names(&list(&server, &format!("?team_id={TEAM}")).await), ["Ada", "Cy"]);
        assert_eq!(names(&list(&server, &format!("?team_id={TEAM}&include_restricted=true&desc=true")).await), ["Di", "Cy", "Ada"]);
        assert_eq!(names(&list(&server, &format!("?team_id={TEAM}&query=CY")).await), ["Cy"]);
        assert_eq!(names(&list(&server, &format!("?team_id={TEAM}&query=bo")).await), [""; 0]);
        let page = list(&server, &format!("?team_id={TEAM}&limit=1")).await;
        assert_eq!((names(&page), &page["pagination"]["next_cursor"]), (vec!["Ada"], &json!(ids[2])));
        assert_eq!(names(&list(&server, &format!("?team_id={NOBODY}")).await), [""; 0]);
    }

    async fn the_list_is_the_projects_own(server) {
        users(&server, &["Ada"]).await;
        let other = server.other_project().clone();
        let page = people::speaking_for(server.get("/users?query=ada"), &other, "server").send().await.expect(200);
        assert_eq!(names(&page), [""; 0]);
        let ids = users(&server, &["Bo"]).await;
        team(&server, &[&ids[0]]).await;
        let elsewhere = |query: String| people::speaking_for(server.get(&format!("/users?{query}")), &other, "server").send();
        assert_eq!(names(&elsewhere(format!("team_id={TEAM}")).await.expect(200)), [""; 0]);
        assert_eq!(names(&elsewhere(format!("query={}", ids[0])).await.expect(200)), [""; 0]);
        elsewhere(format!("cursor={}", ids[0])).await.expect_text(400);
    }

    async fn the_filters_of_the_list_mean_nothing_elsewhere(server) {
        let id = user(&server, &json!({})).await;
        let path = format!("/users/{id}?limit=1&query=nothing&only_anonymous=true&cursor={NOBODY}");
        server.get(&path).server().send().await.expect(200);
    }

    async fn accounts_and_selected_teams_are_shown_in_lists(server, builder = with_github()) {
        let id = user(&server, &json!({ "display_name": "Ada", "oauth_providers": [{ "id": "github", "account_id": "7" }] })).await;
        team(&server, &[&id]).await;
        people::change(&server, &id, &json!({ "selected_team_id": TEAM })).await;
        user(&server, &json!({ "display_name": "Bo", "oauth_providers": [{ "id": "github", "account_id": "8" }] })).await;
        let page = list(&server, "?query=ada").await;
        assert_eq!(page["items"][0], people::seen_by_server(&server, &id).await);
        assert_eq!(page["items"][0]["oauth_providers"][0]["account_id"], "7");
        assert_eq!(page["items"][0]["selected_team"]["id"], TEAM);
    }

    async fn a_long_list_is_met_in_pages_whatever_is_asked_for(server) {
        // More than are looked at in order before a search tries anything else.
        let project: ProjectId = server.project_id().parse().expect("a project id");
        let start = server.app().now();
        let mut statements = Vec::new();
        for number in 0..700_i64 {
            let id = UserId::from_uuid(server.app().random.uuid());
            let mut row = latchkey_identity::users::blank(&project, id, start + number);
            row.display_name = Some(format!("Person {number} {}", if number % 7 == 0 { "seventh" } else { "other" }));
            statements.push(latchkey_storage::users::insert(&row));
        }
        server.app().store.batch(statements).await.expect("users");
        for (query, expected) in [("person", 700), ("seventh", 100), ("person 699", 1), ("n 69", 11), ("zzz", 0), ("99", 7), ("qz", 0)] {
            for direction in ["false", "true"] {
                let mut seen = std::collections::BTreeSet::new();
                let mut cursor = String::new();
                loop {
                    let query = query.replace(' ', "%20");
                    let page = list(&server, &format!("?limit=60&desc={direction}&query={query}{cursor}")).await;
                    for item in page["items"].as_array().expect("items") {
                        assert!(seen.insert(item["id"].to_string()), "nobody comes twice");
                    }
                    match page["pagination"]["next_cursor"].as_str() {
                        Some(next) => cursor = format!("&cursor={next}"),
                        None => break,
                    }
                }
                assert_eq!(seen.len(), expected, "{query} {direction}");
            }
        }
    }

    async fn an_admin_is_told_whom_a_setting_would_restrict(server) {
        user(&server, &json!({ "display_name": "None" })).await;
        server.clock().advance_seconds(1);
        user(&server, &json!({ "display_name": "Unverified", "primary_email": "bo@example.com" })).await;
        user(&server, &json!({ "display_name": "Verified", "primary_email": "cy@example.com", "primary_email_verified": true })).await;
        user(&server, &json!({ "is_anonymous": true })).await;
        user(&server, &json!({ "restricted_by_admin": true })).await;
        let ask = |query: &str, body: Value| {
            server.post(&format!("/internal/onboarding/preview-affected-users{query}")).admin().json(&body).send()
        };
        let required = json!({ "onboarding": { "require_email_verification": true } });
        let answer = ask("", required.clone()).await.expect(200);
        assert_eq!(answer["total_affected_count"], 2);
        let affected = answer["affected_users"].as_array().expect("users");
        assert_eq!(affected[0]["display_name"], "None");
        let keys = ["display_name", "id", "primary_email", "restricted_reason"];
        assert_eq!(latchkey_tests::tokens::keys(&affected[0]), keys);
        assert_eq!(affected[1]["primary_email"], "bo@example.com");
        assert_eq!(affected[1]["restricted_reason"], json!({ "type": "email_not_verified" }));
        let one = ask("?limit=1", required).await.expect(200);
        assert_eq!((one["affected_users"].as_array().map(Vec::len), &one["total_affected_count"]), (Some(1), &json!(2)));
        for nothing in [json!({ "onboarding": {} }), json!({ "onboarding": { "require_email_verification": false } })] {
            assert_eq!(ask("", nothing).await.expect(200), json!({ "affected_users": [], "total_affected_count": 0 }));
        }
        ask("", json!({})).await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn ten_of_those_whom_a_setting_would_restrict_are_shown_unless_more_are_asked_for(server) {
        for _ in 0..11 {
            user(&server, &json!({})).await;
        }
        let body = json!({ "onboarding": { "require_email_verification": true } });
        for (query, shown) in [("", 10), ("?limit=9", 9), ("?limit=12", 11)] {
            let path = format!("/internal/onboarding/preview-affected-users{query}");
            let answer = server.post(&path).admin().json(&body).send().await.expect(200);
            assert_eq!(answer["affected_users"].as_array().map(Vec::len), Some(shown), "{query}");
            assert_eq!(answer["total_affected_count"], 11, "{query}");
        }
    }
}
