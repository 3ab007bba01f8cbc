//! A clock that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};

use latchkey_identity::Clock;

/// 2026-01-01T00:00:00Z, where every test begins.
const START: i64 = 1_767_225_600_000;

/// The clock of one test server.
pub struct FakeClock(AtomicI64);

impl Default for FakeClock {
    fn default() -> Self {
        Self(AtomicI64::new(START))
    }
}

impl FakeClock {
    /// Moves time forward by so many milliseconds.
    pub fn advance_millis(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// Moves time forward by so many seconds.
    pub fn advance_seconds(&self, seconds: i64) {
        self.advance_millis(seconds * 1000);
    }
}

impl Clock for FakeClock {
    fn now_millis(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}
