//! Which kinds of mail a user wants.

use latchkey_api_types::ErrorCode::{CannotGetOwnUserWithoutUser, UserAuthenticationRequired, UserNotFound};
use latchkey_api_types::list::List;
use latchkey_api_types::notification::{
    NotificationPreference, NotificationPreferencePath, NotificationPreferenceUpdate,
    NotificationPreferencesPath,
};
use latchkey_identity::{Failure, notifications};

use crate::call::Call;
use crate::extract::{Body, Path, Query};
use crate::reply::Json;
use crate::route::{ANY, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/emails/notification-preference/{user_id}", "List the kinds of mail that a user wants")
            .errors(&[CannotGetOwnUserWithoutUser, UserAuthenticationRequired, UserNotFound])
            .on(ANY, list),
        Route::patch(
            "/emails/notification-preference/{user_id}/{notification_category_id}",
            "Decide whether a user wants a kind of mail",
        )
        .errors(&[CannotGetOwnUserWithoutUser, UserAuthenticationRequired, UserNotFound])
        .on(ANY, update),
    ]
}

async fn list(
    call: Call,
    Path(path): Path<NotificationPreferencesPath>,
    Query(()): Query<()>,
) -> Result<Json<List<NotificationPreference>>, Failure> {
    notifications::list(&call.app, &call.auth, path.user_id).await.map(List::whole).map(Json)
}

async fn update(
    call: Call,
    Path(path): Path<NotificationPreferencePath>,
    Query(()): Query<()>,
    Body(request): Body<NotificationPreferenceUpdate>,
) -> Result<Json<NotificationPreference>, Failure> {
    let (user, category) = (path.user_id, path.notification_category_id);
    notifications::update(&call.app, &call.auth, user, category, request.enabled).await.map(Json)
}
