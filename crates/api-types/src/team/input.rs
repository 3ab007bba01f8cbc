//! What may be written to teams, and by which queries they are found.

use crate::ids::TeamId;
use crate::input::{ImageUrl, Integer, JsonValue, Nullable, QueryBool, UserIdOrMe};
use crate::{input, words};

input! {
    /// The path of one team.
    pub struct TeamPath {
        /// Which team.
        pub team_id: TeamId,
    }
}

words! {
    /// By what teams are sorted.
    pub enum TeamOrder {
        /// By the time of their creation, then by id.
        CreatedAt = "created_at",
    }
}

input! {
    /// Which teams are listed. Accepted, without effect, wherever teams are addressed.
    #[derive(Default)]
    pub struct TeamsQuery {
        /// Teams of this user only; clients must ask for their own.
        pub user_id: Option<UserIdOrMe>,
        /// How many teams a page holds; absent means all, in one list without pages.
        pub limit: Option<Integer<1, { i64::MAX }>>,
        /// The first team of the page.
        pub cursor: Option<TeamId>,
        /// By what teams are sorted.
        pub order_by: Option<TeamOrder>,
        /// Whether the order is descending.
        pub desc: Option<QueryBool>,
        /// Part of a display name, or a team id.
        pub query: Option<String>,
        /// Deprecated, on creation: whether the signed-in user becomes the creator.
        pub add_current_user: Option<QueryBool>,
    }
}

input! {
    /// A team that a client creates.
    pub struct ClientTeamCreate {
        /// May be empty.
        pub display_name: String,
        /// An image, inline as a base64 `data:` URL.
        pub profile_image_url: Option<Nullable<ImageUrl>>,
        /// Free-form JSON that clients read and write.
        pub client_metadata: Option<JsonValue>,
        /// The signed-in user, who becomes the creator in any case.
        pub creator_user_id: Option<UserIdOrMe>,
    }
}

input! {
    /// A team that a server or an admin creates.
    pub struct TeamCreate {
        /// May be empty.
        pub display_name: String,
        /// A URL, or the image itself as a base64 `data:` URL.
        pub profile_image_url: Option<Nullable<ImageUrl>>,
        /// Free-form JSON that clients read and write.
        pub client_metadata: Option<JsonValue>,
        /// Free-form JSON that clients read and servers write.
        pub client_read_only_metadata: Option<JsonValue>,
        /// Free-form JSON that clients never see.
        pub server_metadata: Option<JsonValue>,
        /// Who becomes its first member, with the permissions of a creator; absent means nobody.
        pub creator_user_id: Option<UserIdOrMe>,
    }
}

impl From<ClientTeamCreate> for TeamCreate {
    fn from(create: ClientTeamCreate) -> Self {
        Self {
            display_name: create.display_name,
            profile_image_url: create.profile_image_url,
            client_metadata: create.client_metadata,
            client_read_only_metadata: None,
            server_metadata: None,
            creator_user_id: create.creator_user_id,
        }
    }
}

input! {
    /// What clients may change about a team. Absent properties stay as they are.
    pub struct ClientTeamUpdate {
        /// May be empty.
        pub display_name: Option<String>,
        /// An image, inline as a base64 `data:` URL.
        pub profile_image_url: Option<Nullable<ImageUrl>>,
        /// Replaced as a whole.
        pub client_metadata: Option<JsonValue>,
    }
}

input! {
    /// What servers and admins may change about a team. Absent properties stay as they are.
    pub struct TeamUpdate {
        /// May be empty.
        pub display_name: Option<String>,
        /// A URL, or the image itself as a base64 `data:` URL.
        pub profile_image_url: Option<Nullable<ImageUrl>>,
        /// Replaced as a whole.
        pub client_metadata: Option<JsonValue>,
        /// Replaced as a whole.
        pub client_read_only_metadata: Option<JsonValue>,
        /// Replaced as a whole.
        pub server_metadata: Option<JsonValue>,
    }
}

impl From<ClientTeamUpdate> for TeamUpdate {
    fn from(update: ClientTeamUpdate) -> Self {
        Self {
            display_name: update.display_name,
            profile_image_url: update.profile_image_url,
            client_metadata: update.client_metadata,
            client_read_only_metadata: None,
            server_metadata: None,
        }
    }
}
