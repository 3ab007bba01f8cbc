//! Tests that node runs: `npm ci`, then node's own runner. Here those with the published npm client.

use std::path::Path;
use std::process::Command;

use super::tally::Tally;
use super::{Had, Suite};
use crate::shell::{apt_install, capture, find, follow, root, run as run_command, say};

const OLDEST_NODE: u32 = 20;

/// The folder of the compatibility tests, which also holds the harness that starts the server.
pub const COMPAT: &str = "tests/compat/js";

/// Installs what the compatibility tests need and runs them.
pub fn run(suite: &Suite<'_>) -> Result<Had<Tally>, String> {
    run_in(suite, &[COMPAT], "the compatibility tests with npm clients")
}

/// Installs the packages of all folders and runs the tests of the last one.
pub fn run_in(suite: &Suite<'_>, folders: &[&str], what: &str) -> Result<Had<Tally>, String> {
    let missing = |program: &str| find(program).is_none();
    if (missing("node") || missing("npm")) && !apt_install(&["nodejs", "npm"])? {
        return Ok(Had::No("Node.js and npm are not installed".to_owned()));
    }
    let version = capture(Command::new("node").arg("--version"))?;
    if major(&version).is_none_or(|major| major < OLDEST_NODE) {
        return Ok(Had::No(format!(
            "Node.js is {}, and {OLDEST_NODE} is the oldest that will do",
            version.trim()
        )));
    }
    for folder in folders {
        install(suite.target, folder)?;
    }
    say(format_args!("running {what}: node --test"));
    let mut command = Command::new("node");
    command.args(["--test", "--test-reporter=spec"]).env("NO_COLOR", "1");
    command.current_dir(folders.last().map_or_else(|| root().into(), |folder| root().join(folder)));
    suite.tell(&mut command);
    let mut tally = Tally::default();
    let succeeded = follow(&mut command, |line| tally.read_node(line))?;
    tally.note_exit(succeeded);
    Ok(Had::Yes(tally))
}

/// Runs `npm ci` unless `node_modules` already holds what the lock file says.
fn install(target: &Path, name: &str) -> Result<(), String> {
    let folder = root().join(name);
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let wanted = std::fs::read(folder.join("package-lock.json")).map_err(failed)?;
    let stamp = target.join("installed").join(name.replace('/', "-")).with_extension("json");
    let is_there = folder.join("node_modules").is_dir();
    if is_there && std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    say(format_args!("installing the npm packages of {}", folder.display()));
    run_command(Command::new("npm").arg("ci").current_dir(&folder))?;
    std::fs::create_dir_all(target.join("installed"))
        .and_then(|()| std::fs::write(&stamp, wanted))
        .map_err(failed)
}

/// The first number of `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}
