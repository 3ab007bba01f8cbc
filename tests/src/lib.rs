//! What the tests of the whole server share: people and their tokens, the operations that the server declares,
//! what is stored, a receiver of webhooks, and requests that no HTTP client would send.

pub mod authenticator;
pub mod forge;
pub mod mail;
pub mod mail_server;
pub mod oauth;
pub mod oauth_provider;
pub mod operations;
pub mod owners;
pub mod passkeys;
pub mod people;
pub mod provider;
pub mod raw;
pub mod receiver;
pub mod second_factors;
pub mod stored;
pub mod svix_server;
pub mod teams;
pub mod tokens;

pub use futures_util::future::join_all;
