//! Booleans, numbers, ids and free-form JSON, with the casts of the contract.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::{Input, Location, Violations, required};
use crate::access::AccessType;
use crate::ids::{
    ApiKeyId, AuditEventId, ContactChannelId, EmailDraftId, EmailId, EmailTemplateId, KeySetId,
    NotificationCategoryId, OauthAccountId, OneTimeCodeId, PasskeyId, ProjectId, SessionId, TeamId,
    TeamInvitationId, UserId, WebhookEndpointId, WebhookMessageId,
};

/// The text of a string, or of a number or boolean, which stand for their spelling.
pub(super) fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(word) => Some(Cow::Borrowed(if *word { "true" } else { "false" })),
        _ => None,
    }
}

/// Reads a string, casting numbers and booleans. Text with NUL characters is refused: no database keeps it.
pub(super) fn read_text<'v>(
    value: Option<&'v Value>,
    at: &Location<'_>,
    out: &mut Violations,
) -> Option<Cow<'v, str>> {
    match text_of(required(value, at, out)?) {
        None => out.add(at, "must be a string"),
        Some(text) if text.contains('\0') => out.add(at, "must not contain NUL characters"),
        Some(text) => return Some(text),
    }
    None
}

impl Input for String {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        read_text(value, at, out).map(Cow::into_owned)
    }
}

/// `true` and `false`, also as text, and `1` and `0`.
impl Input for bool {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        let word = text_of(required(value, at, out)?);
        match word.as_deref() {
            Some("1") => return Some(true),
            Some("0") => return Some(false),
            Some(word) if word.eq_ignore_ascii_case("true") => return Some(true),
            Some(word) if word.eq_ignore_ascii_case("false") => return Some(false),
            _ => out.add(at, "must be true or false"),
        }
        None
    }
}

/// The number in a JSON number or numeric string, if it is whole and exact.
fn whole(value: &Value) -> Option<i64> {
    /// Up to here every whole `f64` is exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "the guard leaves whole numbers within i64")]
    let from_float = |number: f64| (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64);
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(from_float)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse().ok().and_then(from_float))
        }
        _ => None,
    }
}

impl Input for i64 {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        let number = whole(required(value, at, out)?);
        if number.is_none() {
            out.add(at, "must be a whole number");
        }
        number
    }
}

/// A whole number from `MIN` to `MAX`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Integer<const MIN: i64, const MAX: i64>(pub i64);

impl<const MIN: i64, const MAX: i64> Input for Integer<MIN, MAX> {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        let number = i64::read(value, at, out)?;
        if (MIN..=MAX).contains(&number) {
            return Some(Self(number));
        }
        match (MIN, MAX) {
            (i64::MIN, _) => out.add(at, format_args!("must be at most {MAX}")),
            (_, i64::MAX) => out.add(at, format_args!("must be at least {MIN}")),
            _ => out.add(at, format_args!("must be from {MIN} to {MAX}")),
        }
        None
    }
}

impl<const MIN: i64, const MAX: i64> JsonSchema for Integer<MIN, MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Integer{MIN}To{MAX}").into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = json_schema!({ "type": "integer" });
        for (key, bound, open) in [("minimum", MIN, i64::MIN), ("maximum", MAX, i64::MAX)] {
            if bound != open {
                schema.insert(key.to_owned(), bound.into());
            }
        }
        schema
    }
}

/// A boolean of the query: the words `true` and `false` only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryBool(pub bool);

impl Input for QueryBool {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        match required(value, at, out)?.as_str() {
            Some("true") => return Some(Self(true)),
            Some("false") => return Some(Self(false)),
            _ => out.add(at, "must be \"true\" or \"false\""),
        }
        None
    }
}

crate::schema::inline_schema!(QueryBool, json_schema!({ "type": "string", "enum": ["true", "false"] }));

macro_rules! only {
    ($($(#[$doc:meta])* $name:ident $word:literal $expectation:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name;

        impl Input for $name {
            fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
                if bool::read(value, at, out)? != $word {
                    out.add(at, $expectation);
                    return None;
                }
                Some(Self)
            }
        }

        $crate::schema::inline_schema!($name, json_schema!({ "const": $word }));
    )*};
}

only! {
    /// A boolean that can only be switched off.
    OnlyFalse false "can only be set to false";
    /// A boolean that can only be switched on.
    OnlyTrue true "can only be set to true";
}

/// Any JSON, null included; never looked into.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonValue(pub Value);

impl Input for JsonValue {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        if value.is_none() {
            out.add(at, "is required");
        }
        value.cloned().map(Self)
    }
}

crate::schema::inline_schema!(JsonValue, true.into());

/// A user: an id, or `me` for the user of the access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserIdOrMe {
    /// The user of the access token.
    Me,
    /// This user.
    Id(UserId),
}

impl Input for UserIdOrMe {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        let text = read_text(value, at, out)?;
        if text == "me" {
            return Some(Self::Me);
        }
        let id = text.parse().ok().map(Self::Id);
        if id.is_none() {
            out.add(at, "must be a UUID or \"me\"");
        }
        id
    }
}

crate::schema::inline_schema!(
    UserIdOrMe,
    json_schema!({ "type": "string", "description": "A user id, or `me` for the signed-in user." })
);

macro_rules! parsed {
    ($($name:ident $expectation:literal;)*) => {$(
        impl Input for $name {
            fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
                let parsed = read_text(value, at, out)?.parse().ok();
                if parsed.is_none() {
                    out.add(at, $expectation);
                }
                parsed
            }
        }
    )*};
}

parsed! {
    UserId "must be a UUID";
    TeamId "must be a UUID";
    TeamInvitationId "must be a UUID";
    SessionId "must be a UUID";
    ContactChannelId "must be a UUID";
    KeySetId "must be a UUID";
    NotificationCategoryId "must be a UUID";
    OauthAccountId "must be a UUID";
    PasskeyId "must be a UUID";
    OneTimeCodeId "must be a UUID";
    EmailId "must be a UUID";
    EmailDraftId "must be a UUID";
    EmailTemplateId "must be a UUID";
    AuditEventId "must be a UUID";
    ApiKeyId "must be a UUID";
    WebhookEndpointId "must be the id of an endpoint, ep_ and 27 characters";
    WebhookMessageId "must be the id of a message, msg_ and 27 characters";
    ProjectId "must be a UUID or \"internal\"";
    AccessType "must be one of client, server, admin";
}
