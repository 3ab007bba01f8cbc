//! Memory at rest, and the time from the start of the process until it accepts requests.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Options;
use super::api::Session;
use super::load::{Scenario, Wrk};
use super::process::resident_kib;
use super::server::Server;
use crate::shell::say;

const FILLING_CONNECTIONS: u32 = 64;
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
    let users = fill(&server, users)?;
    Ok(vec![empty, observe(&mut server, users)?])
}

fn observe(server: &mut Server, users: u64) -> Result<Start, String> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        server.restart()?;
        times.push(server.ready_after);
    }
    times.sort_unstable();
    sleep(SETTLED_AFTER);
    Ok(Start { users, ready_after: times[STARTS / 2], idle_kib: resident_kib(server.pid())? })
}

/// Creates people as a server would, until there are at least so many; gives how many.
pub fn fill(server: &Server, users: u64) -> Result<u64, String> {
    say(format_args!("filling the database with {users} users"));
    let started = Instant::now();
    // The script wants somebody, and servers who create users need nobody.
    let nobody = Session { email: "-".into(), access_token: "-".into(), refresh_token: "-".into() };
    let wrk = Wrk::new(server.folder(), server.base_url(), &server.api().server_headers, &[nobody])?;
    let mut made = 0;
    for round in 0.. {
        let run = format!("fill{users}-{round}");
        let (requests, failures) =
            wrk.start(Scenario::CreateUser, FILLING_CONNECTIONS, 10, &run)?.finish()?.counts();
        if requests == failures {
            return Err("users cannot be created: every request failed".to_owned());
        }
        made += requests - failures;
        say(format_args!("{made} users after {} seconds", started.elapsed().as_secs()));
        if made >= users {
            break;
        }
    }
    Ok(made)
}
