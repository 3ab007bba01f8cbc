//! Writing down whose account it is: at the callback, or, where a token in the address said whose account grows, once the
//! code is redeemed. Refuses to decide whose it is: that is `accounts`.

use std::net::IpAddr;
use std::sync::Arc;

use latchkey_api_types::ids::UserId;
use latchkey_api_types::session::EndUserIpInfo;
use latchkey_oauth::profile::Profile;
use latchkey_oauth::token::ProviderTokens;
use latchkey_storage::StorageError;
use latchkey_storage::engine::Stmt;
use serde::{Deserialize, Serialize};

use super::accounts::{Arrival, Resolved, conflict, resolve};
use crate::app::App;
use crate::bot_challenge::Outcome;
use crate::failure::Failure;
use crate::projects::Project;
use crate::sign_in::Origin;
use crate::{oauth_upstreams, provider_tokens};

/// An account that is written when its code is redeemed.
#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) provider: String,
    pub(super) link: Option<UserId>,
    pub(super) upgrade: Option<UserId>,
    pub(super) challenge: Outcome,
    pub(super) end_user: Option<EndUserIpInfo>,
    pub(super) address: Option<IpAddr>,
    pub(super) profile: Profile,
    pub(super) tokens: ProviderTokens,
    pub(super) asked: Vec<String>,
}

/// Writes the account that a code carries, for the user whom the code names, with the statement that takes it out of the
/// code. Somebody else may have taken it in this moment: then there is nothing to do.
///
/// # Errors
/// Those of a callback; 400 if the account would be another user's by now.
pub(crate) async fn arrive(
    app: &App,
    project: &Arc<Project>,
    pending: &[u8],
    user: UserId,
    taken: Stmt,
) -> Result<(), Failure> {
    let pending: Pending = serde_json::from_slice(pending).map_err(Failure::internal)?;
    let provider = oauth_upstreams::ready(app, project, &pending.provider).await?;
    let origin = Origin { end_user: pending.end_user, address: pending.address };
    let arrival = Arrival {
        project,
        provider: &provider,
        profile: &pending.profile,
        link: pending.link,
        upgrade: pending.upgrade,
        challenge: pending.challenge,
        origin: &origin,
    };
    let resolved = resolve(app, &arrival).await?;
    if resolved.user != user {
        return Err(Failure::text(
            400,
            "The account was taken by somebody else meanwhile; please start again.",
        ));
    }
    write(app, &arrival, resolved, &pending.tokens, &pending.asked, |_| taken.clone()).await
}

/// Writes what follows from an arrival, together with the statement that `about` gives.
pub(super) async fn write(
    app: &App,
    arrival: &Arrival<'_>,
    mut resolved: Resolved,
    tokens: &ProviderTokens,
    asked: &[String],
    mut about: impl FnMut(&Resolved) -> Stmt,
) -> Result<(), Failure> {
    let (project, provider) = (&arrival.project.id, arrival.provider);
    // Somebody may have come by the same account in this moment: then it is found when looked for again.
    for is_last in [false, true] {
        let mut statements = std::mem::take(&mut resolved.statements);
        let place = statements.len();
        statements.push(about(&resolved));
        statements
            .extend(provider_tokens::keep(app, project, provider, resolved.account, tokens, asked).await?);
        match app.store.batch(statements).await {
            Ok(_) => {
                app.jobs.wake();
                return Ok(());
            }
            // The code was redeemed, or its account written, in this moment.
            Err(StorageError::Guard { statement, .. }) if statement == place => return Ok(()),
            Err(StorageError::Unique { .. } | StorageError::Guard { .. } | StorageError::ForeignKey)
                if !is_last => {}
            Err(error) => return Err(conflict(error, arrival.profile)),
        }
        resolved = resolve(app, arrival).await?;
    }
    Err(Failure::internal("neither attempt to sign in ended"))
}
