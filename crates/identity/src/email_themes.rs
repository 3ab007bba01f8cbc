//! Themes of mails: the built-in three and those of a project, kept in its configuration (contract 07 §8).

use latchkey_api_types::email_theme::{EmailTheme, EmailThemeCreate, EmailThemeUpdate};
use latchkey_api_types::{KnownError, Locale};
use latchkey_config::ProjectSettings;
use latchkey_config::settings::{BUILT_IN_THEMES, DEFAULT_THEME, TemplateTheme};
use latchkey_mail::{BuiltInTheme, Frame, Theme};
use serde_json::{Value, json};

use crate::app::App;
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::projects::{Project, change, theme_exists};

/// The built-in themes in the order of [`BUILT_IN_THEMES`].
const THEMES: [BuiltInTheme; 3] = [BuiltInTheme::Light, BuiltInTheme::Dark, BuiltInTheme::Colorful];

/// Name and source of a built-in theme; of the default one for an id that is none.
pub(crate) fn built_in(id: &str) -> (&'static str, String) {
    let index = BUILT_IN_THEMES.iter().position(|(known, _)| *known == id).unwrap_or_default();
    (BUILT_IN_THEMES[index].1, THEMES[index].source())
}

/// The theme of mails for which nobody chose another one.
pub(crate) fn selected(project: &Project) -> Theme<'_> {
    by_id(project, &project.settings.emails.selected_theme_id)
}

/// The theme that a template chose; the project's if it chose none.
pub(crate) fn of_template<'a>(project: &'a Project, choice: Option<&TemplateTheme>) -> Theme<'a> {
    match choice {
        None => selected(project),
        Some(TemplateTheme::Without) => Theme::Without,
        Some(TemplateTheme::Theme(id)) => by_id(project, id),
    }
}

/// The theme of a mail that is stored with its choice: an id, `false`, or nothing.
pub(crate) fn stored<'a>(project: &'a Project, choice: Option<&str>) -> Theme<'a> {
    match choice {
        None => selected(project),
        Some("false") => Theme::Without,
        Some(id) => by_id(project, id),
    }
}

/// A theme by its id. One that does not exist counts as the default one, and so does a component for React, which is
/// kept for the tools that wrote it and not run.
fn by_id<'a>(project: &'a Project, id: &str) -> Theme<'a> {
    let source = |id: &str| {
        let own = project.settings.emails.themes.get(id)?.tsx_source.as_deref();
        own.filter(|source| !latchkey_mail::is_component(source))
    };
    let built_in = BUILT_IN_THEMES.iter().position(|(built_in, _)| *built_in == id);
    match (source(id), built_in) {
        (Some(source), _) => Theme::Own(source),
        (None, Some(index)) => Theme::BuiltIn(THEMES[index]),
        (None, None) => source(DEFAULT_THEME).map_or(Theme::BuiltIn(BuiltInTheme::Light), Theme::Own),
    }
}

/// What the mails of a project look like in this theme and language.
pub(crate) fn frame<'a>(project: &'a Project, theme: Theme<'a>, locale: Locale) -> Frame<'a> {
    let [logo, dark_logo] = &project.logo_urls;
    let logo = match theme {
        Theme::BuiltIn(BuiltInTheme::Dark) => dark_logo.as_deref().or(logo.as_deref()),
        _ => logo.as_deref(),
    };
    Frame { project_name: &project.display_name, logo_url: logo, locale, theme, unsubscribe_url: None }
}

/// Refuses a source that cannot be used.
///
/// # Errors
/// `EMAIL_RENDERING_ERROR`, which names line and reason.
fn check(source: &str) -> Result<(), Failure> {
    latchkey_mail::check_theme(source)
        .map_err(|error| KnownError::email_rendering_error(&error.to_string()).into())
}

fn view(settings: &ProjectSettings, id: &str) -> Option<EmailTheme> {
    if !theme_exists(settings, id) {
        return None;
    }
    let own = settings.emails.themes.get(id).cloned().unwrap_or_default();
    let (name, source) = built_in(id);
    Some(EmailTheme {
        id: id.to_owned(),
        display_name: own.display_name.unwrap_or_else(|| name.to_owned()),
        tsx_source: own.tsx_source.unwrap_or(source),
    })
}

fn unknown() -> Failure {
    Failure::text(404, "The project has no such email theme.")
}

/// All themes: the built-in ones first.
pub fn list(auth: &Auth) -> Vec<EmailTheme> {
    let settings = &auth.project.settings;
    let is_built_in = |id: &str| BUILT_IN_THEMES.iter().any(|(built_in, _)| *built_in == id);
    let built_in = BUILT_IN_THEMES.iter().map(|(id, _)| *id);
    let own = settings.emails.themes.keys().map(String::as_str).filter(|id| !is_built_in(id));
    built_in.chain(own).filter_map(|id| view(settings, id)).collect()
}

/// One theme.
///
/// # Errors
/// 404.
pub fn get(auth: &Auth, id: &str) -> Result<EmailTheme, Failure> {
    view(&auth.project.settings, &id.to_ascii_lowercase()).ok_or_else(unknown)
}

/// Makes a theme with the source of the default one.
pub async fn create(app: &App, auth: &Auth, request: EmailThemeCreate) -> Result<EmailTheme, Failure> {
    let id = app.random.uuid().to_string();
    let (_, source) = built_in(&id);
    let made = EmailTheme { id, display_name: request.display_name.into_string(), tsx_source: source };
    let entry = json!({ "displayName": made.display_name, "tsxSource": made.tsx_source });
    let key = format!("emails.themes.{}", made.id);
    change(app, &auth.project.id, auth.access, move |draft| {
        draft.configuration.overrides.environment.set(&key, entry.clone());
        Ok(((), Vec::new()))
    })
    .await?;
    Ok(made)
}

/// Changes a theme. Its source is tried before it is kept.
///
/// # Errors
/// 404, `EMAIL_RENDERING_ERROR`.
pub async fn update(
    app: &App,
    auth: &Auth,
    id: &str,
    request: EmailThemeUpdate,
) -> Result<EmailTheme, Failure> {
    // Before the change, which everybody's writes wait for.
    request.tsx_source.as_deref().map(check).transpose()?;
    let id = id.to_ascii_lowercase();
    let (settings, _) = change(app, &auth.project.id, auth.access, {
        let id = id.clone();
        move |draft| {
            let configuration = &mut draft.configuration;
            if !theme_exists(&configuration.checked_settings()?, &id) {
                return Err(unknown());
            }
            let environment = &mut configuration.overrides.environment;
            if let Some(name) = &request.display_name {
                environment.set(format!("emails.themes.{id}.displayName"), name.as_str());
            }
            if let Some(source) = &request.tsx_source {
                environment.set(format!("emails.themes.{id}.tsxSource"), source.as_str());
            }
            Ok((configuration.checked_settings()?, Vec::new()))
        }
    })
    .await?;
    view(&settings, &id).ok_or_else(unknown)
}

/// Deletes a theme; a built-in one becomes what it was.
///
/// # Errors
/// 404.
pub async fn delete(app: &App, auth: &Auth, id: &str) -> Result<(), Failure> {
    let id = id.to_ascii_lowercase();
    change(app, &auth.project.id, auth.access, move |draft| {
        if !theme_exists(&draft.configuration.checked_settings()?, &id) {
            return Err(unknown());
        }
        // Null, since the theme may also stand in what was pushed to the branch.
        draft.configuration.overrides.environment.set(format!("emails.themes.{id}"), Value::Null);
        Ok(((), Vec::new()))
    })
    .await?;
    Ok(())
}
