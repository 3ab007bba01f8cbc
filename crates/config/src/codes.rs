//! `[codes]`: how long the codes live that go out by mail, and how many requests they bear.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{errors::Findings, value::Duration};

/// How long codes live that go out by mail, and how many requests they bear. A change counts for codes that are made
/// after it; the number of requests counts at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CodesConfig {
    /// Codes and links that sign in.
    pub sign_in_lifetime: Duration,
    /// Links by which a forgotten password is replaced.
    pub password_reset_lifetime: Duration,
    /// Links by which an address is verified.
    pub email_verification_lifetime: Duration,
    /// Links by which an invitation to a team is accepted.
    pub team_invitation_lifetime: Duration,
    /// How many requests may try a code, counting those that are wrong only in the six characters that people type, and
    /// those that ask without using it. From then on the code is refused, even if it is right.
    pub attempts: u32,
}

impl Default for CodesConfig {
    fn default() -> Self {
        Self {
            sign_in_lifetime: Duration::from_days(7),
            password_reset_lifetime: Duration::from_days(7),
            email_verification_lifetime: Duration::from_days(7),
            team_invitation_lifetime: Duration::from_days(7),
            attempts: 20,
        }
    }
}

impl CodesConfig {
    pub(crate) fn validate(&self, found: &mut Findings) {
        let lifetimes = [
            ("codes.sign_in_lifetime", self.sign_in_lifetime),
            ("codes.password_reset_lifetime", self.password_reset_lifetime),
            ("codes.email_verification_lifetime", self.email_verification_lifetime),
            ("codes.team_invitation_lifetime", self.team_invitation_lifetime),
        ];
        for (key, lifetime) in lifetimes {
            if !(Duration::from_mins(1)..=Duration::from_days(90)).contains(&lifetime) {
                found.error(key, "must be between 1m and 90d");
            }
        }
        // A page asks once whether the code is good, and once uses it; and people mistype.
        if !(3..=100).contains(&self.attempts) {
            found.error("codes.attempts", "must be between 3 and 100");
        }
    }
}
