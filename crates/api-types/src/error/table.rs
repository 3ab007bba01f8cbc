//! The table of known errors: one row per code of the contract.
//!
//! A row reads `CODE status Parent: Variant, constructor(details) = "text";`. The constructor's arguments are the
//! keys of `details` unless the row says otherwise; a code that the server never raises has no constructor.

use serde_json::{Value, json};

use super::KnownError;
use crate::AccessType;
use crate::user::RestrictedReason;

macro_rules! details {
    ({}; $($arg:ident)*) => { None::<Value> };
    ({ $($details:tt)* }; $($arg:ident)*) => { Some(json!({ $($details)* })) };
    (;) => { None::<Value> };
    (; $($arg:ident)+) => { Some(json!({ $(stringify!($arg): $arg),+ })) };
}

macro_rules! known_errors {
    ($($code:ident $status:literal $parent:ident: $variant:ident
        $(, $make:ident($($arg:ident: $type:ty),*) $({ $($details:tt)* })?)? = $message:literal;)*) => {
        /// The codes of known errors. Each with its status and its default message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorCode {
            /// The root of the tree; never sent.
            KnownError,
            $(#[doc = concat!("`", stringify!($code), "`, status ", $status, ": `", $message, "`")] $variant,)*
        }

        impl ErrorCode {
            /// Every code, the root first.
            pub const ALL: &[Self] = &[Self::KnownError, $(Self::$variant),*];

            /// The code on the wire, for example `USER_NOT_FOUND`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::KnownError => "KNOWN_ERROR",
                    $(Self::$variant => stringify!($code),)*
                }
            }

            /// The HTTP status with which it is answered.
            pub const fn status(self) -> u16 {
                match self {
                    Self::KnownError => 400,
                    $(Self::$variant => $status,)*
                }
            }

            /// The sentence it is answered with; `{name}` stands where the detail of that name is filled in.
            pub const fn message(self) -> &'static str {
                match self {
                    Self::KnownError => "Something went wrong.",
                    $(Self::$variant => $message,)*
                }
            }

            /// The next code up the tree; `None` for the root.
            pub const fn parent(self) -> Option<Self> {
                match self {
                    Self::KnownError => None,
                    $(Self::$variant => Some(Self::$parent),)*
                }
            }
        }

        impl KnownError {
            $($(
                #[doc = concat!("`", stringify!($code), "`, status ", $status, ": ", $message)]
                pub fn $make($($arg: $type),*) -> Self {
                    let details = details!($({ $($details)* })?; $($arg)*);
                    Self { code: ErrorCode::$variant, message: format!($message), details }
                }
            )?)*
        }
    };
}

known_errors! {
    // Requests.
    BODY_PARSING_ERROR 400 KnownError: BodyParsingError, body_parsing_error(reason: &str) {}
        = "The request body could not be read: {reason}.";
    SCHEMA_ERROR 400 KnownError: SchemaError, schema_error(message: &str) = "{message}";
    ALL_OVERLOADS_FAILED 400 KnownError: AllOverloadsFailed, all_overloads_failed(overload_errors: &[Value])
        = "The request fits none of the forms that this endpoint accepts.";
    UNSUPPORTED_ERROR 500 KnownError: UnsupportedError
        = "The server answered with an error that this client does not know.";

    // Project and key authentication.
    PROJECT_AUTHENTICATION_ERROR 401 KnownError: ProjectAuthenticationError
        = "The project could not be authenticated.";
    INVALID_PROJECT_AUTHENTICATION 401 ProjectAuthenticationError: InvalidProjectAuthentication
        = "The project's credentials are not valid.";
    PROJECT_KEY_WITHOUT_ACCESS_TYPE 400 InvalidProjectAuthentication: ProjectKeyWithoutAccessType,
        project_key_without_access_type()
        = "A project key was sent without the header x-stack-access-type; set it to client, server or admin.";
    INVALID_ACCESS_TYPE 400 InvalidProjectAuthentication: InvalidAccessType,
        invalid_access_type(access_type: &str) {}
        = "The access type {access_type:?} does not exist; x-stack-access-type must be client, server or admin.";
    ACCESS_TYPE_WITHOUT_PROJECT_ID 400 InvalidProjectAuthentication: AccessTypeWithoutProjectId,
        access_type_without_project_id(request_type: AccessType)
        = "A request of access type {request_type} must name its project in the header x-stack-project-id.";
    ACCESS_TYPE_REQUIRED 400 InvalidProjectAuthentication: AccessTypeRequired, access_type_required()
        = "This endpoint needs the header x-stack-access-type and the key that belongs to it.";
    INSUFFICIENT_ACCESS_TYPE 401 InvalidProjectAuthentication: InsufficientAccessType,
        insufficient_access_type(actual_access_type: AccessType, allowed_access_types: &[AccessType])
        = "Requests of access type {actual_access_type} may not use this endpoint.";
    INVALID_PUBLISHABLE_CLIENT_KEY 401 InvalidProjectAuthentication: InvalidPublishableClientKey,
        invalid_publishable_client_key(project_id: &str)
        = "The publishable client key is not valid for project {project_id:?}.";
    INVALID_SECRET_SERVER_KEY 401 InvalidProjectAuthentication: InvalidSecretServerKey,
        invalid_secret_server_key(project_id: &str)
        = "The secret server key is not valid for project {project_id:?}.";
    INVALID_SUPER_SECRET_ADMIN_KEY 401 InvalidProjectAuthentication: InvalidSuperSecretAdminKey,
        invalid_super_secret_admin_key(project_id: &str)
        = "The super-secret admin key is not valid for project {project_id:?}.";
    INVALID_ADMIN_ACCESS_TOKEN 401 InvalidProjectAuthentication: InvalidAdminAccessToken
        = "The admin access token is not valid.";
    UNPARSABLE_ADMIN_ACCESS_TOKEN 401 InvalidAdminAccessToken: UnparsableAdminAccessToken,
        unparsable_admin_access_token()
        = "The admin access token is not a token of this server.";
    ADMIN_ACCESS_TOKEN_EXPIRED 401 InvalidAdminAccessToken: AdminAccessTokenExpired,
        admin_access_token_expired(expired_at_millis: Option<i64>)
        = "The admin access token has expired; refresh it and try again.";
    INVALID_PROJECT_FOR_ADMIN_ACCESS_TOKEN 401 InvalidAdminAccessToken: InvalidProjectForAdminAccessToken
        = "The admin access token belongs to another project.";
    ADMIN_ACCESS_TOKEN_IS_NOT_ADMIN 401 InvalidAdminAccessToken: AdminAccessTokenIsNotAdmin,
        admin_access_token_is_not_admin()
        = "The user of the admin access token does not manage this project.";
    PROJECT_AUTHENTICATION_REQUIRED 401 ProjectAuthenticationError: ProjectAuthenticationRequired
        = "The project must be authenticated.";
    CLIENT_AUTHENTICATION_REQUIRED 401 ProjectAuthenticationRequired: ClientAuthenticationRequired
        = "A publishable client key is required.";
    PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT 401 ProjectAuthenticationRequired:
        PublishableClientKeyRequiredForProject,
        publishable_client_key_required_for_project(project_id: Option<&str>)
        = "This project requires a publishable client key; send it in x-stack-publishable-client-key.";
    SERVER_AUTHENTICATION_REQUIRED 401 ProjectAuthenticationRequired: ServerAuthenticationRequired,
        server_authentication_required()
        = "Requests of access type server need the header x-stack-secret-server-key.";
    ADMIN_AUTHENTICATION_REQUIRED 401 ProjectAuthenticationRequired: AdminAuthenticationRequired,
        admin_authentication_required()
        = "Requests of access type admin need the header x-stack-super-secret-admin-key.";
    CLIENT_OR_SERVER_AUTHENTICATION_REQUIRED 401 ProjectAuthenticationRequired:
        ClientOrServerAuthenticationRequired = "A client or a server key is required.";
    CLIENT_OR_ADMIN_AUTHENTICATION_REQUIRED 401 ProjectAuthenticationRequired:
        ClientOrAdminAuthenticationRequired = "A client or an admin key is required.";
    CLIENT_OR_SERVER_OR_ADMIN_AUTHENTICATION_REQUIRED 401 ProjectAuthenticationRequired:
        ClientOrServerOrAdminAuthenticationRequired = "A client, a server or an admin key is required.";
    EXPECTED_INTERNAL_PROJECT 401 ProjectAuthenticationError: ExpectedInternalProject,
        expected_internal_project() = "This endpoint serves the project \"internal\" only.";
    CURRENT_PROJECT_NOT_FOUND 400 KnownError: CurrentProjectNotFound, current_project_not_found(project_id: &str)
        = "There is no project {project_id:?}; compare x-stack-project-id with the id that the server printed.";
    PROJECT_NOT_FOUND 404 KnownError: ProjectNotFound, project_not_found(project_id: &str)
        = "There is no project {project_id:?}, or it is not yours.";
    BRANCH_DOES_NOT_EXIST 400 KnownError: BranchDoesNotExist, branch_does_not_exist(branch_id: &str)
        = "The project has no branch {branch_id:?}.";

    // User sessions.
    SESSION_AUTHENTICATION_ERROR 401 KnownError: SessionAuthenticationError
        = "The session could not be authenticated.";
    INVALID_SESSION_AUTHENTICATION 401 SessionAuthenticationError: InvalidSessionAuthentication
        = "The session's credentials are not valid.";
    INVALID_ACCESS_TOKEN 401 InvalidSessionAuthentication: InvalidAccessToken = "The access token is not valid.";
    UNPARSABLE_ACCESS_TOKEN 401 InvalidAccessToken: UnparsableAccessToken, unparsable_access_token()
        = "The access token is not a token of this server.";
    ACCESS_TOKEN_EXPIRED 401 InvalidAccessToken: AccessTokenExpired,
        access_token_expired(
            expired_at_millis: Option<i64>, project_id: Option<&str>,
            user_id: Option<&str>, refresh_token_id: Option<&str>)
        = "The access token has expired; refresh it and try again.";
    INVALID_PROJECT_FOR_ACCESS_TOKEN 401 InvalidAccessToken: InvalidProjectForAccessToken,
        invalid_project_for_access_token(expected_project_id: &str, actual_project_id: &str)
        = "The access token belongs to project {actual_project_id:?}, the request names {expected_project_id:?}.";
    ANONYMOUS_AUTHENTICATION_NOT_ALLOWED 401 KnownError: AnonymousAuthenticationNotAllowed,
        anonymous_authentication_not_allowed()
        = "Anonymous users are accepted only with the header x-stack-allow-anonymous-user: true.";
    RESTRICTED_USER_NOT_ALLOWED 403 KnownError: RestrictedUserNotAllowed,
        restricted_user_not_allowed(restricted_reason: RestrictedReason)
        = "This user is restricted; such users are accepted only with the header x-stack-allow-restricted-user: true.";
    REFRESH_TOKEN_ERROR 401 KnownError: RefreshTokenError = "The refresh token cannot be used.";
    REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED 401 RefreshTokenError: RefreshTokenNotFoundOrExpired,
        refresh_token_not_found_or_expired()
        = "The refresh token is unknown, expired or revoked; sign in again.";
    CANNOT_DELETE_CURRENT_SESSION 400 RefreshTokenError: CannotDeleteCurrentSession,
        cannot_delete_current_session()
        = "The session in use cannot be deleted by its id; sign out instead.";
    PROVIDER_REJECTED 401 RefreshTokenError: ProviderRejected
        = "The identity provider no longer accepts the session.";
    USER_AUTHENTICATION_REQUIRED 401 KnownError: UserAuthenticationRequired, user_authentication_required()
        = "Somebody must be signed in for this; send the header x-stack-access-token.";
    CANNOT_GET_OWN_USER_WITHOUT_USER 400 KnownError: CannotGetOwnUserWithoutUser,
        cannot_get_own_user_without_user()
        = "\"me\" means the signed-in user, but nobody is signed in.";

    // Users and email addresses.
    USER_NOT_FOUND 404 KnownError: UserNotFound, user_not_found() = "There is no such user.";
    USER_ID_DOES_NOT_EXIST 400 KnownError: UserIdDoesNotExist, user_id_does_not_exist(user_id: &str)
        = "There is no user with the id {user_id:?}.";
    USER_EMAIL_ALREADY_EXISTS 409 KnownError: UserEmailAlreadyExists,
        user_email_already_exists(email: &str, would_work_if_email_was_verified: bool)
        = "Somebody already signs in with the email address {email:?}.";
    EMAIL_ALREADY_VERIFIED 409 KnownError: EmailAlreadyVerified, email_already_verified()
        = "The email address is already verified.";
    EMAIL_IS_NOT_PRIMARY_EMAIL 400 KnownError: EmailIsNotPrimaryEmail,
        email_is_not_primary_email(email: &str, primary_email: Option<&str>)
        = "The email address {email:?} is not the user's primary one.";
    EMAIL_NOT_VERIFIED 400 KnownError: EmailNotVerified = "The email address is not verified.";
    EMAIL_NOT_ASSOCIATED_WITH_USER 400 KnownError: EmailNotAssociatedWithUser
        = "The email address is not one of the user's.";
    CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE 409 KnownError:
        ContactChannelAlreadyUsedForAuthBySomeoneElse,
        contact_channel_already_used_for_auth_by_someone_else(
            kind: &str, contact_channel_value: Option<&str>, would_work_if_email_was_verified: bool)
        { "type": kind, "contact_channel_value": contact_channel_value,
          "would_work_if_email_was_verified": would_work_if_email_was_verified }
        = "Somebody else already signs in with this {kind}.";

    // Sign-up and passwords.
    SIGN_UP_NOT_ENABLED 400 KnownError: SignUpNotEnabled, sign_up_not_enabled()
        = "This project does not accept new accounts.";
    SIGN_UP_REJECTED 403 KnownError: SignUpRejected, sign_up_rejected(message: &str) = "{message}";
    BOT_CHALLENGE_REQUIRED 409 KnownError: BotChallengeRequired, bot_challenge_required()
        = "Please complete the challenge and try again.";
    BOT_CHALLENGE_FAILED 400 KnownError: BotChallengeFailed, bot_challenge_failed(message: &str) = "{message}";
    PASSWORD_AUTHENTICATION_NOT_ENABLED 400 KnownError: PasswordAuthenticationNotEnabled,
        password_authentication_not_enabled() = "This project does not use passwords.";
    EMAIL_PASSWORD_MISMATCH 400 KnownError: EmailPasswordMismatch, email_password_mismatch()
        = "Email address and password do not belong together.";
    PASSWORD_REQUIREMENTS_NOT_MET 400 KnownError: PasswordRequirementsNotMet,
        password_requirements_not_met(message: &str) = "{message}";
    PASSWORD_TOO_SHORT 400 PasswordRequirementsNotMet: PasswordTooShort, password_too_short(min_length: u32)
        = "The password needs at least {min_length} characters.";
    PASSWORD_TOO_LONG 400 PasswordRequirementsNotMet: PasswordTooLong,
        password_too_long(max_length: u32) { "maxLength": max_length }
        = "The password may have at most {max_length} characters.";
    PASSWORD_CONFIRMATION_MISMATCH 400 KnownError: PasswordConfirmationMismatch, password_confirmation_mismatch()
        = "The old password is wrong.";
    USER_DOES_NOT_HAVE_PASSWORD 400 KnownError: UserDoesNotHavePassword, user_does_not_have_password()
        = "The user has no password yet; set one instead of updating it.";
    REDIRECT_URL_NOT_WHITELISTED 400 KnownError: RedirectUrlNotWhitelisted, redirect_url_not_whitelisted()
        = "The URL is not within a trusted domain of the project; add its domain to the project's settings.";
    ANONYMOUS_ACCOUNTS_NOT_ENABLED 400 KnownError: AnonymousAccountsNotEnabled
        = "This project does not use anonymous accounts.";

    // Verification codes.
    VERIFICATION_ERROR 400 KnownError: VerificationError = "The code cannot be used.";
    VERIFICATION_CODE_NOT_FOUND 404 VerificationError: VerificationCodeNotFound, verification_code_not_found()
        = "There is no such code.";
    VERIFICATION_CODE_EXPIRED 400 VerificationError: VerificationCodeExpired, verification_code_expired()
        = "The code has expired; ask for a new one.";
    VERIFICATION_CODE_ALREADY_USED 409 VerificationError: VerificationCodeAlreadyUsed,
        verification_code_already_used() = "The code has been used already.";
    VERIFICATION_CODE_MAX_ATTEMPTS_REACHED 400 VerificationError: VerificationCodeMaxAttemptsReached,
        verification_code_max_attempts_reached() = "The code was tried too often; ask for a new one.";

    // Second factors and passkeys.
    MULTI_FACTOR_AUTHENTICATION_REQUIRED 400 KnownError: MultiFactorAuthenticationRequired,
        multi_factor_authentication_required(attempt_code: &str)
        = "A second factor is required to complete this sign-in.";
    INVALID_TOTP_CODE 400 KnownError: InvalidTotpCode, invalid_totp_code() = "The one-time password is wrong.";
    INVALID_BACKUP_CODE 400 KnownError: InvalidBackupCode, invalid_backup_code()
        = "The backup code is wrong, or was used before.";
    TOO_MANY_FAILED_ATTEMPTS 403 KnownError: TooManyFailedAttempts, too_many_failed_attempts(retry_at_millis: i64)
        = "Too many attempts failed; try again at {retry_at_millis}, or use a backup code.";
    REAUTHENTICATION_REQUIRED 403 KnownError: ReauthenticationRequired,
        reauthentication_required(max_age_seconds: u32, methods: &[&str])
        = "This needs a proof of who you are that is recent: POST /auth/reauthenticate with one of the methods in details, or sign in again.";
    PASSKEY_AUTHENTICATION_NOT_ENABLED 400 KnownError: PasskeyAuthenticationNotEnabled,
        passkey_authentication_not_enabled() = "This project does not use passkeys.";
    PASSKEY_REGISTRATION_FAILED 400 KnownError: PasskeyRegistrationFailed, passkey_registration_failed()
        = "The passkey could not be registered.";
    PASSKEY_AUTHENTICATION_FAILED 400 KnownError: PasskeyAuthenticationFailed, passkey_authentication_failed()
        = "The passkey was not accepted.";
    PASSKEY_WEBAUTHN_ERROR 400 KnownError: PasskeyWebauthnError = "The browser could not use the passkey.";

    // OAuth.
    INVALID_OAUTH_CLIENT_ID_OR_SECRET 400 KnownError: InvalidOauthClientIdOrSecret,
        invalid_oauth_client_id_or_secret(client_id: Option<&str>)
        = "The client id or the client secret is not valid.";
    INVALID_AUTHORIZATION_CODE 400 KnownError: InvalidAuthorizationCode, invalid_authorization_code()
        = "The authorization code is not valid, or was used before.";
    INVALID_SCOPE 400 KnownError: InvalidScope, invalid_scope() = "The scope is not one that can be granted.";
    OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED 400 KnownError: OauthProviderNotFoundOrNotEnabled,
        oauth_provider_not_found_or_not_enabled() = "The project does not use this sign-in provider.";
    OAUTH_EXTRA_SCOPE_NOT_AVAILABLE_WITH_SHARED_OAUTH_KEYS 400 KnownError:
        OauthExtraScopeNotAvailableWithSharedOauthKeys,
        oauth_extra_scope_not_available_with_shared_oauth_keys()
        = "Extra scopes need OAuth keys of the project's own.";
    OAUTH_ACCESS_TOKEN_NOT_AVAILABLE_WITH_SHARED_OAUTH_KEYS 400 KnownError:
        OauthAccessTokenNotAvailableWithSharedOauthKeys,
        oauth_access_token_not_available_with_shared_oauth_keys()
        = "Provider access tokens need OAuth keys of the project's own.";
    OAUTH_CONNECTION_NOT_CONNECTED_TO_USER 400 KnownError: OauthConnectionNotConnectedToUser,
        oauth_connection_not_connected_to_user() = "The user has not connected an account of this provider.";
    OAUTH_CONNECTION_DOES_NOT_HAVE_REQUIRED_SCOPE 400 KnownError: OauthConnectionDoesNotHaveRequiredScope,
        oauth_connection_does_not_have_required_scope()
        = "The connected account did not grant this scope; connect it again.";
    OAUTH_CONNECTION_ALREADY_CONNECTED_TO_ANOTHER_USER 409 KnownError:
        OauthConnectionAlreadyConnectedToAnotherUser, oauth_connection_already_connected_to_another_user()
        = "That account is already connected to another user.";
    OAUTH_ACCESS_TOKEN_NOT_AVAILABLE 400 KnownError: OauthAccessTokenNotAvailable
        = "The provider gave no access token.";
    USER_ALREADY_CONNECTED_TO_ANOTHER_OAUTH_CONNECTION 409 KnownError: UserAlreadyConnectedToAnotherOauthConnection
        = "The user is already connected to another account of this provider.";
    OAUTH_PROVIDER_ACCOUNT_ID_ALREADY_USED_FOR_SIGN_IN 400 KnownError: OauthProviderAccountIdAlreadyUsedForSignIn,
        oauth_provider_account_id_already_used_for_sign_in()
        = "Another user already signs in with that provider account.";
    OUTER_OAUTH_TIMEOUT 408 KnownError: OuterOauthTimeout, outer_oauth_timeout()
        = "The sign-in took too long; start it again.";
    OAUTH_PROVIDER_ACCESS_DENIED 400 KnownError: OauthProviderAccessDenied, oauth_provider_access_denied()
        = "The provider did not grant access, or the sign-in was cancelled.";
    OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE 503 KnownError: OauthProviderTemporarilyUnavailable,
        oauth_provider_temporarily_unavailable() = "The provider does not answer at the moment; try again.";
    INVALID_APPLE_CREDENTIALS 400 KnownError: InvalidAppleCredentials, invalid_apple_credentials()
        = "Apple's identity token could not be verified.";
    APPLE_BUNDLE_ID_NOT_CONFIGURED 400 KnownError: AppleBundleIdNotConfigured, apple_bundle_id_not_configured()
        = "The project names no Apple bundle id.";
    INVALID_SHARED_OAUTH_PROVIDER_ID 400 KnownError: InvalidSharedOauthProviderId,
        invalid_shared_oauth_provider_id(provider_id: &str)
        = "The provider {provider_id:?} cannot be used with shared keys.";
    INVALID_STANDARD_OAUTH_PROVIDER_ID 400 KnownError: InvalidStandardOauthProviderId,
        invalid_standard_oauth_provider_id(provider_id: &str) = "The provider {provider_id:?} does not exist.";

    // Command-line sign-in.
    INVALID_POLLING_CODE 400 KnownError: InvalidPollingCode, invalid_polling_code()
        = "There is no such polling code.";
    CLI_AUTH_ERROR 400 KnownError: CliAuthError = "The command-line sign-in failed.";
    CLI_AUTH_EXPIRED_ERROR 400 KnownError: CliAuthExpiredError = "The command-line sign-in has expired.";
    CLI_AUTH_USED_ERROR 400 KnownError: CliAuthUsedError = "The command-line sign-in was completed before.";

    // Teams and permissions.
    TEAM_NOT_FOUND 404 KnownError: TeamNotFound, team_not_found(team_id: &str)
        = "There is no team with the id {team_id:?}.";
    TEAM_ALREADY_EXISTS 409 KnownError: TeamAlreadyExists = "The team exists already.";
    TEAM_MEMBERSHIP_NOT_FOUND 404 KnownError: TeamMembershipNotFound,
        team_membership_not_found(team_id: &str, user_id: &str)
        = "User {user_id:?} is not a member of team {team_id:?}.";
    TEAM_MEMBERSHIP_ALREADY_EXISTS 409 KnownError: TeamMembershipAlreadyExists, team_membership_already_exists()
        = "The user is a member of the team already.";
    TEAM_PERMISSION_REQUIRED 401 KnownError: TeamPermissionRequired,
        team_permission_required(team_id: &str, user_id: &str, permission_id: &str)
        = "User {user_id:?} needs the permission {permission_id:?} in team {team_id:?} for this.";
    TEAM_PERMISSION_NOT_FOUND 401 KnownError: TeamPermissionNotFound,
        team_permission_not_found(team_id: &str, user_id: &str, permission_id: &str)
        = "User {user_id:?} does not hold the permission {permission_id:?} in team {team_id:?}.";
    PROJECT_PERMISSION_REQUIRED 401 KnownError: ProjectPermissionRequired,
        project_permission_required(user_id: &str, permission_id: &str)
        = "User {user_id:?} needs the permission {permission_id:?} for this.";
    PERMISSION_NOT_FOUND 404 KnownError: PermissionNotFound, permission_not_found(permission_id: &str)
        = "There is no permission {permission_id:?} here.";
    WRONG_PERMISSION_SCOPE 404 KnownError: WrongPermissionScope,
        wrong_permission_scope(permission_id: &str, expected_scope: &str, actual_scope: Option<&str>)
        = "The permission {permission_id:?} is not one of scope {expected_scope}.";
    CONTAINED_PERMISSION_NOT_FOUND 400 KnownError: ContainedPermissionNotFound,
        contained_permission_not_found(permission_id: &str)
        = "The contained permission {permission_id:?} does not exist in this scope.";
    PERMISSION_ID_ALREADY_EXISTS 400 KnownError: PermissionIdAlreadyExists,
        permission_id_already_exists(permission_id: &str) = "The permission {permission_id:?} exists already.";
    TEAM_INVITATION_RESTRICTED_USER_NOT_ALLOWED 403 KnownError: TeamInvitationRestrictedUserNotAllowed,
        team_invitation_restricted_user_not_allowed(restricted_reason: RestrictedReason)
        = "Restricted users cannot accept invitations.";
    ITEM_QUANTITY_INSUFFICIENT_AMOUNT 400 KnownError: ItemQuantityInsufficientAmount,
        item_quantity_insufficient_amount(item_id: &str, customer_id: &str, quantity: i64)
        = "Not enough of {item_id:?} is left for {customer_id:?} to change it by {quantity}.";

    // API keys.
    API_KEY_NOT_VALID 401 KnownError: ApiKeyNotValid = "The API key is not valid.";
    API_KEY_NOT_FOUND 404 ApiKeyNotValid: ApiKeyNotFound, api_key_not_found() = "There is no such API key.";
    API_KEY_EXPIRED 401 ApiKeyNotValid: ApiKeyExpired, api_key_expired() = "The API key has expired.";
    API_KEY_REVOKED 401 ApiKeyNotValid: ApiKeyRevoked, api_key_revoked() = "The API key has been revoked.";
    WRONG_API_KEY_TYPE 400 ApiKeyNotValid: WrongApiKeyType,
        wrong_api_key_type(expected_type: &str, actual_type: &str)
        = "This is a {actual_type} API key; a {expected_type} key is expected here.";
    PUBLIC_API_KEY_CANNOT_BE_REVOKED 400 ApiKeyNotValid: PublicApiKeyCannotBeRevoked,
        public_api_key_cannot_be_revoked() = "Public API keys are not secret and are not revoked by scanners.";

    // Emails.
    REQUIRES_CUSTOM_EMAIL_SERVER 400 KnownError: RequiresCustomEmailServer, requires_custom_email_server()
        = "This needs a mail server of the project's own.";
    EMAIL_RENDERING_ERROR 400 KnownError: EmailRenderingError, email_rendering_error(error: &str)
        = "The email could not be rendered: {error}";
    TEMPLATE_SOURCE_REWRITE_ERROR 400 KnownError: TemplateSourceRewriteError,
        template_source_rewrite_error(error: &str) = "The template could not be rewritten: {error}";
    EMAIL_TEMPLATE_ALREADY_EXISTS 409 KnownError: EmailTemplateAlreadyExists = "The template exists already.";
    EMAIL_NOT_EDITABLE 400 KnownError: EmailNotEditable, email_not_editable(email_id: &str, status: &str)
        = "The email is in state {status:?} and can no longer be changed.";
    EMAIL_CAPACITY_BOOST_ALREADY_ACTIVE 409 KnownError: EmailCapacityBoostAlreadyActive,
        email_capacity_boost_already_active(expires_at: &str) = "A boost is active until {expires_at}.";

    // Data vault.
    DATA_VAULT_STORE_DOES_NOT_EXIST 400 KnownError: DataVaultStoreDoesNotExist,
        data_vault_store_does_not_exist(store_id: &str) = "There is no data vault store {store_id:?}.";
    DATA_VAULT_STORE_HASHED_KEY_DOES_NOT_EXIST 400 KnownError: DataVaultStoreHashedKeyDoesNotExist,
        data_vault_store_hashed_key_does_not_exist(store_id: &str, hashed_key: &str)
        = "The data vault store {store_id:?} holds nothing under this key.";
}
