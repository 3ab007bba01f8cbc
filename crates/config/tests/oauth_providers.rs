//! Providers that are described by settings, as they stand in the file.

use std::path::PathBuf;

use latchkey_config::settings::{OAuthProviderSettings, ProfileMembers, ProviderType, TokenEndpointAuth};
use latchkey_config::{Config, ConfigErrors, Sources};

fn load(name: &str, providers: &str) -> Result<Config, ConfigErrors> {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let project = "[[project]]\nid = \"a1b2c3d4-0000-4000-8000-000000000001\"\n";
    std::fs::write(&path, format!("{project}{providers}")).expect("the directory of tests can be written");
    Config::load(Sources { file: Some(path), ..Sources::default() })
}

fn own(id: &str, rest: &str) -> String {
    format!(
        "[project.settings.auth.oauth.providers.{id}]\nis_shared = false\nclient_id = \"id\"\nclient_secret = \"hush\"\n{rest}\n"
    )
}

#[test]
fn generic_providers_are_written_in_snake_case() {
    let text = [
        own(
            "company",
            "type = \"oidc\"\nissuer = \"https://id.example.com\"\nscopes = [\"openid\"]\ntrust_email_verified = true\ntoken_endpoint_auth = \"client_secret_basic\"",
        ),
        own(
            "wiki",
            "type = \"oauth2\"\nauthorization_endpoint = \"https://w.example.com/a?x=y\"\ntoken_endpoint = \"https://w.example.com/t\"\nuserinfo_endpoint = \"https://w.example.com/u\"\npkce = false\nprofile = { account_id = \"user/id\", email_verified = \"sure\" }",
        ),
        own("forge", "type = \"gitlab\"\nbase_url = \"http://git.internal:3000\""),
    ];
    let config = load("generic.toml", &text.concat()).expect("a good configuration");
    let providers = &config.projects[0].settings.auth.oauth.providers;
    let company = &providers["company"];
    assert_eq!(company.provider_type, Some(ProviderType::Oidc));
    assert_eq!(company.issuer.as_deref(), Some("https://id.example.com"));
    assert_eq!(company.token_endpoint_auth, Some(TokenEndpointAuth::ClientSecretBasic));
    assert!(company.trust_email_verified);
    let members = ProfileMembers {
        account_id: Some("user/id".to_owned()),
        email_verified: Some("sure".to_owned()),
        ..ProfileMembers::default()
    };
    assert_eq!((providers["wiki"].pkce, &providers["wiki"].profile), (Some(false), &members));
    for (id, callback) in [("company", "company"), ("wiki", "wiki"), ("forge", "forge")] {
        assert_eq!(providers[id].callback_name(id), Some(callback));
        assert!(!providers[id].is_known_to_clients(id));
    }
    let google = OAuthProviderSettings { provider_type: Some(ProviderType::Google), ..Default::default() };
    assert_eq!(google.callback_name("work"), Some("google"));
    assert!(google.is_known_to_clients("work"));
}

#[test]
fn what_a_generic_provider_lacks_is_named() {
    let text = [
        own("company", "type = \"oidc\""),
        own("wiki", "type = \"oauth2\""),
        "[project.settings.auth.oauth.providers.other]\ntype = \"oidc\"\nissuer = \"https://id.example.com\"\n".to_owned(),
        "[project.settings.auth.oauth.providers.forge]\ntype = \"github\"\nbase_url = \"https://git.example.com\"\n".to_owned(),
    ];
    let errors = load("lacking.toml", &text.concat()).expect_err("much is missing").to_string();
    for part in [
        "providers.company.issuer is required for type \"oidc\"",
        "providers.wiki.authorization_endpoint is required for type \"oauth2\"",
        "providers.wiki.token_endpoint is required",
        "providers.wiki.userinfo_endpoint is required",
        "providers.wiki.profile.account_id is required",
        "providers.other.is_shared must be false",
        "providers.forge.is_shared must be false",
    ] {
        assert!(errors.contains(part), "{part}\n{errors}");
    }
}
