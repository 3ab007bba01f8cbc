//! Another implementation agrees: it accepts our tokens, and we accept its tokens, for every algorithm.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use jsonwebtoken::jwk::Jwk as OracleJwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use latchkey_jose::{Expect, Jwk, Jwks, JwtError, SigningKey, VerifyingKey, VerifyingKeys};
use serde_json::{Value, json};

const EXPECT: Expect<'_> = Expect {
    issuers: &["https://id.example"],
    audience: "shop",
    now_seconds: 1_800_000_000,
    leeway_seconds: 0,
};

fn claims() -> Value {
    json!({"iss": "https://id.example", "aud": ["shop", "other"], "sub": "ada ünd bob", "exp": 4_000_000_000_i64, "nbf": 0.5})
}

/// A private key of the other implementation, and its public half as JSON.
fn oracle_key(algorithm: Algorithm) -> (EncodingKey, Value) {
    let random = SystemRandom::new();
    let key = match algorithm {
        Algorithm::ES256 => EncodingKey::from_ec_der(
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key").as_ref(),
        ),
        Algorithm::ES384 => EncodingKey::from_ec_der(
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random).expect("a key").as_ref(),
        ),
        Algorithm::EdDSA => {
            EncodingKey::from_ed_der(Ed25519KeyPair::generate_pkcs8v1(&random).expect("a key").as_ref())
        }
        _ => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
            let pkcs8 = pair.as_der().expect("an RSA key in PKCS#8");
            // The 26 bytes of PKCS#8 around a key of this size.
            EncodingKey::from_rsa_der(&pkcs8.as_ref()[26..])
        }
    };
    let jwk = OracleJwk::from_encoding_key(&key, algorithm).expect("a public key");
    (key, serde_json::to_value(jwk).expect("JSON"))
}

#[test]
fn we_accept_its_tokens_for_every_algorithm_and_only_under_its_own_name() {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    for algorithm in [ES256, ES384, EdDSA, RS256, RS384, RS512, PS256, PS384, PS512] {
        let (key, mut public) = oracle_key(algorithm);
        public["kid"] = json!("k");
        let keys: Jwks = serde_json::from_value(json!({ "keys": [public] })).unwrap();
        let keys = VerifyingKeys::new(&keys);
        let header = Header { kid: Some("k".to_owned()), ..Header::new(algorithm) };
        let token = jsonwebtoken::encode(&header, &claims(), &key).unwrap();
        assert_eq!(keys.verify::<Value>(&token, &EXPECT), Ok(claims()), "{algorithm:?}");

        let signature = token.rfind('.').unwrap() + 1;
        let changed =
            format!("{}{}", &token[..signature], &token[signature..].chars().rev().collect::<String>());
        assert!(keys.verify::<Value>(&changed, &EXPECT).is_err(), "{algorithm:?}");

        for other in
            [RS256, RS384, RS512, PS256, PS384, PS512].into_iter().filter(|other| *other != algorithm)
        {
            if matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512) {
                let header = Header { kid: Some("k".to_owned()), ..Header::new(other) };
                let token = jsonwebtoken::encode(&header, &claims(), &key).unwrap();
                assert_eq!(keys.verify::<Value>(&token, &EXPECT), Err(JwtError::WrongAlgorithm));
            }
        }
    }
}

#[test]
fn it_accepts_our_tokens() {
    let key = SigningKey::generate().unwrap();
    let token = key.sign(&claims()).unwrap();
    let jwk: OracleJwk = serde_json::from_value(serde_json::to_value(key.public_jwk()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["shop"]);
    validation.set_issuer(&["https://id.example"]);
    // It reads no fractions.
    validation.validate_nbf = false;
    let data =
        jsonwebtoken::decode::<Value>(&token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).unwrap();
    assert_eq!(data.claims, claims());
    let header = json!({"alg": "ES256", "kid": key.kid()});
    assert_eq!(serde_json::to_value(data.header).unwrap(), header, "nothing but alg and kid");
}

#[test]
fn a_key_that_is_for_something_else_is_not_used() {
    let (_, public) = oracle_key(Algorithm::ES256);
    let jwk = |name: &str, value: Value| {
        let mut public = public.clone();
        public[name] = value;
        serde_json::from_value::<Jwk>(public).unwrap()
    };
    assert!(VerifyingKey::from_jwk(&jwk("use", json!("sig"))).is_ok());
    for (name, value) in [
        ("use", json!("enc")),
        ("alg", json!("ES384")),
        ("alg", json!("HS256")),
        ("alg", json!("none")),
        ("alg", json!("")),
        ("crv", json!("P-384")),
        ("crv", json!("P-521")),
        ("crv", Value::Null),
        ("kty", json!("oct")),
        ("kty", json!("RSA")),
        ("kty", json!("ec")),
        ("x", Value::Null),
        ("x", json!("")),
        ("x", json!("AAAA")),
        ("x", json!("!")),
        ("x", public["y"].clone()),
        ("y", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
    ] {
        assert!(VerifyingKey::from_jwk(&jwk(name, value.clone())).is_err(), "{name} {value}");
    }
}
