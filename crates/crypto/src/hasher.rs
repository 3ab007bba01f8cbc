//! Password hashing in threads of its own: a fixed number of them, each with one block of memory, behind a bounded
//! queue. Hashing never runs on the threads that serve requests, and never takes more memory than threads × memory.
//!
//! Argon2id (RFC 9106) for new hashes; Argon2i and bcrypt are verified.

mod argon;
mod format;
mod queue;
mod worker;

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

pub use self::argon::HashParams;
pub use self::format::{ImportError, validate_bcrypt_import};
use self::queue::{Queue, Refused};
use self::worker::{Job, Worker};
use crate::secret::Secret;

/// Longer inputs are refused before hashing, bytes.
const MAX_INPUT: usize = 512;
/// Jobs that may wait for each thread when the caller names no number: one to two seconds of work.
const QUEUE_PER_THREAD: usize = 64;
/// What one job is believed to take before the first was measured, microseconds.
const FIRST_GUESS: u64 = 20_000;

/// Why a password could not be hashed or checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The queue is full.
    #[error("too many passwords are waiting to be hashed")]
    Busy {
        /// When the queue will be empty at the present pace, seconds; from 1 to 60.
        retry_after_seconds: u32,
    },
    /// More than 512 bytes.
    #[error("the password is longer than {MAX_INPUT} bytes")]
    TooLong,
    /// The parameters, or the threads, cannot be used; or an implementation failed.
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

/// The threads and the queue before them. Cheap to clone; when the last clone is dropped, the threads finish what
/// they are at, and end.
#[derive(Clone)]
pub struct PasswordHasher(Arc<Pool>);

struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    capacity: usize,
}

/// What the threads and the callers share.
struct Shared {
    queue: Queue<Job>,
    /// Moving average of what a job takes, microseconds.
    pace: AtomicU64,
}

impl Shared {
    fn note_duration(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX / 2);
        // Threads may overwrite each other's measurement; it is an estimate.
        let pace = self.pace.load(Ordering::Relaxed);
        self.pace.store((pace.saturating_mul(7) / 8).saturating_add(took / 8), Ordering::Relaxed);
    }
}

impl PasswordHasher {
    /// Starts `threads` threads (0: one per core) behind a queue of `queue` jobs (0: 64 for each thread).
    ///
    /// # Errors
    /// [`HashError::Broken`] for parameters that Argon2 does not allow, when no thread can be started, and on a
    /// processor on which Argon2 computes something else than RFC 9106 says.
    pub fn new(params: HashParams, threads: usize, queue: usize) -> Result<Self, HashError> {
        let broken = |what: &str| HashError::Broken(what.to_owned());
        if !params.are_allowed() {
            return Err(broken("the Argon2 parameters are not allowed"));
        }
        if !argon::works_here() {
            return Err(broken("Argon2 does not work on this processor"));
        }
        let threads = match threads {
            0 => thread::available_parallelism().map_or(1, NonZero::get),
            threads => threads,
        };
        let capacity = if queue == 0 { threads * QUEUE_PER_THREAD } else { queue };
        let shared = Arc::new(Shared { queue: Queue::new(capacity), pace: AtomicU64::new(FIRST_GUESS) });
        let mut pool = Pool { shared, threads: Vec::with_capacity(threads), capacity };
        for number in 0..threads {
            let worker = Worker::new(params, Arc::clone(&pool.shared));
            let thread =
                thread::Builder::new()
                    .name(format!("hash-{number}"))
                    .spawn(move || worker.work())
                    .map_err(|error| HashError::Broken(format!("a hashing thread did not start: {error}")))?;
            pool.threads.push(thread);
        }
        Ok(Self(Arc::new(pool)))
    }

    /// Hashes a password with Argon2id and a fresh salt; the result is a PHC string. A caller that stops waiting
    /// leaves the queue, and its password is not hashed.
    ///
    /// # Errors
    /// [`HashError::TooLong`], [`HashError::Busy`].
    pub async fn hash(&self, password: Secret<String>) -> Result<String, HashError> {
        let (answer, answered) = oneshot::channel();
        check_length(&password)?;
        self.submit(Job::Hash { password, answer })?;
        answered.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Checks a password against a stored hash: a PHC string of Argon2id or Argon2i, or bcrypt. Without one, and
    /// against a text that is no hash, the same work is done against a hash that nobody knows the password of.
    ///
    /// bcrypt hashes cost what they cost: an account whose hash was imported and never used can be told from others
    /// by time until its first sign-in, which replaces the hash. The same holds for hashes of other Argon2
    /// parameters.
    ///
    /// # Errors
    /// [`HashError::TooLong`], [`HashError::Busy`].
    pub async fn verify(
        &self,
        password: Secret<String>,
        stored: Option<String>,
    ) -> Result<Verdict, HashError> {
        let (answer, answered) = oneshot::channel();
        check_length(&password)?;
        self.submit(Job::Verify { password, stored, answer })?;
        answered.await.unwrap_or_else(|_| Err(lost()))
    }

    fn submit(&self, job: Job) -> Result<(), HashError> {
        self.0.shared.queue.push(job).map_err(|refused| match refused {
            Refused::Full => HashError::Busy { retry_after_seconds: self.0.seconds_to_empty() },
            Refused::Closed => lost(),
        })
    }
}

impl Pool {
    fn seconds_to_empty(&self) -> u32 {
        let pace = self.shared.pace.load(Ordering::Relaxed);
        let micros = pace.saturating_mul(self.capacity as u64) / self.threads.len().max(1) as u64;
        u32::try_from(micros.div_ceil(1_000_000)).unwrap_or(u32::MAX).clamp(1, 60)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.queue.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked outside a job has nothing left that we would need.
            let _ = thread.join();
        }
    }
}

fn check_length(password: &Secret<String>) -> Result<(), HashError> {
    if password.expose().len() > MAX_INPUT { Err(HashError::TooLong) } else { Ok(()) }
}

fn lost() -> HashError {
    HashError::Broken("the password was not hashed: the thread failed or is gone".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

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
        let reference =
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
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
    async fn inputs_over_512_bytes_are_refused_before_hashing() {
        let hasher = PasswordHasher::new(LIGHT, 1, 8).unwrap();
        assert!(hasher.hash(secret(&"a".repeat(512))).await.is_ok());
        assert_eq!(hasher.hash(secret(&"a".repeat(513))).await, Err(HashError::TooLong));
        assert_eq!(hasher.verify(secret(&"a".repeat(513)), None).await, Err(HashError::TooLong));
    }

    /// Keeps the only thread of `hasher` busy until the sender is dropped.
    fn occupy(hasher: &PasswordHasher) -> mpsc::Sender<()> {
        let (release, released) = mpsc::channel::<()>();
        let (started, running) = mpsc::channel();
        let call = move || {
            started.send(()).unwrap();
            let _ = released.recv();
        };
        hasher.submit(Job::Call(Box::new(call))).unwrap();
        running.recv().unwrap();
        release
    }

    #[tokio::test]
    async fn a_full_queue_is_busy_at_once_and_serves_those_who_wait() {
        let hasher = PasswordHasher::new(LIGHT, 1, 2).unwrap();
        let release = occupy(&hasher);
        let waiting: Vec<_> = (0..2).map(|_| start(&hasher)).collect();
        assert_eq!(hasher.hash(secret("x")).await, Err(HashError::Busy { retry_after_seconds: 1 }));
        drop(release);
        for one in waiting {
            assert!(one.await.unwrap().is_ok());
        }
    }

    #[tokio::test]
    async fn callers_who_have_gone_make_place_and_cost_nothing() {
        let hasher = PasswordHasher::new(LIGHT, 1, 2).unwrap();
        let release = occupy(&hasher);
        for _ in 0..2 {
            let one = start(&hasher);
            drop(one);
        }
        let late = start(&hasher);
        drop(release);
        assert!(late.await.unwrap().is_ok());
    }

    /// Joins the queue now, not when first polled.
    fn start(hasher: &PasswordHasher) -> oneshot::Receiver<Result<String, HashError>> {
        let (answer, answered) = oneshot::channel();
        hasher.submit(Job::Hash { password: secret("x"), answer }).unwrap();
        answered
    }

    #[tokio::test]
    async fn a_panic_in_a_job_costs_that_job_only() {
        let hasher = PasswordHasher::new(LIGHT, 1, 8).unwrap();
        hasher.submit(Job::Call(Box::new(|| panic!("on purpose")))).unwrap();
        assert!(hasher.hash(secret("x")).await.is_ok());
    }

    #[tokio::test]
    async fn dropping_the_last_clone_ends_the_threads_and_those_who_wait() {
        let hasher = PasswordHasher::new(LIGHT, 1, 8).unwrap();
        let shared = Arc::clone(&hasher.0.shared);
        let release = occupy(&hasher);
        let waiting = start(&hasher);
        let end = thread::spawn(move || drop(hasher));
        assert!(waiting.await.is_err(), "nobody answers any more");
        drop(release);
        end.join().unwrap();
        assert_eq!(Arc::strong_count(&shared), 1, "the threads are gone");
    }

    #[test]
    fn the_time_to_come_back_follows_the_pace() {
        let hasher = PasswordHasher::new(LIGHT, 1, 100).unwrap();
        assert_eq!(hasher.0.seconds_to_empty(), 2);
        for _ in 0..100 {
            hasher.0.shared.note_duration(Duration::from_millis(200));
        }
        assert_eq!(hasher.0.seconds_to_empty(), 20);
        for _ in 0..100 {
            hasher.0.shared.note_duration(Duration::from_hours(1));
        }
        assert_eq!(hasher.0.seconds_to_empty(), 60);
    }

    #[test]
    fn parameters_that_argon2_does_not_allow_are_refused() {
        let none = HashParams { memory_kib: 0, ..LIGHT };
        assert!(matches!(PasswordHasher::new(none, 1, 1), Err(HashError::Broken(_))));
    }
}
