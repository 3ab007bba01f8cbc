//! The configuration of a project: the rendered tree and the overrides (contract 07 §5.4).

use latchkey_api_types::configuration::{
    ConfigLevelPath, ConfigOverride, ConfigOverrideUpdate, ConfigReset, ConfigSourceAnswer, ConfigText,
    ResettableLevelPath,
};
use latchkey_identity::{Failure, configuration};

use crate::call::Call;
use crate::extract::{Body, Path};
use crate::reply::{Json, Success};
use crate::route::{ADMIN, Route, SERVER};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/internal/config", "Read the whole configuration").on(ADMIN, rendered),
        Route::get("/internal/config/override/{level}", "Read an override").on(SERVER, get),
        Route::put("/internal/config/override/{level}", "Replace an override").on(SERVER, set),
        Route::patch("/internal/config/override/{level}", "Lay keys over an override").on(SERVER, update),
        Route::post("/internal/config/override/{level}/reset-keys", "Take keys out of an override")
            .on(ADMIN, reset),
        Route::get("/internal/config/source", "Read who pushes the branch's override").on(ADMIN, source),
        Route::delete("/internal/config/source", "Forget who pushes the branch's override").on(ADMIN, unlink),
    ]
}

async fn rendered(call: Call) -> Result<Json<ConfigText>, Failure> {
    let config_string = configuration::rendered(&call.app, &call.auth).await?;
    Ok(Json(ConfigText { config_string }))
}

async fn get(call: Call, Path(path): Path<ConfigLevelPath>) -> Result<Json<ConfigText>, Failure> {
    let config_string = configuration::get(&call.app, &call.auth, path.level).await?;
    Ok(Json(ConfigText { config_string }))
}

async fn set(
    call: Call,
    Path(path): Path<ConfigLevelPath>,
    Body(request): Body<ConfigOverride>,
) -> Result<Success, Failure> {
    configuration::set(&call.app, &call.auth, path.level, request).await.map(|()| Success)
}

async fn update(
    call: Call,
    Path(path): Path<ConfigLevelPath>,
    Body(request): Body<ConfigOverrideUpdate>,
) -> Result<Success, Failure> {
    configuration::update(&call.app, &call.auth, path.level, request).await.map(|()| Success)
}

async fn reset(
    call: Call,
    Path(path): Path<ResettableLevelPath>,
    Body(request): Body<ConfigReset>,
) -> Result<Success, Failure> {
    configuration::reset(&call.app, &call.auth, path.level, request).await.map(|()| Success)
}

async fn source(call: Call) -> Result<Json<ConfigSourceAnswer>, Failure> {
    let source = configuration::source(&call.app, &call.auth).await?;
    Ok(Json(ConfigSourceAnswer { source }))
}

async fn unlink(call: Call) -> Result<Success, Failure> {
    configuration::unlink(&call.app, &call.auth).await.map(|()| Success)
}
