//! `version`.

use serde_json::json;

use crate::output::Output;

/// Prints name and version.
pub(crate) fn run(output: &Output) {
    let version = env!("CARGO_PKG_VERSION");
    output.result(format_args!("latchkey {version}"), &json!({ "name": "latchkey", "version": version }));
}
