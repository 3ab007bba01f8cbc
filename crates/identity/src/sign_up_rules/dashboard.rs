//! For dashboards: trying the rules out on somebody, and how often they applied. Each sign-up about which a rule did
//! something is an audit event, written about once a second, so that the last second of them may be lost in a crash.

use std::collections::BTreeMap;
use std::net::IpAddr;

use latchkey_api_types::ids::ProjectId;
use latchkey_api_types::input::CountryCode;
use latchkey_api_types::sign_up_rules::{
    SignUpDecision, SignUpRuleAction, SignUpRuleCounts, SignUpRuleStats, SignUpRuleTested, SignUpRulesStats,
    SignUpRulesTest, SignUpRulesTested,
};
use latchkey_config::ProjectSettings;
use latchkey_config::settings::SignUpActionKind;
use latchkey_storage::audit_events;
use serde::{Deserialize, Serialize};

use super::{Applicant, Judgement, in_order, judge, outcome};
use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::contact_channels::normalise_email;
use crate::failure::Failure;
use crate::projects::Project;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// The details of an event. The same rules give the same text, by which they are counted.
#[derive(Serialize, Deserialize)]
struct Note {
    /// What each rule that applied did.
    applied: BTreeMap<String, SignUpActionKind>,
    /// Whether the default action refused the sign-up.
    rejected_by_default: bool,
}

/// Keeps a note of rules that did something, in memory until the next flush.
pub(super) fn note(app: &App, project: &ProjectId, judgement: &Judgement<'_>, address: Option<IpAddr>) {
    let note = Note {
        applied: judgement.applied.iter().map(|(id, rule)| ((*id).to_owned(), rule.action.kind)).collect(),
        rejected_by_default: judgement.decided_by.is_none() && !judgement.is_allowed,
    };
    if note.applied.is_empty() && !note.rejected_by_default {
        return;
    }
    let details = serde_json::to_value(note).unwrap_or_default();
    let event = Event::of(Actor::User).with(details).at_address(address);
    app.activity.note_event(audit::record(app, project, audit::kind::SIGN_UP_RULES_APPLIED, &event));
}

const fn action(kind: SignUpActionKind) -> SignUpRuleAction {
    match kind {
        SignUpActionKind::Allow => SignUpRuleAction::Allow,
        SignUpActionKind::Reject => SignUpRuleAction::Reject,
        SignUpActionKind::Restrict => SignUpRuleAction::Restrict,
        SignUpActionKind::Log => SignUpRuleAction::Log,
    }
}

/// What the rules would make of somebody. Nothing is kept of it.
pub fn test(settings: &ProjectSettings, request: &SignUpRulesTest) -> SignUpRulesTested {
    let email = request.email.as_ref().and_then(|email| email.0.as_ref());
    let email = email.map(|email| normalise_email(email.as_str())).unwrap_or_default();
    let country = request.country_code.as_ref().and_then(|code| code.0.as_ref());
    let provider = request.oauth_provider.as_ref().and_then(|provider| provider.0.as_deref());
    let scores = request.risk_scores.as_ref();
    let applicant = Applicant {
        email: &email,
        country_code: country.map(CountryCode::as_str).unwrap_or_default(),
        auth_method: request.auth_method.as_str(),
        oauth_provider: provider.unwrap_or_default(),
        risk_bot: scores.map_or(0, |scores| scores.bot.0),
        risk_free_trial_abuse: scores.map_or(0, |scores| scores.free_trial_abuse.0),
    };
    let judgement = judge(settings, &applicant);
    let rules = in_order(settings).into_iter().map(|(id, rule)| SignUpRuleTested {
        id: id.to_owned(),
        display_name: rule.display_name.clone(),
        action: action(rule.action.kind),
        outcome: outcome(rule, &applicant),
    });
    SignUpRulesTested {
        rules: rules.collect(),
        decision: SignUpDecision {
            is_allowed: judgement.is_allowed,
            decided_by: judgement.decided_by.map(str::to_owned),
            // Whoever is refused is not restricted.
            restricted_by: judgement
                .restricted_by()
                .filter(|_| judgement.is_allowed)
                .map(|(id, _)| id.to_owned()),
        },
    }
}

/// How often rules applied in the last days.
///
/// # Errors
/// Those of the database.
pub async fn stats(app: &App, project: &Project, days: i64) -> Result<SignUpRulesStats, Failure> {
    let since = app.now() - days * DAY_MILLIS;
    let of = project.id.clone();
    let read = app
        .store
        .scan(move |tx| Box::pin(async move { audit_events::count_sign_up_rules(tx, &of, since).await }));
    let noted: Vec<(String, i64)> = read.await?;
    let mut counts: BTreeMap<String, SignUpRuleCounts> = BTreeMap::new();
    let mut rejected_by_default = 0;
    for (details, times) in noted {
        let note: Note = serde_json::from_str(&details).map_err(Failure::internal)?;
        rejected_by_default += if note.rejected_by_default { times } else { 0 };
        for (id, kind) in note.applied {
            let counts = counts.entry(id).or_default();
            *match kind {
                SignUpActionKind::Allow => &mut counts.allow,
                SignUpActionKind::Reject => &mut counts.reject,
                SignUpActionKind::Restrict => &mut counts.restrict,
                SignUpActionKind::Log => &mut counts.log,
            } += times;
        }
    }
    let configured = in_order(&project.settings).into_iter().map(|(id, rule)| SignUpRuleStats {
        id: id.to_owned(),
        display_name: rule.display_name.clone(),
        is_configured: true,
        counts: counts.remove(id).unwrap_or_default(),
    });
    let mut rules: Vec<SignUpRuleStats> = configured.collect();
    let gone = counts.into_iter();
    rules.extend(gone.map(|(id, counts)| SignUpRuleStats {
        id,
        display_name: None,
        is_configured: false,
        counts,
    }));
    Ok(SignUpRulesStats { since_millis: since, rules, rejected_by_default })
}
