//! What an access token says (contract 03 §1, §2): the claims, the three kinds of user, and the issuer and
//! audience that go with each kind.

use latchkey_api_types::ids::{ProjectId, SessionId, TeamId, UserId};
use latchkey_api_types::user::{RestrictedReason, RestrictionKind};
use latchkey_storage::users::{SubjectRow, UserRow};
use serde::{Deserialize, Serialize};

use crate::projects::Project;

/// Kind of a user at the time of minting. Each has its own keys, audience and issuer, so that a plain verifier
/// refuses all but the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserKind {
    /// Signed up and free to act.
    Normal,
    /// Signed up, but something is missing or forbidden.
    Restricted,
    /// Nobody yet.
    Anonymous,
}

impl UserKind {
    /// All kinds, in the order in which key sets list them.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Restricted, Self::Anonymous];

    /// The kind of user that a restriction makes.
    pub fn of_reason(reason: Option<RestrictedReason>) -> Self {
        match reason.map(|reason| reason.kind) {
            None => Self::Normal,
            Some(RestrictionKind::Anonymous) => Self::Anonymous,
            Some(_) => Self::Restricted,
        }
    }

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Restricted => "restricted",
            Self::Anonymous => "anonymous",
        }
    }

    /// Reads the word in the database.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The audience of tokens for this kind.
    pub fn audience(self, project: &ProjectId) -> String {
        match self {
            Self::Normal => project.to_string(),
            Self::Restricted => format!("{project}:restricted"),
            Self::Anonymous => format!("{project}:anon"),
        }
    }

    /// Splits an audience into the project and the kind; `None` for other texts.
    pub fn of_audience(audience: &str) -> Option<(ProjectId, Self)> {
        let (project, kind) = match audience.split_once(':') {
            None => (audience, Self::Normal),
            Some((project, "restricted")) => (project, Self::Restricted),
            Some((project, "anon")) => (project, Self::Anonymous),
            Some(_) => return None,
        };
        Some((project.parse().ok()?, kind))
    }

    /// The issuer of tokens for this kind; `public_url` has no trailing slash.
    pub fn issuer(self, public_url: &str, project: &ProjectId) -> String {
        let segment = match self {
            Self::Normal => "projects",
            Self::Restricted => "projects-restricted-users",
            Self::Anonymous => "projects-anonymous-users",
        };
        format!("{public_url}/api/v1/{segment}/{project}")
    }
}

/// What of a user can be a ground for a restriction.
pub struct Grounds {
    is_anonymous: bool,
    primary_email_verified: bool,
    restricted_by_admin: bool,
}

impl From<&UserRow> for Grounds {
    fn from(user: &UserRow) -> Self {
        let UserRow { is_anonymous, primary_email_verified, restricted_by_admin, .. } = *user;
        let primary_email_verified = primary_email_verified == Some(true);
        Self { is_anonymous, primary_email_verified, restricted_by_admin }
    }
}

impl From<&SubjectRow> for Grounds {
    fn from(user: &SubjectRow) -> Self {
        let SubjectRow { is_anonymous, primary_email_verified, restricted_by_admin, .. } = *user;
        let primary_email_verified = primary_email_verified == Some(true);
        Self { is_anonymous, primary_email_verified, restricted_by_admin }
    }
}

/// Decides whether a user is restricted now; the first reason wins (contract 05 §1).
pub fn restricted_reason(user: impl Into<Grounds>, project: &Project) -> Option<RestrictedReason> {
    let Grounds { is_anonymous, primary_email_verified, restricted_by_admin } = user.into();
    let kind = if is_anonymous {
        RestrictionKind::Anonymous
    } else if project.settings.onboarding.require_email_verification && !primary_email_verified {
        RestrictionKind::EmailNotVerified
    } else if restricted_by_admin {
        RestrictionKind::RestrictedByAdministrator
    } else {
        return None;
    };
    Some(RestrictedReason { kind })
}

/// The claims of a user's access token: those of the contract, and those that a project asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// User.
    pub sub: UserId,
    /// Issuer URL.
    pub iss: String,
    /// Audience, a single string.
    pub aud: String,
    /// Issued at, seconds.
    pub iat: i64,
    /// End, seconds.
    pub exp: i64,
    /// Project.
    pub project_id: ProjectId,
    /// Branch; always `main`.
    pub branch_id: String,
    /// Session.
    pub refresh_token_id: SessionId,
    /// `authenticated`; `anon` for anonymous users of projects that give them the plain audience.
    pub role: String,
    /// Display name.
    pub name: Option<String>,
    /// Primary email.
    pub email: Option<String>,
    /// Whether it is verified.
    pub email_verified: bool,
    /// Team that the user works in.
    pub selected_team_id: Option<TeamId>,
    /// Sign-up, seconds.
    pub signed_up_at: i64,
    /// Has not signed up.
    pub is_anonymous: bool,
    /// Restricted for any reason.
    pub is_restricted: bool,
    /// The reason.
    pub restricted_reason: Option<RestrictedReason>,
    /// Whether sign-in asks for a TOTP code.
    pub requires_totp_mfa: bool,
    /// Token id, RFC 7519 §4.1.7; by project setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// Authentication methods, RFC 8176; by project setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amr: Option<Vec<String>>,
    /// Last proof of identity, seconds; by project setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// Project permissions; by project setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
}

impl AccessClaims {
    /// Whether the parts of the token agree with each other (contract 03 §2).
    pub fn are_consistent(&self) -> bool {
        let Some((project, kind)) = UserKind::of_audience(&self.aud) else { return false };
        let said = UserKind::of_reason(self.restricted_reason);
        // A project may let anonymous users' tokens carry its plain audience.
        let audience_agrees = kind == said || (kind, said) == (UserKind::Normal, UserKind::Anonymous);
        audience_agrees
            && project == self.project_id
            && self.branch_id == "main"
            && self.is_restricted == self.restricted_reason.is_some()
            && self.is_anonymous == (said == UserKind::Anonymous)
    }
}
