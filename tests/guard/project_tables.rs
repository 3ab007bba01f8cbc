//! What belongs to a project is taken apart with it: every table that names projects is known to the deletion.

use std::collections::BTreeSet;
use std::path::Path;

/// The tables of the migrations that have a column `project_id`.
fn tables() -> BTreeSet<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/storage/migrations");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(directory).expect("the migrations") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a migration");
        for table in text.split("CREATE TABLE ").skip(1) {
            let (name, rest) = table.split_once(" (").expect("a table with columns");
            let columns = rest.split_once(';').expect("an end").0;
            if columns.lines().any(|line| line.trim_start().starts_with("project_id ")) {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

#[test]
fn the_deletion_of_projects_knows_every_table_that_names_projects() {
    let known: BTreeSet<String> =
        latchkey_storage::project_deletion::TABLES.iter().map(|table| (*table).to_owned()).collect();
    assert_eq!(known, tables());
}
