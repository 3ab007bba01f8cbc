//! One row of the route table: method, path, who may call it, and the handler.
//!
//! A row is read three times: by the router, by the OpenAPI document and by the guard tests. What it does not say
//! (parameters, body, answer) is said by the types of its handler.

use std::future::Future;
use std::pin::Pin;

use http::Method;
use latchkey_api_types::AccessType::{Admin, Client, Server};
use latchkey_api_types::input::Violations;
use latchkey_api_types::{AccessType, ErrorCode};
use latchkey_identity::{App, Failure};

use crate::call::{Call, Exchange, FromExchange, OpenCall};
use crate::extract::{Extract, Request};
use crate::failure;
use crate::openapi::Declaration;
use crate::reply::{Reply, Response};
use crate::seam::Application;

/// Every access type.
pub const ANY: &[AccessType] = &[Client, Server, Admin];
/// Client only.
pub const CLIENT: &[AccessType] = &[Client];
/// Server or higher.
pub const SERVER: &[AccessType] = &[Server, Admin];
/// Admin only.
pub const ADMIN: &[AccessType] = &[Admin];

/// What an operation answers that takes a mailed code.
pub const CODE_ERRORS: &[ErrorCode] = &[
    ErrorCode::VerificationCodeNotFound,
    ErrorCode::VerificationCodeExpired,
    ErrorCode::VerificationCodeAlreadyUsed,
    ErrorCode::VerificationCodeMaxAttemptsReached,
];

/// How freely an operation may be called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RateClass {
    /// Reads.
    #[default]
    Read,
    /// Changes what is stored.
    Write,
    /// Tests a credential: password, code, token.
    Credential,
    /// Sends mail to an address that the caller names.
    Mail,
}

impl RateClass {
    /// The word in the OpenAPI document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Credential => "credential",
            Self::Mail => "mail",
        }
    }
}

/// An operation: the row of the table.
pub struct Route<A: Application = App> {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) rate: RateClass,
    pub(crate) errors: Vec<ErrorCode>,
    pub(crate) variants: Vec<Variant<A>>,
}

/// The handler for some access types. An open operation has one variant without any.
pub(crate) struct Variant<A: Application> {
    pub(crate) access: &'static [AccessType],
    pub(crate) start: Start<A>,
    pub(crate) declare: fn(&mut Declaration<'_>),
}

/// Extracts and begins.
type Start<A> = Box<dyn Fn(Exchange<A>) -> Result<Running, Failure> + Send + Sync>;

/// A handler at work.
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<Response, Failure>> + Send>>;

impl<A: Application> Route<A> {
    fn new(method: Method, path: &'static str, summary: &'static str) -> Self {
        let rate = if method == Method::GET { RateClass::Read } else { RateClass::Write };
        Self { method, path, summary, rate, errors: Vec::new(), variants: Vec::new() }
    }

    /// `GET path`; parameters are written `{name}`.
    pub fn get(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::GET, path, summary)
    }

    /// `POST path`.
    pub fn post(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::POST, path, summary)
    }

    /// `PUT path`.
    pub fn put(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::PUT, path, summary)
    }

    /// `PATCH path`.
    pub fn patch(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::PATCH, path, summary)
    }

    /// `DELETE path`.
    pub fn delete(path: &'static str, summary: &'static str) -> Self {
        Self::new(Method::DELETE, path, summary)
    }

    /// Sets the rate-limit class; reads are `Read`, everything else `Write` unless said otherwise.
    #[must_use]
    pub fn rate(mut self, class: RateClass) -> Self {
        self.rate = class;
        self
    }

    /// The codes that this operation answers beyond those of authentication and validation. Several calls add up.
    #[must_use]
    pub fn errors(mut self, codes: &[ErrorCode]) -> Self {
        self.errors.extend_from_slice(codes);
        self
    }

    /// The handler for these access types. Several calls give several variants, each with its own body and answer.
    #[must_use]
    pub fn on<H, E>(mut self, access: &'static [AccessType], handler: H) -> Self
    where
        H: Handler<A, Call<A>, E>,
    {
        self.variants.push(Variant {
            access,
            start: Box::new(move |exchange| handler.start(exchange)),
            declare: H::declare,
        });
        self
    }

    /// The handler for everybody, with or without access type.
    #[must_use]
    pub fn open<H, E>(mut self, handler: H) -> Self
    where
        H: Handler<A, OpenCall<A>, E>,
    {
        self.variants.push(Variant {
            access: &[],
            start: Box::new(move |exchange| handler.start(exchange)),
            declare: H::declare,
        });
        self
    }

    /// The method.
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// The path below the version prefix.
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// The access types that may call it, least first; empty if it is open to everybody.
    pub fn access(&self) -> Vec<AccessType> {
        let mut all: Vec<_> = self.variants.iter().flat_map(|variant| variant.access).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// An `async fn(Call or OpenCall, up to four extractors) -> Result<impl Reply, Failure>`.
pub trait Handler<A: Application, C, E>: Send + Sync + 'static {
    /// Extracts the arguments and begins.
    fn start(&self, exchange: Exchange<A>) -> Result<Running, Failure>;

    /// Declares arguments and answer in the OpenAPI document.
    fn declare(declaration: &mut Declaration<'_>);
}

/// All arguments, or `SCHEMA_ERROR` with everything that is wrong with the request.
fn extract<E: Extract>(request: &Request) -> Result<E, Failure> {
    let mut violations = Violations::new(request.limits);
    match E::extract(request, &mut violations) {
        Some(arguments) if violations.is_empty() => Ok(arguments),
        None if violations.is_empty() => {
            Err(Failure::internal("an extractor gave neither a value nor a violation"))
        }
        _ => Err(failure::schema_error(&request.method, request.uri.path(), &violations)),
    }
}

macro_rules! handlers {
    ($($type:ident $argument:ident),*) => {
        impl<A, F, C, Fut, R, $($type),*> Handler<A, C, ($($type,)*)> for F
        where
            A: Application,
            F: Fn(C, $($type),*) -> Fut + Clone + Send + Sync + 'static,
            C: FromExchange<A>,
            $($type: Extract,)*
            Fut: Future<Output = Result<R, Failure>> + Send + 'static,
            R: Reply,
        {
            fn start(&self, exchange: Exchange<A>) -> Result<Running, Failure> {
                let ($($argument,)*) = extract::<($($type,)*)>(&exchange.request)?;
                let pretty = exchange.request.pretty;
                let (handler, call) = (self.clone(), C::from_exchange(exchange)?);
                // Called inside, so that the handler's state is not held twice.
                Ok(Box::pin(async move { handler(call, $($argument),*).await?.render(pretty) }))
            }

            fn declare(declaration: &mut Declaration<'_>) {
                <($($type,)*)>::declare(declaration);
                R::declare(declaration);
            }
        }
    };
}

handlers! {}
handlers! { E1 e1 }
handlers! { E1 e1, E2 e2 }
handlers! { E1 e1, E2 e2, E3 e3 }
handlers! { E1 e1, E2 e2, E3 e3, E4 e4 }
