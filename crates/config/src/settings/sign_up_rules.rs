//! `auth.signUpRules`: who may sign up by themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rule about new users. Rules are asked in the order of falling priority.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct SignUpRule {
    /// Whether it is asked at all.
    pub enabled: bool,
    /// Its name, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Rules with a higher one are asked earlier.
    pub priority: i64,
    /// When it applies: an expression over the new user's email and method of sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// What happens when it applies.
    pub action: SignUpAction,
}

/// What happens when a rule applies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct SignUpAction {
    /// What is done.
    #[serde(rename = "type")]
    pub kind: SignUpActionKind,
    /// Why, for administrators; the user does not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignUpActionKind {
    /// The sign-up goes on, and no further rule is asked.
    #[default]
    Allow,
    /// The sign-up is refused.
    Reject,
    /// The user is created as a restricted one.
    Restrict,
    /// Nothing but a note.
    Log,
}

/// What happens when no rule decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignUpDefault {
    /// The sign-up goes on.
    #[default]
    Allow,
    /// The sign-up is refused.
    Reject,
}
