//! The record of what happened. An event is a statement, so that it is written in the transaction of the deed.

use std::net::IpAddr;

use latchkey_api_types::AccessType;
use latchkey_api_types::ids::{AuditEventId, ProjectId, SessionId, TeamId, UserId};
use latchkey_storage::audit_events::{self, AuditEventRow};
use latchkey_storage::engine::Stmt;
use serde_json::{Value, json};

use crate::app::App;
use crate::authenticate::Auth;

/// Kinds of events, as words with dots.
pub(crate) mod kind {
    pub(crate) const SIGNED_UP: &str = "user.signed_up";
    pub(crate) const SIGNED_UP_ANONYMOUSLY: &str = "user.signed_up_anonymously";
    pub(crate) const SIGN_UP_RULES_APPLIED: &str = latchkey_storage::audit_events::SIGN_UP_RULES_APPLIED;
    pub(crate) const SIGNED_IN: &str = "user.signed_in";
    pub(crate) const UPGRADED: &str = "user.upgraded";
    pub(crate) const CREATED: &str = "user.created";
    pub(crate) const UPDATED: &str = "user.updated";
    pub(crate) const DELETED: &str = "user.deleted";
    pub(crate) const PASSWORD_CHANGED: &str = "password.changed";
    pub(crate) const PASSWORD_SET: &str = "password.set";
    pub(crate) const PASSWORD_RESET: &str = "password.reset";
    pub(crate) const PASSWORD_REFUSED: &str = "password.refused";
    pub(crate) const SECOND_FACTOR_ACCEPTED: &str = "second_factor.accepted";
    pub(crate) const SECOND_FACTOR_REFUSED: &str = "second_factor.refused";
    pub(crate) const TOTP_SETUP_BEGUN: &str = "totp.setup_begun";
    pub(crate) const TOTP_ENABLED: &str = "totp.enabled";
    pub(crate) const TOTP_DISABLED: &str = "totp.disabled";
    pub(crate) const BACKUP_CODES_RENEWED: &str = "backup_codes.renewed";
    pub(crate) const REAUTHENTICATED: &str = "session.reauthenticated";
    pub(crate) const SESSION_CREATED: &str = "session.created";
    pub(crate) const SESSION_ENDED: &str = "session.ended";
    pub(crate) const SESSION_GIVEN_TO_PROGRAM: &str = "session.given_to_program";
    pub(crate) const PROJECT_CREATED: &str = "project.created";
    pub(crate) const PROJECT_CHANGED: &str = "project.changed";
    pub(crate) const PROJECT_DELETED: &str = "project.deleted";
    pub(crate) const KEYS_CREATED: &str = "key_set.created";
    pub(crate) const KEYS_CHANGED: &str = "key_set.changed";
    pub(crate) const REUSE_DETECTED: &str = "session.reuse_detected";
    pub(crate) const TEAM_CREATED: &str = "team.created";
    pub(crate) const TEAM_UPDATED: &str = "team.updated";
    pub(crate) const TEAM_DELETED: &str = "team.deleted";
    pub(crate) const MEMBER_ADDED: &str = "team.member_added";
    pub(crate) const MEMBER_REMOVED: &str = "team.member_removed";
    pub(crate) const PERMISSION_GRANTED: &str = "permission.granted";
    pub(crate) const PERMISSION_REVOKED: &str = "permission.revoked";
    pub(crate) const PERMISSION_DEFINED: &str = "permission.definition_changed";
    pub(crate) const CONTACT_CHANNEL_ADDED: &str = "contact_channel.added";
    pub(crate) const CONTACT_CHANNEL_CHANGED: &str = "contact_channel.changed";
    pub(crate) const CONTACT_CHANNEL_REMOVED: &str = "contact_channel.removed";
    pub(crate) const EMAIL_VERIFIED: &str = "email.verified";
    pub(crate) const OAUTH_ACCOUNT_ADDED: &str = "oauth_account.added";
    pub(crate) const OAUTH_ACCOUNT_CHANGED: &str = "oauth_account.changed";
    pub(crate) const OAUTH_ACCOUNT_REMOVED: &str = "oauth_account.removed";
    pub(crate) const PASSKEY_REGISTERED: &str = "passkey.registered";
    pub(crate) const PASSKEY_CHANGED: &str = "passkey.changed";
    pub(crate) const PASSKEY_REMOVED: &str = "passkey.removed";
    pub(crate) const PASSKEY_REFUSED: &str = "passkey.refused";
    pub(crate) const API_KEY_CREATED: &str = "api_key.created";
    pub(crate) const API_KEY_UPDATED: &str = "api_key.updated";
    pub(crate) const API_KEY_REVOKED: &str = "api_key.revoked";
    pub(crate) const API_KEY_LEAKED: &str = "api_key.leaked";
    pub(crate) const WEBHOOK_ENDPOINT_CREATED: &str = "webhook_endpoint.created";
    pub(crate) const WEBHOOK_ENDPOINT_UPDATED: &str = "webhook_endpoint.updated";
    pub(crate) const WEBHOOK_ENDPOINT_DELETED: &str = "webhook_endpoint.deleted";
    pub(crate) const WEBHOOK_ENDPOINT_DISABLED: &str = "webhook_endpoint.disabled";
    pub(crate) const WEBHOOK_SECRET_ROTATED: &str = "webhook_endpoint.secret_rotated";
}

/// Who did it.
#[derive(Clone, Copy)]
pub(crate) enum Actor {
    User,
    Server,
    Admin,
    System,
}

impl From<AccessType> for Actor {
    fn from(access: AccessType) -> Self {
        match access {
            AccessType::Client => Self::User,
            AccessType::Server => Self::Server,
            AccessType::Admin => Self::Admin,
        }
    }
}

/// What is known of an event besides its kind.
pub(crate) struct Event {
    pub(crate) actor: Actor,
    pub(crate) user: Option<UserId>,
    pub(crate) session: Option<SessionId>,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) details: Value,
}

impl Event {
    /// An event that a request caused.
    pub(crate) fn by(auth: &Auth) -> Self {
        Self {
            user: auth.user_id(),
            session: auth.user.as_ref().map(|user| user.session),
            ..Self::of(auth.access)
        }
    }

    /// An event of which no more is known than who caused it.
    pub(crate) fn of(actor: impl Into<Actor>) -> Self {
        Self { actor: actor.into(), user: None, session: None, ip: None, details: Value::Null }
    }

    /// An event about a user.
    pub(crate) fn of_user(actor: impl Into<Actor>, user: UserId) -> Self {
        Self { user: Some(user), ..Self::of(actor) }
    }

    /// The same event with what else is known of it.
    pub(crate) fn with(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// The same event about a session of theirs.
    pub(crate) fn in_session(mut self, session: SessionId) -> Self {
        self.session = Some(session);
        self
    }

    /// The same event, caused from this address.
    pub(crate) fn at_address(mut self, ip: Option<IpAddr>) -> Self {
        self.ip = ip;
        self
    }
}

/// The statement that records an event.
pub(crate) fn record(app: &App, project: &ProjectId, kind: &str, event: &Event) -> Stmt {
    let details = if event.details.is_null() { "{}".to_owned() } else { event.details.to_string() };
    audit_events::insert(&AuditEventRow {
        project_id: project.clone(),
        id: AuditEventId::from_uuid(app.random.uuid()),
        occurred_at: app.now(),
        kind: kind.to_owned(),
        actor: match event.actor {
            Actor::User => "user",
            Actor::Server => "server",
            Actor::Admin => "admin",
            Actor::System => "system",
        }
        .to_owned(),
        user_id: event.user,
        session_id: event.session,
        ip: event.ip.map(|ip| ip.to_string()),
        details,
    })
}

/// The statement that records what happened to a team, or to a user in it.
pub(crate) fn of_team(app: &App, auth: &Auth, kind: &str, team: TeamId, user: Option<UserId>) -> Stmt {
    let details = json!({ "team_id": team, "by": auth.user_id() });
    let event = Event { user: user.or_else(|| auth.user_id()), ..Event::by(auth).with(details) };
    record(app, &auth.project.id, kind, &event)
}

/// The statement that records that a permission was given or taken, in a team or in the project.
pub(crate) fn of_permission(
    app: &App,
    auth: &Auth,
    kind: &str,
    user: UserId,
    team: Option<TeamId>,
    permission: &str,
) -> Stmt {
    let details = json!({ "team_id": team, "permission_id": permission, "by": auth.user_id() });
    let event = Event { user: Some(user), ..Event::by(auth).with(details) };
    record(app, &auth.project.id, kind, &event)
}

/// The statement that records that the definition of a permission changed.
pub(crate) fn of_definition(app: &App, auth: &Auth, permission: &str) -> Stmt {
    let event = Event::by(auth).with(json!({ "permission_id": permission }));
    record(app, &auth.project.id, kind::PERMISSION_DEFINED, &event)
}
