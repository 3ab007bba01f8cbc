//! Addresses: the public URL of the server, networks, and targets that outgoing requests may reach.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use url::{Host, Url};

/// The address under which clients reach the server: `http` or `https`, a host, perhaps a port and a path prefix;
/// never a query, a fragment, credentials or a slash at the end. Issuers and links are made by appending to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The text without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether clients reach the server through TLS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Whether the host is this machine: `localhost`, a name below it, or a loopback address.
    pub fn is_local(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
            Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
            None => false,
        })
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("must start with https:// or http://".into());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("must not have a query or fragment".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not contain a user name or password".into());
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

super::text_value!(PublicUrl, "PublicUrl", { "format": "uri", "pattern": "^https?://" });

/// An address range such as `10.0.0.0/8` or `fd00::/8`; a single address stands for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Whether `address` lies inside. An IPv4 address mapped into IPv6 counts as the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Self(network.trunc()));
        }
        text.parse::<IpAddr>()
            .map(|address| Self(IpNet::from(address)))
            .map_err(|_| "must be an address range such as \"10.0.0.0/8\"".to_owned())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

super::text_value!(Network, "Network", { "examples": ["10.0.0.0/8", "fd00::/8"] });

/// A private target that outgoing requests may reach: an address range, or a host name matched exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedTarget {
    /// Every address in the range.
    Network(Network),
    /// This host name (lower-case), whatever address it has.
    Host(String),
}

impl FromStr for AllowedTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(network) = text.parse() {
            return Ok(Self::Network(network));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        // A name that ends in digits would be read as an IPv4 address somewhere: a typing error in a range.
        let last_is_number = text.rsplit('.').next().is_some_and(|l| l.chars().all(|c| c.is_ascii_digit()));
        if text.is_empty() || last_is_number || !text.chars().all(allowed) {
            return Err("must be a host name or an address range such as \"10.0.0.0/8\"".into());
        }
        Ok(Self::Host(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for AllowedTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Host(name) => f.write_str(name),
        }
    }
}

super::text_value!(AllowedTarget, "AllowedTarget", { "examples": ["10.0.0.0/8", "idp.internal"] });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_loses_its_last_slash_and_keeps_its_prefix() {
        let parse = |text: &str| text.parse::<PublicUrl>().map(|url| url.to_string());
        assert_eq!(parse("https://auth.example.com/"), Ok("https://auth.example.com".into()));
        assert_eq!(parse("https://example.com/auth/"), Ok("https://example.com/auth".into()));
        assert_eq!(parse("HTTP://LOCALHOST:8080"), Ok("http://localhost:8080".into()));
        for bad in
            ["auth.example.com", "ftp://a", "https://a/?q=1", "https://a/#f", "https://u:p@a/", "https://"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn networks_contain_their_addresses_also_when_mapped_into_ipv6() {
        let network: Network = "10.1.2.3/8".parse().unwrap();
        assert_eq!(network.to_string(), "10.0.0.0/8");
        assert!(network.contains("10.255.0.1".parse().unwrap()));
        assert!(network.contains("::ffff:10.0.0.1".parse().unwrap()));
        assert!(!network.contains("11.0.0.1".parse().unwrap()));
        assert!("::1".parse::<Network>().unwrap().contains("::1".parse().unwrap()));
        assert!("10.0.0.0/33".parse::<Network>().is_err());
    }

    #[test]
    fn allowed_targets_are_ranges_or_names() {
        assert!(matches!("192.168.0.0/16".parse(), Ok(AllowedTarget::Network(_))));
        assert_eq!("IdP.internal".parse(), Ok(AllowedTarget::Host("idp.internal".into())));
        for bad in ["", "10.0.0.0/99", "10.0.0", "http://idp.internal", "a b"] {
            assert!(bad.parse::<AllowedTarget>().is_err(), "{bad}");
        }
    }
}
