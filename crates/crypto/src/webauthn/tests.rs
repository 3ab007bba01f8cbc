//! Answers of a real browser are accepted, and everything that was made of them by changing something is not.
//!
//! `chromium.json` holds what Chromium 156 and its virtual authenticator answered on `http://localhost:37465` for
//! each algorithm, the challenges being `create` and `get` with the number of the algorithm behind.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::Encoder;
use serde_json::Value;

use super::*;

const RP: Demands<'static> = Demands { rp_ids: &["localhost"], user_verification: true };

/// One credential as the browser gave it.
struct Recorded {
    alg: i64,
    create: Vec<u8>,
    object: Vec<u8>,
    get: Vec<u8>,
    data: Vec<u8>,
    signature: Vec<u8>,
    id: Vec<u8>,
}

fn recorded() -> Vec<Recorded> {
    let rows: Vec<Value> = serde_json::from_str(include_str!("chromium.json")).unwrap();
    let bytes = |value: &Value| URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap();
    rows.iter()
        .map(|row| Recorded {
            alg: row["alg"].as_i64().unwrap(),
            create: bytes(&row["create"]["clientDataJSON"]),
            object: bytes(&row["create"]["attestationObject"]),
            get: bytes(&row["get"]["clientDataJSON"]),
            data: bytes(&row["get"]["authenticatorData"]),
            signature: bytes(&row["get"]["signature"]),
            id: bytes(&row["credential_id"]),
        })
        .collect()
}

fn client_data(json: &[u8]) -> ClientData {
    ClientData::read(json, Ceremony::Authentication).unwrap()
}

impl Recorded {
    fn key(&self) -> Vec<u8> {
        read_registration(&self.object, &RP).unwrap().public_key
    }

    fn verify(&self, json: &[u8], data: &[u8], signature: &[u8]) -> Result<Assertion, WebauthnError> {
        verify_assertion(&self.key(), &client_data(json), data, signature, &RP)
    }
}

/// The attestation object around authenticator data.
fn attestation(data: &[u8]) -> Vec<u8> {
    let mut out = Encoder::new(Vec::new());
    out.map(3).unwrap().str("fmt").unwrap().str("none").unwrap();
    out.str("attStmt").unwrap().map(0).unwrap().str("authData").unwrap().bytes(data).unwrap();
    out.into_writer()
}

/// A label with a number or a byte string.
type Member<'a> = (i64, Result<i64, &'a [u8]>);

/// A key of numbers and byte strings.
fn key(members: &[Member<'_>]) -> Vec<u8> {
    let mut out = Encoder::new(Vec::new());
    out.map(members.len() as u64).unwrap();
    for (label, value) in members {
        out.i64(*label).unwrap();
        match value {
            Ok(number) => out.i64(*number).unwrap(),
            Err(bytes) => out.bytes(bytes).unwrap(),
        };
    }
    out.into_writer()
}

fn is_usable(key: &[u8]) -> bool {
    CoseKey::read(key).and_then(|key| key.parse()).is_ok()
}

#[test]
fn what_chromium_answers_is_accepted_with_each_algorithm() {
    assert_eq!(recorded().iter().map(|row| row.alg).collect::<Vec<_>>(), [-7, -8, -257]);
    for row in recorded() {
        let created = ClientData::read(&row.create, Ceremony::Registration).unwrap();
        assert_eq!(created.origin, "http://localhost:37465");
        let challenge = format!("create{}", row.alg);
        assert_eq!(URL_SAFE_NO_PAD.decode(created.challenge).unwrap(), challenge.as_bytes());
        let credential = read_registration(&row.object, &RP).unwrap();
        assert_eq!((credential.credential_id, credential.rp_id), (row.id.clone(), "localhost".to_owned()));
        assert_eq!((credential.sign_count, credential.flags.user_verified), (1, true));
        assert_eq!(credential.aaguid, [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
        let assertion = row.verify(&row.get, &row.data, &row.signature).unwrap();
        assert_eq!((assertion.sign_count, assertion.flags.user_verified), (2, true));
    }
}

#[test]
fn the_signature_covers_every_byte() {
    for row in recorded() {
        for at in 0..row.signature.len() {
            let mut signature = row.signature.clone();
            signature[at] ^= 1;
            assert!(row.verify(&row.get, &row.data, &signature).is_err(), "{} at {at}", row.alg);
        }
        for at in 0..row.data.len() {
            let mut data = row.data.clone();
            data[at] ^= 1;
            assert!(row.verify(&row.get, &data, &row.signature).is_err(), "{} at {at}", row.alg);
        }
        let spaced = [row.get.as_slice(), b" "].concat();
        assert_eq!(row.verify(&spaced, &row.data, &row.signature), Err(WebauthnError::BadSignature));
        assert_eq!(row.verify(&row.get, &row.data, &[]), Err(WebauthnError::BadSignature));
    }
}

#[test]
fn a_key_verifies_with_its_own_algorithm_only() {
    let rows = recorded();
    for one in &rows {
        for other in rows.iter().filter(|other| other.alg != one.alg) {
            let crossed =
                verify_assertion(&other.key(), &client_data(&one.get), &one.data, &one.signature, &RP);
            assert_eq!(crossed, Err(WebauthnError::BadSignature), "{} by {}", one.alg, other.alg);
        }
    }
}

#[test]
fn an_answer_is_for_one_relying_party_and_shows_the_user() {
    for row in recorded() {
        let elsewhere = Demands { rp_ids: &["localhost.", "example.com", ""], user_verification: false };
        assert_eq!(read_registration(&row.object, &elsewhere), Err(WebauthnError::WrongRelyingParty));
        let several = Demands { rp_ids: &["example.com", "localhost"], user_verification: false };
        assert_eq!(read_registration(&row.object, &several).unwrap().rp_id, "localhost");
        let mut absent = row.data.clone();
        absent[32] &= !1;
        assert_eq!(row.verify(&row.get, &absent, &row.signature), Err(WebauthnError::UserNotPresent));
        let mut unverified = row.data.clone();
        unverified[32] &= !4;
        assert_eq!(row.verify(&row.get, &unverified, &row.signature), Err(WebauthnError::UserNotVerified));
        let mut copied = row.data.clone();
        copied[32] |= 1 << 4;
        let malformed = Err(WebauthnError::MalformedAuthenticatorData);
        assert_eq!(row.verify(&row.get, &copied, &row.signature), malformed);
    }
}

#[test]
fn client_data_are_those_of_the_ceremony_and_of_the_page_itself() {
    let read = |json: &str| ClientData::read(json.as_bytes(), Ceremony::Authentication);
    let whole = r#"{"type":"webauthn.get","challenge":"AA","origin":"https://a.example","other":[1]}"#;
    assert_eq!(read(whole).unwrap().challenge, "AA");
    let create = whole.replace("webauthn.get", "webauthn.create");
    assert_eq!(read(&create), Err(WebauthnError::WrongCeremony));
    for extra in [r#""crossOrigin":true"#, r#""crossOrigin":false,"topOrigin":"https://b.example""#] {
        let embedded = whole.replace(r#""other":[1]"#, extra);
        assert_eq!(read(&embedded), Err(WebauthnError::CrossOrigin), "{embedded}");
    }
    let malformed = [
        "",
        "{}",
        "null",
        "[]",
        "\"\"",
        "{\"type\":",
        &whole[1..],
        &format!("{whole}{whole}"),
        &whole.replace("\"AA\"", "1"),
        &whole.replace(r#""other":[1]"#, r#""origin":"https://b.example""#),
        &whole.replace(r#""other":[1]"#, r#""crossOrigin":"true""#),
        &format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)),
    ];
    for text in malformed {
        let start: String = text.chars().take(80).collect();
        assert_eq!(read(text), Err(WebauthnError::MalformedClientData), "{start}");
    }
    assert!(ClientData::read(b"{\"type\":\"\xff\"}", Ceremony::Registration).is_err());
}

#[test]
fn cut_or_extended_bytes_are_refused_and_break_nothing() {
    for row in recorded() {
        for end in 0..row.object.len() {
            assert!(read_registration(&row.object[..end], &RP).is_err(), "{} to {end}", row.alg);
        }
        assert!(read_registration(&[row.object.as_slice(), &[0]].concat(), &RP).is_err());
        let data = attestation_object(&row.object).unwrap();
        assert_eq!(attestation(data), row.object, "the encoder of these tests");
        for end in 0..data.len() {
            assert!(read_registration(&attestation(&data[..end]), &RP).is_err(), "{} to {end}", row.alg);
        }
        assert!(read_registration(&attestation(&[data, &[0]].concat()), &RP).is_err());
        for end in 0..row.data.len() {
            assert!(row.verify(&row.get, &row.data[..end], &row.signature).is_err());
        }
        let key = row.key();
        for end in 0..key.len() {
            assert!(!is_usable(&key[..end]));
        }
        assert!(!is_usable(&[key.as_slice(), &[0]].concat()));
    }
}

#[test]
fn changed_bytes_anywhere_break_nothing() {
    for row in recorded() {
        for at in 0..row.object.len() {
            for value in [0x00, 0x1f, 0x5f, 0x7f, 0x9b, 0xbb, 0xbf, 0xdb, 0xff] {
                let mut object = row.object.clone();
                object[at] = value;
                // Some are other credentials, most are refused; none may stop the program.
                drop(read_registration(&object, &RP));
            }
        }
    }
    // Lengths without end and depths without bottom.
    for start in
        [&b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff"[..], b"\xa3\x63fmt\x7b\xff\xff\xff\xff\xff\xff\xff\xff"]
    {
        assert_eq!(read_registration(start, &RP), Err(WebauthnError::MalformedAttestation));
    }
    let deep = [&b"\xa1\x67attStmt"[..], &vec![0x81; 1_000_000]].concat();
    assert_eq!(read_registration(&deep, &RP), Err(WebauthnError::MalformedAttestation));
    let mut data = attestation_object(&recorded()[0].object).unwrap().to_vec();
    data[32] |= 0x80;
    let deep = [data.as_slice(), &[0xa1, 0x01], &vec![0xa1; 1_000_000]].concat();
    let malformed = Err(WebauthnError::MalformedAuthenticatorData);
    assert_eq!(read_registration(&attestation(&deep), &RP), malformed);
    // Extensions that are well formed are skipped.
    let extended = [data.as_slice(), b"\xa1\x69credProps\xf5"].concat();
    assert!(read_registration(&attestation(&extended), &RP).is_ok());
}

#[test]
fn an_attestation_object_has_each_member_once_and_no_other() {
    let row = &recorded()[0];
    let data = attestation_object(&row.object).unwrap();
    let object = |members: &[&str]| {
        let mut out = Encoder::new(Vec::new());
        out.map(members.len() as u64).unwrap();
        for name in members {
            out.str(name).unwrap();
            match *name {
                "authData" => out.bytes(data).unwrap(),
                "attStmt" => out.map(0).unwrap(),
                _ => out.str("none").unwrap(),
            };
        }
        read_registration(&out.into_writer(), &RP)
    };
    assert!(object(&["fmt", "attStmt", "authData"]).is_ok());
    assert!(object(&["authData", "fmt", "attStmt"]).is_ok(), "some authenticators write in another order");
    for wrong in [
        &["fmt", "attStmt"][..],
        &["fmt", "authData"],
        &["attStmt", "authData"],
        &[],
        &["fmt", "attStmt", "authData", "authData"],
        &["fmt", "attStmt", "authData", "extra"],
    ] {
        assert_eq!(object(wrong), Err(WebauthnError::MalformedAttestation), "{wrong:?}");
    }
}

#[test]
fn an_assertion_is_not_a_registration() {
    let row = &recorded()[0];
    let malformed = Err(WebauthnError::MalformedAuthenticatorData);
    assert_eq!(read_registration(&attestation(&row.data), &RP), malformed);
}

#[test]
fn a_key_is_of_one_of_three_kinds_and_whole() {
    let rows = recorded();
    let (point, edwards) = (rows[0].key(), rows[1].key());
    let (x, y, ed) = (&point[10..42], &point[45..77], &edwards[10..42]);
    let (n, e) = ([&[0x80][..], &[1; 255]].concat(), [1_u8, 0, 1]);
    assert_eq!(key(&[(1, Ok(2)), (3, Ok(-7)), (-1, Ok(1)), (-2, Err(x)), (-3, Err(y))]), point);
    assert_eq!(key(&[(1, Ok(1)), (3, Ok(-8)), (-1, Ok(6)), (-2, Err(ed))]), edwards);
    assert!(is_usable(&key(&[(1, Ok(3)), (3, Ok(-257)), (-1, Err(&n)), (-2, Err(&e))])));
    let mut off = x.to_vec();
    off[31] ^= 1;
    let (short, long, huge) = (&n[..128], [0x80; 513], [0xff; 5]);
    let wrong: &[&[Member<'_>]] = &[
        &[],
        // Kind, algorithm and curve that do not belong together.
        &[(1, Ok(2)), (3, Ok(-8)), (-1, Ok(1)), (-2, Err(x)), (-3, Err(y))],
        &[(1, Ok(2)), (3, Ok(-257)), (-1, Ok(1)), (-2, Err(x)), (-3, Err(y))],
        &[(1, Ok(2)), (3, Ok(-35)), (-1, Ok(2)), (-2, Err(x)), (-3, Err(y))],
        &[(1, Ok(2)), (3, Ok(-7)), (-1, Ok(8)), (-2, Err(x)), (-3, Err(y))],
        &[(1, Ok(1)), (3, Ok(-7)), (-1, Ok(6)), (-2, Err(ed))],
        &[(1, Ok(1)), (3, Ok(-8)), (-1, Ok(4)), (-2, Err(ed))],
        &[(1, Ok(4)), (3, Ok(5)), (-1, Err(x))],
        &[(1, Ok(3)), (3, Ok(-7)), (-1, Err(&n)), (-2, Err(&e))],
        &[(1, Ok(3)), (3, Ok(-65535)), (-1, Err(&n)), (-2, Err(&e))],
        // Parts that are missing, wrong, twice, or too many.
        &[(3, Ok(-7)), (-1, Ok(1)), (-2, Err(x)), (-3, Err(y))],
        &[(1, Ok(2)), (-1, Ok(1)), (-2, Err(x)), (-3, Err(y))],
        &[(1, Ok(2)), (3, Ok(-7)), (-1, Ok(1)), (-2, Err(x))],
        &[(1, Ok(2)), (3, Ok(-7)), (-1, Ok(1)), (-2, Err(x)), (-3, Ok(1))],
        &[(1, Ok(2)), (3, Ok(-7)), (-1, Ok(1)), (-2, Err(&off)), (-3, Err(y))],
        &[(1, Ok(2)), (3, Ok(-7)), (-1, Ok(1)), (-2, Err(&x[1..])), (-3, Err(y))],
        &[(1, Ok(2)), (3, Ok(-7)), (-1, Ok(1)), (-2, Err(&[0; 32])), (-3, Err(&[0; 32]))],
        &[(1, Ok(2)), (1, Ok(2)), (3, Ok(-7)), (-1, Ok(1)), (-2, Err(x)), (-3, Err(y))],
        &[(1, Ok(2)), (3, Ok(-7)), (-1, Ok(1)), (-2, Err(x)), (-3, Err(y)), (-4, Err(x))],
        &[(1, Ok(1)), (3, Ok(-8)), (-1, Ok(6)), (-2, Err(&ed[1..]))],
        &[(1, Ok(1)), (3, Ok(-8)), (-1, Ok(6)), (-2, Err(ed)), (-3, Err(y))],
        &[(1, Ok(3)), (3, Ok(-257)), (-1, Err(short)), (-2, Err(&e))],
        &[(1, Ok(3)), (3, Ok(-257)), (-1, Err(&long)), (-2, Err(&e))],
        &[(1, Ok(3)), (3, Ok(-257)), (-1, Err(&n)), (-2, Err(&huge))],
        &[(1, Ok(3)), (3, Ok(-257)), (-1, Err(&n))],
    ];
    for members in wrong {
        assert!(!is_usable(&key(members)), "{members:?}");
    }
}
