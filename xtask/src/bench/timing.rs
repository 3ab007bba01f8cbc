//! Whether the time of a sign-in tells if somebody has an account.
//!
//! Known and unknown addresses take turns, each with a wrong password, on one connection. The two samples are compared
//! by ranks (Mann and Whitney 1947), which asks nothing of their distribution.

use std::path::Path;
use std::time::Instant;

use super::Options;
use super::server::Server;
use crate::shell::say;

/// Two samples and how they differ.
pub struct Timing {
    /// Sign-ins of each kind.
    pub samples: usize,
    /// Median for an address with an account, microseconds.
    pub known_micros: u64,
    /// Median for one without.
    pub unknown_micros: u64,
    /// The rank statistic, in standard deviations from "no difference".
    pub z: f64,
}

/// Measures on a server of its own.
pub fn measure(binary: &Path, options: &Options) -> Result<Timing, String> {
    let samples = options.either(2000, 100);
    say(format_args!("{samples} sign-ins each of known and unknown users"));
    let server = Server::start(binary, None)?;
    let api = server.api();
    let known = api.sessions(16)?;
    let mut times: [Vec<u64>; 2] = [Vec::new(), Vec::new()];
    for number in 0..2 * samples {
        // Turns in the order 0 1 1 0, so that neither kind always follows the other.
        let unknown = usize::from((number + number / 2) % 2 == 1);
        let email = match unknown {
            0 => known[number % known.len()].email.clone(),
            _ => format!("nobody{}@example.com", number % known.len()),
        };
        let asked = Instant::now();
        let status = api.sign_in(&email, "not the password of anybody")?;
        times[unknown].push(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
        if status != 400 {
            return Err(format!("a wrong password was answered with {status}"));
        }
    }
    let [known, unknown] = times;
    let z = rank_statistic(&known, &unknown);
    Ok(Timing { samples, known_micros: median(known), unknown_micros: median(unknown), z })
}

fn median(mut times: Vec<u64>) -> u64 {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Mann–Whitney U as a standard score; ties share their mean rank.
#[expect(clippy::cast_precision_loss, reason = "a few thousand samples")]
fn rank_statistic(a: &[u64], b: &[u64]) -> f64 {
    let mut all: Vec<(u64, bool)> =
        a.iter().map(|time| (*time, true)).chain(b.iter().map(|time| (*time, false))).collect();
    all.sort_unstable();
    let mut rank_sum = 0.0;
    let mut below = 0;
    for same in all.chunk_by(|one, other| one.0 == other.0) {
        let mean_rank = below as f64 + (same.len() + 1) as f64 / 2.0;
        rank_sum += mean_rank * same.iter().filter(|(_, is_a)| *is_a).count() as f64;
        below += same.len();
    }
    let (of_a, of_b) = (a.len() as f64, b.len() as f64);
    let statistic = rank_sum - of_a * (of_a + 1.0) / 2.0;
    (statistic - of_a * of_b / 2.0) / (of_a * of_b * (of_a + of_b + 1.0) / 12.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_samples_do_not_differ_and_shifted_ones_do() {
        let a: Vec<u64> = (0..1000).map(|n| n * 7919 % 1000).collect();
        let shifted: Vec<u64> = a.iter().map(|time| time + 100).collect();
        assert!(rank_statistic(&a, &a).abs() < 0.1);
        assert!(rank_statistic(&a, &shifted) < -5.0);
        assert!(rank_statistic(&shifted, &a) > 5.0);
    }
}
