//! Whether the time of an answer tells if somebody has an account.
//!
//! Known and unknown addresses take turns on one connection. The two samples are compared by ranks (Mann and Whitney
//! 1947), which asks nothing of their distribution.

use std::path::Path;
use std::time::Instant;

use serde_json::json;

use super::Options;
use super::api::{Api, PASSWORD};
use super::server::Server;
use crate::shell::say;

/// What can be asked about an address without being its owner, and is answered alike whether or not it is known.
#[derive(Clone, Copy)]
pub enum Question {
    /// A sign-in with a wrong password.
    SignIn,
    /// A link for a forgotten password.
    SendResetCode,
    /// A code that signs in or up, where sign-ups are open: a verified address against one that nobody has.
    SendSignInCode,
}

impl Question {
    const ALL: [Self; 3] = [Self::SignIn, Self::SendResetCode, Self::SendSignInCode];

    /// What is asked.
    pub fn title(self) -> &'static str {
        match self {
            Self::SignIn => "a refused sign-in",
            Self::SendResetCode => "a link for a forgotten password",
            Self::SendSignInCode => "a code that signs in",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::SignIn => "/auth/password/sign-in",
            Self::SendResetCode => "/auth/password/send-reset-code",
            Self::SendSignInCode => "/auth/otp/send-sign-in-code",
        }
    }

    fn expected_status(self) -> u16 {
        match self {
            Self::SignIn => 400,
            Self::SendResetCode | Self::SendSignInCode => 200,
        }
    }

    /// Asks about an address.
    fn ask(self, api: &Api, email: &str) -> Result<(), String> {
        let body = match self {
            Self::SignIn => json!({ "email": email, "password": "not the password of anybody" }),
            Self::SendResetCode | Self::SendSignInCode => {
                json!({ "email": email, "callback_url": "http://localhost:3000/" })
            }
        };
        match api.ask(self.path(), &body)? {
            (status, _) if status == self.expected_status() => Ok(()),
            (status, body) => Err(format!("{} was answered with {status}: {body}", self.title())),
        }
    }
}

/// Two samples and how they differ.
pub struct Timing {
    /// What was asked.
    pub question: Question,
    /// Questions of each kind.
    pub samples: usize,
    /// Median for an address with an account, microseconds.
    pub known_micros: u64,
    /// Median for one without.
    pub unknown_micros: u64,
    /// The rank statistic, in standard deviations from "no difference".
    pub z: f64,
}

/// People with an account.
const KNOWN: usize = 16;

/// Measures on a server of its own.
pub fn measure(binary: &Path, options: &Options) -> Result<Vec<Timing>, String> {
    let samples = options.either(2000, 100);
    let server = Server::start(binary, None)?;
    let api = server.api();
    for number in 0..KNOWN {
        let fields = json!({
            "primary_email": format!("person{number}@example.com"), "primary_email_verified": true,
            "primary_email_auth_enabled": true, "password": PASSWORD,
        });
        let (status, body) = api.post("/users", &fields)?;
        if status != 201 {
            return Err(format!("a user was not created: {status} {body}"));
        }
    }
    Question::ALL.into_iter().map(|question| measure_one(&api, question, samples)).collect()
}

fn measure_one(api: &Api, question: Question, samples: usize) -> Result<Timing, String> {
    say(format_args!("{}: {samples} times for known and for unknown addresses", question.title()));
    let mut times: [Vec<u64>; 2] = [Vec::new(), Vec::new()];
    for number in 0..2 * samples {
        // Turns in the order 0 1 1 0, so that neither kind always follows the other.
        let unknown = usize::from((number + number / 2) % 2 == 1);
        let name = ["person", "nobody"][unknown];
        let email = format!("{name}{}@example.com", number % KNOWN);
        let asked = Instant::now();
        question.ask(api, &email)?;
        times[unknown].push(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    let [known, unknown] = times;
    let z = rank_statistic(&known, &unknown);
    Ok(Timing { question, samples, known_micros: median(known), unknown_micros: median(unknown), z })
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
