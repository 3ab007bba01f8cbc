//! What browser SDKs report by themselves. It is taken, counted in the answer, and kept nowhere (contract 08 §9.3).

use latchkey_identity::Failure;
use schemars::JsonSchema;
use serde::Serialize;

use crate::body::Body;
use crate::call::Call;
use crate::reply::Json;
use crate::route::{ANY, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/analytics/events/batch", "Report page views and clicks, which are not kept")
            .on(ANY, events),
        Route::post("/session-replays/batch", "Report a recording, which is not kept").on(ANY, recording),
    ]
}

/// How much was taken.
#[derive(Serialize, JsonSchema)]
struct Inserted {
    /// The number of events.
    inserted: usize,
}

async fn events(call: Call) -> Result<Json<Inserted>, Failure> {
    // Some SDKs compress what they send; of that nothing is counted.
    let inserted = match &call.request.body {
        Body::Json(report) => report.get("events").and_then(serde_json::Value::as_array).map_or(0, Vec::len),
        _ => 0,
    };
    Ok(Json(Inserted { inserted }))
}

/// What became of a recording.
#[derive(Serialize, JsonSchema)]
struct Recorded {
    /// Always false: nothing is kept.
    stored: bool,
}

async fn recording(_: Call) -> Result<Json<Recorded>, Failure> {
    Ok(Json(Recorded { stored: false }))
}
