//! Templates of mails: the built-in ones and those of a project, kept in its configuration (contract 07 §8). A project
//! that sends through the server of the deployment sends what is built in.

use latchkey_api_types::KnownError;
use latchkey_api_types::email_template::{
    EmailTemplate, EmailTemplateCreate, EmailTemplateUpdate, ThemeChoice,
};
use latchkey_config::ProjectSettings;
use latchkey_config::settings::{BUILT_IN_TEMPLATES, TemplateTheme};
use latchkey_mail::BuiltInMail;
use serde_json::{Value, json};

use crate::app::App;
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::projects::change;
use crate::system_mails;

/// Name and source of a built-in template; of the first one for an id that is none.
pub(crate) fn built_in(id: &str) -> (&'static str, String) {
    let index = BUILT_IN_TEMPLATES.iter().position(|(known, _)| *known == id).unwrap_or_default();
    let mail = system_mails::built_in(BUILT_IN_TEMPLATES[index].0).unwrap_or(BuiltInMail::EmailVerification);
    (BUILT_IN_TEMPLATES[index].1, latchkey_mail::starting_point(mail))
}

/// Refuses a source that cannot be used.
///
/// # Errors
/// `EMAIL_RENDERING_ERROR`, which names line and reason.
pub(crate) fn check(source: &str) -> Result<(), Failure> {
    latchkey_mail::check_template(source)
        .map_err(|error| KnownError::email_rendering_error(&error.to_string()).into())
}

/// Source and theme (an id or `false`) of a template that the project can send.
pub(crate) fn find(settings: &ProjectSettings, id: &str) -> Option<(String, Option<String>)> {
    if !exists(settings, id) {
        return None;
    }
    let own = settings.emails.templates.get(id).cloned().unwrap_or_default();
    let theme = own.theme_id.map(|theme| match theme {
        TemplateTheme::Without => "false".to_owned(),
        TemplateTheme::Theme(id) => id,
    });
    Some((own.tsx_source.unwrap_or_else(|| built_in(id).1), theme))
}

fn is_built_in(id: &str) -> bool {
    BUILT_IN_TEMPLATES.iter().any(|(built_in, _)| *built_in == id)
}

fn exists(settings: &ProjectSettings, id: &str) -> bool {
    is_built_in(id) || settings.emails.templates.contains_key(id)
}

fn view(settings: &ProjectSettings, id: &str) -> EmailTemplate {
    // Changed templates wait until the project has a mail server of its own.
    let own = match settings.emails.templates.get(id) {
        Some(own) if !settings.emails.server.is_shared || !is_built_in(id) => own.clone(),
        _ => latchkey_config::settings::EmailTemplate::default(),
    };
    let (name, source) = built_in(id);
    EmailTemplate {
        id: id.to_owned(),
        display_name: own.display_name.unwrap_or_else(|| name.to_owned()),
        tsx_source: own.tsx_source.unwrap_or(source),
        theme_id: own.theme_id.map(|theme| match theme {
            TemplateTheme::Without => Value::Bool(false),
            TemplateTheme::Theme(id) => Value::String(id),
        }),
    }
}

fn unknown() -> Failure {
    Failure::text(404, "The project has no such email template.")
}

/// All templates that the project sends: the built-in ones first.
pub fn list(auth: &Auth) -> Vec<EmailTemplate> {
    let settings = &auth.project.settings;
    let own = settings.emails.templates.keys().map(String::as_str);
    let own = own.filter(|id| !is_built_in(id) && !settings.emails.server.is_shared);
    BUILT_IN_TEMPLATES.iter().map(|(id, _)| *id).chain(own).map(|id| view(settings, id)).collect()
}

/// Makes a template with the source of a built-in one.
///
/// # Errors
/// `REQUIRES_CUSTOM_EMAIL_SERVER`.
pub async fn create(app: &App, auth: &Auth, request: EmailTemplateCreate) -> Result<EmailTemplate, Failure> {
    let id = app.random.uuid().to_string();
    let (_, source) = built_in(&id);
    let entry = json!({ "displayName": request.display_name.as_str(), "tsxSource": source });
    let key = format!("emails.templates.{id}");
    let (settings, _) = change(app, &auth.project.id, auth.access, move |draft| {
        let configuration = &mut draft.configuration;
        if configuration.checked_settings()?.emails.server.is_shared {
            return Err(KnownError::requires_custom_email_server().into());
        }
        configuration.overrides.environment.set(&key, entry.clone());
        Ok((configuration.checked_settings()?, Vec::new()))
    })
    .await?;
    Ok(view(&settings, &id))
}

/// Changes a template. Its source is tried before it is kept.
///
/// # Errors
/// 404, `EMAIL_RENDERING_ERROR`.
pub async fn update(
    app: &App,
    auth: &Auth,
    id: &str,
    request: EmailTemplateUpdate,
) -> Result<EmailTemplate, Failure> {
    // Before the change, which everybody's writes wait for.
    request.tsx_source.as_deref().map(check).transpose()?;
    let id = id.to_ascii_lowercase();
    let (settings, _) = change(app, &auth.project.id, auth.access, {
        let id = id.clone();
        move |draft| {
            let configuration = &mut draft.configuration;
            if !exists(&configuration.checked_settings()?, &id) {
                return Err(unknown());
            }
            let environment = &mut configuration.overrides.environment;
            if let Some(name) = &request.display_name {
                environment.set(format!("emails.templates.{id}.displayName"), name.as_str());
            }
            if let Some(source) = &request.tsx_source {
                environment.set(format!("emails.templates.{id}.tsxSource"), source.as_str());
            }
            if let Some(theme) = &request.theme_id {
                let theme = match theme {
                    ThemeChoice::Default => Value::Null,
                    ThemeChoice::Without => Value::Bool(false),
                    ThemeChoice::Theme(theme) => Value::from(theme.as_str()),
                };
                environment.set(format!("emails.templates.{id}.themeId"), theme);
            }
            Ok((configuration.checked_settings()?, Vec::new()))
        }
    })
    .await?;
    Ok(view(&settings, &id))
}

/// Deletes a template; a built-in one becomes what it was.
///
/// # Errors
/// 404.
pub async fn delete(app: &App, auth: &Auth, id: &str) -> Result<(), Failure> {
    let id = id.to_ascii_lowercase();
    change(app, &auth.project.id, auth.access, move |draft| {
        if !exists(&draft.configuration.checked_settings()?, &id) {
            return Err(unknown());
        }
        draft.configuration.overrides.environment.set(format!("emails.templates.{id}"), Value::Null);
        Ok(((), Vec::new()))
    })
    .await?;
    Ok(())
}
