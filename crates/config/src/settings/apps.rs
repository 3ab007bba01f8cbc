//! `apps` and `dataVault`: which parts of the dashboard a project uses, and its stores of secrets.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_entry_id;
use crate::errors::Findings;

/// Which parts of the dashboard a project uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct AppsSettings {
    /// The parts by their id, such as `authentication`.
    pub installed: BTreeMap<String, InstalledApp>,
}

/// A part of the dashboard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct InstalledApp {
    /// Whether it is used.
    pub enabled: bool,
}

/// Stores of secrets that back ends keep here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct DataVaultSettings {
    /// The stores by an id of your choice.
    pub stores: BTreeMap<String, DataVaultStore>,
}

/// A store of secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct DataVaultStore {
    /// Its name, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

impl AppsSettings {
    /// What a new project uses.
    pub(super) fn for_new_project() -> Self {
        let used = |id: &str| (id.to_owned(), InstalledApp { enabled: true });
        Self { installed: [used("authentication"), used("emails")].into() }
    }

    pub(super) fn validate(&self, at: &str, found: &mut Findings) {
        named(self.installed.keys(), &format!("{at}.installed"), found);
    }
}

impl DataVaultSettings {
    pub(super) fn validate(&self, at: &str, found: &mut Findings) {
        named(self.stores.keys(), &format!("{at}.stores"), found);
    }
}

fn named<'a>(ids: impl Iterator<Item = &'a String>, at: &str, found: &mut Findings) {
    for id in ids.filter(|id| !is_entry_id(id)) {
        found.error(format!("{at}.{id}"), "must be named by letters, digits, \"_\" and \"-\", 63 at most");
    }
}
