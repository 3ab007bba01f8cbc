//! The Latchkey server: reads configuration, wires the crates together, listens. Nothing else happens here.
//!
//! `cli` says which verbs there are, one file holds each verb, and `wire` is the one place that knows how storage,
//! use cases and HTTP fit together.

mod admin;
mod cli;
mod configuration;
mod dev;
mod dev_oauth;
pub mod dev_pages;
mod doctor;
mod files;
mod healthcheck;
mod keys;
mod log;
mod migrate;
mod openapi;
mod output;
mod serve;
mod signals;
mod version;
pub mod wire;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser as _;

use cli::{AdminVerb, Cli, ConfigVerb, KeysVerb, Verb};
use output::{Failed, Output};
pub use wire::Running;

/// Runs the program with these arguments, the first being its name. Exit codes: 0 it worked, 1 it failed, 2 the
/// arguments make no sense.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(usage) => {
            // `--help` and `--version` are errors here that go to standard output and end well.
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    let output = Output::new(cli.common.json);
    match run(cli, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            output.failed(&failed);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli, output: &Output) -> Result<(), Failed> {
    let Cli { common, verb } = cli;
    // The verbs that need no runtime first: they stay quick and cannot hang.
    let work: Work<'_> = match verb {
        Verb::Version => {
            version::run(output);
            return Ok(());
        }
        Verb::Openapi => {
            openapi::run(output);
            return Ok(());
        }
        Verb::Config { verb } => {
            return match verb {
                ConfigVerb::Check { production } => configuration::check(&common, production, output),
                ConfigVerb::Dump => configuration::dump(&common, output),
                ConfigVerb::Schema => {
                    configuration::schema(output);
                    Ok(())
                }
            };
        }
        Verb::Dev(flags) => Box::pin(dev::run(common, flags, output)),
        Verb::Serve(flags) => Box::pin(serve::run(common, flags, output)),
        Verb::Migrate => Box::pin(migrate::run(common, output)),
        Verb::Doctor => Box::pin(doctor::run(common, output)),
        Verb::Healthcheck => Box::pin(healthcheck::run(common, output)),
        Verb::Admin { verb: AdminVerb::Create(flags) } => Box::pin(admin::create(common, flags, output)),
        Verb::Keys { verb: KeysVerb::Rotate(flags) } => Box::pin(keys::rotate(common, flags, output)),
    };
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failed::new(format!("cannot start the runtime: {error}")))?
        .block_on(work)
}

/// What a verb does.
type Work<'a> = std::pin::Pin<Box<dyn Future<Output = Result<(), Failed>> + 'a>>;
