//! What verbs print: text for people, or with `--json` exactly one JSON document on standard output, also when the
//! verb fails. Logs go to standard error and are another matter.

use std::{fmt::Display, io};

use serde::Serialize;
use serde_json::{Value, json};

/// Where and how a verb prints.
pub(crate) struct Output {
    json: bool,
}

/// Why a verb failed: a sentence, and perhaps several findings.
#[derive(Debug)]
pub(crate) struct Failed {
    message: String,
    findings: Vec<Value>,
    lines: Vec<String>,
}

impl Failed {
    /// A failure that one sentence explains.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), findings: Vec::new(), lines: Vec::new() }
    }

    /// Adds a finding: a line for people, an object for machines.
    pub fn with(mut self, line: impl Display, finding: Value) -> Self {
        self.lines.push(line.to_string());
        self.findings.push(finding);
        self
    }
}

impl From<latchkey_config::ConfigErrors> for Failed {
    fn from(errors: latchkey_config::ConfigErrors) -> Self {
        let count = errors.0.len();
        let failed =
            Self::new(format!("the configuration has {count} error{}", if count == 1 { "" } else { "s" }));
        errors.0.into_iter().fold(failed, |failed, error| {
            let finding = json!({
                "key": error.key, "origin": error.origin.to_string(), "message": error.message,
            });
            failed.with(error, finding)
        })
    }
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints the result of a verb: `text` for people, `value` for machines.
    pub fn result(&self, text: impl Display, value: &impl Serialize) {
        if self.json { Self::document(value) } else { line(&mut io::stdout(), text) }
    }

    /// Prints a remark for people; machines do not see it.
    pub fn remark(&self, text: impl Display) {
        if !self.json {
            line(&mut io::stderr(), text);
        }
    }

    /// Prints why a verb failed.
    pub fn failed(&self, failed: &Failed) {
        if self.json {
            Self::document(&json!({ "ok": false, "error": failed.message, "findings": failed.findings }));
        } else {
            line(&mut io::stderr(), format_args!("error: {}", failed.message));
            for finding in &failed.lines {
                line(&mut io::stderr(), format_args!("  {finding}"));
            }
        }
    }

    fn document(value: &impl Serialize) {
        let text = serde_json::to_string_pretty(value)
            .unwrap_or_else(|error| json!({ "error": error.to_string() }).to_string());
        line(&mut io::stdout(), text);
    }
}

/// One line. Whoever closed the other end of the pipe does not want it.
fn line(out: &mut impl io::Write, text: impl Display) {
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}
