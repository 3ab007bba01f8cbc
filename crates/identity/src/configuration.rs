//! The configuration of a project as administrators and deployment tools see it: the rendered tree, and the overrides
//! that it is made of (contract 07 §5.4).

use latchkey_api_types::AccessType;
use latchkey_api_types::configuration::{
    ConfigLevel, ConfigOverride, ConfigOverrideUpdate, ConfigReset, ConfigSource, ResettableLevel,
};
use latchkey_config::settings::{BUILT_IN_TEMPLATES, BUILT_IN_THEMES};
use latchkey_config::{Level, Override};
use latchkey_storage::projects;
use serde_json::{Value, json};

use crate::app::App;
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::projects::{Configuration, change, email_theme, gone};
use crate::{email_templates, email_themes};

fn level(wire: ConfigLevel) -> Level {
    match wire {
        ConfigLevel::Project => Level::Project,
        ConfigLevel::Branch => Level::Branch,
        ConfigLevel::Environment => Level::Environment,
    }
}

/// Servers push what belongs to the application's source, and nothing else.
fn require_access(auth: &Auth, level: Level) -> Result<(), Failure> {
    if auth.access == AccessType::Admin || level == Level::Branch {
        return Ok(());
    }
    Err(Failure::text(403, "A secret server key gives access to the level \"branch\" only."))
}

async fn stored(app: &App, auth: &Auth) -> Result<Configuration, Failure> {
    let id = auth.project.id.clone();
    let row = app
        .store
        .lookup(move |tx| Box::pin(async move { Ok::<_, Failure>(projects::get(tx, &id).await?) }))
        .await?
        .ok_or_else(|| gone(&auth.project.id))?;
    Configuration::open(&app.master_keys, &row)
}

/// The whole configuration as JSON text, defaults included.
pub async fn rendered(app: &App, auth: &Auth) -> Result<String, Failure> {
    let settings = stored(app, auth).await?.overrides.render().map_err(Failure::internal)?;
    let mut tree = serde_json::to_value(&settings).map_err(Failure::internal)?;
    let emails = &mut tree["emails"];
    emails["selectedThemeId"] = email_theme(&settings).into();
    if settings.emails.server.is_shared {
        // Mails of the shared server have the built-in texts.
        emails["templates"] = json!({});
    }
    let themes = BUILT_IN_THEMES.iter().map(|(id, _)| ("themes", *id, email_themes::built_in(id)));
    let templates =
        BUILT_IN_TEMPLATES.iter().map(|(id, _)| ("templates", *id, email_templates::built_in(id)));
    for (kind, id, (display_name, tsx_source)) in themes.chain(templates) {
        let entry = &mut tree["emails"][kind][id];
        if entry.is_null() {
            *entry = json!({});
        }
        for (key, value) in
            [("displayName", Value::from(display_name)), ("tsxSource", Value::from(tsx_source))]
        {
            if entry[key].is_null() {
                entry[key] = value;
            }
        }
    }
    Ok(tree.to_string())
}

/// The override of a level as JSON text.
///
/// # Errors
/// 403 for servers at other levels than the branch.
pub async fn get(app: &App, auth: &Auth, at: ConfigLevel) -> Result<String, Failure> {
    require_access(auth, level(at))?;
    Ok(stored(app, auth).await?.overrides.at(level(at)).to_json())
}

/// Replaces the override of a level.
///
/// # Errors
/// 403 as for [`get`]; 400 for what is no override for the level, and without a source for the branch.
pub async fn set(app: &App, auth: &Auth, at: ConfigLevel, request: ConfigOverride) -> Result<(), Failure> {
    let at = level(at);
    require_access(auth, at)?;
    let keys = parse(&request.config_string, at)?;
    if at == Level::Branch && request.source.is_none() {
        return Err(Failure::text(400, "Who sets the configuration of the branch says so in \"source\"."));
    }
    change(app, &auth.project.id, auth.access, move |draft| {
        draft.configuration.overrides.at_mut(at).clone_from(&keys);
        if let (Level::Branch, Some(source)) = (at, &request.source) {
            draft.configuration.source.clone_from(source);
        }
        Ok(((), Vec::new()))
    })
    .await?;
    Ok(())
}

fn parse(text: &str, at: Level) -> Result<Override, Failure> {
    Override::parse(text, at).map_err(|problem| Failure::text(400, problem))
}

/// Lays keys over the override of a level.
///
/// # Errors
/// 403 as for [`get`]; 400 for what is no override for the level.
pub async fn update(
    app: &App,
    auth: &Auth,
    at: ConfigLevel,
    request: ConfigOverrideUpdate,
) -> Result<(), Failure> {
    let at = level(at);
    require_access(auth, at)?;
    let keys = parse(&request.config_override_string, at)?;
    change(app, &auth.project.id, auth.access, move |draft| {
        draft.configuration.overrides.at_mut(at).merge(&keys);
        Ok(((), Vec::new()))
    })
    .await?;
    Ok(())
}

/// Takes keys out of the override of a level. Unknown ones do not matter.
pub async fn reset(app: &App, auth: &Auth, at: ResettableLevel, request: ConfigReset) -> Result<(), Failure> {
    let at = match at {
        ResettableLevel::Branch => Level::Branch,
        ResettableLevel::Environment => Level::Environment,
    };
    change(app, &auth.project.id, auth.access, move |draft| {
        draft.configuration.overrides.at_mut(at).reset(&request.keys);
        Ok(((), Vec::new()))
    })
    .await?;
    Ok(())
}

/// Who pushes the configuration of the branch.
pub async fn source(app: &App, auth: &Auth) -> Result<ConfigSource, Failure> {
    Ok(stored(app, auth).await?.source)
}

/// Forgets who pushes the configuration of the branch; what was pushed stays.
pub async fn unlink(app: &App, auth: &Auth) -> Result<(), Failure> {
    change(app, &auth.project.id, auth.access, |draft| {
        draft.configuration.source = ConfigSource::Unlinked;
        Ok(((), Vec::new()))
    })
    .await?;
    Ok(())
}
