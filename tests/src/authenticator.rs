//! A software authenticator: what a browser and a security key make of the server's options, and everything that an
//! attacker would change about it. Shares no code with the server.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The user touched it.
pub const PRESENT: u8 = 1;
/// The user gave a PIN or a biometric.
pub const VERIFIED: u8 = 1 << 2;
/// The credential may be copied.
pub const ELIGIBLE: u8 = 1 << 3;
/// The credential is copied.
pub const BACKED_UP: u8 = 1 << 4;
/// A credential follows.
const ATTESTED: u8 = 1 << 6;

enum Key {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

/// The two numbers of an `RSAPublicKey` in DER (RFC 8017 appendix A.1.1): three bytes of length before the first, one
/// before the second, as in every key of these sizes.
fn numbers(der: &[u8]) -> (&[u8], &[u8]) {
    let [0x30, 0x82, _, _, 0x02, 0x82, high, low, rest @ ..] = der else { panic!("another encoding") };
    let (n, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
    let [0x02, _, e @ ..] = rest else { panic!("another encoding") };
    (n.strip_prefix(&[0]).unwrap_or(n), e)
}

/// One credential and the device that holds it.
pub struct Authenticator {
    key: Key,
    /// The credential id.
    pub id: Vec<u8>,
    /// What the authenticator keeps of its user, base64url as the options had it.
    pub user_handle: Option<String>,
}

/// An answer before it is signed, every part open to lies.
#[derive(Clone, Debug)]
pub struct Draft {
    /// `webauthn.create` or `webauthn.get`.
    pub kind: String,
    /// From the options.
    pub challenge: String,
    /// Of the page.
    pub origin: String,
    /// Of which the authenticator signs the hash.
    pub rp_id: String,
    /// [`PRESENT`] and so on.
    pub flags: u8,
    /// The signature counter.
    pub sign_count: u32,
    /// Further members of the client data.
    pub collected: Value,
}

impl Draft {
    /// An honest answer of a verified user to these options, on this page.
    pub fn new(options: &Value, origin: &str) -> Self {
        let kind = if options.get("rp").is_some() { "webauthn.create" } else { "webauthn.get" };
        let host = origin.split("://").nth(1).expect("a host").split(':').next().expect("a host");
        Self {
            kind: kind.to_owned(),
            challenge: options["challenge"].as_str().expect("a challenge").to_owned(),
            origin: origin.to_owned(),
            rp_id: host.to_owned(),
            flags: PRESENT | VERIFIED,
            sign_count: 0,
            collected: json!({ "crossOrigin": false }),
        }
    }

    fn client_data(&self) -> Vec<u8> {
        let mut collected = json!({ "type": self.kind, "challenge": self.challenge, "origin": self.origin });
        for (name, value) in self.collected.as_object().expect("an object") {
            collected[name] = value.clone();
        }
        collected.to_string().into_bytes()
    }

    fn authenticator_data(&self, more: u8) -> Vec<u8> {
        let hash = digest(&SHA256, self.rp_id.as_bytes());
        [hash.as_ref(), &[self.flags | more], &self.sign_count.to_be_bytes()].concat()
    }
}

/// Base64url as browsers write it.
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A byte string in CBOR.
fn bytes(value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).expect("a short text");
    [&[0x59][..], &length.to_be_bytes(), value].concat()
}

impl Authenticator {
    fn with(key: Key) -> Self {
        let mut id = vec![0; 32];
        aws_lc_rs::rand::fill(&mut id).expect("random bytes");
        Self { key, id, user_handle: None }
    }

    /// One that signs with ES256, as most do.
    pub fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        Self::with(Key::Es256(pair))
    }

    /// One that signs with Ed25519.
    pub fn ed25519() -> Self {
        Self::with(Key::EdDsa(Ed25519KeyPair::generate().expect("a key")))
    }

    /// One that signs with RSA of this size.
    pub fn rsa(size: KeySize) -> Self {
        Self::with(Key::Rs256(RsaKeyPair::generate(size).expect("a key")))
    }

    /// The `COSE_Key`, with the algorithm that it belongs to.
    pub fn public_key(&self) -> Vec<u8> {
        match &self.key {
            Key::Es256(pair) => {
                let point = pair.public_key().as_ref();
                let start = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21];
                [&start[..], &bytes(&point[1..33]), &[0x22], &bytes(&point[33..])].concat()
            }
            Key::EdDsa(pair) => {
                let start = [0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21];
                [&start[..], &bytes(pair.public_key().as_ref())].concat()
            }
            Key::Rs256(pair) => {
                let (n, e) = numbers(pair.public_key().as_ref());
                let start = [0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20];
                [&start[..], &bytes(n), &[0x21], &bytes(e)].concat()
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Es256(pair) => pair.sign(&random, message).expect("a signature").as_ref().to_vec(),
            Key::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Key::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).expect("a signature");
                signature
            }
        }
    }

    /// The answer to a registration, in the JSON form of browsers.
    pub fn attest(&self, draft: &Draft) -> Value {
        self.attest_key(draft, &self.public_key())
    }

    /// The same with a public key of the caller's choice.
    pub fn attest_key(&self, draft: &Draft, public_key: &[u8]) -> Value {
        let length = u16::try_from(self.id.len()).expect("a short id");
        let mut data = draft.authenticator_data(ATTESTED);
        data.extend([7; 16]);
        data.extend(length.to_be_bytes());
        data.extend(&self.id);
        data.extend(public_key);
        self.attest_data(draft, &data)
    }

    /// The same with authenticator data of the caller's choice.
    pub fn attest_data(&self, draft: &Draft, data: &[u8]) -> Value {
        let object = [&b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData"[..], &bytes(data)].concat();
        json!({
            "id": base64url(&self.id),
            "rawId": base64url(&self.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": { "credProps": { "rk": true } },
            "response": {
                "clientDataJSON": base64url(draft.client_data()),
                "attestationObject": base64url(object),
                "transports": ["internal"],
            },
        })
    }

    /// The answer to a challenge, in the JSON form of browsers.
    pub fn assert(&self, draft: &Draft) -> Value {
        let (collected, data) = (draft.client_data(), draft.authenticator_data(0));
        let signed = [data.as_slice(), digest(&SHA256, &collected).as_ref()].concat();
        json!({
            "id": base64url(&self.id),
            "rawId": base64url(&self.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": base64url(&collected),
                "authenticatorData": base64url(&data),
                "signature": base64url(self.sign(&signed)),
                "userHandle": self.user_handle,
            },
        })
    }
}

impl Default for Authenticator {
    fn default() -> Self {
        Self::new()
    }
}
