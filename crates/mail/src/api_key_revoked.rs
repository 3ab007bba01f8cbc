//! The mail that tells the owner of an API key that it was found in public and is not valid any more.

use crate::frame::Frame;
use crate::message::{Message, MessageError};
use crate::notice::Notice;

/// "Your key was found in public": sent when a scanner of public places has reported a key.
#[derive(Clone, Copy, Debug)]
pub struct ApiKeyRevoked<'a> {
    /// What the owner calls the key.
    pub description: &'a str,
}

impl ApiKeyRevoked<'_> {
    /// The mail to `to`, an address, from `from`, an address or `"Name" <address>`.
    pub fn to_message(self, frame: &Frame<'_>, to: &str, from: &str) -> Result<Message, MessageError> {
        let values = [("description", self.description)];
        Notice { name: "api_key_revoked", values: &values, code: None, link: None }
            .to_message(frame, to, from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_names_the_key_and_a_hostile_description_stays_text() {
        let mail = ApiKeyRevoked { description: "<b>prod</b>\r\nBcc: x@evil.com" };
        let message = mail.to_message(&Frame::sample(), "ann@example.com", "noreply@example.com").unwrap();
        assert!(message.subject().starts_with("API Key Revoked: <b>prod</b>"), "{}", message.subject());
        assert!(!message.subject().contains(['\r', '\n']));
        assert!(message.html().contains("&lt;b&gt;prod&lt;/b&gt;") && !message.html().contains("<b>prod"));
        assert!(message.text().contains("<b>prod</b>"), "plain text is not escaped");
        assert!(message.text().contains("create a new one"), "what to do next: {}", message.text());
    }
}
