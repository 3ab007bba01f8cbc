//! Every SQL statement of the nouns runs on both engines. One tour through the API runs them; the sources say which
//! there are.

use std::path::Path;

use latchkey_api_types::ids::{ProjectId, TeamId, UserId};
use latchkey_config::settings::{OAuthProviderSettings, ProviderType};
use latchkey_crypto::Secret;
use latchkey_identity::{administrators, project_deletion, signing_keys};
use latchkey_storage::engine::{EngineKind, recorded};
use latchkey_storage::{jobs, teams};
use latchkey_testkit::{Builder, Engine, TestServer};
use latchkey_tests::owners;
use latchkey_tests::people::{self, OTHER_PASSWORD, PASSWORD};
use serde_json::json;

const PICTURE: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==";
const NEW_MASTER_KEY: &str = "new:bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=";

fn builder() -> Builder {
    TestServer::builder().config("server.public_url", "https://auth.example.com").project(|settings| {
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

    // Second factors, teams.
    let body = json!({ "email": "nobody@example.com", "password": PASSWORD });
    people::change(&server, &nobody.id, &json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" }))
        .await;
    let answer = server.post("/auth/password/sign-in").client().json(&body).send().await;
    answer.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
    administrators::create(server.app(), "root@example.com", None, Secret::new(PASSWORD.to_owned()))
        .await
        .expect("an administrator");
    let project: ProjectId = server.project_id().parse().expect("a project id");
    select_team(&server, &project, cy).await;
    teams_and_permissions(&server, &project, cy.parse().expect("a user id")).await;

    // The operator's verbs, keys, jobs that fail.
    signing_keys::rotate(server.app(), &project, true).await.expect("a rotation");
    server
        .get(&format!("/projects/{project}/.well-known/jwks.json?include_anonymous=true"))
        .send()
        .await
        .expect(200);
    let failed = vec![jobs::retry_later("no job", 1, 1, "no"), jobs::bury("no job", 1, "no")];
    server.app().store.batch(failed).await.expect("statements that touch no row");
    latchkey_identity::projects::ids(server.app()).await.expect("projects");
    let twin = server.twin().await;
    for _ in 0..2 {
        signing_keys::rotate(twin.app(), &project, true).await.expect("a rotation");
    }
    let there = people::session_for(&twin, &ada.id).await;
    people::seen_by_self(&server, &there).await;
    let fresh = format!("{NEW_MASTER_KEY},{}", latchkey_testkit::MASTER_KEY);
    let twin = server.twin_with(|builder| builder.config("security.master_keys", &fresh)).await;
    let sealed =
        latchkey_identity::master_key_rotation::reseal(twin.app()).await.expect("secrets to seal again");
    assert!(sealed > 0);
    latchkey_tests::stored::events(&server, &ada.id).await;

    // Endings.
    let last = people::sign_in(&server, "ada@example.com").await;
    server.delete("/auth/sessions/current").client().user(&last.access_token).send().await.expect(200);
    server.delete(&user(&bo.id)).server().send().await.expect(200);
    own_projects(&server).await;
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

async fn select_team(server: &TestServer, project: &ProjectId, user: &str) {
    let team = TeamId::from_uuid(server.app().random.uuid());
    let member: UserId = user.parse().expect("a user id");
    let row = teams::TeamRow {
        project_id: project.clone(),
        id: team,
        display_name: "Engines".to_owned(),
        profile_image_url: None,
        client_metadata: None,
        client_read_only_metadata: None,
        server_metadata: None,
        created_at: 1,
    };
    let statements = vec![teams::insert_if_absent(&row), teams::add_member(project, team, member, 1)];
    server.app().store.batch(statements).await.expect("a team");
    people::change(server, user, &json!({ "selected_team_id": team.to_string() })).await;
    people::seen_by_server(server, user).await;
}

/// Every statement about teams that no endpoint reaches yet.
async fn teams_and_permissions(server: &TestServer, project: &ProjectId, user: UserId) {
    use latchkey_storage::{project_permissions, team_invitations, team_memberships, team_permissions};
    let team = TeamId::from_uuid(server.app().random.uuid());
    let row = latchkey_identity::teams::blank(project, team, "Engines", 1);
    let id = latchkey_api_types::ids::TeamInvitationId::from_uuid(server.app().random.uuid());
    let hash = latchkey_crypto::TokenHash::of("a code");
    let statements = vec![
        teams::insert(&row),
        teams::update(&row),
        team_memberships::insert(project, team, user, 1),
        team_memberships::set_profile(project, team, user, Some("Cy"), None),
        team_permissions::grant(project, team, user, "a", 1),
        team_permissions::rename(project, "a", "b"),
        team_permissions::revoke(project, team, user, "b").exactly(1),
        team_permissions::revoke_everywhere(project, "b"),
        project_permissions::grant(project, user, "a", 1),
        project_permissions::rename(project, "a", "b"),
        project_permissions::revoke(project, user, "b").exactly(1),
        project_permissions::revoke_everywhere(project, "b"),
        team_invitations::insert(&team_invitations::TeamInvitationRow {
            project_id: project.clone(),
            id,
            team_id: team,
            recipient_email: "dee@example.com".to_owned(),
            code_hash: hash.clone(),
            suffix_hash: hash.clone(),
            attempts: 0,
            created_at: 1,
            expires_at: 9,
            used_at: None,
        }),
        team_invitations::look_up(project, &hash).exactly(1),
        team_invitations::claim(project, id, 2).exactly(1),
        team_invitations::revoke(project, team, id, 2).exactly(0),
    ];
    server.app().store.batch(statements).await.expect("statements that run");
    let (own, found) = (project.clone(), row.id);
    let read = server.app().store.read(move |tx| {
        Box::pin(async move {
            for member in [None, Some(user)] {
                for descending in [false, true] {
                    let search = Some("ENGINE".to_owned());
                    let filter = teams::TeamFilter { member, descending, search, limit: 9, from: None };
                    assert!(teams::list(tx, &own, &filter).await?.iter().any(|team| team.id == found));
                }
                for team in [None, Some(team)] {
                    team_permissions::list(tx, &own, team, member).await?;
                    team_memberships::list(tx, &own, team, member).await?;
                }
                project_permissions::list(tx, &own, member).await?;
            }
            team_permissions::of_member(tx, &own, team, user).await?;
            team_memberships::teams_of(tx, &own, user).await?;
            team_invitations::team_for(tx, &own, id, user, 2).await?;
            team_invitations::open_of_team(tx, &own, team, 2).await?;
            team_invitations::open_of_user(tx, &own, user, 2).await?;
            Ok::<_, latchkey_storage::StorageError>(())
        })
    });
    read.await.expect("reads");
    let statements = vec![
        team_memberships::deselect(project, team, user),
        team_memberships::deselect_everybody(project, team),
        team_memberships::delete(project, team, user).exactly(1),
        teams::delete(project, team).exactly(1),
    ];
    server.app().store.batch(statements).await.expect("statements that run");
}

/// A statement as the sources write it, and the engines that run this text of it.
struct Written {
    text: String,
    engines: Vec<EngineKind>,
}

/// The statements in the sources of the nouns: string literals that begin with a verb of SQL, or, for statements put
/// together from pieces, with WHERE.
fn statements() -> Vec<Written> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/storage/src");
    let mut found: Vec<Written> = Vec::new();
    for entry in std::fs::read_dir(directory).expect("the sources of storage") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
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
                if pair[0].trim_end().ends_with(call) {
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
    let missing_on_sqlite = missing(EngineKind::Sqlite);
    assert!(missing_on_sqlite.is_empty(), "SQLite never ran {missing_on_sqlite:#?}");
    if !Engine::Postgres.is_available() {
        return;
    }
    latchkey_testkit::run(Engine::Postgres, builder(), tour);
    let missing_on_postgres = missing(EngineKind::Postgres);
    assert!(missing_on_postgres.is_empty(), "PostgreSQL never ran {missing_on_postgres:#?}");
}
