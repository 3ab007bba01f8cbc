//! Whether hashing passwords delays other requests: the 99th percentile of (a), calm and during a storm of (e).

use std::path::Path;

use super::Options;
use super::load::{Load, Scenario, Wrk};
use super::server::{Engine, Server};
use crate::postgres::Postgres;
use crate::shell::say;

/// The same load twice.
pub struct Storm {
    /// Nothing else is asked.
    pub calm: Load,
    /// 64 connections sign in meanwhile.
    pub during: Load,
}

/// Measures on a server of its own.
pub fn measure(
    binary: &Path,
    engine: Engine,
    postgres: Option<&Postgres>,
    options: &Options,
) -> Result<Storm, String> {
    say(format_args!("{engine}: GET /users/me, calm and during a storm of sign-ins"));
    let server = Server::start(binary, postgres)?;
    let sessions = server.api().sessions(32)?;
    if let Some(postgres) = postgres {
        postgres.analyze(&server.database_url())?;
    }
    let wrk = Wrk::new(server.folder(), server.base_url(), &server.api().client_headers, &sessions)?;
    let seconds = options.either(10, 3);
    wrk.start(Scenario::Me, 4, 1, "warm")?.finish()?;
    let calm = wrk.start(Scenario::Me, 4, seconds, "calm")?.finish()?.into();
    let storm = wrk.start(Scenario::SignIn, 64, seconds + 2, "storm")?;
    wrk.start(Scenario::Me, 4, 1, "gathering")?.finish()?;
    let during = wrk.start(Scenario::Me, 4, seconds, "during")?.finish()?.into();
    storm.finish()?;
    Ok(Storm { calm, during })
}
