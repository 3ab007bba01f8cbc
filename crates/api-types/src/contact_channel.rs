//! Contact channels on the wire: the addresses of a user.

use schemars::JsonSchema;
use serde::Serialize;

use crate::ids::{ContactChannelId, UserId};
use crate::input::{MailedCode, PlainEmail, StrictEmail, UrlText, UserIdOrMe};
use crate::{input, words};

words! {
    /// What a contact channel is.
    pub enum ContactChannelType {
        /// An email address.
        Email = "email",
    }
}

/// One contact channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ContactChannel {
    /// Whose it is.
    pub user_id: UserId,
    /// The channel.
    pub id: ContactChannelId,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: ContactChannelType,
    /// The address, normalised.
    pub value: String,
    /// Whether it is the user's primary channel of its type.
    pub is_primary: bool,
    /// Whether the user proved to own it.
    pub is_verified: bool,
    /// Whether it can be used to sign in.
    pub used_for_auth: bool,
}

input! {
    /// Which channels are listed. Accepted, without effect, wherever channels are addressed.
    #[derive(Default)]
    pub struct ContactChannelsQuery {
        /// Those of this user; servers may leave it out.
        pub user_id: Option<UserIdOrMe>,
        /// This one only.
        pub contact_channel_id: Option<ContactChannelId>,
    }
}

input! {
    /// The path of one channel.
    pub struct ContactChannelPath {
        /// Whose it is.
        pub user_id: UserIdOrMe,
        /// Which.
        pub contact_channel_id: ContactChannelId,
    }
}

input! {
    /// A channel that a client adds.
    pub struct ClientContactChannelCreate {
        /// The signed-in user.
        pub user_id: UserIdOrMe,
        /// What it is.
        pub kind as "type": ContactChannelType,
        /// The address.
        pub value: PlainEmail,
        /// Whether it can be used to sign in.
        pub used_for_auth: bool,
        /// Whether it takes the place of the primary channel.
        pub is_primary: Option<bool>,
    }
}

input! {
    /// A channel that a server adds.
    pub struct ContactChannelCreate {
        /// For whom.
        pub user_id: UserIdOrMe,
        /// What it is.
        pub kind as "type": ContactChannelType,
        /// The address.
        pub value: PlainEmail,
        /// Whether it can be used to sign in.
        pub used_for_auth: bool,
        /// Whether it takes the place of the primary channel.
        pub is_primary: Option<bool>,
        /// Whether it is known to be the user's.
        pub is_verified: Option<bool>,
    }
}

impl From<ClientContactChannelCreate> for ContactChannelCreate {
    fn from(create: ClientContactChannelCreate) -> Self {
        Self {
            user_id: create.user_id,
            kind: create.kind,
            value: create.value,
            used_for_auth: create.used_for_auth,
            is_primary: create.is_primary,
            is_verified: None,
        }
    }
}

input! {
    /// What a client may change about a channel. Absent properties stay as they are.
    #[derive(Default)]
    pub struct ClientContactChannelUpdate {
        /// Another address, which then is not verified.
        pub value: Option<PlainEmail>,
        /// What it is.
        pub kind as "type": Option<ContactChannelType>,
        /// Whether it can be used to sign in.
        pub used_for_auth: Option<bool>,
        /// Whether it is the primary channel.
        pub is_primary: Option<bool>,
    }
}

input! {
    /// What a server may change about a channel. Absent properties stay as they are.
    #[derive(Default)]
    pub struct ContactChannelUpdate {
        /// Another address, which then is not verified unless `is_verified` says so.
        pub value: Option<PlainEmail>,
        /// What it is.
        pub kind as "type": Option<ContactChannelType>,
        /// Whether it can be used to sign in.
        pub used_for_auth: Option<bool>,
        /// Whether it is the primary channel.
        pub is_primary: Option<bool>,
        /// Whether it is known to be the user's.
        pub is_verified: Option<bool>,
    }
}

impl From<ClientContactChannelUpdate> for ContactChannelUpdate {
    fn from(update: ClientContactChannelUpdate) -> Self {
        Self {
            value: update.value,
            kind: update.kind,
            used_for_auth: update.used_for_auth,
            is_primary: update.is_primary,
            is_verified: None,
        }
    }
}

input! {
    /// Where the link of a verification mail leads.
    pub struct VerificationRequest {
        /// Within a trusted domain of the project.
        pub callback_url: UrlText,
    }
}

input! {
    /// Deprecated: a verification mail for the primary email of the signed-in user.
    pub struct PrimaryVerificationRequest {
        /// The primary email.
        pub email: StrictEmail,
        /// Within a trusted domain of the project.
        pub callback_url: UrlText,
    }
}

input! {
    /// A code that was mailed.
    pub struct VerificationCode {
        /// The code.
        pub code: MailedCode,
    }
}

/// A code that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CodeCheck {
    /// Always true; otherwise there is an error.
    pub is_code_valid: bool,
}
