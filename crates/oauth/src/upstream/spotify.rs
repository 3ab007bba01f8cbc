//! Spotify. Does not say whether addresses are verified.

use super::{ClientAuthentication, Options, Upstream, profile, texts, userinfo};
use crate::profile::EmailVerified;

pub(super) fn describe(name: &str, _: &Options<'_>) -> Upstream {
    Upstream {
        name: name.into(),
        authorization_endpoint: "https://accounts.spotify.com/authorize".into(),
        token_endpoint: "https://accounts.spotify.com/api/token".into(),
        has_pkce: true,
        scopes: texts(&["user-read-email", "user-read-private"]),
        client_authentication: ClientAuthentication::Basic,
        documents: userinfo("https://api.spotify.com/v1/me"),
        profile: profile("{userinfo/id}", &["{userinfo/display_name}"], &["{userinfo/images/0/url}"])
            .with_email("{userinfo/email}", EmailVerified::Never),
        ..Upstream::default()
    }
}
