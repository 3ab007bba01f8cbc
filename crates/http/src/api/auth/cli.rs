//! Signing in a command-line program by a browser.

use latchkey_api_types::ErrorCode::InvalidPollingCode;
use latchkey_api_types::auth::SessionTokens;
use latchkey_api_types::cli_login::{
    CliLoginCheck, CliLoginComplete, CliLoginMode, CliLoginPending, CliLoginPoll, CliLoginStart,
    CliLoginStarted, CliLoginSuccess,
};
use latchkey_api_types::input::SecretText;
use latchkey_api_types::timestamps::rfc3339;
use latchkey_identity::Failure;
use latchkey_identity::cli_logins::{self, Progress};

use crate::call::Call;
use crate::extract::Body;
use crate::openapi::Declaration;
use crate::reply::{Created, Json, Reply, Response, Success};
use crate::route::{ANY, RateClass, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/auth/cli", "Begin to sign in a command-line program")
            .rate(RateClass::Credential)
            .on(ANY, start),
        // Programs poll every two seconds; the code cannot be guessed.
        Route::post("/auth/cli/poll", "Ask whether a browser has answered")
            .rate(RateClass::Write)
            .errors(&[InvalidPollingCode])
            .on(ANY, poll),
        Route::post("/auth/cli/complete", "Answer for a command-line program")
            .rate(RateClass::Credential)
            .on(ANY, complete),
    ]
}

async fn start(
    call: Call,
    Body(body): Body<Option<CliLoginStart>>,
) -> Result<Json<CliLoginStarted>, Failure> {
    let project = &call.auth.project.id;
    let lifetime = body.as_ref().and_then(|body| body.expires_in_millis).map(|lifetime| lifetime.0);
    let token = body.as_ref().and_then(|body| body.anon_refresh_token.as_ref()).map(SecretText::as_str);
    let started = cli_logins::start(&call.app, project, lifetime, token).await?;
    Ok(Json(CliLoginStarted {
        polling_code: started.polling_code,
        login_code: started.login_code,
        expires_at: rfc3339(started.expires_at),
    }))
}

/// 200 without a result, 201 with it.
enum Polled {
    Pending(&'static str),
    Success(String),
}

impl Reply for Polled {
    fn render(self, pretty: bool) -> Result<Response, Failure> {
        match self {
            Self::Pending(status) => Json(CliLoginPending { status: status.to_owned() }).render(pretty),
            Self::Success(refresh_token) => {
                Created(CliLoginSuccess { status: "success".to_owned(), refresh_token }).render(pretty)
            }
        }
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.answer::<CliLoginPending>(200);
        declaration.answer::<CliLoginSuccess>(201);
    }
}

async fn poll(call: Call, Body(body): Body<CliLoginPoll>) -> Result<Polled, Failure> {
    let progress = cli_logins::poll(&call.app, &call.auth.project.id, body.polling_code.as_str()).await?;
    Ok(match progress {
        Progress::Waiting => Polled::Pending("waiting"),
        Progress::Expired => Polled::Pending("expired"),
        Progress::Used => Polled::Pending("used"),
        Progress::Success(refresh_token) => Polled::Success(refresh_token),
    })
}

/// The answers of the three modes.
enum Completed {
    Checked(CliLoginCheck),
    Claimed(SessionTokens),
    Done,
}

impl Reply for Completed {
    fn render(self, pretty: bool) -> Result<Response, Failure> {
        match self {
            Self::Checked(body) => Json(body).render(pretty),
            Self::Claimed(body) => Json(body).render(pretty),
            Self::Done => Success.render(pretty),
        }
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.answer::<CliLoginCheck>(200);
        declaration.answer::<SessionTokens>(200);
        Success::declare(declaration);
    }
}

async fn complete(call: Call, Body(body): Body<CliLoginComplete>) -> Result<Completed, Failure> {
    let (app, project, code) = (&call.app, &call.auth.project, body.login_code.as_str());
    match body.mode.unwrap_or(CliLoginMode::Complete) {
        CliLoginMode::Check => {
            let is_there = cli_logins::has_anonymous_session(app, &project.id, code).await?;
            let state = if is_there { "anonymous" } else { "none" };
            Ok(Completed::Checked(CliLoginCheck { cli_session_state: state.to_owned() }))
        }
        CliLoginMode::ClaimAnonSession => {
            let tokens = cli_logins::claim_anonymous_session(app, project, code).await?;
            Ok(Completed::Claimed(SessionTokens {
                refresh_token: tokens.refresh_token.unwrap_or_default(),
                access_token: tokens.access_token,
            }))
        }
        CliLoginMode::Complete => {
            let token = body.refresh_token.as_ref().map(SecretText::as_str);
            let address = call.request.client_address();
            cli_logins::complete(app, &project.id, code, token, address).await?;
            Ok(Completed::Done)
        }
    }
}
