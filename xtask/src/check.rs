//! `cargo xtask check`: what can be judged without running the product.
//!
//! Each check is a file in `check/`; this one only orders them and counts what failed, so that one run shows all.

mod arrows;
mod cargo_deny;
mod licences;
mod packages;
mod policy;

use crate::generate;
use crate::shell::{cargo, run, say};
use packages::Workspace;
use policy::Policy;

type Check = fn() -> Result<(), String>;

/// Runs every check; an error when any of them failed.
pub fn check() -> Result<(), String> {
    let checks: &[(&str, Check)] = &[
        ("format", format),
        ("arrows between crates", arrows),
        ("licences and banned crates", licences),
        ("advisories", cargo_deny::run),
        ("lints", lints),
        ("generated files", generate::check),
    ];
    let mut failed = Vec::new();
    for (name, check) in checks {
        say(format_args!("checking: {name}"));
        if let Err(message) = check() {
            println!("{message}\n");
            failed.push(*name);
        }
    }
    if failed.is_empty() {
        say("all checks passed");
        Ok(())
    } else {
        Err(format!("failed: {}", failed.join(", ")))
    }
}

fn format() -> Result<(), String> {
    run(cargo().args(["fmt", "--all", "--check"]))
}

fn lints() -> Result<(), String> {
    let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--keep-going"];
    run(cargo().args(clippy).args(["--", "-D", "warnings"]))
}

fn arrows() -> Result<(), String> {
    none_of(&arrows::violations(&Workspace::read()?))
}

fn licences() -> Result<(), String> {
    none_of(&licences::violations(&licences::tree()?, &Policy::read()?)?)
}

/// Turns a list of what is wrong into one message.
fn none_of(violations: &[String]) -> Result<(), String> {
    if violations.is_empty() { Ok(()) } else { Err(violations.join("\n")) }
}
