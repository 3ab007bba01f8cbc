//! Mails that back ends send to users, the links that end them, and invitations to sign in.

use http::header::ACCEPT_LANGUAGE;
use latchkey_api_types::ErrorCode::{
    RedirectUrlNotWhitelisted, RequiresCustomEmailServer, UserIdDoesNotExist, VerificationCodeExpired,
    VerificationCodeNotFound,
};
use latchkey_api_types::email::{
    SendEmail, SentEmail, SentEmails, SignInInvitationCreate, UnsubscribeQuery, Variables,
};
use latchkey_api_types::email_template::ThemeChoice;
use latchkey_api_types::{KnownError, Locale};
use latchkey_identity::emails::{NewEmail, Source};
use latchkey_identity::{Failure, emails, sign_in_invitations};

use crate::call::{Call, OpenCall};
use crate::extract::{Body, Query};
use crate::reply::{Html, Json, Success};
use crate::route::{RateClass, Route, SERVER};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/emails/send-email", "Send a mail to users")
            .errors(&[RequiresCustomEmailServer, UserIdDoesNotExist])
            .on(SERVER, send),
        Route::get("/emails/unsubscribe-link", "End a kind of mail by the link in it")
            .rate(RateClass::Credential)
            .errors(&[VerificationCodeNotFound, VerificationCodeExpired])
            .open(unsubscribe),
        Route::post("/emails/unsubscribe-link", "End a kind of mail from within a mail program")
            .rate(RateClass::Credential)
            .errors(&[VerificationCodeNotFound, VerificationCodeExpired])
            .open(unsubscribe),
        Route::post("/internal/send-sign-in-invitation", "Invite an address to sign in, by mail")
            .rate(RateClass::Mail)
            .errors(&[RedirectUrlNotWhitelisted])
            .on(SERVER, invite),
    ]
}

async fn send(call: Call, Body(request): Body<SendEmail>) -> Result<Json<SentEmails>, Failure> {
    let source = match (request.html, request.template_id, request.draft_id) {
        (Some(html), None, None) if request.variables.is_none() => Source::Html(html),
        (None, Some(id), None) => {
            let Variables(variables) = request.variables.unwrap_or_default();
            Source::Template(id, variables)
        }
        (None, None, Some(id)) if request.variables.is_none() => Source::Draft(id),
        _ => {
            let text = "exactly one of body.html, body.template_id and body.draft_id is required, and body.variables \
                        belongs to body.template_id";
            return Err(KnownError::schema_error(text).into());
        }
    };
    let new = NewEmail {
        user_ids: request.user_ids,
        all_users: request.all_users.is_some(),
        source,
        subject: request.subject,
        category: request.notification_category_name,
        theme: request.theme_id.unwrap_or(ThemeChoice::Default),
        is_high_priority: request.is_high_priority.unwrap_or(false),
        scheduled_at: request.scheduled_at_millis,
    };
    let named = emails::send(&call.app, &call.auth, new).await?;
    let results = named.into_iter().map(|user_id| SentEmail { user_id }).collect();
    Ok(Json(SentEmails { results }))
}

async fn unsubscribe(call: OpenCall, Query(query): Query<UnsubscribeQuery>) -> Result<Html, Failure> {
    let accepted = call.request.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let accepted = accepted.and_then(Locale::negotiate);
    emails::unsubscribe(&call.app, query.code.as_deref(), accepted).await.map(Html)
}

async fn invite(call: Call, Body(request): Body<SignInInvitationCreate>) -> Result<Success, Failure> {
    let (email, callback) = (request.email.as_str(), request.callback_url.as_str());
    sign_in_invitations::send(&call.app, &call.auth, email, callback).await.map(|()| Success)
}
