//! What a project's settings are made of, and the one way to change them: read, change, check and write in one
//! serialisable transaction, so that no change loses another one. Sealed at rest, as they hold credentials.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_api_types::AccessType;
use latchkey_api_types::configuration::ConfigSource;
use latchkey_api_types::ids::ProjectId;
use latchkey_config::{Overrides, ProjectSettings};
use latchkey_crypto::MasterKeys;
use latchkey_storage::engine::{Stmt, Tx};
use latchkey_storage::mail_capacities;
use latchkey_storage::projects::{self, ProjectRow};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::failure::Failure;

/// The longest stored form of a configuration, bytes.
const LONGEST: usize = 1024 * 1024;
/// What stands before sealed settings, as opposed to the plain ones of versions before there were overrides.
const SEALED: &str = "sealed:";

/// The overrides of a project, and where those of the branch come from.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Configuration {
    /// The overrides.
    pub overrides: Overrides,
    /// Who pushes the branch's.
    pub source: ConfigSource,
}

impl Configuration {
    /// The settings that the overrides make.
    ///
    /// # Errors
    /// 400 if they break a rule.
    pub(crate) fn checked_settings(&self) -> Result<ProjectSettings, Failure> {
        let settings = self.overrides.render().map_err(|problem| Failure::text(400, problem))?;
        let problems = settings.problems();
        if problems.is_empty() { Ok(settings) } else { Err(Failure::text(400, problems.join("\n"))) }
    }

    /// The stored form.
    pub(crate) fn seal(&self, keys: &MasterKeys, project: &ProjectId) -> Result<String, Failure> {
        let plain = serde_json::to_vec(self).map_err(Failure::internal)?;
        if plain.len() > LONGEST {
            return Err(Failure::text(400, "The configuration of a project holds at most one megabyte."));
        }
        Ok(format!("{SEALED}{}", STANDARD.encode(keys.seal(&context(project), &plain))))
    }

    /// Opens the stored form.
    pub(crate) fn open(keys: &MasterKeys, row: &ProjectRow) -> Result<Self, Failure> {
        let broken = |what: &dyn std::fmt::Display| {
            Failure::internal(format_args!(
                "the stored settings of project {} cannot be read: {what}",
                row.id
            ))
        };
        let Some(sealed) = row.settings.strip_prefix(SEALED) else {
            let settings = ProjectSettings::from_json(&row.settings).map_err(|error| broken(&error))?;
            let mut overrides = Overrides::default();
            overrides.change(&ProjectSettings::default(), &settings);
            return Ok(Self { overrides, source: ConfigSource::default() });
        };
        let sealed = STANDARD.decode(sealed).map_err(|error| broken(&error))?;
        let plain = keys.open(&context(&row.id), &sealed).map_err(|error| broken(&error))?;
        serde_json::from_slice(&plain).map_err(|error| broken(&error))
    }
}

fn context(project: &ProjectId) -> String {
    format!("project-settings:{project}")
}

/// The stored settings sealed with the current master key, unless they are.
pub(crate) fn resealed(app: &App, project: &ProjectId, stored: &str) -> Result<Option<String>, Failure> {
    let Some(sealed) = stored.strip_prefix(SEALED) else { return Ok(None) };
    let sealed = STANDARD.decode(sealed).map_err(Failure::internal)?;
    if !app.master_keys.needs_reseal(&sealed) {
        return Ok(None);
    }
    let plain = app.master_keys.open(&context(project), &sealed).map_err(Failure::internal)?;
    let sealed = app.master_keys.seal(&context(project), &plain);
    Ok(Some(format!("{SEALED}{}", STANDARD.encode(sealed))))
}

/// The settings of a project as a transaction sees them.
///
/// # Errors
/// `CURRENT_PROJECT_NOT_FOUND`.
pub async fn settings_in(
    tx: &mut Tx,
    keys: &MasterKeys,
    project: &ProjectId,
) -> Result<ProjectSettings, Failure> {
    let row = projects::get(tx, project).await?.ok_or_else(|| super::gone(project))?;
    Configuration::open(keys, &row)?.overrides.render().map_err(Failure::internal)
}

/// A project while it is changed.
#[derive(Clone)]
pub(crate) struct Draft {
    /// Everything but the settings.
    pub(crate) row: ProjectRow,
    /// What the settings are made of.
    pub(crate) configuration: Configuration,
}

/// Changes a project in one serialisable transaction, with whatever statements belong to the change. `change` may run
/// several times. Returns the project as it is afterwards.
///
/// # Errors
/// Those of `change`; 400 if the settings would break a rule; `CURRENT_PROJECT_NOT_FOUND`.
pub(crate) async fn change<T: Send + 'static>(
    app: &App,
    project: &ProjectId,
    by: impl Into<Actor>,
    change: impl Fn(&mut Draft) -> Result<(T, Vec<Stmt>), Failure> + Send + Sync + 'static,
) -> Result<(T, Draft), Failure> {
    let change = Arc::new(change);
    let (id, keys) = (project.clone(), app.master_keys.clone());
    let noted = audit::record(app, project, audit::kind::PROJECT_CHANGED, &Event::of(by));
    let changed = app
        .store
        .write(move |tx| {
            let (change, id, keys, noted) = (Arc::clone(&change), id.clone(), keys.clone(), noted.clone());
            Box::pin(async move {
                let Some(row) = projects::get(tx, &id).await? else { return Err(super::gone(&id)) };
                let configuration = Configuration::open(&keys, &row)?;
                let mut draft = Draft { row, configuration: configuration.clone() };
                let (outcome, statements) = change(&mut draft)?;
                if draft.configuration != configuration {
                    let settings = draft.configuration.checked_settings()?;
                    let before = configuration.overrides.render().map_err(Failure::internal)?;
                    if settings.emails.server != before.emails.server {
                        // Mail that the old server did not take need not wait for the new one.
                        tx.run(mail_capacities::let_go(&id)).await?;
                    }
                    draft.row.settings = draft.configuration.seal(&keys, &id)?;
                }
                tx.run(projects::update(&draft.row).exactly(1)).await?;
                tx.run_all(&statements).await?;
                tx.run(noted).await?;
                Ok::<_, Failure>((outcome, draft))
            })
        })
        .await?;
    app.projects.forget(project);
    Ok(changed)
}

/// Changes the rendered settings of a project, with the statements that belong to the change, in one serialisable
/// transaction: nothing is lost when several administrators change at once. What differs afterwards is written at the
/// level of the environment, records such as `rbac.permissions` as a whole. `change` may run several times and has no
/// effect but on its argument.
///
/// # Errors
/// Those of `change`; 400 if the settings would break a rule; `CURRENT_PROJECT_NOT_FOUND`.
pub async fn change_settings<T: Send + 'static>(
    app: &App,
    project: &ProjectId,
    by: AccessType,
    change: impl Fn(&mut ProjectSettings) -> Result<(T, Vec<Stmt>), Failure> + Send + Sync + 'static,
) -> Result<T, Failure> {
    let (outcome, _) = self::change(app, project, by, move |draft| {
        let overrides = &mut draft.configuration.overrides;
        let before = overrides.render().map_err(Failure::internal)?;
        let mut after = before.clone();
        let done = change(&mut after)?;
        overrides.change(&before, &after);
        Ok(done)
    })
    .await?;
    Ok(outcome)
}
