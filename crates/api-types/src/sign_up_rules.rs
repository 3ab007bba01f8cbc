//! Sign-up rules on the wire: trying them out, and how often they applied. Both shapes are Latchkey's own; the API that
//! it follows names the endpoints and no more (contract 07 §8).

use schemars::JsonSchema;
use serde::Serialize;

use crate::input::{CountryCode, Integer, Nullable, PlainEmail};
use crate::user::SignUpRiskScoresInput;
use crate::{input, words};

words! {
    /// How somebody signs up.
    pub enum SignUpMethod {
        /// By a password.
        Password = "password",
        /// By a code or link in a mail.
        Otp = "otp",
        /// Through an OAuth provider.
        Oauth = "oauth",
        /// By a passkey.
        Passkey = "passkey",
    }
}

words! {
    /// What a rule does.
    pub enum SignUpRuleAction {
        /// The sign-up goes on, and no further rule is asked.
        Allow = "allow",
        /// The sign-up is refused.
        Reject = "reject",
        /// The user is created as a restricted one.
        Restrict = "restrict",
        /// Nothing but a note.
        Log = "log",
    }
}

words! {
    /// What became of a rule.
    pub enum SignUpRuleOutcome {
        /// Its condition holds.
        Matched = "matched",
        /// Its condition does not hold.
        NotMatched = "not_matched",
        /// Its condition cannot be evaluated, so that it does not apply.
        Undecided = "undecided",
        /// It is disabled, or has no condition.
        Skipped = "skipped",
    }
}

input! {
    /// Somebody who might sign up.
    pub struct SignUpRulesTest {
        /// Their address.
        pub email: Option<Nullable<PlainEmail>>,
        /// How they sign up.
        pub auth_method: SignUpMethod,
        /// The type of the OAuth provider.
        pub oauth_provider: Option<Nullable<String>>,
        /// Where they are.
        pub country_code: Option<Nullable<CountryCode>>,
        /// Suspicions about them; zeros if absent.
        pub risk_scores: Option<SignUpRiskScoresInput>,
    }
}

/// What the rules make of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SignUpRulesTested {
    /// Every rule, in the order in which they are asked. Those behind the one that decides are tried as well.
    pub rules: Vec<SignUpRuleTested>,
    /// What happens.
    pub decision: SignUpDecision,
}

/// What a rule makes of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SignUpRuleTested {
    /// Identifier in the configuration.
    pub id: String,
    /// Its name, for people.
    pub display_name: Option<String>,
    /// What it does where it applies.
    pub action: SignUpRuleAction,
    /// Whether it does.
    pub outcome: SignUpRuleOutcome,
}

/// What happens to somebody who signs up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SignUpDecision {
    /// Whether they are let in.
    pub is_allowed: bool,
    /// The rule that decided; null if it was the default action.
    pub decided_by: Option<String>,
    /// The rule that restricts them.
    pub restricted_by: Option<String>,
}

input! {
    /// Of which time.
    #[derive(Default)]
    pub struct SignUpRulesStatsQuery {
        /// Days until now; 7 if absent.
        pub days: Option<Integer<1, 90>>,
    }
}

/// How often rules applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SignUpRulesStats {
    /// Since when is counted, epoch milliseconds.
    pub since_millis: i64,
    /// The configured rules in the order in which they are asked, then those that applied and are gone.
    pub rules: Vec<SignUpRuleStats>,
    /// Sign-ups that no rule decided and the default action refused.
    pub rejected_by_default: i64,
}

/// How often a rule applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SignUpRuleStats {
    /// Identifier in the configuration.
    pub id: String,
    /// Its name, for people.
    pub display_name: Option<String>,
    /// Whether the configuration still has it.
    pub is_configured: bool,
    /// How often, by what it did.
    pub counts: SignUpRuleCounts,
}

/// How often a rule did what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SignUpRuleCounts {
    /// Sign-ups that it let in.
    pub allow: i64,
    /// Sign-ups that it refused.
    pub reject: i64,
    /// Sign-ups that it restricted, being the first to.
    pub restrict: i64,
    /// Sign-ups of which it made a note.
    pub log: i64,
}
