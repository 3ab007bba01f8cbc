//! Secrets that all servers of a deployment share: read at start, created by whoever comes first.

use latchkey_crypto::{MasterKeys, Random};
use latchkey_storage::{Store, deployment_secrets};

use crate::failure::Failure;

const ROTATION: &str = "refresh-token-rotation";
const BACKUP_CODES: &str = "backup-codes";

/// The opened secrets.
pub(crate) struct DeploymentSecrets {
    /// Key of the hash that turns a refresh token into its successor.
    pub(crate) rotation_key: Vec<u8>,
    /// Key of the hashes of backup codes.
    pub(crate) backup_code_key: Vec<u8>,
}

impl DeploymentSecrets {
    /// Reads the secrets, creating those that are missing. Fails if the master keys cannot open them.
    pub(crate) async fn load(
        store: &Store,
        master_keys: &MasterKeys,
        random: &Random,
        now: i64,
    ) -> Result<Self, Failure> {
        Ok(Self {
            rotation_key: secret(store, master_keys, random, now, ROTATION).await?,
            backup_code_key: secret(store, master_keys, random, now, BACKUP_CODES).await?,
        })
    }
}

/// The secret of this name, created if it is missing.
async fn secret(
    store: &Store,
    master_keys: &MasterKeys,
    random: &Random,
    now: i64,
    name: &'static str,
) -> Result<Vec<u8>, Failure> {
    let mut fresh = [0; 32];
    random.fill(&mut fresh);
    let sealed = master_keys.seal(name, &fresh);
    store.batch(vec![deployment_secrets::insert_if_absent(name, &sealed, now)]).await?;
    let row = store
        .read(move |tx| Box::pin(deployment_secrets::get(tx, name)))
        .await?
        .ok_or_else(|| Failure::internal(format_args!("the secret {name} vanished")))?;
    let opened = master_keys.open(name, &row.value_sealed).map_err(|error| {
        Failure::internal(format_args!(
            "the master key does not open this database's secrets ({error}); start with the key it was created with"
        ))
    })?;
    Ok(opened.to_vec())
}
