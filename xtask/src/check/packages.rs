//! What `cargo metadata` says of the workspace and of what its manifests declare, as far as the checks need it.

use serde_json::Value;

use crate::shell::{capture, cargo};

/// The packages of this repository.
pub struct Workspace {
    /// In the order in which cargo gives them.
    pub packages: Vec<Package>,
}

/// One package.
pub struct Package {
    /// For example `latchkey-http`.
    pub name: String,
    /// What its manifest declares, for every kind of build.
    pub dependencies: Vec<Dependency>,
}

/// One line of a manifest.
pub struct Dependency {
    /// The name of the package it means, not a local alias.
    pub name: String,
    /// Whether only tests, examples and benches get it.
    pub is_dev: bool,
    /// Whether a feature must ask for it.
    pub is_optional: bool,
}

impl Workspace {
    /// Asks cargo. `Cargo.lock` must be up to date.
    pub fn read() -> Result<Self, String> {
        let json = capture(cargo().args(["metadata", "--format-version", "1", "--locked", "--no-deps"]))?;
        let metadata = serde_json::from_str(&json).map_err(|error| format!("cargo metadata: {error}"))?;
        Ok(Self::from_metadata(&metadata))
    }

    /// Reads the JSON of `cargo metadata`.
    pub fn from_metadata(metadata: &Value) -> Self {
        Self { packages: list(&metadata["packages"]).map(Package::from_metadata).collect() }
    }
}

impl Package {
    fn from_metadata(package: &Value) -> Self {
        Self {
            name: text(&package["name"]),
            dependencies: list(&package["dependencies"]).map(Dependency::from_metadata).collect(),
        }
    }
}

impl Dependency {
    fn from_metadata(dependency: &Value) -> Self {
        Self {
            name: text(&dependency["name"]),
            is_dev: dependency["kind"] == "dev",
            is_optional: dependency["optional"] == true,
        }
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_run_means_the_server() {
        let json =
            capture(cargo().args(["metadata", "--format-version", "1", "--locked", "--no-deps"])).unwrap();
        let metadata: Value = serde_json::from_str(&json).unwrap();
        let is_default = |package: &&Value| {
            list(&metadata["workspace_default_members"]).any(|member| *member == package["id"])
        };
        let targets =
            list(&metadata["packages"]).filter(is_default).flat_map(|package| list(&package["targets"]));
        let programs = targets.filter(|target| list(&target["kind"]).any(|kind| kind == "bin"));
        assert_eq!(programs.map(|target| text(&target["name"])).collect::<Vec<_>>(), ["latchkey"]);
    }
}
