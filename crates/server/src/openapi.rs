//! `openapi`: the description of the API, JSON either way.

use crate::{output::Output, wire};

/// Prints the document.
pub(crate) fn run(output: &Output) {
    let document = wire::openapi();
    output.result(format_args!("{document:#}"), &document);
}
