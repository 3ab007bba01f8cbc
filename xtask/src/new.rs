//! `cargo xtask new`: the files and lines with which an endpoint, a table or an error code begins.
//!
//! Follows the table "to add … touch …" of `docs/architecture.md`. Writes what every new one has in common and no
//! more; what exists already is left as it is.

mod text;

use std::fs;
use std::path::Path;

use crate::shell::{root, say};
use text::{insert_line_sorted, is_error_code, is_noun, variant};

/// Makes what the words ask for.
pub fn new(words: &[String]) -> Result<(), String> {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["endpoint", noun] => endpoint(root(), noun),
        ["table", name] => table(root(), name),
        ["error", code, status, message] => error(root(), code, status, message),
        _ => Err("say `new endpoint NOUN`, `new table NAME` or `new error CODE STATUS TEXT`".to_owned()),
    }
}

/// The file of `noun` in every layer above storage, and the lines that make them known.
fn endpoint(root: &Path, noun: &str) -> Result<(), String> {
    demand_noun(noun)?;
    let title = noun.replace('_', " ");
    let module = format!("pub mod {noun};");
    create(root, &format!("crates/api-types/src/{noun}.rs"), &format!("//! The wire shapes of {title}.\n"))?;
    edit(root, "crates/api-types/src/lib.rs", |text| insert_line_sorted(text, &module))?;
    create(root, &format!("crates/identity/src/{noun}.rs"), &format!("//! The use cases of {title}.\n"))?;
    edit(root, "crates/identity/src/lib.rs", |text| insert_line_sorted(text, &module))?;
    let routes = format!(
        "//! The endpoints of {title}.\n\nuse crate::route::Route;\n\n/// The rows of the table.\n\
         pub(super) fn routes() -> Vec<Route> {{\n    Vec::new()\n}}\n"
    );
    create(root, &format!("crates/http/src/api/{noun}.rs"), &routes)?;
    edit(root, "crates/http/src/api.rs", |text| {
        let text = insert_line_sorted(text, &format!("mod {noun};"))?;
        insert_line_sorted(&text, &format!("    routes.extend({noun}::routes());"))
    })
}

/// A migration with the next number, the storage file, and the lines that make both known.
fn table(root: &Path, name: &str) -> Result<(), String> {
    demand_noun(name)?;
    let title = name.replace('_', " ");
    let migration = format!("{:04}_{name}", next_migration(&root.join("crates/storage/migrations"))?);
    let sql = format!(
        "-- {title}. Times are epoch milliseconds. Every key starts with the project.\n\nCREATE TABLE {name} (\n    \
         project_id TEXT NOT NULL,\n    id TEXT NOT NULL,\n    created_at BIGINT NOT NULL,\n    \
         PRIMARY KEY (project_id, id),\n    \
         FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE\n);\n"
    );
    create(root, &format!("crates/storage/migrations/{migration}.sql"), &sql)?;
    create(
        root,
        &format!("crates/storage/src/{name}.rs"),
        &format!("//! The rows of {title} and their SQL.\n"),
    )?;
    edit(root, "crates/storage/src/lib.rs", |text| {
        let text = insert_line_sorted(text, &format!("pub mod {name};"))?;
        let file = format!("../migrations/{migration}.sql");
        let row = format!("    Migration {{ name: {migration:?}, sql: include_str!({file:?}) }},");
        insert_line_sorted(&text, &row)
    })
}

/// A row at the end of the table of known errors.
fn error(root: &Path, code: &str, status: &str, message: &str) -> Result<(), String> {
    if !is_error_code(code) {
        return Err(format!("`{code}` is no error code; say it like TEAM_NOT_FOUND"));
    }
    if !status.parse::<u16>().is_ok_and(|status| (400..600).contains(&status)) {
        return Err(format!("`{status}` is no status of an error"));
    }
    let constructor = code.to_lowercase();
    let row = format!(
        "    {code} {status} KnownError: {}, {constructor}()\n        = {message:?};\n",
        variant(code)
    );
    edit(root, "crates/api-types/src/error/table.rs", |text| {
        if text.contains(&format!(" {code} ")) {
            return Err(format!("{code} is in the table already"));
        }
        let end = text.rfind('}').ok_or("the table has no end")?;
        Ok(format!("{}{row}{}", &text[..end], &text[end..]))
    })
}

fn demand_noun(noun: &str) -> Result<(), String> {
    if is_noun(noun) {
        Ok(())
    } else {
        Err(format!("`{noun}` is no name; say it in the plural, like team_invitations"))
    }
}

fn next_migration(folder: &Path) -> Result<u32, String> {
    let files = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let numbers =
        files.filter_map(|file| file.ok()?.file_name().to_str()?.split('_').next()?.parse::<u32>().ok());
    Ok(numbers.max().unwrap_or(0) + 1)
}

fn create(root: &Path, path: &str, text: &str) -> Result<(), String> {
    let file = root.join(path);
    if file.exists() {
        say(format_args!("{path} is there already"));
        return Ok(());
    }
    say(format_args!("creating {path}"));
    let folder = file.parent().unwrap_or(root);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, text))
        .map_err(|error| format!("{path}: {error}"))
}

fn edit(root: &Path, path: &str, change: impl FnOnce(&str) -> Result<String, String>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{path}: {error}");
    let before = fs::read_to_string(root.join(path)).map_err(failed)?;
    let after = change(&before).map_err(|message| format!("{path}: {message}"))?;
    if before == after {
        return Ok(());
    }
    say(format_args!("adding to {path}"));
    fs::write(root.join(path), after).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A repository with only the files that scaffolding edits.
    fn repository() -> TempDir {
        let folder = TempDir::new().unwrap();
        let files = [
            ("crates/api-types/src/lib.rs", "//! Types.\n\npub mod access;\npub mod user;\n"),
            (
                "crates/api-types/src/error/table.rs",
                "known_errors! {\n    SCHEMA_ERROR 400 KnownError: SchemaError;\n}\n",
            ),
            ("crates/identity/src/lib.rs", "//! Rules.\n\npub mod sessions;\nmod app;\n"),
            (
                "crates/http/src/api.rs",
                "mod auth;\nmod users;\n\nfn all() {\n    routes.extend(auth::routes());\n    done();\n}\n",
            ),
            (
                "crates/storage/src/lib.rs",
                "pub mod users;\n\nconst M: &[Migration] = &[\n    Migration { name: \"0001_core\", sql: \"\" },\n];\n",
            ),
            ("crates/storage/migrations/0001_core.sql", ""),
        ];
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn read(root: &Path, path: &str) -> String {
        fs::read_to_string(root.join(path)).unwrap()
    }

    #[test]
    fn a_new_endpoint_is_known_in_every_layer_and_asking_twice_changes_nothing() {
        let folder = repository();
        let root = folder.path();
        endpoint(root, "teams").unwrap();
        let api = read(root, "crates/http/src/api.rs");
        assert!(api.starts_with("mod auth;\nmod teams;\nmod users;\n"), "{api}");
        assert!(api.contains("auth::routes());\n    routes.extend(teams::routes());\n    done();"), "{api}");
        assert!(
            read(root, "crates/api-types/src/lib.rs")
                .contains("pub mod access;\npub mod teams;\npub mod user;")
        );
        assert!(read(root, "crates/identity/src/teams.rs").starts_with("//! The use cases of teams."));
        endpoint(root, "teams").unwrap();
        assert_eq!(read(root, "crates/http/src/api.rs"), api);
    }

    #[test]
    fn a_new_table_gets_the_next_migration() {
        let folder = repository();
        table(folder.path(), "team_invitations").unwrap();
        let library = read(folder.path(), "crates/storage/src/lib.rs");
        assert!(library.starts_with("pub mod team_invitations;\npub mod users;\n"), "{library}");
        assert!(
            library.contains("    Migration { name: \"0002_team_invitations\", sql: include_str!("),
            "{library}"
        );
        let sql = read(folder.path(), "crates/storage/migrations/0002_team_invitations.sql");
        assert!(sql.contains("CREATE TABLE team_invitations ("), "{sql}");
    }

    #[test]
    fn a_new_error_stands_at_the_end_of_the_table_and_once_only() {
        let folder = repository();
        error(folder.path(), "TEAM_IS_FULL", "409", "The team is full.").unwrap();
        let table = read(folder.path(), "crates/api-types/src/error/table.rs");
        let row = "    TEAM_IS_FULL 409 KnownError: TeamIsFull, team_is_full()\n        = \"The team is full.\";\n}\n";
        assert!(table.ends_with(row), "{table}");
        assert!(error(folder.path(), "TEAM_IS_FULL", "409", "Again.").is_err());
        assert!(error(folder.path(), "TeamIsFull", "409", "Wrong case.").is_err());
        assert!(error(folder.path(), "ALL_IS_WELL", "200", "No error.").is_err());
    }

    #[test]
    fn names_that_are_no_modules_are_refused() {
        let folder = repository();
        assert!(endpoint(folder.path(), "../teams").is_err());
        assert!(table(folder.path(), "Teams").is_err());
    }
}
