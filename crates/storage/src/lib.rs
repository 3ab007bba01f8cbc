//! All SQL: the engine with its two drivers, one file per noun, migrations.

pub mod engine;
pub mod jobs;

use engine::Migration;

/// The migrations of Latchkey, in order.
pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "0002_jobs", sql: include_str!("../migrations/0002_jobs.sql") }];
