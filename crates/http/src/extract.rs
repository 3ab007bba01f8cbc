//! What a handler takes from a request, by the types of its arguments.
//!
//! Every extractor runs before the handler, and the violations of all of them are reported together. The same
//! types declare the operation's parameters and body in the OpenAPI document.

use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;
use latchkey_api_types::input::{Input, InputLimits, Location, Violations};
use latchkey_api_types::session::EndUserIpInfo;
use latchkey_config::ServerConfig;
use latchkey_identity::sign_in::Origin;
use serde_json::Value;

use crate::body::{self, Body as ParsedBody};
use crate::client_address::{client_address, end_user};
use crate::openapi::Declaration;

/// A request whose header authentication has succeeded and whose body is parsed.
pub struct Request {
    /// The method.
    pub method: http::Method,
    /// Path and query, as received.
    pub uri: http::Uri,
    /// All headers.
    pub headers: HeaderMap,
    /// The parsed body.
    pub body: ParsedBody,
    /// The header `x-stack-refresh-token`.
    pub refresh_token: Option<String>,
    pub(crate) params: Value,
    pub(crate) signed_in: bool,
    pub(crate) pretty: bool,
    pub(crate) browser: bool,
    pub(crate) limits: InputLimits,
    pub(crate) peer: IpAddr,
    pub(crate) config: Arc<ServerConfig>,
}

impl Request {
    /// The address of the client, as far as the operator's proxy can be believed; for limits and the audit log.
    pub fn client_address(&self) -> Option<IpAddr> {
        client_address(&self.config, &self.headers, self.peer)
    }

    /// From where somebody signs up or in.
    pub fn origin(&self) -> Origin {
        Origin { end_user: self.end_user(), address: self.client_address() }
    }

    /// What a session records about the end user: nothing unless a browser is calling (contract 03 section 8).
    pub fn end_user(&self) -> Option<EndUserIpInfo> {
        end_user(&self.config, &self.headers, self.peer, self.browser)
    }
}

/// Something that a handler takes as an argument.
pub trait Extract: Sized + Send + 'static {
    /// Takes it from the request, or says in `out` why that is not possible.
    fn extract(request: &Request, out: &mut Violations) -> Option<Self>;

    /// Declares it in the OpenAPI document.
    fn declare(declaration: &mut Declaration<'_>);
}

impl Extract for () {
    fn extract(_: &Request, _: &mut Violations) -> Option<Self> {
        Some(())
    }

    fn declare(_: &mut Declaration<'_>) {}
}

macro_rules! tuples {
    ($($type:ident $value:ident),+) => {
        impl<$($type: Extract),+> Extract for ($($type,)+) {
            fn extract(request: &Request, out: &mut Violations) -> Option<Self> {
                // All of them run before the first missing one ends it.
                let ($($value,)+) = ($($type::extract(request, out),)+);
                Some(($($value?,)+))
            }

            fn declare(declaration: &mut Declaration<'_>) {
                $($type::declare(declaration);)+
            }
        }
    };
}

tuples! { E1 e1 }
tuples! { E1 e1, E2 e2 }
tuples! { E1 e1, E2 e2, E3 e3 }
tuples! { E1 e1, E2 e2, E3 e3, E4 e4 }

/// The parameters of the path; `T`'s properties are named as in the pattern.
pub struct Path<T>(pub T);

impl<T: Input + Send + 'static> Extract for Path<T> {
    fn extract(request: &Request, out: &mut Violations) -> Option<Self> {
        T::read(Some(&request.params), &Location::Root("params"), out).map(Self)
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.parameters::<T>("path");
    }
}

/// The query. Operations without it ignore their query; with `Query<()>` they refuse any.
pub struct Query<T>(pub T);

impl<T: Input + Send + 'static> Extract for Query<T> {
    fn extract(request: &Request, out: &mut Violations) -> Option<Self> {
        let query = Value::Object(request.uri.query().map(body::form).unwrap_or_default());
        T::read(Some(&query), &Location::Root("query"), out).map(Self)
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.parameters::<T>("query");
    }
}

/// The body. Operations without it accept any body, or none.
pub struct Body<T>(pub T);

impl<T: Input + Send + 'static> Extract for Body<T> {
    fn extract(request: &Request, out: &mut Violations) -> Option<Self> {
        T::read(request.body.to_json().as_deref(), &Location::Root("body"), out).map(Self)
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.body::<T>();
    }
}

/// Declares that somebody must be signed in; otherwise `auth.user` is a violation (contract 01 section 4).
/// The user itself is on `call.auth`.
pub struct SignedIn;

impl Extract for SignedIn {
    fn extract(request: &Request, out: &mut Violations) -> Option<Self> {
        if !request.signed_in {
            out.add(&Location::Root("auth").property("user"), "is required: somebody must be signed in");
        }
        request.signed_in.then_some(Self)
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.header("x-stack-access-token", true, "The access token of the signed-in user.");
    }
}

/// The refresh token of a request that needs one.
pub enum RefreshToken {
    /// From the header `x-stack-refresh-token`.
    Header(String),
    /// From the property `refresh_token` of a JSON body, where the header is missing.
    Body(String),
}

impl Extract for RefreshToken {
    fn extract(request: &Request, out: &mut Violations) -> Option<Self> {
        if let Some(token) = &request.refresh_token {
            return Some(Self::Header(token.clone()));
        }
        let in_body = match &request.body {
            ParsedBody::Json(Value::Object(body)) => body.get("refresh_token"),
            _ => None,
        };
        match in_body {
            Some(Value::String(token)) if !token.is_empty() => return Some(Self::Body(token.clone())),
            Some(_) => {
                out.add(
                    &Location::Root("body").property("refresh_token"),
                    "must be a string that is not empty",
                );
            }
            None => out.add(&Location::Root("headers").property("x-stack-refresh-token"), "is required"),
        }
        None
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.header("x-stack-refresh-token", false, "Unless the body holds `refresh_token`.");
    }
}
