//! What `latchkey serve` refuses to start with: valid on a laptop, wrong in production.

use crate::{
    Config, Duration,
    dump::MASK,
    errors::{Findings, Problem},
};

/// What follows the prefix of every key that `latchkey dev` makes, and the id of its master key. Keys that carry it
/// are known to have stood on a laptop, in a shell history, in a screenshot.
pub const DEV_MARK: &str = "devkey";

/// Words that give away a secret copied from an example.
const SAMPLE_WORDS: [&str; 12] = [
    "change",
    "example",
    "sample",
    "secret_here",
    "your-",
    "your_",
    "placeholder",
    "insecure",
    "password",
    "test_key",
    "xxxx",
    "1234567890",
];

impl Config {
    /// Everything that must change before this configuration may serve the public, one sentence each; empty when
    /// there is nothing.
    pub fn check_for_production(&self) -> Vec<Problem> {
        let mut found = Findings::default();
        self.check_addresses(&mut found);
        self.check_master_keys(&mut found);
        self.check_project_keys(&mut found);
        if self.tokens.access_token_lifetime < Duration::from_secs(60) {
            found.error(
                "tokens.access_token_lifetime",
                "Raise tokens.access_token_lifetime to at least 1m: with less, the client libraries refresh before \
                 almost every request.",
            );
        }
        found
            .into_errors(&self.origins)
            .into_iter()
            .map(|error| Problem { key: error.key, origin: error.origin, message: error.message })
            .collect()
    }

    fn check_addresses(&self, found: &mut Findings) {
        match &self.server.public_url {
            None => found.error(
                "server.public_url",
                "Set server.public_url to the https:// address under which clients reach this server.",
            ),
            Some(url) if url.is_local() => found.error(
                "server.public_url",
                "Set server.public_url to an address that clients can reach: a local one works on this machine only.",
            ),
            Some(url) if !url.is_https() => found.error(
                "server.public_url",
                "Change server.public_url to https:// and put TLS in front of this server: over http:// anyone on the \
                 way reads tokens and passwords.",
            ),
            Some(_) => {}
        }
        if let Some(path) = self.database.sqlite_path()
            && (path.starts_with("/tmp/")
                || path.starts_with("/var/tmp/")
                || path.starts_with("/dev/shm/")
                || path.contains(":memory:"))
        {
            found.error(
                "database.url",
                "Move the database in database.url to a directory that survives a restart, such as /var/lib/latchkey.",
            );
        }
    }

    fn check_master_keys(&self, found: &mut Findings) {
        const KEY: &str = "security.master_keys";
        let keys = self.security.master_keys();
        if keys.is_empty() {
            found.error(
                KEY,
                "Set security.master_keys to an id and 32 random bytes, such as \"2026a:\" followed by the output of \
                 `openssl rand -base64 32`, and keep a copy: without it, sealed data is lost.",
            );
        }
        for key in keys {
            if key.id.starts_with(DEV_MARK) {
                found.error(
                    KEY,
                    format!(
                        "Replace the master key {:?}, which `latchkey dev` made, by one of your own.",
                        key.id
                    ),
                );
            } else if is_patterned(key.bytes.as_slice()) {
                found.error(
                    KEY,
                    format!("Replace the master key {:?} by 32 random bytes: it is a sample.", key.id),
                );
            }
        }
    }

    fn check_project_keys(&self, found: &mut Findings) {
        for (index, project) in self.projects.iter().enumerate() {
            for (name, key) in project.keys.iter() {
                let at = format!("project.{index}.keys.{name}");
                let text = key.expose().to_ascii_lowercase();
                let random = text.split_once('_').map_or(text.as_str(), |(_, random)| random);
                if random.starts_with(DEV_MARK) {
                    found.error(
                        at,
                        format!(
                            "Replace {name} of project {}, which `latchkey dev` made, by one of your own.",
                            project.id
                        ),
                    );
                } else if name == "publishable_client_key" {
                    // Every browser knows it; nothing depends on its being hard to guess.
                } else if text == MASK || SAMPLE_WORDS.iter().any(|word| text.contains(word)) {
                    found.error(
                        at,
                        format!("Replace {name} of project {} by a random one: it is a sample.", project.id),
                    );
                } else if random.len() < 32 || is_patterned(random.as_bytes()) {
                    found.error(
                        at,
                        format!(
                            "Replace {name} of project {} by a random one of at least 32 characters.",
                            project.id
                        ),
                    );
                }
            }
        }
    }
}

/// Whether the bytes were plainly not drawn at random: fewer than a third of them distinct, or each a step from the
/// one before.
fn is_patterned(bytes: &[u8]) -> bool {
    let mut distinct = bytes.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let step = |pair: &[u8]| pair[1].wrapping_sub(pair[0]);
    distinct.len() <= 8.min(bytes.len() / 3)
        || bytes.windows(2).all(|pair| matches!(step(pair), 0 | 1 | 0xff))
        || bytes.windows(3).all(|triple| step(&triple[..2]) == step(&triple[1..]))
}
