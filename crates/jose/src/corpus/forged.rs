//! What somebody without the private key can try.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256K1_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair,
};
use serde_json::{Value, json};

use super::public_key::spellings;
use super::{Genuine, Hostile, encode, hs256, spelling};
use crate::error::JwtError::{
    BadSignature, BringsKey, Malformed, UnknownExtension, UnknownKey, WrongAlgorithm,
};
use crate::jwk::Jwk;
use crate::signing::SigningKey;

/// The order of P-256 (FIPS 186-4 D.1.2.3).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// Forgeries made from a genuine ES256 token and the public key that verifies it. The key must be in the key set that
/// they are tried on, with its id, beside at least one other.
pub fn forged(genuine: &str, jwk: &Jwk) -> Vec<Hostile> {
    let genuine = Genuine::read(genuine);
    let mut hostile = Vec::new();
    hostile.extend(without_signature(&genuine));
    hostile.extend(macs(&genuine, jwk));
    hostile.extend(other_keys(&genuine));
    hostile.extend(other_signatures(&genuine));
    hostile.extend(headers(&genuine));
    hostile.extend(payloads(&genuine));
    hostile.extend(spelling::variants(&genuine));
    hostile
}

fn without_signature(genuine: &Genuine<'_>) -> Vec<Hostile> {
    let mut hostile = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE"] {
        let header = genuine.header_alg(alg);
        let bare = encode(json!({ "alg": alg }).to_string());
        let empty = format!("{header}.{}.", genuine.payload_text);
        hostile.push(Hostile::new(format!("alg {alg}, no signature"), empty, WrongAlgorithm));
        hostile.push(Hostile::new(
            format!("alg {alg}, old signature"),
            genuine.under(&header),
            WrongAlgorithm,
        ));
        let no_kid = format!("{bare}.{}.", genuine.payload_text);
        hostile.push(Hostile::new(format!("alg {alg}, no signature, no kid"), no_kid, UnknownKey));
    }
    hostile.push(Hostile::new("no signature", genuine.with_signature(&[]), BadSignature));
    hostile
}

fn macs(genuine: &Genuine<'_>, jwk: &Jwk) -> Vec<Hostile> {
    let mut hostile = Vec::new();
    for (spelling, key) in spellings(jwk) {
        let token = genuine.signed(&genuine.header_alg("HS256"), hs256(&key));
        hostile.push(Hostile::new(format!("HS256 with the public key as {spelling}"), token, WrongAlgorithm));
        let token = genuine.signed(genuine.header_text, hs256(&key));
        hostile.push(Hostile::new(
            format!("MAC with the public key as {spelling}, called ES256"),
            token,
            BadSignature,
        ));
    }
    hostile
}

fn other_keys(genuine: &Genuine<'_>) -> Vec<Hostile> {
    let other = SigningKey::generate().expect("a key");
    let own = other.sign(&genuine.claims).expect("a token");
    let mut hostile = vec![Hostile::new("another key under its own kid", own, UnknownKey)];
    let sign = |header: &str| {
        genuine.signed(header, |message| {
            ecdsa(&other.to_pkcs8(), &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING, message)
        })
    };
    hostile.push(Hostile::new("another key under our kid", sign(genuine.header_text), BadSignature));
    hostile.push(Hostile::new(
        "another key without kid",
        sign(&genuine.header_with("kid", None)),
        UnknownKey,
    ));
    for kid in ["", "../../../../dev/null", "' OR '1'='1", "a\0b", "https://evil.example/key"] {
        let header = genuine.header_with("kid", Some(kid.into()));
        hostile.push(Hostile::new(format!("another key under kid {kid:?}"), sign(&header), UnknownKey));
    }

    let p384 = generate(&ECDSA_P384_SHA384_FIXED_SIGNING);
    let k256 = generate(&ECDSA_P256K1_SHA256_FIXED_SIGNING);
    let curves = [
        ("P-384", "ES384", &p384, &ECDSA_P384_SHA384_FIXED_SIGNING),
        ("secp256k1", "ES256K", &k256, &ECDSA_P256K1_SHA256_FIXED_SIGNING),
    ];
    for (curve, alg, key, signing) in curves {
        let honest = genuine.signed(&genuine.header_alg(alg), |message| ecdsa(key, signing, message));
        hostile.push(Hostile::new(format!("signed on {curve}"), honest, WrongAlgorithm));
        let called = genuine.signed(genuine.header_text, |message| ecdsa(key, signing, message));
        hostile.push(Hostile::new(format!("signed on {curve}, called ES256"), called, BadSignature));
    }
    let edwards = Ed25519KeyPair::generate().expect("a key");
    for (name, header, refusal) in [
        ("signed with Ed25519", genuine.header_alg("EdDSA"), WrongAlgorithm),
        ("signed with Ed25519, called ES256", genuine.header_text.to_owned(), BadSignature),
    ] {
        let token = genuine.signed(&header, |message| edwards.sign(message).as_ref().to_vec());
        hostile.push(Hostile::new(name, token, refusal));
    }

    // A key that the token brings with it, which a naive verifier would take.
    let brought = serde_json::to_value(other.public_jwk()).expect("a JWK is JSON");
    let url = json!("https://evil.example/jwks.json");
    for (name, value) in
        [("jwk", brought), ("jku", url.clone()), ("x5u", url), ("x5c", json!(["MIIB"])), ("jwk", Value::Null)]
    {
        let header = genuine.header_with(name, Some(value.clone()));
        hostile.push(Hostile::new(format!("brings {name}, signed with it"), sign(&header), BringsKey));
        hostile.push(Hostile::new(
            format!("brings {name}, old signature"),
            genuine.under(&header),
            BringsKey,
        ));
    }
    hostile
}

fn generate(algorithm: &'static EcdsaSigningAlgorithm) -> Vec<u8> {
    EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).expect("a key").as_ref().to_vec()
}

fn ecdsa(pkcs8: &[u8], algorithm: &'static EcdsaSigningAlgorithm, message: &[u8]) -> Vec<u8> {
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).expect("a key");
    pair.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec()
}

fn other_signatures(genuine: &Genuine<'_>) -> Vec<Hostile> {
    let (r, s) = genuine.signature.split_at(32);
    let zero = [0; 32];
    let join = |parts: &[&[u8]]| parts.concat();
    let cases: [(&str, Vec<u8>); 17] = [
        ("all zero", vec![0; 64]),
        ("r zero", join(&[&zero, s])),
        ("s zero", join(&[r, &zero])),
        ("all ones", vec![0xff; 64]),
        ("r and s the order", join(&[&ORDER, &ORDER])),
        ("r the order", join(&[&ORDER, s])),
        ("s the order", join(&[r, &ORDER])),
        ("r and s swapped", join(&[s, r])),
        ("r and s one", join(&[&zero[1..], &[1], &zero[1..], &[1]])),
        ("DER", der(r, s)),
        ("one byte short", genuine.signature[..63].to_vec()),
        ("first half only", r.to_vec()),
        ("one byte more", join(&[&genuine.signature, &[0]])),
        ("one byte before", join(&[&[0], &genuine.signature])),
        ("twice", join(&[&genuine.signature, &genuine.signature])),
        ("halves widened to 48 bytes", join(&[&zero[..16], r, &zero[..16], s])),
        ("4096 bytes", vec![1; 4096]),
    ];
    cases
        .into_iter()
        .map(|(name, bytes)| {
            Hostile::new(format!("signature: {name}"), genuine.with_signature(&bytes), BadSignature)
        })
        .collect()
}

/// The ASN.1 form of a signature (RFC 3279 §2.2.3), which JWS does not use.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let significant = &number[number.iter().position(|byte| *byte != 0).unwrap_or(31)..];
        let sign: &[u8] = if significant[0] < 0x80 { &[] } else { &[0] };
        let length = u8::try_from(sign.len() + significant.len()).expect("at most 33");
        [&[2, length], sign, significant].concat()
    };
    let body = [integer(r), integer(s)].concat();
    [vec![0x30, u8::try_from(body.len()).expect("at most 70")], body].concat()
}

fn headers(genuine: &Genuine<'_>) -> Vec<Hostile> {
    let mut hostile = Vec::new();
    for alg in ["RS256", "PS256", "EdDSA", "ES384", "ES512", "ES256K", "es256", "ES256 ", "dir", "A256KW", ""]
    {
        let token = genuine.under(&genuine.header_alg(alg));
        hostile.push(Hostile::new(format!("header says {alg:?}"), token, WrongAlgorithm));
    }
    for (name, alg) in [
        ("missing", None),
        ("null", Some(Value::Null)),
        ("a number", Some(json!(256))),
        ("a list", Some(json!(["ES256"]))),
    ] {
        let token = genuine.under(&genuine.header_with("alg", alg));
        hostile.push(Hostile::new(format!("alg is {name}"), token, Malformed));
    }
    for crit in [json!(["b64"]), json!(["exp"]), json!([]), json!("b64"), Value::Null] {
        let token = genuine.under(&genuine.header_with("crit", Some(crit.clone())));
        hostile.push(Hostile::new(format!("crit {crit}"), token, UnknownExtension));
    }
    let kid = &genuine.header["kid"];
    let raw = [
        ("alg twice, none first", format!(r#"{{"alg":"none","alg":"ES256","kid":{kid}}}"#)),
        ("alg twice, none last", format!(r#"{{"alg":"ES256","kid":{kid},"alg":"none"}}"#)),
        ("kid twice", format!(r#"{{"alg":"ES256","kid":"x","kid":{kid}}}"#)),
        ("kid a number", r#"{"alg":"ES256","kid":7}"#.to_owned()),
        ("kid an object", r#"{"alg":"ES256","kid":{"$ne":null}}"#.to_owned()),
        ("a list", format!(r#"["ES256",{kid}]"#)),
        ("a text", r#""ES256""#.to_owned()),
        ("null", "null".to_owned()),
        ("empty", String::new()),
        ("an empty object", "{}".to_owned()),
        ("cut off", r#"{"alg":"ES256""#.to_owned()),
        ("followed by garbage", format!(r#"{{"alg":"ES256","kid":{kid}}}x"#)),
        ("10 000 levels deep", format!(r#"{{"alg":{}"#, "[".repeat(10_000))),
    ];
    for (name, header) in raw {
        hostile.push(Hostile::new(format!("header: {name}"), genuine.under(&encode(header)), Malformed));
    }
    hostile.push(Hostile::new(
        "header not UTF-8",
        genuine.under(&encode(b"{\"alg\":\"ES256\",\"kid\":\"\xff\"}")),
        Malformed,
    ));
    hostile
}

fn payloads(genuine: &Genuine<'_>) -> Vec<Hostile> {
    let mut hostile = Vec::new();
    for (claim, value) in [
        ("sub", json!("00000000-0000-4000-8000-000000000000")),
        ("aud", json!("internal")),
        ("iss", json!("https://evil.example")),
        ("exp", json!(9_999_999_999_i64)),
        ("project_id", json!("internal")),
        ("is_anonymous", json!(true)),
        ("admin", json!(true)),
    ] {
        let mut claims = genuine.claims.clone();
        claims.insert(claim.to_owned(), value);
        let payload = encode(Value::Object(claims).to_string());
        let token = format!("{}.{payload}.{}", genuine.header_text, genuine.signature_text);
        hostile.push(Hostile::new(format!("{claim} changed after signing"), token, BadSignature));
    }
    hostile
}
