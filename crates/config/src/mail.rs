//! `[mail]`: who mails come from. How they leave is not configurable yet.

use latchkey_api_types::Locale;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::errors::Findings;

/// Outgoing mail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// The address that mails come from.
    pub sender_address: String,
    /// The name beside it. When empty, the display name of the project is used.
    pub sender_name: String,
    /// The language of mails where neither the recipient nor the request nor the project says another one: `en`,
    /// `de`, `fr`, `es`, `pt`, `zh-Hans` or `ja`.
    pub locale: Locale,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self { sender_address: "noreply@localhost".into(), sender_name: String::new(), locale: Locale::En }
    }
}

impl MailConfig {
    /// The sender of mails for a project, as it stands in `From:` (RFC 5322 §3.4): `"Name" <address>`. Characters that
    /// cannot stand in such a name are left out.
    pub fn sender(&self, project_name: &str) -> String {
        let name = if self.sender_name.is_empty() { project_name } else { &self.sender_name };
        let plain: String = name.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect();
        match plain.trim() {
            "" => self.sender_address.clone(),
            name => format!("\"{name}\" <{}>", self.sender_address),
        }
    }

    pub(crate) fn validate(&self, found: &mut Findings) {
        let address = &self.sender_address;
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | '"');
        let sound = address.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && !host.is_empty() && !host.contains('@') && !address.contains(odd)
        });
        if !sound {
            found.error("mail.sender_address", "must be a mail address such as \"noreply@example.com\"");
        }
        if self.sender_name.contains(char::is_control) {
            found.error("mail.sender_name", "must be one line without control characters");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_carries_the_project_s_name_unless_one_is_set() {
        let mut mail = MailConfig { sender_address: "auth@example.com".into(), ..MailConfig::default() };
        assert_eq!(mail.sender("Demo"), "\"Demo\" <auth@example.com>");
        assert_eq!(
            mail.sender("A\" <evil@example.com>\r\nBcc: x"),
            "\"A <evil@example.com>Bcc: x\" <auth@example.com>"
        );
        assert_eq!(mail.sender(" "), "auth@example.com");
        mail.sender_name = "Example".into();
        assert_eq!(mail.sender("Demo"), "\"Example\" <auth@example.com>");
    }
}
