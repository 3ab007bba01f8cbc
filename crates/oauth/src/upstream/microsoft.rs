//! Microsoft: personal accounts, and those of one tenant or of all. Any tenant's administrator can write any address
//! into an account, so that addresses are never taken as verified.

use super::{IdTokenUse, Options, Upstream, profile, texts, userinfo};
use crate::issuer::{Issuer, is_uuid};
use crate::profile::EmailVerified;

const LOGIN: &str = "https://login.microsoftonline.com";

/// The tenant of personal accounts.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

pub(super) fn describe(name: &str, options: &Options<'_>) -> Upstream {
    let tenant = options.microsoft_tenant.filter(|tenant| !tenant.is_empty()).unwrap_or("consumers");
    let tenant = tenant.to_ascii_lowercase();
    let of_any_tenant_but = |except: &[&str]| Issuer::Tenant {
        before: format!("{LOGIN}/"),
        after: "/v2.0".into(),
        except: texts(except),
    };
    let issuer = match tenant.as_str() {
        "consumers" => Issuer::exactly(format!("{LOGIN}/{PERSONAL}/v2.0")),
        "organizations" => of_any_tenant_but(&[PERSONAL]),
        id if is_uuid(id) => Issuer::exactly(format!("{LOGIN}/{id}/v2.0")),
        // `common`, or a tenant by its domain, whose id we do not know.
        _ => of_any_tenant_but(&[]),
    };
    let rules = profile("{userinfo/id}", &["{userinfo/displayName}"], &[])
        .with_email("{userinfo/mail}", EmailVerified::Never)
        .with_email("{userinfo/userPrincipalName}", EmailVerified::Never);
    Upstream {
        name: name.into(),
        issuers: vec![issuer],
        authorization_endpoint: format!("{LOGIN}/{tenant}/oauth2/v2.0/authorize"),
        token_endpoint: format!("{LOGIN}/{tenant}/oauth2/v2.0/token"),
        jwks_uri: Some(format!("{LOGIN}/{tenant}/discovery/v2.0/keys")),
        id_token: IdTokenUse::Required,
        has_pkce: true,
        scopes: texts(&["User.Read", "openid"]),
        documents: userinfo("https://graph.microsoft.com/v1.0/me"),
        profile: rules,
        ..Upstream::default()
    }
}
