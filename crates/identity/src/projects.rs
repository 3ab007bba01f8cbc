//! Projects as requests see them: settings and valid keys, kept in memory for a second at most, so that a change
//! made by another server or by the command line is seen soon and a change made here at once.

mod administration;
mod configuration;
mod legacy;
mod views;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use latchkey_api_types::ids::{ProjectId, TeamId};
use latchkey_api_types::{AccessType, KnownError};
use latchkey_config::ProjectSettings;
use latchkey_crypto::TokenHash;
use latchkey_storage::key_sets::{self, KeySetRow};
use latchkey_storage::projects::{self, ProjectRow};
use latchkey_storage::webhook_endpoints;
use quick_cache::sync::Cache;
use url::Url;

use crate::app::App;
use crate::failure::Failure;

pub use administration::{create, get, list_owned, transfer, update};
pub(crate) use configuration::{Configuration, change, resealed};
pub use configuration::{change_settings, settings_in};
pub use views::client_view;
pub(crate) use views::{email_theme, theme_exists};

/// The names of the built-in pages to which mails may lead, below `PUBLIC_URL/projects/PROJECT_ID/handler/`.
pub const PAGES: [&str; 4] = ["cli-auth-confirm", "email-verification", "password-reset", "team-invitation"];

/// How long a project is believed without looking again, milliseconds.
const FRESH_FOR: i64 = 1000;
const CAPACITY: usize = 10_000;

/// A project, its settings and its keys.
pub struct Project {
    /// Identifier.
    pub id: ProjectId,
    /// Name that users see.
    pub display_name: String,
    /// Square logo, and the one for dark backgrounds.
    pub logo_urls: [Option<String>; 2],
    /// Team of `internal` whose members administer the project.
    pub owner_team_id: Option<TeamId>,
    /// The address of the server, for what is shown as an address below it.
    pub(crate) public_url: String,
    /// What the project allows.
    pub settings: Arc<ProjectSettings>,
    /// What the settings were made of, as it is stored.
    sealed: String,
    keys: Vec<KeySetRow>,
    /// Whether any webhook endpoint listens.
    is_heard: bool,
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

    /// Whether a URL is that of one of the project's built-in pages, exactly: then it needs no configuration to be
    /// trusted.
    pub(crate) fn has_page(&self, url: &Url) -> bool {
        let Ok(pages) = Url::parse(&format!("{}/projects/{}/handler/", self.public_url, self.id)) else {
            return false;
        };
        PAGES.iter().any(|page| pages.join(page).is_ok_and(|own| own == *url))
    }

    /// Makes a project of what was read. Settings that are the same as those of `before` are not opened again.
    fn from_stored(app: &App, stored: Stored, before: Option<&Self>, now: i64) -> Result<Self, Failure> {
        let Stored { row, keys, is_heard } = stored;
        let settings = match before {
            Some(before) if before.sealed == row.settings => Arc::clone(&before.settings),
            _ => Arc::new(open(app, &row)?),
        };
        Ok(Self {
            id: row.id,
            display_name: row.display_name,
            logo_urls: [row.logo_url, row.logo_dark_mode_url],
            owner_team_id: row.owner_team_id,
            public_url: app.public_url.clone(),
            settings,
            sealed: row.settings,
            keys,
            is_heard,
            loaded_at: now,
        })
    }
}

/// A project as the database has it.
struct Stored {
    row: ProjectRow,
    keys: Vec<KeySetRow>,
    is_heard: bool,
}

fn open(app: &App, row: &ProjectRow) -> Result<ProjectSettings, Failure> {
    Configuration::open(&app.master_keys, row)?.overrides.render().map_err(|problem| {
        Failure::internal(format_args!("the settings of project {} cannot be used: {problem}", row.id))
    })
}

/// The answer about a project that is not, or not any more.
pub(crate) fn gone(id: &ProjectId) -> Failure {
    KnownError::current_project_not_found(id.as_str()).into()
}

/// Projects in memory.
pub(crate) struct ProjectCache {
    known: Cache<ProjectId, Arc<Project>>,
    /// Counts what was forgotten, so that a project which was read before a change is not kept after it.
    forgotten: AtomicU64,
}

impl Default for ProjectCache {
    fn default() -> Self {
        Self { known: Cache::new(CAPACITY), forgotten: AtomicU64::new(0) }
    }
}

impl ProjectCache {
    /// Forgets what is known of a project; the next request reads it again.
    pub(crate) fn forget(&self, id: &ProjectId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.known.remove(id);
    }

    /// Whether any webhook endpoint may listen to a project, as far as is remembered.
    pub(crate) fn may_be_heard(&self, id: &ProjectId) -> bool {
        self.known.get(id).is_none_or(|project| project.is_heard)
    }

    fn keep(&self, project: &Arc<Project>, as_of: u64) {
        if self.forgotten.load(Ordering::SeqCst) == as_of {
            self.known.insert(project.id.clone(), Arc::clone(project));
        }
        // A change that came between the two lines above has removed nothing.
        if self.forgotten.load(Ordering::SeqCst) != as_of {
            self.known.remove(&project.id);
        }
    }
}

/// Finds a project; `None` if it does not exist.
pub async fn find(app: &App, id: &ProjectId) -> Result<Option<Arc<Project>>, Failure> {
    let now = app.now();
    let before = app.projects.known.get(id);
    if let Some(project) = &before
        && (0..FRESH_FOR).contains(&(now - project.loaded_at))
    {
        return Ok(before);
    }
    let as_of = app.projects.forgotten.load(Ordering::SeqCst);
    let wanted = id.clone();
    let found = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let Some(row) = projects::get(tx, &wanted).await? else { return Ok(None) };
                let keys = key_sets::list(tx, &wanted).await?;
                let is_heard = webhook_endpoints::any_enabled(tx, &wanted).await?;
                Ok::<_, Failure>(Some(Stored { row, keys, is_heard }))
            })
        })
        .await?;
    let Some(stored) = found else {
        app.projects.forget(id);
        return Ok(None);
    };
    let project = Arc::new(Project::from_stored(app, stored, before.as_deref(), now)?);
    app.projects.keep(&project, as_of);
    Ok(Some(project))
}

/// The ids of all projects.
pub async fn ids(app: &App) -> Result<Vec<ProjectId>, Failure> {
    app.store.scan(|tx| Box::pin(async move { Ok(projects::ids(tx).await?) })).await
}
