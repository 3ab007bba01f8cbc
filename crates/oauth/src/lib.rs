//! OAuth 2.0 and OpenID Connect rules without I/O.
//!
//! Two sides. *Upstream*, we are the client: people come with an account that they have elsewhere. An
//! [`Upstream`] describes a provider in data; from it come the address that the browser is sent to, the requests for
//! tokens and for the profile as plain values, and the checks of what comes back. *Downstream*, we are the server that
//! issues authorization codes: proof of possession ([`pkce`]) and the rules of a code ([`authorization_code`]).
//!
//! Nothing here opens a connection, reads a clock or makes random numbers: time, randomness and answers are arguments.
//!
//! ```
//! use latchkey_oauth::authorization::{Authorization, Client, returned_code};
//! use latchkey_oauth::pkce::Verifier;
//! use latchkey_oauth::upstream::{Options, Provider};
//!
//! let github = Provider::GitHub.describe(&Options::default())?;
//! let client = Client::new("our-id", "our-secret", "https://id.example/callback/github");
//! let verifier = Verifier::from_random(&[7; 32]);
//! let step = Authorization { client: &client, state: "s", nonce: "n", verifier: &verifier, extra_scopes: &[] };
//! let url = step.url(&github)?;
//! assert!(url.as_str().starts_with("https://github.com/login/oauth/authorize?response_type=code&client_id=our-id"));
//!
//! // The browser comes back:
//! let returned = [("state".to_owned(), "s".to_owned()), ("code".to_owned(), "c".to_owned())];
//! let code = returned_code(&github, &returned)?;
//! let request = github.code_request(&client, &code, &verifier)?;
//! assert_eq!(request.url.as_str(), "https://github.com/login/oauth/access_token");
//! # Ok::<(), latchkey_oauth::UpstreamError>(())
//! ```

pub mod authorization;
pub mod authorization_code;
pub mod client_secret;
pub mod discovery;
mod error;
pub mod id_token;
pub mod issuer;
pub mod key_sets;
pub mod pkce;
pub mod profile;
pub mod redirect;
pub mod request;
pub mod token;
pub mod upstream;

pub use error::UpstreamError;
pub use upstream::Upstream;
