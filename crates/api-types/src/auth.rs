//! What sign-up, sign-in and refresh exchange.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::UserId;
use crate::input::{MailedCode, NonEmptyText, PasswordText, PlainEmail, SecretText, StrictEmail, UrlText};
use crate::{input, words};

/// The answer to a sign-up or sign-in by password.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct TokenPair {
    /// A JWT that says who the user is, for some minutes.
    pub access_token: String,
    /// Gets further access tokens, for as long as the session lives.
    pub refresh_token: String,
    /// Who signed in.
    pub user_id: UserId,
}

/// The answer to sign-ins that may create the account.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct SignInResult {
    /// The tokens.
    #[serde(flatten)]
    pub tokens: TokenPair,
    /// Whether the account was created just now.
    pub is_new_user: bool,
}

/// The tokens of a session that a server opened.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct SessionTokens {
    /// Gets further access tokens, for as long as the session lives.
    pub refresh_token: String,
    /// A JWT that says who the user is, for some minutes.
    pub access_token: String,
}

/// The answer to a refresh.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct RefreshAnswer {
    /// A JWT that says who the user is, for some minutes.
    pub access_token: String,
    /// The token that replaces the one that was sent; omitted where that one stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// The answer of the OAuth token endpoint to the grant `refresh_token` (RFC 6749 section 6).
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct OauthRefreshAnswer {
    /// A JWT that says who the user is, for some minutes.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds; clients use the claim `exp` instead.
    pub expires_in: u32,
    /// Always `legacy`.
    pub scope: String,
    /// Always null here.
    #[serde(rename = "afterCallbackRedirectUrl")]
    pub after_callback_redirect_url_camel: Option<String>,
    /// Always null here.
    pub after_callback_redirect_url: Option<String>,
    /// The token that replaces the one that was sent; omitted unless the project requires rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

impl OauthRefreshAnswer {
    /// The answer with this access token and, where it was rotated, the refresh token.
    pub fn new(access_token: String, refresh_token: Option<String>) -> Self {
        Self {
            access_token,
            token_type: "Bearer".to_owned(),
            expires_in: 3599,
            scope: "legacy".to_owned(),
            after_callback_redirect_url_camel: None,
            after_callback_redirect_url: None,
            refresh_token,
        }
    }
}

words! {
    /// When the challenge against bots was shown.
    pub enum BotChallengePhase {
        /// Not at all: the widget ran unseen.
        Invisible = "invisible",
        /// The user saw it.
        Visible = "visible",
    }
}

words! {
    /// A flag that is only ever set.
    pub enum OnlyTrue {
        /// Set.
        True = "true",
    }
}

input! {
    /// A new account with a password.
    pub struct PasswordSignUp {
        /// Where the account's owner reads mail.
        pub email: StrictEmail,
        /// At least eight characters.
        pub password: PasswordText,
        /// Where the link in the verification mail leads; without it no mail is sent.
        pub verification_callback_url: Option<UrlText>,
        /// The answer to a challenge against bots.
        pub bot_challenge_token: Option<SecretText>,
        /// When the challenge was shown.
        pub bot_challenge_phase: Option<BotChallengePhase>,
        /// Set if the challenge could not be shown.
        pub bot_challenge_unavailable: Option<OnlyTrue>,
    }
}

input! {
    /// A sign-in with a password.
    pub struct PasswordSignIn {
        /// The address of the account.
        pub email: PlainEmail,
        /// Its password.
        pub password: PasswordText,
    }
}

input! {
    /// The first password of the signed-in user.
    pub struct PasswordSet {
        /// At least eight characters.
        pub password: PasswordText,
    }
}

input! {
    /// Another password for the signed-in user.
    pub struct PasswordUpdate {
        /// The password so far.
        pub old_password: PasswordText,
        /// At least eight characters.
        pub new_password: PasswordText,
    }
}

input! {
    /// A link for somebody who forgot their password.
    pub struct PasswordResetRequest {
        /// The address of the account.
        pub email: PlainEmail,
        /// Where the link leads, within a trusted domain of the project.
        pub callback_url: UrlText,
    }
}

/// The answer to a wish for another password, whether or not there is an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PasswordResetRequested {
    /// Always the same words.
    pub success: &'static str,
}

impl Default for PasswordResetRequested {
    fn default() -> Self {
        Self { success: "maybe, only if user with e-mail exists" }
    }
}

input! {
    /// Another password for somebody who holds the code of a mail.
    pub struct PasswordReset {
        /// The code.
        pub code: MailedCode,
        /// At least eight characters.
        pub password: PasswordText,
    }
}

input! {
    /// A mail with a code that signs in.
    pub struct SignInCodeRequest {
        /// Whose owner will be signed in, or signed up.
        pub email: StrictEmail,
        /// Where the link leads, within a trusted domain of the project.
        pub callback_url: UrlText,
        /// The answer to a challenge against bots.
        pub bot_challenge_token: Option<SecretText>,
        /// When the challenge was shown.
        pub bot_challenge_phase: Option<BotChallengePhase>,
        /// Set if the challenge could not be shown.
        pub bot_challenge_unavailable: Option<OnlyTrue>,
    }
}

/// What whoever asked for a code keeps.
#[derive(Clone, Serialize, JsonSchema)]
pub struct SignInCodeSent {
    /// The code without the six characters that its reader types.
    pub nonce: String,
}

words! {
    /// What signing in through a provider is for.
    pub enum OauthFlow {
        /// Signing in, or up.
        Authenticate = "authenticate",
        /// Adding the account to the user of the token.
        Link = "link",
    }
}

words! {
    /// How the provider's address comes back.
    pub enum OauthResponseMode {
        /// As a redirect with a cookie.
        Redirect = "redirect",
        /// As JSON, without a cookie.
        Json = "json",
    }
}

words! {
    /// The one grant that the authorization endpoint knows.
    pub enum OauthCodeGrant {
        /// RFC 6749 section 4.1.
        AuthorizationCode = "authorization_code",
    }
}

words! {
    /// The one response type that the authorization endpoint knows.
    pub enum OauthResponseType {
        /// RFC 6749 section 4.1.1.
        Code = "code",
    }
}

input! {
    /// The path of the OAuth endpoints that are for one provider.
    pub struct OauthProviderInPath {
        /// The provider's id in the project's settings; in callbacks its type.
        pub provider_id: String,
    }
}

input! {
    open
    /// A request to sign in through a provider. Unknown parameters are ignored.
    pub struct OauthAuthorizeQuery {
        /// The project's id, with `#branch` appended if it is not the main branch.
        pub client_id: String,
        /// A publishable client key, or `__stack_public_client__`.
        pub client_secret: String,
        /// Where the browser goes in the end.
        pub redirect_uri: UrlText,
        /// Always `legacy`.
        pub scope: String,
        /// Goes back to the client as it is.
        pub state: String,
        /// Always `authorization_code`.
        pub grant_type: OauthCodeGrant,
        /// Always `code`.
        pub response_type: OauthResponseType,
        /// RFC 7636.
        pub code_challenge: String,
        /// `S256`, or `plain`.
        pub code_challenge_method: String,
        /// What it is for; signing in if it does not say.
        pub flow as "type": Option<OauthFlow>,
        /// The access token of the user to whom the account is linked, or who is anonymous and signs up by it.
        pub token: Option<String>,
        /// Further scopes for the provider, separated by spaces.
        pub provider_scope: Option<String>,
        /// Where the browser goes with an error if it cannot go to `redirect_uri`.
        pub error_redirect_uri: Option<UrlText>,
        /// The same by its old name.
        pub error_redirect_url: Option<UrlText>,
        /// What the token endpoint gives back.
        pub after_callback_redirect_url: Option<UrlText>,
        /// How the provider's address comes back; as a redirect if it does not say.
        pub stack_response_mode: Option<OauthResponseMode>,
        /// The answer to a challenge against bots.
        pub bot_challenge_token: Option<SecretText>,
        /// When the challenge was shown.
        pub bot_challenge_phase: Option<BotChallengePhase>,
        /// Set if the challenge could not be shown.
        pub bot_challenge_unavailable: Option<OnlyTrue>,
    }
}

/// Where a browser is to be sent.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct OauthLocation {
    /// The provider's page.
    pub location: String,
}

/// The body of a redirect, which says nothing.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct NothingMore {}

words! {
    /// The one challenge method of codes for another domain.
    pub enum S256Only {
        /// RFC 7636 section 4.2.
        S256 = "S256",
    }
}

input! {
    /// A request to go on with this session on another domain.
    pub struct CrossDomainAuthorize {
        /// Where the browser goes.
        pub redirect_uri: UrlText,
        /// Goes with it: 1 to 512 characters.
        pub state: NonEmptyText,
        /// RFC 7636.
        pub code_challenge: String,
        /// Always `S256`.
        pub code_challenge_method: Option<S256Only>,
        /// What the token endpoint gives back.
        pub after_callback_redirect_url: Option<UrlText>,
    }
}

/// The answer to it.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct CrossDomainRedirect {
    /// Where the browser is to be sent, with the code.
    pub redirect_url: String,
}

/// The answer of the OAuth token endpoint to the grant `authorization_code` (RFC 6749 section 4.1.4).
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct OauthCodeAnswer {
    /// A JWT that says who the user is, for some minutes.
    pub access_token: String,
    /// Gets further access tokens, for as long as the session lives.
    pub refresh_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds; clients use the claim `exp` instead.
    pub expires_in: u32,
    /// Always `legacy`.
    pub scope: String,
    /// Whether the account was created on the way.
    pub is_new_user: bool,
    /// The same.
    #[serde(rename = "newUser")]
    pub is_new_user_camel: bool,
    /// What was given with the authorization request.
    #[serde(rename = "afterCallbackRedirectUrl")]
    pub after_callback_redirect_url_camel: Option<String>,
    /// The same.
    pub after_callback_redirect_url: Option<String>,
}

impl OauthCodeAnswer {
    /// The answer with these tokens.
    pub fn new(result: SignInResult, after_callback_redirect_url: Option<String>) -> Self {
        Self {
            access_token: result.tokens.access_token,
            refresh_token: result.tokens.refresh_token,
            token_type: "Bearer".to_owned(),
            expires_in: 3599,
            scope: "legacy".to_owned(),
            is_new_user: result.is_new_user,
            is_new_user_camel: result.is_new_user,
            after_callback_redirect_url_camel: after_callback_redirect_url.clone(),
            after_callback_redirect_url,
        }
    }
}

/// An answer of the OAuth token endpoint.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OauthTokenAnswer {
    /// To the grant `authorization_code`.
    Code(OauthCodeAnswer),
    /// To the grant `refresh_token`.
    Refresh(OauthRefreshAnswer),
}

words! {
    /// What is exchanged for tokens at the OAuth token endpoint.
    pub enum GrantType {
        /// RFC 6749 section 4.1.3.
        AuthorizationCode = "authorization_code",
        /// RFC 6749 section 6.
        RefreshToken = "refresh_token",
    }
}

input! {
    open
    /// A request to the OAuth token endpoint. Unknown parameters are ignored (RFC 6749 section 3.2); which ones are
    /// required depends on the grant and is answered in the shape of RFC 6749 section 5.2.
    pub struct OauthTokenRequest {
        /// What is exchanged.
        pub grant_type: GrantType,
        /// The project's id, with `#branch` appended if it is not the main branch.
        pub client_id: Option<String>,
        /// A publishable client key, or `__stack_public_client__`.
        pub client_secret: Option<SecretText>,
        /// For the grant `refresh_token`.
        pub refresh_token: Option<SecretText>,
        /// For the grant `authorization_code`.
        pub code: Option<SecretText>,
        /// For the grant `authorization_code`: exactly as in the authorization request.
        pub redirect_uri: Option<String>,
        /// For the grant `authorization_code`: RFC 7636 section 4.1.
        pub code_verifier: Option<SecretText>,
    }
}

input! {
    /// A sign-in with what the system of an Apple device gave to an app.
    pub struct AppleNativeSignIn {
        /// The identity token.
        pub id_token: SecretText,
    }
}
