//! Invitations to teams: sending, listing, accepting and taking them back.

use latchkey_api_types::ErrorCode::{
    CannotGetOwnUserWithoutUser, RedirectUrlNotWhitelisted, TeamInvitationRestrictedUserNotAllowed,
    TeamMembershipNotFound, TeamNotFound, TeamPermissionRequired, UserAuthenticationRequired,
    VerificationCodeNotFound,
};
use latchkey_api_types::list::List;
use latchkey_api_types::team::{
    AcceptByIdQuery, CodeIsValid, InvitationAcceptance, InvitationCode, InvitationDetails, InvitationPath,
    InvitationSent, InvitationsQuery, TeamInvitation, TeamInvitationCreate,
};
use latchkey_identity::Failure;
use latchkey_identity::teams::invitations;

use crate::call::Call;
use crate::extract::{Body, Path, Query};
use crate::reply::{Json, Success};
use crate::route::{ANY, CODE_ERRORS, RateClass, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/team-invitations", "List open invitations to a team or to a user")
            .errors(&[
                CannotGetOwnUserWithoutUser,
                TeamNotFound,
                TeamMembershipNotFound,
                TeamPermissionRequired,
            ])
            .on(ANY, list),
        Route::post("/team-invitations/send-code", "Invite an address to a team, by mail")
            .rate(RateClass::Mail)
            .errors(&[
                UserAuthenticationRequired,
                TeamNotFound,
                TeamMembershipNotFound,
                TeamPermissionRequired,
                RedirectUrlNotWhitelisted,
            ])
            .on(ANY, send),
        Route::post("/team-invitations/accept", "Accept an invitation by its code")
            .rate(RateClass::Credential)
            .errors(CODE_ERRORS)
            .errors(&[UserAuthenticationRequired, TeamInvitationRestrictedUserNotAllowed])
            .on(ANY, accept),
        Route::post("/team-invitations/accept/check-code", "Ask whether a code can be used")
            .rate(RateClass::Credential)
            .errors(CODE_ERRORS)
            .on(ANY, check),
        Route::post("/team-invitations/accept/details", "Read what an invitation is about")
            .rate(RateClass::Credential)
            .errors(CODE_ERRORS)
            .errors(&[UserAuthenticationRequired, TeamInvitationRestrictedUserNotAllowed])
            .on(ANY, details),
        Route::post(
            "/team-invitations/{id}/accept",
            "Accept an invitation that was sent to a verified address",
        )
        .errors(&[
            CannotGetOwnUserWithoutUser,
            TeamInvitationRestrictedUserNotAllowed,
            VerificationCodeNotFound,
        ])
        .on(ANY, accept_by_id),
        Route::delete("/team-invitations/{id}", "Take an invitation back")
            .errors(&[
                CannotGetOwnUserWithoutUser,
                TeamNotFound,
                TeamMembershipNotFound,
                TeamPermissionRequired,
                VerificationCodeNotFound,
            ])
            .on(ANY, revoke),
    ]
}

async fn list(
    call: Call,
    Query(query): Query<InvitationsQuery>,
) -> Result<Json<List<TeamInvitation>>, Failure> {
    let user = query.user_id.map(|user| call.auth.user_or_me(user)).transpose()?;
    let listed = invitations::list(&call.app, &call.auth, query.team_id, user).await?;
    Ok(Json(List::whole(listed)))
}

async fn send(
    call: Call,
    Body(request): Body<TeamInvitationCreate>,
) -> Result<Json<InvitationSent>, Failure> {
    let id = invitations::send(&call.app, &call.auth, request).await?;
    Ok(Json(InvitationSent { success: true, id }))
}

async fn accept(call: Call, Body(body): Body<InvitationCode>) -> Result<Json<InvitationAcceptance>, Failure> {
    invitations::accept(&call.app, &call.auth, body.code.as_str()).await?;
    Ok(Json(InvitationAcceptance {}))
}

async fn check(call: Call, Body(body): Body<InvitationCode>) -> Result<Json<CodeIsValid>, Failure> {
    invitations::check(&call.app, &call.auth, body.code.as_str()).await?;
    Ok(Json(CodeIsValid { is_code_valid: true }))
}

async fn details(call: Call, Body(body): Body<InvitationCode>) -> Result<Json<InvitationDetails>, Failure> {
    invitations::details(&call.app, &call.auth, body.code.as_str()).await.map(Json)
}

async fn accept_by_id(
    call: Call,
    Path(path): Path<InvitationPath>,
    Query(query): Query<AcceptByIdQuery>,
) -> Result<Json<InvitationAcceptance>, Failure> {
    let user = call.auth.user_or_me(query.user_id)?;
    invitations::accept_by_id(&call.app, &call.auth, path.id, user).await?;
    Ok(Json(InvitationAcceptance {}))
}

async fn revoke(
    call: Call,
    Path(path): Path<InvitationPath>,
    Query(query): Query<InvitationsQuery>,
) -> Result<Success, Failure> {
    invitations::revoke(&call.app, &call.auth, path.id, query.team_id).await.map(|()| Success)
}
