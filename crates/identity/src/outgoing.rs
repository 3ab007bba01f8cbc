//! Outgoing HTTP: the one client. It follows no redirects, reads bounded answers in bounded time, and connects to
//! public addresses only, unless the configuration names exceptions. Names are resolved once and the connection goes
//! to the address that was checked, so that a name cannot change its mind in between.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use url::{Host, Url};

use latchkey_config::AllowedTarget;

/// Why a request did not bring an answer.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// The URL is not one that this server may call.
    #[error("the address of {0} is not one that this server may call; see outgoing.allow_private_addresses")]
    Forbidden(String),
    /// The answer was longer than allowed.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// The other side answered with an error status.
    #[error("the answer has status {0}")]
    Status(u16),
    /// The request failed on its way.
    #[error("{0}")]
    Transport(String),
}

/// What the other side said.
#[derive(Debug)]
pub struct OutgoingAnswer {
    /// The status.
    pub status: u16,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

/// The whole of what the other side said.
#[derive(Debug)]
pub struct OutgoingReply {
    /// The status.
    pub status: u16,
    /// The header `content-type`.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why a request got no answer, with the reasons behind the reason but without the URL, which may hold secrets.
fn said(error: &reqwest::Error) -> OutgoingError {
    let mut text = if error.is_timeout() { "it took too long".to_owned() } else { "it failed".to_owned() };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    OutgoingError::Transport(text)
}

/// Hosts and address ranges that may be called although they are private.
pub type Exceptions = Vec<AllowedTarget>;

/// Whether an address may be called: it is public, or in a range that is excepted.
fn may_call(exceptions: &[AllowedTarget], address: IpAddr) -> bool {
    let excepted =
        |target: &AllowedTarget| matches!(target, AllowedTarget::Network(range) if range.contains(address));
    is_public(address) || exceptions.iter().any(excepted)
}

/// The guarded client. Cheap to clone.
#[derive(Clone)]
pub struct Outgoing {
    client: reqwest::Client,
    exceptions: Arc<Exceptions>,
}

impl Outgoing {
    /// Builds the client; `exceptions` are targets that may be private.
    ///
    /// # Errors
    /// When the TLS set-up of the machine cannot be used.
    pub fn new(exceptions: Exceptions) -> Result<Self, OutgoingError> {
        let exceptions = Arc::new(exceptions);
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .dns_resolver(Arc::new(GuardedResolver { exceptions: Arc::clone(&exceptions) }))
            .build()
            .map_err(|error| OutgoingError::Transport(error.to_string()))?;
        Ok(Self { client, exceptions })
    }

    /// GETs a text of at most `max_bytes`.
    pub async fn get_text(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        timeout: Duration,
        max_bytes: usize,
    ) -> Result<String, OutgoingError> {
        let transport = |error: reqwest::Error| OutgoingError::Transport(error.without_url().to_string());
        let url = Url::parse(url).map_err(|_| OutgoingError::Forbidden(url.to_owned()))?;
        self.check(&url)?;
        let mut request = self.client.get(url).timeout(timeout);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.send().await.map_err(transport)?;
        if !response.status().is_success() {
            return Err(OutgoingError::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            if body.len() + chunk.len() > max_bytes {
                return Err(OutgoingError::TooLong(max_bytes));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// Sends a request, a POST if it has a body, and reads its answer whatever the status.
    ///
    /// # Errors
    /// [`OutgoingError`]; an answer of more than `max_bytes` is refused.
    pub async fn send(
        &self,
        url: Url,
        headers: &[(String, String)],
        body: Option<String>,
        timeout: Duration,
        max_bytes: usize,
    ) -> Result<OutgoingReply, OutgoingError> {
        self.check(&url)?;
        let request = if body.is_some() { self.client.post(url) } else { self.client.get(url) };
        let mut request = request.timeout(timeout);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let mut response = request.send().await.map_err(|error| said(&error))?;
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type");
        let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| said(&error))? {
            if body.len() + chunk.len() > max_bytes {
                return Err(OutgoingError::TooLong(max_bytes));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(OutgoingReply { status, content_type, body })
    }

    /// POSTs a body and reads at most `max_bytes` of the answer, whatever its status; the rest is not read.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: String,
        timeout: Duration,
        max_bytes: usize,
    ) -> Result<OutgoingAnswer, OutgoingError> {
        let url = Url::parse(url).map_err(|_| OutgoingError::Forbidden(url.to_owned()))?;
        self.check(&url)?;
        let mut request = self.client.post(url).timeout(timeout).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.send().await.map_err(|error| said(&error))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        // The status is what counts: an answer that breaks off or drags on is cut where it stops.
        while body.len() < max_bytes {
            let Ok(Some(chunk)) = response.chunk().await else { break };
            body.extend_from_slice(&chunk[..chunk.len().min(max_bytes - body.len())]);
        }
        Ok(OutgoingAnswer { status, body })
    }

    /// The addresses of a host that may be connected to, for what does not speak HTTP. Connect to these and do not look
    /// the name up again.
    ///
    /// # Errors
    /// [`OutgoingError::Forbidden`] if it has none, [`OutgoingError::Transport`] if it is not known.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, OutgoingError> {
        let host = host.trim().trim_end_matches('.');
        // What looks like an address is one, in whatever spelling.
        let literal = match Host::parse(host) {
            Ok(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Ok(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => host.parse().ok(),
        };
        if let Some(address) = literal {
            return if may_call(&self.exceptions, address) {
                Ok(vec![SocketAddr::new(address, port)])
            } else {
                Err(OutgoingError::Forbidden(host.to_owned()))
            };
        }
        let found = allowed(&self.exceptions, host, port).await;
        let addresses = found.map_err(|error| OutgoingError::Transport(error.to_string()))?;
        if addresses.is_empty() { Err(OutgoingError::Forbidden(host.to_owned())) } else { Ok(addresses) }
    }

    /// Whether the host of a URL is among the exceptions: then it is a machine of the operator's.
    pub fn excepts(&self, url: &Url) -> bool {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(host)) => {
                let named = |target: &AllowedTarget| matches!(target, AllowedTarget::Host(name) if name.eq_ignore_ascii_case(host));
                return self.exceptions.iter().any(named);
            }
            None => return false,
        };
        let ranged = |target: &AllowedTarget| matches!(target, AllowedTarget::Network(range) if range.contains(address));
        self.exceptions.iter().any(ranged)
    }

    /// Literal addresses never reach the resolver, so they are checked here.
    ///
    /// # Errors
    /// [`OutgoingError::Forbidden`] for private addresses and for schemes other than http and https.
    pub fn check(&self, url: &Url) -> Result<(), OutgoingError> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) if matches!(url.scheme(), "http" | "https") => return Ok(()),
            _ => return Err(OutgoingError::Forbidden(url.host_str().unwrap_or_default().to_owned())),
        };
        if matches!(url.scheme(), "http" | "https") && may_call(&self.exceptions, address) {
            Ok(())
        } else {
            Err(OutgoingError::Forbidden(address.to_string()))
        }
    }
}

struct GuardedResolver {
    exceptions: Arc<Exceptions>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let exceptions = Arc::clone(&self.exceptions);
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let addresses = allowed(&exceptions, &host, 0).await?;
            if addresses.is_empty() {
                return Err(Box::new(OutgoingError::Forbidden(host)).into());
            }
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

/// The addresses of a name that may be called.
async fn allowed(exceptions: &[AllowedTarget], host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
    let named = |target: &AllowedTarget| matches!(target, AllowedTarget::Host(name) if name.eq_ignore_ascii_case(host));
    let excepted = exceptions.iter().any(named);
    let found = tokio::net::lookup_host((host, port)).await?;
    Ok(found.filter(|address| excepted || may_call(exceptions, address.ip())).collect())
}

/// Whether an address is one of the public internet, by the special-purpose registries of RFC 6890.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (b == 18 || b == 19)))
        }
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            if let Some(v4) = v6.to_ipv4_mapped() {
                return is_public(IpAddr::V4(v4));
            }
            // Global unicast only, less documentation and the ranges that carry an IPv4 address inside.
            (segments[0] & 0xe000) == 0x2000
                && !(segments[0] == 0x2001 && (segments[1] == 0xdb8 || segments[1] < 0x200))
                && segments[0] != 0x2002
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_special_addresses_are_not_public() {
        let private = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.0.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "2002:7f00:1::",
            "2001::1",
            "64:ff9b::7f00:1",
            "ff02::1",
        ];
        for address in private {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn hosts_lead_to_private_addresses_by_no_spelling() {
        let outgoing = Outgoing::new(Vec::new()).unwrap();
        for host in [
            "127.0.0.1",
            "2130706433",
            "0x7f.1",
            "localhost",
            "::1",
            "[::1]",
            "::ffff:10.0.0.1",
            "127.0.0.1.",
        ] {
            assert!(outgoing.resolve(host, 25).await.is_err(), "{host}");
        }
        let outgoing =
            Outgoing::new(vec!["127.0.0.1".parse().unwrap(), "localhost".parse().unwrap()]).unwrap();
        assert_eq!(outgoing.resolve("127.0.0.1", 25).await.unwrap(), ["127.0.0.1:25".parse().unwrap()]);
        assert!(outgoing.resolve("localhost", 25).await.is_ok());
        assert!(outgoing.resolve("127.0.0.2", 25).await.is_err());
        assert_eq!(outgoing.resolve("1.1.1.1", 25).await.unwrap().len(), 1);
    }

    #[test]
    fn literal_private_addresses_and_odd_schemes_are_refused_before_a_connection() {
        let outgoing = Outgoing::new(vec!["127.0.0.2".parse().unwrap()]).unwrap();
        let check = |url: &str| outgoing.check(&Url::parse(url).unwrap()).is_ok();
        assert!(!check("http://127.0.0.1/"));
        assert!(!check("http://2130706433/"));
        assert!(!check("http://[::ffff:127.0.0.1]/"));
        assert!(!check("file:///etc/passwd"));
        assert!(check("http://127.0.0.2/"));
        assert!(check("https://example.com/"));
    }
}
