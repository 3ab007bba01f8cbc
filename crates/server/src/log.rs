//! Logging: what `[log]` says, on standard error.
//!
//! Events carry their request id as the field `request_id`; secrets are kept out where events are made.

use std::io::{self, IsTerminal as _};

use latchkey_config::{LogConfig, LogFormat};
use tracing_subscriber::EnvFilter;

use crate::output::Failed;

/// Starts logging for the rest of the process. A second call changes nothing.
pub(crate) fn start(config: &LogConfig) -> Result<(), Failed> {
    let filter = EnvFilter::try_new(&config.level)
        .map_err(|error| Failed::new(format!("log.level cannot be read: {error}")))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // An error here means that a subscriber is there already, as when tests start several servers in one process.
    let _ = match config.format {
        LogFormat::Human => builder.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => {
            builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
        }
    };
    Ok(())
}
