//! The mail that asks somebody to sign in to a project for the first time.

use crate::frame::Frame;
use crate::message::{Message, MessageError};
use crate::notice::Notice;

/// "Come and sign in": sent when an administrator invites an address to the project.
#[derive(Clone, Copy, Debug)]
pub struct SignInInvitation<'a> {
    /// Where to sign in: the caller's URL, without any code.
    pub link: &'a str,
}

impl SignInInvitation<'_> {
    /// The mail to `to`, an address, from `from`, an address or `"Name" <address>`.
    pub fn to_message(self, frame: &Frame<'_>, to: &str, from: &str) -> Result<Message, MessageError> {
        let notice = Notice { name: "sign_in_invitation", values: &[], code: None, link: Some(self.link) };
        notice.to_message(frame, to, from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_leads_to_the_place_that_was_given() {
        let link = "https://app.example.com/handler/sign-in?a=b";
        let mail = SignInInvitation { link };
        let message = mail.to_message(&Frame::sample(), "ann@example.com", "noreply@example.com").unwrap();
        assert!(message.subject().contains("Demo"));
        assert!(message.text().contains(link) && message.html().contains(&format!("href=\"{link}\"")));
    }
}
