//! Twitch. Answers with a list of one, and gives out verified addresses only.

use super::{DocumentCall, Options, Upstream, call, profile, texts};
use crate::profile::{EmailVerified, USERINFO};

pub(super) fn describe(name: &str, _: &Options<'_>) -> Upstream {
    let users = DocumentCall {
        headers: vec![("client-id".into(), "{client_id}".into())],
        ..call(USERINFO, "https://api.twitch.tv/helix/users")
    };
    Upstream {
        name: name.into(),
        authorization_endpoint: "https://id.twitch.tv/oauth2/authorize".into(),
        token_endpoint: "https://id.twitch.tv/oauth2/token".into(),
        has_pkce: true,
        scopes: texts(&["user:read:email"]),
        documents: vec![users],
        profile: profile(
            "{userinfo/data/0/id}",
            &["{userinfo/data/0/display_name}"],
            &["{userinfo/data/0/profile_image_url}"],
        )
        .with_email("{userinfo/data/0/email}", EmailVerified::Always),
        ..Upstream::default()
    }
}
