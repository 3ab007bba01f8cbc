//! The types of providers: twelve that are known by name, and two that are described by settings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The providers that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each variant is the name of a company's sign-in, but the last two")]
pub enum ProviderType {
    Google,
    GitHub,
    Microsoft,
    Spotify,
    Facebook,
    Discord,
    GitLab,
    Bitbucket,
    LinkedIn,
    Apple,
    X,
    Twitch,
    /// Any provider of OpenID Connect, by its discovery document.
    Oidc,
    /// Any provider of OAuth 2.0 that has a userinfo endpoint, by its endpoints.
    Oauth2,
}

impl ProviderType {
    /// Those that are known by name; the others are described by settings.
    pub(super) const NAMED: [Self; 12] = [
        Self::Google,
        Self::GitHub,
        Self::Microsoft,
        Self::Spotify,
        Self::Facebook,
        Self::Discord,
        Self::GitLab,
        Self::Bitbucket,
        Self::LinkedIn,
        Self::Apple,
        Self::X,
        Self::Twitch,
    ];

    /// Whether the server may bring credentials of its own for development.
    pub const fn can_be_shared(self) -> bool {
        matches!(self, Self::Google | Self::GitHub | Self::Microsoft | Self::Spotify)
    }

    /// Whether it is described by settings, and so one of several of its type; unknown to the API that we follow.
    pub const fn is_generic(self) -> bool {
        matches!(self, Self::Oidc | Self::Oauth2)
    }

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::GitHub => "github",
            Self::Microsoft => "microsoft",
            Self::Spotify => "spotify",
            Self::Facebook => "facebook",
            Self::Discord => "discord",
            Self::GitLab => "gitlab",
            Self::Bitbucket => "bitbucket",
            Self::LinkedIn => "linkedin",
            Self::Apple => "apple",
            Self::X => "x",
            Self::Twitch => "twitch",
            Self::Oidc => "oidc",
            Self::Oauth2 => "oauth2",
        }
    }
}
