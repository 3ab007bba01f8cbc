//! Sign-up rules (contract 07 §5.3): who may sign up by themselves, and who only as a restricted user. Asked for every
//! real sign-up and for the upgrade of an anonymous user; not for anonymous users, and not when servers create users.

mod dashboard;
mod expression;

use std::net::IpAddr;

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::{ProjectId, UserId};
use latchkey_api_types::sign_up_rules::SignUpRuleOutcome;
use latchkey_config::ProjectSettings;
use latchkey_config::settings::{SignUpActionKind, SignUpDefault, SignUpRule};
use latchkey_storage::engine::Stmt;
use latchkey_storage::users::{self, UserRow};

use crate::app::App;
use crate::failure::Failure;
use crate::projects::Project;
use expression::Value;

pub use dashboard::{stats, test};

/// What rules know of somebody who signs up.
pub(crate) struct Applicant<'a> {
    /// Their address in lower case; empty without one.
    pub(crate) email: &'a str,
    /// Where they are, two letters; empty if unknown.
    pub(crate) country_code: &'a str,
    /// `password`, `otp`, `oauth` or `passkey`.
    pub(crate) auth_method: &'a str,
    /// The type of the OAuth provider; empty for other methods.
    pub(crate) oauth_provider: &'a str,
    /// Suspicion that they are a machine, 0 to 100.
    pub(crate) risk_bot: i64,
    /// Suspicion that they have signed up before, 0 to 100.
    pub(crate) risk_free_trial_abuse: i64,
}

impl Applicant<'_> {
    fn variable(&self, name: &str) -> Option<Value> {
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        match name {
            "email" => text(self.email),
            "emailDomain" => text(self.email.rsplit_once('@').map_or("", |(_, domain)| domain)),
            "countryCode" => text(self.country_code),
            "authMethod" => text(self.auth_method),
            "oauthProvider" => text(self.oauth_provider),
            "riskScores.bot" => Some(Value::Number(as_number(self.risk_bot))),
            "riskScores.free_trial_abuse" => Some(Value::Number(as_number(self.risk_free_trial_abuse))),
            _ => None,
        }
    }
}

/// Scores are far below where this loses anything.
fn as_number(score: i64) -> f64 {
    f64::from(i32::try_from(score).unwrap_or(i32::MAX))
}

/// What the rules make of somebody whom they let in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Admission {
    /// The rule that restricts them.
    restricted_by: Option<String>,
}

impl Admission {
    /// Restricts a new user, if a rule does.
    pub(crate) fn apply(&self, user: &mut UserRow) {
        if let Some(details) = self.details() {
            user.restricted_by_admin = true;
            user.restricted_by_admin_private_details = Some(details);
        }
    }

    /// The statement that restricts a user who is there already, if a rule does.
    pub(crate) fn restrict(&self, project: &ProjectId, user: UserId) -> Option<Stmt> {
        Some(users::restrict(project, user, &self.details()?))
    }

    fn details(&self) -> Option<String> {
        self.restricted_by.as_ref().map(|rule| format!("Restricted by the sign-up rule {rule}."))
    }
}

/// A rule with its id.
type Entry<'s> = (&'s str, &'s SignUpRule);

/// What the rules say of somebody.
struct Judgement<'s> {
    /// Rules that did something, in the order in which they were asked.
    applied: Vec<Entry<'s>>,
    /// The rule that ended the asking; otherwise it was the default action.
    decided_by: Option<&'s str>,
    /// Whether they are let in.
    is_allowed: bool,
}

impl<'s> Judgement<'s> {
    /// The first rule that restricts.
    fn restricted_by(&self) -> Option<Entry<'s>> {
        self.applied.iter().copied().find(|(_, rule)| rule.action.kind == SignUpActionKind::Restrict)
    }

    fn admission(&self) -> Result<Admission, Failure> {
        if !self.is_allowed {
            return Err(rejected());
        }
        let name = |(id, rule): Entry<'_>| {
            rule.display_name.as_deref().map_or_else(|| id.to_owned(), |name| format!("{id} ({name})"))
        };
        Ok(Admission { restricted_by: self.restricted_by().map(name) })
    }
}

/// Every rule in the order of asking: by falling priority, then by id.
fn in_order(settings: &ProjectSettings) -> Vec<Entry<'_>> {
    let rules = &settings.auth.sign_up_rules;
    let mut rules: Vec<Entry<'_>> = rules.iter().map(|(id, rule)| (id.as_str(), rule)).collect();
    rules.sort_by(|(one_id, one), (other_id, other)| {
        other.priority.cmp(&one.priority).then_with(|| one_id.cmp(other_id))
    });
    rules
}

/// What a rule makes of somebody, whatever other rules do.
fn outcome(rule: &SignUpRule, applicant: &Applicant<'_>) -> SignUpRuleOutcome {
    let Some(condition) = rule.condition.as_ref().filter(|_| rule.enabled) else {
        return SignUpRuleOutcome::Skipped;
    };
    match expression::holds(condition, &|name| applicant.variable(name)) {
        Some(true) => SignUpRuleOutcome::Matched,
        Some(false) => SignUpRuleOutcome::NotMatched,
        None => SignUpRuleOutcome::Undecided,
    }
}

fn judge<'s>(settings: &'s ProjectSettings, applicant: &Applicant<'_>) -> Judgement<'s> {
    let mut applied: Vec<Entry<'s>> = Vec::new();
    let mut is_restricted = false;
    for (id, rule) in in_order(settings) {
        // A condition that cannot be decided does not apply.
        if outcome(rule, applicant) != SignUpRuleOutcome::Matched {
            continue;
        }
        let kind = rule.action.kind;
        if kind != SignUpActionKind::Restrict || !is_restricted {
            applied.push((id, rule));
        }
        is_restricted |= kind == SignUpActionKind::Restrict;
        if matches!(kind, SignUpActionKind::Allow | SignUpActionKind::Reject) {
            let is_allowed = kind == SignUpActionKind::Allow;
            return Judgement { applied, decided_by: Some(id), is_allowed };
        }
    }
    let is_allowed = settings.auth.sign_up_rules_default_action == SignUpDefault::Allow;
    Judgement { applied, decided_by: None, is_allowed }
}

/// Asks the rules, and keeps a note of those that did something.
///
/// # Errors
/// `SIGN_UP_REJECTED`, which does not tell why.
pub(crate) fn ask(
    app: &App,
    project: &Project,
    applicant: &Applicant<'_>,
    address: Option<IpAddr>,
) -> Result<Admission, Failure> {
    let judgement = judge(&project.settings, applicant);
    dashboard::note(app, &project.id, &judgement, address);
    judgement.admission()
}

fn rejected() -> Failure {
    KnownError::sign_up_rejected(
        "This sign-up was not accepted. Please contact whoever runs this application.",
    )
    .into()
}

#[cfg(test)]
mod tests {
    use latchkey_config::settings::SignUpAction;

    use super::*;

    fn rule(priority: i64, condition: &str, kind: SignUpActionKind) -> SignUpRule {
        SignUpRule {
            enabled: true,
            display_name: None,
            priority,
            condition: Some(condition.to_owned()),
            action: SignUpAction { kind, message: None },
        }
    }

    fn asked(rules: &[(&str, SignUpRule)], default: SignUpDefault) -> Option<Option<String>> {
        let mut settings = ProjectSettings::default();
        settings.auth.sign_up_rules =
            rules.iter().map(|(id, rule)| ((*id).to_owned(), rule.clone())).collect();
        settings.auth.sign_up_rules_default_action = default;
        let applicant = Applicant {
            email: "ada@example.com",
            country_code: "",
            auth_method: "password",
            oauth_provider: "",
            risk_bot: 40,
            risk_free_trial_abuse: 0,
        };
        judge(&settings, &applicant).admission().ok().map(|admission| admission.restricted_by)
    }

    #[test]
    fn the_first_rule_by_priority_then_id_decides() {
        use SignUpActionKind::{Allow, Reject};
        let rules = [("a", rule(1, "true", Reject)), ("b", rule(2, "emailDomain == \"example.com\"", Allow))];
        assert_eq!(asked(&rules, SignUpDefault::Reject), Some(None));
        let rules = [("b", rule(1, "true", Allow)), ("a", rule(1, "true", Reject))];
        assert_eq!(asked(&rules, SignUpDefault::Allow), None);
    }

    #[test]
    fn disabled_unconditional_and_broken_rules_are_skipped() {
        use SignUpActionKind::Reject;
        let mut off = rule(9, "true", Reject);
        off.enabled = false;
        let mut unconditional = rule(8, "", Reject);
        unconditional.condition = None;
        let rules = [
            ("off", off),
            ("unconditional", unconditional),
            ("unknown", rule(7, "nothing == 1", Reject)),
            ("text", rule(6, "email", Reject)),
            ("syntax", rule(5, "email ==", Reject)),
            ("types", rule(4, "email > 3", Reject)),
            ("expression", rule(3, "email.matches('(')", Reject)),
        ];
        assert_eq!(asked(&rules, SignUpDefault::Allow), Some(None));
        assert_eq!(asked(&rules, SignUpDefault::Reject), None, "nothing decisive");
    }

    #[test]
    fn the_first_restricting_rule_counts_and_the_asking_goes_on() {
        use SignUpActionKind::{Log, Reject, Restrict};
        let mut rules = vec![
            ("a", rule(3, "riskScores.bot >= 40", Restrict)),
            ("b", rule(2, "true", Restrict)),
            ("c", rule(1, "true", Log)),
        ];
        assert_eq!(asked(&rules, SignUpDefault::Allow), Some(Some("a".to_owned())));
        rules.push(("d", rule(0, "authMethod == 'password'", Reject)));
        assert_eq!(asked(&rules, SignUpDefault::Allow), None);
    }
}
