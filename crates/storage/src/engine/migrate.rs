//! Bringing a database up to date: which migrations stand in it, which are missing, and whether the two sides know
//! each other. Forward only; a released migration never changes.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};

use super::{Row, Sql, StorageError, Tx, Value, args, ddl};

/// One file of `migrations/`: portable DDL, see [`super::ddl`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// File name without its ending, such as `0001_core`. Migrations run in the order in which they are listed.
    pub name: &'static str,
    /// The text.
    pub sql: &'static str,
}

impl Migration {
    fn checksum(&self) -> String {
        digest(&SHA256, self.sql.as_bytes()).as_ref().iter().fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

const TABLE_EXISTS: Sql =
    Sql::both("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'").postgres(
        "SELECT 1 FROM pg_catalog.pg_tables \
     WHERE schemaname = current_schema() AND tablename = 'schema_migrations'",
    );

const TABLE: &str = "CREATE TABLE schema_migrations (\
     name TEXT NOT NULL PRIMARY KEY, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";

/// The migrations that are missing in the database; an error if it holds one that changed or is unknown.
pub(crate) async fn pending(tx: &mut Tx, migrations: &[Migration]) -> Result<Vec<Migration>, StorageError> {
    if !tx.exists(TABLE_EXISTS, args![]).await? {
        return Ok(migrations.to_vec());
    }
    let applied: Vec<(String, String)> =
        tx.query("SELECT name, checksum FROM schema_migrations ORDER BY name", args![]).await?;
    for (name, checksum) in &applied {
        match migrations.iter().find(|migration| migration.name == name) {
            Some(migration) if migration.checksum() == *checksum => {}
            Some(_) => {
                return Err(StorageError::Migration(format!(
                    "migration {name} was applied to this database with another text than this program has; \
                     an applied migration must not be edited: restore the file and put the change into a new one"
                )));
            }
            None => {
                return Err(StorageError::Migration(format!(
                    "this database holds migration {name}, which this program does not know; \
                     start the version that applied it, or a newer one"
                )));
            }
        }
    }
    let is_missing = |migration: &&Migration| applied.iter().all(|(name, _)| name != migration.name);
    Ok(migrations.iter().filter(is_missing).copied().collect())
}

/// Applies what is missing, in one transaction. The caller sees to it that nobody else does the same.
pub(crate) async fn apply(
    tx: &mut Tx,
    migrations: &[Migration],
    applied_at: i64,
) -> Result<Vec<&'static str>, StorageError> {
    let pending = pending(tx, migrations).await?;
    if !tx.exists(TABLE_EXISTS, args![]).await? {
        run(tx, TABLE).await?;
    }
    for migration in &pending {
        run(tx, migration.sql).await.map_err(|error| {
            StorageError::Migration(format!("migration {} could not be applied: {error}", migration.name))
        })?;
        let row: Vec<Value> = args![migration.name, migration.checksum(), applied_at];
        let _: Vec<Row> = tx
            .query("INSERT INTO schema_migrations (name, checksum, applied_at) VALUES ($1, $2, $3)", row)
            .await?;
    }
    Ok(pending.iter().map(|migration| migration.name).collect())
}

async fn run(tx: &mut Tx, text: &str) -> Result<(), StorageError> {
    for statement in ddl::translate(text, tx.kind()) {
        tx.script(&statement).await?;
    }
    Ok(())
}
