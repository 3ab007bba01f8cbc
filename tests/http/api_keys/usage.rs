//! Beyond the contract: what a key is good for, and how it is used.

use latchkey_testkit::on_both_engines;
use latchkey_tests::people;
use serde_json::json;

use super::{text, user_key_with, with_keys};

on_both_engines! {
    async fn scopes_and_usage_are_shown_to_servers_on_demand(server, builder = with_keys()) {
        let user = people::create(&server, &json!({})).await;
        let user = text(&user, "id").to_owned();
        let made = user_key_with(&server, &user, &json!({ "scopes": ["read:users", "write:users"] })).await;
        assert!(made.get("scopes").is_none(), "bodies have the contract's keys: {made}");
        let path = format!("/user-api-keys/{}?include=usage", text(&made, "id"));
        let read = server.get(&path).server().send().await.expect(200);
        assert_eq!(read["scopes"], json!(["read:users", "write:users"]));
        assert_eq!((&read["last_used_at_millis"], &read["request_count"]), (&json!(null), &json!(0)));
        let check = |query: &str| {
            let path = format!("/user-api-keys/check{query}");
            server.post(&path).server().json(&json!({ "api_key": made["value"] }))
        };
        server.clock().advance_seconds(5);
        for _ in 0..3 {
            assert!(check("").send().await.expect(200).get("scopes").is_none());
        }
        let checked = check("?include=usage").send().await.expect(200);
        assert_eq!(checked["scopes"], json!(["read:users", "write:users"]));
        let used = server.app().now();
        server.clock().advance_seconds(5);
        let list = server.get(&format!("/user-api-keys?user_id={user}&include=usage")).server().send().await.expect(200);
        let key = &list["items"][0];
        assert_eq!((&key["last_used_at_millis"], &key["request_count"]), (&json!(used), &json!(4)));
        let again = server.get(&path).admin().send().await.expect(200);
        assert_eq!(again["request_count"], 4);
        let plain = server.get(&format!("/user-api-keys/{}", text(&made, "id"))).server().send().await.expect(200);
        assert!(plain.get("request_count").is_none(), "{plain}");
    }

    async fn a_refused_check_counts_for_nothing(server, builder = with_keys()) {
        let user = people::create(&server, &json!({})).await;
        let made = user_key_with(&server, text(&user, "id"), &json!({ "expires_at_millis": 5 })).await;
        let check = server.post("/user-api-keys/check").server().json(&json!({ "api_key": made["value"] }));
        check.send().await.expect_error(401, "API_KEY_EXPIRED");
        let path = format!("/user-api-keys/{}?include=usage", text(&made, "id"));
        assert_eq!(server.get(&path).server().send().await.expect(200)["request_count"], 0);
    }

    async fn servers_change_scopes_and_odd_ones_are_refused(server, builder = with_keys()) {
        let user = people::create(&server, &json!({})).await;
        let made = user_key_with(&server, text(&user, "id"), &json!({ "scopes": ["a"] })).await;
        let path = format!("/user-api-keys/{}", text(&made, "id"));
        server.patch(&path).server().json(&json!({ "scopes": ["b", "c"] })).send().await.expect(200);
        let read = server.get(&format!("{path}?include=usage")).server().send().await.expect(200);
        assert_eq!(read["scopes"], json!(["b", "c"]));
        for scopes in [json!(["two words"]), json!(["quote\""]), json!(["ü"]), json!(["x".repeat(65)]), json!(vec!["a"; 51])] {
            let change = server.patch(&path).server().json(&json!({ "scopes": scopes }));
            change.send().await.expect_text(400);
        }
    }
}
