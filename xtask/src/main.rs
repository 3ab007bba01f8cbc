//! The project's own commands: `cargo xtask check|test|generate|new|bench`.
//!
//! One file per command. Owns no rule of the product: it only builds it, runs it and looks at it.
#![expect(clippy::print_stdout, reason = "a command-line tool says what it does")]

mod bench;
mod check;
mod generate;
mod new;
mod postgres;
mod shell;
mod test;

use std::process::ExitCode;

use pico_args::Arguments;

const USAGE: &str = "\
cargo xtask COMMAND

  check                          format, lints, the arrows between crates, licences, generated files
  test [FILTER…]                 every test; with filters, the cargo tests whose names contain one of them
  generate [--check]             write the generated documents, or compare them with what is there
  new endpoint NOUN              the files of an endpoint on NOUN, layer by layer
  new table NAME                 a migration and the storage file of a table
  new error CODE STATUS TEXT     a row in the table of known errors
  bench [--quick] [--only PARTS] [--fill USERS] [--binary FILE]
                                 measure the server, and write docs/benchmarks.md once every part was
                                 measured; parts, joined by commas:
                                 load, storm, lists, crash, timing, start; load-sqlite is load on SQLite only

REQUIRE_ALL=1 turns everything that `test` would skip into an error.
TEST_POSTGRES_URL names a PostgreSQL server to test on; without it `test` starts a temporary one.";

fn main() -> ExitCode {
    match command() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn command() -> Result<(), String> {
    let mut arguments = Arguments::from_env();
    let name = arguments.subcommand().map_err(|error| error.to_string())?;
    match name.as_deref() {
        Some("check") => nothing_left(arguments).and_then(|()| check::check()),
        Some("test") => test::test(&words(arguments)?),
        Some("generate") => {
            let only_check = arguments.contains("--check");
            nothing_left(arguments)?;
            if only_check { generate::check() } else { generate::generate() }
        }
        Some("new") => new::new(&words(arguments)?),
        Some("bench") => bench::bench(&bench::Options::read(arguments)?),
        Some(other) => Err(format!("there is no command `{other}`\n\n{USAGE}")),
        None => {
            println!("{USAGE}");
            Ok(())
        }
    }
}

/// The arguments that no flag has taken, as text.
fn words(arguments: Arguments) -> Result<Vec<String>, String> {
    arguments
        .finish()
        .into_iter()
        .map(|word| word.into_string().map_err(|word| format!("{} is not UTF-8", word.display())))
        .collect()
}

fn nothing_left(arguments: Arguments) -> Result<(), String> {
    match words(arguments)?.first() {
        None => Ok(()),
        Some(word) => Err(format!("`{word}` is one argument too many\n\n{USAGE}")),
    }
}
