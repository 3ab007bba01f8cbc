//! What a mail says, whoever it goes to: the form in which mails wait.

use serde::{Deserialize, Serialize};

use crate::message::{Message, MessageError};

/// A subject, and the same content as plain text and as HTML.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The subject.
    pub subject: String,
    /// The content as plain text.
    pub text: String,
    /// The same as an HTML document.
    pub html: String,
    /// Where its reader can say that there shall be no more of it (RFC 8058), if there is such a place.
    #[serde(default)]
    pub unsubscribe_url: Option<String>,
}

impl Content {
    /// The mail that says this to `to`, an address, from `from`, an address or `"Name" <address>`.
    ///
    /// # Errors
    /// [`MessageError`] for addresses that are none.
    pub fn to_message(&self, to: &str, from: &str) -> Result<Message, MessageError> {
        Message::new(to, from, &self.subject, self.text.as_str(), self.html.as_str())
    }
}

impl From<&Message> for Content {
    fn from(message: &Message) -> Self {
        Self {
            subject: message.subject().to_owned(),
            text: message.text().to_owned(),
            html: message.html().to_owned(),
            unsubscribe_url: None,
        }
    }
}
