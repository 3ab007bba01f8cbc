//! `cargo xtask generate`: the documents that are derived from tables in the code.
//!
//! Owns which file comes from where. What a file says is decided by the program that prints it.

use std::path::Path;
use std::process::Command;

use crate::shell::{capture, cargo, root, run, say};

/// A file under `docs/` and the program that prints it.
struct Document {
    path: &'static str,
    source: Source,
}

enum Source {
    /// A verb of the `latchkey` binary that prints JSON.
    Verb(&'static [&'static str]),
    /// An example of one of our crates.
    Example { package: &'static str, name: &'static str },
}

const DOCUMENTS: &[Document] = &[
    Document { path: "docs/openapi.json", source: Source::Verb(&["openapi"]) },
    Document { path: "docs/configuration.schema.json", source: Source::Verb(&["config", "schema"]) },
    Document {
        path: "docs/configuration.md",
        source: Source::Example { package: "latchkey-config", name: "reference" },
    },
    Document {
        path: "docs/errors.md",
        source: Source::Example { package: "latchkey-api-types", name: "errors" },
    },
];

/// Writes every document.
pub fn generate() -> Result<(), String> {
    for document in DOCUMENTS {
        let path = root().join(document.path);
        let text = document.text()?;
        if read(&path).as_deref() == Some(text.as_str()) {
            continue;
        }
        say(format_args!("writing {}", document.path));
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Compares every document with what is there; an error names those that differ.
pub fn check() -> Result<(), String> {
    let mut stale = Vec::new();
    for document in DOCUMENTS {
        if read(&root().join(document.path)).as_deref() != Some(document.text()?.as_str()) {
            stale.push(document.path);
        }
    }
    if stale.is_empty() {
        Ok(())
    } else {
        Err(format!("not up to date: {}; run `cargo xtask generate`", stale.join(", ")))
    }
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

impl Document {
    /// What the file must contain; ends with one line break.
    fn text(&self) -> Result<String, String> {
        let printed = match self.source {
            Source::Verb(words) => {
                let printed = capture(Command::new(latchkey_binary()?).args(words))?;
                let named = |error| format!("`latchkey {}` printed no JSON: {error}", words.join(" "));
                let json: serde_json::Value = serde_json::from_str(&printed).map_err(named)?;
                format!("{json:#}")
            }
            Source::Example { package, name } => {
                capture(cargo().args(["run", "--quiet", "--locked"]).args([
                    "--package",
                    package,
                    "--example",
                    name,
                ]))?
            }
        };
        Ok(format!("{}\n", printed.trim_end()))
    }
}

/// Builds the `latchkey` binary and gives its path.
///
/// The whole workspace is selected, so that its dependencies are built with the features that `cargo test
/// --workspace` builds them with, once.
pub fn latchkey_binary() -> Result<std::path::PathBuf, String> {
    run(cargo().args(["build", "--quiet", "--locked", "--workspace", "--bin", "latchkey"]))?;
    Ok(target_directory()?.join("debug").join(format!("latchkey{}", std::env::consts::EXE_SUFFIX)))
}

/// Where cargo puts what it builds.
pub fn target_directory() -> Result<std::path::PathBuf, String> {
    let json = capture(cargo().args(["metadata", "--format-version", "1", "--locked", "--no-deps"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&json).map_err(|error| error.to_string())?;
    metadata["target_directory"]
        .as_str()
        .map(Into::into)
        .ok_or("cargo metadata names no target directory".to_owned())
}
