//! A forger who holds the server's own signing key, so that everything but the signature can be wrong, and one
//! who holds a key of their own.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use latchkey_api_types::ids::ProjectId;
use latchkey_storage::signing_keys;
use latchkey_testkit::TestServer;
use serde_json::{Value, json};

/// A key with which tokens are forged.
pub struct Forger {
    pair: EcdsaKeyPair,
    /// The key id.
    pub kid: String,
}

/// Base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Forger {
    /// The key that signs for a kind of user (`normal`, `restricted`, `anonymous`) of a project.
    pub async fn of_server(server: &TestServer, project: &str, kind: &str) -> Self {
        let project: ProjectId = project.parse().expect("a project id");
        let wanted = project.clone();
        let read =
            server.app().store.read(move |tx| Box::pin(async move { signing_keys::list(tx, &wanted).await }));
        let rows = read.await.expect("keys are read");
        let row = rows
            .into_iter()
            .find(|row| row.user_kind == kind && row.state == "active")
            .expect("a signing key");
        let context = format!("signing-key:{project}:{}", row.kid);
        let pkcs8 = server
            .app()
            .master_keys
            .open(&context, &row.private_key_sealed)
            .expect("the master key opens it");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).expect("a P-256 key");
        Self { pair, kid: row.kid }
    }

    /// A key of the forger's own that claims to be `kid`.
    pub fn own(kid: &str) -> Self {
        Self::of_curve(&ECDSA_P256_SHA256_FIXED_SIGNING, kid)
    }

    /// A key on P-384 that claims to be `kid`.
    pub fn on_p384(kid: &str) -> Self {
        Self::of_curve(&ECDSA_P384_SHA384_FIXED_SIGNING, kid)
    }

    fn of_curve(algorithm: &'static EcdsaSigningAlgorithm, kid: &str) -> Self {
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref()).expect("a key");
        Self { pair, kid: kid.to_owned() }
    }

    /// The public point, uncompressed.
    pub fn point(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The public key as JSON.
    pub fn jwk(&self) -> Value {
        let point = self.point();
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": self.kid,
            "x": encode(&point[1..33]), "y": encode(&point[33..65]),
        })
    }

    /// The header that the server writes.
    pub fn header(&self) -> Value {
        json!({ "alg": "ES256", "kid": self.kid })
    }

    /// Signs any header and any payload.
    pub fn sign(&self, header: &Value, payload: &str) -> String {
        let signed = format!("{}.{}", encode(header.to_string()), encode(payload));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", encode(signature.as_ref()))
    }

    /// Signs claims under the header that the server writes.
    pub fn claim(&self, claims: &Value) -> String {
        self.sign(&self.header(), &claims.to_string())
    }
}
