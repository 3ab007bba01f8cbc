//! Teams on the wire: the team itself, its members and who is invited.
//!
//! Owns the JSON shapes per access level and what may be written; who may do what is decided by the server.

mod input;
mod invitation;
mod member;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::TeamId;

pub use input::{
    ClientTeamCreate, ClientTeamUpdate, TeamCreate, TeamOrder, TeamPath, TeamUpdate, TeamsQuery,
};
pub use invitation::{
    AcceptByIdQuery, CodeIsValid, InvitationAcceptance, InvitationCode, InvitationDetails, InvitationPath,
    InvitationSent, InvitationsQuery, TeamInvitation, TeamInvitationCreate,
};
pub use member::{
    ClientMemberProfile, MemberPath, MemberProfileUpdate, MemberProfilesQuery, ServerMemberProfile,
    TeamMembership,
};

/// A team as clients see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientTeam {
    /// The team.
    pub id: TeamId,
    /// May be empty.
    pub display_name: String,
    /// A URL, or null.
    pub profile_image_url: Option<String>,
    /// Free-form JSON that clients read and write.
    pub client_metadata: Value,
    /// Free-form JSON that clients read and servers write.
    pub client_read_only_metadata: Value,
}

/// A team as servers and admins see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerTeam {
    /// What clients see, too.
    #[serde(flatten)]
    pub client: ClientTeam,
    /// Free-form JSON that clients never see.
    pub server_metadata: Value,
    /// When the team was created, epoch milliseconds.
    pub created_at_millis: i64,
}

impl From<ServerTeam> for ClientTeam {
    fn from(team: ServerTeam) -> Self {
        team.client
    }
}
