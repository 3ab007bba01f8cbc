//! Known vulnerabilities of dependencies, by cargo-deny where it is installed and its database can be had.
//!
//! Never fails for the lack of either: it says what was skipped. Licences and bans do not depend on it.

use crate::shell::{self, cargo, find, say};

/// Runs cargo-deny with `deny.toml`.
pub fn run() -> Result<(), String> {
    if find("cargo-deny").is_none() {
        say(
            "skipped: cargo-deny is not installed, so advisories were not looked up (cargo install cargo-deny --locked)",
        );
        return Ok(());
    }
    shell::run(cargo().args(["deny", "check", "bans", "licenses", "sources"]))?;
    if let Err(message) = run_fetch() {
        say(format_args!("skipped: advisories, because their database could not be fetched ({message})"));
        return Ok(());
    }
    shell::run(cargo().args(["deny", "check", "--disable-fetch", "advisories"]))
}

fn run_fetch() -> Result<(), String> {
    shell::run(cargo().args(["deny", "fetch"]))
}
