//! `auth.oauth.providers`: accounts of which services sign in. Owns their settings and what may be written there; what a
//! service is like is said in `latchkey-oauth`.

mod provider_type;

use std::collections::BTreeMap;
use std::ops::Not;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

pub use self::provider_type::ProviderType;
use crate::{errors::Findings, value::SecretText};

/// One provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct OAuthProviderSettings {
    /// Whose provider it is. An entry without type does not exist.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub provider_type: Option<ProviderType>,
    /// Whether users may sign in through it.
    pub allow_sign_in: bool,
    /// Whether users may connect an account for use by the application.
    pub allow_connected_accounts: bool,
    /// Whether the server's own development credentials are used.
    pub is_shared: bool,
    /// The client id at the provider; required unless shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The client secret at the provider; required unless shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<SecretText>,
    /// Facebook only: the configuration id of Facebook Login for Business.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facebook_config_id: Option<String>,
    /// Microsoft only: the tenant whose accounts may sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub microsoft_tenant_id: Option<String>,
    /// Apple only: bundles of native apps that sign in.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub apple_bundles: BTreeMap<String, AppleBundle>,
    /// GitHub and GitLab only: where a server of your own is, such as `https://git.example.com`. Its provider comes back
    /// to `/api/v1/auth/oauth/callback/` and the id of this entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Type `oidc`, and servers of your own: whether an address counts as verified where the provider says so. Whoever
    /// can have any address verified there can then become any user here.
    #[serde(skip_serializing_if = "Not::not")]
    pub trust_email_verified: bool,
    /// Type `oidc` only, and required there: the issuer, as its discovery document says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Type `oauth2` only, and required there: where the browser is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    /// Type `oauth2` only, and required there: where codes are redeemed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// Type `oauth2` only, and required there: where the profile is, a JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_endpoint: Option<String>,
    /// Types `oidc` and `oauth2` only: the scopes that are asked for. For `oidc`, `openid` is always among them, and
    /// `openid email profile` are asked for if there are none here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Types `oidc` and `oauth2` only: how the client id and secret are sent to the token endpoint; without it as the
    /// discovery document says, and for `oauth2` in the form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth: Option<TokenEndpointAuth>,
    /// Type `oauth2` only: whether PKCE is used (RFC 7636). It is unless this is false, for servers that refuse it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pkce: Option<bool>,
    /// Type `oauth2` only: which members of the profile say what.
    #[serde(skip_serializing_if = "ProfileMembers::is_empty")]
    pub profile: ProfileMembers,
}

/// Members of the answer of a userinfo endpoint: names, deeper ones behind `/`, positions in lists by number, and
/// `[primary=true]` for the entry of a list that has such a member: `data/0/id`, `emails/[primary=true]/email`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ProfileMembers {
    /// Where the id of the account stands, which never changes and is nobody else's. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Where the address stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where it stands that the address is verified, as true. Without it addresses count as unverified. Whoever can have
    /// any address verified there can become any user here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<String>,
    /// Where the name to show stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the address of a picture stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

/// How the client id and secret are sent to the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenEndpointAuth {
    /// In the header `authorization`.
    ClientSecretBasic,
    /// In the form.
    ClientSecretPost,
}

/// A native app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct AppleBundle {
    /// Its bundle id, such as `com.example.app`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle_id: Option<String>,
}

impl Default for OAuthProviderSettings {
    fn default() -> Self {
        Self {
            provider_type: None,
            allow_sign_in: false,
            allow_connected_accounts: false,
            is_shared: true,
            client_id: None,
            client_secret: None,
            facebook_config_id: None,
            microsoft_tenant_id: None,
            apple_bundles: BTreeMap::new(),
            base_url: None,
            trust_email_verified: false,
            issuer: None,
            authorization_endpoint: None,
            token_endpoint: None,
            userinfo_endpoint: None,
            scopes: Vec::new(),
            token_endpoint_auth: None,
            pkce: None,
            profile: ProfileMembers::default(),
        }
    }
}

impl ProfileMembers {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("accountId", &self.account_id),
            ("email", &self.email),
            ("emailVerified", &self.email_verified),
            ("name", &self.name),
            ("picture", &self.picture),
        ]
        .into_iter()
        .filter_map(|(name, member)| Some((name, member.as_deref()?)))
    }
}

impl OAuthProviderSettings {
    /// The last part of the address that the provider comes back to: the type for services of which there is one, the
    /// entry's own id for all others, so that no answer of one can be taken for that of another (RFC 9700 §4.4.2.2).
    pub fn callback_name<'i>(&self, id: &'i str) -> Option<&'i str> {
        let provider_type = self.provider_type?;
        let is_one_of_many = provider_type.is_generic() || self.base_url.is_some();
        Some(if is_one_of_many { id } else { provider_type.as_str() })
    }

    /// Whether the API that we follow can express the entry, as one of the services that it knows.
    pub fn is_known_to_clients(&self, id: &str) -> bool {
        self.provider_type.is_some_and(|provider_type| {
            !provider_type.is_generic() && (self.base_url.is_none() || id == provider_type.as_str())
        })
    }

    /// Addresses among the settings.
    fn urls(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("baseUrl", &self.base_url),
            ("issuer", &self.issuer),
            ("authorizationEndpoint", &self.authorization_endpoint),
            ("tokenEndpoint", &self.token_endpoint),
            ("userinfoEndpoint", &self.userinfo_endpoint),
        ]
        .into_iter()
        .filter_map(|(name, url)| Some((name, url.as_deref()?)))
    }

    /// That nothing is missing.
    pub(super) fn validate(&self, at: &str, found: &mut Findings) {
        let Some(provider_type) = self.provider_type else { return };
        if self.is_shared {
            let message = if !provider_type.can_be_shared() {
                let name = provider_type.as_str();
                format!(
                    "must be false: the server has no shared credentials for {name}, give client_id and client_secret"
                )
            } else if self.base_url.is_some() {
                "must be false: the server has no shared credentials for a server of your own".to_owned()
            } else {
                return;
            };
            found.error(format!("{at}.isShared"), message);
            return;
        }
        let mut required = |name: &str, is_missing: bool, reason: &str| {
            if is_missing {
                found.error(format!("{at}.{name}"), format!("is required {reason}"));
            }
        };
        let no_secret = self.client_secret.as_ref().is_none_or(SecretText::is_empty);
        required(
            "clientId",
            self.client_id.as_deref().unwrap_or_default().is_empty(),
            "unless is_shared = true",
        );
        required("clientSecret", no_secret, "unless is_shared = true");
        match provider_type {
            ProviderType::Oidc => required("issuer", self.issuer.is_none(), "for type \"oidc\""),
            ProviderType::Oauth2 => {
                let by_type = "for type \"oauth2\"";
                required("authorizationEndpoint", self.authorization_endpoint.is_none(), by_type);
                required("tokenEndpoint", self.token_endpoint.is_none(), by_type);
                required("userinfoEndpoint", self.userinfo_endpoint.is_none(), by_type);
                required("profile.accountId", self.profile.account_id.is_none(), by_type);
            }
            _ => {}
        }
    }

    fn validate_form(&self, at: &str, found: &mut Findings) {
        for (name, url) in self.urls() {
            let may_have_query = !matches!(name, "baseUrl" | "issuer");
            if let Err(message) = check_url(url, may_have_query) {
                found.error(format!("{at}.{name}"), message);
            }
        }
        for scope in &self.scopes {
            if scope.is_empty() || !scope.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\'))
            {
                found.error(format!("{at}.scopes"), format!("{scope:?} is not one scope"));
            }
        }
        for (name, member) in self.profile.iter() {
            let legal =
                |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/' | '[' | ']' | '=');
            if member.is_empty() || member.len() > 128 || !member.chars().all(legal) {
                found.error(
                    format!("{at}.profile.{name}"),
                    "must be the name of a member, such as \"id\" or \"data/0/id\"",
                );
            }
        }
        let Some(provider_type) = self.provider_type else { return };
        for (name, is_set, types, text) in self.particulars() {
            if is_set && !types.contains(&provider_type) {
                found.error(format!("{at}.{name}"), format!("is only for {text}"));
            }
        }
        if self.trust_email_verified && provider_type != ProviderType::Oidc && self.base_url.is_none() {
            let message = "is only for type \"oidc\" and servers of your own with a base_url; for type \"oauth2\", \
                           name profile.email_verified";
            found.error(format!("{at}.trustEmailVerified"), message);
        }
    }

    /// Settings that only some types have: name, whether it is set, for which, and that in words. The settings of the
    /// API that we follow are not among them, as it takes them for any type.
    fn particulars(&self) -> [(&'static str, bool, &'static [ProviderType], &'static str); 9] {
        use ProviderType::{GitHub, GitLab, Oauth2, Oidc};
        const OAUTH2: (&[ProviderType], &str) = (&[Oauth2], "providers of type \"oauth2\"");
        let oauth2 = |name, is_set| (name, is_set, OAUTH2.0, OAUTH2.1);
        let both =
            |name, is_set| (name, is_set, &[Oidc, Oauth2][..], "providers of type \"oidc\" and \"oauth2\"");
        [
            ("baseUrl", self.base_url.is_some(), &[GitHub, GitLab], "github and gitlab"),
            ("issuer", self.issuer.is_some(), &[Oidc], "providers of type \"oidc\""),
            oauth2("authorizationEndpoint", self.authorization_endpoint.is_some()),
            oauth2("tokenEndpoint", self.token_endpoint.is_some()),
            oauth2("userinfoEndpoint", self.userinfo_endpoint.is_some()),
            oauth2("pkce", self.pkce.is_some()),
            oauth2("profile", !self.profile.is_empty()),
            both("scopes", !self.scopes.is_empty()),
            both("tokenEndpointAuth", self.token_endpoint_auth.is_some()),
        ]
    }
}

/// An address of a provider: https, unless the host is one that nobody reaches from outside. Where a private address may
/// be called is said by `outgoing.allow_private_addresses`.
fn check_url(text: &str, may_have_query: bool) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "is not a URL")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user name or password");
    }
    // RFC 6749 §3.1 and §3.2 allow a query and no fragment; issuers have neither (RFC 8414 §2).
    if url.fragment().is_some() || url.query().is_some() && !may_have_query {
        return Err("must not have a query or fragment");
    }
    let is_inside = match url.host() {
        None => return Err("must have a host"),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_private() || address.is_link_local(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unique_local(),
        Some(Host::Domain(name)) => {
            let is_below = |suffix: &str| name.ends_with(suffix);
            !name.contains('.') || [".localhost", ".internal", ".local"].into_iter().any(is_below)
        }
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_inside => Ok(()),
        "http" => Err("must be an https:// URL: http:// is for hosts of a private network only"),
        _ => Err("must be an https:// URL"),
    }
}

/// The form of all providers, and that no two of different servers come back to one address.
pub(super) fn validate_form(
    providers: &BTreeMap<String, OAuthProviderSettings>,
    at: &str,
    found: &mut Findings,
) {
    let mut callbacks = BTreeMap::new();
    for (id, provider) in providers {
        let at = format!("{at}.{id}");
        provider.validate_form(&at, found);
        let (Some(provider_type), Some(callback)) = (provider.provider_type, provider.callback_name(id))
        else {
            continue;
        };
        if provider_type.is_generic() && ProviderType::NAMED.iter().any(|named| named.as_str() == id) {
            let message = format!("must not have the id of another type, {id:?}: choose one of its own");
            found.error(format!("{at}.type"), message);
            continue;
        }
        let server = (provider_type, &provider.base_url);
        let (first, other) = *callbacks.entry(callback).or_insert((id, server));
        if other != server {
            let message = format!(
                "comes back to the same address as the provider {first:?}, which is another server: give it another id"
            );
            found.error(at, message);
        }
    }
}
