//! How the types of the domain are stored: ids as text, hashes as bytes.

use latchkey_api_types::ids::{
    ApiKeyId, AuditEventId, ContactChannelId, EmailDraftId, EmailId, ImageId, KeySetId, MailingId,
    NotificationCategoryId, OauthAccountId, OauthTokensId, OneTimeCodeId, PasskeyId, PasswordResetRequestId,
    ProjectId, SessionId, TeamId, TeamInvitationId, UserId, WebhookAttemptId, WebhookEndpointId,
    WebhookMessageId,
};
use latchkey_crypto::TokenHash;

use crate::engine::{FromValue, ToValue, Value, ValueRef, text_value, wrong_kind};

text_value!(
    ApiKeyId,
    AuditEventId,
    ContactChannelId,
    ImageId,
    EmailDraftId,
    EmailId,
    KeySetId,
    MailingId,
    NotificationCategoryId,
    OauthAccountId,
    OauthTokensId,
    PasskeyId,
    OneTimeCodeId,
    PasswordResetRequestId,
    ProjectId,
    SessionId,
    TeamId,
    TeamInvitationId,
    UserId,
    WebhookAttemptId,
    WebhookEndpointId,
    WebhookMessageId
);

impl ToValue for TokenHash {
    fn to_value(&self) -> Value {
        Value::Bytes(self.as_bytes().to_vec())
    }
}

impl FromValue for TokenHash {
    fn from_value(value: ValueRef<'_>) -> Result<Self, String> {
        match value {
            ValueRef::Bytes(bytes) => {
                Self::from_bytes(bytes).ok_or_else(|| "a hash of another length".to_owned())
            }
            other => wrong_kind("a hash", other),
        }
    }
}

/// Ids as a JSON array, for statements about several; they hold nothing that needs an escape.
pub(crate) fn json_array<'i, I: std::fmt::Display + 'i>(ids: impl IntoIterator<Item = &'i I>) -> String {
    let ids: Vec<String> = ids.into_iter().map(|id| format!("\"{id}\"")).collect();
    format!("[{}]", ids.join(","))
}
