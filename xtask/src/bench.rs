//! `cargo xtask bench`: what a request costs, beside the limits of the machine, and whether a crash loses anything.
//!
//! Owns the order of the measurements; each kind is a file in `bench/`, and what it measured is kept in a file of its own
//! at once (`bench/sections.rs`). Needs Linux, because CPU time is read from
//! `/proc`, and wrk, which it installs where it may. Every server it starts is its own, on loopback.

mod api;
mod crash;
mod limits;
mod lists;
mod load;
mod process;
mod report;
mod sections;
mod server;
mod start;
mod storm;
mod timing;

use std::cmp::Ordering;
use std::path::PathBuf;

use pico_args::Arguments;

use crate::generate::target_directory;
use crate::shell::{cargo, root, run, say};
use report::Report;
use server::Engine;

/// What to measure, and how thoroughly.
pub struct Options {
    /// Short runs, to see that the bench itself works.
    pub quick: bool,
    /// Names of parts; all of them when empty.
    only: Vec<String>,
    /// Users to put into the database before the start and lists are measured.
    pub fill: Option<u64>,
    /// A `latchkey` that is built already.
    binary: Option<PathBuf>,
}

/// The parts that are measured on each engine. `--only` can name them, or the section about one engine.
const OF_ENGINES: [&str; 4] = ["load", "storm", "lists", "crash"];
/// The other parts.
const OTHERS: [&str; 2] = ["timing", "start"];

impl Options {
    /// Reads the flags.
    pub fn read(mut arguments: Arguments) -> Result<Self, String> {
        let said = |error: pico_args::Error| error.to_string();
        let only: Option<String> = arguments.opt_value_from_str("--only").map_err(said)?;
        let options = Self {
            quick: arguments.contains("--quick"),
            only: only.iter().flat_map(|list| list.split(',')).map(str::to_owned).collect(),
            fill: arguments.opt_value_from_str("--fill").map_err(said)?,
            binary: arguments.opt_value_from_str("--binary").map_err(said)?,
        };
        let mut known = sections(&Engine::ALL);
        known.extend(OF_ENGINES.map(str::to_owned));
        if let Some(unknown) = options.only.iter().find(|part| !known.contains(part)) {
            return Err(format!("`{unknown}` is no part of the bench; there are: {}", known.join(", ")));
        }
        match arguments.finish().first() {
            None => Ok(options),
            Some(word) => Err(format!("`{}` is one argument too many", word.display())),
        }
    }

    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == part)
    }

    fn wants_on(&self, engine: Engine, part: &str) -> bool {
        self.wants(part) || self.wants(&engine.section(part))
    }

    /// `thorough`, or `quick` with `--quick`.
    pub fn either<T>(&self, thorough: T, quick: T) -> T {
        if self.quick { quick } else { thorough }
    }
}

/// The names of all sections, in the order of the page.
fn sections(engines: &[Engine]) -> Vec<String> {
    let of_engines = engines.iter().flat_map(|engine| OF_ENGINES.map(|part| engine.section(part)));
    of_engines.chain(OTHERS.map(str::to_owned)).collect()
}

/// Measures and prints, part by part; writes `docs/benchmarks.md` once every part was measured on the same program, in
/// this run or an earlier one.
pub fn bench(options: &Options) -> Result<(), String> {
    load::ensure_wrk()?;
    let binary = match &options.binary {
        Some(binary) => binary.canonicalize().map_err(|error| format!("{}: {error}", binary.display()))?,
        None => build()?,
    };
    let mut report = Report::new(&binary, options)?;
    let mut engines = Vec::new();
    for engine in Engine::ALL {
        let Some(postgres) = engine.postgres()? else { continue };
        engines.push(engine);
        if options.wants_on(engine, "load") {
            report.loads(engine, &load::measure(&binary, engine, postgres.as_ref(), options)?)?;
        }
        if options.wants_on(engine, "storm") {
            report.storm(engine, &storm::measure(&binary, engine, postgres.as_ref(), options)?)?;
        }
        if options.wants_on(engine, "lists") {
            report.lists(engine, &lists::measure(&binary, engine, postgres.as_ref(), options)?)?;
        }
        if options.wants_on(engine, "crash") {
            report.crash(engine, &crash::measure(&binary, engine, postgres.as_ref(), options)?)?;
        }
    }
    if options.wants("timing") {
        report.timing(&timing::measure(&binary, options)?)?;
    }
    if options.wants("start") {
        report.start(&start::measure(&binary, options)?)?;
    }
    let path = root().join("docs/benchmarks.md");
    match report.page(sections(&engines)) {
        _ if options.quick => say("docs/benchmarks.md is written by thorough runs only"),
        Ok(page) => {
            say("writing docs/benchmarks.md");
            std::fs::write(&path, page).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Err(missing) => say(format_args!(
            "docs/benchmarks.md is not written: of this program, these were not measured yet: {}",
            missing.join(", ")
        )),
    }
    report.verdict()
}

/// The middle one of some values; of two in the middle the greater.
fn median<T, N: PartialOrd + Default + Copy>(items: &[T], value: impl Fn(&T) -> N) -> N {
    let mut values: Vec<N> = items.iter().map(value).collect();
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Builds the server as users run it.
fn build() -> Result<PathBuf, String> {
    say("building the server with optimisation");
    run(cargo().args(["build", "--release", "--locked", "--package", "latchkey"]))?;
    Ok(target_directory()?.join("release/latchkey"))
}
