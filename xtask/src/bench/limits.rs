//! What the machine allows at best: a route that only answers, raw signatures, raw password hashes, raw durable
//! transactions. Measured in turn with the requests that they are compared with, because what a machine allows changes
//! from minute to minute with its neighbours.
//!
//! Each is an example of the crate that it belongs to, so that no wall is crossed.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::api::Session;
use super::load::{Scenario, Wrk};
use super::process::cpu_micros;
use super::server::Server;
use crate::generate::target_directory;
use crate::shell::{capture, cargo, run};

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// A bare axum route that answers the JSON of `/users/me`.
    Bare,
    /// ES256 signatures on all cores.
    Signatures,
    /// Argon2id with the default parameters on all cores.
    Hashes,
    /// Durable SQLite transactions in groups, each an INSERT and an UPDATE.
    Transactions,
}

impl Limit {
    /// All of them, in the order of the table.
    pub const ALL: &[Self] = &[Self::Bare, Self::Signatures, Self::Transactions, Self::Hashes];

    /// Those that a kind of request is compared with.
    pub const fn of(scenario: Scenario) -> &'static [Self] {
        match scenario {
            Scenario::Me => &[Self::Bare],
            Scenario::Refresh => &[Self::Bare, Self::Signatures],
            Scenario::Rotate => &[Self::Transactions],
            Scenario::SignIn => &[Self::Hashes],
            Scenario::SignUp | Scenario::Bare => &[],
        }
    }

    /// For people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Bare => "bare axum route, the JSON of (a)",
            Self::Signatures => "raw ES256 signatures on all cores",
            Self::Hashes => "raw Argon2id on all cores",
            Self::Transactions => "raw durable SQLite transactions in groups",
        }
    }
}

/// How often something can be done.
#[derive(Clone, Copy)]
pub struct Rate {
    /// By all cores together.
    pub per_second: f64,
    /// CPU time of each, microseconds.
    pub cpu_micros: f64,
}

/// All of them, ready to be measured.
pub struct Limits {
    route: Killed,
    route_load: Wrk,
    signatures: PathBuf,
    hashes: PathBuf,
    transactions: PathBuf,
}

impl Limits {
    /// Builds the programs and starts the bare route, which answers what `server` answers to the first of `sessions`.
    pub fn beside(server: &Server, sessions: &[Session]) -> Result<Self, String> {
        let folder = server.folder().join("bare");
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let body = folder.join("body.json");
        let session = sessions.first().ok_or("nobody is signed in")?;
        std::fs::write(&body, server.api().me(session)?).map_err(|error| error.to_string())?;
        let mut route = Command::new(example("latchkey-http", "bare")?);
        let route = route.arg(&body).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut route = Killed(route.map_err(|error| error.to_string())?);
        let mut address = String::new();
        let output = route.0.stdout.take().ok_or("the bare route has no output")?;
        BufReader::new(output).read_line(&mut address).map_err(|error| error.to_string())?;
        let url = format!("http://{}", address.trim());
        let route_load = Wrk::new(&folder, &url, &server.api().client_headers, sessions)?;
        route_load.warm_up(Scenario::Bare)?;
        Ok(Self {
            route,
            route_load,
            signatures: example("latchkey-jose", "raw_signatures")?,
            hashes: example("latchkey-crypto", "raw_hashes")?,
            transactions: example("latchkey-storage", "raw_transactions")?,
        })
    }

    /// Measures one of them for so many seconds.
    pub fn measure(&self, limit: Limit, seconds: u32) -> Result<Rate, String> {
        let program = match limit {
            Limit::Bare => {
                let cpu = || cpu_micros(self.route.0.id());
                let load = self.route_load.measure(Scenario::Bare, seconds, cpu)?;
                return Ok(Rate { per_second: load.per_second, cpu_micros: load.cpu_micros });
            }
            Limit::Signatures => &self.signatures,
            Limit::Hashes => &self.hashes,
            Limit::Transactions => &self.transactions,
        };
        let text = capture(Command::new(program).arg(seconds.to_string()))?;
        let json: Value = serde_json::from_str(&text).map_err(|error| format!("{limit:?}: {error}"))?;
        let number = |key: &str| json[key].as_f64().ok_or_else(|| format!("{limit:?} printed no {key}"));
        Ok(Rate { per_second: number("per_second")?, cpu_micros: number("cpu_micros")? })
    }
}

/// Builds an example with optimisation and says where it is.
pub fn example(package: &str, name: &str) -> Result<PathBuf, String> {
    run(cargo().args([
        "build",
        "--release",
        "--locked",
        "--quiet",
        "--package",
        package,
        "--example",
        name,
    ]))?;
    Ok(target_directory()?.join("release/examples").join(name))
}

/// A child that ends with the value.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
