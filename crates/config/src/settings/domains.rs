//! `domains`: where users may be sent back to, and the rule by which a redirect target is trusted.
//!
//! Targets are compared as parsed URLs, never as text.

use std::{collections::BTreeMap, net::Ipv4Addr, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{ProjectSettings, is_entry_id};
use crate::errors::Findings;

/// Where users may be sent back to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct DomainsSettings {
    /// Whether `localhost`, names below it and 127.0.0.0/8 are trusted, with any scheme and port.
    pub allow_localhost: bool,
    /// The trusted domains by an id of your choice.
    pub trusted_domains: BTreeMap<String, TrustedDomain>,
}

/// One trusted domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct TrustedDomain {
    /// Scheme, host and perhaps port, such as `https://app.example.com`. In the host, `*` stands for any characters
    /// but a dot and `**` for any characters: `https://*.example.com`. Path and query do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Where the client library's pages live on that domain.
    pub handler_path: String,
}

impl Default for TrustedDomain {
    fn default() -> Self {
        Self { base_url: None, handler_path: "/handler".into() }
    }
}

/// The parsed form of a trusted domain's `base_url`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainPattern {
    scheme: String,
    host: String,
    port: Option<u16>,
}

/// The longest pattern and handler path.
const LONGEST: usize = 300;

impl FromStr for DomainPattern {
    type Err = &'static str;

    /// Reads and checks a pattern. The error is the rest of a sentence that starts with the key.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > LONGEST {
            return Err("must be at most 300 characters");
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err("must not contain spaces, control characters or backslashes");
        }
        let (scheme, rest) =
            text.split_once("://").ok_or("must have a scheme, such as \"https://app.example.com\"")?;
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.is_empty() {
            return Err("must have a host");
        }
        if authority.contains('@') {
            return Err("must not contain a user name or password");
        }
        if authority.contains('%') {
            return Err("must not contain percent-encoded characters in the host");
        }
        let wild = authority.contains('*');
        if scheme.contains('*')
            || tail.contains('*')
            || authority.split_once(':').is_some_and(|(_, p)| p.contains('*'))
        {
            return Err("may have wildcards only in the host");
        }
        if wild && !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
            return Err("may use wildcards only with http:// or https://");
        }
        // The URL parser leaves `*` in a host alone and brings the rest of it to its canonical form.
        let url = Url::parse(text).map_err(|_| "is not a URL")?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("must have a host")?;
        if !host.starts_with('[') && host.split('.').any(str::is_empty) {
            return Err("must not have leading, trailing or double dots in the host");
        }
        Ok(Self { scheme: url.scheme().to_owned(), host: host.to_owned(), port: url.port_or_known_default() })
    }
}

impl DomainPattern {
    /// Whether `url` lies on this domain: the same scheme, a host that matches, and the same port, where a missing
    /// port means the default one of the scheme.
    pub fn matches(&self, url: &Url) -> bool {
        url.scheme() == self.scheme
            && url.port_or_known_default() == self.port
            && url.host_str().is_some_and(|host| glob(self.host.as_bytes(), host.as_bytes()))
    }
}

/// Matches a whole host against a pattern in which `*` is any run of bytes without a dot and `**` any run at all.
///
/// Works along the pattern with the set of host positions reached so far, so that no pattern makes it slow.
fn glob(pattern: &[u8], host: &[u8]) -> bool {
    let mut reached = vec![false; host.len() + 1];
    reached[0] = true;
    let mut rest = pattern;
    while let Some((&first, after)) = rest.split_first() {
        if first == b'*' {
            let (any, after) = match after.split_first() {
                Some((b'*', after)) => (true, after),
                _ => (false, after),
            };
            for at in 0..host.len() {
                reached[at + 1] |= reached[at] && (any || host[at] != b'.');
            }
            rest = after;
        } else {
            for at in (0..host.len()).rev() {
                reached[at + 1] = reached[at] && host[at] == first;
            }
            reached[0] = false;
            rest = after;
        }
    }
    reached[host.len()]
}

/// Schemes that run or carry content instead of naming a place; `javascript://localhost/` is a URL.
const SCRIPT_SCHEMES: [&str; 5] = ["javascript", "data", "vbscript", "blob", "about"];

impl ProjectSettings {
    /// Whether users may be sent to `url`: it is on localhost and that is allowed, or on a trusted domain. A URL with
    /// a user name or password is never trusted, as people read it wrongly.
    ///
    /// Send people to `url.as_str()`, never to the text that it was parsed from: other parsers may read that text
    /// differently (a backslash before an `@`, for one).
    pub fn trusts_redirect(&self, url: &Url) -> bool {
        if !url.username().is_empty() || url.password().is_some() || SCRIPT_SCHEMES.contains(&url.scheme()) {
            return false;
        }
        if self.domains.allow_localhost && url.host_str().is_some_and(is_localhost) {
            return true;
        }
        self.domains
            .trusted_domains
            .values()
            .filter_map(|domain| domain.base_url.as_deref()?.parse::<DomainPattern>().ok())
            .any(|pattern| pattern.matches(url))
    }
}

fn is_localhost(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

impl DomainsSettings {
    pub(super) fn validate(&self, at: &str, found: &mut Findings) {
        for (id, domain) in &self.trusted_domains {
            let at = format!("{at}.trustedDomains.{id}");
            if !is_entry_id(id) {
                found.error(&at, "must be named by letters, digits, \"_\" and \"-\", 63 at most");
            }
            if let Some(Err(message)) = domain.base_url.as_deref().map(str::parse::<DomainPattern>) {
                found.error(format!("{at}.baseUrl"), message);
            }
            if !domain.handler_path.starts_with('/') || domain.handler_path.len() > LONGEST {
                found.error(
                    format!("{at}.handlerPath"),
                    "must start with \"/\" and be at most 300 characters",
                );
            }
        }
    }
}

#[cfg(test)]
#[path = "domains/tests.rs"]
mod tests;
