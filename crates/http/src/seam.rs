//! The narrow seam to the use cases: all that the protocol itself asks of them.
//!
//! Handlers call `latchkey_identity` directly; this trait exists so that the protocol can be tested without it.

use std::future::Future;

use latchkey_api_types::AccessType;
use latchkey_api_types::input::InputLimits;
use latchkey_identity::{App, Auth, Credentials, Failure};

/// What the protocol layer needs of an application.
pub trait Application: Send + Sync + 'static {
    /// A request whose keys were accepted.
    type Auth: Send + Sync + 'static;

    /// Random bytes, for request ids.
    fn fill(&self, bytes: &mut [u8]);

    /// Decides from the headers who is asking (contract 01 section 4).
    fn authenticate(
        &self,
        credentials: &Credentials<'_>,
    ) -> impl Future<Output = Result<Option<Self::Auth>, Failure>> + Send;

    /// The privilege that was proved.
    fn access(auth: &Self::Auth) -> AccessType;

    /// Whether somebody is signed in.
    fn signed_in(auth: &Self::Auth) -> bool;

    /// The project, as text.
    fn project(auth: &Self::Auth) -> &str;

    /// The signed-in user, as text.
    fn user(auth: &Self::Auth) -> Option<String>;

    /// Limits on values that the project sets.
    fn input_limits(auth: &Self::Auth) -> InputLimits;
}

impl Application for App {
    type Auth = Auth;

    fn fill(&self, bytes: &mut [u8]) {
        self.random.fill(bytes);
    }

    async fn authenticate(&self, credentials: &Credentials<'_>) -> Result<Option<Auth>, Failure> {
        latchkey_identity::authenticate(self, credentials).await
    }

    fn access(auth: &Auth) -> AccessType {
        auth.access
    }

    fn signed_in(auth: &Auth) -> bool {
        auth.user.is_some()
    }

    fn project(auth: &Auth) -> &str {
        auth.project.id.as_str()
    }

    fn user(auth: &Auth) -> Option<String> {
        auth.user_id().map(|id| id.to_string())
    }

    fn input_limits(auth: &Auth) -> InputLimits {
        InputLimits { password_chars: auth.project.settings.latchkey.password.max_length as usize }
    }
}
