//! The providers, by what their documentation shows of their answers.

use serde_json::{Value, json};

use super::*;
use crate::discovery::Metadata;
use crate::profile::{Documents, EMAILS, FORM, ID_TOKEN, Profile};

fn upstream(provider: Provider) -> Upstream {
    provider.describe(&Options::default()).unwrap()
}

fn profile(upstream: &Upstream, said: &[(&str, Value)]) -> Result<Profile, UpstreamError> {
    let mut documents = Documents::default();
    for (name, document) in said {
        documents.insert(name, document.clone());
    }
    Profile::read(&upstream.profile, &documents)
}

fn expected(id: &str, email: Option<&str>, verified: bool, name: &str, picture: Option<&str>) -> Profile {
    Profile {
        account_id: id.into(),
        email: email.map(Into::into),
        email_verified: verified,
        display_name: Some(name.into()),
        picture: picture.map(Into::into),
    }
}

const PICTURE: &str = "https://pictures.example/ada.png";
const EMAIL: Option<&str> = Some("ada@example.com");

#[test]
fn each_provider_is_found_by_its_name_and_has_addresses_that_can_be_used() {
    assert_eq!(Provider::ALL.len(), 12);
    for provider in Provider::ALL {
        assert_eq!(Provider::by_name(provider.as_str()), Some(*provider));
        let upstream = upstream(*provider);
        upstream.check().unwrap();
        assert_eq!(upstream.name, provider.as_str());
        let ours = [&upstream.authorization_endpoint, &upstream.token_endpoint];
        let all =
            ours.into_iter().chain(&upstream.jwks_uri).chain(upstream.documents.iter().map(|call| &call.url));
        for url in all {
            assert!(url.starts_with("https://"), "{url}");
        }
        assert_eq!(upstream.comes_back_by_form(), *provider == Provider::Apple);
        let needs_keys = upstream.id_token != IdTokenUse::Ignored;
        assert_eq!(upstream.jwks_uri.is_some(), needs_keys, "{}", upstream.name);
        assert!(!needs_keys || !upstream.issuers.is_empty(), "{}", upstream.name);
        assert!(
            upstream.id_token == IdTokenUse::Required || !upstream.documents.is_empty(),
            "{}",
            upstream.name
        );
        // Each place in the rules is in a document that there is.
        let known = |place: &str| {
            let document = place.split('/').next().unwrap();
            document == FORM
                || document == ID_TOKEN && upstream.id_token == IdTokenUse::Required
                || upstream.documents.iter().any(|call| call.name == document)
        };
        let rules = &upstream.profile;
        let texts = std::iter::once(&rules.account_id)
            .chain(rules.email.iter().map(|rule| &rule.address))
            .chain(&rules.display_name)
            .chain(&rules.picture);
        for text in texts {
            for place in text.split('{').skip(1).map(|part| part.split('}').next().unwrap()) {
                assert!(known(place), "{}: {place}", upstream.name);
            }
        }
    }
    assert_eq!(Provider::by_name("myspace"), None);
    assert_eq!(Provider::by_name("Google"), None);
}

#[test]
fn google_says_whether_an_address_is_verified() {
    let google = upstream(Provider::Google);
    let said = |verified: bool| json!({"sub": "110", "name": "Ada", "picture": PICTURE, "email": "ada@example.com", "email_verified": verified});
    for verified in [true, false] {
        let profile = profile(&google, &[(USERINFO, said(verified))]);
        assert_eq!(profile, Ok(expected("110", EMAIL, verified, "Ada", Some(PICTURE))));
    }
    let other = [(ID_TOKEN, json!({"sub": "111"})), (USERINFO, said(true))];
    assert!(profile(&google, &other).is_err(), "the ID token is about somebody else");
}

#[test]
fn github_has_addresses_in_a_list_and_the_primary_one_counts() {
    let github = upstream(Provider::GitHub);
    let user = json!({"id": 583_231, "login": "ada", "name": null, "avatar_url": PICTURE, "email": "public@example.com"});
    let emails = |verified: bool| {
        json!([
            {"email": "old@example.com", "primary": false, "verified": true},
            {"email": "ada@example.com", "primary": true, "verified": verified}
        ])
    };
    for verified in [true, false] {
        let profile = profile(&github, &[(USERINFO, user.clone()), (EMAILS, emails(verified))]);
        assert_eq!(profile, Ok(expected("583231", EMAIL, verified, "ada", Some(PICTURE))));
    }
    let none = profile(&github, &[(USERINFO, user), (EMAILS, json!([]))]);
    assert_eq!(none, Err(UpstreamError::EmailMissing));
    let requests = github.document_requests("id", "token").unwrap();
    assert_eq!(requests.len(), 2);
    for (_, request) in requests {
        assert!(
            request.headers.iter().any(|(name, _)| name == "user-agent"),
            "its API refuses nameless callers"
        );
        assert!(request.headers.contains(&("authorization".into(), "Bearer token".into())));
    }
}

#[test]
fn microsoft_never_verifies_an_address() {
    let microsoft = upstream(Provider::Microsoft);
    let said = json!({
        "id": "87d3", "displayName": "Ada", "mail": null, "userPrincipalName": "ada@example.com", "email_verified": true
    });
    assert_eq!(profile(&microsoft, &[(USERINFO, said)]), Ok(expected("87d3", EMAIL, false, "Ada", None)));
}

#[test]
fn the_tenant_decides_who_may_come_from_microsoft() {
    const ONE: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
    let accepts = |tenant: Option<&str>, token_tenant: &str| {
        let options = Options { microsoft_tenant: tenant, ..Options::default() };
        let upstream = Provider::Microsoft.describe(&options).unwrap();
        let name = format!("https://login.microsoftonline.com/{token_tenant}/v2.0");
        upstream.issuers.iter().any(|issuer| issuer.is(&name))
    };
    for (tenant, one, personal) in [
        (None, false, true),
        (Some(""), false, true),
        (Some("consumers"), false, true),
        (Some("Consumers"), false, true),
        (Some("organizations"), true, false),
        (Some("common"), true, true),
        (Some(ONE), true, false),
        (Some("contoso.onmicrosoft.com"), true, true),
    ] {
        assert_eq!((accepts(tenant, ONE), accepts(tenant, PERSONAL)), (one, personal), "{tenant:?}");
        assert!(!accepts(tenant, "common"));
    }
    let options = Options { microsoft_tenant: Some(ONE), ..Options::default() };
    let upstream = Provider::Microsoft.describe(&options).unwrap();
    assert_eq!(upstream.token_endpoint, format!("https://login.microsoftonline.com/{ONE}/oauth2/v2.0/token"));
    for hostile in ["../evil", "a/b", "a?b", "a#b", "a b", "..", ".", "a%2fb", "@evil.example"] {
        let options = Options { microsoft_tenant: Some(hostile), ..Options::default() };
        assert!(Provider::Microsoft.describe(&options).is_err(), "{hostile}");
    }
}

#[test]
fn apple_says_the_name_in_the_form_and_everything_else_in_the_token() {
    let apple = upstream(Provider::Apple);
    let token = json!({"sub": "001.a", "email": "ada@example.com", "email_verified": "true"});
    let form = json!({"name": {"firstName": "Ada", "lastName": "Lovelace"}, "email": "evil@example.com"});
    let first = profile(&apple, &[(ID_TOKEN, token.clone()), (FORM, form)]);
    assert_eq!(first, Ok(expected("001.a", EMAIL, true, "Ada Lovelace", None)));
    let half =
        profile(&apple, &[(ID_TOKEN, token.clone()), (FORM, json!({"name": {"lastName": "Lovelace"}}))]);
    assert_eq!(half.unwrap().display_name.as_deref(), Some("Lovelace"));
    assert_eq!(profile(&apple, &[(ID_TOKEN, token)]).unwrap().display_name, None, "later it says nothing");
    assert!(apple.document_requests("id", "token").unwrap().is_empty());
}

/// A provider, what it says, and what that means.
type Sample = (Provider, Vec<(&'static str, Value)>, Profile);

#[test]
fn the_others_are_read_as_they_answer() {
    let picture = Some(PICTURE);
    let table: Vec<Sample> = vec![
        (
            Provider::Spotify,
            vec![(
                USERINFO,
                json!({"id": "ada", "display_name": "Ada", "email": "ada@example.com", "images": [{"url": PICTURE}]}),
            )],
            expected("ada", EMAIL, false, "Ada", picture),
        ),
        (
            Provider::Facebook,
            vec![(
                USERINFO,
                json!({"id": "7", "name": "Ada", "email": "ada@example.com", "picture": {"data": {"url": PICTURE}}}),
            )],
            expected("7", EMAIL, false, "Ada", picture),
        ),
        (
            Provider::Discord,
            vec![(
                USERINFO,
                json!({"id": "80351110224678912", "username": "ada", "global_name": "Ada", "avatar": "8342729", "email": "ada@example.com", "verified": true}),
            )],
            expected(
                "80351110224678912",
                EMAIL,
                true,
                "Ada",
                Some("https://cdn.discordapp.com/avatars/80351110224678912/8342729.png"),
            ),
        ),
        (
            Provider::Discord,
            vec![(
                USERINFO,
                json!({"id": "8", "username": "ada", "global_name": null, "avatar": null, "email": "ada@example.com", "verified": false}),
            )],
            expected("8", EMAIL, false, "ada", None),
        ),
        (
            Provider::GitLab,
            vec![(
                USERINFO,
                json!({"id": 7, "name": "Ada", "email": "ada@example.com", "confirmed_at": "2012-05-23T09:05:22Z", "avatar_url": PICTURE}),
            )],
            expected("7", EMAIL, true, "Ada", picture),
        ),
        (
            Provider::GitLab,
            vec![(
                USERINFO,
                json!({"id": 7, "name": "Ada", "email": "ada@example.com", "confirmed_at": null}),
            )],
            expected("7", EMAIL, false, "Ada", None),
        ),
        (
            Provider::Bitbucket,
            vec![
                (
                    USERINFO,
                    json!({"account_id": "557058:a", "display_name": "Ada", "links": {"avatar": {"href": PICTURE}}}),
                ),
                (
                    EMAILS,
                    json!({"values": [{"email": "b@example.com", "is_primary": false, "is_confirmed": true}, {"email": "ada@example.com", "is_primary": true, "is_confirmed": false}]}),
                ),
            ],
            expected("557058:a", EMAIL, false, "Ada", picture),
        ),
        (
            Provider::LinkedIn,
            vec![(
                USERINFO,
                json!({"sub": "x7", "name": "Ada", "picture": PICTURE, "email": "ada@example.com", "email_verified": true}),
            )],
            expected("x7", EMAIL, true, "Ada", picture),
        ),
        (
            Provider::X,
            vec![(
                USERINFO,
                json!({"data": {"id": "7", "name": "Ada", "username": "ada", "profile_image_url": PICTURE, "email": "ada@example.com"}}),
            )],
            expected("7", None, false, "Ada", picture),
        ),
        (
            Provider::Twitch,
            vec![(
                USERINFO,
                json!({"data": [{"id": "7", "display_name": "Ada", "profile_image_url": PICTURE, "email": "ada@example.com"}]}),
            )],
            expected("7", EMAIL, true, "Ada", picture),
        ),
    ];
    for (provider, said, expected) in table {
        assert_eq!(profile(&upstream(provider), &said), Ok(expected), "{provider:?}");
    }
    let nameless = profile(&upstream(Provider::Facebook), &[(USERINFO, json!({"id": "7", "name": "Ada"}))]);
    assert_eq!(nameless, Err(UpstreamError::EmailMissing), "an account made by telephone number");
    let twitch = upstream(Provider::Twitch);
    let (_, request) = &twitch.document_requests("our-id", "t").unwrap()[0];
    assert!(request.headers.contains(&("client-id".into(), "our-id".into())));
}

fn metadata() -> Metadata {
    serde_json::from_value(json!({
        "issuer": "https://id.example", "authorization_endpoint": "https://id.example/a", "token_endpoint": "https://id.example/t",
        "jwks_uri": "https://id.example/k", "userinfo_endpoint": "https://id.example/u",
        "authorization_response_iss_parameter_supported": true
    }))
    .unwrap()
}

#[test]
fn any_openid_provider_is_described_by_its_discovery_document() {
    let upstream =
        OpenId { scopes: vec!["email".into()], ..OpenId::new("corp") }.describe(&metadata()).unwrap();
    assert_eq!(upstream.scopes, ["openid", "email"]);
    assert_eq!(upstream.client_authentication, ClientAuthentication::Basic);
    assert!(upstream.announces_issuer && upstream.has_pkce);
    assert_eq!(upstream.id_token, IdTokenUse::Required);
    assert_eq!(upstream.documents.len(), 1);
    let broken = Metadata { token_endpoint: "x".into(), ..metadata() };
    assert!(OpenId::new("corp").describe(&broken).is_err());
}

#[test]
fn the_stand_in_of_shared_providers_takes_the_subject_for_the_address() {
    let upstream = OpenId::stand_in("google").describe(&metadata()).unwrap();
    assert_eq!(upstream.scopes, ["openid", "offline_access"]);
    assert!(upstream.documents.is_empty());
    let token = json!({"sub": "ada@example.com", "email": "other@example.com", "name": "Ada"});
    let profile = profile(&upstream, &[(ID_TOKEN, token)]);
    assert_eq!(profile, Ok(expected("ada@example.com", EMAIL, true, "Ada", None)));
}

#[test]
fn any_oauth_provider_is_described_by_a_configuration() {
    let generic = GenericOauth {
        name: "corp".into(),
        authorization_endpoint: "https://id.example/a".into(),
        token_endpoint: "https://id.example/t".into(),
        userinfo_endpoint: "https://id.example/u".into(),
        account_id: "data/0/id".into(),
        email: Some("data/0/mail".into()),
        display_name: Some("data/0/name".into()),
        ..GenericOauth::default()
    };
    let said =
        [(USERINFO, json!({"data": [{"id": 7, "mail": "ada@example.com", "ok": true, "name": "Ada"}]}))];
    let silent = generic.clone().describe().unwrap();
    assert_eq!(profile(&silent, &said), Ok(expected("7", EMAIL, false, "Ada", None)));
    let flag =
        GenericOauth { email_verified: Some("data/0/ok".into()), without_pkce: true, ..generic.clone() };
    let flag = flag.describe().unwrap();
    assert!(!flag.has_pkce);
    assert_eq!(profile(&flag, &said), Ok(expected("7", EMAIL, true, "Ada", None)));
    assert!(GenericOauth { account_id: String::new(), ..generic.clone() }.describe().is_err());
    assert!(GenericOauth { userinfo_endpoint: "x".into(), ..generic }.describe().is_err());
}

#[test]
fn a_token_is_shown_to_the_first_document_of_its_provider_or_to_its_userinfo_endpoint() {
    let url = |upstream: &Upstream| {
        let request = upstream.check_request("id", "t").unwrap();
        request.map(|request| (request.url.to_string(), request.headers.last().unwrap().1.clone()))
    };
    let twitch = url(&upstream(Provider::Twitch)).unwrap();
    assert_eq!(twitch, ("https://api.twitch.tv/helix/users".to_owned(), "id".to_owned()));
    let github = url(&upstream(Provider::GitHub)).unwrap();
    assert_eq!(github.0, "https://api.github.com/user");
    assert_eq!(url(&upstream(Provider::Apple)), None, "there is nothing to ask");
    let stand_in = OpenId::stand_in("google").describe(&metadata()).unwrap();
    assert!(stand_in.documents.is_empty());
    assert_eq!(url(&stand_in).map(|(_, token)| token).as_deref(), Some("Bearer t"));
}

#[test]
fn google_calls_two_scopes_by_long_names() {
    let google = upstream(Provider::Google);
    for short in ["email", "profile"] {
        assert!(google.scopes.iter().any(|scope| scope == google.scope_name(short)), "{short}");
    }
    assert_eq!(google.scope_name("openid"), "openid");
    assert_eq!(upstream(Provider::LinkedIn).scope_name("email"), "email");
}
