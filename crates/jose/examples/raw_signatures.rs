//! What `cargo xtask bench` takes off a refresh before it compares it with a route that only answers: an ES256 signature
//! of the length of an access token, and nothing else, on every core at once.
//!
//! Takes the seconds to run and prints `{"per_second", "cpu_micros"}`; without Linux's `/proc` the second is 0.

use std::error::Error;
use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

/// Header and claims of an access token.
const MESSAGE: [u8; 900] = [b'e'; 900];

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().nth(1).map_or(Ok(10), |word| word.parse())?;
    let duration = Duration::from_secs(seconds);
    let cores = thread::available_parallelism()?.get();
    let (started, cpu_before) = (Instant::now(), cpu_micros());
    let threads: Vec<_> = (0..cores).map(|_| thread::spawn(move || sign_for(duration))).collect();
    let mut signatures = 0;
    for thread in threads {
        signatures += thread.join().map_err(|_| "a signing thread panicked")??;
    }
    let signatures = f64::from(signatures);
    let per_second = signatures / started.elapsed().as_secs_f64();
    let cpu_micros = (cpu_micros() - cpu_before) / signatures;
    writeln!(std::io::stdout(), "{{\"per_second\":{per_second:.1},\"cpu_micros\":{cpu_micros:.2}}}")?;
    Ok(())
}

/// Signs on this thread for so long; gives how often.
fn sign_for(duration: Duration) -> Result<u32, &'static str> {
    let random = SystemRandom::new();
    let failed = |_| "the machine cannot sign";
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(failed)?;
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref())
        .map_err(|_| "a new key cannot be read")?;
    let started = Instant::now();
    let mut signatures = 0;
    while started.elapsed() < duration {
        key.sign(&random, &MESSAGE).map_err(failed)?;
        signatures += 1;
    }
    Ok(signatures)
}

/// CPU time of this process so far, from `/proc/self/stat` in ticks of 10 ms.
fn cpu_micros() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
    let ticks: u32 = fields.skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    f64::from(ticks) * 10_000.0
}
