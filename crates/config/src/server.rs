//! `[server]`: addresses, proxies and limits of the listeners.

use std::net::{Ipv4Addr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    errors::Findings,
    value::{Duration, Network, PublicUrl},
};

/// The listeners, the proxy in front of them, and their limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// The address under which clients reach the server, such as `https://auth.example.com`. Issuers of tokens and
    /// links in mails are made from it. `serve` needs it; `dev` takes `http://localhost:PORT`.
    pub public_url: Option<PublicUrl>,
    /// Where the public API and the pages listen. `dev` listens on 127.0.0.1 only.
    pub bind: SocketAddr,
    /// Where `/health/live`, `/health/ready` and `/metrics` listen. Keep it away from the public.
    pub observe_bind: SocketAddr,
    /// Which proxy stands in front, and so which header names the client's address. With `none`, the address of the
    /// connection counts and such headers are ignored.
    pub trusted_proxy: TrustedProxy,
    /// With `x-forwarded-for`: how many proxies of yours append to the header. The client is the entry so many
    /// places from the right.
    pub trusted_proxy_hops: u8,
    /// With `x-forwarded-for`: the address ranges of your proxies. When given, it replaces the hop count: the client
    /// is the rightmost entry outside them, and the header counts only on connections from inside them.
    pub trusted_proxy_networks: Vec<Network>,
    /// How long a request may take, from its first byte to the answer.
    pub request_timeout: Duration,
    /// How long requests in flight may take to finish after the signal to stop.
    pub shutdown_grace: Duration,
    /// The largest request body, in bytes. Profile images arrive inline and need about 1.4 MB.
    pub max_body_bytes: u32,
    /// How many connections are open at once; further ones wait to be accepted.
    pub max_connections: u32,
}

/// The proxy whose word on the client's address is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TrustedProxy {
    /// No proxy: the address of the connection counts.
    None,
    /// A proxy that appends to `X-Forwarded-For`.
    XForwardedFor,
    /// Cloudflare, which sets `CF-Connecting-IP`.
    Cloudflare,
    /// Vercel, which sets `X-Vercel-Forwarded-For`.
    Vercel,
    /// Google Cloud Run, which appends the client's address to `X-Forwarded-For`.
    Cloudrun,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            public_url: None,
            bind: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8080)),
            observe_bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 9090)),
            trusted_proxy: TrustedProxy::None,
            trusted_proxy_hops: 1,
            trusted_proxy_networks: Vec::new(),
            request_timeout: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(20),
            max_body_bytes: 2 * 1024 * 1024,
            max_connections: 10_000,
        }
    }
}

impl ServerConfig {
    pub(crate) fn validate(&self, found: &mut Findings) {
        if self.trusted_proxy_hops == 0 {
            found.error("server.trusted_proxy_hops", "must be at least 1");
        }
        if self.request_timeout < Duration::from_secs(1) {
            found.error("server.request_timeout", "must be at least 1s");
        }
        if self.max_body_bytes < 16 * 1024 {
            found.error("server.max_body_bytes", "must be at least 16384 (16 KiB)");
        }
        if self.max_connections == 0 {
            found.error("server.max_connections", "must be at least 1");
        }
        if self.bind.port() != 0 && self.bind == self.observe_bind {
            found.error("server.observe_bind", "must differ from server.bind");
        }
    }
}
