//! What `deny.toml` allows: the one place where accepted licences and banned crates are written down.
//!
//! cargo-deny reads the same file where it is installed.

use toml::{Table, Value};

use crate::shell::root;

/// The parts of `deny.toml` that the built-in checks use.
pub struct Policy {
    /// SPDX names.
    pub allowed_licences: Vec<String>,
    /// Licences accepted for one package only: (package, SPDX name).
    pub exceptions: Vec<(String, String)>,
    /// Names of packages that nothing may pull in.
    pub banned: Vec<String>,
    /// Names of packages of which one version at most may be pulled in.
    pub single: Vec<String>,
}

impl Policy {
    /// Reads `deny.toml`.
    pub fn read() -> Result<Self, String> {
        let text = std::fs::read_to_string(root().join("deny.toml"))
            .map_err(|error| format!("deny.toml: {error}"))?;
        Self::parse(&text)
    }

    /// Reads the text of a `deny.toml`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: Table = text.parse().map_err(|error| format!("deny.toml: {error}"))?;
        let section =
            |name: &str| file.get(name).and_then(Value::as_table).ok_or(format!("deny.toml has no [{name}]"));
        let (licences, bans) = (section("licenses")?, section("bans")?);
        let exceptions = list(licences, "exceptions").flat_map(|exception| {
            let name = crate_name(exception);
            list_of(exception, "allow").map(move |licence| (name.clone(), text_of(licence)))
        });
        let single =
            list(bans, "deny").filter(|ban| ban.get("deny-multiple-versions") == Some(&Value::Boolean(true)));
        let banned = list(bans, "deny").filter(|ban| ban.get("deny-multiple-versions").is_none());
        Ok(Self {
            allowed_licences: list(licences, "allow").map(text_of).collect(),
            exceptions: exceptions.collect(),
            banned: banned.map(crate_name).collect(),
            single: single.map(crate_name).collect(),
        })
    }
}

fn list<'a>(table: &'a Table, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    table.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn list_of<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// The package that an entry names, written as a text or as a table.
fn crate_name(entry: &Value) -> String {
    text_of(entry.get("crate").unwrap_or(entry))
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
