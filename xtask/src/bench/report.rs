//! The page that the bench writes: tables in Markdown, with the aims beside what was measured.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use super::crash::Crashes;
use super::limits::{Limit, Rate};
use super::lists::{Deletion, Lists};
use super::load::{Scenario, Turn};
use super::sections::Sections;
use super::server::Engine;
use super::start::Start;
use super::storm::Storm;
use super::timing::Timing;
use super::{Options, median};
use crate::shell::capture;

/// More standard deviations than chance explains once in a thousand times.
const SUSPICIOUS: f64 = 3.3;

/// The sections of the page, made one after the other.
pub struct Report {
    sections: Sections,
    /// How the page begins.
    head: String,
    /// The section that is being written.
    page: String,
    /// What must not happen, and did.
    wrong: Vec<String>,
}

impl Report {
    /// Begins with the machine and the server's version.
    pub fn new(binary: &Path, options: &Options) -> Result<Self, String> {
        let version = capture(Command::new(binary).arg("version"))?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or("", |(_, name)| name);
        let thoroughness = options.either("", " Short runs: the numbers say little.");
        let head = format!(
            "# Benchmarks\n\nWritten by `cargo xtask bench`: {version}, {cores} cores of {model}, load generator and databases \
             on the same machine.{thoroughness}\nCPU time is that of the server, with its PostgreSQL where it has one, \
             without the load generator; it moves less with the machine's neighbours than requests per second do.\n",
            version = version.trim()
        );
        let sections = Sections::of(binary, options)?;
        Ok(Self { sections, head, page: String::new(), wrong: Vec::new() })
    }

    /// Ends the section that is being written.
    fn keep(&mut self, name: &str) -> Result<(), String> {
        self.sections.keep(name, &std::mem::take(&mut self.page))
    }

    /// What requests cost, beside what the machine allows.
    pub fn loads(&mut self, engine: Engine, loads: &[(Scenario, Vec<Turn>)]) -> Result<(), String> {
        let turns = loads.first().map_or(0, |(_, turns)| turns.len());
        let _ = writeln!(
            self.page,
            "\n## Requests on {engine}\n\n32 connections. Requests and the limits that they are compared with were \
             measured in turn, {turns} times each; medians, also of the ratios.\n"
        );
        self.page += "| request | per second | CPU µs each | p50 ms | p99 ms | beside the limit |\n|---|---:|---:|---:|---:|---|\n";
        for (scenario, turns) in loads {
            let failures: u64 = turns.iter().map(|turn| turn.load.failures).sum();
            if failures > 0 {
                self.wrong.push(format!("{engine}, {}: {failures} requests failed", scenario.title()));
            }
            self.row(&[
                scenario.title().to_owned(),
                count(median(turns, |turn| turn.load.per_second)),
                count(median(turns, |turn| turn.load.cpu_micros)),
                millis(median(turns, |turn| turn.load.p50_micros)),
                millis(median(turns, |turn| turn.load.p99_micros)),
                beside_the_limit(engine, *scenario, turns),
            ]);
        }
        self.page += "\n| limit | per second | CPU µs each |\n|---|---:|---:|\n";
        for limit in Limit::ALL {
            let all = loads.iter().flat_map(|(_, turns)| turns);
            let rates: Vec<Rate> = all.filter_map(|turn| turn.limit(*limit)).collect();
            let (per_second, cpu) =
                (median(&rates, |rate| rate.per_second), median(&rates, |rate| rate.cpu_micros));
            self.row(&[limit.title().to_owned(), count(per_second), count(cpu)]);
        }
        self.keep(&engine.section("load"))
    }

    /// Reads while passwords are hashed.
    pub fn storm(&mut self, engine: Engine, storm: &Storm) -> Result<(), String> {
        #[expect(clippy::cast_precision_loss, reason = "microseconds")]
        let times = storm.during.p99_micros as f64 / storm.calm.p99_micros.max(1) as f64;
        let aim = if times <= 3.0 { "aim 3" } else { "**aim 3 missed**" };
        let _ = writeln!(
            self.page,
            "\n## Reads during a storm of sign-ins, {engine}\n\np99 of (a) with 4 connections: {} ms calm, {} ms while 64 \
             connections sign in: {times:.1} times ({aim}).",
            millis(storm.calm.p99_micros),
            millis(storm.during.p99_micros),
        );
        self.keep(&engine.section("storm"))
    }

    /// Lists with few and with many users.
    pub fn lists(&mut self, engine: Engine, lists: &Lists) -> Result<(), String> {
        let many = lists.many.map_or_else(|| "–".to_owned(), |users| users.to_string());
        let _ = writeln!(
            self.page,
            "\n## Lists of users on {engine}\n\nMedian ms, one request at a time.\n\n\
             | page | {} users | {many} users | times (aim 3) |\n|---|---:|---:|---:|",
            lists.few
        );
        for page in &lists.pages {
            #[expect(clippy::cast_precision_loss, reason = "microseconds")]
            let times = page.many_micros.map(|many| many as f64 / page.few_micros.max(1) as f64);
            self.row(&[
                page.title.to_owned(),
                millis(page.few_micros),
                page.many_micros.map(millis).unwrap_or_default(),
                times.map(|times| format!("{times:.1}")).unwrap_or_default(),
            ]);
        }
        if let Some(deletion) = &lists.deletion {
            self.deletion(engine, &many, deletion);
        }
        self.keep(&engine.section("lists"))
    }

    /// What another project notices while the one with many users is deleted.
    fn deletion(&mut self, engine: Engine, users: &str, deletion: &Deletion) {
        let _ = writeln!(
            self.page,
            "\n### While the project of {users} users is deleted, {engine}\n\nThe answer to the deletion took {} ms, the \
             removal {}. p99 ms of another project.\n\n| request | calm | meanwhile | times |\n|---|---:|---:|---:|",
            deletion.answered_after.as_millis(),
            deletion.removed_after.map_or_else(
                || "longer than was waited for".to_owned(),
                |after| format!("{} s", after.as_secs())
            ),
        );
        for (title, calm, meanwhile) in &deletion.loads {
            #[expect(clippy::cast_precision_loss, reason = "microseconds")]
            let times = meanwhile.p99_micros as f64 / calm.p99_micros.max(1) as f64;
            if calm.failures + meanwhile.failures > 0 {
                self.wrong.push(format!("{engine}, while a project is deleted: requests failed"));
            }
            self.row(&[
                (*title).to_owned(),
                millis(calm.p99_micros),
                millis(meanwhile.p99_micros),
                format!("{times:.1}"),
            ]);
        }
        if deletion.ended_too_early {
            self.page +=
                "\nThe removal ended before the measurement did: the numbers say less than they seem to.\n";
        }
    }

    /// Known against unknown users.
    pub fn timing(&mut self, timings: &[Timing]) -> Result<(), String> {
        self.page += "\n## Answers about known and unknown addresses\n\nBoth in turn. Medians in ms; the rank statistic is in standard \
                      deviations from \"no difference\".\n\n\
                      | question | of each kind | with an account | without | rank statistic | |\n|---|---:|---:|---:|---:|---|\n";
        for Timing { question, samples, known_micros, unknown_micros, z } in timings {
            let verdict = if z.abs() < SUSPICIOUS { "no difference to be seen" } else { "**they differ**" };
            self.row(&[
                question.title().to_owned(),
                samples.to_string(),
                millis(*known_micros),
                millis(*unknown_micros),
                format!("{z:.1}"),
                verdict.to_owned(),
            ]);
        }
        self.keep("timing")
    }

    /// Memory and start.
    pub fn start(&mut self, starts: &[Start]) -> Result<(), String> {
        self.page += "\n## Start and memory at rest, SQLite\n\n| users | start to ready ms | resident MB |\n|---:|---:|---:|\n";
        for Start { users, ready_after, idle_kib } in starts {
            let megabytes = format!("{}.{}", idle_kib / 1024, idle_kib % 1024 * 10 / 1024);
            self.row(&[users.to_string(), ready_after.as_millis().to_string(), megabytes]);
        }
        self.page += "\nAims: 250 ms with a million users, 30 MB.\n";
        self.keep("start")
    }

    /// Crashes.
    pub fn crash(&mut self, engine: Engine, crashes: &Crashes) -> Result<(), String> {
        let Crashes { rounds, acknowledged, lost } = crashes;
        let _ = writeln!(
            self.page,
            "\n## Crashes, {engine}\n\n{rounds} times killed in the middle of 200 sign-ups; {acknowledged} were \
             acknowledged, {} of them lost; the database passed its check every time.",
            lost.len()
        );
        if !lost.is_empty() {
            self.wrong.push(format!("{engine}: acknowledged and lost: {}", lost.join(", ")));
        }
        self.keep(&engine.section("crash"))
    }

    /// The whole page, of the sections that were kept for this program; otherwise the names of those that are missing.
    pub fn page(&self, names: Vec<String>) -> Result<String, Vec<String>> {
        let (mut page, mut missing) = (self.head.clone(), Vec::new());
        for name in names {
            match self.sections.read(&name) {
                Some(section) => page += &section,
                None => missing.push(name),
            }
        }
        if missing.is_empty() { Ok(page) } else { Err(missing) }
    }

    /// An error when something happened that must not.
    pub fn verdict(&self) -> Result<(), String> {
        if self.wrong.is_empty() { Ok(()) } else { Err(self.wrong.join("\n")) }
    }

    fn row(&mut self, cells: &[String]) {
        let _ = writeln!(self.page, "| {} |", cells.join(" | "));
    }
}

/// The ratio that an aim is about; aims are for SQLite.
fn beside_the_limit(engine: Engine, scenario: Scenario, turns: &[Turn]) -> String {
    let said = |ratio: String, holds: bool, aim: &str| match engine {
        Engine::Sqlite if holds => format!("{ratio} (aim {aim})"),
        Engine::Sqlite => format!("{ratio} (**aim {aim} missed**)"),
        Engine::Postgres => ratio,
    };
    let cpu = |turn: &Turn, limit| turn.limit(limit).map_or(f64::NAN, |rate| rate.cpu_micros);
    let share = |limit: Limit, least: f64| {
        let rate = |turn: &Turn| turn.limit(limit).map_or(f64::NAN, |rate| rate.per_second);
        let part = median(turns, |turn| turn.load.per_second / rate(turn));
        let text = format!("{:.0} % of the raw rate", part * 100.0);
        said(text, part >= least, &format!("{:.0} %", least * 100.0))
    };
    let times = || median(turns, |turn| turn.load.cpu_micros / cpu(turn, Limit::Bare));
    match scenario {
        Scenario::Me => {
            let times = times();
            said(format!("{times:.2} times the CPU of the bare route"), times <= 2.5, "2.5")
        }
        Scenario::Refresh => {
            let rest = median(turns, |turn| {
                (turn.load.cpu_micros - cpu(turn, Limit::Signatures)) / cpu(turn, Limit::Bare)
            });
            let times = times();
            let text = format!("{times:.2} times the CPU of the bare route, {rest:.2} without its signature");
            said(text, rest <= 2.5, "2.5 without")
        }
        Scenario::Rotate => share(Limit::Transactions, 0.6),
        Scenario::SignIn => share(Limit::Hashes, 0.9),
        Scenario::SignUp | Scenario::Bare => String::new(),
    }
}

/// Three digits that count.
fn count(number: f64) -> String {
    if number >= 100.0 { format!("{number:.0}") } else { format!("{number:.1}") }
}

fn millis(micros: u64) -> String {
    format!("{}.{:02}", micros / 1000, micros % 1000 / 10)
}
