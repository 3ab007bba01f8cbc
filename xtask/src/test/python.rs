//! The compatibility tests with real Python clients: a virtual environment with pinned packages, then pytest.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::tally::Tally;
use super::{Had, Suite};
use crate::shell::{apt_install, find, follow, root, run as run_command, say};

/// Installs what the tests need under the target directory and runs them.
pub fn run(suite: &Suite<'_>) -> Result<Had<Tally>, String> {
    let folder = root().join("tests/compat/python");
    let Some(python) = python_with_venv()? else {
        return Ok(Had::No(
            "Python 3 with its venv module is not installed (Debian: python3-venv)".to_owned(),
        ));
    };
    let programs = environment(&python, suite.target, &folder.join("requirements.txt"))?;
    say("running the compatibility tests with Python clients: pytest");
    let mut command = Command::new(programs.join("python"));
    command.args(["-m", "pytest", "--color=no"]).current_dir(&folder).env("PYTHONDONTWRITEBYTECODE", "1");
    suite.tell(&mut command);
    let mut tally = Tally::default();
    let succeeded = follow(&mut command, |line| tally.read_pytest(line))?;
    tally.note_exit(succeeded);
    Ok(Had::Yes(tally))
}

fn python_with_venv() -> Result<Option<PathBuf>, String> {
    let usable = || {
        find("python3").filter(|python| {
            let probe = Command::new(python).args(["-c", "import venv, ensurepip"]).output();
            probe.is_ok_and(|output| output.status.success())
        })
    };
    match usable() {
        Some(python) => Ok(Some(python)),
        None => Ok(if apt_install(&["python3", "python3-venv"])? { usable() } else { None }),
    }
}

/// The folder with the programs of a virtual environment that has exactly the packages of `requirements`.
fn environment(python: &Path, target: &Path, requirements: &Path) -> Result<PathBuf, String> {
    let folder = target.join("compat/python");
    let stamp = folder.join("installed-requirements.txt");
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let wanted = std::fs::read(requirements).map_err(failed)?;
    let programs = folder.join("bin");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    say(format_args!("installing {} into {}", requirements.display(), folder.display()));
    run_command(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    run_command(Command::new(programs.join("python")).args(pip).arg(requirements))?;
    std::fs::write(&stamp, wanted).map_err(failed)?;
    Ok(programs)
}
