//! The route table of the API: one file per noun, one line per file here.

mod root;
mod sdk;

use crate::openapi;
use crate::route::Route;

#[cfg(test)]
pub(crate) use root::row as banner;

/// Every route of the API.
pub fn routes() -> Vec<Route> {
    let mut routes = Vec::new();
    routes.extend(root::routes());
    routes.extend(sdk::routes());
    openapi::with_document(routes)
}
