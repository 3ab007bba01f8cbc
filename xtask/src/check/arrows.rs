//! Which crate may know which: the walls of the house, as two tables.
//!
//! Owns the allowed arrows between our crates and the fences around libraries that belong to one layer. An arrow that
//! is not in the table is refused, and so is a crate that has no row.

use super::packages::{Dependency, Package, Workspace};

/// A crate and the crates of this repository that it may depend on, besides [`EVERYONE_MAY_USE`].
const ARROWS: &[(&str, &[&str])] = &[
    ("latchkey-api-types", &[]),
    ("latchkey-jose", &[]),
    ("latchkey-crypto", &[]),
    ("latchkey-oauth", &["latchkey-jose"]),
    ("latchkey-config", &["latchkey-crypto"]),
    ("latchkey-mail", &["latchkey-crypto"]),
    ("latchkey-storage", &["latchkey-crypto"]),
    (
        "latchkey-identity",
        &[
            "latchkey-storage",
            "latchkey-oauth",
            "latchkey-jose",
            "latchkey-crypto",
            "latchkey-mail",
            "latchkey-config",
        ],
    ),
    ("latchkey-http", &["latchkey-identity", "latchkey-config", "latchkey-crypto"]),
    (
        "latchkey",
        &[
            "latchkey-http",
            "latchkey-identity",
            "latchkey-storage",
            "latchkey-oauth",
            "latchkey-jose",
            "latchkey-crypto",
            "latchkey-mail",
            "latchkey-config",
        ],
    ),
    ("latchkey-client", &["latchkey-jose"]),
];

/// The leaf below everything: the shapes on the wire.
const EVERYONE_MAY_USE: &str = "latchkey-api-types";

/// What tests of any crate may use.
const EVERY_TEST_MAY_USE: &str = "latchkey-testkit";

/// Crates without walls: they build and test the others.
const MAY_USE_ANYTHING: &[&str] = &["latchkey-testkit", "latchkey-tests", "xtask"];

/// A library of others, the crates that may name it, and those that may do so only behind a feature.
struct Fence {
    library: &'static str,
    inside: &'static [&'static str],
    behind_a_feature: &'static [&'static str],
}

const fn fence(library: &'static str, inside: &'static [&'static str]) -> Fence {
    Fence { library, inside, behind_a_feature: &[] }
}

const FENCES: &[Fence] = &[
    fence("rusqlite", &["latchkey-storage"]),
    fence("libsqlite3-sys", &["latchkey-storage"]),
    fence("tokio-postgres", &["latchkey-storage"]),
    fence("deadpool-postgres", &["latchkey-storage"]),
    Fence { library: "axum", inside: &["latchkey-http", "latchkey"], behind_a_feature: &["latchkey-client"] },
    fence("argon2", &["latchkey-crypto"]),
    fence("argon2-rust", &["latchkey-crypto"]),
    fence("bcrypt", &["latchkey-crypto"]),
    fence("lettre", &["latchkey-mail"]),
];

/// Every arrow that the tables do not allow, one sentence each.
pub fn violations(workspace: &Workspace) -> Vec<String> {
    let ours: Vec<_> = workspace.packages.iter().map(|package| package.name.as_str()).collect();
    let walled =
        workspace.packages.iter().filter(|package| !MAY_USE_ANYTHING.contains(&package.name.as_str()));
    let mut found = Vec::new();
    for package in walled {
        let Some((_, targets)) = ARROWS.iter().find(|(name, _)| *name == package.name) else {
            found.push(format!(
                "{} has no row in the table of arrows (xtask/src/check/arrows.rs)",
                package.name
            ));
            continue;
        };
        for dependency in &package.dependencies {
            if ours.contains(&dependency.name.as_str()) {
                found.extend(forbidden_arrow(package, dependency, targets));
            } else {
                found.extend(broken_fence(package, dependency));
            }
        }
    }
    found
}

fn forbidden_arrow(package: &Package, dependency: &Dependency, targets: &[&str]) -> Option<String> {
    let (from, to) = (&package.name, dependency.name.as_str());
    let is_allowed = to == EVERYONE_MAY_USE
        || targets.contains(&to)
        || dependency.is_dev && to == EVERY_TEST_MAY_USE
        || from == to;
    let allowed = if targets.is_empty() { EVERYONE_MAY_USE.to_owned() } else { targets.join(", ") };
    (!is_allowed).then(|| format!("{from} → {to} is not an arrow of the design; {from} may use: {allowed}"))
}

fn broken_fence(package: &Package, dependency: &Dependency) -> Option<String> {
    let fence = FENCES.iter().find(|fence| fence.library == dependency.name)?;
    let name = package.name.as_str();
    let library = fence.library;
    if fence.inside.contains(&name) {
        None
    } else if fence.behind_a_feature.contains(&name) {
        (!dependency.is_optional && !dependency.is_dev)
            .then(|| format!("{name} may use {library} only as an optional dependency behind a feature"))
    } else {
        Some(format!("{name} names {library}, which belongs to {}", fence.inside.join(" and ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// A workspace in which `from` declares the given dependency, beside the crates that exist.
    fn workspace(from: &str, dependency: &Value) -> Workspace {
        let names = ["latchkey-api-types", "latchkey-storage", "latchkey-identity", "latchkey-testkit"];
        let mut packages: Vec<_> = names
            .iter()
            .filter(|name| **name != from)
            .map(|name| json!({ "name": name, "dependencies": [] }))
            .collect();
        packages.push(json!({ "name": from, "dependencies": [dependency] }));
        Workspace::from_metadata(&json!({ "packages": packages }))
    }

    fn refused(from: &str, dependency: &Value) -> Vec<String> {
        violations(&workspace(from, dependency))
    }

    #[test]
    fn an_arrow_of_the_design_is_allowed() {
        assert_eq!(refused("latchkey-http", &json!({ "name": "latchkey-identity" })), [""; 0]);
        assert_eq!(refused("latchkey-jose", &json!({ "name": "latchkey-api-types" })), [""; 0]);
    }

    #[test]
    fn http_may_not_know_storage_and_the_message_says_what_it_may_use() {
        let found = refused("latchkey-http", &json!({ "name": "latchkey-storage" }));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("latchkey-http → latchkey-storage"), "{}", found[0]);
        assert!(found[0].contains("latchkey-identity"), "{}", found[0]);
    }

    #[test]
    fn an_arrow_backwards_is_refused_even_for_tests() {
        let backwards = json!({ "name": "latchkey-identity", "kind": "dev" });
        assert_eq!(refused("latchkey-storage", &backwards).len(), 1);
    }

    #[test]
    fn every_crate_may_use_the_testkit_in_tests_only() {
        let in_tests = json!({ "name": "latchkey-testkit", "kind": "dev" });
        assert_eq!(refused("latchkey-identity", &in_tests), [""; 0]);
        assert_eq!(refused("latchkey-identity", &json!({ "name": "latchkey-testkit" })).len(), 1);
    }

    #[test]
    fn a_library_stays_behind_its_fence_under_any_alias() {
        let aliased = json!({ "name": "rusqlite", "rename": "database" });
        assert_eq!(
            refused("latchkey-identity", &aliased),
            ["latchkey-identity names rusqlite, which belongs to latchkey-storage"]
        );
        assert_eq!(refused("latchkey-storage", &aliased), [""; 0]);
    }

    #[test]
    fn the_client_may_use_axum_behind_a_feature_only() {
        assert_eq!(refused("latchkey-client", &json!({ "name": "axum" })).len(), 1);
        assert_eq!(refused("latchkey-client", &json!({ "name": "axum", "optional": true })), [""; 0]);
    }

    #[test]
    fn a_crate_without_a_row_is_refused_and_the_tests_have_no_walls() {
        assert_eq!(refused("latchkey-billing", &json!({ "name": "serde" })).len(), 1);
        assert_eq!(refused("latchkey-tests", &json!({ "name": "rusqlite" })), [""; 0]);
    }
}
