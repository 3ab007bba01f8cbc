//! Password hashing in threads of its own: a fixed number of them, each with one block of memory, behind a bounded
//! queue. Hashing never runs on the threads that serve requests, and never takes more memory than it has at start.
//!
//! Argon2id (RFC 9106) for new hashes; Argon2i and bcrypt are verified.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use tokio::sync::oneshot;

use crate::hash_format::{self, Stored};
use crate::random::Random;
use crate::secret::Secret;

/// Longer inputs are refused before hashing, bytes.
const MAX_INPUT: usize = 512;
/// bcrypt looks at 72 bytes, one of them its own.
const MAX_BCRYPT_INPUT: usize = 71;
const SALT: usize = 16;
const OUTPUT: usize = 32;

/// Argon2id parameters of new hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashParams {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

impl Default for HashParams {
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1 }
    }
}

/// Why a password could not be hashed or checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The queue is full.
    #[error("too many passwords are waiting to be hashed")]
    Busy {
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// More than 512 bytes.
    #[error("the password is longer than {MAX_INPUT} bytes")]
    TooLong,
    /// The parameters, or the threads, cannot be used.
    #[error("{0}")]
    Broken(String),
}

/// The outcome of checking a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is the right one.
    pub matches: bool,
    /// Whether the stored hash has another scheme or other parameters than new ones get.
    pub outdated: bool,
}

/// What a thread is asked to do.
enum Job {
    Hash { password: Secret<String>, answer: oneshot::Sender<Result<String, HashError>> },
    Verify { password: Secret<String>, stored: Option<String>, answer: oneshot::Sender<Result<Verdict, HashError>> },
}

/// The threads and the queue before them. Cheap to clone; the threads end when the last clone is dropped.
#[derive(Clone)]
pub struct PasswordHasher {
    queue: SyncSender<Job>,
    threads: u32,
}

impl PasswordHasher {
    /// Starts `threads` threads (0: one per core) behind a queue of `queue` jobs.
    ///
    /// # Errors
    /// [`HashError::Broken`] for parameters that Argon2 does not allow, or when no thread can be started.
    pub fn new(params: HashParams, threads: usize, queue: usize) -> Result<Self, HashError> {
        let params = Params::new(params.memory_kib, params.iterations, params.parallelism, Some(OUTPUT))
            .map_err(|error| HashError::Broken(format!("the Argon2 parameters are not allowed: {error}")))?;
        let threads = match threads {
            0 => thread::available_parallelism().map_or(1, NonZero::get),
            threads => threads,
        };
        let (sender, receiver) = sync_channel(queue.max(1));
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..threads {
            let worker = Worker::new(params.clone(), Arc::clone(&receiver))?;
            thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || worker.work())
                .map_err(|error| HashError::Broken(format!("a hashing thread did not start: {error}")))?;
        }
        Ok(Self { queue: sender, threads: u32::try_from(threads).unwrap_or(u32::MAX) })
    }

    /// Hashes a password with Argon2id and a fresh salt; the result is a PHC string.
    ///
    /// # Errors
    /// [`HashError::TooLong`], [`HashError::Busy`].
    pub async fn hash(&self, password: Secret<String>) -> Result<String, HashError> {
        let (answer, answered) = oneshot::channel();
        self.submit(&password, |password| Job::Hash { password, answer })?;
        answered.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Checks a password against a stored hash. Without one, and against a text that is no hash, the same work is
    /// done against a hash that nobody knows the password of.
    ///
    /// bcrypt hashes cost what they cost: an account whose hash was imported and never used can be told from others
    /// by time until its first sign-in, which replaces the hash.
    ///
    /// # Errors
    /// [`HashError::TooLong`], [`HashError::Busy`].
    pub async fn verify(&self, password: Secret<String>, stored: Option<String>) -> Result<Verdict, HashError> {
        let (answer, answered) = oneshot::channel();
        self.submit(&password, |password| Job::Verify { password, stored, answer })?;
        answered.await.unwrap_or_else(|_| Err(lost()))
    }

    fn submit(&self, password: &Secret<String>, job: impl FnOnce(Secret<String>) -> Job) -> Result<(), HashError> {
        if password.expose().len() > MAX_INPUT {
            return Err(HashError::TooLong);
        }
        self.queue.try_send(job(password.clone())).map_err(|error| match error {
            TrySendError::Full(_) => HashError::Busy { retry_after_seconds: 1 + 4 / self.threads.max(1) },
            TrySendError::Disconnected(_) => lost(),
        })
    }
}

fn lost() -> HashError {
    HashError::Broken("the hashing threads are gone".to_owned())
}

/// One thread with its memory. The memory is not wiped between two passwords: each fills it anew from the start, and
/// what is left of the last one is no more than its (salted) hash would give away.
struct Worker {
    params: Params,
    dummy: Vec<u8>,
    memory: Vec<Block>,
    jobs: Arc<Mutex<Receiver<Job>>>,
}

impl Worker {
    fn new(params: Params, jobs: Arc<Mutex<Receiver<Job>>>) -> Result<Self, HashError> {
        let mut dummy = vec![0; SALT];
        Random::system().fill(&mut dummy);
        let memory = vec![Block::new(); params.block_count()];
        Ok(Self { params, dummy, memory, jobs })
    }

    fn work(mut self) {
        yield_to_requests();
        loop {
            let job = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = job else { return };
            // A defect in a hash implementation costs one answer, not the thread.
            if catch_unwind(AssertUnwindSafe(|| self.run(job))).is_err() {
                self.memory.fill(Block::new());
            }
        }
    }

    fn run(&mut self, job: Job) {
        match job {
            // Nobody waits for the answer any more.
            Job::Hash { answer, .. } if answer.is_closed() => {}
            Job::Verify { answer, .. } if answer.is_closed() => {}
            Job::Hash { password, answer } => {
                let _ = answer.send(self.hash(password.expose()));
            }
            Job::Verify { password, stored, answer } => {
                let _ = answer.send(self.verify(password.expose(), stored.as_deref()));
            }
        }
    }

    fn hash(&mut self, password: &str) -> Result<String, HashError> {
        let mut salt = [0; SALT];
        Random::system().fill(&mut salt);
        let mut output = [0; OUTPUT];
        let params = self.params.clone();
        self.argon2(Algorithm::Argon2id, &params, password, &salt, &mut output)?;
        Ok(hash_format::write(&params, &salt, &output))
    }

    fn verify(&mut self, password: &str, stored: Option<&str>) -> Result<Verdict, HashError> {
        match stored.and_then(hash_format::parse) {
            Some(Stored::Argon2 { algorithm, params, salt, hash }) => {
                let mut output = vec![0; hash.len()];
                self.argon2(algorithm, &params, password, &salt, &mut output)?;
                let matches = verify_slices_are_equal(&output, &hash).is_ok();
                let same = |one: &Params, other: &Params| {
                    (one.m_cost(), one.t_cost(), one.p_cost(), one.output_len())
                        == (other.m_cost(), other.t_cost(), other.p_cost(), other.output_len())
                };
                let current = algorithm == Algorithm::Argon2id && same(&params, &self.params);
                Ok(Verdict { matches, outdated: !current })
            }
            Some(Stored::Bcrypt(hash)) => {
                // bcrypt would ignore the rest of a longer password and match on its beginning.
                let whole = password.len() <= MAX_BCRYPT_INPUT && !password.contains('\0');
                let matches = bcrypt::verify(password, hash).unwrap_or(false) && whole;
                Ok(Verdict { matches, outdated: true })
            }
            None => {
                let (params, salt) = (self.params.clone(), self.dummy.clone());
                let mut output = [0; OUTPUT];
                self.argon2(Algorithm::Argon2id, &params, password, &salt, &mut output)?;
                Ok(Verdict { matches: false, outdated: false })
            }
        }
    }

    fn argon2(
        &mut self,
        algorithm: Algorithm,
        params: &Params,
        password: &str,
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), HashError> {
        let argon2 = Argon2::new(algorithm, Version::V0x13, params.clone());
        let broken = |error: argon2::Error| HashError::Broken(format!("Argon2 failed: {error}"));
        if params.block_count() <= self.memory.len() {
            let memory = &mut self.memory[..params.block_count()];
            argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, memory).map_err(broken)
        } else {
            // An older hash with more memory than new ones get; rare, and replaced at once.
            argon2.hash_password_into(password.as_bytes(), salt, output).map_err(broken)
        }
    }
}

/// Gives way to the threads that serve requests. Where this is not possible, hashing competes with them.
#[cfg(target_os = "linux")]
fn yield_to_requests() {
    // On Linux, niceness belongs to the thread whose id is given.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 10);
}

#[cfg(not(target_os = "linux"))]
fn yield_to_requests() {}

#[cfg(test)]
mod tests {
    use super::*;

    const LIGHT: HashParams = HashParams { memory_kib: 64, iterations: 1, parallelism: 1 };

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let hasher = PasswordHasher::new(LIGHT, 1, 8).unwrap();
        let hash = hasher.hash(secret("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        let right = hasher.verify(secret("correct horse"), Some(hash.clone())).await.unwrap();
        assert_eq!(right, Verdict { matches: true, outdated: false });
        assert!(!hasher.verify(secret("Correct horse"), Some(hash.clone())).await.unwrap().matches);
        assert_ne!(hash, hasher.hash(secret("correct horse")).await.unwrap(), "salts differ");
    }

    #[tokio::test]
    async fn nothing_matches_without_a_stored_hash() {
        let hasher = PasswordHasher::new(LIGHT, 1, 8).unwrap();
        assert!(!hasher.verify(secret(""), None).await.unwrap().matches);
        assert!(!hasher.verify(secret("x"), Some("no hash".to_owned())).await.unwrap().matches);
    }

    #[tokio::test]
    async fn hashes_of_other_implementations_are_verified_and_outdated() {
        let hasher = PasswordHasher::new(LIGHT, 1, 8).unwrap();
        // From the Argon2 reference implementation's command line: password "password", salt "somesalt".
        let reference = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let verdict = hasher.verify(secret("password"), Some(reference.to_owned())).await.unwrap();
        assert_eq!(verdict, Verdict { matches: true, outdated: true });
        let bcrypt = bcrypt::hash("password", 4).unwrap();
        let verdict = hasher.verify(secret("password"), Some(bcrypt.clone())).await.unwrap();
        assert_eq!(verdict, Verdict { matches: true, outdated: true });
        assert!(!hasher.verify(secret("Password"), Some(bcrypt)).await.unwrap().matches);
    }

    #[tokio::test]
    async fn bcrypt_does_not_match_on_the_beginning_of_a_long_password() {
        let hasher = PasswordHasher::new(LIGHT, 1, 8).unwrap();
        let bcrypt = bcrypt::hash("a".repeat(72), 4).unwrap();
        assert!(!hasher.verify(secret(&"a".repeat(80)), Some(bcrypt)).await.unwrap().matches);
    }

    #[tokio::test]
    async fn long_inputs_and_a_full_queue_are_refused_at_once() {
        let slow = HashParams { memory_kib: 16 * 1024, iterations: 4, parallelism: 1 };
        let hasher = PasswordHasher::new(slow, 1, 1).unwrap();
        assert_eq!(hasher.hash(secret(&"a".repeat(513))).await, Err(HashError::TooLong));
        let many: Vec<_> = (0..16)
            .map(|_| {
                let hasher = hasher.clone();
                tokio::spawn(async move { hasher.hash(secret("password")).await })
            })
            .collect();
        let mut busy = 0;
        for one in many {
            busy += usize::from(matches!(one.await.unwrap(), Err(HashError::Busy { .. })));
        }
        assert!(busy > 0);
    }
}
