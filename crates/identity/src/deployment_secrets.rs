//! Secrets that all servers of a deployment share: read at start, created by whoever comes first.

use latchkey_crypto::{MasterKeys, Random};
use latchkey_storage::{Store, deployment_secrets};

use crate::failure::Failure;

const ROTATION: &str = "refresh-token-rotation";

/// The opened secrets.
pub(crate) struct DeploymentSecrets {
    /// Key of the hash that turns a refresh token into its successor.
    pub(crate) rotation_key: Vec<u8>,
}

impl DeploymentSecrets {
    /// Reads the secrets, creating those that are missing. Fails if the master keys cannot open them.
    pub(crate) async fn load(
        store: &Store,
        master_keys: &MasterKeys,
        random: &Random,
        now: i64,
    ) -> Result<Self, Failure> {
        let mut fresh = [0; 32];
        random.fill(&mut fresh);
        let sealed = master_keys.seal(ROTATION, &fresh);
        store.batch(vec![deployment_secrets::insert_if_absent(ROTATION, &sealed, now)]).await?;
        let row = store
            .read(|tx| Box::pin(deployment_secrets::get(tx, ROTATION)))
            .await?
            .ok_or_else(|| Failure::internal("the rotation secret vanished"))?;
        let rotation_key = master_keys.open(ROTATION, &row.value_sealed).map_err(|error| {
            Failure::internal(format_args!(
                "the master key does not open this database's secrets ({error}); start with the key it was created with"
            ))
        })?;
        Ok(Self { rotation_key: rotation_key.to_vec() })
    }
}
