//! Mail: one struct per message, their templates, and the transports that take them away.
//!
//! To add a message: a struct beside [`EmailVerification`], its `.txt` and `.html` in `templates/`, and its lines in
//! `template.rs`. This crate sends nothing by itself and knows nothing about users or queues.

mod api_key_revoked;
mod content;
mod dev_mailbox;
mod email_verification;
mod message;
mod team_invitation;
mod template;
mod transport;

pub use api_key_revoked::ApiKeyRevoked;
pub use content::Content;
pub use dev_mailbox::{DevMailbox, StoredMail};
pub use email_verification::EmailVerification;
pub use message::{Message, MessageError};
pub use team_invitation::TeamInvitation;
pub use transport::{SendError, Sending, Transport};
