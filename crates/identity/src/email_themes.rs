//! Themes of mails: the built-in three and those of a project, kept in its configuration (contract 07 §8).

use latchkey_api_types::email_theme::{EmailTheme, EmailThemeCreate, EmailThemeUpdate};
use latchkey_config::ProjectSettings;
use latchkey_config::settings::BUILT_IN_THEMES;
use serde_json::{Value, json};

use crate::app::App;
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::projects::{change, theme_exists};

/// What is between the frame of a built-in theme and its colours.
const SOURCE: &str = r#"import { Html, Head, Body, Container, Tailwind } from "@react-email/components";

export function EmailTheme({ children, unsubscribeLink }) {
  return (
    <Html>
      <Head />
      <Tailwind>
        <Body className="font-sans p-6 COLOURS">
          <Container className="rounded-lg p-8">{children}</Container>
          {unsubscribeLink && <a href={unsubscribeLink}>Unsubscribe</a>}
        </Body>
      </Tailwind>
    </Html>
  );
}
"#;

/// Name and source of a built-in theme; of the default one for an id that is none.
pub(crate) fn built_in(id: &str) -> (&'static str, String) {
    let index = BUILT_IN_THEMES.iter().position(|(known, _)| *known == id).unwrap_or_default();
    let colours = ["bg-white text-black", "bg-gray-900 text-gray-100", "bg-indigo-100 text-indigo-950"];
    (BUILT_IN_THEMES[index].1, SOURCE.replace("COLOURS", colours[index]))
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

/// Changes a theme.
///
/// # Errors
/// 404.
pub async fn update(
    app: &App,
    auth: &Auth,
    id: &str,
    request: EmailThemeUpdate,
) -> Result<EmailTheme, Failure> {
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
