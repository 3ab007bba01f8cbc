//! Latchkey's wire types: ids, request and response JSON per access level, the known-error table.
//!
//! This crate owns the shape of everything that crosses the wire and refuses to know how any of it is decided,
//! stored or transported: it has no I/O, no clock and no randomness.

pub mod access;
pub mod api_key;
pub mod auth;
pub mod cli_login;
pub mod configuration;
pub mod connected_account;
pub mod contact_channel;
pub mod data_vault;
pub mod email;
pub mod email_draft;
pub mod email_template;
pub mod email_theme;
pub mod error;
pub mod ids;
pub mod image;
pub mod input;
pub mod key_sets;
pub mod list;
pub mod locale;
pub mod mfa;
pub mod notification;
pub mod oauth_account;
pub mod outbox;
pub mod passkey;
pub mod permission;
pub mod project;
mod schema;
pub mod session;
pub mod sign_up_rules;
pub mod team;
pub mod timestamps;
pub mod user;
pub mod webhook;

#[doc(hidden)]
pub use {schemars, serde, serde_json};

pub use access::AccessType;
pub use error::{ErrorCode, KnownError};
pub use ids::{
    AuditEventId, ContactChannelId, EmailId, KeySetId, OneTimeCodeId, ProjectId, SessionId, TeamId, UserId,
};
pub use locale::Locale;
