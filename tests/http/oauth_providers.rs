//! Contract 05 §7: accounts of users with OAuth providers, as records.

use latchkey_config::settings::{OAuthProviderSettings, ProviderType};
use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::{join_all, oauth, people, tokens};
use serde_json::{Value, json};

const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";

fn builder() -> Builder {
    TestServer::builder().project(|settings| {
        for (id, kind) in [("github", ProviderType::GitHub), ("work", ProviderType::Google)] {
            let provider = OAuthProviderSettings {
                provider_type: Some(kind),
                allow_sign_in: true,
                ..OAuthProviderSettings::default()
            };
            settings.auth.oauth.providers.insert(id.to_owned(), provider);
        }
    })
}

fn account(user: &str, provider: &str, account: &str) -> Value {
    json!({
        "user_id": user, "provider_config_id": provider, "account_id": account, "allow_sign_in": true,
        "allow_connected_accounts": false,
    })
}

async fn link(server: &TestServer, body: &Value) -> Value {
    server.post("/oauth-providers").server().json(body).send().await.expect(201)
}

fn path(account: &Value) -> String {
    let text = |name: &str| account[name].as_str().expect("an id");
    format!("/oauth-providers/{}/{}", text("user_id"), text("id"))
}

on_both_engines! {
    async fn a_server_links_accounts_and_clients_see_less_of_them(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let mut body = account(&ada.id, "work", "7");
        body["email"] = json!("Ada@Work.example");
        let linked = link(&server, &body).await;
        assert_eq!(linked, json!({
            "user_id": ada.id, "id": linked["id"], "email": "ada@work.example", "provider_config_id": "work", "type": "google",
            "allow_sign_in": true, "allow_connected_accounts": false, "account_id": "7",
        }));
        server.clock().advance_seconds(1);
        let plain = link(&server, &account(&ada.id, "github", "8")).await;
        assert!(plain.get("email").is_none(), "left out when unknown: {plain}");
        let mine = server.get(&path(&linked)).client().user(&ada.access_token).send().await.expect(200);
        assert!(!tokens::keys(&mine).contains(&"account_id"), "{mine}");
        let listed = server.get("/oauth-providers?user_id=me").client().user(&ada.access_token).send().await.expect(200);
        assert_eq!(listed["items"][0], mine);
        assert_eq!(listed["is_paginated"], false);
        let all = server.get("/oauth-providers").server().send().await.expect(200);
        assert_eq!(all["items"].as_array().map(Vec::len), Some(2));
        let seen = people::seen_by_server(&server, &ada.id).await;
        assert_eq!(seen["oauth_providers"].as_array().map(Vec::len), Some(2));
    }

    async fn a_client_touches_nobody_elses_accounts(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let linked = link(&server, &account(&ada.id, "github", "7")).await;
        let requests = [
            server.get("/oauth-providers"), server.get(&format!("/oauth-providers?user_id={}", ada.id)), server.get(&path(&linked)),
            server.patch(&path(&linked)).json(&json!({ "allow_sign_in": false })), server.delete(&path(&linked)),
        ];
        for request in requests {
            request.client().user(&bo.access_token).send().await.expect_text(403);
        }
        let mixed = format!("/oauth-providers/me/{}", linked["id"].as_str().expect("an id"));
        server.get(&mixed).client().user(&bo.access_token).send().await.expect_text(404);
        server.delete(&mixed).client().user(&bo.access_token).send().await.expect_text(404);
        server.get("/oauth-providers?user_id=me").client().send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        let create = server.post("/oauth-providers").client().user(&bo.access_token).json(&account(&bo.id, "github", "9"));
        create.send().await.expect_error(401, "INSUFFICIENT_ACCESS_TYPE");
    }

    async fn what_is_not_there_is_not_found(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let create = |body: Value| server.post("/oauth-providers").server().json(&body).send();
        create(account(NOBODY, "github", "7")).await.expect_error(404, "USER_NOT_FOUND");
        create(account(&ada.id, "nowhere", "7")).await.expect_text(404);
        let list = |user: &str| server.get(&format!("/oauth-providers?user_id={user}")).server().send();
        list(NOBODY).await.expect_error(404, "USER_NOT_FOUND");
        assert_eq!(list(&ada.id).await.expect(200)["items"], json!([]), "somebody without accounts is there");
        for (user, status) in [(NOBODY, true), (ada.id.as_str(), false)] {
            let path = format!("/oauth-providers/{user}/{NOBODY}");
            for request in [server.get(&path), server.patch(&path).json(&json!({})), server.delete(&path)] {
                let answer = request.server().send().await;
                if status {
                    answer.expect_error(404, "USER_NOT_FOUND");
                } else {
                    answer.expect_text(404);
                }
            }
        }
        for field in ["user_id", "provider_config_id", "account_id", "allow_sign_in", "allow_connected_accounts"] {
            let mut body = account(&ada.id, "github", "7");
            body.as_object_mut().expect("an object").remove(field);
            create(body).await.expect_error(400, "SCHEMA_ERROR");
        }
    }

    async fn an_account_is_linked_once_and_signs_in_once(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let create = |body: Value| server.post("/oauth-providers").server().json(&body).send();
        link(&server, &account(&ada.id, "github", "7")).await;
        create(account(&ada.id, "github", "7")).await.expect_text(400);
        create(account(&ada.id, "github", "8")).await.expect_text(400);
        let code = "OAUTH_PROVIDER_ACCOUNT_ID_ALREADY_USED_FOR_SIGN_IN";
        create(account(&bo.id, "github", "7")).await.expect_error(400, code);
        let mut connected = account(&bo.id, "github", "7");
        connected["allow_sign_in"] = json!(false);
        let connected = link(&server, &connected).await;
        let change = |body: Value| server.patch(&path(&connected)).server().json(&body).send();
        change(json!({ "allow_sign_in": true })).await.expect_error(400, code);
        let changed = change(json!({ "account_id": "9", "allow_sign_in": true, "email": "bo@work.example" })).await.expect(200);
        assert_eq!((&changed["account_id"], &changed["email"]), (&json!("9"), &json!("bo@work.example")));
        let mut second = account(&bo.id, "github", "10");
        second["allow_sign_in"] = json!(false);
        let second = link(&server, &second).await;
        let both = server.patch(&path(&second)).server().json(&json!({ "allow_sign_in": true })).send().await;
        both.expect_text(400);
    }

    async fn of_racing_links_of_one_account_one_signs_in(server, builder = builder()) {
        let mut users = Vec::new();
        for _ in 0..6 {
            users.push(people::create(&server, &json!({})).await["id"].as_str().expect("an id").to_owned());
        }
        let answers = join_all(users.iter().map(|id| {
            server.post("/oauth-providers").server().json(&account(id, "github", "7")).send()
        })).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        let own = join_all((0..6).map(|number| {
            server.post("/oauth-providers").server().json(&account(&users[0], "work", &number.to_string())).send()
        })).await;
        assert_eq!(own.iter().filter(|answer| answer.status == 201).count(), 1, "one of a provider signs a user in");
        assert!(answers.iter().chain(&own).all(|answer| answer.status == 201 || answer.status == 400));
    }

    async fn clients_switch_and_unlink_their_accounts(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let linked = link(&server, &account(&ada.id, "github", "7")).await;
        let change = |body: Value| server.patch(&path(&linked)).client().user(&ada.access_token).json(&body).send();
        let changed = change(json!({ "allow_sign_in": false, "allow_connected_accounts": true })).await.expect(200);
        assert_eq!((&changed["allow_sign_in"], &changed["allow_connected_accounts"]), (&json!(false), &json!(true)));
        change(json!({ "account_id": "9" })).await.expect_error(400, "SCHEMA_ERROR");
        let gone = server.delete(&path(&linked)).client().user(&ada.access_token).send().await.expect(200);
        assert_eq!(gone, json!({ "success": true }));
        assert_eq!(people::seen_by_server(&server, &ada.id).await["oauth_providers"], json!([]));
    }

    async fn accounts_of_a_provider_that_the_project_dropped_are_left_out(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let linked = link(&server, &account(&ada.id, "work", "7")).await;
        let twin = server.twin_with(|builder| builder.project(|settings| {
            settings.auth.oauth.providers.remove("work");
        })).await;
        let listed = twin.get("/oauth-providers").server().send().await.expect(200);
        assert_eq!(listed["items"], json!([]));
        twin.get(&path(&linked)).server().send().await.expect_text(404);
    }

    async fn an_account_that_signs_nobody_in_is_linked_once_as_well(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let connected = |id: &str| {
            let mut body = account(&ada.id, "github", id);
            body["allow_sign_in"] = json!(false);
            body
        };
        link(&server, &connected("7")).await;
        server.post("/oauth-providers").server().json(&connected("7")).send().await.expect_text(400);
        let other = link(&server, &connected("8")).await;
        let change = |body: Value| server.patch(&path(&other)).server().json(&body).send();
        change(json!({ "account_id": "7" })).await.expect_text(400);
        change(json!({ "account_id": "9" })).await.expect(200);
        // At another provider it is another account.
        let mut elsewhere = connected("7");
        elsewhere["provider_config_id"] = json!("work");
        link(&server, &elsewhere).await;
    }

    async fn a_server_may_mean_the_user_whom_it_speaks_for(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let request = server.post("/oauth-providers").server().user(&ada.access_token).json(&account("me", "github", "7"));
        let mine = request.send().await.expect(201);
        assert_eq!(mine["user_id"], ada.id.as_str());
        let create = server.post("/oauth-providers").server().json(&account("me", "github", "8"));
        create.send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        server.clock().advance_seconds(1);
        link(&server, &account(&bo.id, "github", "8")).await;
        let ids = |listed: &Value| {
            let items = listed["items"].as_array().expect("items").iter();
            items.map(|item| item["account_id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
        };
        let all = server.get("/oauth-providers").server().send().await.expect(200);
        assert_eq!(ids(&all), ["7", "8"], "oldest first");
        let of_bo = server.get(&format!("/oauth-providers?user_id={}", bo.id)).server().send().await.expect(200);
        assert_eq!(ids(&of_bo), ["8"]);
        assert_eq!(server.delete(&path(&mine)).server().send().await.expect(200), json!({ "success": true }));
        server.get(&path(&mine)).server().send().await.expect_text(404);
    }

    async fn clients_say_nothing_about_addresses(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let linked = link(&server, &account(&ada.id, "github", "7")).await;
        let change = server.patch(&path(&linked)).client().user(&ada.access_token).json(&json!({ "email": "x@example.com" }));
        change.send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn what_is_unlinked_or_switched_off_signs_nobody_in(server, builder = oauth::builder()) {
        let user = people::create(&server, &json!({})).await;
        let id = user["id"].as_str().expect("an id");
        let comes = async |subject: &str| {
            let answer = oauth::sign_in(&server, "google", subject).await;
            tokens::claim(answer["access_token"].as_str().expect("a token"), "sub") == id
        };
        let first = link(&server, &account(id, "google", "a@example.com")).await;
        assert!(comes("a@example.com").await);
        server.patch(&path(&first)).server().json(&json!({ "allow_sign_in": false })).send().await.expect(200);
        assert!(!comes("a@example.com").await);
        let second = link(&server, &account(id, "google", "b@example.com")).await;
        assert!(comes("b@example.com").await);
        server.delete(&path(&second)).server().send().await.expect(200);
        assert!(!comes("b@example.com").await);
    }
}
