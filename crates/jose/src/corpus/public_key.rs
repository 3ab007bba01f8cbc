//! A P-256 public key in every spelling that somebody ever used as the secret of a MAC.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{decode, encode};
use crate::jwk::Jwk;

/// What precedes the point in a `SubjectPublicKeyInfo` of P-256 (RFC 5480 §2).
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Names and bytes.
pub(super) fn spellings(jwk: &Jwk) -> Vec<(&'static str, Vec<u8>)> {
    let (x_text, y_text) = (jwk.x.clone().expect("an EC key"), jwk.y.clone().expect("an EC key"));
    let (x, y) = (decode(&x_text), decode(&y_text));
    let point = [&[4][..], &x, &y].concat();
    let compressed = [&[2 + (y[31] & 1)][..], &x].concat();
    let der = [&SPKI[..], &point].concat();
    let body = STANDARD.encode(&der);
    let pem = |end: &str| {
        let (first, rest) = body.split_at(64);
        format!("-----BEGIN PUBLIC KEY-----\n{first}\n{rest}\n-----END PUBLIC KEY-----{end}").into_bytes()
    };
    let mut bare = jwk.clone();
    (bare.kid, bare.alg) = (None, None);
    let json = |jwk: &Jwk| serde_json::to_vec(jwk).expect("a JWK is JSON");
    vec![
        ("PEM", pem("\n")),
        ("PEM without the last newline", pem("")),
        ("DER", der),
        ("base64 of DER", body.clone().into_bytes()),
        ("uncompressed point", point.clone()),
        ("compressed point", compressed),
        ("coordinates", point[1..].to_vec()),
        ("first coordinate", x),
        ("text of the first coordinate", x_text.into_bytes()),
        ("hexadecimal point", point.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()),
        ("base64url of the point", encode(point).into_bytes()),
        ("JWK", json(jwk)),
        ("JWK without kid and alg", json(&bare)),
        ("key id", jwk.kid.clone().unwrap_or_default().into_bytes()),
        ("nothing", Vec::new()),
    ]
}
