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
    let rotated = wire::rotate_keys(&config, flags.project.as_deref(), flags.force).await?;
    let kept = match rotated.too_fresh {
        0 => String::new(),
        kept => format!(
            "\n{kept} signing keys were kept: their successors were announced less than an hour ago, and verifiers \
             that cached the key set would refuse what they sign. If a key has leaked, say --force."
        ),
    };
    let text = format!(
        "Replaced {} signing keys; sealed {} secrets again. Tokens signed before stay valid until they expire.{kept}",
        rotated.signing_keys, rotated.resealed
    );
    output.result(
        text,
        &json!({
            "ok": true,
            "signing_keys": rotated.signing_keys,
            "too_fresh": rotated.too_fresh,
            "resealed": rotated.resealed,
        }),
    );
    Ok(())
}
