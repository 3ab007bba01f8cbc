//! Passkeys on the wire: the options and answers of the browser's `navigator.credentials` in their JSON form (W3C Web
//! Authentication Level 3, sections 5.1.8 to 5.1.10), and the passkeys of a user as things to look at.

use schemars::JsonSchema;
use serde::Serialize;

use crate::ids::{PasskeyId, UserId};
use crate::input;
use crate::input::{Nullable, PasskeyName, UserIdOrMe};

/// What stands where the page puts its own relying party id, usually its host name: the server learns only from the
/// answer from which of the trusted domains it came.
pub const RP_ID_PLACEHOLDER: &str = "THIS_VALUE_WILL_BE_REPLACED.example.com";

/// How long the browser may wait for the user, milliseconds.
pub const CEREMONY_TIMEOUT: u32 = 60_000;

/// What begins a ceremony.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PasskeyCeremony<T> {
    /// For `navigator.credentials`, in JSON form.
    pub options_json: T,
    /// Names the challenge when the answer is sent; once, within 65 seconds.
    pub code: String,
}

/// What `navigator.credentials.create` takes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions {
    /// Who asks.
    pub rp: RelyingParty,
    /// For whom.
    pub user: PasskeyUser,
    /// What the authenticator signs, base64url.
    pub challenge: String,
    /// The kinds of keys that can be verified, best first.
    pub pub_key_cred_params: Vec<KeyParameters>,
    /// How long to wait, milliseconds.
    pub timeout: u32,
    /// Always `none`.
    pub attestation: &'static str,
    /// Always empty.
    pub exclude_credentials: Vec<CredentialDescriptor>,
    /// Which authenticators will do.
    pub authenticator_selection: AuthenticatorSelection,
    /// What to tell beside.
    pub extensions: CreationExtensions,
}

/// Who asks for a passkey.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RelyingParty {
    /// The project's name.
    pub name: String,
    /// A placeholder, which the page replaces.
    pub id: &'static str,
}

/// For whom a passkey is made.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyUser {
    /// The user id in UTF-8, base64url.
    pub id: String,
    /// What the authenticator shows.
    pub name: String,
    /// The same.
    pub display_name: String,
}

/// A kind of key.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct KeyParameters {
    /// Number in the IANA COSE registry.
    pub alg: i64,
    /// Always `public-key`.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// One credential.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CredentialDescriptor {
    /// Its id, base64url.
    pub id: String,
    /// Always `public-key`.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// Which authenticators will do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticatorSelection {
    /// Always `required`: the authenticator finds the passkey by itself.
    pub resident_key: &'static str,
    /// Always true, for browsers that do not know the former.
    pub require_resident_key: bool,
    /// Whether to ask for PIN or biometric: `preferred` or `required`.
    pub user_verification: &'static str,
}

/// What to tell beside a new credential.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreationExtensions {
    /// Whether the authenticator finds the passkey by itself.
    pub cred_props: bool,
}

/// What `navigator.credentials.get` takes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestOptions {
    /// What the authenticator signs, base64url.
    pub challenge: String,
    /// A placeholder, which the page replaces.
    pub rp_id: &'static str,
    /// Always empty: the authenticator offers what it has.
    pub allow_credentials: Vec<CredentialDescriptor>,
    /// How long to wait, milliseconds.
    pub timeout: u32,
    /// Whether to ask for PIN or biometric: `preferred` or `required`.
    pub user_verification: &'static str,
}

input! {
    /// A new passkey of the signed-in user.
    pub struct PasskeyRegistration {
        /// What `navigator.credentials.create` gave.
        pub credential: RegistrationResponse,
        /// The code that came with the options.
        pub code: String,
        /// What the user calls it.
        pub name: Option<PasskeyName>,
    }
}

input! {
    open
    /// A new credential in JSON form.
    pub struct RegistrationResponse {
        /// The credential's id, base64url.
        pub id: String,
        /// The same.
        pub raw_id as "rawId": Option<String>,
        /// `public-key`.
        pub kind as "type": String,
        /// What the authenticator answered.
        pub response: AttestationResponse,
    }
}

input! {
    open
    /// What an authenticator answered to the request for a new credential.
    pub struct AttestationResponse {
        /// What the browser collected, base64url.
        pub client_data_json as "clientDataJSON": String,
        /// The new credential in CBOR, base64url.
        pub attestation_object as "attestationObject": String,
    }
}

/// The answer to a registration.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PasskeyRegistered {
    /// The credential's id, base64url.
    pub user_handle: String,
}

input! {
    /// A sign-in with a passkey.
    pub struct PasskeySignIn {
        /// What `navigator.credentials.get` gave.
        pub authentication_response: AuthenticationResponse,
        /// The code that came with the options.
        pub code: String,
    }
}

input! {
    open
    /// An assertion in JSON form.
    pub struct AuthenticationResponse {
        /// The credential's id, base64url.
        pub id: String,
        /// The same.
        pub raw_id as "rawId": Option<String>,
        /// `public-key`.
        pub kind as "type": String,
        /// What the authenticator answered.
        pub response: AssertionResponse,
    }
}

input! {
    open
    /// What an authenticator answered to a challenge.
    pub struct AssertionResponse {
        /// What the browser collected, base64url.
        pub client_data_json as "clientDataJSON": String,
        /// What the authenticator says of itself, base64url.
        pub authenticator_data as "authenticatorData": String,
        /// Over both, base64url.
        pub signature: String,
        /// The user id in UTF-8, base64url; null or left out by authenticators that do not keep it.
        pub user_handle as "userHandle": Option<Nullable<String>>,
    }
}

/// One passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Passkey {
    /// The passkey.
    pub id: PasskeyId,
    /// Whose it is.
    pub user_id: UserId,
    /// What its owner calls it.
    pub name: String,
    /// The credential's id, base64url.
    pub credential_id: String,
    /// The relying party id that it belongs to: a host name, or the project's shared one.
    pub rp_id: String,
    /// The model of the authenticator, a UUID; zeros if it did not tell.
    pub aaguid: String,
    /// Whether it was copied to other devices of its owner when last seen.
    pub is_backed_up: bool,
    /// Registration, epoch milliseconds.
    pub created_at_millis: i64,
    /// Last sign-in, epoch milliseconds; null before the first.
    pub last_used_at_millis: Option<i64>,
}

input! {
    /// Whose passkeys.
    pub struct PasskeysQuery {
        /// Clients: the signed-in user.
        pub user_id: UserIdOrMe,
    }
}

input! {
    /// The path of one passkey.
    pub struct PasskeyPath {
        /// Whose it is.
        pub user_id: UserIdOrMe,
        /// Which.
        pub passkey_id: PasskeyId,
    }
}

input! {
    /// What may be changed about a passkey.
    pub struct PasskeyUpdate {
        /// Another name.
        pub name: PasskeyName,
    }
}

/// The origins that may use a relying party id though they are not below it (Level 3, section 5.11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RelatedOrigins {
    /// In the form of browsers: `https://app.example.com`.
    pub origins: Vec<String>,
}
