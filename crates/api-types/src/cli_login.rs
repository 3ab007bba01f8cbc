//! What the sign-in of a command-line program exchanges.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::{Integer, SecretText};
use crate::{input, words};

input! {
    /// The beginning of a sign-in.
    pub struct CliLoginStart {
        /// How long the attempt lives; two hours unless said otherwise.
        pub expires_in_millis: Option<Integer<0, 86_400_000>>,
        /// The refresh token of the program's anonymous session, if it has one.
        pub anon_refresh_token: Option<SecretText>,
    }
}

/// The codes of a sign-in.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct CliLoginStarted {
    /// By which the program asks for the result.
    pub polling_code: String,
    /// By which the browser answers.
    pub login_code: String,
    /// End of the attempt, RFC 3339.
    pub expires_at: String,
}

input! {
    /// The program asks for the result.
    pub struct CliLoginPoll {
        /// As it was given at the beginning.
        pub polling_code: SecretText,
    }
}

/// A sign-in that has no result to give.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct CliLoginPending {
    /// `waiting`, `expired` or `used`.
    pub status: String,
}

/// The result, given once.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct CliLoginSuccess {
    /// Always `success`.
    pub status: String,
    /// Signs the program in.
    pub refresh_token: String,
}

words! {
    /// What a browser does with a login code.
    pub enum CliLoginMode {
        /// Asks whether the program has an anonymous session.
        Check = "check",
        /// Takes that session over.
        ClaimAnonSession = "claim-anon-session",
        /// Signs the program in.
        Complete = "complete",
    }
}

input! {
    /// The browser answers.
    pub struct CliLoginComplete {
        /// As the program shows it.
        pub login_code: SecretText,
        /// What to do; `complete` unless said otherwise.
        pub mode: Option<CliLoginMode>,
        /// For `complete`: the refresh token that the program gets.
        pub refresh_token: Option<SecretText>,
    }
}

/// The answer to `check`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct CliLoginCheck {
    /// Whether there is an anonymous session to claim: `anonymous` or `none`.
    pub cli_session_state: String,
}
