//! Every SQL statement of the nouns runs on both engines. One tour through the API runs them; the sources say which
//! there are.

use std::path::Path;

use latchkey_api_types::ids::{EmailId, MailingId, ProjectId, UserId};
use latchkey_config::settings::{DataVaultStore, OAuthProviderSettings, ProviderType};
use latchkey_crypto::Secret;
use latchkey_identity::webhooks::{Event, queue};
use latchkey_identity::{administrators, project_deletion, signing_keys};
use latchkey_storage::engine::{EngineKind, recorded};
use latchkey_storage::mailings::{self, MailingRow};
use latchkey_storage::outbox::{self, ClaimedMail};
use latchkey_storage::{mail_capacities, oauth_tokens, team_memberships};
use latchkey_testkit::{Builder, Engine, TestServer};
use latchkey_tests::oauth::{self, Flow};
use latchkey_tests::owners;
use latchkey_tests::passkeys;
use latchkey_tests::people::{self, OTHER_PASSWORD, PASSWORD};
use latchkey_tests::receiver::Receiver;
use latchkey_tests::second_factors;
use latchkey_tests::svix_server::{SvixServer, TOKEN, Trouble};
use latchkey_tests::teams;
use reqwest::Method;
use serde_json::{Value, json};

const PICTURE: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==";
const NEW_MASTER_KEY: &str = "new:bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=";

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

/// Mails that a project sends to its users.
async fn mails_of_projects(server: &TestServer, user: &str) {
    let draft = server.post("/internal/email-drafts").admin().json(&json!({ "display_name": "x" }));
    let draft = draft.send().await.expect(200);
    let path = format!("/internal/email-drafts/{}", draft["id"].as_str().expect("an id"));
    server.get("/internal/email-drafts").admin().send().await.expect(200);
    server.patch(&path).admin().json(&json!({ "display_name": "y" })).send().await.expect(200);
    let own = json!({
        "type": "standard", "host": "127.0.0.1", "port": 9, "username": "u", "password": "p", "sender_name": "N",
        "sender_email": "n@example.com",
    });
    let change = |config: serde_json::Value| {
        let body = json!({ "config": { "email_config": config } });
        server.patch("/internal/projects/current").admin().json(&body).send()
    };
    change(own).await.expect(200);
    for whom in [json!({ "user_ids": [user] }), json!({ "all_users": true })] {
        let mut body = whom;
        body["draft_id"] = draft["id"].clone();
        server.post("/emails/send-email").server().json(&body).send().await.expect(200);
    }
    server.flush().await;
    change(json!({ "type": "shared" })).await.expect(200);
    server.delete(&path).admin().send().await.expect(200);
    let unknown = format!("/emails/unsubscribe-link?code={}", "a".repeat(45));
    server.get(&unknown).send().await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
    // All users of a large project.
    let project: ProjectId = server.project_id().parse().expect("a project id");
    let now = server.app().now();
    let row = MailingRow {
        project_id: project.clone(),
        id: MailingId::from_uuid(server.app().random.uuid()),
        mail_sealed: Vec::new(),
        reached: String::new(),
    };
    let moved = MailingRow { reached: "x".to_owned(), ..row.clone() };
    let statements = vec![
        mailings::insert(&project, row.id, b"sealed", now + 1_000_000),
        mailings::reseal(&row, b"sealed again"),
        mailings::advance(&row, "x", now + 1_000_000),
        mailings::finish(&moved),
    ];
    server.app().store.batch(statements).await.expect("a mailing");
}

/// Does everything once that reaches the database in a way of its own.
async fn tour(server: TestServer) {
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "verification_callback_url": "http://localhost/" });
    server.post("/auth/password/sign-up").client().json(&body).send().await.expect(200);
    server.flush().await;
    let ada = people::sign_in(&server, "ada@example.com").await;
    let user = |id: &str| format!("/users/{id}");

    // Sessions.
    let refresh = || server.post("/auth/sessions/current/refresh").client();
    refresh().header("x-stack-refresh-token", &ada.refresh_token).send().await.expect(200);
    refresh().json(&json!({ "refresh_token": ada.refresh_token })).send().await.expect(200);
    server.clock().advance_seconds(60);
    refresh()
        .json(&json!({ "refresh_token": ada.refresh_token }))
        .send()
        .await
        .expect_error(401, "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED");
    let ada = people::sign_in(&server, "ada@example.com").await;
    server.flush().await;
    server.get("/auth/sessions?user_id=me").client().user(&ada.access_token).send().await.expect(200);
    let other = people::session_for(&server, &ada.id).await;
    let path = format!("/auth/sessions/{}?user_id=me", other.session_id());
    server.delete(&path).client().user(&ada.access_token).send().await.expect(200);

    mails_of_projects(&server, &ada.id).await;

    // Passwords.
    let update = |old: &str, new: &str| {
        let body = json!({ "old_password": old, "new_password": new });
        server.post("/auth/password/update").client().user(&ada.access_token).json(&body)
    };
    let spared = update(PASSWORD, OTHER_PASSWORD).header("x-stack-refresh-token", &ada.refresh_token);
    spared.send().await.expect(200);
    update(OTHER_PASSWORD, PASSWORD).send().await.expect(200);
    let bo = people::created(&server, &json!({})).await;
    let set = server
        .post("/auth/password/set")
        .client()
        .user(&bo.access_token)
        .json(&json!({ "password": PASSWORD }));
    set.send().await.expect(200);
    people::change(&server, &bo.id, &json!({ "password": null })).await;
    mailed_codes(&server).await;

    // Users and their addresses.
    let fields = json!({ "primary_email": "bo@example.com", "primary_email_auth_enabled": true, "password": PASSWORD });
    people::change(&server, &bo.id, &fields).await;
    people::change(&server, &bo.id, &json!({ "primary_email_verified": true })).await;
    people::change(&server, &bo.id, &json!({ "primary_email": "bo2@example.com" })).await;
    people::change(&server, &bo.id, &json!({ "primary_email": null })).await;
    let fields =
        json!({ "oauth_providers": [{ "id": "github", "account_id": "7" }], "profile_image_url": PICTURE });
    let cy = people::create(&server, &fields).await;
    let picture = cy["profile_image_url"].as_str().and_then(|url| url.strip_prefix(server.public_url()));
    let picture = server.request(reqwest::Method::GET, picture.expect("an address of ours")).send().await;
    assert_eq!(picture.status, 200);
    let cy = cy["id"].as_str().expect("an id");
    people::seen_by_server(&server, cy).await;
    let nobody = people::anonymous(&server).await;
    let body = json!({ "email": "nobody@example.com", "password": PASSWORD });
    server
        .post("/auth/password/sign-up")
        .client()
        .user(&nobody.access_token)
        .json(&body)
        .send()
        .await
        .expect(200);
    let fields = json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=", "profile_image_url": null });
    people::change(&server, cy, &fields).await;
    addresses_and_accounts(&server, cy).await;
    lists(&server).await;

    webhooks(&server).await;
    api_keys(&server, &ada.id).await;
    passkeys_of(&server, &people::session_for(&server, &ada.id).await).await;
    for (verb, body) in
        [("set", json!({ "hashed_key": "a", "encrypted_value": "x" })), ("get", json!({ "hashed_key": "a" }))]
    {
        server
            .post(&format!("/data-vault/stores/secrets/{verb}"))
            .server()
            .json(&body)
            .send()
            .await
            .expect(200);
    }

    cli_logins(&server).await;

    // Second factors, teams.
    let body = json!({ "email": "nobody@example.com", "password": PASSWORD });
    people::change(&server, &nobody.id, &json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" }))
        .await;
    let answer = server.post("/auth/password/sign-in").client().json(&body).send().await;
    answer.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
    second_factors_of_somebody(&server).await;
    administrators::create(server.app(), "root@example.com", None, Secret::new(PASSWORD.to_owned()))
        .await
        .expect("an administrator");
    let project: ProjectId = server.project_id().parse().expect("a project id");
    select_team(&server, cy).await;
    teams_and_permissions(&server, cy).await;

    own_projects(&server).await;
    restricting_rule(&server).await;

    // The operator's verbs, keys, jobs that fail.
    signing_keys::rotate(server.app(), &project, true).await.expect("a rotation");
    server
        .get(&format!("/projects/{project}/.well-known/jwks.json?include_anonymous=true"))
        .send()
        .await
        .expect(200);
    mails(&server, &project).await;
    handed_over(&server, &project).await;
    latchkey_identity::projects::ids(server.app()).await.expect("projects");
    let twin = server.twin().await;
    for _ in 0..2 {
        signing_keys::rotate(twin.app(), &project, true).await.expect("a rotation");
    }
    let there = people::session_for(&twin, &ada.id).await;
    people::seen_by_self(&server, &there).await;
    waiting_programs(&server).await;
    let fresh = format!("{NEW_MASTER_KEY},{}", latchkey_testkit::MASTER_KEY);
    let twin = server.twin_with(|builder| builder.config("security.master_keys", &fresh)).await;
    let sealed =
        latchkey_identity::master_key_rotation::reseal(twin.app()).await.expect("secrets to seal again");
    assert!(sealed > 0);
    latchkey_tests::stored::events(&server, &ada.id).await;

    // Endings.
    let last = people::sign_in(&server, "ada@example.com").await;
    server.delete("/auth/sessions/current").client().user(&last.access_token).send().await.expect(200);
    let listed = server.get("/users").server().send().await.expect(200);
    assert!(listed["items"].as_array().is_some_and(|items| items.len() > 2));
    let unlink = server.get("/oauth-providers").server().send().await.expect(200)["items"][0].clone();
    let path = |name: &str| unlink[name].as_str().expect("an id").to_owned();
    let path = format!("/oauth-providers/{}/{}", path("user_id"), path("id"));
    server.delete(&path).server().send().await.expect(200);
    server.delete(&user(&bo.id)).server().send().await.expect(200);
}

/// Registering, using, naming and removing passkeys.
async fn passkeys_of(server: &TestServer, person: &people::Person) {
    let key = passkeys::registered(server, person).await;
    passkeys::sign_in(server, &key).await.expect(200);
    let listed = passkeys::list(server, &person.id).await;
    let path = format!("/passkeys/{}/{}", person.id, listed[0]["id"].as_str().expect("an id"));
    server.patch(&path).server().json(&json!({ "name": "x" })).send().await.expect(200);
    server.delete(&path).server().send().await.expect(200);
    passkeys::registered(server, person).await;
    people::change(server, &person.id, &json!({ "passkey_auth_enabled": false })).await;
}

/// Somebody signs up by a mailed code, and sets a password by another one.
async fn mailed_codes(server: &TestServer) {
    let ask = |path: &str| {
        let body = json!({ "email": "di@example.com", "callback_url": "http://localhost/" });
        server.post(path).client().json(&body).send()
    };
    ask("/auth/otp/send-sign-in-code").await.expect(200);
    let code = latchkey_tests::mail::code_to(server, "di@example.com").await;
    let body = json!({ "code": code });
    server.post("/auth/otp/sign-in").client().json(&body).send().await.expect(200);
    server.clock().advance_seconds(1);
    ask("/auth/password/send-reset-code").await.expect(200);
    let code = latchkey_tests::mail::code_to(server, "di@example.com").await;
    let body = json!({ "code": code, "password": PASSWORD });
    server.post("/auth/password/reset").client().json(&body).send().await.expect(200);
}

/// Messages for a Svix server: one that is given up, and one that is taken.
async fn handed_over(server: &TestServer, project: &ProjectId) {
    let svix = SvixServer::start().await;
    svix.trouble((0..8).map(|_| Trouble::Status(500)));
    let handing = server.twin_with(|builder| {
        builder.config("webhooks.svix_url", &svix.url).config("webhooks.svix_token", TOKEN)
    });
    let handing = handing.await;
    let event =
        Event::TeamDeleted { team: "00000000-0000-4000-8000-0000000000b1".parse().expect("a team id") };
    handing.app().store.batch(queue(handing.app(), project, &event)).await.expect("an event");
    for _ in 0..8 {
        handing.flush().await;
        handing.clock().advance_seconds(10 * 3600);
    }
    handing.app().store.batch(queue(handing.app(), project, &event)).await.expect("an event");
    handing.flush().await;
    assert_eq!((svix.requests().len(), svix.messages().len()), (9, 1));
    latchkey_identity::clean_up::run(handing.app()).await.expect("a clean-up");
}

/// Begins to sign a program in; both codes.
async fn program(server: &TestServer, body: &Value) -> (Value, Value) {
    let codes = server.post("/auth/cli").client().json(body).send().await.expect(200);
    (codes["polling_code"].clone(), codes["login_code"].clone())
}

/// The sign-in of a program, from its beginning to its end.
async fn cli_logins(server: &TestServer) {
    let ada = people::sign_in(server, "ada@example.com").await;
    let nobody = people::anonymous(server).await;
    let (polling, login) = program(server, &json!({ "anon_refresh_token": nobody.refresh_token })).await;
    let body = json!({ "login_code": login, "mode": "claim-anon-session" });
    server.post("/auth/cli/complete").client().json(&body).send().await.expect(200);
    let body = json!({ "login_code": login, "refresh_token": ada.refresh_token });
    server.post("/auth/cli/complete").client().json(&body).send().await.expect(200);
    server.post("/auth/cli/poll").client().json(&json!({ "polling_code": polling })).send().await.expect(201);
}

/// Two programs that wait, with a secret of each kind.
async fn waiting_programs(server: &TestServer) {
    let ada = people::sign_in(server, "ada@example.com").await;
    let nobody = people::anonymous(server).await;
    program(server, &json!({ "anon_refresh_token": nobody.refresh_token })).await;
    let (_, login) = program(server, &json!({})).await;
    let body = json!({ "login_code": login, "refresh_token": ada.refresh_token });
    server.post("/auth/cli/complete").client().json(&body).send().await.expect(200);
}

/// The second factor of somebody, from the set-up to its end.
async fn second_factors_of_somebody(server: &TestServer) {
    let email = "dora@example.com";
    let (dora, secret, codes) = second_factors::set_up(server, email).await;
    server.get("/auth/mfa").client().user(&dora.access_token).send().await.expect(200);
    let attempt = second_factors::attempt(server, email).await;
    second_factors::complete(server, &attempt, &second_factors::backup(&codes[0])).await.expect(200);
    let path = "/auth/mfa/backup-codes/regenerate";
    second_factors::call(server, &dora, path, &json!({})).await.expect(200);
    for path in ["/auth/reauthenticate", "/auth/mfa/totp/disable"] {
        server.clock().advance_seconds(second_factors::STEP);
        let proof = second_factors::totp(&secret.code_at(server.app().now()));
        second_factors::call(server, &dora, path, &proof).await.expect(200);
    }
    let proof = json!({ "type": "password", "password": PASSWORD });
    second_factors::call(server, &dora, "/auth/reauthenticate", &proof).await.expect(200);
}

/// A sign-up rule that restricts somebody who was anonymous.
async fn restricting_rule(server: &TestServer) {
    let rule = json!({ "auth.signUpRules.all": { "enabled": true, "condition": "true", "action": { "type": "restrict" } } });
    let body = json!({ "config_override_string": rule.to_string() });
    server.patch("/internal/config/override/branch").admin().json(&body).send().await.expect(200);
    let nobody = people::anonymous(server).await;
    let body = json!({ "email": "restricted@example.com", "password": PASSWORD });
    let upgrade = server.post("/auth/password/sign-up").client().user(&nobody.access_token);
    upgrade.json(&body).send().await.expect(200);
}

/// Owners of projects, keys, and the end of a project.
async fn own_projects(server: &TestServer) {
    let owner = owners::sign_up(server, "owner@example.com").await;
    let (one, two) = (
        owners::team(server, &owner, &["team_admin"]).await,
        owners::team(server, &owner, &["team_admin"]).await,
    );
    let project = owners::project(server, &owner, &one, &json!({})).await;
    let id = project["id"].as_str().expect("an id");
    let own = || owners::internal(server.get("/internal/projects")).user(&owner.access_token).send();
    own().await.expect(200);
    let body = json!({ "project_id": id, "new_team_id": two });
    let hand = owners::internal(server.post("/internal/projects/transfer")).user(&owner.access_token);
    hand.json(&body).send().await.expect(200);
    let body = json!({
        "description": "", "expires_at_millis": 1, "has_publishable_client_key": true,
        "has_secret_server_key": false, "has_super_secret_admin_key": false,
    });
    let administering = |request| owners::administering(request, id, &owner);
    let set = administering(server.post("/internal/api-keys")).json(&body).send().await.expect(200);
    let path = format!("/internal/api-keys/{}", set["id"].as_str().expect("an id"));
    administering(server.get(&path)).send().await.expect(200);
    administering(server.patch(&path)).json(&json!({ "revoked": true })).send().await.expect(200);
    administering(server.delete("/internal/projects/current")).send().await.expect(200);
    project_deletion::run_due(server.app()).await.expect("a purge");
    let counts = latchkey_storage::project_deletion::count_all(&id.parse().expect("a project id"));
    server.app().store.batch(counts).await.expect("counts");
}

/// Contact channels, accounts, preferences.
async fn addresses_and_accounts(server: &TestServer, user: &str) {
    let body = json!({
        "user_id": user, "type": "email", "value": "cy@example.com", "used_for_auth": true, "is_primary": true,
    });
    let channel = server.post("/contact-channels").server().json(&body).send().await.expect(201);
    let path = format!("/contact-channels/{user}/{}", channel["id"].as_str().expect("an id"));
    server.get(&path).server().send().await.expect(200);
    server.get("/contact-channels").server().send().await.expect(200);
    let body = json!({ "callback_url": "http://localhost/" });
    server.post(&format!("{path}/send-verification-code")).server().json(&body).send().await.expect(200);
    let mails = latchkey_tests::mail::to(server, "cy@example.com").await;
    let links = latchkey_tests::mail::links(&mails.first().expect("a mail").text);
    let code = links.iter().find_map(|link| link.split_once("code=")).expect("a code").1.to_owned();
    server.post("/contact-channels/verify").client().json(&json!({ "code": code })).send().await.expect(200);
    server.patch(&path).server().json(&json!({ "value": "cy2@example.com" })).send().await.expect(200);
    server.delete(&path).server().send().await.expect(200);

    let listed = server.get("/oauth-providers").server().send().await.expect(200);
    let path = format!("/oauth-providers/{user}/{}", listed["items"][0]["id"].as_str().expect("an id"));
    server.get(&path).server().send().await.expect(200);
    server.patch(&path).server().json(&json!({ "account_id": "8" })).send().await.expect(200);
    let path = format!("/emails/notification-preference/{user}");
    server.get(&path).server().send().await.expect(200);
    let marketing = format!("{path}/4f6f8873-3d04-46bd-8bef-18338b1a1b4c");
    server.patch(&marketing).server().json(&json!({ "enabled": false })).send().await.expect(200);
}

fn oauth_builder() -> Builder {
    oauth::builder().config("oauth.shared.hands_out_access_tokens", "true")
}

/// Signing in through a provider: somebody new, an anonymous user, one whose address it is; and going on elsewhere.
async fn oauth_tour(server: TestServer) {
    let first = oauth::sign_in(&server, "google", "ada@example.com").await;
    oauth::sign_in(&server, "github", "ada@example.com").await;
    let anonymous = people::anonymous(&server).await;
    let upgrade = Flow::new(&server, "google").with("token", &anonymous.access_token);
    oauth::code(&upgrade.as_user("alan@example.com").await);
    let code = oauth::code(&Flow::new(&server, "google").as_user("ada@example.com").await);
    for status in [200, 400] {
        assert_eq!(oauth::exchange(&server, &code, &[]).send().await.status, status);
    }
    let text = |name: &str| first[name].as_str().expect("a token").to_owned();
    let body =
        json!({ "redirect_uri": oauth::REDIRECT_URI, "state": "s", "code_challenge": oauth::challenge() });
    let request = server.post("/auth/oauth/cross-domain/authorize").client().user(&text("access_token"));
    let request = request.header("x-stack-refresh-token", &text("refresh_token"));
    let handed = request.json(&body).send().await.expect(200);
    let url = reqwest::Url::parse(handed["redirect_url"].as_str().expect("an address")).expect("a URL");
    let code = url.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
    oauth::exchange(&server, &code, &[]).send().await.expect(200);
    provider_tokens(&server).await;
    latchkey_identity::clean_up::run(server.app()).await.expect("a clean-up");
}

/// What providers gave: handed out, refreshed, and what is left when they refuse.
async fn provider_tokens(server: &TestServer) {
    let listed = server.get("/oauth-providers").server().send().await.expect(200);
    let user = listed["items"][0]["user_id"].as_str().expect("an id");
    server.clock().advance_seconds(3600);
    let path = format!("/connected-accounts/{user}/google/access-token");
    server.post(&path).server().json(&json!({})).send().await.expect(201);
    let project: ProjectId = server.project_id().parse().expect("a project id");
    let of = project.clone();
    let store = &server.app().store;
    let read = store.read(move |tx| Box::pin(async move { oauth_tokens::list_all(tx, &of, "", 100).await }));
    let row = read.await.expect("grants").remove(0);
    let statements = vec![
        oauth_tokens::reseal_access_token(&project, row.id, b"old", b"new"),
        oauth_tokens::reseal_refresh_token(&project, row.id, b"old", b"new"),
        oauth_tokens::claim(&row, 1, 2),
        oauth_tokens::release(&row, 2),
        oauth_tokens::end_access_token(&row),
        oauth_tokens::end_refresh_token(&row),
        oauth_tokens::delete_if_empty(&row).exactly(1),
        oauth_tokens::delete_of_account(&project, row.oauth_account_id),
    ];
    store.batch(statements).await.expect("the life of a grant");
}

/// Every way of listing users.
async fn lists(server: &TestServer) {
    let team = "00000000-0000-4000-8000-0000000000b1";
    for query in [
        "limit=1",
        "include_anonymous=true",
        "query=example.com&limit=1",
        "query=no",
        "query=nobody",
        &format!("team_id={team}"),
    ] {
        for direction in ["false", "true"] {
            server.get(&format!("/users?{query}&desc={direction}")).server().send().await.expect(200);
        }
    }
    let body = json!({ "onboarding": { "require_email_verification": true } });
    server.post("/internal/onboarding/preview-affected-users").admin().json(&body).send().await.expect(200);
}

/// Keys of users and teams: made, listed, changed, checked, reported.
async fn api_keys(server: &TestServer, user: &str) {
    let team = &*teams::create(server, "Keys").await;
    for (kind, owner, id) in [("user", "user_id", user), ("team", "team_id", team)] {
        let path = format!("/{kind}-api-keys");
        let body = json!({ owner: id, "description": "a", "expires_at_millis": null });
        let key = server.post(&path).server().json(&body).send().await.expect(200);
        server
            .post(&format!("{path}/check"))
            .server()
            .json(&json!({ "api_key": key["value"] }))
            .send()
            .await
            .expect(200);
        server.get(&format!("{path}?{owner}={id}&include=usage")).server().send().await.expect(200);
        let own = format!("{path}/{}?{owner}={id}", key["id"].as_str().expect("an id"));
        server.patch(&own).server().json(&json!({ "description": "b" })).send().await.expect(200);
        let report =
            server.post("/integrations/credential-scanning/revoke").json(&json!({ "api_key": key["value"] }));
        report.send().await.expect(200);
    }
}

/// Deliveries that succeed and fail, and everything that people may do with endpoints and messages.
async fn webhooks(server: &TestServer) {
    let receiver = Receiver::start().await;
    let admin = |method: Method, path: &str| server.api(method, path).admin();
    let made = admin(Method::POST, "/webhooks/endpoints")
        .json(&json!({ "url": receiver.url }))
        .send()
        .await
        .expect(201);
    let own = format!("/webhooks/endpoints/{}", made["id"].as_str().expect("an id"));
    admin(Method::GET, "/webhooks/endpoints").send().await.expect(200);
    admin(Method::PATCH, &own).json(&json!({ "description": "a" })).send().await.expect(200);
    admin(Method::POST, &format!("{own}/secret/rotate")).json(&json!({})).send().await.expect(200);
    receiver.fail(1, 500);
    let project: ProjectId = server.project_id().parse().expect("a project id");
    let user = UserId::from_uuid(server.app().random.uuid());
    let event = Event::ProjectPermissionCreated { id: "a", user };
    server.app().store.batch(queue(server.app(), &project, &event)).await.expect("an event");
    server.flush().await;
    server.clock().advance_seconds(5);
    server.flush().await;
    let message = receiver.received()[0].header("svix-id").to_owned();
    admin(Method::GET, &format!("/webhooks/messages/{message}")).send().await.expect(200);
    let body = json!({ "endpoint_id": made["id"] });
    admin(Method::POST, &format!("/webhooks/messages/{message}/resend")).json(&body).send().await.expect(200);
    admin(Method::POST, "/internal/send-test-webhook").json(&body).send().await.expect(200);
    admin(Method::GET, &format!("{own}/attempts")).send().await.expect(200);
    let token = admin(Method::POST, "/webhooks/svix-token").json(&json!({})).send().await.expect(201);
    let bearer = format!("Bearer {}", token["token"].as_str().expect("a token"));
    for path in [format!("/app/{project}/msg"), format!("/app/{project}/attempt/msg/{message}")] {
        server.get(&path).header("authorization", &bearer).send().await.expect(200);
    }
    let declared = json!([{ "id": "33333333-3333-4333-8333-333333333333",
        "webhooks": [{ "id": "main", "url": "https://hooks.example.com/" }] }]);
    let declared = declared.to_string();
    let configured =
        |builder: Builder| builder.config("project", &declared).config("retention.audit_events", "30d");
    let twin = server.twin_with(configured).await;
    latchkey_identity::clean_up::run(twin.app()).await.expect("a clean-up");
    // Whatever is sealed again later finds the first one.
    let second = json!({ "url": receiver.url });
    let second = admin(Method::POST, "/webhooks/endpoints").json(&second).send().await.expect(201);
    let second = format!("/webhooks/endpoints/{}", second["id"].as_str().expect("an id"));
    admin(Method::DELETE, &second).send().await.expect(200);
}

async fn select_team(server: &TestServer, user: &str) {
    let team = teams::create(server, "Engines").await;
    teams::add(server, &team, user).await.expect(201);
    people::change(server, user, &json!({ "selected_team_id": team })).await;
    people::seen_by_server(server, user).await;
}

/// Teams, members, invitations and permissions, with every filter of their lists.
async fn teams_and_permissions(server: &TestServer, user: &str) {
    let ada = people::session_for(server, user).await;
    let team = teams::created_by(server, &ada, "Engines").await;
    for query in [
        "",
        "?desc=true&limit=1",
        &format!("?user_id={user}&query=eng"),
        &format!("?user_id={user}&desc=true"),
    ] {
        server.get(&format!("/teams{query}")).server().send().await.expect(200);
    }
    server
        .patch(&format!("/teams/{team}"))
        .server()
        .json(&json!({ "display_name": "x" }))
        .send()
        .await
        .expect(200);
    for query in [
        "",
        &format!("?team_id={team}"),
        &format!("?user_id={user}"),
        &format!("?team_id={team}&user_id={user}"),
    ] {
        server.get(&format!("/team-member-profiles{query}")).server().send().await.expect(200);
        server.get(&format!("/team-permissions{query}")).server().send().await.expect(200);
    }
    let profile = json!({ "display_name": "Cy" });
    server
        .patch(&format!("/team-member-profiles/{team}/{user}"))
        .server()
        .json(&profile)
        .send()
        .await
        .expect(200);

    for (endpoint, grant) in [
        ("/team-permission-definitions", format!("/team-permissions/{team}/{user}")),
        ("/project-permission-definitions", format!("/project-permissions/{user}")),
    ] {
        let (one, two) = (format!("a{}", endpoint.len()), format!("b{}", endpoint.len()));
        server.post(endpoint).admin().json(&json!({ "id": one })).send().await.expect(201);
        server.post(&format!("{grant}/{one}")).server().json(&json!({})).send().await.expect(201);
        server
            .patch(&format!("{endpoint}/{one}"))
            .admin()
            .json(&json!({ "id": two }))
            .send()
            .await
            .expect(200);
        server.delete(&format!("{grant}/{two}")).server().send().await.expect(200);
        server.delete(&format!("{endpoint}/{two}")).admin().send().await.expect(200);
    }
    for query in ["", "?user_id=me"] {
        server
            .get(&format!("/project-permissions{query}"))
            .server()
            .user(&ada.access_token)
            .send()
            .await
            .expect(200);
    }

    let (project, member) = (server.project_id().parse().expect("an id"), user.parse().expect("an id"));
    let read = server
        .app()
        .store
        .read(move |tx| Box::pin(async move { team_memberships::teams_of(tx, &project, member).await }));
    assert!(!read.await.expect("teams").is_empty());
    let (id, code) = teams::invite(server, &team, "dee@example.com").await;
    for query in [format!("team_id={team}"), format!("user_id={user}")] {
        server.get(&format!("/team-invitations?{query}")).server().send().await.expect(200);
    }
    let by_id = server.post(&format!("/team-invitations/{id}/accept?user_id={user}")).server().send().await;
    by_id.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
    teams::accept(server, &ada, &code).await.expect(200);
    let (id, _) = teams::invite(server, &team, "dee@example.com").await;
    server.delete(&format!("/team-invitations/{id}?team_id={team}")).server().send().await.expect(200);
    let nobody = people::created(server, &json!({})).await;
    teams::add(server, &team, &nobody.id).await.expect(201);
    teams::remove(server, &team, &nobody.id).await.expect(200);
    server.delete(&format!("/teams/{team}")).server().send().await.expect(200);
}

/// How deliveries go that do not go well.
async fn mails(server: &TestServer, project: &ProjectId) {
    let store = &server.app().store;
    let mail = ClaimedMail {
        project_id: project.clone(),
        id: EmailId::from_uuid(server.app().random.uuid()),
        user_id: None,
        addresses: None,
        content_sealed: Vec::new(),
        has_rendered: true,
        scheduled_at: 0,
        attempts: 1,
        errors: None,
        delivered_to: None,
        revision: 1,
    };
    let unlucky = vec![
        outbox::retry_later(&mail, 1, "[]", 1),
        outbox::give_up(&mail, "[]", 1),
        outbox::release(&mail, 1),
        outbox::note_skipped(&mail, "USER_UNSUBSCRIBED", 1),
        outbox::note_delivered(&mail, "[]"),
        outbox::note_rendered(&mail, b"", 1),
        outbox::note_render_error(&mail, "no", 1),
        mail_capacities::hold(project, 1),
        mail_capacities::begin_boost(project, 2, 1),
    ];
    store.batch(unlucky).await.expect("statements that touch no mail");
    let of = project.clone();
    let read = store.read(move |tx| {
        Box::pin(async move {
            let row = outbox::list(tx, &of, 1, ",sent,queued,", None, 1).await?.remove(0);
            outbox::get(tx, &of, row.id, 1).await?;
            outbox::count_sent(tx, &of, 0).await?;
            let sealed = outbox::list_sealed(tx, &of, "", 1).await?.remove(0);
            mail_capacities::boosted(tx, 1).await?;
            assert_eq!(mail_capacities::boost_expires_at(tx, &of).await?, Some(2));
            Ok::<_, latchkey_storage::StorageError>((row, sealed))
        })
    });
    let (row, sealed) = read.await.expect("a mail");
    let changes = vec![
        outbox::reseal(project, &sealed, &sealed.content_sealed),
        outbox::update(project, &row, 1),
        outbox::cancel(project, &row, 1),
    ];
    store.batch(changes).await.expect("changes of a mail");
}

/// A statement as the sources write it, and the engines that run this text of it.
struct Written {
    text: String,
    engines: Vec<EngineKind>,
}

/// The sources of the nouns: everything but the engine.
fn sources(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("the sources of storage") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("engine") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The statements in the sources of the nouns: string literals that begin with a verb of SQL, or, for statements put
/// together from pieces, with WHERE.
fn statements() -> Vec<Written> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/storage/src");
    let mut found: Vec<Written> = Vec::new();
    for path in sources(&directory) {
        let text = std::fs::read_to_string(&path).expect("a source");
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(|line| [line, "\n"])
            .collect();
        // No statement holds a double quote, so every second piece between quotes is a literal.
        let pieces: Vec<&str> = code.split('"').collect();
        for pair in pieces.chunks_exact(2) {
            let text = joined(pair[1]).trim().to_owned();
            let verbs = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WHERE "];
            if !verbs.iter().any(|verb| text.starts_with(verb)) {
                continue;
            }
            let mut engines = vec![EngineKind::Sqlite, EngineKind::Postgres];
            // An override for one engine stands behind the common text, which then is the other engine's.
            for (call, own) in [(".postgres(", EngineKind::Postgres), (".sqlite(", EngineKind::Sqlite)] {
                let before = pair[0].trim_end().trim_end_matches("select!(").trim_end();
                if before.ends_with(call) {
                    engines = vec![own];
                    found.last_mut().expect("a common text").engines.retain(|engine| *engine != own);
                }
            }
            found.push(Written { text, engines });
        }
    }
    assert!(found.len() > 30, "the sources hold {} statements", found.len());
    found
}

/// A literal as the compiler reads it: a backslash at the end of a line swallows the break and the indentation.
fn joined(literal: &str) -> String {
    let mut joined = String::new();
    let mut rest = literal;
    while let Some((before, after)) = rest.split_once("\\\n") {
        joined.push_str(before);
        rest = after.trim_start();
    }
    joined.push_str(rest);
    joined
}

fn missing(kind: EngineKind) -> Vec<String> {
    let ran = recorded::on(kind);
    statements()
        .into_iter()
        .filter(|statement| statement.engines.contains(&kind))
        .map(|statement| statement.text)
        .filter(|text| !ran.iter().any(|other| other.contains(text.as_str())))
        .collect()
}

#[test]
fn every_statement_runs_on_both_engines() {
    latchkey_testkit::run(Engine::Sqlite, builder(), tour);
    latchkey_testkit::run(Engine::Sqlite, oauth_builder(), oauth_tour);
    let missing_on_sqlite = missing(EngineKind::Sqlite);
    assert!(missing_on_sqlite.is_empty(), "SQLite never ran {missing_on_sqlite:#?}");
    if !Engine::Postgres.is_available() {
        return;
    }
    latchkey_testkit::run(Engine::Postgres, builder(), tour);
    latchkey_testkit::run(Engine::Postgres, oauth_builder(), oauth_tour);
    let missing_on_postgres = missing(EngineKind::Postgres);
    assert!(missing_on_postgres.is_empty(), "PostgreSQL never ran {missing_on_postgres:#?}");
}
