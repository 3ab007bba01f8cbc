//! The mail with which somebody who has forgotten a password chooses another one.

use crate::frame::Frame;
use crate::message::{Message, MessageError};
use crate::notice::Notice;

/// "Choose a new password": sent on request, to addresses of accounts only.
#[derive(Clone, Copy, Debug)]
pub struct PasswordReset<'a> {
    /// The link that leads to a new password: the caller's URL with the code in its query.
    pub link: &'a str,
}

impl PasswordReset<'_> {
    /// The mail to `to`, an address, from `from`, an address or `"Name" <address>`.
    pub fn to_message(self, frame: &Frame<'_>, to: &str, from: &str) -> Result<Message, MessageError> {
        let notice = Notice { name: "password_reset", values: &[], code: None, link: Some(self.link) };
        notice.to_message(frame, to, from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_carries_the_link_in_both_forms() {
        let link = "https://app.example.com/handler/password-reset?code=abc";
        let mail = PasswordReset { link };
        let message = mail.to_message(&Frame::sample(), "ann@example.com", "noreply@example.com").unwrap();
        assert_eq!(message.subject(), "Reset your password at Demo");
        assert!(message.text().contains(link) && message.html().contains(&format!("href=\"{link}\"")));
    }
}
