//! The one place that knows how storage, use cases, mail and HTTP fit together.
//!
//! Every verb that touches data comes through here. Nothing here decides anything: it builds the parts from the
//! configuration, starts them in order and stops them in the opposite one.

#![expect(clippy::unused_async, reason = "what these functions wait for is not connected yet")]

use latchkey_config::{Config, SecretText};
use serde_json::Value;

use crate::{doctor::Finding, output::Failed};

/// What the server is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `dev`: mail stays in a mailbox, and its pages exist.
    Development,
    /// `serve`.
    Production,
}

/// A server that accepts requests.
#[derive(Debug)]
pub struct Running {
    base_url: String,
}

impl Running {
    /// The address under which clients reach it, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Accepts no more connections, finishes requests in flight within `server.shutdown_grace`, writes what is in
    /// memory, and closes the database.
    pub async fn stop(self) {}
}

/// How much `keys rotate` did.
#[derive(Debug, Default)]
pub(crate) struct Rotated {
    pub signing_keys: u64,
    pub resealed: u64,
}

fn unconnected() -> Failed {
    Failed::new("this build is not connected to its storage yet")
}

/// Starts the server: database and migrations, declared projects, then both listeners. It accepts requests when this
/// returns.
pub(crate) async fn start(config: Config, mode: Mode) -> Result<Running, Failed> {
    let _ = (config, mode);
    Err(unconnected())
}

/// Applies missing migrations and returns their names.
pub(crate) async fn migrate(config: &Config) -> Result<Vec<String>, Failed> {
    let _ = config;
    Err(unconnected())
}

/// What only a look into the database can tell: reachable, current, whole, its secrets readable.
pub(crate) async fn examine(config: &Config) -> Vec<Finding> {
    let _ = config;
    Vec::new()
}

/// Creates a user of project `internal` who administers the declared projects; returns the id.
pub(crate) async fn create_admin(
    config: &Config,
    email: &str,
    display_name: Option<&str>,
    password: &SecretText,
) -> Result<String, Failed> {
    let _ = (config, email, display_name, password);
    Err(unconnected())
}

/// Replaces signing keys, of one project or all, and seals again what another master key than the first sealed.
pub(crate) async fn rotate_keys(config: &Config, project: Option<&str>) -> Result<Rotated, Failed> {
    let _ = (config, project);
    Err(unconnected())
}

/// The OpenAPI document.
pub(crate) fn openapi() -> Result<Value, Failed> {
    Err(unconnected())
}

/// The source of random bytes for what the verbs make themselves.
pub(crate) fn random() -> Result<impl Fn(&mut [u8]), Failed> {
    Err::<fn(&mut [u8]), _>(unconnected())
}
