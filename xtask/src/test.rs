//! `cargo xtask test`: every test there is, with what it needs installed, started and taken down again.
//!
//! Owns the order of the suites and the closing line. What cannot be had is skipped and said so, or an error where
//! `REQUIRE_ALL=1` is set.

mod browser;
mod cargo_tests;
mod node;
mod python;
mod tally;

use std::path::Path;

use crate::generate::{latchkey_binary, target_directory};
use crate::postgres::Postgres;
use crate::shell::{require_all, say};

/// Runs everything, or with filters only the cargo tests whose names contain one of them.
pub fn test(filters: &[String]) -> Result<(), String> {
    let no_postgres = "PostgreSQL is not installed and TEST_POSTGRES_URL is not set";
    let postgres = demand(Postgres::for_tests()?.map_or_else(|| Had::No(no_postgres.to_owned()), Had::Yes))?;
    let postgres_url = postgres.as_ref().map(Postgres::url);
    let mut tally = cargo_tests::run(filters, postgres_url)?;
    if filters.is_empty() {
        let target = target_directory()?;
        let suite = Suite { binary: &latchkey_binary()?, target: &target, postgres_url };
        for run in [python::run, node::run, browser::run] {
            match demand(run(&suite)?)? {
                Some(more) => tally.add(&more),
                None => tally.skipped += 1,
            }
        }
    }
    drop(postgres);
    println!("\n{tally}");
    if tally.failed == 0 { Ok(()) } else { Err("some tests failed".to_owned()) }
}

/// What a suite of real clients needs to know.
struct Suite<'a> {
    /// The server to start.
    binary: &'a Path,
    /// Where to install things.
    target: &'a Path,
    /// A PostgreSQL server on which databases may be created.
    postgres_url: Option<&'a str>,
}

impl Suite<'_> {
    /// Gives a program what tests read from the environment.
    fn tell(&self, command: &mut std::process::Command) {
        command.env("LATCHKEY_BINARY", self.binary);
        if let Some(url) = self.postgres_url {
            command.env("TEST_POSTGRES_URL", url);
        }
    }
}

/// Something to work with, or the reason why it cannot be had.
enum Had<T> {
    Yes(T),
    No(String),
}

/// Turns what cannot be had into a skipped step, or into an error where nothing may be skipped.
fn demand<T>(had: Had<T>) -> Result<Option<T>, String> {
    match had {
        Had::Yes(value) => Ok(Some(value)),
        Had::No(reason) if require_all() => Err(format!("REQUIRE_ALL is set, but {reason}")),
        Had::No(reason) => {
            say(format_args!("skipped: {reason}"));
            Ok(None)
        }
    }
}
