//! `doctor`: looks at configuration, files, addresses, mail server and database, and says what is wrong.

use std::{fs, path::Path};

use latchkey_config::Config;
use serde::Serialize;
use serde_json::json;

use crate::{
    cli::Common,
    configuration, files,
    output::{Failed, Output},
    wire,
};

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    /// What was looked at.
    pub name: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// A sentence.
    pub detail: String,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// As it should be.
    Ok,
    /// Works, and should be changed.
    Warning,
    /// Does not work.
    Error,
}

impl Finding {
    /// What was looked at, how it is, and a sentence.
    pub fn new(name: &'static str, verdict: Verdict, detail: impl Into<String>) -> Self {
        Self { name, verdict, detail: detail.into() }
    }
}

/// Looks at everything; fails when something does not work.
pub(crate) async fn run(common: Common, output: &Output) -> Result<(), Failed> {
    let config = configuration::load(&common, Vec::new(), Vec::new())?;
    let mut findings = vec![Finding::new("configuration", Verdict::Ok, "every key is known and valid")];
    let warning = |problem: latchkey_config::Problem| {
        Finding::new("configuration", Verdict::Warning, format!("{} {}", problem.key, problem.message))
    };
    findings.extend(config.warnings().into_iter().map(warning));
    findings.extend(production(&config));
    findings.extend(database_directory(&config));
    findings.extend(configuration_file(&common));
    findings.push(wire::examine_mail(&config).await);
    findings.extend(wire::examine(&config).await);

    let broken = findings.iter().filter(|finding| finding.verdict == Verdict::Error).count();
    if broken > 0 {
        let failed = Failed::new(format!("{broken} of {} findings need a change", findings.len()));
        return Err(findings.into_iter().fold(failed, |failed, finding| {
            let value = json!(finding);
            failed.with(line(&finding), value)
        }));
    }
    let text = findings.iter().map(line).collect::<Vec<_>>().join("\n");
    output.result(text, &json!({ "ok": true, "findings": findings }));
    Ok(())
}

fn line(finding: &Finding) -> String {
    let mark = match finding.verdict {
        Verdict::Ok => "ok     ",
        Verdict::Warning => "warning",
        Verdict::Error => "ERROR  ",
    };
    format!("{mark}  {}: {}", finding.name, finding.detail)
}

/// What `serve` would refuse.
fn production(config: &Config) -> Vec<Finding> {
    let refused = config.check_for_production();
    if refused.is_empty() {
        return vec![Finding::new("production", Verdict::Ok, "`latchkey serve` would start")];
    }
    refused
        .into_iter()
        .map(|problem| Finding::new("production", Verdict::Warning, problem.to_string()))
        .collect()
}

/// The directory of a SQLite file must be there and writable: SQLite makes further files beside it.
fn database_directory(config: &Config) -> Option<Finding> {
    let path = Path::new(config.database.sqlite_path()?);
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let shown = directory.display();
    Some(match fs::metadata(directory) {
        Ok(metadata) if !metadata.is_dir() => {
            Finding::new("database directory", Verdict::Error, format!("{shown} is not a directory"))
        }
        Ok(metadata) if metadata.permissions().readonly() => {
            Finding::new("database directory", Verdict::Error, format!("{shown} is read-only"))
        }
        Ok(_) => Finding::new("database directory", Verdict::Ok, format!("{shown} is there")),
        Err(error) => Finding::new(
            "database directory",
            Verdict::Warning,
            format!("{shown} cannot be read ({error}); it is made at the first start"),
        ),
    })
}

/// A configuration file often holds secrets.
fn configuration_file(common: &Common) -> Option<Finding> {
    let path = common.config.as_deref()?;
    files::is_readable_by_others(path).then(|| {
        let detail = format!(
            "{} can be read by other users of this machine; if it holds secrets, run `chmod 600` on it or use the \
             …_file keys",
            path.display()
        );
        Finding::new("configuration file", Verdict::Warning, detail)
    })
}
