//! Contract 08 §5: the data vault.

use latchkey_config::settings::DataVaultStore;
use latchkey_testkit::{Answer, Builder, TestServer, on_both_engines};
use latchkey_tests::people;
use serde_json::{Value, json};

fn with_stores() -> Builder {
    TestServer::builder().project(|settings| {
        for store in ["secrets", "more"] {
            settings.data_vault.stores.insert(store.to_owned(), DataVaultStore::default());
        }
    })
}

async fn ask(server: &TestServer, store: &str, verb: &str, body: &Value) -> Answer {
    server.post(&format!("/data-vault/stores/{store}/{verb}")).server().json(body).send().await
}

async fn set(server: &TestServer, store: &str, key: &str, value: &str) {
    let body = json!({ "hashed_key": key, "encrypted_value": value });
    assert_eq!(ask(server, store, "set", &body).await.expect(200), json!({ "success": true }));
}

async fn get(server: &TestServer, store: &str, key: &str) -> Answer {
    ask(server, store, "get", &json!({ "hashed_key": key })).await
}

on_both_engines! {
    async fn a_value_is_kept_under_its_key_and_replaced_by_the_next_one(server, builder = with_stores()) {
        set(&server, "secrets", "a", "one").await;
        set(&server, "more", "a", "elsewhere").await;
        assert_eq!(get(&server, "secrets", "a").await.expect(200), json!({ "encrypted_value": "one" }));
        set(&server, "secrets", "a", "").await;
        assert_eq!(get(&server, "secrets", "a").await.expect(200), json!({ "encrypted_value": "" }));
        assert_eq!(get(&server, "more", "a").await.expect(200), json!({ "encrypted_value": "elsewhere" }));
    }

    async fn unknown_stores_and_keys_are_told_apart(server, builder = with_stores()) {
        let details = get(&server, "none", "a").await.expect_error(400, "DATA_VAULT_STORE_DOES_NOT_EXIST");
        assert_eq!(details, json!({ "store_id": "none" }));
        let body = json!({ "hashed_key": "a", "encrypted_value": "x" });
        ask(&server, "none", "set", &body).await.expect_error(400, "DATA_VAULT_STORE_DOES_NOT_EXIST");
        let details = get(&server, "secrets", "a").await.expect_error(400, "DATA_VAULT_STORE_HASHED_KEY_DOES_NOT_EXIST");
        assert_eq!(details, json!({ "store_id": "secrets", "hashed_key": "a" }));
    }

    async fn keys_are_not_empty_and_not_endless_and_only_servers_come_here(server, builder = with_stores()) {
        get(&server, "secrets", "").await.expect_error(400, "SCHEMA_ERROR");
        ask(&server, "secrets", "set", &json!({ "hashed_key": "a" })).await.expect_error(400, "SCHEMA_ERROR");
        let endless = json!({ "hashed_key": "x".repeat(1025), "encrypted_value": "x" });
        ask(&server, "secrets", "set", &endless).await.expect_text(400);
        let client = server.post("/data-vault/stores/secrets/get").client().json(&json!({ "hashed_key": "a" }));
        client.send().await.expect_error(401, "INSUFFICIENT_ACCESS_TYPE");
    }

    async fn a_store_of_the_same_name_in_another_project_is_another_one(
        server,
        builder = with_stores().config("project", &json!([{
            "id": "33333333-3333-4333-8333-333333333333",
            "keys": { "secret_server_key": "ssk_third_0123456789" },
            "settings": { "dataVault": { "stores": { "secrets": {} } } },
        }]).to_string())
    ) {
        set(&server, "secrets", "a", "one").await;
        let outside = |verb: &str| {
            let request = server.post(&format!("/data-vault/stores/secrets/{verb}"));
            let request = request.header("x-stack-access-type", "server");
            let request = request.header("x-stack-project-id", "33333333-3333-4333-8333-333333333333");
            request.header("x-stack-secret-server-key", "ssk_third_0123456789")
        };
        let body = json!({ "hashed_key": "a" });
        outside("get").json(&body).send().await.expect_error(400, "DATA_VAULT_STORE_HASHED_KEY_DOES_NOT_EXIST");
        let body = json!({ "hashed_key": "a", "encrypted_value": "theirs" });
        outside("set").json(&body).send().await.expect(200);
        assert_eq!(get(&server, "secrets", "a").await.expect(200), json!({ "encrypted_value": "one" }));
        // A project without the store has none, whatever it sets.
        let other = server.other_project().clone();
        let without = people::speaking_for(server.post("/data-vault/stores/secrets/set"), &other, "admin");
        without.json(&body).send().await.expect_error(400, "DATA_VAULT_STORE_DOES_NOT_EXIST");
    }
}
