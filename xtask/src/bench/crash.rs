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
/// How many sign in at once afterwards.
const LOOKING: usize = 8;
/// What is tested is whether rows are there, not how dear a hash is: with cheap hashes more sign-ups are in the database's
/// hands at the moment of the kill.
const CHEAP_HASHES: [&str; 3] =
    ["passwords.memory_kib=8192", "passwords.iterations=1", "passwords.queue=1000"];

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
    let mut server = Server::start_with(binary, postgres, &CHEAP_HASHES)?;
    let mut seen = Crashes { rounds, acknowledged: 0, lost: Vec::new() };
    for round in 0..rounds {
        // A different moment in each round, from the first acknowledgement to the last but a few.
        let moment = 1 + round * 37 % (CONCURRENT - 10);
        let emails = sign_up_until_killed(&server, round, moment);
        server.kill_and_restart()?;
        seen.lost.extend(missing(&server, &emails)?);
        seen.acknowledged += emails.len();
        examine(&server)?;
    }
    Ok(seen)
}

/// Those of `emails` who cannot sign in.
fn missing(server: &Server, emails: &[String]) -> Result<Vec<String>, String> {
    let share = emails.len().div_ceil(LOOKING).max(1);
    thread::scope(|scope| {
        let looks: Vec<_> = emails
            .chunks(share)
            .map(|emails| {
                let api = server.api();
                scope.spawn(move || {
                    let mut missing = Vec::new();
                    for email in emails {
                        if api.sign_in(email, PASSWORD)? != 200 {
                            missing.push(email.clone());
                        }
                    }
                    Ok::<_, String>(missing)
                })
            })
            .collect();
        let mut missing = Vec::new();
        for look in looks {
            missing.extend(look.join().map_err(|_| "a sign-in panicked".to_owned())??);
        }
        Ok(missing)
    })
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
