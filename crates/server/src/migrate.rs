//! `migrate`: brings the database to the current schema.

use serde_json::json;

use crate::{
    cli::Common,
    configuration, log,
    output::{Failed, Output},
    wire,
};

/// Applies what is missing and says how much it was.
pub(crate) async fn run(common: Common, output: &Output) -> Result<(), Failed> {
    let config = configuration::load(&common, Vec::new(), Vec::new())?;
    log::start(&config.log)?;
    let applied = wire::migrate(&config).await?;
    let text = match applied.len() {
        0 => "The database is current.".to_owned(),
        _ => format!("Applied {}.", applied.join(", ")),
    };
    output.result(text, &json!({ "ok": true, "applied": applied }));
    Ok(())
}
