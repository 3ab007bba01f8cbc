//! Switching TOTP on and off, and backup codes. TOTP counts only after a first code has shown that the app has the
//! secret; one that is on is never replaced silently. Users bring a recent sign-in, or the factor itself.

use std::net::IpAddr;
use std::sync::Arc;

use latchkey_api_types::KnownError;
use latchkey_api_types::mfa::{BackupCodes, MfaStatus, TotpSetup};
use latchkey_crypto::{Secret, TotpSecret};
use latchkey_storage::engine::Stmt;
use latchkey_storage::second_factors::{self, SecondFactorRow};
use latchkey_storage::users::{self, UserRow};
use latchkey_storage::{StorageError, backup_codes as stored_codes, sessions};

use super::qr_code::Drawing;
use super::{Proof, backup_codes, check, seal, secret, take_attempt, with_second_factor};
use crate::app::App;
use crate::audit::{self, Event};
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::reauthentication::{self, Surface};

/// How long a secret waits for its first code, milliseconds.
const SETUP_LIFETIME: i64 = 15 * 60 * 1000;

/// The state of the signed-in user's second factor.
///
/// # Errors
/// `USER_AUTHENTICATION_REQUIRED`.
pub async fn status(app: &App, auth: &Auth) -> Result<MfaStatus, Failure> {
    let user = auth.signed_in()?;
    let (project, id) = (auth.project.id.clone(), user.id);
    let (state, left) = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let state = second_factors::get(tx, &project, id).await?;
                Ok::<_, StorageError>((state, stored_codes::count_left(tx, &project, id).await?))
            })
        })
        .await?;
    Ok(MfaStatus {
        totp_enabled: user.requires_totp_mfa,
        totp_setup_pending: state.is_some_and(|state| pending(&state, app.now()).is_some()),
        backup_codes_remaining: if user.requires_totp_mfa { left } else { 0 },
    })
}

/// The secret that waits for its first code, sealed.
fn pending(state: &SecondFactorRow, now: i64) -> Option<&[u8]> {
    state.pending_secret_sealed.as_deref().filter(|_| state.pending_expires_at.is_some_and(|end| end > now))
}

/// Makes a secret for the signed-in user's app. It counts once [`confirm`] has seen a code of it.
///
/// # Errors
/// `USER_AUTHENTICATION_REQUIRED`; 409 if TOTP is on; `REAUTHENTICATION_REQUIRED`.
pub async fn set_up(app: &App, auth: &Auth) -> Result<TotpSetup, Failure> {
    let user = auth.signed_in()?;
    if user.requires_totp_mfa {
        return Err(on_already());
    }
    reauthentication::require_recent(app, auth, Surface::Latchkey).await?;
    let project = &auth.project;
    let secret = TotpSecret::generate(&app.random);
    let expires_at = app.now() + SETUP_LIFETIME;
    let statements = vec![
        second_factors::set_pending(
            &project.id,
            user.id,
            &seal(app, &project.id, user.id, &secret),
            expires_at,
        ),
        audit::record(app, &project.id, audit::kind::TOTP_SETUP_BEGUN, &Event::by(auth)),
    ];
    match app.store.batch(statements).await {
        // The user was deleted in this moment.
        Err(StorageError::ForeignKey) => return Err(KnownError::user_authentication_required().into()),
        written => written?,
    };
    let uri = key_uri(&project.display_name, user, &secret);
    let drawing = Drawing::of(&uri)?;
    Ok(TotpSetup {
        secret: secret.base32(),
        qr_code_png: drawing.png_data_url()?,
        qr_code_svg: drawing.svg(),
        otpauth_uri: uri,
        expires_at_millis: expires_at,
    })
}

/// The `otpauth` URI that authenticator apps scan: `otpauth://totp/ISSUER:ACCOUNT?secret=…&issuer=ISSUER`. A colon
/// separates the two, so it is taken out of both.
fn key_uri(issuer: &str, user: &UserRow, secret: &TotpSecret) -> String {
    let id = user.id.to_string();
    let account = user.primary_email.as_deref().or(user.display_name.as_deref()).unwrap_or(&id);
    // What is longer than a name makes a code that no phone can scan.
    let plain = |text: &str| -> String {
        let text: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
        text.replace(':', " ").trim().to_owned()
    };
    let (issuer, account) = (percent(&plain(issuer)), percent(&plain(account)));
    let secret = secret.base32();
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30"
    )
}

/// Percent-encodes everything but the unreserved characters of RFC 3986 §2.3.
fn percent(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// Switches TOTP on, by a first code of the secret that waits; gives the backup codes, which nobody sees again.
///
/// # Errors
/// `USER_AUTHENTICATION_REQUIRED`; 409 if TOTP is on; 400 if no secret waits; `TOO_MANY_FAILED_ATTEMPTS`,
/// `INVALID_TOTP_CODE`.
pub async fn confirm(app: &App, auth: &Auth, code: &Secret<String>) -> Result<BackupCodes, Failure> {
    let user = auth.signed_in()?;
    if user.requires_totp_mfa {
        return Err(on_already());
    }
    let project = &auth.project.id;
    let (of, id, now) = (project.clone(), user.id, app.now());
    let state = app.store.lookup(move |tx| Box::pin(async move { second_factors::get(tx, &of, id).await }));
    let state = state.await?;
    let sealed = state.as_ref().and_then(|state| pending(state, now)).ok_or_else(nothing_waits)?;
    take_attempt(app, project, id).await?.ok_or_else(nothing_waits)?.require_unlocked()?;
    let step = secret(app, project, id, sealed).map_err(|_| nothing_waits())?.step_of(code.expose(), now);
    let Some(step) = step else {
        let refused = audit::record(app, project, audit::kind::SECOND_FACTOR_REFUSED, &Event::by(auth));
        app.activity.note_event(refused);
        return Err(KnownError::invalid_totp_code().into());
    };
    let (codes, renewed) = backup_codes::renew(app, project, id);
    let mut statements = vec![
        users::switch_totp_on(project, id, sealed).exactly(1),
        second_factors::confirm_pending(project, id, sealed, step).exactly(1),
    ];
    statements.extend(renewed);
    // Whoever shows a code has both factors in this session from now on.
    if let Some(session) = reauthentication::session(app, auth).await? {
        let amr = with_second_factor(&session.amr);
        statements.push(sessions::prove(project, session.id, id, session.auth_time, &amr));
    }
    statements.push(audit::record(app, project, audit::kind::TOTP_ENABLED, &Event::by(auth)));
    write(app, statements, on_already).await?;
    Ok(BackupCodes { backup_codes: codes })
}

/// Switches TOTP off by a fresh factor, and forgets the backup codes.
///
/// # Errors
/// `USER_AUTHENTICATION_REQUIRED`; 400 if it is off; `TOO_MANY_FAILED_ATTEMPTS`, `INVALID_TOTP_CODE`,
/// `INVALID_BACKUP_CODE`.
pub async fn disable(app: &App, auth: &Auth, proof: &Proof, address: Option<IpAddr>) -> Result<(), Failure> {
    let user = auth.signed_in()?;
    let project = &auth.project.id;
    let sealed = user.totp_secret_sealed.as_deref().filter(|_| user.requires_totp_mfa).ok_or_else(off)?;
    let mut statements = check(app, project, user, proof, address).await?;
    statements.extend([
        users::switch_totp_off(project, user.id, sealed).exactly(1),
        second_factors::delete(project, user.id),
        stored_codes::delete_of_user(project, user.id),
        audit::record(app, project, audit::kind::TOTP_DISABLED, &Event::by(auth)),
    ]);
    write(app, statements, || proof.refused()).await
}

/// Makes new backup codes, which nobody sees again; the old ones end.
///
/// # Errors
/// `USER_AUTHENTICATION_REQUIRED`; 400 if TOTP is off; `REAUTHENTICATION_REQUIRED`.
pub async fn regenerate(app: &App, auth: &Auth) -> Result<BackupCodes, Failure> {
    let user = auth.signed_in()?;
    let project = &auth.project.id;
    let sealed = user.totp_secret_sealed.as_deref().filter(|_| user.requires_totp_mfa).ok_or_else(off)?;
    reauthentication::require_recent(app, auth, Surface::Latchkey).await?;
    let (codes, renewed) = backup_codes::renew(app, project, user.id);
    let mut statements = vec![users::confirm_totp(project, user.id, sealed).exactly(1)];
    statements.extend(renewed);
    statements.push(audit::record(app, project, audit::kind::BACKUP_CODES_RENEWED, &Event::by(auth)));
    write(app, statements, off).await?;
    Ok(BackupCodes { backup_codes: codes })
}

/// Writes a change of somebody's second factor, in a transaction that meets no other one. It is told to nobody: only
/// changes of a user as such are events (contract 05 §9). `overtaken` is the answer if a guard is broken.
async fn write(app: &App, statements: Vec<Stmt>, overtaken: impl Fn() -> Failure) -> Result<(), Failure> {
    let statements = Arc::new(statements);
    let outcome = app.store.write(move |tx| {
        let statements = Arc::clone(&statements);
        Box::pin(async move { tx.run_all(&statements).await })
    });
    match outcome.await {
        Ok(()) => Ok(()),
        Err(StorageError::Guard { .. } | StorageError::ForeignKey) => Err(overtaken()),
        Err(error) => Err(error.into()),
    }
}

fn on_already() -> Failure {
    Failure::text(409, "TOTP is on already. Switch it off first, with a code of the app that has it.")
}

fn off() -> Failure {
    Failure::text(400, "TOTP is not on.")
}

fn nothing_waits() -> Failure {
    Failure::text(400, "No set-up of TOTP waits for a code. Begin one; it waits for 15 minutes.")
}

#[cfg(test)]
mod tests {
    use latchkey_api_types::ids::ProjectId;

    use super::*;
    use crate::users::blank;

    #[test]
    fn the_uri_names_issuer_and_account_without_colons_of_their_own() {
        let project: ProjectId = "11111111-1111-4111-8111-111111111111".parse().unwrap();
        let id = "22222222-2222-4222-8222-222222222222".parse().unwrap();
        let mut user = blank(&project, id, 0);
        user.primary_email = Some("ada+x@example.com".to_owned());
        let secret = TotpSecret::from_bytes(b"12345678901234567890".to_vec());
        let uri = key_uri("A & B: Shop/Ü?#", &user, &secret);
        assert_eq!(
            uri,
            "otpauth://totp/A%20%26%20B%20%20Shop%2F%C3%9C%3F%23:ada%2Bx%40example.com\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=A%20%26%20B%20%20Shop%2F%C3%9C%3F%23\
             &algorithm=SHA1&digits=6&period=30"
        );
    }
}
