//! The way through the browser.

use std::collections::BTreeMap;

use super::*;
use crate::issuer::Issuer;
use crate::upstream::{Options, Provider};

fn upstream(provider: Provider) -> Upstream {
    provider.describe(&Options::default()).unwrap()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn query(upstream: &Upstream, extra_scopes: &[&str]) -> BTreeMap<String, String> {
    let client = Client::new("id&x", "secret", "https://us.example/callback/a b");
    let verifier = Verifier::from_random(&[7; 32]);
    let step = Authorization { client: &client, state: "st", nonce: "no", verifier: &verifier, extra_scopes };
    let url = step.url(upstream).unwrap();
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    let query: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(pairs.len(), query.len(), "nothing twice: {url}");
    assert!(!url.as_str().contains(verifier.as_str()), "the verifier stays with us");
    assert!(!url.as_str().contains("secret"));
    query
}

#[test]
fn each_request_has_what_the_protocol_wants() {
    for provider in Provider::ALL {
        let upstream = upstream(*provider);
        let query = query(&upstream, &[]);
        let name = provider.as_str();
        assert_eq!(query["response_type"], "code", "{name}");
        assert_eq!(query["client_id"], "id&x", "{name}");
        assert_eq!(query["redirect_uri"], "https://us.example/callback/a b", "{name}");
        assert_eq!(query["state"], "st", "{name}");
        assert_eq!(query["access_type"], "offline", "{name}");
        assert_eq!(query["prompt"], "consent", "{name}");
        assert_eq!(query["scope"], upstream.scopes.join(" "), "{name}");
        let pkce = query.get("code_challenge").map(String::len);
        let expected = if *provider == Provider::LinkedIn { None } else { Some(43) };
        assert_eq!(pkce, expected, "{name}");
        assert_eq!(
            query.get("code_challenge_method").map(String::as_str),
            expected.map(|_| "S256"),
            "{name}"
        );
        assert_eq!(query.contains_key("nonce"), upstream.id_token != IdTokenUse::Ignored, "{name}");
    }
}

#[test]
fn providers_have_parameters_of_their_own() {
    assert_eq!(query(&upstream(Provider::Apple), &[])["response_mode"], "form_post");
    assert_eq!(query(&upstream(Provider::Google), &[])["include_granted_scopes"], "true");
    let options = Options { facebook_config_id: Some("77"), ..Options::default() };
    assert_eq!(query(&Provider::Facebook.describe(&options).unwrap(), &[])["config_id"], "77");
    assert!(!query(&upstream(Provider::Facebook), &[]).contains_key("config_id"));
}

#[test]
fn extra_scopes_are_added_once_and_must_be_scopes() {
    let github = upstream(Provider::GitHub);
    assert_eq!(query(&github, &["repo", "user:email", "repo"])["scope"], "user:email repo");
    let client = Client::new("id", "secret", "https://us.example/callback");
    let verifier = Verifier::from_random(&[7; 32]);
    for hostile in ["", "a b", "a\"b", "a\\b", "a\nb", "ä"] {
        let extra_scopes = &[hostile];
        let step =
            Authorization { client: &client, state: "s", nonce: "n", verifier: &verifier, extra_scopes };
        assert!(matches!(step.url(&github), Err(UpstreamError::Misconfigured(_))), "{hostile}");
    }
}

#[test]
fn an_endpoint_keeps_its_own_query_but_not_our_parameters() {
    let upstream = Upstream {
        authorization_endpoint: "https://a.example/authorize?tenant=7&state=evil&client_id=theirs".into(),
        ..upstream(Provider::GitHub)
    };
    let query = query(&upstream, &[]);
    assert_eq!(query["tenant"], "7");
    assert_eq!(query["state"], "st");
    assert_eq!(query["client_id"], "id&x");
}

#[test]
fn a_code_comes_back_and_must_be_one() {
    let github = upstream(Provider::GitHub);
    let code = |parameters: &[(&str, &str)]| returned_code(&github, &pairs(parameters));
    assert_eq!(code(&[("code", "c"), ("state", "s")]), Ok("c".into()));
    let garbled: [&[_]; 4] = [
        &[],
        &[("code", "")],
        &[("code", "a"), ("code", "b")],
        &[("code", "a"), ("error", "x"), ("error", "y")],
    ];
    for parameters in garbled {
        assert!(matches!(code(parameters), Err(UpstreamError::Garbled(_))), "{parameters:?}");
    }
    let long = "a".repeat(LONGEST_CODE + 1);
    assert!(matches!(code(&[("code", &long)]), Err(UpstreamError::Garbled(_))));
    assert_eq!(returned_state(&pairs(&[("state", "s")])), Some("s"));
    assert_eq!(returned_state(&pairs(&[("state", "s"), ("state", "t")])), None, "which one?");
    assert_eq!(returned_state(&pairs(&[])), None);
}

#[test]
fn a_refusal_is_believed_even_if_a_code_stands_beside_it() {
    let github = upstream(Provider::GitHub);
    let outcome = |error: &str| returned_code(&github, &pairs(&[("error", error), ("code", "c")]));
    assert_eq!(outcome("access_denied"), Err(UpstreamError::Denied));
    assert_eq!(outcome("consent_required"), Err(UpstreamError::Denied));
    assert!(outcome("temporarily_unavailable").unwrap_err().is_transient());
    assert_eq!(outcome("invalid_scope"), Err(UpstreamError::Refused("invalid_scope".into())));
}

#[test]
fn an_answer_that_names_another_issuer_is_refused_with_or_without_code() {
    let outcome = |upstream: &Upstream, issuer: &str| {
        returned_code(upstream, &pairs(&[("code", "c"), ("iss", issuer)]))
    };
    let github = upstream(Provider::GitHub);
    assert!(outcome(&github, "https://github.com/login/oauth").is_ok());
    assert!(outcome(&github, "https://github.com").is_ok());
    for issuer in
        ["", "https://accounts.google.com", "https://github.com.evil.example", "https://github.com/login"]
    {
        assert_eq!(outcome(&github, issuer), Err(UpstreamError::MixedUp), "{issuer}");
    }
    let refusal = pairs(&[("error", "access_denied"), ("iss", "https://evil.example")]);
    assert_eq!(returned_code(&github, &refusal), Err(UpstreamError::MixedUp));
    let twice = pairs(&[("code", "c"), ("iss", "https://github.com"), ("iss", "https://evil.example")]);
    assert!(returned_code(&github, &twice).is_err());
}

#[test]
fn an_answer_without_issuer_is_refused_from_a_provider_that_always_names_it() {
    let upstream = Upstream {
        issuers: vec![Issuer::exactly("https://id.example")],
        announces_issuer: true,
        ..upstream(Provider::GitHub)
    };
    assert_eq!(returned_code(&upstream, &pairs(&[("code", "c")])), Err(UpstreamError::MixedUp));
    assert!(returned_code(&upstream, &pairs(&[("code", "c"), ("iss", "https://id.example")])).is_ok());
}

#[test]
fn a_provider_that_begins_to_name_itself_names_its_own_origin() {
    let discord = upstream(Provider::Discord);
    let outcome = |issuer: &str| returned_code(&discord, &pairs(&[("code", "c"), ("iss", issuer)]));
    assert!(outcome("https://discord.com").is_ok());
    for issuer in
        ["https://evil.example", "http://discord.com", "https://discord.com.evil.example", "discord.com", ""]
    {
        assert_eq!(outcome(issuer), Err(UpstreamError::MixedUp), "{issuer}");
    }
}

#[test]
fn the_person_in_a_form_is_read_if_it_is_json() {
    let person = returned_person(&pairs(&[("user", r#"{"name":{"firstName":"Ada"}}"#)])).unwrap();
    assert_eq!(person["name"]["firstName"], "Ada");
    assert_eq!(returned_person(&pairs(&[("user", "{")])), None);
    assert_eq!(returned_person(&pairs(&[])), None);
}

#[test]
fn a_client_does_not_show_its_secret() {
    let shown = format!("{:?}", Client::new("id", "geheim", "https://us.example"));
    assert!(!shown.contains("geheim"), "{shown}");
}
