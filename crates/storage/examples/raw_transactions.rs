//! The limit that `cargo xtask bench` compares writes with: durable SQLite transactions in groups, by rusqlite alone.
//!
//! Each is an INSERT of a session and an UPDATE of its user in a savepoint; 32 of them share a commit with
//! `synchronous=FULL`, as 32 clients at once would make the writer thread do. Takes the seconds to run and prints
//! `{"per_second", "cpu_micros"}`; without Linux's `/proc` the second is 0.

use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

const GROUP: usize = 32;
const USERS: usize = 10_000;
/// The WAL is emptied after so many groups, as the server does when it has grown.
const GROUPS_BETWEEN_CHECKPOINTS: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().nth(1).map_or(Ok(10), |word| word.parse())?;
    let folder = std::env::temp_dir().join(format!("latchkey-raw-transactions-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let measured = measure(&folder.join("raw.db"), Duration::from_secs(seconds));
    std::fs::remove_dir_all(&folder)?;
    let (per_second, cpu_micros) = measured?;
    writeln!(std::io::stdout(), "{{\"per_second\":{per_second:.1},\"cpu_micros\":{cpu_micros:.1}}}")?;
    Ok(())
}

fn measure(file: &std::path::Path, duration: Duration) -> Result<(f64, f64), Box<dyn Error>> {
    let mut connection = Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
         CREATE TABLE users (id TEXT NOT NULL PRIMARY KEY, last_active_at INTEGER NOT NULL) STRICT;
         CREATE TABLE sessions (
             id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (id),
             token_hash BLOB NOT NULL UNIQUE, created_at INTEGER NOT NULL
         ) STRICT;",
    )?;
    fill(&mut connection)?;
    let (started, cpu_before) = (Instant::now(), cpu_micros());
    let mut done = 0;
    let mut groups = 0;
    while started.elapsed() < duration {
        group(&mut connection, done)?;
        done += GROUP;
        groups += 1;
        if groups % GROUPS_BETWEEN_CHECKPOINTS == 0 {
            connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
        }
    }
    let transactions = f64::from(u32::try_from(done)?);
    Ok((transactions / started.elapsed().as_secs_f64(), (cpu_micros() - cpu_before) / transactions))
}

fn fill(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    let transaction = connection.transaction()?;
    for number in 0..USERS {
        transaction.execute("INSERT INTO users VALUES (?1, 0)", [id(number)])?;
    }
    transaction.commit()
}

/// One commit of [`GROUP`] transactions, each in its savepoint.
fn group(connection: &mut Connection, first: usize) -> Result<(), rusqlite::Error> {
    let mut transaction = connection.transaction()?;
    for number in first..first + GROUP {
        let savepoint = transaction.savepoint()?;
        // The places of users and hashes are scattered, as those of people are.
        let user = id(number * 7919 % USERS);
        let hash = u64::try_from(number)
            .unwrap_or_default()
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .to_be_bytes()
            .repeat(4);
        let now = i64::try_from(number).unwrap_or_default();
        savepoint.prepare_cached("INSERT INTO sessions VALUES (?1, ?2, ?3, ?4)")?.execute(params![
            id(number.wrapping_mul(104_729)),
            user,
            hash,
            now
        ])?;
        savepoint
            .prepare_cached("UPDATE users SET last_active_at = ?2 WHERE id = ?1")?
            .execute(params![user, now])?;
        savepoint.commit()?;
    }
    transaction.commit()
}

fn id(number: usize) -> String {
    format!("{:08x}-0000-4000-8000-{number:012x}", number.wrapping_mul(2_654_435_761) & 0xFFFF_FFFF)
}

/// CPU time of this process so far, from `/proc/self/stat` in ticks of 10 ms.
fn cpu_micros() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
    let ticks: u32 = fields.skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    f64::from(ticks) * 10_000.0
}
