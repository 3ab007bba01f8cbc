//! The form that all built-in mails share: a heading, some sentences, perhaps a code and a button, and a note. What
//! they say comes from the catalogue, by the name of the mail.

use minijinja::context;

use crate::catalogue;
use crate::frame::Frame;
use crate::message::{Message, MessageError};
use crate::template;

/// How much of a name that somebody chose a mail shows, in characters: names have no limit, subjects have.
const LONGEST_NAME: usize = 100;

/// A built-in mail that is about to be written.
pub(crate) struct Notice<'a> {
    /// Its name in the catalogue.
    pub(crate) name: &'a str,
    /// The values that its texts show, besides `project`.
    pub(crate) values: &'a [(&'a str, &'a str)],
    /// A code to be typed.
    pub(crate) code: Option<&'a str>,
    /// Where the button leads.
    pub(crate) link: Option<&'a str>,
}

impl Notice<'_> {
    /// Writes it to `to`, an address, from `from`, an address or `"Name" <address>`.
    pub(crate) fn to_message(
        &self,
        frame: &Frame<'_>,
        to: &str,
        from: &str,
    ) -> Result<Message, MessageError> {
        let mut values = vec![("project", frame.project_name)];
        values.extend_from_slice(self.values);
        let text = |part: &str| frame.text(&format!("{}.{part}", self.name), &values);
        let optional = |part: &str| catalogue::has(&format!("{}.{part}", self.name)).then(|| text(part));
        let subject = text("subject");
        let body: Vec<String> = [Some(text("body")), optional("advice")].into_iter().flatten().collect();
        let shown = context! {
            heading => text("heading"),
            body => body,
            code => self.code,
            link => self.link,
            button => optional("button"),
            link_hint => frame.text("link_hint", &[]),
            note => optional("note"),
            ..frame.values()
        };
        let content = template::render("notice.html", &shown)?;
        let html = frame.wrap_anyway(&subject, content.trim_end())?;
        Message::new(to, from, &subject, template::render("notice.txt", &shown)?, html)
    }
}

/// A name as a mail shows it; `None` if nothing of it is left.
pub(crate) fn shown(name: &str) -> Option<String> {
    let name: String = name.trim().chars().take(LONGEST_NAME).collect();
    (!name.is_empty()).then_some(name)
}
