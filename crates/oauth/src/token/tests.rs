//! What token endpoints say, and what some say instead.

use serde_json::json;

use super::*;
use crate::request::LONGEST_ANSWER;
use crate::upstream::{Options, Provider};

fn upstream(provider: Provider) -> Upstream {
    provider.describe(&Options::default()).unwrap()
}

fn client() -> Client {
    Client::new("id:1", "s&cret", "https://us.example/callback")
}

fn read(
    provider: Provider,
    status: u16,
    content_type: &str,
    body: &str,
) -> Result<ProviderTokens, UpstreamError> {
    upstream(provider).read_tokens(&Answer {
        status,
        content_type: Some(content_type),
        body: body.as_bytes(),
    })
}

fn read_json(body: &Value) -> Result<ProviderTokens, UpstreamError> {
    read(Provider::Google, 200, "application/json;charset=UTF-8", &body.to_string())
}

#[test]
fn a_code_is_redeemed_with_proof_and_credentials_in_the_form() {
    let verifier = Verifier::from_random(&[7; 32]);
    let request = upstream(Provider::GitHub).code_request(&client(), "c&d", &verifier).unwrap();
    let form = request.form.unwrap();
    let pairs: Vec<_> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let expected = [
        ("grant_type", "authorization_code"),
        ("code", "c&d"),
        ("redirect_uri", "https://us.example/callback"),
        ("code_verifier", verifier.as_str()),
        ("client_id", "id:1"),
        ("client_secret", "s&cret"),
    ];
    assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(request.headers.contains(&("accept".to_owned(), "application/json".to_owned())));
    assert!(!request.headers.iter().any(|(name, _)| name == "authorization"));
}

#[test]
fn credentials_in_the_header_are_encoded_and_not_repeated_in_the_form() {
    let verifier = Verifier::from_random(&[7; 32]);
    let request = upstream(Provider::Spotify).code_request(&client(), "c", &verifier).unwrap();
    let expected = format!("Basic {}", STANDARD.encode("id%3A1:s%26cret"));
    assert!(request.headers.contains(&("authorization".to_owned(), expected)));
    assert!(!request.form.unwrap().contains("client_"));
}

#[test]
fn a_provider_without_pkce_gets_no_verifier() {
    let verifier = Verifier::from_random(&[7; 32]);
    let request = upstream(Provider::LinkedIn).code_request(&client(), "c", &verifier).unwrap();
    assert!(!request.form.unwrap().contains("code_verifier"));
}

#[test]
fn a_refresh_asks_for_nothing_new() {
    let request = upstream(Provider::Google).refresh_request(&client(), "r").unwrap();
    let form = request.form.unwrap();
    assert_eq!(form, "grant_type=refresh_token&refresh_token=r&client_id=id%3A1&client_secret=s%26cret");
}

#[test]
fn a_standard_answer_is_read() {
    let tokens = read_json(&json!({
        "access_token": "a", "token_type": "Bearer", "expires_in": 3599, "refresh_token": "r", "id_token": "i",
        "scope": "openid email"
    }))
    .unwrap();
    assert_eq!(tokens.access_token, "a");
    assert_eq!(tokens.refresh_token.as_deref(), Some("r"));
    assert_eq!(tokens.id_token.as_deref(), Some("i"));
    assert_eq!(tokens.expires_in_seconds, Some(3599));
    assert_eq!(tokens.scopes, Some(vec!["openid".into(), "email".into()]));
    assert!(!format!("{tokens:?}").contains("\"a\""), "tokens are not shown");
}

#[test]
fn answers_in_other_spellings_are_read() {
    let form = read(
        Provider::GitHub,
        200,
        "application/x-www-form-urlencoded; charset=utf-8",
        "access_token=gho_x&scope=repo%2Cuser%3Aemail&token_type=bearer",
    )
    .unwrap();
    assert_eq!(form.access_token, "gho_x");
    assert_eq!(form.scopes, Some(vec!["repo".into(), "user:email".into()]));
    assert_eq!(
        form.expires_in_seconds,
        Some(8 * 60 * 60),
        "GitHub says nothing, and eight hours are assumed"
    );
    let list = read_json(&json!({"access_token": "a", "scope": ["x", "y"], "expires_in": "60"})).unwrap();
    assert_eq!(list.scopes, Some(vec!["x".into(), "y".into()]));
    assert_eq!(list.expires_in_seconds, Some(60));
    let bare = read_json(&json!({"access_token": "a", "refresh_token": null, "id_token": ""})).unwrap();
    assert_eq!(
        (bare.refresh_token, bare.id_token, bare.scopes, bare.expires_in_seconds),
        (None, None, None, None)
    );
    assert!(read(Provider::Google, 200, "text/plain", r#"{"access_token":"a"}"#).is_ok());
}

#[test]
fn an_error_counts_whatever_the_status() {
    for status in [200, 400, 401] {
        let body = r#"{"error":"invalid_grant","error_description":"x","access_token":"a"}"#;
        let outcome = read(Provider::Google, status, "application/json", body);
        assert_eq!(outcome, Err(UpstreamError::Refused("invalid_grant".into())), "{status}");
    }
    let form =
        read(Provider::GitHub, 200, "application/x-www-form-urlencoded", "error=bad_verification_code");
    assert_eq!(form, Err(UpstreamError::Refused("bad_verification_code".into())));
    let object = read(Provider::Facebook, 400, "application/json", r#"{"error":{"message":"x","code":190}}"#);
    assert!(matches!(object, Err(UpstreamError::Refused(_))));
    let silent = read(Provider::Google, 403, "application/json", "{}");
    assert_eq!(silent, Err(UpstreamError::Refused("status 403".into())));
    let trouble = read(Provider::Google, 400, "application/json", r#"{"error":"temporarily_unavailable"}"#);
    assert!(trouble.unwrap_err().is_transient());
    let down = read(Provider::Google, 502, "text/html", "<html>");
    assert!(matches!(down, Err(UpstreamError::Unavailable(_))));
}

#[test]
fn garbage_is_no_answer() {
    let long = format!(r#"{{"access_token":"a","x":"{}"}}"#, "a".repeat(LONGEST_ANSWER));
    for (content_type, body) in [
        ("text/html", "<html>sign in</html>"),
        ("application/json", "<html>"),
        ("application/json", ""),
        ("application/json", "null"),
        ("application/json", "[{\"access_token\":\"a\"}]"),
        ("application/json", "{}"),
        ("application/x-www-form-urlencoded", "<html>"),
        ("application/octet-stream", "\u{0}\u{1}"),
        ("application/json", long.as_str()),
    ] {
        let outcome = read(Provider::Google, 200, content_type, body);
        assert!(matches!(outcome, Err(UpstreamError::Garbled(_))), "{content_type}: {outcome:?}");
    }
}

#[test]
fn tokens_that_could_break_a_header_or_the_store_are_refused() {
    let long = "a".repeat(LONGEST_TOKEN + 1);
    for token in [json!("a\r\nx-evil: 1"), json!("a b"), json!("ä"), json!(7), json!(["a"]), json!(long)] {
        for name in ["access_token", "refresh_token", "id_token"] {
            let mut body = json!({"access_token": "a"});
            body[name] = token.clone();
            assert!(matches!(read_json(&body), Err(UpstreamError::Garbled(_))), "{name}");
        }
    }
}

#[test]
fn a_token_of_another_type_or_with_a_strange_life_is_refused() {
    for kind in [json!("mac"), json!("DPoP"), json!(7), json!(null)] {
        let outcome = read_json(&json!({"access_token": "a", "token_type": kind}));
        assert!(matches!(outcome, Err(UpstreamError::Garbled(_))), "{kind}");
    }
    for life in [json!(-1), json!("soon"), json!([]), json!(true)] {
        let outcome = read_json(&json!({"access_token": "a", "expires_in": life}));
        assert!(matches!(outcome, Err(UpstreamError::Garbled(_))), "{life}");
    }
    let forever = read_json(&json!({"access_token": "a", "expires_in": 1e300})).unwrap();
    assert_eq!(forever.expires_in_seconds, Some(LONGEST_LIFE_SECONDS));
}

#[test]
fn a_document_that_we_may_not_have_is_told_from_trouble() {
    let read = |name, status| {
        read_document(name, &Answer { status, content_type: Some("application/json"), body: b"{}" })
    };
    assert_eq!(read("userinfo", 200), Ok(json!({})));
    for status in [401, 403, 404] {
        assert_eq!(read("emails", status), Err(UpstreamError::EmailMissing));
        assert_eq!(read("userinfo", status), Err(UpstreamError::Refused(format!("status {status}"))));
    }
    assert!(read("emails", 503).unwrap_err().is_transient());
    assert!(read("userinfo", 429).unwrap_err().is_transient());
}

#[test]
fn a_token_is_bad_only_if_the_provider_says_so_about_the_token() {
    let say = |status, body: &str| {
        is_accepted(&Answer { status, content_type: Some("application/json"), body: body.as_bytes() })
    };
    assert_eq!(say(200, "{}"), Ok(true));
    assert_eq!(say(401, "no JSON"), Ok(false));
    assert_eq!(say(400, r#"{"error": "invalid_token"}"#), Ok(false));
    assert_eq!(say(400, r#"{"error": {"code": 190, "message": "expired"}}"#), Ok(false), "Facebook");
    for (status, body) in
        [(400, "{}"), (400, "no JSON"), (400, r#"{"error": {"code": 4}}"#), (403, ""), (404, "")]
    {
        assert_eq!(say(status, body), Ok(true), "{status} {body}");
    }
    for (status, body) in [(200, "<html>"), (302, ""), (429, ""), (500, ""), (503, "{}")] {
        assert!(say(status, body).is_err_and(|error| error.is_transient()), "{status} {body}");
    }
}
