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
