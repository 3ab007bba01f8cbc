//! One Argon2 computation after another in one block of memory (RFC 9106). Knows nothing of formats and queues.
//!
//! The block is wiped by the implementation after each computation, so that nothing of a password outlives its
//! hash; wiping costs nothing measurable, since the next computation needs clean memory anyway.

use argon2_rust::params::{Memory, TagLen};
use argon2_rust::{Argon2, Error, Hasher, Params, Version};

pub(crate) use argon2_rust::Algorithm;

/// Most memory of one hash, KiB: 4 GiB. The limits are those that the configuration allows, so that whatever was
/// made with valid parameters can be verified.
const MAX_MEMORY_KIB: u32 = 1 << 22;
/// Most passes.
const MAX_ITERATIONS: u32 = 100;
/// Most lanes.
const MAX_PARALLELISM: u32 = 64;

/// Argon2 cost parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashParams {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes. One thread computes them one after the other: more lanes cost an attacker nothing and us nothing.
    pub parallelism: u32,
}

impl Default for HashParams {
    /// 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1 }
    }
}

impl HashParams {
    /// Whether these parameters are within what RFC 9106 §3.1 and this server allow.
    pub(crate) fn are_allowed(&self) -> bool {
        self.memory_kib <= MAX_MEMORY_KIB
            && self.iterations <= MAX_ITERATIONS
            && self.parallelism <= MAX_PARALLELISM
            && self.build(32).is_ok()
    }

    fn build(&self, output: usize) -> Result<Params, Error> {
        Params::builder()
            .memory(Memory::kib(self.memory_kib.into()))
            .passes(self.iterations)
            .lanes(self.parallelism)
            .threads(1)
            .tag_len(TagLen::bytes(output as u64))
            .build()
    }
}

/// The memory of one hashing thread. It is taken at the first hash.
pub(crate) struct Arena {
    usual: HashParams,
    hasher: Hasher,
}

impl Arena {
    /// An arena that keeps the memory for `usual`.
    pub(crate) fn new(usual: HashParams) -> Self {
        Self { usual, hasher: Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT).hasher() }
    }

    /// Computes a hash of `output.len()` bytes. Memory beyond the usual is given back at once.
    pub(crate) fn compute(
        &mut self,
        algorithm: Algorithm,
        params: HashParams,
        password: &[u8],
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), Error> {
        self.hasher.set_argon2(Argon2::new(algorithm, Version::V0x13, params.build(output.len())?));
        let outcome = self.hasher.hash_into(password, salt, output);
        if params.memory_kib > self.usual.memory_kib {
            self.hasher.clear();
        }
        outcome
    }

    /// Gives the memory back, wiped; the next hash takes it again.
    pub(crate) fn release(&mut self) {
        self.hasher.clear();
    }
}

/// Computes the Argon2id example of RFC 9106 §5.3 with the instructions that were chosen for this processor.
/// A processor or a build on which the result differs must not hash passwords: nobody could sign in elsewhere.
pub(crate) fn works_here() -> bool {
    let mut output = [0; 32];
    HashParams { memory_kib: 32, iterations: 3, parallelism: 4 }
        .build(output.len())
        .and_then(|params| {
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hasher().hash_into_with_ad(
                &[1; 32],
                &[2; 16],
                &[3; 8],
                &[4; 12],
                &mut output,
            )
        })
        .is_ok_and(|()| output == EXAMPLE)
}

/// The tag of RFC 9106 §5.3.
const EXAMPLE: [u8; 32] = [
    0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0,
    0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn compute(algorithm: Algorithm, params: HashParams, password: &[u8], salt: &[u8]) -> Vec<u8> {
        let mut output = vec![0; 32];
        Arena::new(params).compute(algorithm, params, password, salt, &mut output).unwrap();
        output
    }

    #[test]
    fn the_example_of_the_rfc_comes_out() {
        assert!(works_here());
    }

    #[test]
    fn every_digest_agrees_with_the_other_implementation() {
        let mut compared = 0;
        for (ours, theirs) in [
            (Algorithm::Argon2id, argon2::Algorithm::Argon2id),
            (Algorithm::Argon2i, argon2::Algorithm::Argon2i),
        ] {
            for (memory_kib, iterations, parallelism) in
                [(8, 1, 1), (9, 3, 1), (32, 1, 4), (100, 2, 3), (256, 2, 1), (1024, 1, 2), (19_456, 2, 1)]
            {
                for password in ["", "a", "correct horse battery staple", &"ä".repeat(256)] {
                    let params = HashParams { memory_kib, iterations, parallelism };
                    let salt = b"a salt of sixteen"; // odd length on purpose
                    let mut expected = [0; 32];
                    let oracle = argon2::Params::new(memory_kib, iterations, parallelism, Some(32)).unwrap();
                    argon2::Argon2::new(theirs, argon2::Version::V0x13, oracle)
                        .hash_password_into(password.as_bytes(), salt, &mut expected)
                        .unwrap();
                    assert_eq!(compute(ours, params, password.as_bytes(), salt), expected, "{params:?}");
                    compared += 1;
                }
            }
        }
        assert_eq!(compared, 56);
    }

    #[test]
    fn one_arena_serves_parameters_of_every_size() {
        let light = HashParams { memory_kib: 64, iterations: 1, parallelism: 1 };
        let heavy = HashParams { memory_kib: 512, iterations: 2, parallelism: 2 };
        let mut arena = Arena::new(light);
        for params in [light, heavy, light, heavy, heavy, light] {
            let mut output = [0; 32];
            arena.compute(Algorithm::Argon2id, params, b"password", b"somesalt", &mut output).unwrap();
            assert_eq!(output.to_vec(), compute(Algorithm::Argon2id, params, b"password", b"somesalt"));
            assert!(arena.hasher.reserved_blocks() <= 64, "memory beyond the usual is given back");
        }
        arena.release();
        assert_eq!(arena.hasher.reserved_blocks(), 0);
    }

    #[test]
    fn impossible_parameters_are_not_allowed() {
        let allowed = |memory_kib, iterations, parallelism| {
            HashParams { memory_kib, iterations, parallelism }.are_allowed()
        };
        assert!(allowed(19_456, 2, 1) && allowed(65_536, 3, 4) && allowed(8, 1, 1));
        assert!(!allowed(7, 1, 1) && !allowed(8, 0, 1) && !allowed(8, 1, 0) && !allowed(16, 1, 4));
        assert!(!allowed(1 << 23, 1, 1) && !allowed(64, 101, 1) && !allowed(1024, 1, 65));
    }
}
