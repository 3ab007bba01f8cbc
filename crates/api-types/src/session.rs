//! The session on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{SessionId, UserId};
use crate::input;
use crate::input::{Integer, UserIdOrMe};

/// A session, as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// The session; the claim `refresh_token_id` of its access tokens.
    pub id: SessionId,
    /// Whose session it is.
    pub user_id: UserId,
    /// Epoch milliseconds.
    pub created_at: i64,
    /// When a token was last issued from it, epoch milliseconds.
    pub last_used_at: i64,
    /// Whether an operator acts as the user.
    pub is_impersonation: bool,
    /// Whether the request was made with an access token of this session.
    pub is_current_session: bool,
    /// From where it was last used; omitted if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at_end_user_ip_info: Option<EndUserIpInfo>,
}

/// From where a session was used, as far as it is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndUserIpInfo {
    /// The address.
    pub ip: String,
    /// Two letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country_code: Option<String>,
    /// The code of a state or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region_code: Option<String>,
    /// In the proxy's spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city_name: Option<String>,
    /// Degrees north.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longitude: Option<f64>,
    /// For example `Europe/Berlin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tz_identifier: Option<String>,
}

input! {
    /// Whose sessions are meant.
    pub struct SessionsQuery {
        /// The user.
        pub user_id: UserIdOrMe,
    }
}

input! {
    /// Whose session is to end; servers need not say.
    pub struct SessionDeleteQuery {
        /// The user.
        pub user_id: Option<UserIdOrMe>,
    }
}

input! {
    /// The path of one session.
    pub struct SessionPath {
        /// Which session.
        pub id: SessionId,
    }
}

input! {
    /// A session that a server opens for a user.
    pub struct SessionCreate {
        /// For whom.
        pub user_id: UserIdOrMe,
        /// The life of the session; at most 367 days, 365 by default.
        pub expires_in_millis: Option<Integer<{ i64::MIN }, 31_708_800_000>>,
        /// Whether an operator will act as the user; such sessions are listed to admins only.
        pub is_impersonation: Option<bool>,
    }
}
