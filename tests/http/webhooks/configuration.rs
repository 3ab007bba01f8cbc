//! Endpoints that the configuration declares.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people;
use serde_json::{Value, json};

const PROJECT: &str = "33333333-3333-4333-8333-333333333333";
const SECRET: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";

fn project(webhooks: &Value) -> String {
    let keys = json!({ "super_secret_admin_key": "sak_declared_0123456789" });
    json!([{ "id": PROJECT, "keys": keys, "webhooks": webhooks }]).to_string()
}

async fn endpoints(server: &TestServer) -> Vec<Value> {
    let request = server.get("/webhooks/endpoints").header("x-stack-access-type", "admin");
    let request = request.header("x-stack-project-id", PROJECT);
    let list =
        request.header("x-stack-super-secret-admin-key", "sak_declared_0123456789").send().await.expect(200);
    list["items"].as_array().expect("a list").clone()
}

on_both_engines! {
    async fn a_declared_endpoint_is_there_after_each_start_and_follows_its_declaration(
        server,
        builder = TestServer::builder().config("project", &project(&json!([
            { "id": "main", "url": "https://hooks.example.com/a", "secret": SECRET, "event_types": ["user.created"] },
            { "id": "second", "url": "https://hooks.example.com/b" },
        ])))
    ) {
        let found = endpoints(&server).await;
        assert_eq!(found.len(), 2);
        let main = found.iter().find(|endpoint| endpoint["url"] == "https://hooks.example.com/a").expect("the endpoint");
        assert_eq!(main["event_types"], json!(["user.created"]));
        let path = format!("/webhooks/endpoints/{}/secret", main["id"].as_str().expect("an id"));
        let admin = |request| people::speaking_for(request, &declared(), "admin");
        assert_eq!(admin(server.get(&path)).send().await.expect(200), json!({ "secret": SECRET }));
        let second = found.iter().find(|endpoint| endpoint["url"] != main["url"]).expect("the endpoint");
        let second = format!("/webhooks/endpoints/{}/secret", second["id"].as_str().expect("an id"));
        let made = admin(server.get(&second)).send().await.expect(200);
        let changed = project(&json!([
            { "id": "main", "url": "https://hooks.example.com/c", "secret": SECRET },
            { "id": "second", "url": "https://hooks.example.com/b" },
        ]));
        let twin = server.twin_with(|builder| builder.config("project", &changed)).await;
        let again = endpoints(&twin).await;
        assert_eq!(again.len(), 2);
        let same = again.iter().find(|endpoint| endpoint["id"] == main["id"]).expect("the same endpoint");
        assert_eq!((&same["url"], &same["event_types"]), (&json!("https://hooks.example.com/c"), &json!(null)));
        assert_eq!(admin(twin.get(&second)).send().await.expect(200), made, "a secret that the server made stays");
    }
}

fn declared() -> latchkey_testkit::Project {
    latchkey_testkit::Project {
        id: PROJECT.to_owned(),
        keys: latchkey_testkit::Keys {
            publishable: String::new(),
            secret: String::new(),
            admin: "sak_declared_0123456789".to_owned(),
        },
    }
}
