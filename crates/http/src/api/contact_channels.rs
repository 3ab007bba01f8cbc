//! Contact channels of users, and how they are verified.

use latchkey_api_types::ErrorCode::{
    CannotGetOwnUserWithoutUser, ContactChannelAlreadyUsedForAuthBySomeoneElse, EmailAlreadyVerified,
    EmailIsNotPrimaryEmail, RedirectUrlNotWhitelisted, UserIdDoesNotExist, UserNotFound,
};
use latchkey_api_types::contact_channel::{
    ClientContactChannelCreate, ClientContactChannelUpdate, CodeCheck, ContactChannel, ContactChannelCreate,
    ContactChannelPath, ContactChannelUpdate, ContactChannelsQuery, PrimaryVerificationRequest,
    VerificationCode, VerificationRequest,
};
use latchkey_api_types::list::List;
use latchkey_identity::{Failure, contact_channels};

use crate::call::Call;
use crate::extract::{Body, Path, Query, SignedIn};
use crate::reply::{Created, Json, Success};
use crate::route::{ANY, CLIENT, CODE_ERRORS, RateClass, Route, SERVER};

const ONE: &str = "/contact-channels/{user_id}/{contact_channel_id}";

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/contact-channels", "List contact channels")
            .errors(&[CannotGetOwnUserWithoutUser])
            .on(ANY, list),
        Route::post("/contact-channels", "Add a contact channel")
            .errors(&[
                CannotGetOwnUserWithoutUser,
                UserNotFound,
                ContactChannelAlreadyUsedForAuthBySomeoneElse,
            ])
            .on(CLIENT, create_as_client)
            .on(SERVER, create),
        Route::get(ONE, "Read a contact channel").errors(&[CannotGetOwnUserWithoutUser]).on(ANY, get),
        Route::patch(ONE, "Change a contact channel")
            .errors(&[CannotGetOwnUserWithoutUser, ContactChannelAlreadyUsedForAuthBySomeoneElse])
            .on(CLIENT, update_as_client)
            .on(SERVER, update),
        Route::delete(ONE, "Remove a contact channel").errors(&[CannotGetOwnUserWithoutUser]).on(ANY, delete),
        Route::post(
            "/contact-channels/{user_id}/{contact_channel_id}/send-verification-code",
            "Mail a code that verifies a contact channel",
        )
        .rate(RateClass::Mail)
        .errors(&[
            CannotGetOwnUserWithoutUser,
            UserIdDoesNotExist,
            EmailAlreadyVerified,
            RedirectUrlNotWhitelisted,
        ])
        .on(ANY, send_to_channel),
        Route::post(
            "/contact-channels/send-verification-code",
            "Deprecated: mail a code that verifies the primary email of the signed-in user",
        )
        .rate(RateClass::Mail)
        .errors(&[EmailIsNotPrimaryEmail, EmailAlreadyVerified, RedirectUrlNotWhitelisted])
        .on(ANY, send_to_primary),
        Route::post("/contact-channels/verify", "Verify a contact channel by a mailed code")
            .rate(RateClass::Credential)
            .errors(CODE_ERRORS)
            .on(ANY, verify),
        Route::post("/contact-channels/verify/check-code", "Ask whether a mailed code can be used")
            .rate(RateClass::Credential)
            .errors(CODE_ERRORS)
            .on(ANY, check_code),
    ]
}

async fn list(
    call: Call,
    Query(query): Query<ContactChannelsQuery>,
) -> Result<Json<List<ContactChannel>>, Failure> {
    let items = contact_channels::list(&call.app, &call.auth, query.user_id, query.contact_channel_id);
    Ok(Json(List::whole(items.await?)))
}

async fn create(
    call: Call,
    Query(_): Query<ContactChannelsQuery>,
    Body(request): Body<ContactChannelCreate>,
) -> Result<Created<ContactChannel>, Failure> {
    contact_channels::create(&call.app, &call.auth, request).await.map(Created)
}

async fn create_as_client(
    call: Call,
    Query(_): Query<ContactChannelsQuery>,
    Body(request): Body<ClientContactChannelCreate>,
) -> Result<Created<ContactChannel>, Failure> {
    contact_channels::create(&call.app, &call.auth, request.into()).await.map(Created)
}

async fn get(
    call: Call,
    Path(path): Path<ContactChannelPath>,
    Query(_): Query<ContactChannelsQuery>,
) -> Result<Json<ContactChannel>, Failure> {
    contact_channels::get(&call.app, &call.auth, path.user_id, path.contact_channel_id).await.map(Json)
}

async fn update(
    call: Call,
    Path(path): Path<ContactChannelPath>,
    Query(_): Query<ContactChannelsQuery>,
    Body(request): Body<ContactChannelUpdate>,
) -> Result<Json<ContactChannel>, Failure> {
    let (user, id) = (path.user_id, path.contact_channel_id);
    contact_channels::update(&call.app, &call.auth, user, id, request).await.map(Json)
}

async fn update_as_client(
    call: Call,
    Path(path): Path<ContactChannelPath>,
    Query(_): Query<ContactChannelsQuery>,
    Body(request): Body<ClientContactChannelUpdate>,
) -> Result<Json<ContactChannel>, Failure> {
    let (user, id) = (path.user_id, path.contact_channel_id);
    contact_channels::update(&call.app, &call.auth, user, id, request.into()).await.map(Json)
}

async fn delete(
    call: Call,
    Path(path): Path<ContactChannelPath>,
    Query(_): Query<ContactChannelsQuery>,
) -> Result<Success, Failure> {
    let (user, id) = (path.user_id, path.contact_channel_id);
    contact_channels::delete(&call.app, &call.auth, user, id).await.map(|()| Success)
}

async fn send_to_channel(
    call: Call,
    Path(path): Path<ContactChannelPath>,
    Body(request): Body<VerificationRequest>,
) -> Result<Success, Failure> {
    let (user, id) = (path.user_id, path.contact_channel_id);
    let callback = request.callback_url.as_str();
    contact_channels::send_to_channel(&call.app, &call.auth, user, id, callback).await.map(|()| Success)
}

async fn send_to_primary(
    call: Call,
    _: SignedIn,
    Body(request): Body<PrimaryVerificationRequest>,
) -> Result<Success, Failure> {
    let (email, callback) = (request.email.as_str(), request.callback_url.as_str());
    contact_channels::send_to_primary(&call.app, &call.auth, email, callback).await.map(|()| Success)
}

async fn verify(call: Call, Body(request): Body<VerificationCode>) -> Result<Success, Failure> {
    let project = &call.auth.project.id;
    contact_channels::verify(&call.app, project, request.code.as_str()).await.map(|()| Success)
}

async fn check_code(call: Call, Body(request): Body<VerificationCode>) -> Result<Json<CodeCheck>, Failure> {
    let project = &call.auth.project.id;
    contact_channels::check_code(&call.app, project, request.code.as_str()).await?;
    Ok(Json(CodeCheck { is_code_valid: true }))
}
