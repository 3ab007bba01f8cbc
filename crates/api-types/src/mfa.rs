//! Second factors: signing in with one, setting it up, and proving again who one is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::{MailedCode, PasswordText, SecretText};
use crate::{input, words};

words! {
    /// What is presented as a second factor.
    pub enum SecondFactorType {
        /// The code that an authenticator app shows.
        Totp = "totp",
        /// One of the codes for the day when the phone is lost.
        BackupCode = "backup_code",
    }
}

input! {
    /// The second factor of a sign-in that waits for it.
    pub struct MfaSignIn {
        /// What is presented.
        pub kind as "type": SecondFactorType,
        /// Six digits; required for the type `totp`.
        pub totp: Option<SecretText>,
        /// Required for the type `backup_code`.
        pub backup_code: Option<SecretText>,
        /// The attempt code of the first factor's answer.
        pub code: MailedCode,
    }
}

input! {
    /// The first code of a new app.
    pub struct TotpConfirm {
        /// Six digits.
        pub totp: SecretText,
    }
}

input! {
    /// The second factor that is to be switched off.
    pub struct TotpDisable {
        /// What is presented.
        pub kind as "type": SecondFactorType,
        /// Six digits; required for the type `totp`.
        pub totp: Option<SecretText>,
        /// Required for the type `backup_code`.
        pub backup_code: Option<SecretText>,
    }
}

words! {
    /// What is presented to prove again who one is.
    pub enum ReauthenticationType {
        /// The password; not enough for those who have a second factor.
        Password = "password",
        /// The code that an authenticator app shows.
        Totp = "totp",
        /// One of the codes for the day when the phone is lost.
        BackupCode = "backup_code",
    }
}

input! {
    /// A proof of who one is, again.
    pub struct Reauthentication {
        /// What is presented.
        pub kind as "type": ReauthenticationType,
        /// Required for the type `password`.
        pub password: Option<PasswordText>,
        /// Six digits; required for the type `totp`.
        pub totp: Option<SecretText>,
        /// Required for the type `backup_code`.
        pub backup_code: Option<SecretText>,
    }
}

/// The state of a user's second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MfaStatus {
    /// Whether signing in asks for a code of an app.
    pub totp_enabled: bool,
    /// Whether a set-up waits for its first code.
    pub totp_setup_pending: bool,
    /// How many backup codes were not used yet.
    pub backup_codes_remaining: i64,
}

/// What an authenticator app needs. Nothing of it is shown again.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct TotpSetup {
    /// The secret in base 32, for those who cannot scan.
    pub secret: String,
    /// What the QR code says.
    pub otpauth_uri: String,
    /// The QR code as a picture: a `data:` URL of a PNG.
    pub qr_code_png: String,
    /// The QR code as an SVG document.
    pub qr_code_svg: String,
    /// Until when the first code must have come, epoch milliseconds.
    pub expires_at_millis: i64,
}

/// New backup codes. Nobody sees them again.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct BackupCodes {
    /// Each works once, in place of a code of the app.
    pub backup_codes: Vec<String>,
}

/// The outcome of a renewed proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reauthenticated {
    /// When it was given, epoch milliseconds.
    pub authenticated_at_millis: i64,
    /// Until when it counts as recent, epoch milliseconds.
    pub recent_until_millis: i64,
}
