//! Mail: one struct per message, their templates, and the transports that take them away.
//!
//! To add a message: a struct beside [`EmailVerification`], and its words in every file of `locales/`; a test names
//! those that are missing. This crate sends nothing by itself and knows nothing about users or queues.

mod api_key_revoked;
mod catalogue;
mod content;
mod dev_mailbox;
mod email_verification;
mod frame;
mod magic_link;
mod message;
mod notice;
mod own_template;
mod pages;
mod password_reset;
mod plain_text;
mod sandbox;
mod sign_in_invitation;
mod smtp;
mod starting_points;
mod team_invitation;
mod template;
mod test_mail;
mod theme;
mod transport;

pub use api_key_revoked::ApiKeyRevoked;
pub use content::Content;
pub use dev_mailbox::{DevMailbox, StoredMail};
pub use email_verification::EmailVerification;
pub use frame::Frame;
pub use magic_link::MagicLink;
pub use message::{Message, MessageError};
pub use own_template::{OwnTemplate, Written, as_template, category, check_template, is_component};
pub use pages::unsubscribed_page;
pub use password_reset::PasswordReset;
pub use sandbox::TemplateError;
pub use sign_in_invitation::SignInInvitation;
pub use smtp::{Smtp, SmtpServer, SmtpTls, SmtpTransport};
pub use starting_points::{BuiltInMail, starting_point};
pub use team_invitation::TeamInvitation;
pub use test_mail::TestMail;
pub use theme::{BuiltInTheme, Theme, check_theme};
pub use transport::{Letter, SendError, Sending, Transport};
