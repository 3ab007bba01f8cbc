//! Tokens that are signed with the right key and say the wrong thing.

use serde_json::{Map, Value, json};

use super::Hostile;
use crate::error::JwtError::{self, Expired, Malformed, NotYetValid, WrongAudience, WrongIssuer};
use crate::signing::SigningKey;

/// The last second of the year 2999: no clock of a test is there yet.
const FAR_AWAY: i64 = 32_503_679_999;

/// Tokens signed with `key`. `claims` must be such that a token with them is accepted, by a clock between 2 and the
/// year 2999 and with a leeway of no more than that clock.
pub fn misused(key: &SigningKey, claims: &Map<String, Value>) -> Vec<Hostile> {
    let with = |changes: &[(&str, Option<Value>)]| {
        let mut claims = claims.clone();
        for (name, value) in changes {
            match value {
                Some(value) => drop(claims.insert((*name).to_owned(), value.clone())),
                None => drop(claims.remove(*name)),
            }
        }
        key.sign(&claims).expect("a token")
    };
    let issuer = claims["iss"].as_str().expect("iss is a text");
    let audience = claims["aud"].as_str().expect("aud is a text");
    let other = || Some(json!("https://evil.example"));

    let single: Vec<(&str, Option<Value>, JwtError)> = vec![
        ("iss", None, WrongIssuer),
        ("iss", Some(Value::Null), WrongIssuer),
        ("iss", other(), WrongIssuer),
        ("iss", Some(json!("")), WrongIssuer),
        ("iss", Some(json!(format!("{issuer}/"))), WrongIssuer),
        ("iss", Some(json!(format!("{issuer}?"))), WrongIssuer),
        ("iss", Some(json!(format!(" {issuer}"))), WrongIssuer),
        ("iss", Some(json!(issuer.to_uppercase())), WrongIssuer),
        ("iss", Some(json!(issuer[..issuer.len() - 1])), WrongIssuer),
        ("iss", Some(json!([issuer])), Malformed),
        ("iss", Some(json!(7)), Malformed),
        ("aud", None, WrongAudience),
        ("aud", Some(Value::Null), WrongAudience),
        ("aud", other(), WrongAudience),
        ("aud", Some(json!("")), WrongAudience),
        ("aud", Some(json!(format!("{audience}:anon"))), WrongAudience),
        ("aud", Some(json!(format!("{audience}:restricted"))), WrongAudience),
        ("aud", Some(json!(format!("{audience} "))), WrongAudience),
        ("aud", Some(json!([])), WrongAudience),
        ("aud", Some(json!(["https://evil.example", ""])), WrongAudience),
        ("aud", Some(json!([[audience]])), Malformed),
        ("aud", Some(json!({ "aud": audience })), Malformed),
        ("aud", Some(json!(7)), Malformed),
        ("nbf", Some(json!(FAR_AWAY)), NotYetValid),
        ("nbf", Some(json!(1e300)), NotYetValid),
        ("nbf", Some(json!("0")), Malformed),
        ("exp", None, Malformed),
        ("exp", Some(Value::Null), Malformed),
        ("exp", Some(json!(FAR_AWAY.to_string())), Malformed),
        ("exp", Some(json!(true)), Malformed),
        ("exp", Some(json!([FAR_AWAY])), Malformed),
        ("exp", Some(json!(0)), Expired),
        ("exp", Some(json!(-1)), Expired),
        ("exp", Some(json!(0.5)), Expired),
        ("exp", Some(json!(i64::MIN)), Expired),
        ("exp", Some(json!(-1e300)), Expired),
    ];
    let mut hostile: Vec<_> = single
        .into_iter()
        .map(|(claim, value, refusal)| {
            let said = value.as_ref().map_or_else(|| "missing".to_owned(), Value::to_string);
            Hostile::new(format!("{claim} is {said}"), with(&[(claim, value)]), refusal)
        })
        .collect();

    // The end of its time is the last thing to be wrong.
    let ended = ("exp", Some(json!(1)));
    for (name, refusal, change) in [
        ("a wrong issuer", WrongIssuer, ("iss", other())),
        ("a wrong audience", WrongAudience, ("aud", other())),
        ("a beginning to come", NotYetValid, ("nbf", Some(json!(FAR_AWAY)))),
    ] {
        hostile.push(Hostile::new(format!("expired, with {name}"), with(&[ended.clone(), change]), refusal));
    }

    let text = Value::Object(claims.clone()).to_string();
    let inner = &text[1..text.len() - 1];
    let raw: Vec<(&str, Vec<u8>)> = vec![
        ("exp twice", format!(r#"{{"exp":{FAR_AWAY},{inner}}}"#).into_bytes()),
        ("sub twice", format!(r#"{{"sub":"a","sub":"b",{inner}}}"#).into_bytes()),
        ("sub twice, once escaped", format!(r#"{{"s\u0075b":"a","sub":"b",{inner}}}"#).into_bytes()),
        ("a list", format!("[{text}]").into_bytes()),
        ("a text", json!(text).to_string().into_bytes()),
        ("empty", Vec::new()),
        ("null", b"null".to_vec()),
        ("cut off", text.as_bytes()[..text.len() - 1].to_vec()),
        ("followed by garbage", format!("{text}x").into_bytes()),
        ("twice", format!("{text}{text}").into_bytes()),
        ("after a byte order mark", format!("\u{feff}{text}").into_bytes()),
        ("not UTF-8", [format!("{{{inner},\"x\":\"").as_bytes(), b"\xff\"}"].concat()),
        ("with a lone surrogate", format!(r#"{{{inner},"iss\ud800":1}}"#).into_bytes()),
    ];
    for (name, payload) in raw {
        let token = key.sign_payload(&payload).expect("a token");
        hostile.push(Hostile::new(format!("payload: {name}"), token, Malformed));
    }
    hostile
}
