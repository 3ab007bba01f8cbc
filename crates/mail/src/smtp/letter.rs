//! A mail as it is written on the wire: RFC 5322 headers, RFC 2046 parts.

use std::time::{Duration, UNIX_EPOCH};

use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use crate::transport::{Letter, SendError};

/// The longest line (RFC 5322 §2.1.1).
const LINE: usize = 998;

/// The envelope and the bytes of a mail.
///
/// # Errors
/// A final [`SendError`] for addresses that SMTP does not know.
pub(super) fn written(letter: &Letter) -> Result<(Envelope, Vec<u8>), SendError> {
    let message = &letter.message;
    let to = address(message.to()).ok_or_else(|| SendError::last("the recipient is no mail address"))?;
    let from = mailbox(message.from()).ok_or_else(|| SendError::new("the sender is no mail address"))?;
    let envelope = Envelope::new(Some(from.email.clone()), vec![to.clone()])
        .map_err(|error| SendError::last(error.to_string()))?;
    let sent_at = UNIX_EPOCH + Duration::from_millis(letter.sent_at_millis.max(0).unsigned_abs());
    let mut builder = lettre::Message::builder()
        .message_id(Some(format!("<{}@{}>", letter.id, from.email.domain())))
        .from(from)
        .to(Mailbox::new(None, to))
        .subject(message.subject())
        .date(sent_at)
        // Nobody's holiday notice answers a machine (RFC 3834 §5).
        .raw_header(header("Auto-Submitted", "auto-generated"));
    if let Some(url) = letter.unsubscribe_url.as_deref().filter(|url| fits_header(url)) {
        builder = builder
            .raw_header(header("List-Unsubscribe", &format!("<{url}>")))
            .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
    }
    let parts = MultiPart::alternative_plain_html(message.text().to_owned(), message.html().to_owned());
    let written = builder.multipart(parts).map_err(|error| SendError::last(error.to_string()))?;
    Ok((envelope, written.formatted()))
}

/// Whether a URL can stand in a header as it is.
fn fits_header(url: &str) -> bool {
    url.len() + 20 < LINE && url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'))
}

/// A header of our own words, which need no encoding.
fn header(name: &'static str, value: &str) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str(name);
    HeaderValue::dangerous_new_pre_encoded(name, value.to_owned(), value.to_owned())
}

/// An address whose domain is written in ASCII (RFC 5891), as every server knows it.
fn address(text: &str) -> Option<Address> {
    let (local, domain) = text.rsplit_once('@')?;
    let domain =
        if domain.is_ascii() { domain.to_owned() } else { url::Host::parse(domain).ok()?.to_string() };
    Address::new(local, domain).ok()
}

/// An address, perhaps with a quoted name before it.
fn mailbox(text: &str) -> Option<Mailbox> {
    match text.strip_suffix('>').and_then(|inside| inside.rsplit_once('<')) {
        None => Some(Mailbox::new(None, address(text)?)),
        Some((name, bare)) => {
            let name = name.trim().trim_matches('"').to_owned();
            Some(Mailbox::new((!name.is_empty()).then_some(name), address(bare)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    fn letter(to: &str, from: &str, subject: &str) -> Letter {
        Letter {
            message: Message::new(to, from, subject, "text of ünder", "<p>html</p>").unwrap(),
            id: "0-1".to_owned(),
            sent_at_millis: 1_700_000_000_000,
            unsubscribe_url: Some(
                "https://auth.example.com/api/v1/emails/unsubscribe-link?code=abc".to_owned(),
            ),
        }
    }

    fn text(letter: &Letter) -> String {
        String::from_utf8(written(letter).unwrap().1).unwrap()
    }

    #[test]
    fn a_mail_has_both_parts_and_the_headers_that_it_needs() {
        let text = text(&letter("ann@example.com", "\"The Köln team\" <auth@example.com>", "Hällo"));
        for part in [
            "Message-ID: <0-1@example.com>\r\n",
            "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n",
            "To: ann@example.com\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "List-Unsubscribe: <https://auth.example.com/api/v1/emails/unsubscribe-link?code=abc>\r\n",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
            "multipart/alternative",
            "text/plain",
            "text/html",
        ] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
        assert!(text.is_ascii(), "everything else is encoded");
    }

    #[test]
    fn names_and_subjects_add_no_header_and_long_lines_are_cut() {
        let hostile =
            letter("ann@example.com", "\"A, B <x@evil.com>, C\" <auth@example.com>", "a\r\nBcc: x@evil.com");
        let text = text(&hostile);
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert_eq!(head.lines().filter(|line| line.starts_with("From:")).count(), 1);
        assert_eq!(written(&hostile).unwrap().0.to().len(), 1);
        let long = Letter {
            message: Message::new(
                "a@b.com",
                "s@b.com",
                &"x ".repeat(3000),
                "y".repeat(5000),
                "z".repeat(5000),
            )
            .unwrap(),
            ..hostile
        };
        let (_, bytes) = written(&long).unwrap();
        assert!(bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= LINE + 1));
    }

    #[test]
    fn a_link_that_would_break_its_header_is_left_out() {
        let mut odd = letter("a@b.com", "s@b.com", "s");
        odd.unsubscribe_url = Some("https://a.example/\r\nBcc: x@evil.com".to_owned());
        assert!(!text(&odd).contains("List-Unsubscribe") && !text(&odd).contains("Bcc"));
    }

    #[test]
    fn domains_beyond_ascii_are_written_as_servers_know_them() {
        assert_eq!(address("ann@bücher.example").unwrap().to_string(), "ann@xn--bcher-kva.example");
        assert!(address("nobody").is_none());
        assert_eq!(address("noreply@localhost").unwrap().to_string(), "noreply@localhost");
    }
}
