//! Notification preferences on the wire: which kinds of mail a user wants.

use schemars::JsonSchema;
use serde::Serialize;

use crate::ids::NotificationCategoryId;
use crate::input;
use crate::input::UserIdOrMe;

/// A kind of mail, and whether the user wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotificationPreference {
    /// The kind; the same in every project.
    pub notification_category_id: NotificationCategoryId,
    /// Its name.
    pub notification_category_name: &'static str,
    /// What the user decided, or the default.
    pub enabled: bool,
    /// Whether the decision has an effect.
    pub can_disable: bool,
}

input! {
    /// Whose preferences.
    pub struct NotificationPreferencesPath {
        /// The user.
        pub user_id: UserIdOrMe,
    }
}

input! {
    /// One preference.
    pub struct NotificationPreferencePath {
        /// The user.
        pub user_id: UserIdOrMe,
        /// The kind of mail.
        pub notification_category_id: NotificationCategoryId,
    }
}

input! {
    /// A decision.
    pub struct NotificationPreferenceUpdate {
        /// Whether mail of this kind is wanted.
        pub enabled: bool,
    }
}
