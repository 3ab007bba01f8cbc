//! The second factor of a sign-in that waits for it (contract 04 §9.2). A wrong code leaves the attempt usable, up to its
//! twenty look-ups; the attempt, the step or backup code, and the session are written together or not at all.

use latchkey_api_types::KnownError;
use latchkey_api_types::auth::SignInResult;
use latchkey_api_types::ids::UserId;
use latchkey_storage::StorageError;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::one_time_codes::{self, kind};
use crate::second_factors::{self, Proof, with_second_factor};
use crate::sessions::find_user;
use crate::sign_in::{Factor, Origin, Unfinished, open};

/// What a sign-in that waits remembers of its first factor.
#[derive(Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) user_id: UserId,
    pub(super) is_new_user: bool,
    /// Methods of RFC 8176, separated by spaces.
    pub(super) amr: String,
}

/// Completes a sign-in. `code` is that of the attempt, in lower case.
///
/// # Errors
/// Those of `one_time_codes::look_up`; `INVALID_TOTP_CODE`, `INVALID_BACKUP_CODE`, `TOO_MANY_FAILED_ATTEMPTS`.
pub async fn sign_in(
    app: &App,
    auth: &Auth,
    code: &str,
    proof: &Proof,
    origin: Origin,
) -> Result<SignInResult, Failure> {
    let project = &auth.project;
    let found = one_time_codes::look_up(app, &project.id, kind::MFA_ATTEMPT, code).await?;
    let waiting: Waiting = serde_json::from_str(&found.data).map_err(Failure::internal)?;
    let user = find_user(app, &project.id, waiting.user_id).await?;
    let user = user.ok_or_else(|| Failure::from(KnownError::verification_code_not_found()))?;
    let mut statements = vec![one_time_codes::claim(app, &found)];
    statements.extend(second_factors::check(app, &project.id, &user, proof, origin.address).await?);
    let amr = with_second_factor(&waiting.amr);
    let factor = Factor { user: &user, amr: &amr, is_new_user: waiting.is_new_user, origin, statements };
    match open(app, project, factor).await {
        Ok(signed_in) => Ok(signed_in),
        Err(Unfinished::Storage(StorageError::Guard { statement: 0, .. })) => {
            Err(KnownError::verification_code_already_used().into())
        }
        // The code was used, or the user changed, in this moment.
        Err(Unfinished::Storage(StorageError::Guard { .. } | StorageError::ForeignKey)) => {
            Err(proof.refused())
        }
        Err(unfinished) => Err(unfinished.into()),
    }
}
