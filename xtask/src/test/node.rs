//! The compatibility tests with the published npm client: `npm ci`, then node's own runner.

use std::path::Path;
use std::process::Command;

use super::tally::Tally;
use super::{Had, Suite};
use crate::shell::{apt_install, capture, find, follow, root, run as run_command, say};

const OLDEST_NODE: u32 = 20;

/// Installs what the tests need and runs them.
pub fn run(suite: &Suite<'_>) -> Result<Had<Tally>, String> {
    let folder = root().join("tests/compat/js");
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
    install(suite.target, &folder)?;
    say("running the compatibility tests with npm clients: node --test");
    let mut command = Command::new("node");
    command.args(["--test", "--test-reporter=spec"]).current_dir(&folder).env("NO_COLOR", "1");
    suite.tell(&mut command);
    let mut tally = Tally::default();
    let succeeded = follow(&mut command, |line| tally.read_node(line))?;
    tally.note_exit(succeeded);
    Ok(Had::Yes(tally))
}

/// Runs `npm ci` unless `node_modules` already holds what the lock file says.
fn install(target: &Path, folder: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let wanted = std::fs::read(folder.join("package-lock.json")).map_err(failed)?;
    let stamp = target.join("compat/installed-package-lock.json");
    let is_there = folder.join("node_modules").is_dir();
    if is_there && std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    say(format_args!("installing the npm packages of {}", folder.display()));
    run_command(Command::new("npm").arg("ci").current_dir(folder))?;
    std::fs::create_dir_all(target.join("compat"))
        .and_then(|()| std::fs::write(&stamp, wanted))
        .map_err(failed)
}

/// The first number of `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}
