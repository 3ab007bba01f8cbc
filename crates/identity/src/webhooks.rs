//! Webhooks: the events that a project's endpoints hear of. An event is a list of statements, so that it is queued in
//! the transaction of the deed; it is delivered afterwards, at least once.
//!
//! What is queued is a message and, for every endpoint that listens, a delivery. To each endpoint one server at a time
//! delivers, one message after the other, in the order in which they were queued. A message whose attempt failed waits
//! for its next time, and later ones do not wait for it.

mod attempts;
mod delivery;
mod endpoints;
mod messages;
mod signatures;
mod sortable_ids;
mod svix;
mod tokens;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use latchkey_api_types::ids::{ProjectId, TeamId, UserId, WebhookMessageId};
use latchkey_api_types::team::ServerTeam;
use latchkey_api_types::user::ServerUser;
use latchkey_api_types::webhook::{WebhookEventType, WebhookPayload};
use latchkey_storage::engine::Stmt;
use latchkey_storage::webhook_messages::WebhookMessageRow;
use latchkey_storage::{webhook_deliveries, webhook_messages};
use serde::Serialize;
use serde_json::json;
use tokio::sync::{Mutex, Notify, RwLock, Semaphore};

use crate::app::App;
use crate::failure::Failure;

pub(crate) use delivery::{finish, is_quiet, start_due};
pub use endpoints::{
    Endpoint, EndpointChange, NewEndpoint, create, delete, get, list, rotate_secret, secret, update,
};
pub(crate) use endpoints::{declaration, seal_context};
pub use messages::{Page, attempts_of_endpoint, attempts_of_message, message, messages, resend, send_test};
pub(crate) use svix::{run_due as hand_over_due, work as hand_over};
pub use tokens::{issue_token, project_of_token, token};

/// How many endpoints one server delivers to at a time.
const SLOTS: usize = 64;

/// What delivery needs to remember in this process.
pub(crate) struct Webhooks {
    ids: sortable_ids::Sequence,
    /// Something was queued.
    pub(crate) woken: Notify,
    slots: Arc<Semaphore>,
    /// Read by each delivery in progress, so that whoever may write knows that there is none.
    in_flight: Arc<RwLock<()>>,
    stopping: AtomicBool,
    /// Something was queued for the Svix server.
    handed: Notify,
    /// Lets one at a time hand over.
    handing: Mutex<()>,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            ids: sortable_ids::Sequence::default(),
            woken: Notify::new(),
            slots: Arc::new(Semaphore::new(SLOTS)),
            in_flight: Arc::default(),
            stopping: AtomicBool::new(false),
            handed: Notify::new(),
            handing: Mutex::default(),
        }
    }
}

impl Webhooks {
    /// Ends every endpoint's turn after the delivery in hand.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

/// Something that happened to people, teams or permissions (contract 08 §4.1).
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the fields are the ids of what the variant tells of")]
pub enum Event<'a> {
    /// A user came to be, in any way. The user as it was before a personal team was made.
    UserCreated(&'a ServerUser),
    /// A user changed.
    UserUpdated(&'a ServerUser),
    /// A user is gone; their teams in the order of the teams' creation.
    UserDeleted { user: UserId, teams: &'a [TeamId] },
    /// A team came to be.
    TeamCreated(&'a ServerTeam),
    /// A team changed.
    TeamUpdated(&'a ServerTeam),
    /// A team is gone.
    TeamDeleted { team: TeamId },
    /// A user joined a team.
    MembershipCreated { team: TeamId, user: UserId },
    /// A user left a team.
    MembershipDeleted { team: TeamId, user: UserId },
    /// A user was given a permission in a team.
    TeamPermissionCreated { id: &'a str, team: TeamId, user: UserId },
    /// It was taken away.
    TeamPermissionDeleted { id: &'a str, team: TeamId, user: UserId },
    /// A user was given a permission in the project.
    ProjectPermissionCreated { id: &'a str, user: UserId },
    /// It was taken away.
    ProjectPermissionDeleted { id: &'a str, user: UserId },
}

impl Event<'_> {
    /// Its name, and the body that is sent.
    fn payload(&self) -> (WebhookEventType, serde_json::Result<String>) {
        use WebhookEventType as Type;
        match self {
            Self::UserCreated(user) => body(Type::UserCreated, user),
            Self::UserUpdated(user) => body(Type::UserUpdated, user),
            Self::UserDeleted { user, teams } => {
                let teams: Vec<_> = teams.iter().map(|team| json!({ "id": team })).collect();
                body(Type::UserDeleted, json!({ "id": user, "teams": teams }))
            }
            Self::TeamCreated(team) => body(Type::TeamCreated, team),
            Self::TeamUpdated(team) => body(Type::TeamUpdated, team),
            Self::TeamDeleted { team } => body(Type::TeamDeleted, json!({ "id": team })),
            Self::MembershipCreated { team, user } => {
                body(Type::TeamMembershipCreated, json!({ "team_id": team, "user_id": user }))
            }
            Self::MembershipDeleted { team, user } => {
                body(Type::TeamMembershipDeleted, json!({ "team_id": team, "user_id": user }))
            }
            Self::TeamPermissionCreated { id, team, user } => {
                body(Type::TeamPermissionCreated, json!({ "id": id, "team_id": team, "user_id": user }))
            }
            Self::TeamPermissionDeleted { id, team, user } => {
                body(Type::TeamPermissionDeleted, json!({ "id": id, "team_id": team, "user_id": user }))
            }
            Self::ProjectPermissionCreated { id, user } => {
                body(Type::ProjectPermissionCreated, json!({ "id": id, "user_id": user }))
            }
            Self::ProjectPermissionDeleted { id, user } => {
                body(Type::ProjectPermissionDeleted, json!({ "id": id, "user_id": user }))
            }
        }
    }
}

/// The body of a delivery, as it is sent and signed.
fn body(kind: WebhookEventType, data: impl Serialize) -> (WebhookEventType, serde_json::Result<String>) {
    (kind, serde_json::to_string(&WebhookPayload { kind: kind.as_str(), data }))
}

/// Refuses what concerns endpoints and messages of this server where messages are handed to a Svix server.
fn require_own(app: &App) -> Result<(), Failure> {
    match app.config.webhooks.svix() {
        None => Ok(()),
        Some(_) => Err(Failure::text(
            404,
            "Webhooks of this deployment are with a Svix server: manage them there, with the token of \
             POST /webhooks/svix-token.",
        )),
    }
}

/// The statements that queue an event for every endpoint of the project that listens, or for the Svix server that the
/// configuration names; to be run with the deed. A project without endpoints writes nothing.
pub fn queue(app: &App, project: &ProjectId, event: &Event<'_>) -> Vec<Stmt> {
    let (kind, payload) = event.payload();
    let payload = match payload {
        Ok(payload) => payload,
        // Wire types can always be written; an event that cannot must not undo the deed.
        Err(error) => {
            tracing::error!(%error, kind = kind.as_str(), "an event could not be written");
            return Vec::new();
        }
    };
    if app.config.webhooks.svix().is_some() {
        return match svix::queue(app, project, app.webhooks.ids.next(app), kind, payload) {
            Ok(statement) => {
                app.webhooks.handed.notify_one();
                vec![statement]
            }
            Err(error) => {
                tracing::error!(%error, kind = kind.as_str(), "an event could not be written");
                Vec::new()
            }
        };
    }
    let message = message_row(app, project, kind, payload);
    let pattern = format!("%,{},%", kind.as_str());
    // Most projects have no endpoint. Whoever delivers takes a breath before looking, by which time the deed is usually
    // committed; what is queued although nobody is woken waits for the next look, a second at most.
    if app.projects.may_be_heard(project) {
        app.webhooks.woken.notify_one();
    }
    vec![
        webhook_messages::insert_if_heard(&message, &pattern),
        webhook_deliveries::insert_for_listeners(project, &message.id, &pattern),
    ]
}

fn message_row(app: &App, project: &ProjectId, kind: WebhookEventType, payload: String) -> WebhookMessageRow {
    WebhookMessageRow {
        project_id: project.clone(),
        id: app.webhooks.ids.next::<WebhookMessageId>(app),
        event_type: kind.as_str().to_owned(),
        payload,
        created_at: app.now(),
    }
}
