//! The limit that `cargo xtask bench` compares sign-ins with: Argon2id with the default parameters and nothing else, on
//! every core at once, each thread with one block of memory.
//!
//! Takes the seconds to run and prints `{"per_second", "cpu_micros"}`; without Linux's `/proc` the second is 0.

use std::error::Error;
use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use argon2_rust::params::{Memory, TagLen};
use argon2_rust::{Algorithm, Argon2, Params, Version};

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().nth(1).map_or(Ok(10), |word| word.parse())?;
    let duration = Duration::from_secs(seconds);
    let cores = thread::available_parallelism()?.get();
    let (started, cpu_before) = (Instant::now(), cpu_micros());
    let threads: Vec<_> = (0..cores).map(|_| thread::spawn(move || hash_for(duration))).collect();
    let mut hashes = 0;
    for thread in threads {
        hashes += thread.join().map_err(|_| "a hashing thread panicked")??;
    }
    let hashes = f64::from(hashes);
    let per_second = hashes / started.elapsed().as_secs_f64();
    let cpu_micros = (cpu_micros() - cpu_before) / hashes;
    writeln!(std::io::stdout(), "{{\"per_second\":{per_second:.1},\"cpu_micros\":{cpu_micros:.1}}}")?;
    Ok(())
}

/// Hashes on this thread for so long; gives how often.
fn hash_for(duration: Duration) -> Result<u32, argon2_rust::Error> {
    let params = Params::builder()
        .memory(Memory::kib(19_456))
        .passes(2)
        .lanes(1)
        .threads(1)
        .tag_len(TagLen::bytes(32));
    let mut hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.build()?).hasher();
    let mut output = [0; 32];
    let started = Instant::now();
    let mut hashes = 0;
    while started.elapsed() < duration {
        hasher.hash_into(b"seven lamps over water", b"sixteen byte tag", &mut output)?;
        hashes += 1;
    }
    Ok(hashes)
}

/// CPU time of this process so far, from `/proc/self/stat` in ticks of 10 ms.
fn cpu_micros() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
    let ticks: u32 = fields.skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    f64::from(ticks) * 10_000.0
}
