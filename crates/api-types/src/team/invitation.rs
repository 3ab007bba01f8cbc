//! Invitations to teams. Their codes appear in mails only.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{TeamId, TeamInvitationId};
use crate::input;
use crate::input::{MailedCode, PlainEmail, UrlText, UserIdOrMe};

/// An open invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TeamInvitation {
    /// The invitation.
    pub id: TeamInvitationId,
    /// Whereto.
    pub team_id: TeamId,
    /// Name of the team.
    pub team_display_name: String,
    /// Until when it is open, epoch milliseconds.
    pub expires_at_millis: i64,
    /// The address that it was sent to.
    pub recipient_email: String,
}

input! {
    /// An invitation to be sent.
    pub struct TeamInvitationCreate {
        /// Whereto.
        pub team_id: TeamId,
        /// To whom.
        pub email: PlainEmail,
        /// Where the link of the mail leads; within a trusted domain.
        pub callback_url: UrlText,
    }
}

/// An invitation was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvitationSent {
    /// Always true.
    pub success: bool,
    /// The invitation.
    pub id: TeamInvitationId,
}

input! {
    /// Which invitations are meant: exactly one of the two for lists, the team for taking one back.
    pub struct InvitationsQuery {
        /// Those to this team.
        pub team_id: Option<TeamId>,
        /// Those to this user's verified addresses.
        pub user_id: Option<UserIdOrMe>,
    }
}

input! {
    /// The path of one invitation.
    pub struct InvitationPath {
        /// Which invitation.
        pub id: TeamInvitationId,
    }
}

input! {
    /// Who accepts an invitation that was found in a list.
    pub struct AcceptByIdQuery {
        /// The user.
        pub user_id: UserIdOrMe,
    }
}

input! {
    /// The code of an invitation.
    pub struct InvitationCode {
        /// From the link of the mail.
        pub code: MailedCode,
    }
}

/// An invitation was accepted; has no properties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvitationAcceptance {}

/// A code can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeIsValid {
    /// Always true.
    pub is_code_valid: bool,
}

/// What an invitation is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvitationDetails {
    /// Whereto.
    pub team_id: TeamId,
    /// Name of the team.
    pub team_display_name: String,
}
