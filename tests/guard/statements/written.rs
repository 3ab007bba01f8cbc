//! Which statements the sources of storage hold, and which of them never ran.

use std::path::Path;

use latchkey_storage::engine::{EngineKind, recorded};

/// A statement as the sources write it, and the engines that run this text of it.
struct Written {
    text: String,
    engines: Vec<EngineKind>,
}

/// The sources of the nouns: everything but the engine.
fn sources(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("the sources of storage") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("engine") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The statements in the sources of the nouns: string literals that begin with a verb of SQL, or, for statements put
/// together from pieces, with WHERE.
fn statements() -> Vec<Written> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/storage/src");
    let mut found: Vec<Written> = Vec::new();
    for path in sources(&directory) {
        let text = std::fs::read_to_string(&path).expect("a source");
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(|line| [line, "\n"])
            .collect();
        // No statement holds a double quote, so every second piece between quotes is a literal.
        let pieces: Vec<&str> = code.split('"').collect();
        for pair in pieces.chunks_exact(2) {
            let text = joined(pair[1]).trim().to_owned();
            let verbs = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WHERE "];
            if !verbs.iter().any(|verb| text.starts_with(verb)) {
                continue;
            }
            let mut engines = vec![EngineKind::Sqlite, EngineKind::Postgres];
            // An override for one engine stands behind the common text, which then is the other engine's.
            for (call, own) in [(".postgres(", EngineKind::Postgres), (".sqlite(", EngineKind::Sqlite)] {
                let before = pair[0].trim_end().trim_end_matches("select!(").trim_end();
                if before.ends_with(call) {
                    engines = vec![own];
                    found.last_mut().expect("a common text").engines.retain(|engine| *engine != own);
                }
            }
            found.push(Written { text, engines });
        }
    }
    assert!(found.len() > 30, "the sources hold {} statements", found.len());
    found
}

/// A literal as the compiler reads it: a backslash at the end of a line swallows the break and the indentation.
fn joined(literal: &str) -> String {
    let mut joined = String::new();
    let mut rest = literal;
    while let Some((before, after)) = rest.split_once("\\\n") {
        joined.push_str(before);
        rest = after.trim_start();
    }
    joined.push_str(rest);
    joined
}

/// The DELETEs that ran on PostgreSQL and take from an argument how many rows they delete. It plans without a look at
/// arguments, and would join with the whole table.
pub(super) fn deletes_limited_by_argument() -> Vec<&'static str> {
    let ran = recorded::on(EngineKind::Postgres).into_iter();
    ran.filter(|text| text.starts_with("DELETE ") && text.contains("LIMIT $")).collect()
}

/// The statements for an engine that it never ran.
pub(super) fn missing(kind: EngineKind) -> Vec<String> {
    let ran = recorded::on(kind);
    statements()
        .into_iter()
        .filter(|statement| statement.engines.contains(&kind))
        .map(|statement| statement.text)
        .filter(|text| !ran.iter().any(|other| other.contains(text.as_str())))
        .collect()
}
