//! Contract 05 §1–§5: users, as they see themselves and as servers see them.

mod create;
mod delete;
mod email;
mod fields;
mod images;
mod list;
mod me;
mod passwords;
mod update;

use latchkey_config::settings::{OAuthProviderSettings, ProviderType};
use latchkey_testkit::{Builder, TestServer};

/// An id that no user has.
const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";

/// A TOTP secret.
const TOTP: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=";

/// A server whose project uses GitHub.
fn with_github() -> Builder {
    TestServer::builder().project(|settings| {
        let github = OAuthProviderSettings {
            provider_type: Some(ProviderType::GitHub),
            allow_sign_in: true,
            ..OAuthProviderSettings::default()
        };
        settings.auth.oauth.providers.insert("github".to_owned(), github);
    })
}
