//! What takes a mail away.

use std::pin::Pin;

use crate::message::Message;

/// A mail on its way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>>;

/// A mail with what it needs for the way.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The mail.
    pub message: Message,
    /// Names it among all mails: the same at every try, so that a reader who gets it twice can tell. Letters, digits
    /// and hyphens.
    pub id: String,
    /// When it leaves, in milliseconds since the epoch.
    pub sent_at_millis: i64,
    /// Where its reader can say that there shall be no more of it (RFC 8058).
    pub unsubscribe_url: Option<String>,
}

/// Why a mail could not be handed over, in words for the operator and the project's administrators.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct SendError {
    /// The words; they hold no secret.
    pub message: String,
    /// Whether another try would fail as well: the other side has refused this mail for good.
    pub is_final: bool,
    /// Whether the other side could not be spoken to at all, so that other mails would fail as well.
    pub is_unreachable: bool,
}

impl SendError {
    /// One after which the mail may be tried again.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_final: false, is_unreachable: false }
    }

    /// One after which it may not.
    pub fn last(message: impl Into<String>) -> Self {
        Self { is_final: true, ..Self::new(message) }
    }

    /// One that other mails to the same server would run into.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self { is_unreachable: true, ..Self::new(message) }
    }
}

/// Takes mails away: hands them to a server, or keeps them.
pub trait Transport: Send + Sync {
    /// Sends one mail; done when the other side has accepted it.
    fn send<'a>(&'a self, letter: &'a Letter) -> Sending<'a>;
}
