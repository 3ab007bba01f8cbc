//! `[passwords]`: the cost of password hashing, and the check against breached passwords.
//!
//! Which passwords a project accepts is a matter of the project: `latchkey.password` of its settings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    errors::Findings,
    value::{Duration, PublicUrl},
};

/// Argon2id parameters and the threads that run it. Hashes made with other parameters stay valid and are replaced
/// when their owner signs in next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordsConfig {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Lanes of one hash.
    pub parallelism: u32,
    /// Threads that hash; 0 takes as many as the machine has cores. Each keeps `memory_kib` for itself.
    pub threads: u32,
    /// How many hashes may wait for a thread; further requests are answered 503 with `Retry-After`.
    pub queue: u32,
    /// The check of new passwords against a list of breached ones.
    pub breach_check: BreachCheck,
}

/// A range service in the style of Have I Been Pwned: it is told the first five hex digits of the SHA-1 hash, never
/// the password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BreachCheck {
    /// Whether projects that ask for the check get it.
    pub enabled: bool,
    /// The service; the five digits are appended after a slash.
    pub url: PublicUrl,
    /// How long to wait for its answer.
    pub timeout: Duration,
    /// Whether a password is accepted when the service does not answer.
    pub fail_open: bool,
}

impl Default for PasswordsConfig {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
            threads: 0,
            queue: 256,
            breach_check: BreachCheck::default(),
        }
    }
}

impl Default for BreachCheck {
    fn default() -> Self {
        Self {
            enabled: false,
            url: "https://api.pwnedpasswords.com/range".parse().expect("the default URL is well formed"),
            timeout: Duration::from_secs(2),
            fail_open: true,
        }
    }
}

impl PasswordsConfig {
    pub(crate) fn validate(&self, found: &mut Findings) {
        if !(1..=16).contains(&self.parallelism) {
            found.error("passwords.parallelism", "must be between 1 and 16");
        }
        // RFC 9106 §3.1 asks for 8 KiB a lane; below 8 MiB in all a hash is hardly worth the name.
        if !(8_192..=4_194_304).contains(&self.memory_kib) {
            found.error("passwords.memory_kib", "must be between 8192 (8 MiB) and 4194304 (4 GiB)");
        }
        if !(1..=100).contains(&self.iterations) {
            found.error("passwords.iterations", "must be between 1 and 100");
        }
        if self.threads > 1024 {
            found.error("passwords.threads", "must be at most 1024");
        }
        if self.queue == 0 {
            found.error("passwords.queue", "must be at least 1");
        }
        if self.breach_check.timeout < Duration::from_millis(50) {
            found.error("passwords.breach_check.timeout", "must be at least 50ms");
        }
    }
}
