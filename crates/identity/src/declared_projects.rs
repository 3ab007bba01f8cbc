//! Brings the projects that the configuration declares into the database: idempotent, at every start, in one
//! transaction a project. What the configuration does not mention stays as it is.

use latchkey_api_types::ids::{KeySetId, ProjectId, TeamId};
use latchkey_config::{ProjectDeclaration, ProjectSettings, SecretText};
use latchkey_crypto::TokenHash;
use latchkey_storage::engine::Stmt;
use latchkey_storage::key_sets::{self, KeySetRow};
use latchkey_storage::projects::{self, ProjectRow};
use latchkey_storage::teams::{self, TeamRow};
use uuid::Uuid;

use crate::app::App;
use crate::failure::Failure;

/// The team of `internal` that owns every declared project which names no other.
const OWNERS: Uuid = Uuid::from_u128(0x6c61_7463_686b_4579_8000_6f77_6e65_7273);
/// The key set that carries declared keys, in each project.
const DECLARED_KEYS: Uuid = Uuid::from_u128(0x6c61_7463_686b_4579_8000_6465_636c_6172);

/// The team whose members administer the declared projects.
pub fn owners_team() -> TeamId {
    TeamId::from_uuid(OWNERS)
}

/// Applies all declarations, `internal` first; it exists even when nobody declares it.
pub async fn apply(app: &App) -> Result<(), Failure> {
    let mut declared = app.config.projects.clone();
    if !declared.iter().any(|project| project.id == ProjectId::internal().as_str()) {
        declared.push(ProjectDeclaration {
            id: ProjectId::internal().to_string(),
            display_name: "Latchkey".to_owned(),
            settings: ProjectSettings::internal(),
            ..ProjectDeclaration::default()
        });
    }
    declared.sort_by_key(|project| project.id != ProjectId::internal().as_str());
    for declaration in &declared {
        let id =
            declaration.id.parse().map_err(|_| Failure::internal("a declared project has no valid id"))?;
        app.store.batch(statements(&id, declaration, app.now())?).await?;
        app.projects.forget(&id);
    }
    Ok(())
}

fn statements(id: &ProjectId, declaration: &ProjectDeclaration, now: i64) -> Result<Vec<Stmt>, Failure> {
    let owner = match &declaration.owner_team {
        Some(team) => {
            team.parse().map_err(|_| Failure::internal("a declared project's owner_team is not a UUID"))?
        }
        None => owners_team(),
    };
    let mut statements = vec![projects::upsert(&ProjectRow {
        id: id.clone(),
        display_name: declaration.display_name.clone(),
        description: declaration.description.clone(),
        logo_url: None,
        logo_full_url: None,
        logo_dark_mode_url: None,
        logo_full_dark_mode_url: None,
        is_production_mode: false,
        onboarding_status: "completed".to_owned(),
        owner_team_id: Some(owner),
        settings: serde_json::to_string(&declaration.settings).map_err(Failure::internal)?,
        created_at: now,
    })];
    if id.is_internal() {
        statements.push(teams::insert_if_absent(&TeamRow {
            project_id: id.clone(),
            id: owners_team(),
            display_name: "Administrators".to_owned(),
            profile_image_url: None,
            client_metadata: None,
            client_read_only_metadata: None,
            server_metadata: None,
            created_at: now,
        }));
    }
    statements.push(key_sets::upsert(&declared_keys(id, declaration, now)));
    Ok(statements)
}

fn declared_keys(id: &ProjectId, declaration: &ProjectDeclaration, now: i64) -> KeySetRow {
    let hash = |key: &Option<SecretText>| key.as_ref().map(|key| TokenHash::of(key.expose()));
    let last_four = |key: &Option<SecretText>| key.as_ref().map(|key| last_four(key.expose()));
    let keys = &declaration.keys;
    KeySetRow {
        project_id: id.clone(),
        id: KeySetId::from_uuid(DECLARED_KEYS),
        description: "Declared in the configuration".to_owned(),
        publishable_client_key_hash: hash(&keys.publishable_client_key),
        publishable_client_key_last_four: last_four(&keys.publishable_client_key),
        secret_server_key_hash: hash(&keys.secret_server_key),
        secret_server_key_last_four: last_four(&keys.secret_server_key),
        super_secret_admin_key_hash: hash(&keys.super_secret_admin_key),
        super_secret_admin_key_last_four: last_four(&keys.super_secret_admin_key),
        created_at: now,
        expires_at: None,
        revoked_at: None,
    }
}

/// What may be shown of a key: its last four characters.
fn last_four(key: &str) -> String {
    let start = key.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
    key[start..].to_owned()
}
