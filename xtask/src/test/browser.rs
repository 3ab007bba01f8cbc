//! The tests in a real browser: Debian's Chromium, driven by node.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::tally::Tally;
use super::{Had, Suite, node};
use crate::shell::{apt_install, capture, find, say, variable};

/// Installs the browser and what drives it, and runs the tests.
pub fn run(suite: &Suite<'_>) -> Result<Had<Tally>, String> {
    if chromium().is_none() && !apt_install(&["chromium"])? {
        return Ok(Had::No("Chromium is not installed and CHROMIUM names none".to_owned()));
    }
    let Some(browser) = chromium() else {
        return Ok(Had::No("the package chromium has no /usr/bin/chromium".to_owned()));
    };
    say(format_args!("the browser is {}", capture(Command::new(browser).arg("--version"))?.trim()));
    node::run_in(suite, &[node::COMPAT, "tests/browser"], "the tests in a browser")
}

/// The browser that the tests start: the one that `CHROMIUM` names, else Debian's.
fn chromium() -> Option<PathBuf> {
    let named = variable("CHROMIUM").map(PathBuf::from);
    named
        .or_else(|| find("chromium").filter(|path| path == Path::new("/usr/bin/chromium")))
        .filter(|path| path.is_file())
}
