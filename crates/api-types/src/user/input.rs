//! What may be written to users, and by which queries they are found.

use crate::ids::{TeamId, UserId};
use crate::input::{
    Base64Text, CountryCode, DisplayName, ImageUrl, Integer, JsonValue, NonEmptyText, Nullable, OnlyFalse,
    PasswordText, PlainEmail, QueryBool, UserIdOrMe,
};
use crate::{input, words};

input! {
    /// The path of one user.
    pub struct UserPath {
        /// Which user.
        pub user_id: UserIdOrMe,
    }
}

input! {
    /// What clients may change about the signed-in user. Absent properties stay as they are.
    #[derive(Default)]
    pub struct ClientUserUpdate {
        /// Empty is stored as null.
        pub display_name: Option<Nullable<DisplayName>>,
        /// Clients may only send an image inline, as a base64 `data:` URL.
        pub profile_image_url: Option<Nullable<ImageUrl>>,
        /// Replaced as a whole.
        pub client_metadata: Option<JsonValue>,
        /// A team of which the user is a member.
        pub selected_team_id: Option<Nullable<TeamId>>,
        /// A TOTP secret; null removes the second factor.
        pub totp_secret_base64: Option<Nullable<Base64Text>>,
        /// Whether the user can sign in with a code sent by mail.
        pub otp_auth_enabled: Option<bool>,
        /// Only false has an effect: it removes the passkey.
        pub passkey_auth_enabled: Option<bool>,
        /// Null removes the primary email.
        pub primary_email: Option<Nullable<PlainEmail>>,
    }
}

/// Declares what servers write about users: the fields that creating and changing share, and the declaration's own.
macro_rules! server_input {
    ($(#[doc = $doc:literal])* pub struct $name:ident { $($own:tt)* }) => {
        input! {
            $(#[doc = $doc])*
            #[derive(Default)]
            pub struct $name {
                /// Empty is stored as null.
                pub display_name: Option<Nullable<DisplayName>>,
                /// A URL, or the image itself as a base64 `data:` URL.
                pub profile_image_url: Option<Nullable<ImageUrl>>,
                /// Free-form JSON that clients read and write. Replaced as a whole.
                pub client_metadata: Option<JsonValue>,
                /// Free-form JSON that clients read and servers write. Replaced as a whole.
                pub client_read_only_metadata: Option<JsonValue>,
                /// Free-form JSON that clients never see. Replaced as a whole.
                pub server_metadata: Option<JsonValue>,
                /// The primary contact channel; null for none.
                pub primary_email: Option<Nullable<PlainEmail>>,
                /// Whether the primary email is known to be the user's.
                pub primary_email_verified: Option<bool>,
                /// Whether the primary email can be used to sign in.
                pub primary_email_auth_enabled: Option<bool>,
                /// Null for none. No minimum length here. A change ends all sessions of the user.
                pub password: Option<Nullable<PasswordText>>,
                /// A bcrypt hash, instead of a password.
                pub password_hash: Option<NonEmptyText>,
                /// Whether the user can sign in with a code sent by mail.
                pub otp_auth_enabled: Option<bool>,
                /// A passkey is registered by its owner; a change to false removes it.
                pub passkey_auth_enabled: Option<bool>,
                /// A TOTP secret; null for no second factor.
                pub totp_secret_base64: Option<Nullable<Base64Text>>,
                /// Whether the user is restricted.
                pub restricted_by_admin: Option<bool>,
                /// What the user is told about it.
                pub restricted_by_admin_reason: Option<Nullable<String>>,
                /// What only operators are told about it.
                pub restricted_by_admin_private_details: Option<Nullable<String>>,
                /// Where the user signed up.
                pub country_code: Option<Nullable<CountryCode>>,
                /// Suspicions, all of them at once.
                pub risk_scores: Option<RiskScoresInput>,
                $($own)*
            }
        }
    };
}

server_input! {
    /// What servers and admins may change about a user. Absent properties stay as they are.
    pub struct UserUpdate {
        /// A team of which the user is a member.
        pub selected_team_id: Option<Nullable<TeamId>>,
        /// False upgrades an anonymous user.
        pub is_anonymous: Option<OnlyFalse>,
    }
}

server_input! {
    /// A user created by a server or an admin.
    pub struct UserCreate {
        /// Whether the user counts as one who never signed up.
        pub is_anonymous: Option<bool>,
        /// Accounts with OAuth providers that the project uses.
        pub oauth_providers: Option<Vec<OauthAccountInput>>,
    }
}

impl UserCreate {
    /// The fields that a change has as well, whether the user is anonymous, and the accounts.
    pub fn into_parts(self) -> (UserUpdate, bool, Vec<OauthAccountInput>) {
        let shared = UserUpdate {
            display_name: self.display_name,
            profile_image_url: self.profile_image_url,
            client_metadata: self.client_metadata,
            client_read_only_metadata: self.client_read_only_metadata,
            server_metadata: self.server_metadata,
            primary_email: self.primary_email,
            primary_email_verified: self.primary_email_verified,
            primary_email_auth_enabled: self.primary_email_auth_enabled,
            password: self.password,
            password_hash: self.password_hash,
            otp_auth_enabled: self.otp_auth_enabled,
            passkey_auth_enabled: self.passkey_auth_enabled,
            totp_secret_base64: self.totp_secret_base64,
            restricted_by_admin: self.restricted_by_admin,
            restricted_by_admin_reason: self.restricted_by_admin_reason,
            restricted_by_admin_private_details: self.restricted_by_admin_private_details,
            country_code: self.country_code,
            risk_scores: self.risk_scores,
            selected_team_id: None,
            is_anonymous: None,
        };
        (shared, self.is_anonymous.unwrap_or(false), self.oauth_providers.unwrap_or_default())
    }
}

impl From<ClientUserUpdate> for UserUpdate {
    fn from(update: ClientUserUpdate) -> Self {
        Self {
            display_name: update.display_name,
            profile_image_url: update.profile_image_url,
            client_metadata: update.client_metadata,
            selected_team_id: update.selected_team_id,
            totp_secret_base64: update.totp_secret_base64,
            otp_auth_enabled: update.otp_auth_enabled,
            passkey_auth_enabled: update.passkey_auth_enabled,
            primary_email: update.primary_email,
            ..Self::default()
        }
    }
}

input! {
    /// An account with an OAuth provider.
    pub struct OauthAccountInput {
        /// The provider's id in the project's configuration.
        pub id: String,
        /// The provider's id of the account.
        pub account_id: String,
        /// The email address that the provider told.
        pub email: Option<Nullable<PlainEmail>>,
    }
}

input! {
    /// Suspicions about a user.
    pub struct RiskScoresInput {
        /// Those noted at sign-up.
        pub sign_up: SignUpRiskScoresInput,
    }
}

input! {
    /// Suspicions noted at sign-up.
    pub struct SignUpRiskScoresInput {
        /// That the user is a machine.
        pub bot: Integer<0, 100>,
        /// That the user has signed up before to get something free again.
        pub free_trial_abuse: Integer<0, 100>,
    }
}

input! {
    /// A setting that is not made yet.
    pub struct AffectedUsersRequest {
        /// What new users have to do.
        pub onboarding: OnboardingPreview,
    }
}

input! {
    /// What new users would have to do.
    #[derive(Default)]
    pub struct OnboardingPreview {
        /// Whether users stay restricted until their primary email is verified.
        pub require_email_verification: Option<bool>,
    }
}

input! {
    /// How many affected users are shown.
    #[derive(Default)]
    pub struct AffectedUsersQuery {
        /// 10 if absent.
        pub limit: Option<Integer<1, 1000>>,
    }
}

words! {
    /// By what users are sorted.
    pub enum UserOrder {
        /// By the time of their sign-up, then by id.
        SignedUpAt = "signed_up_at",
    }
}

input! {
    /// Which users are listed. Accepted, without effect, wherever users are addressed.
    #[derive(Default)]
    pub struct UsersQuery {
        /// How many users a page holds; absent means all.
        pub limit: Option<Integer<1, { i64::MAX }>>,
        /// The first user of the page.
        pub cursor: Option<UserId>,
        /// By what users are sorted.
        pub order_by: Option<UserOrder>,
        /// Whether the order is descending.
        pub desc: Option<QueryBool>,
        /// Part of a display name or of an email address, or a user id.
        pub query: Option<String>,
        /// Members of this team only.
        pub team_id: Option<TeamId>,
        /// Also anonymous and restricted users.
        pub include_anonymous: Option<QueryBool>,
        /// Also restricted users.
        pub include_restricted: Option<QueryBool>,
        /// Anonymous users only; needs `include_anonymous`.
        pub only_anonymous: Option<QueryBool>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Input, Location, Violations};
    use serde_json::json;

    #[test]
    fn a_client_cannot_write_what_only_servers_may() {
        let body = json!({ "display_name": "Ada", "server_metadata": {}, "is_anonymous": false });
        let mut out = Violations::default();
        ClientUserUpdate::read(Some(&body), &Location::Root("body"), &mut out);
        let lines =
            "- body.is_anonymous is not a known property\n- body.server_metadata is not a known property";
        assert_eq!(out.to_string(), lines);
        let mut out = Violations::default();
        let update = UserUpdate::read(Some(&body), &Location::Root("body"), &mut out).unwrap();
        assert!(out.is_empty() && update.is_anonymous.is_some());
    }

    #[test]
    fn an_anonymous_user_can_only_be_upgraded() {
        let mut out = Violations::default();
        UserUpdate::read(Some(&json!({ "is_anonymous": true })), &Location::Root("body"), &mut out);
        assert!(!out.is_empty());
    }
}
