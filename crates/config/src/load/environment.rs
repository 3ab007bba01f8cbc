//! Environment variables: `LATCHKEY_SECTION__KEY`, and the few names that are accepted beside them.

use std::path::PathBuf;

use super::{Entry, Given};
use crate::{
    errors::ConfigError,
    origin::Origin,
    schema::{Key, file_key, snake_case},
};

const PREFIX: &str = "LATCHKEY_";

/// Names of the Stack Auth contract, and the keys that they set. Our own name wins when both are given.
const ALIASES: [(&str, &str); 1] = [("STACK_ACCESS_TOKEN_EXPIRATION_TIME", "tokens.access_token_lifetime")];

/// What the environment says.
pub(super) struct Environment {
    /// The file that `LATCHKEY_CONFIG` names.
    pub file: Option<PathBuf>,
    pub entries: Vec<Entry>,
}

/// The variables of this process, the one place that reads them. Variables that are not UTF-8 are left out.
pub fn process_environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Sorts out the variables that are meant for us; those that look like it and are none of our keys go to `errors`.
pub(super) fn read(
    variables: impl IntoIterator<Item = (String, String)>,
    errors: &mut Vec<ConfigError>,
) -> Environment {
    let mut environment = Environment { file: None, entries: Vec::new() };
    let mut aliased = Vec::new();
    for (name, text) in variables {
        let origin = Origin::Environment(name.clone());
        if let Some((_, key)) = ALIASES.iter().find(|(alias, _)| *alias == name) {
            aliased.push(Entry::dotted(key, text, origin));
            continue;
        }
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        if rest == "CONFIG" {
            environment.file = Some(PathBuf::from(text));
        } else if is_service_link(rest, &text) {
        } else if let Some(message) = single_underscores(rest) {
            errors.push(ConfigError { origin, key: String::new(), message });
        } else {
            let path = rest.split("__").map(str::to_ascii_lowercase).collect();
            environment.entries.push(Entry { path, value: Given::Text(text), origin });
        }
    }
    // A table before the keys inside it, so that the finer variable wins whatever the order of the process.
    environment.entries.sort_by(|a, b| a.path.cmp(&b.path));
    environment.entries.splice(0..0, aliased);
    environment
}

/// Kubernetes and Docker put such variables into every container beside a service called `latchkey`; they are not
/// configuration, and must not keep the server from starting.
fn is_service_link(rest: &str, text: &str) -> bool {
    rest == "SERVICE_HOST"
        || rest == "SERVICE_PORT"
        || rest.starts_with("SERVICE_PORT_")
        || ((rest == "PORT" || rest.starts_with("PORT_"))
            && (text.contains("://")
                || rest.ends_with("_TCP_ADDR")
                || rest.ends_with("_TCP_PORT")
                || rest.ends_with("_TCP_PROTO")))
}

/// `LATCHKEY_SERVER_BIND` names no section; the message tells the variable that was probably meant.
fn single_underscores(rest: &str) -> Option<String> {
    if rest.contains("__") || Key::root().property(&rest.to_ascii_lowercase()).is_some() {
        return None;
    }
    let nearest = variables()
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&known.replace("__", "_"), rest), known))
        .min()
        .filter(|(distance, known)| *distance <= 2.max(known.len() / 4));
    Some(match nearest {
        Some((_, known)) => format!("is no variable of ours; did you mean {PREFIX}{known}?"),
        None => format!("is no variable of ours; they are named {PREFIX}SECTION__KEY"),
    })
}

/// Every variable of the sections (projects aside), without the prefix.
fn variables() -> Vec<String> {
    fn collect(at: Key<'_>, path: &str, names: &mut Vec<String>) {
        for (name, inner) in at.properties() {
            let upper = snake_case(name).to_ascii_uppercase();
            let path = if path.is_empty() { upper } else { format!("{path}__{upper}") };
            if inner.is_secret() {
                names.push(file_key(&path).to_ascii_uppercase());
            }
            collect(inner, &path, names);
            names.push(path);
        }
    }
    let mut names = vec!["CONFIG".to_owned()];
    collect(Key::root(), "", &mut names);
    names
}
