//! Every SQL statement of the nouns runs on both engines. One tour through the API runs them, a file for each noun; the
//! sources say which there are.

mod api_keys;
mod cli_logins;
mod contact_channels;
mod data_vault;
mod emails;
mod oauth;
mod passkeys;
mod passwords;
mod projects;
mod second_factors;
mod sessions;
mod sign_up_rules;
mod signing_keys;
mod teams;
mod users;
mod webhooks;
mod written;

use latchkey_api_types::ids::ProjectId;
use latchkey_config::settings::{DataVaultStore, OAuthProviderSettings, ProviderType};
use latchkey_crypto::Secret;
use latchkey_identity::administrators;
use latchkey_storage::engine::EngineKind;
use latchkey_testkit::{Builder, Engine, TestServer};
use latchkey_tests::people::{self, PASSWORD};
use latchkey_tests::stored;
use serde_json::json;

fn builder() -> Builder {
    let local = TestServer::builder().config("outgoing.allow_private_addresses", r#"["127.0.0.0/8"]"#);
    local.config("server.public_url", "https://auth.example.com").project(|settings| {
        settings.data_vault.stores.insert("secrets".to_owned(), DataVaultStore::default());
        settings.api_keys.enabled.user = true;
        settings.auth.passkey.allow_sign_in = true;
        settings.auth.otp.allow_sign_in = true;
        settings.api_keys.enabled.team = true;
        settings.auth.oauth.providers.insert(
            "github".to_owned(),
            OAuthProviderSettings {
                provider_type: Some(ProviderType::GitHub),
                allow_sign_in: true,
                ..OAuthProviderSettings::default()
            },
        );
    })
}

/// Does everything once that reaches the database in a way of its own.
async fn tour(server: TestServer) {
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "verification_callback_url": "http://localhost/" });
    server.post("/auth/password/sign-up").client().json(&body).send().await.expect(200);
    server.flush().await;
    let ada = people::sign_in(&server, "ada@example.com").await;
    let project: ProjectId = server.project_id().parse().expect("a project id");

    let ada = sessions::tour(&server, &ada).await;
    emails::sent_by_projects(&server, &ada.id).await;
    let bo = passwords::tour(&server, &ada).await;
    users::addresses(&server, &bo).await;
    let cy = users::with_everything(&server).await;
    let nobody = users::upgraded(&server).await;
    contact_channels::tour(&server, &cy).await;
    users::lists(&server).await;
    webhooks::tour(&server).await;
    api_keys::tour(&server, &ada.id).await;
    passkeys::tour(&server, &people::session_for(&server, &ada.id).await).await;
    data_vault::tour(&server).await;
    cli_logins::tour(&server).await;
    second_factors::asked_for(&server, &nobody.id, "nobody@example.com").await;
    second_factors::tour(&server).await;
    administrators::create(server.app(), "root@example.com", None, Secret::new(PASSWORD.to_owned()))
        .await
        .expect("an administrator");
    teams::select(&server, &cy).await;
    teams::tour(&server, &cy).await;
    projects::tour(&server).await;
    sign_up_rules::tour(&server).await;
    signing_keys::rotate(&server, &project).await;
    emails::badly_delivered(&server, &project).await;
    webhooks::handed_over(&server, &project).await;
    signing_keys::rotate_elsewhere(&server, &project, &ada.id).await;
    cli_logins::waiting(&server).await;
    signing_keys::reseal(&server).await;
    stored::events(&server, &ada.id).await;

    // Endings.
    sessions::end(&server).await;
    let listed = server.get("/users").server().send().await.expect(200);
    assert!(listed["items"].as_array().is_some_and(|items| items.len() > 2));
    contact_channels::unlink(&server).await;
    server.delete(&format!("/users/{}", bo.id)).server().send().await.expect(200);
}

#[test]
fn every_statement_runs_on_both_engines() {
    for (engine, kind) in [(Engine::Sqlite, EngineKind::Sqlite), (Engine::Postgres, EngineKind::Postgres)] {
        if !engine.is_available() {
            continue;
        }
        latchkey_testkit::run(engine, builder(), tour);
        latchkey_testkit::run(engine, oauth::builder(), oauth::tour);
        let missing = written::missing(kind);
        assert!(missing.is_empty(), "{kind:?} never ran {missing:#?}");
    }
    assert_eq!(written::deletes_limited_by_argument(), [""; 0], "use at_once!");
}
