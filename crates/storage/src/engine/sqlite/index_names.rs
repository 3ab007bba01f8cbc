//! Names of unique indexes. SQLite reports a violated index by its columns (`UNIQUE constraint failed: t.a, t.b`),
//! PostgreSQL by its name; this table turns the first into the second.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use rusqlite::Connection;

/// From `t.a, t.b` to the name of the index.
#[derive(Default)]
pub(crate) struct IndexNames(RwLock<HashMap<String, String>>);

impl IndexNames {
    /// Reads the schema. Unnamed constraints get the names that PostgreSQL gives them.
    pub(super) fn refresh(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut names = HashMap::new();
        let mut indexes = connection.prepare(
            "SELECT t.name, i.name, i.origin, group_concat(c.name, ',' ORDER BY c.seqno)
             FROM sqlite_schema AS t, pragma_index_list(t.name) AS i, pragma_index_info(i.name) AS c
             WHERE t.type = 'table' AND i.\"unique\" GROUP BY t.name, i.name ORDER BY i.partial, i.name",
        )?;
        let mut rows = indexes.query([])?;
        while let Some(row) = rows.next()? {
            let (table, index, origin): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let Some(columns) = row.get::<_, Option<String>>(3)? else { continue };
            let name = match origin.as_str() {
                "pk" => format!("{table}_pkey"),
                "u" => format!("{table}_{}_key", columns.replace(',', "_")),
                _ => index,
            };
            let key: Vec<_> = columns.split(',').map(|column| format!("{table}.{column}")).collect();
            names.entry(key.join(", ")).or_insert(name);
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = names;
        Ok(())
    }

    /// The name of the index that an error message is about.
    pub(super) fn find(&self, message: &str) -> String {
        let subject = message.split_once("failed: ").map_or(message, |(_, subject)| subject);
        // An index over expressions is reported as: index 'name'.
        if let Some(name) = subject.strip_prefix("index '") {
            return name.trim_end_matches('\'').to_owned();
        }
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        // An INTEGER PRIMARY KEY has no index of its own.
        let primary_key = || format!("{}_pkey", subject.split('.').next().unwrap_or_default());
        names.get(subject).cloned().unwrap_or_else(primary_key)
    }
}
