//! The fields that creating and changing a user share: read once, as far as that is possible without the user, and
//! applied to the user's row.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_api_types::AccessType;
use latchkey_api_types::ids::{ProjectId, UserId};
use latchkey_api_types::input::{Base64Text, ImageUrl, NonEmptyText, Nullable};
use latchkey_api_types::user::UserUpdate;
use latchkey_crypto::{Secret, TotpSecret, validate_bcrypt_import};
use latchkey_storage::users::UserRow;

use crate::app::App;
use crate::authenticate::Auth;
use crate::contact_channels::normalise_email;
use crate::failure::Failure;
use crate::images::{self, Accepted, Owner};
use crate::projects::Project;
use crate::second_factors;
use crate::users::stored_metadata;

/// What is to happen to the password.
pub(crate) enum Password {
    /// Nothing.
    Keep,
    /// It goes.
    Remove,
    /// This hash takes its place.
    Set(String),
}

/// The primary email and its flags, as asked for. The outer `None` leaves the address as it is.
pub(crate) struct Email {
    pub(crate) address: Option<Option<String>>,
    pub(crate) verified: Option<bool>,
    pub(crate) used_for_auth: Option<bool>,
}

/// A restriction by an administrator, as asked for.
struct Restriction {
    restricted: Option<bool>,
    reason: Option<Option<String>>,
    details: Option<Option<String>>,
}

/// What was asked for. Those parts that need work are taken out of the request.
pub(crate) struct Fields {
    pub(crate) request: UserUpdate,
    pub(crate) email: Email,
    pub(crate) password: Password,
    pub(crate) image: Option<Accepted>,
    restriction: Restriction,
    /// The TOTP secret, sealed; the inner `None` switches TOTP off.
    pub(crate) totp: Option<Option<Vec<u8>>>,
}

/// Empty text is no text.
fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

impl Fields {
    /// Does what can be done without the user: checks the picture, seals the TOTP secret, hashes the password.
    ///
    /// # Errors
    /// 400 for fields that are wrong in themselves.
    pub(crate) async fn read(
        app: &App,
        auth: &Auth,
        id: UserId,
        mut request: UserUpdate,
    ) -> Result<Self, Failure> {
        let project = &auth.project;
        let image = match request.profile_image_url.take() {
            Some(url) => {
                let url = url.0.as_ref().map(ImageUrl::as_str);
                Some(images::accept(app, &project.id, Owner::User(id), auth.access, url)?)
            }
            None => None,
        };
        let totp = match request.totp_secret_base64.take() {
            Some(Nullable(Some(secret))) => Some(Some(seal_totp(app, &project.id, id, &secret)?)),
            Some(Nullable(None)) => Some(None),
            None => None,
        };
        let address = request.primary_email.take();
        let email = Email {
            address: address.map(|email| email.0.map(|email| normalise_email(email.as_str()))),
            verified: request.primary_email_verified,
            used_for_auth: request.primary_email_auth_enabled,
        };
        let restriction = Restriction {
            restricted: request.restricted_by_admin,
            reason: request.restricted_by_admin_reason.take().map(|reason| non_empty(reason.0)),
            details: request.restricted_by_admin_private_details.take().map(|details| non_empty(details.0)),
        };
        restriction.check()?;
        let password = password(app, auth, &mut request).await?;
        Ok(Self { request, email, password, image, restriction, totp })
    }

    /// The display name that was asked for, if it is one.
    pub(crate) fn display_name(&self) -> Option<&str> {
        let name = self.request.display_name.as_ref()?.0.as_ref()?;
        Some(name.as_str()).filter(|name| !name.is_empty())
    }

    /// Sets everything that is a column of the user and needs no look at anything else.
    ///
    /// # Errors
    /// 400 for what the project does not use.
    pub(crate) fn apply(&self, project: &Project, user: &mut UserRow) -> Result<(), Failure> {
        let request = &self.request;
        if request.display_name.is_some() {
            user.display_name = self.display_name().map(str::to_owned);
        }
        if let Some(image) = &self.image {
            user.profile_image_url.clone_from(&image.url);
        }
        if let Some(value) = &request.client_metadata {
            user.client_metadata = stored_metadata(&value.0);
        }
        if let Some(value) = &request.client_read_only_metadata {
            user.client_read_only_metadata = stored_metadata(&value.0);
        }
        if let Some(value) = &request.server_metadata {
            user.server_metadata = stored_metadata(&value.0);
        }
        if let Some(enabled) = request.otp_auth_enabled {
            if enabled && !user.otp_auth_enabled {
                require_otp(project)?;
            }
            user.otp_auth_enabled = enabled;
        }
        if let Some(totp) = &self.totp {
            user.totp_secret_sealed.clone_from(totp);
            user.requires_totp_mfa = totp.is_some();
        }
        if let Some(code) = &request.country_code {
            user.country_code = code.0.as_ref().map(|code| code.as_str().to_owned());
        }
        if let Some(scores) = &request.risk_scores {
            user.risk_bot = scores.sign_up.bot.0;
            user.risk_free_trial_abuse = scores.sign_up.free_trial_abuse.0;
        }
        self.restriction.apply(user);
        Ok(())
    }
}

impl Restriction {
    /// Reason and details need the restriction in the same request.
    fn check(&self) -> Result<(), Failure> {
        let explains = self.reason.iter().chain(&self.details).any(Option::is_some);
        if explains && self.restricted != Some(true) {
            return Err(Failure::text(
                400,
                "A reason or private details need restricted_by_admin: true in the same request.",
            ));
        }
        Ok(())
    }

    /// Reason and details go with the restriction.
    fn apply(&self, user: &mut UserRow) {
        user.restricted_by_admin = self.restricted.unwrap_or(user.restricted_by_admin);
        if let Some(reason) = &self.reason {
            user.restricted_by_admin_reason.clone_from(reason);
        }
        if let Some(details) = &self.details {
            user.restricted_by_admin_private_details.clone_from(details);
        }
        if !user.restricted_by_admin {
            user.restricted_by_admin_reason = None;
            user.restricted_by_admin_private_details = None;
        }
    }
}

/// Hashes a new password. Whether one may be added is decided where the user is known; replacing one is always
/// allowed.
///
/// # Errors
/// 400 for a password and a hash at once, and for hashes that are not bcrypt.
async fn password(app: &App, auth: &Auth, request: &mut UserUpdate) -> Result<Password, Failure> {
    let password = request.password.take();
    let hash = request.password_hash.take().map(NonEmptyText::into_string);
    debug_assert!(
        auth.access >= AccessType::Server || (password.is_none() && hash.is_none()),
        "clients cannot write passwords"
    );
    match (password, hash) {
        (None, None) => Ok(Password::Keep),
        (Some(Nullable(None)), None) => Ok(Password::Remove),
        (Some(_), Some(_)) => Err(Failure::text(400, "Send either password or password_hash, not both.")),
        (Some(Nullable(Some(password))), None) => {
            Ok(Password::Set(app.hasher.hash(Secret::new(password.into_string())).await?))
        }
        (None, Some(hash)) => match validate_bcrypt_import(&hash) {
            Ok(()) => Ok(Password::Set(hash)),
            Err(_) => {
                Err(Failure::text(400, "password_hash must be a bcrypt hash with a cost of at most 16."))
            }
        },
    }
}

/// # Errors
/// 400 where the project has no passwords.
pub(crate) fn require_password(project: &Project) -> Result<(), Failure> {
    if project.settings.auth.password.allow_sign_in {
        Ok(())
    } else {
        Err(Failure::text(400, "This project does not use passwords, so none can be added."))
    }
}

fn require_otp(project: &Project) -> Result<(), Failure> {
    if project.settings.auth.otp.allow_sign_in {
        Ok(())
    } else {
        Err(Failure::text(400, "This project does not use mailed codes, so they cannot be switched on."))
    }
}

/// An address that does not exist can be neither verified nor used to sign in.
pub(crate) fn require_email(email: Option<&str>, verified: bool, used_for_auth: bool) -> Result<(), Failure> {
    match (email, verified, used_for_auth) {
        (None, true, _) => Err(Failure::text(400, "There is no primary email that could be verified.")),
        (None, _, true) => {
            Err(Failure::text(400, "There is no primary email that could be used to sign in."))
        }
        _ => Ok(()),
    }
}

/// What a TOTP secret is sealed for.
pub(crate) fn totp_seal_context(project: &ProjectId, user: UserId) -> String {
    format!("totp:{project}:{user}")
}

/// A TOTP secret as it is stored.
///
/// # Errors
/// 400 for a secret that is short enough to be guessed, or needlessly long.
fn seal_totp(app: &App, project: &ProjectId, user: UserId, secret: &Base64Text) -> Result<Vec<u8>, Failure> {
    let secret = STANDARD.decode(secret.as_str()).ok().map(TotpSecret::from_bytes);
    let secret = secret.filter(TotpSecret::is_acceptable).ok_or_else(|| {
        Failure::text(
            400,
            "A TOTP secret has 16 to 128 bytes (RFC 4226 asks for at least 128 bits); 20 are usual.",
        )
    })?;
    Ok(second_factors::seal(app, project, user, &secret))
}
