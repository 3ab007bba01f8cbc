//! `keys rotate`: new signing keys, and everything sealed with the first master key.

use serde_json::json;

use crate::{
    cli::{Common, RotateFlags},
    configuration, log,
    output::{Failed, Output},
    wire,
};

/// Rotates and says how much was done.
pub(crate) async fn rotate(common: Common, flags: RotateFlags, output: &Output) -> Result<(), Failed> {
    let config = configuration::load(&common, Vec::new(), Vec::new())?;
    log::start(&config.log)?;
    let rotated = wire::rotate_keys(&config, flags.project.as_deref()).await?;
    let text = format!(
        "Replaced {} signing keys; sealed {} secrets again. Tokens signed before stay valid until they expire.",
        rotated.signing_keys, rotated.resealed
    );
    output.result(
        text,
        &json!({ "ok": true, "signing_keys": rotated.signing_keys, "resealed": rotated.resealed }),
    );
    Ok(())
}
