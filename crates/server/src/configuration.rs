//! `config check|dump|schema`, and the one function by which every verb loads the configuration.

use latchkey_config::{Config, Problem, Sources, process_environment};
use serde_json::{Value, json};

use crate::{
    cli::Common,
    output::{Failed, Output},
};

/// Loads the configuration as the flags say, over `presets`, with `overrides` above everything.
pub(crate) fn load(
    common: &Common,
    presets: Vec<(String, String)>,
    overrides: Vec<(String, String)>,
) -> Result<Config, Failed> {
    let config = Config::load(Sources {
        presets,
        file: common.config.clone(),
        environment: process_environment(),
        overrides: common.set.iter().cloned().chain(overrides).collect(),
    })?;
    Ok(config)
}

/// The problems as a failure with `message`, when there are any.
pub(crate) fn refuse(problems: Vec<Problem>, message: &str) -> Result<(), Failed> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(problems.into_iter().fold(Failed::new(message), |failed, problem| {
        let finding = finding(&problem);
        failed.with(problem, finding)
    }))
}

fn finding(problem: &Problem) -> Value {
    json!({ "key": problem.key, "origin": problem.origin.to_string(), "message": problem.message })
}

/// `config check`: every error at once; with `production` also what `serve` refuses.
pub(crate) fn check(common: &Common, production: bool, output: &Output) -> Result<(), Failed> {
    let config = load(common, Vec::new(), Vec::new())?;
    let warnings = config.warnings();
    let refused = config.check_for_production();
    for warning in &warnings {
        output.remark(format_args!("warning: {} {} ({})", warning.key, warning.message, warning.origin));
    }
    if production {
        refuse(refused, "the configuration is not fit for production")?;
        output.result("The configuration is valid, and fit for production.", &report(&warnings, &[]));
    } else {
        let text = match refused.len() {
            0 => "The configuration is valid.".to_owned(),
            count => format!(
                "The configuration is valid. `latchkey serve` would refuse it for {count} reason{}; see `latchkey config \
                 check --production`.",
                if count == 1 { "" } else { "s" }
            ),
        };
        output.result(text, &report(&warnings, &refused));
    }
    Ok(())
}

fn report(warnings: &[Problem], refused: &[Problem]) -> Value {
    let list = |problems: &[Problem]| problems.iter().map(finding).collect::<Vec<_>>();
    json!({ "ok": true, "warnings": list(warnings), "refused_in_production": list(refused) })
}

/// `config dump`: the effective values, secrets masked.
pub(crate) fn dump(common: &Common, output: &Output) -> Result<(), Failed> {
    let config = load(common, Vec::new(), Vec::new())?;
    output.result(config.dump().trim_end(), &config.dump_json());
    Ok(())
}

/// `config schema`: JSON either way.
pub(crate) fn schema(output: &Output) {
    let schema = Config::json_schema();
    output.result(format_args!("{schema:#}"), &schema);
}
