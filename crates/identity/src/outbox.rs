//! Mail on its way out: a row of the outbox, written in the transaction of whatever causes the mail and delivered
//! afterwards, at least once. A mail is for a user or for addresses; whose address that is and whether the user still
//! wants it is decided when it leaves.

mod capacity;
mod delivery;
mod mails;
mod rendering;
mod server;
mod test_mail;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use latchkey_api_types::ids::{EmailId, ProjectId, UserId};
use latchkey_mail::{Content, Message};
use latchkey_storage::engine::Stmt;
use latchkey_storage::outbox::{self, NewOutboxRow};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::{RwLock, Semaphore};
use uuid::Uuid;

use crate::app::App;
use crate::failure::Failure;
use crate::notifications;
use crate::projects::Project;

pub use capacity::{boost, delivery_info};
pub(crate) use delivery::{finish, is_quiet, start_due};
pub use mails::{get, list, recent, update};
pub use test_mail::send_test;

/// How many mails one server delivers at a time.
const SLOTS: usize = 32;

/// What delivery needs to remember in this process.
pub(crate) struct Outbox {
    slots: Arc<Semaphore>,
    /// Read by each delivery in progress, so that whoever may write knows that there is none.
    in_flight: Arc<RwLock<()>>,
    /// Held during a step of a mailing to everybody, of which a process makes one at a time.
    pub(crate) mailing_step: tokio::sync::Mutex<()>,
    pace: capacity::Pace,
    /// Whether it was said that there is no mail server.
    said_no_server: AtomicBool,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            slots: Arc::new(Semaphore::new(SLOTS)),
            in_flight: Arc::default(),
            mailing_step: tokio::sync::Mutex::default(),
            pace: capacity::Pace::default(),
            said_no_server: AtomicBool::new(false),
        }
    }
}

/// Whom a mail is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recipient {
    /// A user, at whatever is the primary address when the mail leaves.
    UserPrimaryEmail(UserId),
    /// A user, at these addresses.
    UserCustomEmails(UserId, Vec<String>),
    /// Whoever reads these addresses.
    CustomEmails(Vec<String>),
}

impl Recipient {
    /// One address of nobody in particular.
    pub(crate) fn address(address: &str) -> Self {
        Self::CustomEmails(vec![address.to_owned()])
    }

    /// One address of a user.
    pub(crate) fn address_of(user: UserId, address: &str) -> Self {
        Self::UserCustomEmails(user, vec![address.to_owned()])
    }

    /// The user it is for.
    pub(crate) fn user(&self) -> Option<UserId> {
        match self {
            Self::UserPrimaryEmail(user) | Self::UserCustomEmails(user, _) => Some(*user),
            Self::CustomEmails(_) => None,
        }
    }

    /// As it is stored: the user, and the addresses as JSON.
    fn columns(&self) -> (Option<UserId>, Option<String>) {
        match self {
            Self::UserPrimaryEmail(user) => (Some(*user), None),
            Self::UserCustomEmails(user, addresses) => {
                (Some(*user), Some(Value::from(addresses.clone()).to_string()))
            }
            Self::CustomEmails(addresses) => (None, Some(Value::from(addresses.clone()).to_string())),
        }
    }

    /// From what is stored.
    fn of(user: Option<UserId>, addresses: Option<&str>) -> Result<Self, Failure> {
        let addresses: Option<Vec<String>> =
            addresses.map(serde_json::from_str).transpose().map_err(Failure::internal)?;
        match (user, addresses) {
            (Some(user), None) => Ok(Self::UserPrimaryEmail(user)),
            (Some(user), Some(addresses)) => Ok(Self::UserCustomEmails(user, addresses)),
            (None, Some(addresses)) => Ok(Self::CustomEmails(addresses)),
            (None, None) => Err(Failure::internal("a mail is for nobody")),
        }
    }
}

/// How a mail came to be (contract 08 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CreatedWith {
    /// From a draft.
    Draft,
    /// By a call, of the API or of the server itself.
    ProgrammaticCall,
}

/// A mail: what it says, and what it was made of. This is what is sealed at rest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Mail {
    /// What it says; `None` until it is rendered.
    pub(crate) content: Option<Content>,
    /// The subject, where that is not the template's business.
    pub(crate) subject: Option<String>,
    /// The kind of mail, which decides whether a user can refuse it.
    pub(crate) category: Uuid,
    /// Whether it passes mails that are not.
    pub(crate) is_high_priority: bool,
    /// When it may leave, epoch milliseconds; `None` is at once.
    pub(crate) scheduled_at: Option<i64>,
    /// The source of its template.
    pub(crate) source: String,
    /// What was put into it.
    pub(crate) variables: Map<String, Value>,
    /// The theme that was chosen for it.
    pub(crate) theme_id: Option<String>,
    /// The template that it was made of, if that has an id.
    pub(crate) template_id: Option<Uuid>,
    /// The draft that it was made of.
    pub(crate) draft_id: Option<String>,
    /// How it came to be.
    pub(crate) created_with: CreatedWith,
    /// Whether it leaves without a look at whether it can arrive.
    pub(crate) skip_deliverability_check: bool,
}

impl Mail {
    /// A mail that is written already, users cannot refuse, leaves at once and passes others. Whom the message names as
    /// sender and recipient does not matter.
    pub(crate) fn rendered(message: &Message) -> Self {
        Self {
            content: Some(Content::from(message)),
            subject: None,
            category: notifications::TRANSACTIONAL,
            is_high_priority: true,
            scheduled_at: None,
            source: String::new(),
            variables: Map::new(),
            theme_id: None,
            template_id: None,
            draft_id: None,
            created_with: CreatedWith::ProgrammaticCall,
            skip_deliverability_check: false,
        }
    }
}

/// The statement that puts a mail into the outbox; to be run with what causes it. Call `app.jobs.wake()` after that.
///
/// # Errors
/// An internal failure if the mail cannot be written down.
pub(crate) fn queue(
    app: &App,
    project: &Project,
    recipient: &Recipient,
    mail: &Mail,
) -> Result<Stmt, Failure> {
    let now = app.now();
    let id = EmailId::from_uuid(app.random.uuid());
    let (user_id, addresses) = recipient.columns();
    Ok(outbox::insert(&NewOutboxRow {
        project_id: project.id.clone(),
        id,
        user_id,
        addresses,
        content_sealed: seal(app, &project.id, id, mail)?,
        has_rendered: mail.content.is_some(),
        is_high_priority: mail.is_high_priority,
        scheduled_at: mail.scheduled_at.unwrap_or(now),
        created_at: now,
    }))
}

/// What seals a mail: it opens in its own row only.
pub(crate) fn seal_context(project: &ProjectId, id: EmailId) -> String {
    format!("outbox/{project}/{id}")
}

fn seal(app: &App, project: &ProjectId, id: EmailId, mail: &Mail) -> Result<Vec<u8>, Failure> {
    let plain = serde_json::to_vec(mail).map_err(Failure::internal)?;
    Ok(app.master_keys.seal(&seal_context(project, id), &plain))
}

/// Opens what `seal` sealed.
fn open(app: &App, project: &ProjectId, id: EmailId, sealed: &[u8]) -> Result<Mail, Failure> {
    let plain = app.master_keys.open(&seal_context(project, id), sealed).map_err(Failure::internal)?;
    serde_json::from_slice(&plain).map_err(Failure::internal)
}
