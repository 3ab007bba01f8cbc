//! Users who have not signed up.

use latchkey_api_types::auth::TokenPair;
use latchkey_identity::Failure;
use latchkey_identity::sign_in::anonymous;

use crate::call::Call;
use crate::reply::Json;
use crate::route::{ANY, RateClass, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/auth/anonymous/sign-up", "Create an anonymous user")
            .rate(RateClass::Credential)
            .on(ANY, sign_up),
    ]
}

async fn sign_up(call: Call) -> Result<Json<TokenPair>, Failure> {
    let origin = call.request.origin();
    anonymous::sign_up(&call.app, &call.auth.project, origin).await.map(Json)
}
