//! Second factors: TOTP codes and backup codes, checked against everything that a thief with the password would try
//! (`docs/decisions/0011-second-factors.md`). Switching them on and off is in `second_factors/enrolment.rs`.
//!
//! A TOTP code is accepted for its step and one step around it, and each step once. An attempt is counted before it is
//! known whether it succeeds, against the user and not only against the sign-in that waits: after five failures each
//! further one locks TOTP for longer. A backup code has enough entropy of its own and is accepted even then, so that
//! nobody can lock a user out by failing.

mod backup_codes;
pub mod enrolment;
mod qr_code;

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_api_types::KnownError;
use latchkey_api_types::ids::{ProjectId, UserId};
use latchkey_crypto::{Secret, TotpSecret};
use latchkey_storage::engine::{Outcome, Stmt};
use latchkey_storage::second_factors::{self, SecondFactorRow};
use latchkey_storage::users::{self, UserRow};
use latchkey_storage::{StorageError, backup_codes as stored_codes};
use serde_json::json;

use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::failure::Failure;
use crate::users::totp_seal_context;

/// What somebody presents as a second factor.
pub enum Proof {
    /// The code that an authenticator app shows.
    Totp(Secret<String>),
    /// One of the codes for the day when the phone is lost.
    BackupCode(Secret<String>),
}

impl Proof {
    const fn method(&self) -> &'static str {
        match self {
            Self::Totp(_) => "totp",
            Self::BackupCode(_) => "backup_code",
        }
    }

    /// The answer to a proof that is wrong, or that somebody else used in this moment.
    pub(crate) fn refused(&self) -> Failure {
        match self {
            Self::Totp(_) => KnownError::invalid_totp_code().into(),
            Self::BackupCode(_) => KnownError::invalid_backup_code().into(),
        }
    }
}

/// The authentication methods of RFC 8176 after a second factor, given those before it. A backup code counts as `otp`:
/// it is a one-time password as well, and the RFC has no word of its own for it.
pub(crate) fn with_second_factor(amr: &str) -> String {
    with_methods(amr, &["otp", "mfa"])
}

/// These methods and further ones, each once.
pub(crate) fn with_methods(amr: &str, further: &[&str]) -> String {
    let mut methods: Vec<&str> = amr.split_whitespace().collect();
    for method in further {
        if !methods.contains(method) {
            methods.push(method);
        }
    }
    methods.join(" ")
}

/// Checks a second factor. What comes back uses it up and records it: to be written with whatever it allows. A broken
/// guard among these statements means that somebody else used it in this moment: [`Proof::refused`].
///
/// # Errors
/// `INVALID_TOTP_CODE` or `INVALID_BACKUP_CODE`, also if the user has no second factor; `TOO_MANY_FAILED_ATTEMPTS`.
pub(crate) async fn check(
    app: &App,
    project: &ProjectId,
    user: &UserRow,
    proof: &Proof,
    address: Option<IpAddr>,
) -> Result<Vec<Stmt>, Failure> {
    let Some(sealed) = user.totp_secret_sealed.as_deref().filter(|_| user.requires_totp_mfa) else {
        return Err(proof.refused());
    };
    let attempt = take_attempt(app, project, user.id).await?.ok_or_else(|| proof.refused())?;
    let accepted = match proof {
        Proof::Totp(code) => {
            attempt.require_unlocked()?;
            let step = secret(app, project, user.id, sealed)?.step_of(code.expose(), app.now());
            let step = step.filter(|step| *step > attempt.state.last_step);
            step.map(|step| vec![second_factors::accept_step(project, user.id, step).exactly(1)])
        }
        Proof::BackupCode(code) => {
            let hash = backup_codes::hash(app, project, user.id, code.expose());
            let (of, id, wanted) = (project.clone(), user.id, hash.clone());
            let look = app.store.lookup(move |tx| {
                Box::pin(async move { stored_codes::is_valid(tx, &of, id, &wanted).await })
            });
            look.await?.then(|| {
                vec![
                    stored_codes::claim(project, user.id, &hash, app.now()).exactly(1),
                    second_factors::forgive(project, user.id),
                ]
            })
        }
    };
    let mut event = Event::of_user(Actor::User, user.id).at_address(address);
    event.details = json!({ "method": proof.method() });
    let Some(mut statements) = accepted else {
        if attempt.state.locked_until > app.now() {
            event.details["locked_until"] = json!(attempt.state.locked_until);
        }
        app.activity.note_event(audit::record(app, project, audit::kind::SECOND_FACTOR_REFUSED, &event));
        return Err(proof.refused());
    };
    statements.push(users::confirm_totp(project, user.id, sealed).exactly(1));
    statements.push(audit::record(app, project, audit::kind::SECOND_FACTOR_ACCEPTED, &event));
    Ok(statements)
}

/// An attempt to prove something that can be guessed.
pub(crate) struct Attempt {
    /// The state after the attempt was counted.
    state: SecondFactorRow,
    /// Whether it was: while the user is locked it is not, and must not be looked at.
    counted: bool,
}

impl Attempt {
    /// # Errors
    /// `TOO_MANY_FAILED_ATTEMPTS`.
    pub(crate) fn require_unlocked(&self) -> Result<(), Failure> {
        if self.counted {
            Ok(())
        } else {
            Err(KnownError::too_many_failed_attempts(self.state.locked_until).into())
        }
    }
}

/// Counts an attempt; `None` if the user was deleted in this moment. Whatever succeeds then forgives it.
pub(crate) async fn take_attempt(
    app: &App,
    project: &ProjectId,
    user: UserId,
) -> Result<Option<Attempt>, Failure> {
    let statements = vec![
        second_factors::ensure(project, user),
        second_factors::take_attempt(project, user, app.now()),
        second_factors::find(project, user),
    ];
    let outcomes = match app.store.batch(statements).await {
        Err(StorageError::ForeignKey) => return Ok(None),
        outcomes => outcomes?,
    };
    let counted = outcomes.get(1).is_some_and(|outcome| outcome.affected == 1);
    let state = outcomes.get(2).map(Outcome::first).transpose()?.flatten();
    Ok(state.map(|state| Attempt { state, counted }))
}

/// Seals a TOTP secret as it is stored.
pub(crate) fn seal(app: &App, project: &ProjectId, user: UserId, secret: &TotpSecret) -> Vec<u8> {
    let text = STANDARD.encode(secret.expose());
    app.master_keys.seal(&totp_seal_context(project, user), text.as_bytes())
}

/// Opens a stored TOTP secret.
fn secret(app: &App, project: &ProjectId, user: UserId, sealed: &[u8]) -> Result<TotpSecret, Failure> {
    let text = app.master_keys.open(&totp_seal_context(project, user), sealed).map_err(Failure::internal)?;
    let bytes =
        STANDARD.decode(text.as_slice()).map_err(|_| Failure::internal("a TOTP secret is no base64"))?;
    Ok(TotpSecret::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_factor_adds_its_methods_once() {
        assert_eq!(with_second_factor("pwd"), "pwd otp mfa");
        assert_eq!(with_second_factor("otp"), "otp mfa");
        assert_eq!(with_second_factor("pwd otp mfa"), "pwd otp mfa");
        assert_eq!(with_second_factor(""), "otp mfa");
    }
}
