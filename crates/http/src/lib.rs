//! The HTTP interface: routes, protocol, rendering.
//!
//! Owns everything between a socket and a use case: accepting, limits, routing, reading, authenticating headers,
//! validating, rendering. A handler is extract → one call on `latchkey_identity` → render; the rules live there.
//! Refuses SQL, secrets at rest and decisions about users.

pub mod api;
mod body;
mod call;
mod client_address;
pub mod docs;
mod extract;
mod failure;
mod headers;
mod json;
mod metrics;
mod observe;
pub mod openapi;
pub mod pages;
mod reply;
mod route;
mod router;
mod seam;
mod serve;
mod service;
mod standard_headers;

pub use body::Body as ParsedBody;
pub use call::{Call, Exchange, FromExchange, OpenCall};
pub use extract::{Body, Extract, Path, Query, RefreshToken, Request, SignedIn};
pub use metrics::Metrics;
pub use observe::{Observe, Readiness};
pub use reply::{Cached, Created, Json, OauthJson, Redirect, Reply, Response, Success, Text};
pub use route::{ADMIN, ANY, CLIENT, Handler, RateClass, Route, SERVER};
pub use seam::Application;
pub use serve::{Limits, Respond, serve};
pub use service::Service;

#[cfg(test)]
mod tests;
