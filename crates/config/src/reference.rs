//! The reference page `docs/configuration.md`, written from the schema.

use std::fmt::Write as _;

use crate::{
    Config,
    dump::toml_text,
    schema::{Key, Kind, file_key, snake_case},
};

/// The order of the sections on the page; one that is missing here comes at the end.
const ORDER: [&str; 10] =
    ["server", "database", "cache", "log", "tokens", "passwords", "security", "mail", "outgoing", "project"];

const HEAD: &str = "\
# Configuration

<!-- Written by `cargo xtask generate` from crates/config; change the doc comments there. -->

`latchkey dev` needs no configuration. `latchkey serve` reads one optional TOML file, named by `--config FILE` or the
variable `LATCHKEY_CONFIG`. Flags win over the environment, the environment over the file, the file over the defaults.

* **Environment**: `LATCHKEY_SECTION__KEY`, with `__` between the levels: `LATCHKEY_PASSWORDS__BREACH_CHECK__ENABLED=true`.
  Lists and tables are given as TOML or JSON text: `LATCHKEY_OUTGOING__ALLOW_PRIVATE_ADDRESSES='[\"10.0.0.0/8\"]'`. Items of
  a list are numbered from 0: `LATCHKEY_PROJECT__0__KEYS__SECRET_SERVER_KEY`.
* **Secrets**: beside every secret key `x` there is a key `x_file` that names a file holding it (a line end at its end does not
  count). That is the whole rule: `master_keys_file = \"/run/secrets/master\"` in the file, and
  `LATCHKEY_SECURITY__MASTER_KEYS_FILE=/run/secrets/master` in the environment.
* **Times** are text such as `\"30s\"`, `\"15m\"`, `\"12h\"`, `\"365d\"`. **Sizes** are plain numbers.
* **Unknown keys** are errors, in the file as in the environment; the error names the nearest known key.
* `latchkey config check` finds every error at once, with file and line; `latchkey config dump` shows the effective
  values and where each came from; `latchkey config schema` prints a JSON schema for editors.

`[[project]]` declares projects. In the file, the keys of a project's settings are written in snake_case; the camelCase of
the stored form is read as well.
";

impl Config {
    /// The text of `docs/configuration.md`: every key with type, default, variable and meaning.
    pub fn reference() -> String {
        let mut page = HEAD.to_owned();
        let mut sections: Vec<_> = Key::root().properties().collect();
        sections.sort_by_key(|(name, _)| ORDER.iter().position(|known| known == name).unwrap_or(ORDER.len()));
        for (name, section) in sections {
            let list = section.kind() == Kind::List;
            let title = if list { format!("[[{name}]]") } else { format!("[{name}]") };
            let _ = write!(page, "\n## `{title}`\n\n{}\n", section.description());
            if list {
                if let Some(item) = section.item() {
                    table(&mut page, item, &[name.to_owned(), "0".to_owned()], "");
                }
            } else {
                table(&mut page, section, &[name.to_owned()], "");
            }
        }
        page
    }
}

/// One table of keys, then a part for each table inside it.
fn table(page: &mut String, at: Key<'_>, variable: &[String], prefix: &str) {
    let (inner, plain): (Vec<_>, Vec<_>) = at.properties().partition(|(_, key)| key.kind() == Kind::Table);
    if !plain.is_empty() {
        page.push_str("\n| key | type | default | meaning |\n|---|---|---|---|\n");
    }
    for (name, key) in plain {
        let snake = snake_case(name);
        let default = key.default().map(|value| format!("`{}`", toml_text(value))).unwrap_or_default();
        let mut meaning = key.description();
        for (word, description) in key.choices() {
            if !description.is_empty() {
                let _ = write!(meaning, " `{word}`: {description}");
            }
        }
        if key.is_secret() {
            let _ = write!(meaning, " Or `{}`.", file_key(&snake));
        }
        let _ =
            writeln!(page, "| `{prefix}{snake}` | {} | {} | {} |", kind(key), cell(&default), cell(&meaning));
    }
    for (name, key) in inner {
        let snake = snake_case(name);
        let path = [variable, std::slice::from_ref(&snake)].concat();
        let (key, shown) = match key.entry() {
            Some(entry) if entry.kind() != Kind::Table => {
                let _ = write!(page, "\n`{prefix}{snake}.<id>` = {}: {}\n", kind(entry), key.description());
                continue;
            }
            Some(entry) => {
                let _ = write!(page, "\n### `{prefix}{snake}.<id>`\n\n{}\n", key.description());
                (entry, format!("{prefix}{snake}.<id>."))
            }
            None => {
                let _ = write!(page, "\n### `{prefix}{snake}`\n\n{}\n", key.description());
                (key, format!("{prefix}{snake}."))
            }
        };
        table(page, key, &path, &shown);
    }
}

fn kind(key: Key<'_>) -> &'static str {
    match key.kind() {
        _ if key.is_secret() => "secret",
        Kind::Text if !key.choices().is_empty() => "word",
        Kind::Text => "text",
        Kind::Integer => "number",
        Kind::Boolean => "true or false",
        Kind::List => "list",
        Kind::Table => "table",
    }
}

/// Text that does not end the cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
