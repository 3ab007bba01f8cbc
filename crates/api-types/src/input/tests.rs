//! How requests are read: casts, collected violations, strictness about shape.

use schemars::SchemaGenerator;
use serde_json::{Value, json};

use super::*;
use crate::ids::TeamId;

crate::input! {
    /// An account elsewhere.
    struct Account {
        id: NonEmptyText,
        email: Option<Nullable<PlainEmail>>,
    }
}

crate::input! {
    /// A request with everything.
    struct Everything {
        /// The address.
        email: StrictEmail,
        display_name: Option<Nullable<DisplayName>>,
        verified: Option<bool>,
        limit: Option<Integer<1, { i64::MAX }>>,
        team_id as "teamId": Option<TeamId>,
        metadata: Option<JsonValue>,
        accounts: Option<Vec<Account>>,
    }
}

crate::input! {
    open
    /// Accepts what it does not know.
    struct Open { grant_type: String }
}

fn read<T: Input>(value: &Value) -> Result<T, String> {
    let mut out = Violations::default();
    let read = T::read(Some(value), &Location::Root("body"), &mut out);
    assert!(read.is_some() || !out.is_empty(), "what was not read is explained");
    read.filter(|_| out.is_empty()).ok_or_else(|| out.to_string())
}

fn accepts<T: Input>(values: &[Value]) {
    for value in values {
        assert!(read::<T>(value).is_ok(), "{value}");
    }
}

fn refuses<T: Input>(values: &[Value]) {
    for value in values {
        assert!(read::<T>(value).is_err(), "{value}");
    }
}

#[test]
fn every_violation_is_collected_with_its_location() {
    let Err(text) = read::<Everything>(&json!({
        "display_name": 5,
        "verified": "maybe",
        "limit": 0,
        "teamId": null,
        "accounts": [{ "id": "google" }, { "id": "", "emial": "x" }],
        "colour": "red",
    })) else {
        panic!("accepted")
    };
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        [
            "- body.colour is not a known property",
            "- body.email is required",
            "- body.verified must be true or false",
            "- body.limit must be at least 1",
            "- body.teamId must not be null",
            "- body.accounts[1].emial is not a known property",
            "- body.accounts[1].id must not be empty",
        ]
    );
}

#[test]
fn absent_null_and_value_are_three_things() {
    let at = |value| read::<Everything>(&value).unwrap().display_name;
    assert_eq!(at(json!({ "email": "a@b.co" })), None);
    assert_eq!(at(json!({ "email": "a@b.co", "display_name": null })), Some(Nullable(None)));
    let named = at(json!({ "email": "a@b.co", "display_name": "Ada" })).unwrap().0.unwrap();
    assert_eq!(named.as_str(), "Ada");
}

#[test]
fn spelling_is_cast_leniently() {
    let read = read::<Everything>(&json!({
        "email": "a@b.co", "display_name": true, "verified": "1", "limit": " 20 ", "metadata": null,
        "accounts": [{ "id": 7, "email": null }],
    }))
    .unwrap();
    assert_eq!(read.display_name.unwrap().0.unwrap().as_str(), "true");
    assert_eq!(read.verified, Some(true));
    assert_eq!((read.email.as_str(), read.team_id), ("a@b.co", None));
    let account = &read.accounts.unwrap()[0];
    assert_eq!((account.id.as_str(), &account.email), ("7", &Some(Nullable(None))));
    assert_eq!(read.limit, Some(Integer(20)));
    assert_eq!(read.metadata, Some(JsonValue(Value::Null)));
    accepts::<bool>(&[json!(true), json!("TRUE"), json!("0"), json!(0)]);
    refuses::<bool>(&[json!("yes"), json!(2), json!([]), json!(null)]);
    accepts::<i64>(&[json!(5), json!(5.0), json!("5"), json!("-5"), json!("31708800000")]);
    refuses::<i64>(&[json!(5.5), json!(""), json!("5a"), json!(true), json!(1e300), json!("NaN")]);
    refuses::<QueryBool>(&[json!("1"), json!("True"), json!(true)]);
}

#[test]
fn only_an_open_input_accepts_unknown_properties() {
    let open = read::<Open>(&json!({ "grant_type": "refresh_token", "extra": {} })).unwrap();
    assert_eq!(open.grant_type, "refresh_token");
    refuses::<()>(&[json!({ "extra": 1 }), json!([]), json!("x")]);
    accepts::<()>(&[json!({})]);
}

#[test]
fn an_absent_body_is_one_violation() {
    let mut out = Violations::default();
    assert!(Everything::read(None, &Location::Root("body"), &mut out).is_none());
    assert_eq!(out.to_string(), "- body is required");
}

#[test]
fn email_addresses_are_checked_strictly_where_mail_will_be_sent() {
    let both = ["a@b.co", "Ada.Love+x@mail.Example.com", "o'neil@x-y.org", "a_b@127.example"];
    let plain_only = ["a@localhost", "a@b.c", ".a@b.co", "a.@b.co", "a..b@b.co", "a@1.2.3.44"];
    let neither = ["", "a", "@b.co", "a@", "a@b@c.co", "a b@c.co", "a@b..co", "a@-b.co", "a@b.co ", "ä@b.co"];
    for text in both {
        accepts::<StrictEmail>(&[json!(text)]);
    }
    for text in plain_only {
        refuses::<StrictEmail>(&[json!(text)]);
    }
    for text in both.iter().chain(&plain_only) {
        accepts::<PlainEmail>(&[json!(text)]);
    }
    for text in neither {
        refuses::<StrictEmail>(&[json!(text)]);
        refuses::<PlainEmail>(&[json!(text)]);
    }
    refuses::<StrictEmail>(&[json!(format!("{}@b.co", "a".repeat(252)))]);
}

#[test]
fn texts_keep_to_their_grammar() {
    accepts::<UrlText>(&[json!("http://localhost:3000/x?y#z"), json!("stack-auth-mobile-oauth-url://x")]);
    refuses::<UrlText>(&[
        json!("/x"),
        json!("example.com"),
        json!("https://a b"),
        json!(" https://a"),
        json!(""),
    ]);
    accepts::<Base64Text>(&[json!(""), json!("QUJD"), json!("QQ==")]);
    refuses::<Base64Text>(&[json!("QQ"), json!("Q==="), json!("Q_Q="), json!("QQ=A")]);
    refuses::<String>(&[json!("a\0b"), json!([]), json!({})]);
    assert_eq!(read::<CountryCode>(&json!(" de ")).unwrap().as_str(), "DE");
    refuses::<CountryCode>(&[json!("DEU"), json!("4x")]);
    refuses::<OnlyFalse>(&[json!(true), json!("1")]);
    accepts::<OnlyFalse>(&[json!(false)]);
    accepts::<UserIdOrMe>(&[json!("me"), json!("8F14E45F-ceea-467f-a9c1-0c1b2d3e4f50")]);
    refuses::<UserIdOrMe>(&[json!("Me"), json!("8f14e45fceea467fa9c10c1b2d3e4f50")]);
}

#[test]
fn the_longest_password_is_the_operators_choice_and_passwords_are_never_printed() {
    accepts::<PasswordText>(&[json!("ü".repeat(70)), json!("")]);
    refuses::<PasswordText>(&[json!("a".repeat(71))]);
    let mut out = Violations::new(InputLimits { password_chars: 256 });
    let long = PasswordText::read(Some(&json!("a".repeat(256))), &Location::Root("body"), &mut out);
    assert_eq!(format!("{long:?}"), "Some(PasswordText(…))");
}

#[test]
fn a_hostile_request_gets_a_short_answer() {
    let body: serde_json::Map<_, _> =
        (0..10_000).map(|n| (format!("{n}{}", "x".repeat(1000)), Value::Null)).collect();
    let text = read::<()>(&body.into()).unwrap_err();
    assert!(text.len() < 8000 && text.ends_with("- and 9950 more"), "{text}");
}

#[test]
fn the_schema_says_what_is_required_and_that_nothing_else_is_known() {
    let schema = serde_json::to_value(Everything::json_schema(&mut SchemaGenerator::default())).unwrap();
    assert_eq!(schema["required"], json!(["email"]));
    assert_eq!(schema["additionalProperties"], json!(false));
    assert_eq!(schema["description"], json!("A request with everything."));
    assert_eq!(schema["properties"]["email"]["description"], json!("The address."));
    assert_eq!(schema["properties"]["teamId"]["format"], json!("uuid"));
    assert_eq!(schema["properties"]["limit"], json!({ "type": "integer", "minimum": 1 }));
}
