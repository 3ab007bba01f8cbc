//! The mail with which an administrator tries a mail server out.

use crate::frame::Frame;
use crate::message::{Message, MessageError};
use crate::notice::Notice;

/// "It works."
#[derive(Clone, Copy, Debug)]
pub struct TestMail;

impl TestMail {
    /// The mail to `to`, an address, from `from`, an address or `"Name" <address>`.
    pub fn to_message(self, frame: &Frame<'_>, to: &str, from: &str) -> Result<Message, MessageError> {
        Notice { name: "test", values: &[], code: None, link: None }.to_message(frame, to, from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_says_which_project_sent_it() {
        let message = TestMail.to_message(&Frame::sample(), "ann@example.com", "s@b.com").unwrap();
        assert_eq!(message.subject(), "Test email from Demo");
        assert!(!message.html().contains("<a "), "{}", message.html());
    }
}
