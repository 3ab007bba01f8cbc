//! The contract of the storage engine: the same tests on SQLite and on PostgreSQL, each in a private database.
//! PostgreSQL is the server that `TEST_POSTGRES_URL` names; without it those tests are skipped, or fail if
//! `REQUIRE_ALL` is set.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in what it calls")]

mod batches;
mod jobs;
mod migrations;
mod outbox;
mod postgres_server;
mod sqlite_file;
mod support;
mod transactions;
mod values;
