//! The mailbox of `latchkey dev` and of tests: keeps mails instead of sending them.

mod page;

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use crate::transport::{Letter, Sending, Transport};

/// How many mails are kept; the oldest go first.
const CAPACITY: usize = 1_000;

/// Mails in memory, bounded, newest first.
pub struct DevMailbox {
    now_millis: Box<dyn Fn() -> i64 + Send + Sync>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    mails: VecDeque<StoredMail>,
    received: u64,
}

/// A mail that was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoredMail {
    /// Its number in this mailbox, from 1.
    pub id: String,
    /// The address it went to.
    pub to: String,
    /// Whom it came from.
    pub from: String,
    /// Subject.
    pub subject: String,
    /// Content as plain text.
    pub text: String,
    /// Content as HTML.
    pub html: String,
    /// When it arrived, in milliseconds since the epoch.
    pub sent_at_millis: i64,
}

impl DevMailbox {
    /// An empty mailbox that takes the time from `now_millis`, in milliseconds since the epoch.
    pub fn new(now_millis: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self { now_millis: Box::new(now_millis), kept: Mutex::default() }
    }

    /// The mails to `to` (whatever its case), or all of them, newest first.
    pub fn list(&self, to: Option<&str>) -> Vec<StoredMail> {
        let wanted =
            |mail: &&StoredMail| to.is_none_or(|to| mail.to.to_lowercase() == to.trim().to_lowercase());
        self.kept().mails.iter().filter(wanted).cloned().collect()
    }

    /// The page that shows [`Self::list`]: a complete HTML document. Mails appear in frames that run no scripts;
    /// their links open in new tabs. It needs `style-src 'unsafe-inline'` and `img-src` of whatever the mails show.
    pub fn page(&self, to: Option<&str>) -> String {
        page::render(&self.list(to), to.unwrap_or_default())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing in here panics half-way, so a poisoned lock guards whole data.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for DevMailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DevMailbox").field("mails", &self.kept().mails.len()).finish_non_exhaustive()
    }
}

impl Transport for DevMailbox {
    fn send<'a>(&'a self, letter: &'a Letter) -> Sending<'a> {
        let message = &letter.message;
        let sent_at_millis = (self.now_millis)();
        let mut kept = self.kept();
        kept.received += 1;
        let mail = StoredMail {
            id: kept.received.to_string(),
            to: message.to().to_owned(),
            from: message.from().to_owned(),
            subject: message.subject().to_owned(),
            text: message.text().to_owned(),
            html: message.html().to_owned(),
            sent_at_millis,
        };
        kept.mails.push_front(mail);
        kept.mails.truncate(CAPACITY);
        drop(kept);
        Box::pin(std::future::ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    fn receive(mailbox: &DevMailbox, to: &str, subject: &str) {
        let message = Message::new(to, "s@b.com", subject, "text", "<b>html</b>").unwrap();
        let letter = Letter { message, id: "0".to_owned(), sent_at_millis: 0, unsubscribe_url: None };
        // The future is ready at once: the mail is kept before it is awaited.
        drop(mailbox.send(&letter));
    }

    #[test]
    fn mails_are_listed_newest_first_and_by_recipient() {
        let mailbox = DevMailbox::new(|| 1_700_000_000_123);
        receive(&mailbox, "Ann@b.com", "first");
        receive(&mailbox, "bob@b.com", "second");
        receive(&mailbox, "ann@b.com", "third");
        let subjects = |to| mailbox.list(to).into_iter().map(|mail| mail.subject).collect::<Vec<_>>();
        assert_eq!(subjects(None), ["third", "second", "first"]);
        assert_eq!(subjects(Some("ANN@b.com")), ["third", "first"]);
        assert_eq!(subjects(Some("carl@b.com")), Vec::<String>::new());
        let json = serde_json::to_value(&mailbox.list(Some("bob@b.com"))[0]).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "id": "2", "to": "bob@b.com", "from": "s@b.com", "subject": "second",
                "text": "text", "html": "<b>html</b>", "sent_at_millis": 1_700_000_000_123_i64,
            })
        );
    }

    #[test]
    fn the_oldest_mails_go_when_the_mailbox_is_full() {
        let mailbox = DevMailbox::new(|| 0);
        for number in 0..CAPACITY + 5 {
            receive(&mailbox, "ann@b.com", &number.to_string());
        }
        let mails = mailbox.list(None);
        assert_eq!(mails.len(), CAPACITY);
        assert_eq!(mails.last().unwrap().subject, "5");
        assert_eq!(mails[0].id, (CAPACITY + 5).to_string());
    }
}
