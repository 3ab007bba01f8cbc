//! What administrators do with whole projects: read, make, change, and hand over (contract 07 §3).

use latchkey_api_types::ids::{ProjectId, TeamId, UserId};
use latchkey_api_types::input::{ImageUrl, NonEmptyText, Nullable};
use latchkey_api_types::project::{
    AdminProject, OnboardingStatus, ProjectConfigUpdate, ProjectCreate, ProjectTransfer, ProjectUpdate,
};
use latchkey_api_types::{AccessType, KnownError};
use latchkey_config::Overrides;
use latchkey_crypto::Random;
use latchkey_storage::engine::{Stmt, StorageError};
use latchkey_storage::projects::{self, ProjectRow};
use latchkey_storage::teams;
use serde_json::json;

use super::configuration::{Configuration, Draft, change};
use super::{legacy, views};
use crate::app::App;
use crate::audit::{self, Event};
use crate::authenticate::Auth;
use crate::claims::restricted_reason;
use crate::failure::Failure;
use crate::images::{self, Owner};
use crate::permissions;

/// The project of the request.
///
/// # Errors
/// `CURRENT_PROJECT_NOT_FOUND` if it was deleted a moment ago.
pub async fn get(app: &App, auth: &Auth) -> Result<AdminProject, Failure> {
    let id = auth.project.id.clone();
    let row = app
        .store
        .lookup(move |tx| Box::pin(async move { Ok::<_, Failure>(projects::get(tx, &id).await?) }))
        .await?
        .ok_or_else(|| super::gone(&auth.project.id))?;
    view(app, row)
}

fn view(app: &App, row: ProjectRow) -> Result<AdminProject, Failure> {
    let configuration = Configuration::open(&app.master_keys, &row)?;
    let settings = configuration.overrides.render().map_err(Failure::internal)?;
    Ok(views::admin_view(&app.public_url, row, &settings))
}

/// Changes the project of the request. What is absent stays.
///
/// # Errors
/// 400 for pictures and settings that are not accepted; `INVALID_SHARED_OAUTH_PROVIDER_ID`.
pub async fn update(app: &App, auth: &Auth, request: ProjectUpdate) -> Result<AdminProject, Failure> {
    let fields = Fields::of(app, &auth.project.id, request)?;
    let (settings, draft) = change(app, &auth.project.id, auth.access, move |draft| {
        let statements = fields.write(draft)?;
        Ok((draft.configuration.checked_settings()?, statements))
    })
    .await?;
    Ok(views::admin_view(&app.public_url, draft.row, &settings))
}

/// What is written, with everything decided that needs more than the database.
struct Fields {
    display_name: Option<String>,
    description: Option<String>,
    logos: [Option<Option<String>>; 4],
    is_production_mode: Option<bool>,
    onboarding_status: Option<OnboardingStatus>,
    config: ProjectConfigUpdate,
    statements: Vec<Stmt>,
    random: Random,
}

impl Fields {
    fn of(app: &App, project: &ProjectId, request: ProjectUpdate) -> Result<Self, Failure> {
        let mut statements = Vec::new();
        let mut accept = |field: &'static str, logo: Option<Nullable<ImageUrl>>| {
            let Some(Nullable(logo)) = logo else { return Ok::<_, Failure>(None) };
            let url = logo.as_ref().map(ImageUrl::as_str);
            let accepted = images::accept(app, project, Owner::ProjectLogo(field), AccessType::Admin, url)?;
            statements.extend(accepted.statements);
            Ok(Some(accepted.url))
        };
        let logos = [
            accept("logo_url", request.logo_url)?,
            accept("logo_full_url", request.logo_full_url)?,
            accept("logo_dark_mode_url", request.logo_dark_mode_url)?,
            accept("logo_full_dark_mode_url", request.logo_full_dark_mode_url)?,
        ];
        Ok(Self {
            display_name: request.display_name.map(NonEmptyText::into_string),
            description: request.description.map(|description| description.0.unwrap_or_default()),
            logos,
            is_production_mode: request.is_production_mode,
            onboarding_status: request.onboarding_status,
            config: request.config.unwrap_or_default(),
            statements,
            random: app.random.clone(),
        })
    }

    /// Writes the fields that are given; what is left are statements to be run with it.
    fn write(&self, draft: &mut Draft) -> Result<Vec<Stmt>, Failure> {
        let row = &mut draft.row;
        if let Some(name) = &self.display_name {
            row.display_name.clone_from(name);
        }
        if let Some(description) = &self.description {
            row.description.clone_from(description);
        }
        let columns = [
            &mut row.logo_url,
            &mut row.logo_full_url,
            &mut row.logo_dark_mode_url,
            &mut row.logo_full_dark_mode_url,
        ];
        for (column, logo) in columns.into_iter().zip(&self.logos) {
            if let Some(logo) = logo {
                column.clone_from(logo);
            }
        }
        row.is_production_mode = self.is_production_mode.unwrap_or(row.is_production_mode);
        if let Some(status) = self.onboarding_status {
            status.as_str().clone_into(&mut row.onboarding_status);
        }
        let overrides = &mut draft.configuration.overrides;
        let settings = overrides.render().map_err(Failure::internal)?;
        legacy::write(&self.config, &settings, &self.random, &mut overrides.environment)?;
        Ok(self.statements.clone())
    }
}

/// The person of `internal` who asks, as somebody who may own projects.
fn owner(auth: &Auth) -> Result<UserId, Failure> {
    let user = auth.user.as_ref().filter(|user| {
        // Their tokens administer no project either.
        !auth.project.id.is_internal() || restricted_reason(&user.row, &auth.project).is_none()
    });
    let user = user.ok_or_else(KnownError::user_authentication_required)?.row.id;
    if !auth.project.id.is_internal() {
        return Err(KnownError::expected_internal_project().into());
    }
    Ok(user)
}

/// The projects that the teams of the signed-in user own, newest first.
///
/// # Errors
/// `USER_AUTHENTICATION_REQUIRED`, also for restricted people; `EXPECTED_INTERNAL_PROJECT`.
pub async fn list_owned(app: &App, auth: &Auth) -> Result<Vec<AdminProject>, Failure> {
    let user = owner(auth)?;
    let rows = app
        .store
        .lookup(move |tx| Box::pin(async move { Ok::<_, Failure>(projects::owned_by(tx, user).await?) }))
        .await?;
    rows.into_iter().map(|row| view(app, row)).collect()
}

/// Makes a project for a team of the signed-in user.
///
/// # Errors
/// Those of [`list_owned`] and of [`update`]; `TEAM_MEMBERSHIP_NOT_FOUND` for a team that the user is not in.
pub async fn create(app: &App, auth: &Auth, request: ProjectCreate) -> Result<AdminProject, Failure> {
    let (user, team, now) = (owner(auth)?, request.owner_team_id, app.now());
    let id = ProjectId::from_uuid(app.random.uuid());
    let fields = Fields::of(
        app,
        &id,
        ProjectUpdate {
            display_name: Some(request.display_name),
            description: request.description,
            logo_url: request.logo_url,
            logo_full_url: request.logo_full_url,
            logo_dark_mode_url: request.logo_dark_mode_url,
            logo_full_dark_mode_url: request.logo_full_dark_mode_url,
            is_production_mode: request.is_production_mode,
            onboarding_status: request.onboarding_status,
            config: request.config,
        },
    )?;
    let overrides = Overrides::for_new_project();
    let configuration = Configuration { overrides, ..Configuration::default() };
    let mut draft = Draft { row: blank(&id, team, now), configuration };
    let consequences = fields.write(&mut draft)?;
    let settings = draft.configuration.checked_settings()?;
    draft.row.settings = draft.configuration.seal(&app.master_keys, &id)?;
    let event = Event::of_user(auth.access, user).with(json!({ "project_id": id }));
    let internal = ProjectId::internal();
    let mut statements = vec![
        teams::member_exists(&internal, team, user).exactly(1),
        projects::insert(&draft.row),
        audit::record(app, &internal, audit::kind::PROJECT_CREATED, &event),
    ];
    statements.extend(consequences);
    match app.store.batch(statements).await {
        Ok(_) => Ok(views::admin_view(&app.public_url, draft.row, &settings)),
        Err(StorageError::Guard { statement: 0, .. }) => Err(not_a_member(team, user)),
        Err(error) => Err(error.into()),
    }
}

fn not_a_member(team: TeamId, user: UserId) -> Failure {
    KnownError::team_membership_not_found(&team.to_string(), &user.to_string()).into()
}

fn blank(id: &ProjectId, team: TeamId, now: i64) -> ProjectRow {
    ProjectRow {
        id: id.clone(),
        display_name: String::new(),
        description: String::new(),
        logo_url: None,
        logo_full_url: None,
        logo_dark_mode_url: None,
        logo_full_dark_mode_url: None,
        is_production_mode: false,
        onboarding_status: OnboardingStatus::Completed.as_str().to_owned(),
        owner_team_id: Some(team),
        settings: String::new(),
        created_at: now,
    }
}

/// Hands a project over to another team.
///
/// # Errors
/// `SCHEMA_ERROR` for another project than `internal` and for nobody; `PROJECT_NOT_FOUND`; 400 for a project that
/// nobody owns; `TEAM_PERMISSION_REQUIRED` unless the signed-in user is an admin of the team that owns it;
/// `TEAM_MEMBERSHIP_NOT_FOUND` for a new team that they are not in.
pub async fn transfer(app: &App, auth: &Auth, request: ProjectTransfer) -> Result<(), Failure> {
    let ProjectTransfer { project_id, new_team_id } = request;
    if !auth.project.id.is_internal() {
        let what = "The request does not have the expected form.\n- auth.project must be \"internal\"";
        return Err(KnownError::schema_error(what).into());
    }
    let user = owner(auth)?;
    let wanted = project_id.clone();
    let unknown = || Failure::from(KnownError::project_not_found(project_id.as_str()));
    let row = app
        .store
        .lookup(move |tx| Box::pin(async move { Ok::<_, Failure>(projects::get(tx, &wanted).await?) }))
        .await?
        .ok_or_else(unknown)?;
    let Some(old_team) = row.owner_team_id else {
        return Err(Failure::text(400, "No team owns the project."));
    };
    permissions::require_in_team(app, &auth.project, old_team, user, &["team_admin"]).await?;
    let details = json!({ "project_id": project_id, "from": old_team, "to": new_team_id });
    let event = Event::of_user(auth.access, user).with(details);
    let internal = ProjectId::internal();
    let statements = vec![
        teams::member_exists(&internal, new_team_id, user).exactly(1),
        teams::member_exists(&internal, old_team, user).exactly(1),
        projects::hand_over(&project_id, old_team, new_team_id).exactly(1),
        audit::record(app, &internal, audit::kind::PROJECT_CHANGED, &event),
    ];
    match app.store.batch(statements).await {
        Ok(_) => {}
        Err(StorageError::Guard { statement: 0, .. }) => return Err(not_a_member(new_team_id, user)),
        // Somebody else was faster: the project is not theirs any more.
        Err(StorageError::Guard { .. }) => return Err(unknown()),
        Err(error) => return Err(error.into()),
    }
    app.projects.forget(&project_id);
    Ok(())
}
