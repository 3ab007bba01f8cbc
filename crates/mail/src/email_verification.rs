//! The mail that asks an address to verify itself.

use crate::frame::Frame;
use crate::message::{Message, MessageError};
use crate::notice::Notice;

/// "Is this your address?": sent on sign-up and when a user asks for it.
#[derive(Clone, Copy, Debug)]
pub struct EmailVerification<'a> {
    /// The link that verifies the address: the caller's URL with the code in its query.
    pub link: &'a str,
}

impl EmailVerification<'_> {
    /// The mail to `to`, an address, from `from`, an address or `"Name" <address>`.
    pub fn to_message(self, frame: &Frame<'_>, to: &str, from: &str) -> Result<Message, MessageError> {
        let notice = Notice { name: "email_verification", values: &[], code: None, link: Some(self.link) };
        notice.to_message(frame, to, from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_carries_the_link_in_both_forms() {
        let link = "https://app.example.com/handler/email-verification?x=1&code=abc";
        let mail = EmailVerification { link };
        let message =
            mail.to_message(&Frame::sample(), "ann@example.com", "\"Demo\" <noreply@example.com>").unwrap();
        assert_eq!(message.subject(), "Verify your email at Demo");
        assert!(message.text().contains(link), "{}", message.text());
        let escaped = link.replace('&', "&amp;");
        assert!(message.html().contains(&format!("href=\"{escaped}\"")), "{}", message.html());
    }

    #[test]
    fn a_hostile_project_name_stays_text() {
        let frame = Frame { project_name: "<script>alert(1)</script>\r\nBcc: x@evil.com", ..Frame::sample() };
        let mail = EmailVerification { link: "https://a.example.com/\"><script>" };
        let message = mail.to_message(&frame, "ann@example.com", "noreply@example.com").unwrap();
        assert!(!message.html().contains("<script"), "{}", message.html());
        assert!(message.html().contains("href=\"https://a.example.com/&quot;&gt;&lt;script&gt;\""));
        assert!(!message.subject().contains(['\r', '\n']));
        assert!(message.text().contains("<script>"), "plain text is not escaped");
    }
}
