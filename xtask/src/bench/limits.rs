//! What the machine allows at best: a route that only answers, raw signatures, raw password hashes, raw durable
//! transactions.
//!
//! Each is an example of the crate that it belongs to, so that no wall is crossed; one that is not there is not
//! measured.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::Options;
use super::load::{Load, Scenario, Wrk};
use super::process::cpu_micros;
use super::server::Server;
use crate::generate::target_directory;
use crate::shell::{capture, cargo, root, run, say};

/// The limits; `None` where there is no program that measures one.
pub struct Limits {
    /// A bare axum route that answers the JSON of `/users/me`.
    pub bare: Option<Load>,
    /// ES256 signatures on all cores.
    pub signatures: Option<Raw>,
    /// Argon2id with the default parameters on all cores.
    pub hashes: Option<Raw>,
    /// Durable SQLite transactions in groups, each an INSERT and an UPDATE.
    pub transactions: Option<Raw>,
}

/// How often something can be done.
#[derive(Clone, Copy)]
pub struct Raw {
    /// By all cores together.
    pub per_second: f64,
    /// CPU time of each, microseconds.
    pub cpu_micros: f64,
}

/// Measures them all.
pub fn measure(binary: &Path, options: &Options) -> Result<Limits, String> {
    Ok(Limits {
        bare: bare(binary, options)?,
        signatures: raw("latchkey-jose", "jose", "raw_signatures", options)?,
        hashes: raw("latchkey-crypto", "crypto", "raw_hashes", options)?,
        transactions: raw("latchkey-storage", "storage", "raw_transactions", options)?,
    })
}

fn bare(binary: &Path, options: &Options) -> Result<Option<Load>, String> {
    let Some(program) = example("latchkey-http", "http", "bare")? else { return Ok(None) };
    say("the limit of (a) and (b): a bare axum route");
    let server = Server::start(binary, None)?;
    let sessions = server.api().sessions(1)?;
    let body = server.folder().join("body.json");
    std::fs::write(&body, server.api().me(&sessions[0])?).map_err(|error| error.to_string())?;
    let route = Command::new(program).arg(&body).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut route = Killed(route.map_err(|error| error.to_string())?);
    let mut address = String::new();
    let output = route.0.stdout.take().ok_or("the bare route has no output")?;
    BufReader::new(output).read_line(&mut address).map_err(|error| error.to_string())?;
    let url = format!("http://{}", address.trim());
    let wrk = Wrk::new(server.folder(), &url, &server.api().client_headers, &sessions)?;
    wrk.measure(Scenario::Bare, options, || cpu_micros(route.0.id())).map(Some)
}

/// Runs an example that takes seconds and prints `{"per_second": …, "cpu_micros": …}`.
fn raw(package: &str, folder: &str, name: &str, options: &Options) -> Result<Option<Raw>, String> {
    let Some(program) = example(package, folder, name)? else { return Ok(None) };
    say(format_args!("a limit of the machine: {name}"));
    let text = capture(Command::new(program).arg(options.either("10", "2")))?;
    let json: Value = serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
    let number = |key: &str| json[key].as_f64().ok_or_else(|| format!("{name} printed no {key}"));
    Ok(Some(Raw { per_second: number("per_second")?, cpu_micros: number("cpu_micros")? }))
}

/// Builds an example with optimisation, if it is there.
pub fn example(package: &str, folder: &str, name: &str) -> Result<Option<std::path::PathBuf>, String> {
    if !root().join(format!("crates/{folder}/examples/{name}.rs")).is_file() {
        say(format_args!("not measured: crates/{folder}/examples/{name}.rs is not there"));
        return Ok(None);
    }
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
    Ok(Some(target_directory()?.join("release/examples").join(name)))
}

/// A child that ends with the value.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
