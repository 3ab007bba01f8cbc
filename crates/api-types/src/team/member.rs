//! Members of teams: memberships, and what members are called in their teams.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{TeamId, UserId};
use crate::input;
use crate::input::{ImageUrl, Nullable, UserIdOrMe};
use crate::user::ServerUser;

input! {
    /// The path of one member.
    pub struct MemberPath {
        /// In which team.
        pub team_id: TeamId,
        /// Who.
        pub user_id: UserIdOrMe,
    }
}

/// That a user is in a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TeamMembership {
    /// The team.
    pub team_id: TeamId,
    /// The user.
    pub user_id: UserId,
}

/// A member as clients see them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientMemberProfile {
    /// The team.
    pub team_id: TeamId,
    /// The user.
    pub user_id: UserId,
    /// The name in this team, or else the user's own.
    pub display_name: Option<String>,
    /// The picture in this team, or else the user's own.
    pub profile_image_url: Option<String>,
}

/// A member as servers and admins see them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerMemberProfile {
    /// What clients see, too.
    #[serde(flatten)]
    pub client: ClientMemberProfile,
    /// The user.
    pub user: ServerUser,
}

impl From<ServerMemberProfile> for ClientMemberProfile {
    fn from(profile: ServerMemberProfile) -> Self {
        profile.client
    }
}

input! {
    /// Whose profiles are listed. Accepted, without effect, wherever a profile is addressed.
    pub struct MemberProfilesQuery {
        /// Members of this team only; clients must say which.
        pub team_id: Option<TeamId>,
        /// This user only.
        pub user_id: Option<UserIdOrMe>,
    }
}

input! {
    /// What may be changed about a member's profile. Absent properties stay as they are.
    pub struct MemberProfileUpdate {
        /// May be empty, not null.
        pub display_name: Option<String>,
        /// Null means the user's own picture.
        pub profile_image_url: Option<Nullable<ImageUrl>>,
    }
}
