//! Brings the projects that the configuration declares into the database: idempotent, at every start, in one
//! transaction a project. What the configuration does not mention stays as it is.

use latchkey_api_types::ids::{KeySetId, ProjectId, TeamId};
use latchkey_config::{ProjectDeclaration, SecretText};
use latchkey_crypto::TokenHash;
use latchkey_storage::key_sets::{self, KeySetRow};
use latchkey_storage::projects::{self, ProjectRow};
use latchkey_storage::teams::{self, TeamRow};
use uuid::Uuid;

use crate::app::App;
use crate::failure::Failure;
use crate::key_sets::last_four;
use crate::project_deletion;
use crate::projects::Configuration;
use crate::webhooks;

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
    if !declared.iter().any(ProjectDeclaration::is_internal) {
        declared.push(ProjectDeclaration::internal());
    }
    declared.sort_by_key(|project| !project.is_internal());
    for declaration in declared {
        let id =
            declaration.id.parse().map_err(|_| Failure::internal("a declared project has no valid id"))?;
        while !apply_one(app, &id, &declaration).await? {
            // Somebody deleted it, and this server or another one has not finished with that.
            tracing::info!(project = %id, "finishing the deletion of a project that is declared again");
            project_deletion::purge(app, &id).await?;
        }
        let endpoints = declaration.webhooks.iter().map(|endpoint| webhooks::declaration(app, &id, endpoint));
        app.store.batch(endpoints.collect::<Result<_, _>>()?).await?;
        app.projects.forget(&id);
    }
    Ok(())
}

/// Applies one declaration; `false` if the project is being deleted.
async fn apply_one(app: &App, id: &ProjectId, declaration: &ProjectDeclaration) -> Result<bool, Failure> {
    let (id, declaration) = (id.clone(), declaration.clone());
    let (keys, now) = (app.master_keys.clone(), app.now());
    let owner = match &declaration.owner_team {
        Some(team) => Some(
            team.parse().map_err(|_| Failure::internal("a declared project's owner_team is not a UUID"))?,
        ),
        None => None,
    };
    app.store
        .write(move |tx| {
            let (id, declaration, keys) = (id.clone(), declaration.clone(), keys.clone());
            Box::pin(async move {
                if projects::is_marked_deleted(tx, &id).await? {
                    return Ok(false);
                }
                let stored = projects::get(tx, &id).await?;
                let is_new = stored.is_none();
                let mut row = stored.unwrap_or_else(|| blank(&id, &declaration, now));
                let mut configuration = if is_new || row.settings.starts_with('{') {
                    Configuration { overrides: declaration.first_overrides(), ..Configuration::default() }
                } else {
                    Configuration::open(&keys, &row)?
                };
                let before = configuration.clone();
                declaration.apply_to(&mut configuration.overrides);
                if is_new || configuration != before || row.settings.starts_with('{') {
                    row.settings = configuration.seal(&keys, &id)?;
                }
                if declaration.display_name != declaration.id {
                    row.display_name.clone_from(&declaration.display_name);
                }
                if !declaration.description.is_empty() {
                    row.description.clone_from(&declaration.description);
                }
                row.owner_team_id = owner.or(row.owner_team_id);
                tx.run(if is_new { projects::insert(&row) } else { projects::update(&row) }).await?;
                if id.is_internal() {
                    tx.run(teams::insert_if_absent(&owners(&id, now))).await?;
                }
                tx.run(key_sets::upsert(&declared_keys(&id, &declaration, now))).await?;
                Ok::<_, Failure>(true)
            })
        })
        .await
}

/// A declared project before its declaration is applied.
fn blank(id: &ProjectId, declaration: &ProjectDeclaration, now: i64) -> ProjectRow {
    ProjectRow {
        id: id.clone(),
        display_name: declaration.display_name.clone(),
        description: String::new(),
        logo_url: None,
        logo_full_url: None,
        logo_dark_mode_url: None,
        logo_full_dark_mode_url: None,
        is_production_mode: false,
        onboarding_status: "completed".to_owned(),
        owner_team_id: Some(owners_team()),
        settings: String::new(),
        created_at: now,
    }
}

fn owners(id: &ProjectId, now: i64) -> TeamRow {
    TeamRow {
        project_id: id.clone(),
        id: owners_team(),
        display_name: "Administrators".to_owned(),
        profile_image_url: None,
        client_metadata: None,
        client_read_only_metadata: None,
        server_metadata: None,
        created_at: now,
    }
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
