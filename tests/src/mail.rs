//! Mail that the server has sent, as the dev mailbox shows it.

use latchkey_mail::StoredMail;
use latchkey_testkit::TestServer;

/// Delivers what is due and gives the mails to an address, newest first.
pub async fn to(server: &TestServer, address: &str) -> Vec<StoredMail> {
    server.flush().await;
    server.mailbox().list(Some(address))
}

/// The links in a text.
pub fn links(text: &str) -> Vec<String> {
    let starts = text.match_indices("http").map(|(at, _)| at);
    let link = |at: usize| text[at..].split(|c: char| c.is_whitespace() || c == '"' || c == '<').next();
    starts.filter_map(link).filter(|link| link.contains("://")).map(str::to_owned).collect()
}
