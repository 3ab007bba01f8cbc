//! One hashing thread: takes jobs from the line and answers them, with memory of its own and behind everybody else
//! in the operating system's eyes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use tokio::sync::oneshot;

use super::argon::{Algorithm, Arena, HashParams};
use super::format::{self, Stored};
use super::queue::{Next, Waiting};
use super::{HashError, Shared, Verdict};
use crate::random::Random;
use crate::secret::Secret;

/// bcrypt looks at 72 bytes, one of them its own.
const MAX_BCRYPT_INPUT: usize = 71;
const SALT: usize = 16;
const OUTPUT: usize = 32;
/// A thread without work for this long gives its memory back.
const IDLE: Duration = Duration::from_secs(10);

/// What a thread is asked to do.
pub(super) enum Job {
    Hash {
        password: Secret<String>,
        answer: oneshot::Sender<Result<String, HashError>>,
    },
    Verify {
        password: Secret<String>,
        stored: Option<String>,
        answer: oneshot::Sender<Result<Verdict, HashError>>,
    },
    #[cfg(test)]
    Call(Box<dyn FnOnce() + Send>),
}

impl Waiting for Job {
    fn has_gone(&self) -> bool {
        match self {
            Self::Hash { answer, .. } => answer.is_closed(),
            Self::Verify { answer, .. } => answer.is_closed(),
            #[cfg(test)]
            Self::Call(_) => false,
        }
    }
}

/// One thread with its memory.
pub(super) struct Worker {
    params: HashParams,
    arena: Arena,
    /// What passwords of nobody are checked against: a salt and a digest that are random, so that there is no
    /// password for them.
    nobody: ([u8; SALT], [u8; OUTPUT]),
    shared: Arc<Shared>,
}

impl Worker {
    pub(super) fn new(params: HashParams, shared: Arc<Shared>) -> Self {
        let mut nobody = ([0; SALT], [0; OUTPUT]);
        Random::system().fill(&mut nobody.0);
        Random::system().fill(&mut nobody.1);
        Self { params, arena: Arena::new(params), nobody, shared }
    }

    /// Works until the line is closed.
    pub(super) fn work(mut self) {
        yield_to_requests();
        let mut patience = None;
        loop {
            match self.shared.queue.next(patience) {
                Next::Job(job) => {
                    let started = Instant::now();
                    // A defect in an implementation costs one answer and this memory, not the thread.
                    if catch_unwind(AssertUnwindSafe(|| self.run(job))).is_err() {
                        self.arena = Arena::new(self.params);
                    }
                    self.shared.note_duration(started.elapsed());
                    patience = Some(IDLE);
                }
                Next::Idle => {
                    self.arena.release();
                    patience = None;
                }
                Next::Closed => return,
            }
        }
    }

    fn run(&mut self, job: Job) {
        // An answer that nobody takes is no failure: the caller went away while we worked.
        match job {
            Job::Hash { password, answer } => drop(answer.send(self.hash(password.expose()))),
            Job::Verify { password, stored, answer } => {
                drop(answer.send(self.verify(password.expose(), stored.as_deref())));
            }
            #[cfg(test)]
            Job::Call(call) => call(),
        }
    }

    fn hash(&mut self, password: &str) -> Result<String, HashError> {
        let mut salt = [0; SALT];
        Random::system().fill(&mut salt);
        let mut output = [0; OUTPUT];
        self.argon2(Algorithm::Argon2id, self.params, password, &salt, &mut output)?;
        Ok(format::write(self.params, &salt, &output))
    }

    fn verify(&mut self, password: &str, stored: Option<&str>) -> Result<Verdict, HashError> {
        match stored.and_then(format::parse) {
            Some(Stored::Argon2 { algorithm, params, salt, hash }) => {
                let mut output = [0; 64];
                let output = &mut output[..hash.len()];
                self.argon2(algorithm, params, password, &salt, output)?;
                let matches = verify_slices_are_equal(output, &hash).is_ok();
                let current =
                    algorithm == Algorithm::Argon2id && params == self.params && hash.len() == OUTPUT;
                Ok(Verdict { matches, outdated: !current })
            }
            Some(Stored::Bcrypt(hash)) => {
                // bcrypt would ignore the rest of a longer password, or what follows a NUL, and match on its
                // beginning. The work is done all the same.
                let whole = password.len() <= MAX_BCRYPT_INPUT && !password.contains('\0');
                let matches = bcrypt::verify(password, hash).unwrap_or(false) & whole;
                Ok(Verdict { matches, outdated: true })
            }
            None => {
                let (salt, hash) = self.nobody;
                let mut output = [0; OUTPUT];
                self.argon2(Algorithm::Argon2id, self.params, password, &salt, &mut output)?;
                // The comparison is part of the work; its outcome does not matter.
                let _ = verify_slices_are_equal(&output, &hash);
                Ok(Verdict { matches: false, outdated: false })
            }
        }
    }

    fn argon2(
        &mut self,
        algorithm: Algorithm,
        params: HashParams,
        password: &str,
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), HashError> {
        self.arena
            .compute(algorithm, params, password.as_bytes(), salt, output)
            .map_err(|error| HashError::Broken(format!("Argon2 failed: {error}")))
    }
}

/// Gives way to the threads that serve requests. Where this is not possible, hashing competes with them.
#[cfg(target_os = "linux")]
fn yield_to_requests() {
    // On Linux, niceness belongs to the thread whose id is given. Nineteen is a seventieth of the share of a thread
    // that serves requests, when there is not enough for both: sign-ins wait, but never for ever.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 19);
}

#[cfg(not(target_os = "linux"))]
fn yield_to_requests() {}
