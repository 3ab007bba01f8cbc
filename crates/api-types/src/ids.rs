//! Typed identifiers: a `UserId` can never be passed where a `TeamId` belongs.
//!
//! Owns their text form (lower-case hyphenated UUID, RFC 9562 section 4) and what is accepted as one.
//! Refuses to create ids: randomness belongs to the caller.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::json_schema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::{Uuid, Variant};

/// The text was not an identifier of the expected kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidId;

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be a UUID")
    }
}

impl std::error::Error for InvalidId {}

/// Reads the hyphenated form of an RFC 9562 UUID of version 1 to 5, in any case.
fn parse_uuid(text: &str) -> Result<Uuid, InvalidId> {
    let uuid = match text.len() {
        36 => Uuid::try_parse(text).map_err(|_| InvalidId)?,
        _ => return Err(InvalidId),
    };
    match (uuid.get_variant(), uuid.get_version_num()) {
        (Variant::RFC4122, 1..=5) => Ok(uuid),
        _ => Err(InvalidId),
    }
}

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID, which the caller made or read as one of this kind.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse_uuid(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        $crate::schema::inline_schema!($name, json_schema!({ "type": "string", "format": "uuid" }));
    )*};
}

uuid_ids! {
    /// A user of one project.
    UserId;
    /// A team of one project.
    TeamId;
    /// A session, that is one refresh-token record; the claim `refresh_token_id`.
    SessionId;
    /// A contact channel (an email address) of one user.
    ContactChannelId;
    /// A kind of mail that users may not want; the same in every project.
    NotificationCategoryId;
    /// A picture that somebody sent.
    ImageId;
    /// A link between a user and an account at an OAuth provider.
    OauthAccountId;
    /// What a provider gave for such an account, one time that somebody agreed.
    OauthTokensId;
    /// A passkey of one user.
    PasskeyId;
    /// A set of project keys (publishable, secret server, super-secret admin).
    KeySetId;
    /// A one-time code that was sent to somebody.
    OneTimeCodeId;
    /// A request for another password.
    PasswordResetRequestId;
    /// An invitation to a team.
    TeamInvitationId;
    /// A mail in the outbox.
    EmailId;
    /// A mail to all users of a project, on its way into the outbox.
    MailingId;
    /// A draft of a mail.
    EmailDraftId;
    /// A template of mails.
    EmailTemplateId;
    /// A row of the audit log.
    AuditEventId;
    /// An API key of a user or a team.
    ApiKeyId;
}

macro_rules! prefixed_ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// What every such id begins with.
            pub const PREFIX: &str = $prefix;

            /// The text form.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let rest = text.strip_prefix($prefix).ok_or(InvalidId)?;
                let legal = rest.len() == 27 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
                if legal { Ok(Self(text.to_owned())) } else { Err(InvalidId) }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        $crate::schema::inline_schema!(
            $name,
            json_schema!({ "type": "string", "pattern": concat!("^", $prefix, "[0-9A-Za-z]{27}$") })
        );
    )*};
}

// A prefix and 27 letters and digits that sort by time, as tools for webhooks expect them.
prefixed_ids! {
    /// An endpoint that webhooks are sent to.
    WebhookEndpointId "ep_";
    /// A message to such endpoints.
    WebhookMessageId "msg_";
    /// One attempt to deliver a message.
    WebhookAttemptId "atmpt_";
}

/// A project: a lower-case UUID, or `internal`, the project in which Latchkey's own operators are users.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ProjectId(String);

impl ProjectId {
    /// The project whose users operate this server.
    pub fn internal() -> Self {
        Self("internal".to_owned())
    }

    /// A project named by a UUID.
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid.as_hyphenated().to_string())
    }

    /// The text form, as it is in headers, URLs and tokens.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the project `internal`.
    pub fn is_internal(&self) -> bool {
        self.0 == "internal"
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for ProjectId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProjectId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text == "internal" { Ok(Self::internal()) } else { parse_uuid(text).map(Self::from_uuid) }
    }
}

impl<'de> Deserialize<'de> for ProjectId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

crate::schema::inline_schema!(
    ProjectId,
    json_schema!({ "type": "string", "description": "A UUID, or `internal`." })
);

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "8f14e45f-ceea-467f-a9c1-0c1b2d3e4f50";

    #[test]
    fn an_id_is_read_in_any_case_and_written_in_lower_case() {
        let id: UserId = TEXT.to_uppercase().parse().unwrap();
        assert_eq!(id.to_string(), TEXT);
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{TEXT}\""));
        assert_eq!(serde_json::from_str::<UserId>(&format!("\"{TEXT}\"")).unwrap(), id);
    }

    #[test]
    fn only_hyphenated_uuids_of_versions_one_to_five_are_ids() {
        let refused = [
            "",
            "me",
            "8f14e45fceea467fa9c10c1b2d3e4f50",
            "{8f14e45f-ceea-467f-a9c1-0c1b2d3e4f50}",
            "8f14e45f-ceea-767f-a9c1-0c1b2d3e4f50",
            "8f14e45f-ceea-467f-29c1-0c1b2d3e4f50",
            "00000000-0000-0000-0000-000000000000",
        ];
        for text in refused {
            assert_eq!(text.parse::<UserId>(), Err(InvalidId), "{text}");
        }
    }

    #[test]
    fn a_project_is_a_uuid_or_internal() {
        assert!("internal".parse::<ProjectId>().unwrap().is_internal());
        assert_eq!(TEXT.to_uppercase().parse::<ProjectId>().unwrap().as_str(), TEXT);
        assert_eq!("Internal".parse::<ProjectId>(), Err(InvalidId));
    }
}
