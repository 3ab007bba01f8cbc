//! Facebook. Accounts made by telephone number have no address, and are refused.

use super::{Options, Upstream, profile, texts, userinfo};
use crate::profile::{EmailVerified, ProfileRules};

pub(super) fn describe(name: &str, options: &Options<'_>) -> Upstream {
    let rules = profile("{userinfo/id}", &["{userinfo/name}"], &["{userinfo/picture/data/url}"])
        .with_email("{userinfo/email}", EmailVerified::Never);
    let config_id = options.facebook_config_id.filter(|id| !id.is_empty());
    Upstream {
        name: name.into(),
        authorization_endpoint: "https://www.facebook.com/v20.0/dialog/oauth".into(),
        token_endpoint: "https://graph.facebook.com/v20.0/oauth/access_token".into(),
        has_pkce: true,
        scopes: texts(&["openid", "public_profile", "email"]),
        authorize_parameters: config_id.map(|id| ("config_id".to_owned(), id.to_owned())).into_iter().collect(),
        documents: userinfo("https://graph.facebook.com/v20.0/me?fields=id,name,email,picture"),
        profile: ProfileRules { requires_email: true, ..rules },
        ..Upstream::default()
    }
}
