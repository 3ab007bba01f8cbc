//! What attackers send: every lie about an answer is refused as the contract says, uses the challenge up, and changes
//! nothing.

use aws_lc_rs::rsa::KeySize;
use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::authenticator::{Authenticator, BACKED_UP, Draft, PRESENT, VERIFIED, base64url};
use latchkey_tests::passkeys::{
    self, ORIGIN, begin_registration, begin_sign_in, builder, register_as, registered, send_registration,
    send_sign_in, sign_in, sign_in_as,
};
use latchkey_tests::people::{self, Person};
use latchkey_tests::stored;
use serde_json::{Value, json};

/// A lie about an answer.
type Lie = (&'static str, fn(&mut Draft));

/// A change of a credential or an answer.
type Change = (&'static str, fn(&mut Value));

const LIES: &[Lie] = &[
    ("a page elsewhere", |draft| draft.origin = "https://evil.test".into()),
    ("a page whose host begins like a trusted one", |draft| {
        draft.origin = "http://localhost.evil.test".into();
    }),
    ("no page", |draft| draft.origin = String::new()),
    ("an app", |draft| draft.origin = "stack-auth-mobile-oauth-url://localhost".into()),
    ("another relying party", |draft| draft.rp_id = "evil.test".into()),
    ("no relying party", |draft| draft.rp_id = String::new()),
    ("the placeholder", |draft| draft.rp_id = "THIS_VALUE_WILL_BE_REPLACED.example.com".into()),
    ("another challenge", |draft| draft.challenge = base64url([1; 32])),
    ("no challenge", |draft| draft.challenge = String::new()),
    ("the well-known challenge of test deployments", |draft| draft.challenge = "TU9DSw".into()),
    ("a challenge in another spelling", |draft| draft.challenge.push('=')),
    ("the other ceremony", |draft| {
        let other = if draft.kind == "webauthn.get" { "webauthn.create" } else { "webauthn.get" };
        draft.kind = other.into();
    }),
    ("a payment", |draft| draft.kind = "payment.get".into()),
    ("nobody touched it", |draft| draft.flags = VERIFIED),
    ("nothing set", |draft| draft.flags = 0),
    ("copied, but not to be copied", |draft| draft.flags = PRESENT | BACKED_UP),
    ("embedded", |draft| draft.collected = json!({ "crossOrigin": true })),
    ("embedded, and says where", |draft| {
        draft.collected = json!({ "crossOrigin": false, "topOrigin": "https://evil.test" });
    }),
    ("a cross-origin that is no boolean", |draft| draft.collected = json!({ "crossOrigin": "false" })),
];

/// Registers with a credential that was changed after it was made.
async fn register_changed(server: &TestServer, person: &Person, change: impl FnOnce(&mut Value)) -> Answer {
    let (begun, key) = (begin_registration(server, person).await, Authenticator::new());
    let mut credential = key.attest(&Draft::new(&begun["options_json"], ORIGIN));
    change(&mut credential);
    send_registration(server, person, &begun, &credential).await
}

/// Signs in with a response that was changed after it was made.
async fn sign_in_changed(
    server: &TestServer,
    key: &Authenticator,
    change: impl FnOnce(&mut Value),
) -> Answer {
    let begun = begin_sign_in(server).await;
    let mut response = key.assert(&Draft::new(&begun["options_json"], ORIGIN));
    change(&mut response);
    send_sign_in(server, &begun, &response).await
}

on_both_engines! {
    async fn a_lie_registers_nothing(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for (what, lie) in LIES {
            let answer = register_as(&server, &ada, &mut Authenticator::new(), lie).await;
            assert_eq!(answer.header("x-stack-known-error"), Some("PASSKEY_REGISTRATION_FAILED"), "{what}: {}", answer.text());
            let details = answer.expect_error(400, "PASSKEY_REGISTRATION_FAILED");
            assert_eq!(details, Value::Null, "the contract has no details, and attackers learn nothing");
        }
        assert_eq!(passkeys::list(&server, &ada.id).await, Vec::<Value>::new());
        server.flush().await;
        let kinds = stored::event_kinds(&server, &ada.id).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "passkey.refused").count(), LIES.len());
    }

    async fn a_lie_signs_nobody_in(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let key = registered(&server, &ada).await;
        for (what, lie) in LIES {
            let answer = sign_in_as(&server, &key, lie).await;
            assert_eq!(answer.header("x-stack-known-error"), Some("PASSKEY_AUTHENTICATION_FAILED"), "{what}: {}", answer.text());
            assert_eq!(answer.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED"), Value::Null);
        }
        sign_in(&server, &key).await.expect(200);
    }

    async fn a_wrong_answer_uses_the_challenge_up(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let key = registered(&server, &ada).await;
        let begun = begin_sign_in(&server).await;
        let honest = Draft::new(&begun["options_json"], ORIGIN);
        let lie = Draft { origin: "https://evil.test".to_owned(), ..honest.clone() };
        send_sign_in(&server, &begun, &key.assert(&lie)).await.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
        send_sign_in(&server, &begun, &key.assert(&honest)).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
    }

    async fn an_answer_is_worth_nothing_with_another_code(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let key = registered(&server, &ada).await;
        let (one, two) = (begin_sign_in(&server).await, begin_sign_in(&server).await);
        let response = key.assert(&Draft::new(&one["options_json"], ORIGIN));
        send_sign_in(&server, &two, &response).await.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
        send_sign_in(&server, &one, &response).await.expect(200);
        let replayed = send_sign_in(&server, &begin_sign_in(&server).await, &response).await;
        replayed.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
    }

    async fn a_code_belongs_to_its_ceremony_and_its_project(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let key = registered(&server, &ada).await;
        let for_registration = begin_registration(&server, &ada).await;
        let for_sign_in = begin_sign_in(&server).await;
        let response = key.assert(&Draft::new(&for_sign_in["options_json"], ORIGIN));
        let credential = Authenticator::new().attest(&Draft::new(&for_registration["options_json"], ORIGIN));
        send_sign_in(&server, &for_registration, &response).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        send_registration(&server, &ada, &for_sign_in, &credential).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        for code in ["", "x", &"0".repeat(45), &"x".repeat(100_000)] {
            let unknown = json!({ "code": code });
            send_sign_in(&server, &unknown, &response).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        }
        // The other project uses passkeys too.
        let other = server.other_project().clone();
        let config = json!({ "config_override_string": json!({ "auth.passkey.allowSignIn": true }).to_string() });
        let enable = people::speaking_for(server.patch("/internal/config/override/branch"), &other, "admin");
        enable.json(&config).send().await.expect(200);
        let body = json!({ "authentication_response": response, "code": for_sign_in["code"] });
        let there = people::speaking_for(server.post("/auth/passkey/sign-in"), &other, "client");
        there.json(&body).send().await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        // A challenge of that project and a credential of this one.
        let begun = people::speaking_for(server.post("/auth/passkey/initiate-passkey-authentication"), &other, "client");
        let begun = begun.json(&json!({})).send().await.expect(200);
        let body = json!({
            "authentication_response": key.assert(&Draft::new(&begun["options_json"], ORIGIN)), "code": begun["code"],
        });
        let there = people::speaking_for(server.post("/auth/passkey/sign-in"), &other, "client");
        there.json(&body).send().await.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
        send_sign_in(&server, &for_sign_in, &response).await.expect(200);
    }

    async fn a_credential_id_may_be_known_to_two_projects(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let key = registered(&server, &ada).await;
        let other = server.other_project().clone();
        let config = json!({ "config_override_string": json!({ "auth.passkey.allowSignIn": true }).to_string() });
        let enable = people::speaking_for(server.patch("/internal/config/override/branch"), &other, "admin");
        enable.json(&config).send().await.expect(200);
        let body = json!({ "email": "twin@example.com", "password": people::PASSWORD });
        let twin = people::speaking_for(server.post("/auth/password/sign-up"), &other, "client");
        let twin = Person::of(&twin.json(&body).send().await.expect(200));
        let there = |path: &str| people::speaking_for(server.post(path), &other, "client").user(&twin.access_token);
        let begun = there("/auth/passkey/initiate-passkey-registration").json(&json!({})).send().await.expect(200);
        let credential = key.attest(&Draft::new(&begun["options_json"], ORIGIN));
        let body = json!({ "credential": credential, "code": begun["code"] });
        there("/auth/passkey/register").json(&body).send().await.expect(200);
        assert_eq!(Person::of(&sign_in(&server, &key).await.expect(200)).id, ada.id);
    }

    async fn a_challenge_for_one_user_registers_nothing_for_another(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let mallory = people::sign_up(&server, "mallory@example.com").await;
        let begun = begin_registration(&server, &ada).await;
        let credential = Authenticator::new().attest(&Draft::new(&begun["options_json"], ORIGIN));
        send_registration(&server, &mallory, &begun, &credential).await.expect_error(400, "PASSKEY_REGISTRATION_FAILED");
        let begun = begin_registration(&server, &mallory).await;
        let credential = Authenticator::new().attest(&Draft::new(&begun["options_json"], ORIGIN));
        send_registration(&server, &ada, &begun, &credential).await.expect_error(400, "PASSKEY_REGISTRATION_FAILED");
        assert!(passkeys::list(&server, &ada.id).await.is_empty() && passkeys::list(&server, &mallory.id).await.is_empty());
    }

    async fn a_credential_is_registered_once(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let mallory = people::sign_up(&server, "mallory@example.com").await;
        let mut key = registered(&server, &ada).await;
        // Mallory claims the id of Ada's credential with a key of her own.
        let mut thief = Authenticator::new();
        thief.id.clone_from(&key.id);
        for person in [&mallory, &ada] {
            register_as(&server, person, &mut thief, |_| ()).await.expect_error(400, "PASSKEY_REGISTRATION_FAILED");
        }
        register_as(&server, &ada, &mut key, |_| ()).await.expect_error(400, "PASSKEY_REGISTRATION_FAILED");
        thief.user_handle = None;
        sign_in(&server, &thief).await.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
        key.user_handle = Some(base64url(&ada.id));
        assert_eq!(Person::of(&sign_in(&server, &key).await.expect(200)).id, ada.id);
        assert_eq!(passkeys::list(&server, &mallory.id).await, Vec::<Value>::new());
    }

    async fn a_credential_signs_in_its_owner_only(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let mallory = people::sign_up(&server, "mallory@example.com").await;
        let key = registered(&server, &ada).await;
        let mut other = registered(&server, &mallory).await;
        // Mallory's key with the handle of Ada, and with Ada's credential id.
        other.user_handle = Some(base64url(&ada.id));
        sign_in(&server, &other).await.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
        for handle in [Some(base64url(&mallory.id)), Some(base64url(&ada.id)), None] {
            other.user_handle = handle;
            let forged = sign_in_changed(&server, &other, |response| {
                response["id"] = json!(base64url(&key.id));
                response["rawId"] = json!(base64url(&key.id));
            });
            forged.await.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
        }
        for handle in ["", "AA", "*", &base64url([0; 64]), &"A".repeat(10_000)] {
            other.user_handle = Some(handle.to_owned());
            sign_in(&server, &other).await.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
        }
        sign_in(&server, &Authenticator::new()).await.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
    }

    async fn a_changed_answer_signs_nobody_in(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let key = registered(&server, &ada).await;
        let changes: &[Change] = &[
            ("no signature", |r| r["response"]["signature"] = json!("")),
            ("a signature of nothing", |r| r["response"]["signature"] = json!(base64url([0; 70]))),
            ("a long signature", |r| r["response"]["signature"] = json!("A".repeat(300_000))),
            ("a signature that is not base64url", |r| r["response"]["signature"] = json!("+/+/")),
            ("no authenticator data", |r| r["response"]["authenticatorData"] = json!("")),
            ("short authenticator data", |r| r["response"]["authenticatorData"] = json!(base64url([0; 36]))),
            ("long authenticator data", |r| r["response"]["authenticatorData"] = json!("A".repeat(300_000))),
            ("no client data", |r| r["response"]["clientDataJSON"] = json!("")),
            ("client data that are no JSON", |r| r["response"]["clientDataJSON"] = json!(base64url("{"))),
            ("client data without end", |r| r["response"]["clientDataJSON"] = json!("A".repeat(300_000))),
            ("client data with spaces", |r| {
                let text = r["response"]["clientDataJSON"].as_str().unwrap_or_default().to_owned();
                r["response"]["clientDataJSON"] = json!(text + "ICAg");
            }),
            ("another type", |r| r["type"] = json!("password")),
            ("two ids", |r| r["rawId"] = json!(base64url([9; 32]))),
            ("no id", |r| { r["id"] = json!(""); r["rawId"] = json!(""); }),
            ("a long id", |r| { r["id"] = json!("A".repeat(300_000)); r["rawId"] = r["id"].clone(); }),
            ("an id that is not base64url", |r| { r["id"] = json!("+/+/"); r["rawId"] = r["id"].clone(); }),
        ];
        for (what, change) in changes {
            let answer = sign_in_changed(&server, &key, change).await;
            assert_eq!(answer.header("x-stack-known-error"), Some("PASSKEY_AUTHENTICATION_FAILED"), "{what}: {}", answer.text());
        }
        let missing: &[fn(&mut Value)] = &[
            |r| *r = json!(null), |r| *r = json!([]), |r| *r = json!("x"), |r| r["response"] = json!(null), |r| r["id"] = json!(null),
            |r| r["id"] = json!({}), |r| r["response"]["clientDataJSON"] = json!([1]), |r| r["response"]["signature"] = json!(null),
            |r| { r["response"].as_object_mut().expect("an object").remove("authenticatorData"); },
        ];
        for change in missing {
            sign_in_changed(&server, &key, change).await.expect_error(400, "SCHEMA_ERROR");
        }
        sign_in(&server, &key).await.expect(200);
    }

    async fn a_changed_credential_is_not_registered(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let changes: &[Change] = &[
            ("no object", |c| c["response"]["attestationObject"] = json!("")),
            ("no CBOR", |c| c["response"]["attestationObject"] = json!(base64url([0xff; 200]))),
            ("an endless map", |c| c["response"]["attestationObject"] = json!(base64url(b"\xbf\x63fmt"))),
            ("a huge map", |c| c["response"]["attestationObject"] = json!(base64url(b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff"))),
            ("a deep list", |c| c["response"]["attestationObject"] = json!(base64url(vec![0x81; 40_000]))),
            ("a long object", |c| c["response"]["attestationObject"] = json!("A".repeat(500_000))),
            ("an object that is not base64url", |c| c["response"]["attestationObject"] = json!("ü")),
            ("no client data", |c| c["response"]["clientDataJSON"] = json!("")),
            ("another id", |c| { c["id"] = json!(base64url([9; 32])); c["rawId"] = c["id"].clone(); }),
            ("two ids", |c| c["rawId"] = json!(base64url([9; 32]))),
            ("another type", |c| c["type"] = json!("")),
        ];
        for (what, change) in changes {
            let answer = register_changed(&server, &ada, change).await;
            assert_eq!(answer.header("x-stack-known-error"), Some("PASSKEY_REGISTRATION_FAILED"), "{what}: {}", answer.text());
        }
        let missing: &[fn(&mut Value)] = &[
            |c| *c = json!(null), |c| c["response"] = json!(1), |c| c["type"] = json!(null),
            |c| { c["response"].as_object_mut().expect("an object").remove("attestationObject"); },
        ];
        for change in missing {
            register_changed(&server, &ada, change).await.expect_error(400, "SCHEMA_ERROR");
        }
        assert_eq!(passkeys::list(&server, &ada.id).await, Vec::<Value>::new());
    }

    async fn a_key_that_was_not_asked_for_is_not_registered(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let attempt = async |authenticator: &Authenticator, public_key: &[u8]| {
            let begun = begin_registration(&server, &ada).await;
            let draft = Draft::new(&begun["options_json"], ORIGIN);
            send_registration(&server, &ada, &begun, &authenticator.attest_key(&draft, public_key)).await
        };
        let (ec, ed, rsa) = (Authenticator::new(), Authenticator::ed25519(), Authenticator::rsa(KeySize::Rsa2048));
        // Each key with the algorithms of the others, and with none.
        let alg = |key: &Authenticator, at: usize, bytes: &[u8]| {
            let mut changed = key.public_key();
            changed.splice(at..=at, bytes.iter().copied());
            changed
        };
        let es256_as = |bytes: &[u8]| alg(&ec, 4, bytes);
        let wrong = [
            es256_as(&[0x27]), es256_as(&[0x39, 0x01, 0x00]), es256_as(&[0x38, 0x22]), es256_as(&[0x00]), alg(&ed, 4, &[0x26]),
            alg(&ec, 2, &[0x01]), alg(&ec, 6, &[0x02]), alg(&ed, 2, &[0x02]), alg(&ec, 45, &[0xff]), ed.public_key()[..20].to_vec(),
            Vec::new(), vec![0xa0], vec![0xf6], vec![0xa1, 0x01, 0x02],
        ];
        for public_key in wrong {
            attempt(&ec, &public_key).await.expect_error(400, "PASSKEY_REGISTRATION_FAILED");
        }
        attempt(&rsa, &[rsa.public_key(), vec![0]].concat()).await.expect_error(400, "PASSKEY_REGISTRATION_FAILED");
        let big = Authenticator::rsa(KeySize::Rsa8192);
        attempt(&big, &big.public_key()).await.expect_error(400, "PASSKEY_REGISTRATION_FAILED");
        attempt(&ec, &ec.public_key()).await.expect(200);
    }

    async fn a_passkey_is_not_used_with_the_key_of_another_algorithm(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let key = registered(&server, &ada).await;
        for mut other in [Authenticator::ed25519(), Authenticator::rsa(KeySize::Rsa2048)] {
            other.id.clone_from(&key.id);
            sign_in(&server, &other).await.expect_error(400, "PASSKEY_AUTHENTICATION_FAILED");
        }
    }

    async fn long_and_empty_credential_ids_are_refused(server, builder = builder()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for (length, status) in [(0, 400), (1, 200), (1023, 200), (1024, 400), (60_000, 400)] {
            let mut key = Authenticator::new();
            key.id = vec![5; length];
            let answer = register_as(&server, &ada, &mut key, |_| ()).await;
            assert_eq!(answer.status, status, "{length}: {}", answer.text());
        }
    }
}
