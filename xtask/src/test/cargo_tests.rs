//! The tests in Rust, by plain `cargo test`: a fresh machine has no other runner, and this one runs doc tests too.

use super::tally::Tally;
use crate::shell::{cargo, follow, say};

/// Runs them all, or those whose names contain one of `filters`.
pub fn run(filters: &[String], postgres_url: Option<&str>) -> Result<Tally, String> {
    say("building and running the tests in Rust: cargo test --workspace");
    let mut command = cargo();
    command.args(["test", "--workspace", "--locked", "--no-fail-fast", "--"]).args(filters);
    if let Some(url) = postgres_url {
        command.env("TEST_POSTGRES_URL", url);
    }
    let mut tally = Tally::default();
    let succeeded = follow(&mut command, |line| tally.read_cargo(line))?;
    tally.note_exit(succeeded);
    Ok(tally)
}
