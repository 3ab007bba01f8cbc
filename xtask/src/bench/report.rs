//! The page that the bench writes: tables in Markdown, with the aims beside what was measured.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::Options;
use super::crash::Crashes;
use super::limits::{Limits, Raw};
use super::lists::{Deletion, Lists};
use super::load::{Load, Scenario};
use super::sections::Sections;
use super::server::Engine;
use super::start::Start;
use super::storm::Storm;
use super::timing::Timing;
use crate::shell::capture;

/// The limits once more, in the form that later runs read.
const LIMITS_AS_JSON: &str = "limits-as-json";

/// More standard deviations than chance explains once in a thousand times.
const SUSPICIOUS: f64 = 3.3;

/// The sections of the page, made one after the other.
pub struct Report {
    sections: Sections,
    /// How the page begins.
    head: String,
    /// The section that is being written.
    page: String,
    bare_cpu_micros: Option<f64>,
    signatures: Option<Raw>,
    hashes: Option<Raw>,
    transactions: Option<Raw>,
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
        let mut report = Self {
            sections,
            head,
            page: String::new(),
            bare_cpu_micros: None,
            signatures: None,
            hashes: None,
            transactions: None,
            wrong: Vec::new(),
        };
        report.recall_limits();
        Ok(report)
    }

    /// The limits that an earlier run measured, to be compared with.
    fn recall_limits(&mut self) {
        let Some(limits) = self.sections.read(LIMITS_AS_JSON) else { return };
        let limits: Value = serde_json::from_str(&limits).unwrap_or_default();
        let raw = |name: &str| {
            let number = |key: &str| limits[name][key].as_f64();
            Some(Raw { per_second: number("per_second")?, cpu_micros: number("cpu_micros")? })
        };
        self.bare_cpu_micros = limits["bare_cpu_micros"].as_f64();
        self.signatures = raw("signatures");
        (self.hashes, self.transactions) = (raw("hashes"), raw("transactions"));
    }

    fn note_limits(&self) -> Result<(), String> {
        let raw = |raw: Option<Raw>| {
            raw.map(|raw| json!({ "per_second": raw.per_second, "cpu_micros": raw.cpu_micros }))
        };
        let limits = json!({
            "bare_cpu_micros": self.bare_cpu_micros, "signatures": raw(self.signatures),
            "hashes": raw(self.hashes), "transactions": raw(self.transactions),
        });
        self.sections.keep(LIMITS_AS_JSON, &limits.to_string())
    }

    /// Ends the section that is being written.
    fn keep(&mut self, name: &str) -> Result<(), String> {
        self.sections.keep(name, &std::mem::take(&mut self.page))
    }

    /// What the machine allows at best.
    pub fn limits(&mut self, limits: &Limits) -> Result<(), String> {
        self.page += "\n## Limits\n\n| limit | per second | CPU µs each | p50 ms | p99 ms |\n|---|---:|---:|---:|---:|\n";
        if let Some(bare) = limits.bare {
            self.row(&[
                Scenario::Bare.title().to_owned(),
                count(bare.per_second),
                count(bare.cpu_micros),
                millis(bare.p50_micros),
                millis(bare.p99_micros),
            ]);
            self.bare_cpu_micros = Some(bare.cpu_micros);
        }
        let raws = [
            ("raw ES256 signatures on all cores", limits.signatures),
            ("raw Argon2id on all cores", limits.hashes),
            ("raw durable SQLite transactions in groups", limits.transactions),
        ];
        for (name, raw) in raws {
            if let Some(Raw { per_second, cpu_micros }) = raw {
                self.row(&[
                    name.to_owned(),
                    count(per_second),
                    count(cpu_micros),
                    String::new(),
                    String::new(),
                ]);
            }
        }
        self.signatures = limits.signatures;
        (self.hashes, self.transactions) = (limits.hashes, limits.transactions);
        self.note_limits()?;
        self.keep("limits")
    }

    /// What requests cost.
    pub fn loads(&mut self, engine: Engine, loads: &[(Scenario, Load)]) -> Result<(), String> {
        let _ = writeln!(self.page, "\n## Requests on {engine}\n\n32 connections.\n");
        self.page += "| request | per second | CPU µs each | p50 ms | p99 ms | beside the limit |\n|---|---:|---:|---:|---:|---|\n";
        for (scenario, load) in loads {
            if load.failures > 0 {
                self.wrong.push(format!("{engine}, {}: {} requests failed", scenario.title(), load.failures));
            }
            self.row(&[
                scenario.title().to_owned(),
                count(load.per_second),
                count(load.cpu_micros),
                millis(load.p50_micros),
                millis(load.p99_micros),
                self.beside_the_limit(engine, *scenario, load),
            ]);
        }
        self.keep(&name("load", engine))
    }

    /// The ratio that an aim is about; aims are for SQLite.
    fn beside_the_limit(&self, engine: Engine, scenario: Scenario, load: &Load) -> String {
        let said = |ratio: String, holds: bool, aim: &str| match engine {
            Engine::Sqlite if holds => format!("{ratio} (aim {aim})"),
            Engine::Sqlite => format!("{ratio} (**aim {aim} missed**)"),
            Engine::Postgres => ratio,
        };
        let share = |limit: Option<Raw>, least: f64| {
            limit.map(|limit| {
                let part = load.per_second / limit.per_second;
                said(
                    format!("{:.0} % of the raw rate", part * 100.0),
                    part >= least,
                    &format!("{:.0} %", least * 100.0),
                )
            })
        };
        let text = match scenario {
            Scenario::Me => self.bare_cpu_micros.map(|bare| {
                let times = load.cpu_micros / bare;
                said(format!("{times:.1} times the CPU of the bare route"), times <= 2.5, "2.5")
            }),
            Scenario::Refresh => self.bare_cpu_micros.zip(self.signatures).map(|(bare, signature)| {
                let (times, rest) = (load.cpu_micros / bare, (load.cpu_micros - signature.cpu_micros) / bare);
                let text =
                    format!("{times:.1} times the CPU of the bare route, {rest:.1} without its signature");
                said(text, rest <= 2.5, "2.5 without")
            }),
            Scenario::Rotate => share(self.transactions, 0.6),
            Scenario::SignIn => share(self.hashes, 0.9),
            _ => None,
        };
        text.unwrap_or_default()
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
        self.keep(&name("storm", engine))
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
        self.keep(&name("lists", engine))
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
        self.keep(&name("crash", engine))
    }

    /// The whole page, of the sections that were kept for this program; otherwise the names of those that are missing.
    pub fn page(&self, engines: &[Engine]) -> Result<String, Vec<String>> {
        let of_engines = ["load", "storm", "lists", "crash"];
        let mut names = vec!["limits".to_owned()];
        names.extend(engines.iter().flat_map(|engine| of_engines.map(|part| name(part, *engine))));
        names.extend(["timing", "start"].map(str::to_owned));
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

/// The name of a section about an engine.
fn name(part: &str, engine: Engine) -> String {
    format!("{part}-{}", engine.to_string().to_lowercase())
}

/// Three digits that count.
fn count(number: f64) -> String {
    if number >= 100.0 { format!("{number:.0}") } else { format!("{number:.1}") }
}

fn millis(micros: u64) -> String {
    format!("{}.{:02}", micros / 1000, micros % 1000 / 10)
}
