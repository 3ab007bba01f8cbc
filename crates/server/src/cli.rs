//! The verbs and flags. The doc comments here are the help texts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Latchkey: authentication and identity for your own applications.
#[derive(Debug, Parser)]
#[command(name = "latchkey", version, propagate_version = true, subcommand_required = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub verb: Verb,
}

/// Flags that every verb takes.
#[derive(Debug, Default, Args)]
pub(crate) struct Common {
    /// Print one JSON document instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// The configuration file (also: environment variable `LATCHKEY_CONFIG`).
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set a configuration key, such as --set log.level=debug; wins over environment and file.
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub set: Vec<(String, String)>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Start a server for development: needs no configuration, keeps mail in a mailbox, makes its own keys.
    Dev(DevFlags),
    /// Start the server. Refuses what is unsafe in production.
    Serve(ServeFlags),
    /// Bring the database to the current schema, without starting the server.
    Migrate,
    /// Look for what is wrong with configuration, files and database.
    Doctor,
    /// Ask the running server whether it is ready; for container health checks.
    Healthcheck,
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Manage administrators.
    Admin {
        #[command(subcommand)]
        verb: AdminVerb,
    },
    /// Manage keys.
    Keys {
        #[command(subcommand)]
        verb: KeysVerb,
    },
    /// Print the OpenAPI description of the API.
    Openapi,
    /// Print the version.
    Version,
}

#[derive(Debug, Args)]
pub(crate) struct DevFlags {
    /// The port to listen on; 0 takes any free one.
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Where database and keys are kept.
    #[arg(long, value_name = "DIR", default_value = "latchkey-data")]
    pub data_dir: PathBuf,
    /// Another database than the one in the data directory.
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// Another cache than this process.
    #[arg(long, value_name = "URL")]
    pub cache_url: Option<String>,
    /// Write a JSON file with base URL, project id and keys once requests are accepted.
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeFlags {
    /// Write a JSON file with the base URL once requests are accepted.
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Find every error in the configuration.
    Check {
        /// Fail also on what `serve` would refuse.
        #[arg(long)]
        production: bool,
    },
    /// Print the effective values, secrets masked, and where each came from.
    Dump,
    /// Print the JSON schema of the configuration file.
    Schema,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdminVerb {
    /// Create a user who administers the declared projects.
    Create(AdminFlags),
}

#[derive(Debug, Args)]
pub(crate) struct AdminFlags {
    /// The address to sign in with.
    #[arg(long, value_name = "ADDRESS")]
    pub email: String,
    /// A file that holds the password, "-" for standard input. Without it, one is made and printed.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// The name to show.
    #[arg(long, value_name = "NAME")]
    pub display_name: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysVerb {
    /// Replace the keys that sign tokens, and seal again what an older master key sealed. No live token breaks.
    Rotate(RotateFlags),
}

#[derive(Debug, Args)]
pub(crate) struct RotateFlags {
    /// Only the keys of this project.
    #[arg(long, value_name = "ID")]
    pub project: Option<String>,
    /// Also keys whose successor was announced less than an hour ago, and which cached key sets do not hold yet.
    #[arg(long)]
    pub force: bool,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("must be KEY=VALUE, such as log.level=debug".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_verbs_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_takes_json() {
        for verb in [
            &["dev"][..],
            &["serve"],
            &["migrate"],
            &["doctor"],
            &["healthcheck"],
            &["config", "check"],
            &["config", "dump"],
            &["config", "schema"],
            &["admin", "create", "--email", "a@b.c"],
            &["keys", "rotate"],
            &["openapi"],
            &["version"],
        ] {
            let line = ["latchkey"].iter().chain(verb).chain(&["--json"]);
            assert!(Cli::try_parse_from(line).unwrap().common.json, "{verb:?}");
        }
    }

    #[test]
    fn dev_takes_the_flags_of_the_fixed_interface() {
        let line = "latchkey dev --port 0 --data-dir d --database-url sqlite:x --cache-url memory: --config c.toml --ready-file r";
        let Cli { common, verb: Verb::Dev(flags) } = Cli::try_parse_from(line.split(' ')).unwrap() else {
            panic!("not dev");
        };
        assert_eq!(common.config, Some("c.toml".into()));
        assert_eq!((flags.port, flags.ready_file), (Some(0), Some("r".into())));
    }
}
