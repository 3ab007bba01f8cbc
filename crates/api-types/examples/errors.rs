//! Prints the reference of known errors: `cargo run -p latchkey-api-types --example errors > docs/errors.md`.

use std::fmt::Write as _;
use std::io::Write as _;

use latchkey_api_types::ErrorCode;

const OPENING: &str = "\
# Known errors

Written by `cargo xtask generate` from the table in `crates/api-types/src/error/table.rs`.

A known error is answered as `{\"code\", \"error\", \"details\"?}` with the header `x-stack-known-error` equal to `code`.
`error` is a sentence for a person and may change; test `code`, or an ancestor of it where a whole family is meant.
`{name}` in a sentence stands for a value, which is also a key of `details` where the code has any.

| code | status | parent | sentence |
|---|---|---|---|
";

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(page().as_bytes())
}

fn page() -> String {
    let mut page = OPENING.to_owned();
    for code in ErrorCode::ALL {
        let Some(parent) = code.parent() else { continue };
        let parent = if parent == ErrorCode::KnownError { String::new() } else { format!("`{parent}`") };
        let sentence = code.message().replace(":?}", "}").replace('|', "\\|");
        let _ = writeln!(page, "| `{code}` | {} | {parent} | {sentence} |", code.status());
    }
    page
}
