//! Starts a Latchkey server on either engine, with a fake clock, a mailbox and a fluent HTTP client. For tests only.

mod client;
mod clock;
mod database;
mod server;

pub use client::{Answer, Request};
pub use clock::FakeClock;
pub use database::{Database, Engine};
pub use server::{Builder, Keys, MASTER_KEY, Project, TestServer};

/// Declares a test that runs on SQLite and on PostgreSQL: `on_both_engines! { async fn a_sentence(server) { … } }`.
/// `server` is a fresh [`TestServer`] with a database of its own; `async fn a_sentence(server, builder = …)` takes a
/// [`Builder`] expression that makes it.
#[macro_export]
macro_rules! on_both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($server:ident $(, builder = $builder:expr)?) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports, reason = "not every test uses what surrounds it")]
            use super::*;

            $(#[$meta])*
            async fn run($server: $crate::TestServer) $body

            #[test]
            fn on_sqlite() {
                $crate::run($crate::Engine::Sqlite, $crate::on_both_engines!(@builder $($builder)?), run);
            }

            #[test]
            fn on_postgres() {
                $crate::run($crate::Engine::Postgres, $crate::on_both_engines!(@builder $($builder)?), run);
            }
        }
    )*};
    (@builder) => { $crate::TestServer::builder() };
    (@builder $builder:expr) => { $builder };
}

/// Runs a test on an engine, or says that it cannot: PostgreSQL needs `TEST_POSTGRES_URL`, which `cargo xtask test`
/// provides. With `REQUIRE_ALL=1` that is a failure.
pub fn run<F, T>(engine: Engine, builder: Builder, test: F)
where
    F: FnOnce(TestServer) -> T,
    T: Future<Output = ()>,
{
    if !engine.is_available() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async move { test(builder.start(engine).await).await });
}
