//! The mail that signs somebody in: by a link, or by a code to be typed.

use crate::frame::Frame;
use crate::message::{Message, MessageError};
use crate::notice::Notice;

/// "Here is your code": sent to whoever wants to sign in without a password.
#[derive(Clone, Copy, Debug)]
pub struct MagicLink<'a> {
    /// The link that signs in: the caller's URL with the whole code in its query.
    pub link: &'a str,
    /// What a person types: the first six characters of the code, in upper case.
    pub otp: &'a str,
}

impl MagicLink<'_> {
    /// The mail to `to`, an address, from `from`, an address or `"Name" <address>`.
    pub fn to_message(self, frame: &Frame<'_>, to: &str, from: &str) -> Result<Message, MessageError> {
        let values = [("code", self.otp)];
        let notice =
            Notice { name: "magic_link", values: &values, code: Some(self.otp), link: Some(self.link) };
        notice.to_message(frame, to, from)
    }
}

#[cfg(test)]
mod tests {
    use latchkey_api_types::Locale;

    use super::*;

    #[test]
    fn the_mail_carries_code_and_link_in_every_language() {
        let link = "https://app.example.com/handler/magic-link-callback?a=b&code=ab12cdxyz";
        let mail = MagicLink { link, otp: "AB12CD" };
        for locale in Locale::ALL {
            let frame = Frame { locale, ..Frame::sample() };
            let message = mail.to_message(&frame, "ann@example.com", "noreply@example.com").unwrap();
            assert!(message.subject().contains("AB12CD") && message.subject().contains("Demo"), "{locale}");
            assert!(message.text().contains(link) && message.text().contains("AB12CD"), "{locale}");
            assert!(message.html().contains("code=ab12cdxyz") && message.html().contains(">AB12CD<"));
            assert!(message.html().contains(&format!("<html lang=\"{locale}\">")), "{}", message.html());
            assert!(!message.text().contains(['{', '}']) && !message.subject().contains(['{', '}']));
        }
    }

    #[test]
    fn the_english_subject_is_the_one_that_mail_filters_know() {
        let mail = MagicLink { link: "https://a.example.com/", otp: "0A1B2C" };
        let message = mail.to_message(&Frame::sample(), "ann@example.com", "noreply@example.com").unwrap();
        assert_eq!(message.subject(), "Sign in to Demo: Your code is 0A1B2C");
    }
}
