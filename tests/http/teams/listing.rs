//! Contract 06 §1: `GET /teams`, and the pages that the SDK's server app asks for.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::{people, teams};
use serde_json::{Value, json};

use super::NOBODY;

/// Teams of these names, each a second younger than the one before; their ids.
async fn several(server: &TestServer, names: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for name in names {
        server.clock().advance_seconds(1);
        ids.push(teams::create(server, name).await);
    }
    ids
}

async fn list(server: &TestServer, query: &str) -> Value {
    server.get(&format!("/teams{query}")).server().send().await.expect(200)
}

on_both_engines! {
    async fn servers_list_all_teams_oldest_first_and_without_pages(server) {
        let ids = several(&server, &["b", "a", "c"]).await;
        let all = list(&server, "").await;
        assert_eq!(teams::ids(&all), ids);
        assert_eq!((&all["is_paginated"], all.get("pagination")), (&json!(false), None));
        assert!(all["items"][0].get("server_metadata").is_some());
    }

    async fn servers_list_the_teams_of_a_user(server) {
        let ids = several(&server, &["a", "b", "c"]).await;
        let ada = people::sign_up(&server, "ada@example.com").await;
        for team in [&ids[2], &ids[0]] {
            teams::add(&server, team, &ada.id).await.expect(201);
        }
        assert_eq!(teams::ids(&list(&server, &format!("?user_id={}", ada.id)).await), [ids[0].clone(), ids[2].clone()]);
        let backwards = list(&server, &format!("?user_id={}&desc=true&limit=1", ada.id)).await;
        assert_eq!(teams::ids(&backwards), [ids[2].clone()]);
        assert_eq!(backwards["pagination"]["next_cursor"], ids[0]);
        assert!(teams::ids(&list(&server, &format!("?user_id={NOBODY}")).await).is_empty());
    }

    async fn clients_list_their_own_teams_only(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        teams::created_by(&server, &bo, "Boats").await;
        let as_ada = |path: &str| server.get(path).client().user(&ada.access_token);
        for user in ["me", ada.id.as_str()] {
            let mine = as_ada(&format!("/teams?user_id={user}")).send().await.expect(200);
            assert_eq!(teams::ids(&mine), [team.as_str()]);
            assert!(mine["items"][0].get("server_metadata").is_none() && mine["items"][0].get("created_at_millis").is_none());
        }
        as_ada("/teams").send().await.expect_text(403);
        as_ada(&format!("/teams?user_id={}", bo.id)).send().await.expect_text(403);
        for path in ["/teams", "/teams?user_id=me"] {
            server.get(path).client().send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        }
    }

    async fn a_limit_makes_pages_and_the_cursor_is_the_first_of_the_next(server) {
        let ids = several(&server, &["a", "b", "c", "d", "e"]).await;
        // Two of the same moment are told apart by their ids.
        let twin = teams::create(&server, "f").await;
        for desc in [false, true] {
            let all = teams::ids(&list(&server, &format!("?order_by=created_at&desc={desc}")).await);
            assert_eq!(all.len(), ids.len() + 1);
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = list(&server, &format!("?limit=2&desc={desc}{cursor}")).await;
                assert_eq!(page["is_paginated"], true);
                assert!(teams::ids(&page).len() <= 2);
                seen.extend(teams::ids(&page));
                let Some(next) = page["pagination"]["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(seen, all);
            assert!(seen.contains(&twin));
        }
        let beyond = list(&server, "?limit=9223372036854775807").await;
        assert_eq!(beyond["pagination"]["next_cursor"], Value::Null);
        server.get(&format!("/teams?cursor={NOBODY}")).server().send().await.expect_text(400);
    }

    async fn a_search_finds_names_and_ids(server) {
        let ids = several(&server, &["Engines", "50% _off!", "Boat engine"]).await;
        let found = async |query: &str| teams::ids(&list(&server, &format!("?query={query}")).await);
        assert_eq!(found("ENGINE").await, [ids[0].clone(), ids[2].clone()]);
        assert_eq!(found("%25").await, [ids[1].clone()], "no wildcard");
        assert_eq!(found("_").await, [ids[1].clone()]);
        assert_eq!(found("!").await, [ids[1].clone()]);
        assert_eq!(found(&ids[1].to_uppercase()).await, [ids[1].clone()]);
        assert_eq!(found("").await, ids);
        assert!(found("nothing").await.is_empty());
    }

    async fn what_the_query_cannot_say_is_refused(server) {
        for query in ["?limit=0", "?limit=x", "?order_by=name", "?desc=1", "?cursor=x", "?user_id=x", "?other=1"] {
            server.get(&format!("/teams{query}")).server().send().await.expect_error(400, "SCHEMA_ERROR");
        }
    }
}
