//! Secrets of the whole deployment that every server shares, sealed. Created once by whoever comes first.

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// One named secret.
    pub struct DeploymentSecretRow {
        /// What it is for.
        pub name: String,
        /// The secret, sealed with the master key.
        pub value_sealed: Vec<u8>,
    }
}

/// Reads a secret by name.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<DeploymentSecretRow>, StorageError> {
    tx.query_opt("SELECT name, value_sealed FROM deployment_secrets WHERE name = $1", args![name]).await
}

/// Inserts a secret unless it exists.
pub fn insert_if_absent(name: &str, value_sealed: &[u8], now: i64) -> Stmt {
    stmt(
        "INSERT INTO deployment_secrets (name, value_sealed, created_at) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO NOTHING",
        args![name, value_sealed, now],
    )
}

/// All secrets.
pub async fn list(tx: &mut Tx) -> Result<Vec<DeploymentSecretRow>, StorageError> {
    tx.query("SELECT name, value_sealed FROM deployment_secrets ORDER BY name", args![]).await
}

/// Replaces the sealed value, when the master key was changed.
pub fn reseal(name: &str, value_sealed: &[u8]) -> Stmt {
    stmt("UPDATE deployment_secrets SET value_sealed = $2 WHERE name = $1", args![name, value_sealed])
}
