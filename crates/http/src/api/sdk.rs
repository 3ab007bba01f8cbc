//! What SDKs ask about themselves: whether they are up to date, whether a feature exists.

use latchkey_api_types::input;
use latchkey_api_types::input::JsonValue;
use latchkey_identity::Failure;
use schemars::JsonSchema;
use serde::Serialize;

use crate::call::OpenCall;
use crate::extract::Body;
use crate::reply::{Json, Text};
use crate::route::Route;

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/check-version", "Ask whether a client is up to date").open(check_version),
        Route::post("/check-feature-support", "Report interest in a feature").open(check_feature_support),
        Route::get("/internal/backend-urls", "Find the addresses of this API").open(backend_urls),
    ]
}

input! {
    /// A client's version.
    struct VersionCheck {
        /// A semantic version.
        client_version as "clientVersion": String,
    }
}

/// Whether a client is up to date.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct VersionAnswer {
    /// Whether the client can go on as it is.
    up_to_date: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    /// Whether it will not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    severe: Option<bool>,
}

async fn check_version(_: OpenCall, Body(check): Body<VersionCheck>) -> Result<Json<VersionAnswer>, Failure> {
    Ok(Json(judge(&check.client_version)))
}

/// Every version that is one is served; clients are not shipped with the server and need not match it.
fn judge(version: &str) -> VersionAnswer {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let numbers =
        core.split('.').filter(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    if core.split('.').count() == 3 && numbers.count() == 3 {
        return VersionAnswer { up_to_date: true, error: None, severe: None };
    }
    let error = "The client's version is not a semantic version.";
    VersionAnswer { up_to_date: false, error: Some(error), severe: Some(true) }
}

/// Where the API is reached, the best address first.
#[derive(Debug, Serialize, JsonSchema)]
struct BackendUrls {
    /// The addresses.
    urls: Vec<String>,
}

async fn backend_urls(call: OpenCall) -> Result<Json<BackendUrls>, Failure> {
    Ok(Json(BackendUrls { urls: vec![call.app.public_url.clone()] }))
}

async fn check_feature_support(_: OpenCall, Body(_): Body<JsonValue>) -> Result<Text, Failure> {
    Ok(Text("This server does not have the feature.\n".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_semantic_version_is_up_to_date() {
        for version in ["1.2.3", "0.0.1-beta.2", "2.8.41+build"] {
            assert!(judge(version).up_to_date, "{version}");
        }
        for version in ["", "1.2", "1.2.x", "v1.2.3", "1.2.3.4", "1..3"] {
            assert_eq!(judge(version).severe, Some(true), "{version}");
        }
    }
}
