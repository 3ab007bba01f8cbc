//! Every hostile token that we know of is refused, and for the right reason.

use latchkey_jose::corpus::{Hostile, forged, misused};
use latchkey_jose::{Expect, Jwks, JwtError, SigningKey, VerifyingKey, VerifyingKeys, peek_claims, peek_kid};
use serde_json::{Map, Value, json};

const ISSUER: &str = "https://id.example/api/v1/projects/shop";
const EXPECT: Expect<'_> =
    Expect { issuers: &[ISSUER], audience: "shop", now_seconds: 1_800_000_000, leeway_seconds: 0 };

struct House {
    key: SigningKey,
    claims: Map<String, Value>,
    token: String,
    keys: VerifyingKeys,
}

fn house() -> House {
    let key = SigningKey::generate().expect("a key");
    let other = SigningKey::generate().expect("a key");
    let claims = json!({
        "sub": "ada", "iss": ISSUER, "aud": "shop", "iat": 1_799_999_999, "exp": 1_800_000_600_i64,
        "project_id": "shop", "name": "Ada ünd Bob"
    });
    let Value::Object(claims) = claims else { unreachable!() };
    let token = key.sign(&claims).expect("a token");
    let keys = VerifyingKeys::new(&Jwks { keys: vec![other.public_jwk(), key.public_jwk()] });
    House { key, claims, token, keys }
}

fn refuses(keys: &VerifyingKeys, hostile: &[Hostile]) {
    let mut wrong = Vec::new();
    for Hostile { name, token, refusal } in hostile {
        let outcome = keys.verify::<Value>(token, &EXPECT);
        let right = match refusal {
            Some(refusal) => outcome == Err(*refusal),
            None => !matches!(outcome, Ok(_) | Err(JwtError::Expired)),
        };
        if !right {
            wrong.push(format!("{name}: {outcome:?} instead of {refusal:?}"));
        }
        // Looking without believing copes with everything.
        let _ = (peek_claims(token), peek_kid(token));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_genuine_token_is_accepted() {
    let house = house();
    assert_eq!(house.keys.verify::<Map<String, Value>>(&house.token, &EXPECT), Ok(house.claims.clone()));
    assert_eq!(peek_kid(&house.token).as_deref(), Some(house.key.kid()));
    assert_eq!(peek_claims(&house.token), Some(house.claims));
}

#[test]
fn forged_tokens_are_refused() {
    let house = house();
    // Signatures are random, and so is whether they have bytes that matter: high bits, zeros, both alphabets.
    for _ in 0..20 {
        let token = house.key.sign(&house.claims).unwrap();
        let hostile = forged(&token, &house.key.public_jwk());
        assert!(hostile.len() > 500, "{}", hostile.len());
        refuses(&house.keys, &hostile);
    }
}

#[test]
fn forged_tokens_are_refused_by_the_key_alone() {
    let house = house();
    let key = VerifyingKey::from_jwk(&house.key.public_jwk()).unwrap();
    for Hostile { name, token, .. } in forged(&house.token, &house.key.public_jwk()) {
        let outcome = key.verify::<Value>(&token, &EXPECT);
        assert!(!matches!(outcome, Ok(_) | Err(JwtError::Expired)), "{name}: {outcome:?}");
    }
}

#[test]
fn forgeries_of_an_expired_token_do_not_count_as_expired() {
    let house = house();
    let mut claims = house.claims.clone();
    claims.insert("exp".to_owned(), json!(1));
    let token = house.key.sign(&claims).unwrap();
    assert_eq!(house.keys.verify::<Value>(&token, &EXPECT), Err(JwtError::Expired));
    refuses(&house.keys, &forged(&token, &house.key.public_jwk()));
}

#[test]
fn well_signed_tokens_that_say_the_wrong_thing_are_refused() {
    let house = house();
    refuses(&house.keys, &misused(&house.key, &house.claims));
}

#[test]
fn the_token_of_another_project_is_refused_by_its_keys_and_by_its_claims() {
    let (ours, theirs) = (house(), house());
    assert_eq!(ours.keys.verify::<Value>(&theirs.token, &EXPECT), Err(JwtError::UnknownKey));
    let key = VerifyingKey::from_jwk(&ours.key.public_jwk()).unwrap();
    assert_eq!(key.verify::<Value>(&theirs.token, &EXPECT), Err(JwtError::BadSignature));
}
