//! A mail that is ready to leave, in which no header can be smuggled.

use crate::sandbox::TemplateError;

/// A mail: one recipient, and the same content as plain text and as HTML.
///
/// It exists only with addresses and a subject that stay on their header line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    to: String,
    from: String,
    subject: String,
    text: String,
    html: String,
}

/// Why a mail cannot be made. Never holds the text of the mail.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The recipient is no bare mail address.
    #[error("the recipient of a mail must be one bare address")]
    Recipient,
    /// The sender is neither a bare address nor `"Name" <address>`.
    #[error("the sender of a mail must be an address or \"Name\" <address>")]
    Sender,
    /// A built-in template failed.
    #[error("a mail template failed: {0}")]
    BuiltIn(#[from] minijinja::Error),
    /// A theme failed.
    #[error("a mail theme failed: {0}")]
    Theme(#[from] TemplateError),
}

impl Message {
    /// Makes a mail. `to` is a bare address; `from` is one too, or `"Name" <address>` (RFC 5322 §3.4). Line ends and
    /// other control characters of the subject become spaces; in an address they are an error.
    pub fn new(
        to: impl Into<String>,
        from: impl Into<String>,
        subject: &str,
        text: impl Into<String>,
        html: impl Into<String>,
    ) -> Result<Self, MessageError> {
        let (to, from) = (to.into(), from.into());
        if !is_address(&to) {
            return Err(MessageError::Recipient);
        }
        if !is_mailbox(&from) {
            return Err(MessageError::Sender);
        }
        Ok(Self { to, from, subject: one_line(subject), text: text.into(), html: html.into() })
    }

    /// The address it goes to.
    pub fn to(&self) -> &str {
        &self.to
    }

    /// Whom it comes from: an address, perhaps with a name before it.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// The subject, one line.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The content as plain text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The content as an HTML document.
    pub fn html(&self) -> &str {
        &self.html
    }
}

/// One address without a name: no character that ends or structures a header (RFC 5322 §3.2.3), exactly one `@` with
/// something on both sides.
fn is_address(text: &str) -> bool {
    let special = |c: char| c.is_control() || c.is_whitespace() || r#"<>()[]",;:\"#.contains(c);
    // As long as an account's address may be. Mail is delivered to 254 bytes at most (RFC 5321 §4.5.3.1.3), which the
    // transport finds out; a sign-up with a longer address must not fail for that.
    text.len() <= 320
        && !text.contains(special)
        && text
            .split_once('@')
            .is_some_and(|(local, host)| !local.is_empty() && !host.is_empty() && !host.contains('@'))
}

/// A bare address, or a quoted name before one in angle brackets.
fn is_mailbox(text: &str) -> bool {
    let Some((name, address)) = text.strip_suffix('>').and_then(|inside| inside.rsplit_once('<')) else {
        return is_address(text);
    };
    let name = name.trim_end().strip_prefix('"').and_then(|name| name.strip_suffix('"'));
    is_address(address)
        && name.is_some_and(|name| !name.contains(|c: char| c.is_control() || c == '"' || c == '\\'))
}

/// The text on one line: each run of control characters and line separators becomes a space.
fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.split(breaks).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(to: &str, from: &str, subject: &str) -> Result<Message, MessageError> {
        Message::new(to, from, subject, "text", "<p>html</p>")
    }

    #[test]
    fn no_address_can_add_a_header_or_a_recipient() {
        let hostile = [
            "",
            "a",
            "@b",
            "a@",
            "a@b@c",
            "a@b.com\r\nBcc: x@evil.com",
            "a@b.com\nX: y",
            "a@b.com, x@evil.com",
            "a@b.com;x@evil.com",
            "a@b.com x@evil.com",
            "<a@b.com>",
            "a@b.com\0",
            "a@b.com\u{85}",
            "\"a\"@b.com",
            "group:a@b.com",
        ];
        for address in hostile {
            assert!(matches!(message(address, "s@b.com", "s"), Err(MessageError::Recipient)), "{address:?}");
            assert!(
                matches!(message("a@b.com", address, "s"), Err(MessageError::Sender))
                    || address == "<a@b.com>"
            );
        }
        for sender in [
            "<s@b.com>",
            "Name <s@b.com>",
            "\"Na\"me\" <s@b.com>",
            "\"Name\\\" <s@b.com>",
            "\"Na\r\nBcc: x@evil.com\" <s@b.com>",
            "\"Name\" <s@b.com>, <x@evil.com>",
            "\"Name\" <s@b.com",
        ] {
            assert!(matches!(message("a@b.com", sender, "s"), Err(MessageError::Sender)), "{sender:?}");
        }
        assert!(message("J\u{fc}rgen+x@b\u{fc}cher.de", "\"The <A> & co, team\" <s@b.com>", "s").is_ok());
    }

    #[test]
    fn an_account_s_address_can_be_written_to_however_long_it_is() {
        let address = |length: usize| format!("{}@example.com", "a".repeat(length - "@example.com".len()));
        assert!(message(&address(256), "s@b.com", "s").is_ok());
        assert!(matches!(message(&address(321), "s@b.com", "s"), Err(MessageError::Recipient)));
    }

    #[test]
    fn a_subject_stays_on_its_line() {
        let subject = "Hi\r\nBcc: x@evil.com\u{2028}\n\nand \t more ";
        assert_eq!(
            message("a@b.com", "s@b.com", subject).unwrap().subject(),
            "Hi Bcc: x@evil.com and   more"
        );
    }
}
