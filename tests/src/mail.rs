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

/// The link with a code in the newest mail to an address.
pub async fn link_to(server: &TestServer, address: &str) -> reqwest::Url {
    let mails = to(server, address).await;
    let mail = mails.first().unwrap_or_else(|| panic!("no mail to {address}"));
    let link = links(&mail.text).into_iter().find(|link| link.contains("code=")).expect("a link with a code");
    link.parse().expect("a URL")
}

/// The code in the newest mail to an address.
pub async fn code_to(server: &TestServer, address: &str) -> String {
    code_of(&link_to(server, address).await)
}

/// The code that a link carries.
#[track_caller]
pub fn code_of(link: &reqwest::Url) -> String {
    let codes: Vec<String> =
        link.query_pairs().filter(|(name, _)| name == "code").map(|(_, code)| code.into_owned()).collect();
    assert_eq!(codes.len(), 1, "{link}");
    codes.into_iter().next().expect("a code")
}
