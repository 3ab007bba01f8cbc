//! ID tokens that are good, and all the ways in which they are not.

use latchkey_jose::corpus::{forged, misused};
use latchkey_jose::{Jwks, SigningKey};
use serde_json::json;

use super::*;

const ISSUER: &str = "https://accounts.example";
const NOW: i64 = 1_800_000_000;

struct Provider {
    key: SigningKey,
    keys: VerifyingKeys,
    issuers: Vec<Issuer>,
}

fn provider() -> Provider {
    let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let keys = VerifyingKeys::new(&Jwks { keys: vec![other.public_jwk(), key.public_jwk()] });
    Provider { key, keys, issuers: vec![Issuer::exactly(ISSUER), Issuer::exactly("accounts.example")] }
}

fn claims() -> Map<String, Value> {
    let claims = json!({
        "iss": ISSUER, "aud": "us", "sub": "ada", "iat": NOW - 1, "exp": NOW + 300, "nonce": "n", "email": "a@b.example"
    });
    claims.as_object().unwrap().clone()
}

impl Provider {
    fn rules(&self) -> IdTokenRules<'_> {
        IdTokenRules {
            issuers: &self.issuers,
            client_ids: &["us"],
            trusted_audiences: &[],
            nonce: Some("n"),
            access_token: None,
            now_seconds: NOW,
        }
    }

    /// What becomes of a token with some claims changed, or taken away by null.
    fn outcome(&self, rules: &IdTokenRules<'_>, changes: Value) -> Result<(), IdTokenError> {
        let mut claims = claims();
        let Value::Object(changes) = changes else { panic!("an object") };
        for (name, value) in changes {
            if value.is_null() {
                claims.remove(&name);
            } else {
                claims.insert(name, value);
            }
        }
        verify(&self.key.sign(&claims).unwrap(), &self.keys, rules).map(drop)
    }

    fn says(&self, changes: Value) -> Result<(), IdTokenError> {
        self.outcome(&self.rules(), changes)
    }
}

#[test]
fn a_good_token_gives_its_claims() {
    let provider = provider();
    let token = provider.key.sign(&claims()).unwrap();
    assert_eq!(verify(&token, &provider.keys, &provider.rules()), Ok(claims()));
}

#[test]
fn forged_and_misused_tokens_are_refused() {
    let provider = provider();
    let token = provider.key.sign(&claims()).unwrap();
    let rules = provider.rules();
    let hostile = forged(&token, &provider.key.public_jwk());
    assert!(hostile.iter().any(|hostile| hostile.name.contains("none")));
    assert!(hostile.iter().any(|hostile| hostile.name.contains("HS256")));
    for hostile in hostile.into_iter().chain(misused(&provider.key, &claims())) {
        // Our second issuer and our leeway are what the corpus does not know of.
        let outcome = verify(&hostile.token, &provider.keys, &rules);
        assert!(outcome.is_err(), "{}: {outcome:?}", hostile.name);
    }
}

#[test]
fn a_token_of_an_unknown_key_asks_for_fresh_keys_and_a_forged_one_does_not() {
    let (ours, stranger) = (provider(), SigningKey::generate().unwrap());
    let token = stranger.sign(&claims()).unwrap();
    let error = verify(&token, &ours.keys, &ours.rules()).unwrap_err();
    assert_eq!(error, IdTokenError::UnknownKey);
    assert!(error.wants_fresh_keys());
    let posing = SigningKey::generate().unwrap().with_kid(ours.key.kid()).unwrap();
    let error = verify(&posing.sign(&claims()).unwrap(), &ours.keys, &ours.rules()).unwrap_err();
    assert_eq!(error, JwtError::BadSignature.into());
    assert!(!error.wants_fresh_keys());
}

#[test]
fn each_name_of_the_issuer_is_good_and_no_other() {
    let provider = provider();
    assert_eq!(provider.says(json!({"iss": "accounts.example"})), Ok(()));
    for issuer in
        ["https://accounts.example/", "https://accounts.example.evil.example", "http://accounts.example", ""]
    {
        assert_eq!(provider.says(json!({"iss": issuer})), Err(JwtError::WrongIssuer.into()), "{issuer}");
    }
    assert_eq!(provider.says(json!({"iss": null})), Err(JwtError::WrongIssuer.into()));
}

#[test]
fn a_token_for_somebody_else_is_refused() {
    let provider = provider();
    let foreign = Err(JwtError::WrongAudience.into());
    for audience in [json!("them"), json!(["them"]), json!([]), json!(""), json!([""]), json!(null)] {
        assert_eq!(provider.says(json!({"aud": audience})), foreign, "{audience}");
    }
}

#[test]
fn a_token_for_us_and_others_is_refused_unless_the_others_are_trusted_and_we_asked() {
    let provider = provider();
    let refused = Err(IdTokenError::AuthorizedParty);
    assert_eq!(provider.says(json!({"aud": ["us"]})), Ok(()));
    assert_eq!(provider.says(json!({"aud": ["us", "them"]})), refused);
    assert_eq!(provider.says(json!({"aud": ["us", "them"], "azp": "us"})), refused);
    assert_eq!(provider.says(json!({"azp": "us"})), Ok(()));
    assert_eq!(provider.says(json!({"azp": "them"})), refused);
    assert_eq!(provider.says(json!({"azp": ["us"]})), refused);

    let trusted = ["them".to_owned()];
    let rules = IdTokenRules { trusted_audiences: &trusted, ..provider.rules() };
    assert_eq!(provider.outcome(&rules, json!({"aud": ["us", "them"], "azp": "us"})), Ok(()));
    assert_eq!(provider.outcome(&rules, json!({"aud": ["us", "them"]})), refused, "who asked?");
    assert_eq!(provider.outcome(&rules, json!({"aud": ["us", "them"], "azp": "them"})), refused);
    let alone = provider.outcome(&rules, json!({"aud": "them", "azp": "us"}));
    assert_eq!(alone, Err(JwtError::WrongAudience.into()), "trusted beside us, not instead of us");
}

#[test]
fn each_of_our_client_ids_will_do() {
    let provider = provider();
    let rules = IdTokenRules { client_ids: &["com.example.app", "us"], ..provider.rules() };
    assert_eq!(provider.outcome(&rules, json!({})), Ok(()));
    assert_eq!(provider.outcome(&rules, json!({"aud": "com.example.app"})), Ok(()));
    let none = IdTokenRules { client_ids: &[], ..provider.rules() };
    assert_eq!(provider.outcome(&none, json!({})), Err(JwtError::WrongAudience.into()));
    assert_eq!(provider.outcome(&none, json!({"aud": ""})), Err(JwtError::WrongAudience.into()));
}

#[test]
fn a_stale_or_missing_nonce_is_refused() {
    let provider = provider();
    for nonce in [json!("m"), json!("N"), json!(""), json!(7), json!(["n"]), json!(null)] {
        assert_eq!(provider.says(json!({"nonce": nonce})), Err(IdTokenError::Nonce), "{nonce}");
    }
    let rules = IdTokenRules { nonce: None, ..provider.rules() };
    assert_eq!(provider.outcome(&rules, json!({"nonce": null})), Ok(()));
}

#[test]
fn clocks_may_differ_by_a_minute_and_not_by_more() {
    let provider = provider();
    assert_eq!(provider.says(json!({"exp": NOW - LEEWAY_SECONDS + 1})), Ok(()));
    assert_eq!(provider.says(json!({"exp": NOW - LEEWAY_SECONDS})), Err(JwtError::Expired.into()));
    assert_eq!(provider.says(json!({"nbf": NOW + LEEWAY_SECONDS})), Ok(()));
    assert_eq!(provider.says(json!({"nbf": NOW + LEEWAY_SECONDS + 1})), Err(JwtError::NotYetValid.into()));
    assert_eq!(provider.says(json!({"iat": NOW + LEEWAY_SECONDS})), Ok(()));
    for iat in [json!(NOW + LEEWAY_SECONDS + 1), json!(1e300), json!("1"), json!(null)] {
        assert_eq!(provider.says(json!({"iat": iat})), Err(IdTokenError::IssuedAt), "{iat}");
    }
}

#[test]
fn a_token_for_another_access_token_is_refused() {
    let provider = provider();
    let hash = provider.keys.get(provider.key.kid()).unwrap().left_half_hash("at");
    let rules = IdTokenRules { access_token: Some("at"), ..provider.rules() };
    assert_eq!(provider.outcome(&rules, json!({"at_hash": hash})), Ok(()));
    assert_eq!(provider.outcome(&rules, json!({})), Ok(()), "optional in this flow");
    for other in [json!(hash[1..]), json!(""), json!(7), json!([hash])] {
        let outcome = provider.outcome(&rules, json!({"at_hash": other}));
        assert_eq!(outcome, Err(IdTokenError::AccessToken), "{other}");
    }
}

#[test]
fn a_token_about_nobody_is_refused() {
    let provider = provider();
    for subject in [json!(null), json!(""), json!(7), json!("a".repeat(256))] {
        assert_eq!(provider.says(json!({"sub": subject})), Err(IdTokenError::Subject), "{subject}");
    }
    assert_eq!(provider.says(json!({"sub": "a".repeat(255)})), Ok(()));
}

#[test]
fn a_tenant_speaks_for_itself_only() {
    let tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    let other = "9188040d-6c67-4c5b-b112-36a304b66dad";
    let mut provider = provider();
    provider.issuers = vec![Issuer::Tenant {
        before: "https://login.example/".into(),
        after: "/v2.0".into(),
        except: Vec::new(),
    }];
    let issuer = format!("https://login.example/{tenant}/v2.0");
    assert_eq!(provider.says(json!({"iss": issuer, "tid": tenant})), Ok(()));
    for tid in [json!(other), json!(null), json!(""), json!([tenant])] {
        assert_eq!(provider.says(json!({"iss": issuer, "tid": tid})), Err(IdTokenError::Tenant), "{tid}");
    }
    let template = "https://login.example/{tenantid}/v2.0";
    assert_eq!(
        provider.says(json!({"iss": template, "tid": "{tenantid}"})),
        Err(JwtError::WrongIssuer.into())
    );
}
