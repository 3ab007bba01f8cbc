//! The route table of the API: one file per noun, one line per file here.

mod analytics;
mod api_keys;
mod auth;
mod configuration;
mod connected_accounts;
mod contact_channels;
mod data_vault;
mod email_drafts;
mod email_templates;
mod email_themes;
mod emails;
mod images;
mod key_sets;
mod notifications;
mod oauth_providers;
mod outbox;
mod passkeys;
mod permissions;
mod projects;
mod root;
mod sdk;
mod sign_up_rules;
mod team_invitations;
mod teams;
mod users;
mod webhooks;

use crate::openapi;
use crate::route::Route;

#[cfg(test)]
pub(crate) use root::row as banner;

/// Every route of the API.
pub fn routes() -> Vec<Route> {
    let mut routes = Vec::new();
    routes.extend(root::routes());
    routes.extend(auth::routes());
    routes.extend(projects::routes());
    routes.extend(configuration::routes());
    routes.extend(sign_up_rules::routes());
    routes.extend(key_sets::routes());
    routes.extend(email_themes::routes());
    routes.extend(email_templates::routes());
    routes.extend(email_drafts::routes());
    routes.extend(emails::routes());
    routes.extend(analytics::routes());
    routes.extend(users::routes());
    routes.extend(images::routes());
    routes.extend(contact_channels::routes());
    routes.extend(oauth_providers::routes());
    routes.extend(connected_accounts::routes());
    routes.extend(passkeys::routes());
    routes.extend(notifications::routes());
    routes.extend(outbox::routes());
    routes.extend(teams::routes());
    routes.extend(team_invitations::routes());
    routes.extend(permissions::routes());
    routes.extend(sdk::routes());
    routes.extend(api_keys::routes());
    routes.extend(data_vault::routes());
    routes.extend(webhooks::routes());
    openapi::with_document(routes)
}
