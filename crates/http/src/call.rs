//! The first argument of every handler: the application, who is asking, and the request.

use std::sync::Arc;

use latchkey_identity::{App, Failure};

use crate::extract::Request;
use crate::seam::Application;

/// A request that has passed everything but its handler's extractors.
pub struct Exchange<A: Application> {
    pub(crate) app: Arc<A>,
    pub(crate) auth: Option<A::Auth>,
    pub(crate) request: Request,
}

/// A call of an operation that needs an access type, which the caller has proved.
pub struct Call<A: Application = App> {
    /// The application.
    pub app: Arc<A>,
    /// Who is asking.
    pub auth: A::Auth,
    /// The request.
    pub request: Request,
}

/// A call of an operation that is open to everybody. Credentials that were sent are valid nevertheless.
pub struct OpenCall<A: Application = App> {
    /// The application.
    pub app: Arc<A>,
    /// Who is asking, if the request says so.
    pub auth: Option<A::Auth>,
    /// The request.
    pub request: Request,
}

/// The two kinds of call.
pub trait FromExchange<A: Application>: Sized + Send + 'static {
    /// Makes the call.
    fn from_exchange(exchange: Exchange<A>) -> Result<Self, Failure>;
}

impl<A: Application> FromExchange<A> for Call<A> {
    fn from_exchange(Exchange { app, auth, request }: Exchange<A>) -> Result<Self, Failure> {
        match auth {
            Some(auth) => Ok(Self { app, auth, request }),
            None => Err(Failure::internal("an operation with access types was reached without one")),
        }
    }
}

impl<A: Application> FromExchange<A> for OpenCall<A> {
    fn from_exchange(Exchange { app, auth, request }: Exchange<A>) -> Result<Self, Failure> {
        Ok(Self { app, auth, request })
    }
}
