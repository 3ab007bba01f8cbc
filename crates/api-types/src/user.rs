//! The user on the wire.
//!
//! Owns the JSON shapes per access level and what may be written; what a field means is decided by the server.

mod input;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{TeamId, UserId};
use crate::team::{ClientTeam, ServerTeam};

pub use input::{
    AffectedUsersQuery, AffectedUsersRequest, ClientUserUpdate, OauthAccountInput, OnboardingPreview,
    RiskScoresInput, SignUpRiskScoresInput, UserCreate, UserOrder, UserPath, UserUpdate, UsersQuery,
};

/// The fields of a user that every access level sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserFields {
    /// The user.
    pub id: UserId,
    /// Never empty; null if there is none.
    pub display_name: Option<String>,
    /// The value of the primary email contact channel.
    pub primary_email: Option<String>,
    /// False if there is no primary email.
    pub primary_email_verified: bool,
    /// A URL, or null.
    pub profile_image_url: Option<String>,
    /// When the account was created or upgraded from an anonymous one, epoch milliseconds.
    pub signed_up_at_millis: i64,
    /// Free-form JSON that clients read and write.
    pub client_metadata: Value,
    /// Free-form JSON that clients read and servers write.
    pub client_read_only_metadata: Value,
    /// Whether the user can sign in with a password.
    pub has_password: bool,
    /// Whether the user can sign in with a code sent by mail.
    pub otp_auth_enabled: bool,
    /// Whether a passkey is registered.
    pub passkey_auth_enabled: bool,
    /// Deprecated: `has_password` or `otp_auth_enabled`.
    pub auth_with_email: bool,
    /// Whether a second factor is asked for.
    pub requires_totp_mfa: bool,
    /// Accounts elsewhere, also those that may not sign in.
    pub oauth_providers: Vec<OauthAccount>,
    /// The team that the user works in.
    pub selected_team_id: Option<TeamId>,
    /// Whether the user never signed up.
    pub is_anonymous: bool,
    /// Whether the user's tokens are accepted only where restricted users are.
    pub is_restricted: bool,
    /// Present exactly if the user is restricted.
    pub restricted_reason: Option<RestrictedReason>,
    /// Whether an administrator restricted the user.
    pub restricted_by_admin: bool,
    /// What the user is told about it.
    pub restricted_by_admin_reason: Option<String>,
}

/// A user as clients see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientUser {
    /// The fields that every access level sees.
    #[serde(flatten)]
    pub fields: UserFields,
    /// The team that the user works in.
    pub selected_team: Option<ClientTeam>,
}

/// A user as servers and admins see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerUser {
    /// The fields that every access level sees.
    #[serde(flatten)]
    pub fields: UserFields,
    /// The team that the user works in.
    pub selected_team: Option<ServerTeam>,
    /// Whether the primary email can be used to sign in.
    pub primary_email_auth_enabled: bool,
    /// When a token was last issued to the user, epoch milliseconds.
    pub last_active_at_millis: i64,
    /// Free-form JSON that clients never see.
    pub server_metadata: Value,
    /// What only operators are told about a restriction by an administrator.
    pub restricted_by_admin_private_details: Option<String>,
    /// Two upper-case letters; best effort at sign-up.
    pub country_code: Option<String>,
    /// Suspicions noted at sign-up.
    pub risk_scores: RiskScores,
}

impl From<ServerUser> for ClientUser {
    fn from(user: ServerUser) -> Self {
        Self { fields: user.fields, selected_team: user.selected_team.map(|team| team.client) }
    }
}

/// An account of the user with an OAuth provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OauthAccount {
    /// The provider's id in the project's configuration, for example `google`.
    pub id: String,
    /// The provider's id of the account.
    pub account_id: String,
    /// The email address that the provider told.
    pub email: Option<String>,
}

/// Suspicions noted about a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RiskScores {
    /// Those noted at sign-up.
    pub sign_up: SignUpRiskScores,
}

/// Suspicions noted at sign-up, each from 0 to 100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignUpRiskScores {
    /// That the user is a machine.
    pub bot: u8,
    /// That the user has signed up before to get something free again.
    pub free_trial_abuse: u8,
}

/// Users whom a setting would restrict.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AffectedUsers {
    /// Some of them, in the order of their sign-up.
    pub affected_users: Vec<AffectedUser>,
    /// How many there are.
    pub total_affected_count: i64,
}

/// A user whom a setting would restrict.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AffectedUser {
    /// The user.
    pub id: UserId,
    /// Never empty; null if there is none.
    pub display_name: Option<String>,
    /// The value of the primary email contact channel.
    pub primary_email: Option<String>,
    /// Why they would be.
    pub restricted_reason: RestrictedReason,
}

/// Why a user is restricted; JSON `{"type": …}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct RestrictedReason {
    /// The first reason that applies.
    #[serde(rename = "type")]
    pub kind: RestrictionKind,
}

/// The reasons for a restriction, in the order in which they are examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestrictionKind {
    /// The user never signed up.
    Anonymous,
    /// The project requires a verified primary email and there is none.
    EmailNotVerified,
    /// An administrator restricted the user.
    RestrictedByAdministrator,
}
