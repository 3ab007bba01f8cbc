//! Providers: one description each, in data. To add one: its file and its line in [`Provider`].

use crate::error::UpstreamError;
use crate::issuer::Issuer;
use crate::profile::{EmailVerified, ProfileRules, USERINFO};
use crate::request::{Request, parse};

mod generic;
mod openid;

pub use self::apple::ISSUER as APPLE_ISSUER;
pub use generic::GenericOauth;
pub use openid::OpenId;

/// How a client proves who it is at the token endpoint (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// Id and secret in the header `authorization`.
    Basic,
    /// Id and secret in the form.
    #[default]
    Post,
}

/// What is done with the ID token of a token answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IdTokenUse {
    /// There is none, or it says nothing that the profile does not.
    #[default]
    Ignored,
    /// One that is there must be good; the profile comes from elsewhere.
    CheckedIfPresent,
    /// There must be a good one.
    Required,
}

/// A call that brings a document of the profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentCall {
    /// The document's name in the rules of the profile.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// Headers beside the access token; `{client_id}` stands for our client id.
    pub headers: Vec<(String, String)>,
}

impl DocumentCall {
    fn request(&self, client_id: &str, access_token: &str) -> Result<Request, UpstreamError> {
        let mut request = Request::get(&self.url)?.with_bearer(access_token);
        for (name, value) in &self.headers {
            request.headers.push((name.clone(), value.replace("{client_id}", client_id)));
        }
        Ok(request)
    }
}

/// Everything that is particular about a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upstream {
    /// Its name in logs.
    pub name: String,
    /// Who it says it is, in ID tokens and in redirects (RFC 9207). Empty if it is not known to say so.
    pub issuers: Vec<Issuer>,
    /// Whether each redirect from it names the issuer (RFC 9207 §3).
    pub announces_issuer: bool,
    /// Where the browser is sent.
    pub authorization_endpoint: String,
    /// Where codes are redeemed.
    pub token_endpoint: String,
    /// Where the keys of its ID tokens are.
    pub jwks_uri: Option<String>,
    /// What is done with its ID tokens.
    pub id_token: IdTokenUse,
    /// Audiences that may stand beside us in its ID tokens.
    pub trusted_audiences: Vec<String>,
    /// Whether it knows PKCE (RFC 7636).
    pub has_pkce: bool,
    /// Scopes that are always asked for.
    pub scopes: Vec<String>,
    /// Short names of scopes, each with the name by which its answers call the scope.
    pub scope_aliases: Vec<(String, String)>,
    /// Parameters of the authorization request that are its own.
    pub authorize_parameters: Vec<(String, String)>,
    /// How clients authenticate.
    pub client_authentication: ClientAuthentication,
    /// The calls that bring the profile.
    pub documents: Vec<DocumentCall>,
    /// A call that any good access token opens, where it is none of those.
    pub token_check: Option<DocumentCall>,
    /// How to read the profile.
    pub profile: ProfileRules,
    /// How long its access tokens live if it does not say, seconds.
    pub assumed_lifetime_seconds: Option<i64>,
}

impl Upstream {
    /// The requests that bring the profile, each with the name of its document, in order.
    ///
    /// # Errors
    /// [`UpstreamError::Misconfigured`] for an endpoint that is no URL.
    pub fn document_requests(
        &self,
        client_id: &str,
        access_token: &str,
    ) -> Result<Vec<(&str, Request)>, UpstreamError> {
        self.documents
            .iter()
            .map(|call| Ok((call.name.as_str(), call.request(client_id, access_token)?)))
            .collect()
    }

    /// The request whose answer says whether an access token is still good; see
    /// [`is_accepted`](crate::token::is_accepted). `None` if the provider has no place to ask at.
    ///
    /// # Errors
    /// [`UpstreamError::Misconfigured`] for an endpoint that is no URL.
    pub fn check_request(
        &self,
        client_id: &str,
        access_token: &str,
    ) -> Result<Option<Request>, UpstreamError> {
        let call = self.token_check.as_ref().or_else(|| self.documents.first());
        call.map(|call| call.request(client_id, access_token)).transpose()
    }

    /// The name by which answers of the provider call a scope.
    pub fn scope_name<'s>(&'s self, scope: &'s str) -> &'s str {
        let alias = self.scope_aliases.iter().find(|(short, _)| short == scope);
        alias.map_or(scope, |(_, name)| name)
    }

    /// Whether the provider comes back by a form that the browser sends, instead of by a redirect.
    pub fn comes_back_by_form(&self) -> bool {
        self.authorize_parameters.iter().any(|(name, value)| name == "response_mode" && value == "form_post")
    }

    /// That all addresses can be used.
    ///
    /// # Errors
    /// [`UpstreamError::Misconfigured`].
    pub fn check(&self) -> Result<(), UpstreamError> {
        let own = [&self.authorization_endpoint, &self.token_endpoint];
        let all = own
            .into_iter()
            .chain(&self.jwks_uri)
            .chain(self.documents.iter().chain(&self.token_check).map(|call| &call.url));
        for url in all {
            parse(url)?;
        }
        Ok(())
    }
}

/// What a project sets about a provider beside its credentials.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// Microsoft: the tenant.
    pub microsoft_tenant: Option<&'a str>,
    /// Facebook: the id of a configuration of Facebook Login for Business.
    pub facebook_config_id: Option<&'a str>,
    /// GitHub and GitLab: where a server of one's own is.
    pub base_url: Option<&'a str>,
    /// With `base_url`: whether that server is believed that an address is verified.
    pub trusts_email_verified: bool,
}

impl Options<'_> {
    /// Where the server is: `base_url` without its last slash, or the usual place.
    fn base<'u>(&'u self, usual: &'u str) -> &'u str {
        self.base_url.map_or(usual, |url| url.trim_end_matches('/'))
    }

    /// What a server says about addresses, unless it is one of somebody's own that is not believed: there, whoever runs
    /// it decides which addresses count as verified, and some verify none.
    fn if_believed(&self, verified: EmailVerified) -> EmailVerified {
        if self.base_url.is_none() || self.trusts_email_verified { verified } else { EmailVerified::Never }
    }

    /// A tenant becomes a part of a path, so it must be an id, a domain or a word.
    fn check(&self) -> Result<(), UpstreamError> {
        if self.base_url.map(parse).transpose()?.is_some_and(|url| url.query().is_some()) {
            return Err(UpstreamError::Misconfigured("a base URL has no query"));
        }
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        let tenant = self.microsoft_tenant.unwrap_or_default();
        if tenant.len() > 255 || tenant.starts_with('.') || !tenant.bytes().all(is_plain) {
            return Err(UpstreamError::Misconfigured("the tenant is neither an id nor a domain"));
        }
        Ok(())
    }
}

/// One line for each provider that is known by name: variant, file, name.
macro_rules! providers {
    ($($variant:ident $file:ident $name:literal,)*) => {
        $(mod $file;)*

        /// The providers that are known by name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each variant is the name of a company's sign-in")]
        pub enum Provider {
            $($variant,)*
        }

        impl Provider {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name, lower-case.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The provider of this name.
            pub fn by_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|provider| provider.as_str() == name)
            }

            /// Its description.
            ///
            /// # Errors
            /// [`UpstreamError::Misconfigured`] for options that cannot be used.
            pub fn describe(self, options: &Options<'_>) -> Result<Upstream, UpstreamError> {
                options.check()?;
                Ok(match self {
                    $(Self::$variant => $file::describe($name, options),)*
                })
            }
        }
    };
}

providers! {
    Google google "google",
    GitHub github "github",
    Microsoft microsoft "microsoft",
    Spotify spotify "spotify",
    Facebook facebook "facebook",
    Discord discord "discord",
    GitLab gitlab "gitlab",
    Bitbucket bitbucket "bitbucket",
    LinkedIn linkedin "linkedin",
    Apple apple "apple",
    X x "x",
    Twitch twitch "twitch",
}

/// A list of texts.
fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// A call without headers of its own.
fn call(name: &str, url: &str) -> DocumentCall {
    DocumentCall { name: name.to_owned(), url: url.to_owned(), headers: Vec::new() }
}

/// The one call that most providers have.
fn userinfo(url: &str) -> Vec<DocumentCall> {
    vec![call(USERINFO, url)]
}

/// The rules of a profile without address.
fn profile(account_id: &str, display_name: &[&str], picture: &[&str]) -> ProfileRules {
    ProfileRules {
        account_id: account_id.to_owned(),
        display_name: texts(display_name),
        picture: texts(picture),
        ..ProfileRules::default()
    }
}

/// A flag beside an address.
fn verified_if(place: &str) -> EmailVerified {
    EmailVerified::If(place.to_owned())
}

#[cfg(test)]
mod tests;
