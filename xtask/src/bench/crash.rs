//! Whether a crash loses anything: the server is killed in the middle of many sign-ups, again and again.
//!
//! Every sign-up that was acknowledged must be there afterwards, and the database must be whole.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Options;
use super::api::PASSWORD;
use super::server::{Engine, Server};
use crate::postgres::Postgres;
use crate::shell::{capture, say};

const CONCURRENT: usize = 200;

/// What was seen.
pub struct Crashes {
    /// How often the server was killed.
    pub rounds: usize,
    /// Sign-ups that were acknowledged before a kill, in all rounds.
    pub acknowledged: usize,
    /// Those who could not sign in afterwards.
    pub lost: Vec<String>,
}

/// Kills and restarts one server on the same data.
pub fn measure(
    binary: &Path,
    engine: Engine,
    postgres: Option<&Postgres>,
    options: &Options,
) -> Result<Crashes, String> {
    let rounds = options.either(50, 3);
    say(format_args!("{engine}: {rounds} crashes in the middle of {CONCURRENT} sign-ups"));
    let mut server = Server::start(binary, postgres)?;
    let mut seen = Crashes { rounds, acknowledged: 0, lost: Vec::new() };
    for round in 0..rounds {
        // A different moment in each round, from the first acknowledgement to the last but a few.
        let moment = 1 + round * 37 % (CONCURRENT - 10);
        let emails = sign_up_until_killed(&server, round, moment);
        server.kill_and_restart()?;
        let api = server.api();
        for email in &emails {
            if api.sign_in(email, PASSWORD)? != 200 {
                seen.lost.push(email.clone());
            }
        }
        seen.acknowledged += emails.len();
        examine(&server)?;
    }
    Ok(seen)
}

/// Signs up many at once and kills the server when so many were acknowledged; gives the addresses of all who were.
fn sign_up_until_killed(server: &Server, round: usize, moment: usize) -> Vec<String> {
    let acknowledged = Mutex::new(Vec::new());
    let answered = AtomicUsize::new(0);
    let pid = server.pid().to_string();
    thread::scope(|scope| {
        for number in 0..CONCURRENT {
            let (api, acknowledged, answered, pid) = (server.api(), &acknowledged, &answered, &pid);
            scope.spawn(move || {
                let email = format!("round{round}-{number}@example.com");
                if api.sign_up(&email).is_ok() {
                    acknowledged.lock().expect("no thread panics with the lock").push(email);
                }
                if answered.fetch_add(1, Ordering::SeqCst) + 1 == moment {
                    drop(Command::new("kill").args(["-KILL", pid]).status());
                }
            });
        }
    });
    acknowledged.into_inner().expect("no thread panics with the lock")
}

/// The server's own look at its database, which includes the integrity check.
fn examine(server: &Server) -> Result<(), String> {
    let database = format!("database.url={}", server.database_url());
    let mut doctor = Command::new(server.binary());
    doctor.args(["doctor", "--json", "--set", &database]).current_dir(server.folder());
    capture(&mut doctor).map(drop).map_err(|message| format!("after a crash, {message}"))
}
