//! Every list of the API has the same form (contract 05 §0).

use latchkey_testkit::on_both_engines;
use latchkey_tests::tokens::keys;
use latchkey_tests::{operations, people};
use reqwest::Method;
use serde_json::json;

/// Lists that the contract gives another form, or whose items are not the API's.
const OTHERS: [&str; 5] = [
    "/internal/email-themes",
    "/internal/email-templates",
    "/internal/email-drafts",
    "/openapi.json",
    "/app/",
];

on_both_engines! {
    async fn every_list_says_whether_it_has_pages_and_only_then_where_the_next_begins(server) {
        let ada = people::created(&server, &json!({ "primary_email": "ada@example.com" })).await;
        let mut lists = 0;
        for operation in operations::all(&server).await {
            let others = OTHERS.iter().any(|path| operation.path.starts_with(path));
            if operation.method != "GET" || operation.path.contains('{') || others {
                continue;
            }
            let filtered = operation.reads("query", "user_id");
            let user = if filtered { format!("?user_id={}", ada.id) } else { String::new() };
            let request = server.request(Method::GET, &format!("/api/v1{}{user}", operation.path)).admin();
            let answer = request.user(&ada.access_token).send().await;
            if answer.status != 200 || !answer.text().contains("\"items\"") {
                continue;
            }
            let list = answer.json();
            let who = format!("{}: {list}", operation.path);
            assert!(list["items"].is_array(), "{who}");
            if list["is_paginated"] == true {
                assert_eq!(keys(&list), ["is_paginated", "items", "pagination"], "{who}");
                assert_eq!(keys(&list["pagination"]), ["next_cursor"], "{who}");
            } else {
                assert_eq!((keys(&list), &list["is_paginated"]), (vec!["is_paginated", "items"], &json!(false)), "{who}");
            }
            lists += 1;
        }
        assert!(lists >= 12, "{lists}");
    }
}
