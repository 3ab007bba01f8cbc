//! The examples of the RFCs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;

fn key(jwk: Value) -> VerifyingKey {
    VerifyingKey::from_jwk(&serde_json::from_value(jwk).unwrap()).unwrap()
}

fn signature(key: &VerifyingKey, token: &str) -> Result<(), JwtError> {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    key.check_signature(signed, &URL_SAFE_NO_PAD.decode(signature).unwrap())
}

#[test]
fn the_es256_example_of_rfc_7515_a_3_is_genuine() {
    let key = key(json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    }));
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    assert_eq!(signature(&key, token), Ok(()));
    let expect = Expect { issuers: &["joe"], audience: "anybody", now_seconds: 0, leeway_seconds: 0 };
    assert_eq!(key.verify::<Value>(token, &expect), Err(JwtError::WrongAudience), "it has no audience");
}

#[test]
fn the_rs256_example_of_rfc_7515_a_2_is_genuine() {
    let key = key(json!({
        "kty": "RSA", "e": "AQAB",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
    }));
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    assert_eq!(signature(&key, token), Ok(()));
}

#[test]
fn the_ed25519_example_of_rfc_8037_a_4_is_genuine() {
    let key =
        key(json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}));
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(signature(&key, token), Ok(()));
    let changed = token.replace(".hgy", ".hgz");
    assert_eq!(signature(&key, &changed), Err(JwtError::BadSignature));
}

#[test]
fn the_times_of_a_token_include_its_first_second_and_exclude_its_last() {
    let signing = crate::SigningKey::generate().unwrap();
    let key = VerifyingKey::from_jwk(&signing.public_jwk()).unwrap();
    let outcome = |claims: Value, now_seconds, leeway_seconds| {
        let expect = Expect { issuers: &["i"], audience: "a", now_seconds, leeway_seconds };
        key.verify::<Value>(&signing.sign(&claims).unwrap(), &expect).map(|_| ())
    };
    let claims = json!({"iss": "i", "aud": "a", "nbf": 100, "exp": 200});
    assert_eq!(outcome(claims.clone(), 99, 0), Err(JwtError::NotYetValid));
    assert_eq!(outcome(claims.clone(), 100, 0), Ok(()));
    assert_eq!(outcome(claims.clone(), 199, 0), Ok(()));
    assert_eq!(outcome(claims.clone(), 200, 0), Err(JwtError::Expired));
    assert_eq!(outcome(claims.clone(), 95, 5), Ok(()));
    assert_eq!(outcome(claims.clone(), 204, 5), Ok(()));
    assert_eq!(outcome(claims, 205, 5), Err(JwtError::Expired));
    let fractions = json!({"iss": "i", "aud": ["b", "a"], "nbf": 99.5, "exp": 199.5});
    assert_eq!(outcome(fractions.clone(), 99, 0), Err(JwtError::NotYetValid));
    assert_eq!(outcome(fractions.clone(), 199, 0), Ok(()));
    assert_eq!(outcome(fractions, 200, 0), Err(JwtError::Expired));
}

#[test]
fn an_audience_list_is_accepted_unless_the_claims_want_one_text() {
    #[derive(serde::Deserialize, Debug, PartialEq)]
    struct Strict {
        aud: String,
    }
    let signing = crate::SigningKey::generate().unwrap();
    let key = VerifyingKey::from_jwk(&signing.public_jwk()).unwrap();
    let expect = Expect { issuers: &["j", "i"], audience: "a", now_seconds: 1, leeway_seconds: 0 };
    let list = signing.sign(&json!({"iss": "i", "aud": ["a"], "exp": 2})).unwrap();
    assert!(key.verify::<Value>(&list, &expect).is_ok());
    assert_eq!(key.verify::<Strict>(&list, &expect), Err(JwtError::Malformed));
    let one = signing.sign(&json!({"iss": "i", "aud": "a", "exp": 2})).unwrap();
    assert_eq!(key.verify(&one, &expect), Ok(Strict { aud: "a".into() }));
    // Claims that cannot be read are no matter of time.
    let ended = signing.sign(&json!({"iss": "i", "aud": ["a"], "exp": 1})).unwrap();
    assert_eq!(key.verify::<Strict>(&ended, &expect), Err(JwtError::Malformed));
}

#[test]
fn a_key_id_selects_and_is_needed_when_there_is_a_choice() {
    let (one, two) = (crate::SigningKey::generate().unwrap(), crate::SigningKey::generate().unwrap());
    let expect = Expect { issuers: &["i"], audience: "a", now_seconds: 1, leeway_seconds: 0 };
    let token = two.sign(&json!({"iss": "i", "aud": "a", "exp": 2})).unwrap();
    let both = VerifyingKeys::new(&Jwks { keys: vec![one.public_jwk(), Jwk::default(), two.public_jwk()] });
    assert!(both.verify::<Value>(&token, &expect).is_ok());
    assert_eq!(both.get(two.kid()).and_then(VerifyingKey::kid), Some(two.kid()));
    assert!(both.get("x").is_none());
    let other = VerifyingKeys::new(&Jwks { keys: vec![one.public_jwk()] });
    assert_eq!(other.verify::<Value>(&token, &expect), Err(JwtError::UnknownKey));
    assert_eq!(VerifyingKeys::default().verify::<Value>(&token, &expect), Err(JwtError::UnknownKey));
    assert_eq!(two.kid().len(), 12);
    assert!(two.public_jwk().thumbprint().unwrap().starts_with(two.kid()));
    let again = crate::SigningKey::from_pkcs8(&two.to_pkcs8()).unwrap();
    assert_eq!(again.public_jwk(), two.public_jwk());
    assert!(crate::SigningKey::from_pkcs8(b"no key").is_err());
    assert_eq!(format!("{two:?}"), format!("SigningKey {{ kid: {:?}, .. }}", two.kid()));
}

#[test]
fn a_token_by_a_p_521_key_is_accepted_and_only_with_its_own_key() {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    let pair = || EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).unwrap();
    let public = |pair: &EcdsaKeyPair| {
        let point = pair.public_key().as_ref().to_vec();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..67]), URL_SAFE_NO_PAD.encode(&point[67..]));
        key(json!({"kty": "EC", "crv": "P-521", "x": x, "y": y}))
    };
    let (ours, theirs) = (pair(), pair());
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed =
        format!("{}.{}", part(json!({"alg": "ES512"})), part(json!({"iss": "i", "aud": "a", "exp": 2})));
    let signature = ours.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()));
    let expect = Expect { issuers: &["i"], audience: "a", now_seconds: 1, leeway_seconds: 0 };
    assert!(public(&ours).verify::<Value>(&token, &expect).is_ok());
    assert_eq!(public(&theirs).verify::<Value>(&token, &expect), Err(JwtError::BadSignature));
}

#[test]
fn the_half_hash_of_the_openid_example_comes_out_and_follows_the_key() {
    // OpenID Connect Core 1.0 appendix A.3: an ID token by RS256 with this access token and this at_hash.
    let rsa = key(json!({
        "kty": "RSA", "e": "AQAB",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
    }));
    assert_eq!(rsa.left_half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ");
    let ed25519 =
        key(json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}));
    assert_eq!(ed25519.left_half_hash("x").len(), 43, "half of 512 bits");
}

#[test]
fn the_key_of_a_token_is_found_before_anything_is_believed() {
    let (one, two) = (crate::SigningKey::generate().unwrap(), crate::SigningKey::generate().unwrap());
    let two = two.with_kid("chosen").unwrap();
    let keys = VerifyingKeys::new(&Jwks { keys: vec![one.public_jwk(), two.public_jwk()] });
    let token = two.sign(&json!({})).unwrap();
    assert_eq!(crate::peek_kid(&token).as_deref(), Some("chosen"));
    assert_eq!(keys.key_of(&token).unwrap().kid(), Some("chosen"));
    let stranger = crate::SigningKey::generate().unwrap().sign(&json!({})).unwrap();
    assert_eq!(keys.key_of(&stranger).unwrap_err(), JwtError::UnknownKey);
    assert_eq!(keys.key_of("x").unwrap_err(), JwtError::Malformed);
}
