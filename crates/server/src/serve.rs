//! `serve`: the server in production.

use serde_json::json;

use crate::{
    cli::{Common, ServeFlags},
    configuration::{self, refuse},
    files, log,
    output::{Failed, Output},
    signals::Signals,
    wire,
};

/// Serves until a signal. Refuses a configuration that is not fit for production.
pub(crate) async fn run(common: Common, flags: ServeFlags, output: &Output) -> Result<(), Failed> {
    let config = configuration::load(&common, Vec::new(), Vec::new())?;
    refuse(
        config.check_for_production(),
        "this configuration is not fit for production; `latchkey dev` serves a laptop",
    )?;
    log::start(&config.log)?;
    for warning in config.warnings() {
        tracing::warn!(key = warning.key, origin = %warning.origin, "{}", warning.message);
    }
    let signals = Signals::listen()?;
    let running = wire::serve(config, wire::Mode::Production).await?;
    let ready = json!({ "base_url": running.base_url() });
    if let Some(path) = &flags.ready_file {
        files::write_private(path, ready.to_string().as_bytes())
            .map_err(|error| Failed::new(format!("cannot write {}: {error}", path.display())))?;
    }
    output.result(format_args!("Latchkey serves {}", running.base_url()), &ready);
    let signal = signals.first().await;
    tracing::info!(signal, "finishing requests in flight");
    running.stop().await;
    Ok(())
}
