//! `[outgoing]`: what requests of the server to the outside may reach.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::AllowedTarget;

/// Requests that the server makes itself: to OAuth providers, webhooks, the breach check.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OutgoingConfig {
    /// Private, loopback and link-local targets that may be reached all the same: address ranges or host names.
    /// Without it only public addresses are.
    pub allow_private_addresses: Vec<AllowedTarget>,
}
