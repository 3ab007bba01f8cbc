//! Running programs: saying what is done, finding what is installed, installing what is missing.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Tells the reader what happens next.
pub fn say(text: impl std::fmt::Display) {
    println!("==> {text}");
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the repository")
}

/// A variable of the environment; an empty one counts as absent.
pub fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Whether a missing program is an error rather than a skipped step.
pub fn require_all() -> bool {
    variable("REQUIRE_ALL").is_some_and(|value| value == "1")
}

/// `cargo` in the root of the repository.
pub fn cargo() -> Command {
    let mut command = Command::new(variable("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs a command whose output the reader sees; an error names the command that failed.
pub fn run(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{}: {error}", line(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed ({status})", line(command))) }
}

/// Runs a command and gives what it printed; its errors go to the reader.
pub fn capture(command: &mut Command) -> Result<String, String> {
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|error| format!("{}: {error}", line(command)))?;
    if !output.status.success() {
        return Err(format!("{} failed ({})", line(command), output.status));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| format!("{} printed something else than UTF-8", line(command)))
}

/// Runs a command, shows each line of its output and hands it to `each`; gives whether the command succeeded.
pub fn follow(command: &mut Command, mut each: impl FnMut(&str)) -> Result<bool, String> {
    let failed = |error: std::io::Error, command: &Command| format!("{}: {error}", line(command));
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| failed(error, command))?;
    let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped"));
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if lines.read_until(b'\n', &mut bytes).map_err(|error| failed(error, command))? == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&bytes);
        print!("{text}");
        each(text.trim_end());
    }
    Ok(child.wait().map_err(|error| failed(error, command))?.success())
}

/// The path of an installed program.
pub fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&variable("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Whether this process runs as root.
pub fn is_root() -> bool {
    capture(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Installs Debian packages, where this process may: gives `false` where there is no `apt-get` or no right to use it.
pub fn apt_install(packages: &[&str]) -> Result<bool, String> {
    if find("apt-get").is_none() || !is_root() {
        return Ok(false);
    }
    say(format_args!("installing {} with apt-get", packages.join(", ")));
    let apt_get = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(["-qq", "-o", "Dpkg::Use-Pty=0"]);
        command.stdin(Stdio::null());
        command
    };
    run(apt_get().arg("update"))?;
    run(apt_get().args(["install", "-y", "--no-install-recommends"]).args(packages).stdout(Stdio::null()))?;
    Ok(true)
}

/// The command as a reader would type it.
fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
