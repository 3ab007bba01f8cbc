//! Projects as requests see them: settings and valid keys, kept in memory for a second at most, so that a change
//! made by another server or by the command line is seen soon and a change made here at once.

use std::sync::Arc;

use latchkey_api_types::AccessType;
use latchkey_api_types::ids::{ProjectId, TeamId};
use latchkey_api_types::project::{ClientProject, ClientProjectConfig, EnabledOauthProvider, ProjectDomain};
use latchkey_config::ProjectSettings;
use latchkey_crypto::TokenHash;
use latchkey_storage::key_sets::{self, KeySetRow};
use latchkey_storage::projects::{self, ProjectRow};
use quick_cache::sync::Cache;

use crate::app::App;
use crate::failure::Failure;

/// How long a project is believed without looking again, milliseconds.
const FRESH_FOR: i64 = 1000;
const CAPACITY: usize = 10_000;

/// A project, its settings and its keys.
pub struct Project {
    /// Identifier.
    pub id: ProjectId,
    /// Name that users see.
    pub display_name: String,
    /// Team of `internal` whose members administer the project.
    pub owner_team_id: Option<TeamId>,
    /// What the project allows.
    pub settings: ProjectSettings,
    keys: Vec<KeySetRow>,
    loaded_at: i64,
}

impl Project {
    /// Whether `key` is a valid key of this project for the access type. Every candidate is compared in constant
    /// time; which one matched does not show.
    pub fn accepts_key(&self, access: AccessType, key: &str, now: i64) -> bool {
        let presented = TokenHash::of(key);
        self.keys.iter().fold(false, |accepted, set| {
            let stored = match access {
                AccessType::Client => &set.publishable_client_key_hash,
                AccessType::Server => &set.secret_server_key_hash,
                AccessType::Admin => &set.super_secret_admin_key_hash,
            };
            let valid = set.revoked_at.is_none() && set.expires_at.is_none_or(|end| end > now);
            accepted | (stored.as_ref().is_some_and(|stored| *stored == presented) & valid)
        })
    }

    fn from_rows(row: ProjectRow, keys: Vec<KeySetRow>, now: i64) -> Result<Self, Failure> {
        let settings = serde_json::from_str(&row.settings).map_err(|error| {
            Failure::internal(format_args!(
                "the stored settings of project {} cannot be read: {error}",
                row.id
            ))
        })?;
        Ok(Self {
            id: row.id,
            display_name: row.display_name,
            owner_team_id: row.owner_team_id,
            settings,
            keys,
            loaded_at: now,
        })
    }
}

/// Projects in memory.
pub(crate) struct ProjectCache(Cache<ProjectId, Arc<Project>>);

impl Default for ProjectCache {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl ProjectCache {
    /// Forgets what is known of a project; the next request reads it again.
    pub(crate) fn forget(&self, id: &ProjectId) {
        self.0.remove(id);
    }
}

/// Finds a project; `None` if it does not exist.
pub async fn find(app: &App, id: &ProjectId) -> Result<Option<Arc<Project>>, Failure> {
    let now = app.now();
    if let Some(project) = app.projects.0.get(id)
        && (0..FRESH_FOR).contains(&(now - project.loaded_at))
    {
        return Ok(Some(project));
    }
    let wanted = id.clone();
    let found = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let Some(row) = projects::get(tx, &wanted).await? else { return Ok(None) };
                let keys = key_sets::list(tx, &wanted).await?;
                Ok::<_, Failure>(Some((row, keys)))
            })
        })
        .await?;
    let Some((row, keys)) = found else {
        app.projects.forget(id);
        return Ok(None);
    };
    let project = Arc::new(Project::from_rows(row, keys, now)?);
    app.projects.0.insert(id.clone(), Arc::clone(&project));
    Ok(Some(project))
}

/// The ids of all projects.
pub async fn ids(app: &App) -> Result<Vec<ProjectId>, Failure> {
    app.store.scan(|tx| Box::pin(async move { Ok(projects::ids(tx).await?) })).await
}

/// What every caller may know of a project (contract 07 §2.1). Lists are sorted.
pub fn client_view(project: &Project) -> ClientProject {
    let settings = &project.settings;
    let providers = settings.auth.oauth.providers.iter();
    let enabled =
        providers.filter(|(_, provider)| provider.provider_type.is_some() && provider.allow_sign_in);
    let trusted = settings.domains.trusted_domains.values();
    let mut domains: Vec<ProjectDomain> = trusted
        .filter_map(|domain| {
            Some(ProjectDomain {
                domain: domain.base_url.clone()?,
                handler_path: domain.handler_path.clone(),
            })
        })
        .collect();
    domains.sort_by(|one, other| one.domain.cmp(&other.domain));
    ClientProject {
        id: project.id.clone(),
        display_name: project.display_name.clone(),
        config: ClientProjectConfig {
            sign_up_enabled: settings.auth.allow_sign_up,
            credential_enabled: settings.auth.password.allow_sign_in,
            magic_link_enabled: settings.auth.otp.allow_sign_in,
            passkey_enabled: settings.auth.passkey.allow_sign_in,
            client_team_creation_enabled: settings.teams.allow_client_team_creation,
            client_user_deletion_enabled: settings.users.allow_client_user_deletion,
            allow_user_api_keys: settings.api_keys.enabled.user,
            allow_team_api_keys: settings.api_keys.enabled.team,
            enabled_oauth_providers: enabled.map(|(id, _)| EnabledOauthProvider { id: id.clone() }).collect(),
            domains,
        },
    }
}
