//! A load on a server by wrk, and what each of its requests cost.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::Options;
use super::api::{PASSWORD, Session};
use super::limits::{Limit, Limits, Rate};
use super::process::{cpu_micros, family_cpu_micros};
use super::server::{Engine, Server};
use crate::postgres::Postgres;
use crate::shell::{apt_install, find, root, say};

/// What is asked of the server; the names are those in `xtask/bench/load.lua`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scenario {
    /// The signed-in user by access token.
    Me,
    /// Refresh by header.
    Refresh,
    /// Refresh by body, which rotates.
    Rotate,
    /// Sign-up by password.
    SignUp,
    /// Sign-in by password.
    SignIn,
    /// The bare route.
    Bare,
}

impl Scenario {
    /// Those that are measured, in the order of the table.
    pub const ALL: &[Self] = &[Self::Me, Self::Refresh, Self::Rotate, Self::SignUp, Self::SignIn];

    const fn name(self) -> &'static str {
        match self {
            Self::Me => "me",
            Self::Refresh => "refresh",
            Self::Rotate => "rotate",
            Self::SignUp => "sign_up",
            Self::SignIn => "sign_in",
            Self::Bare => "bare",
        }
    }

    /// For people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Me => "(a) GET /users/me by access token",
            Self::Refresh => "(b) refresh by header",
            Self::Rotate => "(c) refresh by body, rotating",
            Self::SignUp => "(d) sign-up",
            Self::SignIn => "(e) sign-in",
            Self::Bare => Limit::Bare.title(),
        }
    }
}

/// What a load showed.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Requests answered per second.
    pub per_second: f64,
    /// CPU of the server, and of its PostgreSQL, microseconds per request.
    pub cpu_micros: f64,
    /// Half of the requests were answered within this, microseconds.
    pub p50_micros: u64,
    /// 99 of 100 were.
    pub p99_micros: u64,
    /// Answers with a status of 400 or more, and broken connections.
    pub failures: u64,
}

/// wrk, ready to be started against one server.
pub struct Wrk {
    base_url: String,
    headers: PathBuf,
    sessions: PathBuf,
}

/// Installs wrk where it is missing and may be installed.
pub fn ensure_wrk() -> Result<(), String> {
    if find("wrk").is_some() || apt_install(&["wrk"])? && find("wrk").is_some() {
        Ok(())
    } else {
        Err("wrk is not installed (Debian: apt-get install wrk)".to_owned())
    }
}

/// One turn of a kind of request and of the limits that it is compared with.
pub struct Turn {
    /// The requests.
    pub load: Load,
    /// The limits, measured right before.
    pub limits: Vec<(Limit, Rate)>,
}

impl Turn {
    /// One of the limits.
    pub fn limit(&self, limit: Limit) -> Option<Rate> {
        self.limits.iter().find(|(name, _)| *name == limit).map(|(_, rate)| *rate)
    }
}

/// Measures every kind of request on a server of its own, each in turn with its limits.
pub fn measure(
    binary: &Path,
    engine: Engine,
    postgres: Option<&Postgres>,
    options: &Options,
) -> Result<Vec<(Scenario, Vec<Turn>)>, String> {
    let server = Server::start(binary, postgres)?;
    let sessions = server.api().sessions(options.either(512, 256))?;
    if let Some(postgres) = postgres {
        postgres.analyze(&server.database_url())?;
    }
    let limits = Limits::beside(&server, &sessions)?;
    let cpu = || cpu(server.pid(), postgres);
    let (turns, seconds) = options.either((8, 2), (2, 1));
    let mut measured = Vec::new();
    for scenario in Scenario::ALL {
        say(format_args!("{engine}: {}", scenario.title()));
        let wrk = |sessions: &[Session]| {
            Wrk::new(server.folder(), server.base_url(), &server.api().client_headers, sessions)
        };
        if *scenario != Scenario::Rotate {
            wrk(&sessions)?.warm_up(*scenario)?;
        }
        let mut of_scenario = Vec::new();
        // Tokens that were rotated are gone: each turn has its own.
        for own in sessions.chunks_exact(sessions.len() / turns) {
            let limit = |limit: &Limit| limits.measure(*limit, seconds).map(|rate| (*limit, rate));
            let limits = Limit::of(*scenario).iter().map(limit).collect::<Result<_, _>>()?;
            let wrk = wrk(if *scenario == Scenario::Rotate { own } else { &sessions })?;
            of_scenario.push(Turn { load: wrk.measure(*scenario, seconds, cpu)?, limits });
        }
        measured.push((*scenario, of_scenario));
    }
    Ok(measured)
}

/// CPU microseconds so far of a server, by its process id, and, where it has one, of its PostgreSQL.
pub fn cpu(server: u32, postgres: Option<&Postgres>) -> Result<u64, String> {
    let database = postgres.and_then(Postgres::process).map_or(Ok(0), family_cpu_micros)?;
    Ok(cpu_micros(server)? + database)
}

impl Wrk {
    /// Writes what the script reads into `folder`.
    pub fn new(
        folder: &Path,
        base_url: &str,
        headers: &[(&'static str, String)],
        sessions: &[Session],
    ) -> Result<Self, String> {
        let mut lines = (String::new(), String::new());
        for (name, value) in headers {
            let _ = writeln!(lines.0, "{name}: {value}");
        }
        for Session { email, access_token, refresh_token } in sessions {
            let _ = writeln!(lines.1, "{email} {access_token} {refresh_token}");
        }
        let wrk = Self {
            base_url: base_url.to_owned(),
            headers: folder.join("wrk-headers"),
            sessions: folder.join("wrk-sessions"),
        };
        std::fs::write(&wrk.headers, lines.0).map_err(|error| error.to_string())?;
        std::fs::write(&wrk.sessions, lines.1).map_err(|error| error.to_string())?;
        Ok(wrk)
    }

    /// Lets the server see such requests for a second.
    pub fn warm_up(&self, scenario: Scenario) -> Result<(), String> {
        self.start(scenario, 32, 1, "warm")?.finish().map(|_| ())
    }

    /// Measures with 32 connections for so many seconds; `cpu` tells the microseconds used so far.
    pub fn measure(
        &self,
        scenario: Scenario,
        seconds: u32,
        cpu: impl Fn() -> Result<u64, String>,
    ) -> Result<Load, String> {
        let before = cpu()?;
        // Addresses of sign-ups are this turn's own.
        let mut load = self.start(scenario, 32, seconds, &format!("load{before}"))?.finish()?;
        let spent = cpu()? - before;
        #[expect(clippy::cast_precision_loss, reason = "microseconds of a few seconds")]
        let spent = spent as f64;
        load.cpu_micros = spent / load.requests().max(1.0);
        Ok(load.into())
    }

    /// Starts wrk with one thread and so many connections, for so many seconds. `run` makes its addresses its own.
    pub fn start(
        &self,
        scenario: Scenario,
        connections: u32,
        seconds: u32,
        run: &str,
    ) -> Result<Running, String> {
        let mut wrk = Command::new("wrk");
        wrk.args(["--threads", "1", "--timeout", "30s", "--latency"]);
        wrk.args(["--connections", &connections.to_string(), "--duration", &format!("{seconds}s")]);
        wrk.arg("--script").arg(root().join("xtask/bench/load.lua"));
        wrk.arg(&self.base_url).arg("--").arg(scenario.name()).arg(&self.headers).arg(&self.sessions);
        wrk.args([PASSWORD, &format!("{run}-{connections}-{seconds}")]);
        let child = wrk.stdout(Stdio::piped()).stdin(Stdio::null()).spawn();
        Ok(Running(child.map_err(|error| format!("wrk: {error}"))?))
    }
}

/// A wrk that runs.
pub struct Running(Child);

/// What wrk said at its end.
pub struct Finished {
    summary: Value,
    cpu_micros: f64,
}

impl Running {
    /// Waits for its end.
    pub fn finish(self) -> Result<Finished, String> {
        let output = self.0.wait_with_output().map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().rev().find(|line| line.starts_with('{'));
        let summary = last.and_then(|line| serde_json::from_str(line).ok());
        Ok(Finished {
            summary: summary.ok_or_else(|| format!("wrk printed no summary:\n{text}"))?,
            cpu_micros: 0.0,
        })
    }
}

impl Finished {
    fn requests(&self) -> f64 {
        self.summary["requests"].as_f64().unwrap_or_default()
    }
}

impl From<Finished> for Load {
    fn from(finished: Finished) -> Self {
        let number = |name: &str| finished.summary[name].as_u64().unwrap_or_default();
        Self {
            per_second: finished.requests() * 1_000_000.0
                / finished.summary["micros"].as_f64().unwrap_or(1.0),
            cpu_micros: finished.cpu_micros,
            p50_micros: number("p50_micros"),
            p99_micros: number("p99_micros"),
            failures: number("refused") + number("broken"),
        }
    }
}
