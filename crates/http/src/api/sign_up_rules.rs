//! Sign-up rules for dashboards: trying them out, and how often they applied. The rules themselves are configuration.

use latchkey_api_types::sign_up_rules::{
    SignUpRulesStats, SignUpRulesStatsQuery, SignUpRulesTest, SignUpRulesTested,
};
use latchkey_identity::{Failure, sign_up_rules};

use crate::call::Call;
use crate::extract::{Body, Query};
use crate::reply::Json;
use crate::route::{ADMIN, RateClass, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/internal/sign-up-rules-test", "Try the sign-up rules out")
            .rate(RateClass::Read)
            .on(ADMIN, test),
        Route::get("/internal/sign-up-rules-stats", "Count what the sign-up rules did").on(ADMIN, stats),
    ]
}

async fn test(
    call: Call,
    Query(()): Query<()>,
    Body(applicant): Body<SignUpRulesTest>,
) -> Result<Json<SignUpRulesTested>, Failure> {
    Ok(Json(sign_up_rules::test(&call.auth.project.settings, &applicant)))
}

async fn stats(
    call: Call,
    Query(query): Query<SignUpRulesStatsQuery>,
) -> Result<Json<SignUpRulesStats>, Failure> {
    let days = query.days.map_or(7, |days| days.0);
    sign_up_rules::stats(&call.app, &call.auth.project, days).await.map(Json)
}
