//! `[mail]`: the mail server of this deployment, and how mail leaves. Projects may have servers of their own, in their
//! settings.

use std::net::IpAddr;

use latchkey_api_types::Locale;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    errors::Findings,
    value::{Duration, SecretText},
};

/// Outgoing mail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// The mail server of this deployment, for all projects that have none of their own.
    pub shared: SharedMailServer,
    /// The name of a file with certificates, in PEM form, of authorities that mail servers are trusted by beside the
    /// public ones.
    pub ca_file: Option<String>,
    /// How long a mail server may take to accept a mail.
    pub timeout: Duration,
    /// How many mails of one project may leave in a second, once two hundred have left in a row. An administrator of
    /// the project can make it four times as many for four hours.
    pub rate_per_second: u32,
    /// The language of mails where neither the recipient nor the request nor the project says another one: `en`,
    /// `de`, `fr`, `es`, `pt`, `zh-Hans` or `ja`.
    pub locale: Locale,
}

/// The mail server of this deployment, for all projects that have none of their own. `latchkey dev` does not use it: it
/// keeps such mail in its mailbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SharedMailServer {
    /// Its name. Without it, mail waits in the outbox.
    pub host: Option<String>,
    /// Its port.
    pub port: u16,
    /// How the connection becomes private.
    pub tls: MailTls,
    /// Whether `tls = "none"` may lead to another machine. Everybody on the way can read such mail, and the links in it
    /// sign people in.
    pub allow_plaintext: bool,
    /// Who signs in there; without it nobody does.
    pub username: Option<String>,
    /// The password there.
    pub password: Option<SecretText>,
    /// The address that mails come from.
    pub sender_address: String,
    /// The name beside it. When empty, the display name of the project is used.
    pub sender_name: String,
}

/// How a connection to a mail server becomes private.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// TLS from the start on ports 465 and 2465, STARTTLS on others. A server on this very machine may go without.
    #[default]
    Auto,
    /// TLS from the start.
    Implicit,
    /// STARTTLS; a server that does not offer it gets no mail.
    Starttls,
    /// None at all: for a server on this very machine.
    None,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            shared: SharedMailServer::default(),
            ca_file: None,
            timeout: Duration::from_secs(30),
            rate_per_second: 20,
            locale: Locale::En,
        }
    }
}

impl Default for SharedMailServer {
    fn default() -> Self {
        Self {
            host: None,
            port: 587,
            tls: MailTls::Auto,
            allow_plaintext: false,
            username: None,
            password: None,
            sender_address: "noreply@localhost".into(),
            sender_name: String::new(),
        }
    }
}

/// A sender as it stands in `From:` (RFC 5322 §3.4): `"Name" <address>`. Characters that cannot stand in such a name are
/// left out.
pub fn mail_sender(name: &str, address: &str) -> String {
    let plain: String = name.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect();
    match plain.trim() {
        "" => address.to_owned(),
        name => format!("\"{name}\" <{address}>"),
    }
}

impl SharedMailServer {
    /// The sender of mails for a project, see [`mail_sender`].
    pub fn sender(&self, project_name: &str) -> String {
        let name = if self.sender_name.is_empty() { project_name } else { &self.sender_name };
        mail_sender(name, &self.sender_address)
    }

    /// Whether the server is on this very machine.
    fn is_local(&self) -> bool {
        self.host.as_deref().is_some_and(|host| {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            let address = host.parse::<IpAddr>();
            host == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
        })
    }

    fn validate(&self, found: &mut Findings) {
        let address = &self.sender_address;
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | '"');
        let sound = address.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && !host.is_empty() && !host.contains('@') && !address.contains(odd)
        });
        if !sound {
            found.error(
                "mail.shared.sender_address",
                "must be a mail address such as \"noreply@example.com\"",
            );
        } else if self.host.is_some() && !self.is_local() && address.ends_with("@localhost") {
            found.warning(
                "mail.shared.sender_address",
                "is at localhost; few mail servers take mail from there",
            );
        }
        if self.sender_name.contains(char::is_control) {
            found.error("mail.shared.sender_name", "must be one line without control characters");
        }
        if let Some(host) = &self.host {
            let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@');
            let has_port = host.matches(':').count() == 1;
            if host.is_empty() || host.contains(odd) || has_port {
                found.error(
                    "mail.shared.host",
                    "must be the name of a mail server such as \"smtp.example.com\", without a port",
                );
            }
        }
        if self.port == 0 {
            found.error("mail.shared.port", "must not be 0");
        }
        match (&self.username, &self.password) {
            (Some(_), None) => found.error("mail.shared.password", "is missing beside mail.shared.username"),
            (None, Some(_)) => found.error("mail.shared.username", "is missing beside mail.shared.password"),
            _ => {}
        }
        if self.tls == MailTls::None && self.host.is_some() && !self.is_local() && !self.allow_plaintext {
            found.error(
                "mail.shared.tls",
                "must not be \"none\" for a server on another machine, since everybody on the way could read the links \
                 that sign people in; set mail.shared.allow_plaintext if that is meant",
            );
        }
    }
}

impl MailConfig {
    pub(crate) fn validate(&self, found: &mut Findings) {
        self.shared.validate(found);
        if !(Duration::from_millis(100)..=Duration::from_mins(5)).contains(&self.timeout) {
            found.error("mail.timeout", "must be from 100ms to 5m");
        }
        if !(1..=10_000).contains(&self.rate_per_second) {
            found.error("mail.rate_per_second", "must be between 1 and 10000");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(change: impl FnOnce(&mut MailConfig)) -> Vec<String> {
        let mut mail = MailConfig::default();
        change(&mut mail);
        let mut found = Findings::default();
        mail.validate(&mut found);
        found.into_sentences()
    }

    #[test]
    fn the_sender_carries_the_project_s_name_unless_one_is_set() {
        let mut mail =
            SharedMailServer { sender_address: "auth@example.com".into(), ..SharedMailServer::default() };
        assert_eq!(mail.sender("Demo"), "\"Demo\" <auth@example.com>");
        assert_eq!(
            mail.sender("A\" <evil@example.com>\r\nBcc: x"),
            "\"A <evil@example.com>Bcc: x\" <auth@example.com>"
        );
        assert_eq!(mail.sender(" "), "auth@example.com");
        mail.sender_name = "Example".into();
        assert_eq!(mail.sender("Demo"), "\"Example\" <auth@example.com>");
    }

    #[test]
    fn a_server_on_another_machine_gets_no_mail_without_tls_unless_that_is_meant() {
        let plain = |host: &str, meant: bool| {
            let host = Some(host.to_owned());
            problems(|mail| {
                mail.shared = SharedMailServer {
                    host,
                    tls: MailTls::None,
                    allow_plaintext: meant,
                    ..SharedMailServer::default()
                };
            })
        };
        for host in ["localhost", "127.0.0.1", "::1", "LOCALHOST."] {
            assert!(plain(host, false).is_empty(), "{host}");
        }
        assert_eq!(plain("smtp.example.com", false).len(), 1);
        assert_eq!(plain("10.0.0.1", false).len(), 1);
        assert!(plain("smtp.example.com", true).is_empty());
    }

    #[test]
    fn what_cannot_be_a_mail_server_is_an_error() {
        for host in ["", "smtp.example.com:587", "smtp://example.com", "a b", "u@example.com"] {
            assert_eq!(problems(|mail| mail.shared.host = Some(host.to_owned())).len(), 1, "{host}");
        }
        assert!(problems(|mail| mail.shared.host = Some("2001:db8::1".to_owned())).is_empty());
        assert_eq!(problems(|mail| mail.shared.username = Some("u".to_owned())).len(), 1);
        assert_eq!(
            problems(|mail| mail.shared.sender_address = "Nobody <x@example.com>".to_owned()).len(),
            1
        );
    }
}
