//! Memory at rest, and the time from the start of the process until it accepts requests.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::process::resident_kib;
use super::server::Server;
use super::{Options, limits, median};
use crate::shell::{run, say};

const SETTLED_AFTER: Duration = Duration::from_secs(2);
/// Starts of which the median counts.
const STARTS: usize = 5;

/// What was seen on SQLite.
pub struct Start {
    /// People in the database.
    pub users: u64,
    /// From the start of the process to the ready file; the median of five.
    pub ready_after: Duration,
    /// Resident memory two seconds later, KiB.
    pub idle_kib: u64,
}

/// Measures an empty database and, with `--fill`, a filled one.
pub fn measure(binary: &Path, options: &Options) -> Result<Vec<Start>, String> {
    say("SQLite: memory at rest and time to start");
    let mut server = Server::start(binary, None)?;
    let empty = observe(&mut server, 0)?;
    let Some(users) = options.fill else { return Ok(vec![empty]) };
    fill(&server, users)?;
    Ok(vec![empty, observe(&mut server, users)?])
}

fn observe(server: &mut Server, users: u64) -> Result<Start, String> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        server.restart()?;
        times.push(server.ready_after);
    }
    sleep(SETTLED_AFTER);
    Ok(Start { users, ready_after: median(&times, |time| *time), idle_kib: resident_kib(server.pid())? })
}

/// Puts so many more users into the database of a server, in its default project.
pub fn fill(server: &Server, users: u64) -> Result<(), String> {
    say(format_args!("filling the database with {users} users"));
    let started = Instant::now();
    let mut fill = Command::new(limits::example("latchkey-storage", "fill")?);
    #[expect(
        clippy::disallowed_methods,
        reason = "the server that is filled lives by the time of the machine"
    )]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let (url, users, now) = (server.database_url(), users.to_string(), now.to_string());
    run(fill.args([url.as_str(), server.project_id(), &users, &now]))?;
    say(format_args!("that took {} seconds", started.elapsed().as_secs()));
    Ok(())
}
