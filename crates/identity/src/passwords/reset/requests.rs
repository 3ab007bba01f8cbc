//! Asking for the link: the request looks nobody up. It is stored as it is, and its address is looked up behind the
//! answer, so that neither the answer nor its time tells whether there is an account.

use std::time::Duration;

use latchkey_api_types::Locale;
use latchkey_api_types::ids::{PasswordResetRequestId, ProjectId};
use latchkey_storage::StorageError;
use latchkey_storage::engine::Stmt;
use latchkey_storage::password_reset_requests::{self, PasswordResetRequestRow};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, watch};
use url::Url;

use super::Promise;
use crate::app::App;
use crate::authenticate::Auth;
use crate::contact_channels::used_for_auth;
use crate::failure::Failure;
use crate::one_time_codes::{self, kind, trusted_callback, with_code};
use crate::passwords::require_enabled;
use crate::projects;
use crate::sessions::find_user;
use crate::system_mails::{self, To};

/// How often requests are answered. Nothing wakes the worker, so that what it does for known addresses falls into no
/// particular request.
const TICK: Duration = Duration::from_secs(1);
/// How many requests are read at once.
const CHUNK: i64 = 50;

/// Lets one at a time answer.
#[derive(Default)]
pub(crate) struct Requests {
    working: Mutex<()>,
}

/// What somebody asked for, without having said who they are.
#[derive(Serialize, Deserialize)]
struct Request {
    email: String,
    callback: String,
    locale: Option<Locale>,
}

/// Says under which name requests are sealed.
fn seal_context(project: &ProjectId, id: PasswordResetRequestId) -> String {
    format!("password_reset_request:{project}:{id}")
}

/// Has a link mailed to an address if somebody signs in with it. Does the same for every address.
///
/// # Errors
/// `PASSWORD_AUTHENTICATION_NOT_ENABLED`, `REDIRECT_URL_NOT_WHITELISTED`.
pub async fn send_code(app: &App, auth: &Auth, email: &str, callback: &str) -> Result<(), Failure> {
    let project = &auth.project;
    require_enabled(project)?;
    let callback = trusted_callback(project, callback)?;
    let request = Request { email: email.to_owned(), callback: callback.into(), locale: auth.locale };
    let request = serde_json::to_vec(&request).map_err(Failure::internal)?;
    let id = PasswordResetRequestId::from_uuid(app.random.uuid());
    let row = PasswordResetRequestRow {
        project_id: project.id.clone(),
        id,
        request_sealed: app.master_keys.seal(&seal_context(&project.id, id), &request),
        created_at: app.now(),
    };
    app.store.batch(vec![password_reset_requests::insert(&row)]).await?;
    Ok(())
}

/// Answers requests until `stop` says so.
pub(crate) async fn work(app: &App, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = answer_all(app).await {
            tracing::error!(?error, "password resets could not be mailed");
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            // An error means that the sender is gone, which is an end as well.
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Answers the requests that wait; returns how many there were. What somebody else in this process is answering is done
/// when this returns.
pub(crate) async fn answer_all(app: &App) -> Result<usize, Failure> {
    let _alone = app.password_resets.working.lock().await;
    let mut done = 0;
    loop {
        let waiting = app.store.lookup(|tx| {
            Box::pin(async move { Ok::<_, Failure>(password_reset_requests::oldest(tx, CHUNK).await?) })
        });
        let waiting = waiting.await?;
        if waiting.is_empty() {
            if done > 0 {
                app.jobs.wake();
            }
            return Ok(done);
        }
        for row in waiting {
            answer(app, &row).await?;
            done += 1;
        }
    }
}

async fn answer(app: &App, row: &PasswordResetRequestRow) -> Result<(), Failure> {
    let delete = || password_reset_requests::delete(&row.project_id, row.id);
    let answered = match mail(app, row).await {
        Ok(mail) => {
            let statements = [delete().exactly(1)].into_iter().chain(mail).collect();
            app.store.batch(statements).await
        }
        Err(failure) => return give_up(app, failure, delete()).await,
    };
    match answered {
        // A broken guard means that another server was faster.
        Ok(_) | Err(StorageError::Guard { .. }) => Ok(()),
        Err(error) => give_up(app, error.into(), delete()).await,
    }
}

/// What cannot be done now waits for its next turn; what cannot be done at all must not stand in the way of the others.
async fn give_up(app: &App, failure: Failure, delete: Stmt) -> Result<(), Failure> {
    if matches!(failure, Failure::Busy { .. }) {
        return Err(failure);
    }
    tracing::error!(?failure, "a password reset could not be mailed and is given up");
    app.store.batch(vec![delete]).await?;
    Ok(())
}

/// The code and the mail for a request; nothing if nobody signs in with its address.
async fn mail(app: &App, row: &PasswordResetRequestRow) -> Result<Vec<Stmt>, Failure> {
    let request = app
        .master_keys
        .open(&seal_context(&row.project_id, row.id), &row.request_sealed)
        .map_err(Failure::internal)?;
    let Request { email, callback, locale } = serde_json::from_slice(&request).map_err(Failure::internal)?;
    let Some(project) = projects::find(app, &row.project_id).await? else { return Ok(Vec::new()) };
    let Some(channel) = used_for_auth(app, &project.id, &email).await? else { return Ok(Vec::new()) };
    // The mail goes to the address as it is stored, never as it was typed.
    let promise = Promise { user_id: channel.user_id, email: channel.value };
    let lifetime = app.config.codes.password_reset_lifetime.as_millis();
    let code = one_time_codes::issue_for(
        app,
        &project.id,
        promise.user_id,
        kind::PASSWORD_RESET,
        &promise,
        lifetime,
    )?;
    let callback = Url::parse(&callback).map_err(Failure::internal)?;
    let link = with_code(&callback, &code.code);
    let user = find_user(app, &project.id, promise.user_id).await?;
    let to = To { address: &promise.email, user: user.as_ref(), accepted: locale };
    Ok(vec![code.statement, system_mails::password_reset(app, &project, &to, &link)?])
}
