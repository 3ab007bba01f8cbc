//! Mail on its way out: what waits, what became of it, how fast it may leave, and trying a mail server out.

use latchkey_api_types::ErrorCode::{EmailCapacityBoostAlreadyActive, EmailNotEditable};
use latchkey_api_types::list::List;
use latchkey_api_types::outbox::{
    EmailBoost, EmailDeliveryInfo, OutboxEmail, OutboxPath, OutboxQuery, OutboxUpdate, SentEmail,
    TestEmailCreate, TestEmailOutcome,
};
use latchkey_identity::{Failure, outbox};

use crate::call::Call;
use crate::extract::{Body, Path, Query};
use crate::reply::Json;
use crate::route::{ADMIN, RateClass, Route, SERVER};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/emails/outbox", "List mails").on(SERVER, list),
        Route::get("/emails/outbox/{id}", "Read a mail").on(SERVER, get),
        Route::patch("/emails/outbox/{id}", "Change or cancel a mail that has not left")
            .errors(&[EmailNotEditable])
            .on(SERVER, update),
        Route::get("/emails/delivery-info", "Read how much mail has left, and how fast it may")
            .on(SERVER, delivery_info),
        Route::post("/emails/capacity-boost", "Let mail leave faster for four hours")
            .errors(&[EmailCapacityBoostAlreadyActive])
            .on(SERVER, boost),
        Route::get("/internal/emails", "List the last hundred mails").on(ADMIN, recent),
        Route::post("/internal/send-test-email", "Try a mail server out")
            .rate(RateClass::Mail)
            .on(ADMIN, send_test),
    ]
}

async fn list(call: Call, Query(query): Query<OutboxQuery>) -> Result<Json<List<OutboxEmail>>, Failure> {
    outbox::list(&call.app, &call.auth, query).await.map(Json)
}

async fn get(call: Call, Path(path): Path<OutboxPath>) -> Result<Json<OutboxEmail>, Failure> {
    outbox::get(&call.app, &call.auth, path.id).await.map(Json)
}

async fn update(
    call: Call,
    Path(path): Path<OutboxPath>,
    Body(request): Body<OutboxUpdate>,
) -> Result<Json<OutboxEmail>, Failure> {
    outbox::update(&call.app, &call.auth, path.id, request).await.map(Json)
}

async fn delivery_info(call: Call) -> Result<Json<EmailDeliveryInfo>, Failure> {
    outbox::delivery_info(&call.app, &call.auth).await.map(Json)
}

async fn boost(call: Call) -> Result<Json<EmailBoost>, Failure> {
    outbox::boost(&call.app, &call.auth).await.map(Json)
}

async fn recent(call: Call) -> Result<Json<List<SentEmail>>, Failure> {
    outbox::recent(&call.app, &call.auth).await.map(List::whole).map(Json)
}

async fn send_test(
    call: Call,
    Body(request): Body<TestEmailCreate>,
) -> Result<Json<TestEmailOutcome>, Failure> {
    Ok(Json(outbox::send_test(&call.app, &call.auth, request).await))
}
