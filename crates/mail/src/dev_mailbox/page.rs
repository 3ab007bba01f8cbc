//! The page of the dev mailbox.

use minijinja::{Value, context};

use super::StoredMail;
use crate::template;

/// The whole document: `mails` as they are given, `to` in the search field.
pub(super) fn render(mails: &[StoredMail], to: &str) -> String {
    let mails: Vec<Value> = mails
        .iter()
        .map(|mail| {
            let StoredMail { id, to, from, subject, text, html, .. } = mail;
            // Links open in a new tab: the frame itself may not leave its document.
            let frame = format!("<base target=\"_blank\">{html}");
            context! { id, to, from, subject, text, frame }
        })
        .collect();
    template::render("dev_mailbox.html", &context! { mails, to })
        .expect("the template uses only what it is given; a test renders it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(text: &str) -> StoredMail {
        StoredMail {
            id: "1".into(),
            to: text.into(),
            from: text.into(),
            subject: text.into(),
            text: text.into(),
            html: text.into(),
            sent_at_millis: 0,
        }
    }

    #[test]
    fn the_page_shows_mails_and_runs_nothing_of_them() {
        let hostile = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'";
        let page = render(&[mail(hostile), mail("plain")], hostile);
        assert!(page.contains("plain"));
        assert!(!page.contains("<script"), "{page}");
        assert!(!page.contains("<img"), "{page}");
        for frame in page.split("<iframe").skip(1) {
            let tag = &frame[..frame.find('>').unwrap()];
            assert!(tag.contains("sandbox=\"allow-popups allow-popups-to-escape-sandbox\""), "{tag}");
            assert!(tag.contains("srcdoc=\"&lt;base target=&quot;_blank&quot;&gt;"), "{tag}");
        }
    }

    #[test]
    fn an_empty_mailbox_has_a_page_too() {
        assert!(render(&[], "").contains("No mail"));
        assert!(render(&[], "ann@b.com").contains("ann@b.com"));
    }
}
