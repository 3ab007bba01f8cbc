//! What takes a mail away.

use std::pin::Pin;

use crate::message::Message;

/// A mail on its way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>>;

/// Why a mail could not be handed over, in words for the log. It may be tried again later.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SendError(pub String);

/// Takes mails away: hands them to a server, or keeps them.
pub trait Transport: Send + Sync {
    /// Sends one mail; done when the other side has accepted it.
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a>;
}
