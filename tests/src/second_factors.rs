//! Second factors for the tests: a secret, the codes of it, and signing in with them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_crypto::TotpSecret;
use latchkey_testkit::{Answer, TestServer};
use serde_json::{Value, json};

use crate::people::{self, PASSWORD, Person};

/// A secret of twenty bytes, as the SDKs send it.
pub const TOTP: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=";

/// Seconds after which another code is shown.
pub const STEP: i64 = 30;

fn secret() -> TotpSecret {
    TotpSecret::from_bytes(STANDARD.decode(TOTP).expect("base64"))
}

/// The code that an app with [`TOTP`] shows `seconds` from now.
pub fn code_in(server: &TestServer, seconds: i64) -> String {
    secret().code_at(server.app().now() + seconds * 1000)
}

/// The code that it shows now.
pub fn code(server: &TestServer) -> String {
    code_in(server, 0)
}

/// A code that is not accepted now.
pub fn wrong_code(server: &TestServer) -> String {
    let near: Vec<String> = (-1..=1).map(|steps| code_in(server, steps * STEP)).collect();
    let mut candidates = (0..10).map(|digit| format!("{digit}").repeat(6));
    candidates.find(|candidate| !near.contains(candidate)).expect("ten candidates against three codes")
}

/// Somebody who signed up with a password and has [`TOTP`], set as the SDKs do it.
pub async fn person(server: &TestServer, email: &str) -> Person {
    let person = people::sign_up(server, email).await;
    let fields = json!({ "totp_secret_base64": TOTP });
    let patch = server.patch("/users/me").client().user(&person.access_token).json(&fields);
    assert_eq!(patch.send().await.expect(200)["requires_totp_mfa"], true);
    person
}

/// The attempt code that the first factor brings.
pub async fn attempt(server: &TestServer, email: &str) -> String {
    let body = json!({ "email": email, "password": PASSWORD });
    let answer = server.post("/auth/password/sign-in").client().json(&body).send().await;
    let details = answer.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
    details["attempt_code"].as_str().expect("an attempt code").to_owned()
}

/// The second factor, as a client sends it.
pub async fn complete(server: &TestServer, attempt: &str, proof: &Value) -> Answer {
    let mut body = proof.clone();
    body["code"] = json!(attempt);
    server.post("/auth/mfa/sign-in").client().json(&body).send().await
}

/// A TOTP code as it is sent.
pub fn totp(code: &str) -> Value {
    json!({ "type": "totp", "totp": code })
}

/// A backup code as it is sent.
pub fn backup(code: &str) -> Value {
    json!({ "type": "backup_code", "backup_code": code })
}

/// Signs in with both factors. The code of this moment can then not be used again.
pub async fn sign_in(server: &TestServer, email: &str) -> Person {
    let attempt = attempt(server, email).await;
    Person::of(&complete(server, &attempt, &totp(&code(server))).await.expect(200))
}

/// Calls an endpoint of second factors for somebody.
pub async fn call(server: &TestServer, person: &Person, path: &str, body: &Value) -> Answer {
    server.post(path).client().user(&person.access_token).json(body).send().await
}

/// Somebody with a password who set TOTP up by our endpoints: with the secret of their app, and their backup codes.
pub async fn set_up(server: &TestServer, email: &str) -> (Person, TotpSecret, Vec<String>) {
    let person = people::sign_up(server, email).await;
    let setup = call(server, &person, "/auth/mfa/totp/setup", &json!({})).await.expect(200);
    let secret = secret_of(&setup);
    let body = json!({ "totp": secret.code_at(server.app().now()) });
    let codes = call(server, &person, "/auth/mfa/totp/confirm", &body).await.expect(200);
    let codes = codes["backup_codes"].as_array().expect("codes");
    let codes = codes.iter().map(|code| code.as_str().expect("a code").to_owned()).collect();
    (person, secret, codes)
}

/// The secret that a set-up gave.
pub fn secret_of(setup: &Value) -> TotpSecret {
    let text = setup["secret"].as_str().expect("a secret");
    let (mut bytes, mut buffer, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            _ => letter - b'2' + 26,
        };
        buffer = (buffer << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((buffer >> bits) & 0xff).expect("a byte"));
            buffer &= (1 << bits) - 1;
        }
    }
    TotpSecret::from_bytes(bytes)
}
