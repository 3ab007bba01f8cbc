//! Translation of portable migration files: upper-case type names are mapped per engine, comments go, and the text is
//! cut into statements. Knows just enough SQL for that: quotes, comments, words.

use super::EngineKind;

/// The statements of a migration file, in the dialect of an engine.
///
/// SQLite: BIGINT and BOOLEAN become INTEGER, BYTEA becomes BLOB, tables become STRICT. PostgreSQL: TEXT columns are
/// compared bytewise (`COLLATE "C"`), as SQLite does.
pub(crate) fn translate(text: &str, kind: EngineKind) -> Vec<String> {
    let mut statements = Vec::new();
    let mut statement = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '-' if rest.starts_with("--") => {
                if let Some((engine, block, after)) = for_one_engine(rest) {
                    finish(&mut statement, kind, &mut statements);
                    if engine == kind {
                        statements.push(block.trim().to_owned());
                    }
                    rest = after;
                    continue;
                }
                rest = rest.find('\n').map_or("", |end| &rest[end..]);
                continue;
            }
            ';' => {
                finish(&mut statement, kind, &mut statements);
                rest = &rest[1..];
                continue;
            }
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        statement.push_str(word(&rest[..length], kind));
        rest = &rest[length..];
    }
    finish(&mut statement, kind, &mut statements);
    statements
}

/// A block for one engine, such as indexes that only it has: the engine, its text, which is run as it is, and what
/// follows. It stands between the comment lines `-- only on SQLite` or `-- only on PostgreSQL` and `-- on both`.
fn for_one_engine(rest: &str) -> Option<(EngineKind, &str, &str)> {
    [EngineKind::Sqlite, EngineKind::Postgres].into_iter().find_map(|engine| {
        let block = rest.strip_prefix(&format!("-- only on {engine}\n"))?;
        let (block, after) = block.split_once("-- on both\n").unwrap_or((block, ""));
        Some((engine, block, after))
    })
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn word(word: &str, kind: EngineKind) -> &str {
    match (kind, word) {
        (EngineKind::Sqlite, "BIGINT" | "BOOLEAN") => "INTEGER",
        (EngineKind::Sqlite, "BYTEA") => "BLOB",
        (EngineKind::Postgres, "TEXT") => "TEXT COLLATE \"C\"",
        (_, other) => other,
    }
}

fn finish(statement: &mut String, kind: EngineKind, statements: &mut Vec<String>) {
    let text = statement.trim();
    if !text.is_empty() {
        let strict = kind == EngineKind::Sqlite && text.starts_with("CREATE TABLE");
        statements.push(if strict { format!("{text} STRICT") } else { text.to_owned() });
    }
    statement.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "-- a comment; with 'quotes\nCREATE TABLE t (a TEXT NOT NULL, b BIGINT, c BYTEA, TEXTUAL BOOLEAN);\n\
                        INSERT INTO t (a) VALUES ('TEXT; -- BIGINT');\n";

    #[test]
    fn sqlite_gets_its_types_and_strict_tables() {
        assert_eq!(
            translate(TEXT, EngineKind::Sqlite),
            [
                "CREATE TABLE t (a TEXT NOT NULL, b INTEGER, c BLOB, TEXTUAL INTEGER) STRICT",
                "INSERT INTO t (a) VALUES ('TEXT; -- BIGINT')",
            ]
        );
    }

    #[test]
    fn a_block_for_one_engine_is_run_there_as_it_is() {
        let text = "CREATE TABLE t (a TEXT);\n-- only on SQLite\nCREATE TRIGGER x BEGIN SELECT 1; END;\n-- on both\n\
                    -- only on PostgreSQL\nCREATE FUNCTION f(TEXT) AS $$ SELECT 1; $$;\n-- on both\nDROP TABLE t;";
        assert_eq!(
            translate(text, EngineKind::Sqlite),
            ["CREATE TABLE t (a TEXT) STRICT", "CREATE TRIGGER x BEGIN SELECT 1; END;", "DROP TABLE t"]
        );
        assert_eq!(
            translate(text, EngineKind::Postgres)[1..],
            ["CREATE FUNCTION f(TEXT) AS $$ SELECT 1; $$;", "DROP TABLE t"]
        );
    }

    #[test]
    fn postgres_gets_bytewise_text() {
        assert_eq!(
            translate(TEXT, EngineKind::Postgres),
            [
                "CREATE TABLE t (a TEXT COLLATE \"C\" NOT NULL, b BIGINT, c BYTEA, TEXTUAL BOOLEAN)",
                "INSERT INTO t (a) VALUES ('TEXT; -- BIGINT')",
            ]
        );
    }
}
