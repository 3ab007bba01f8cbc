//! `kill -9` in the middle of sign-ups: whoever was told that they have an account has one after the restart, and the
//! database finds nothing wrong with itself; whatever was to be told by a webhook is told; and what belonged to a deleted
//! project is removed. The real binary, on both engines.
//!
//! `CRASH_ROUNDS` sets the number of rounds (20), `LATCHKEY_BINARY` the binary; without it, it is built first.

mod crash {
    mod deletion;
    mod mails;
    mod process;
    mod rounds;
    mod webhooks;
}
