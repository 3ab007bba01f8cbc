//! Whether every dependency has a licence that we accept, and none of them is banned.
//!
//! Judges what `cargo tree` says would be built, so it needs no network; cargo-deny, where it is installed, adds
//! advisories.

use spdx::{Expression, ParseMode};

use super::policy::Policy;
use crate::shell::{capture, cargo};

/// A package that some build of the workspace pulls in.
struct Pulled<'a> {
    name: &'a str,
    version: &'a str,
    /// An SPDX expression; empty where the manifest states none.
    licence: &'a str,
}

/// What every build of the workspace together pulls in: a line `NAME vVERSION (NOTE)|LICENCE` for each.
pub fn tree() -> Result<String, String> {
    let everything = ["--workspace", "--all-features", "--target", "all", "--edges", "normal,build,dev"];
    capture(cargo().args(["tree", "--locked", "--prefix", "none", "--format", "{p}|{l}"]).args(everything))
}

/// Everything in `tree` that the policy refuses, one sentence each.
pub fn violations(tree: &str, policy: &Policy) -> Result<Vec<String>, String> {
    let mut lines: Vec<_> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    lines.sort_unstable();
    lines.dedup();
    let pulled: Vec<_> = lines.into_iter().filter_map(Pulled::read).collect();
    let mut found = Vec::new();
    for package in &pulled {
        if policy.banned.iter().any(|name| name == package.name) {
            found.push(format!("{} {} is banned by deny.toml", package.name, package.version));
        }
        found.extend(refused_licence(package, policy)?);
    }
    for name in &policy.single {
        let versions: Vec<_> =
            pulled.iter().filter(|package| package.name == name).map(|package| package.version).collect();
        if versions.len() > 1 {
            found.push(format!("{name} must be there once, not as {}", versions.join(" and ")));
        }
    }
    Ok(found)
}

impl<'a> Pulled<'a> {
    /// Reads a line of the tree.
    fn read(line: &'a str) -> Option<Self> {
        let (package, licence) = line.split_once('|')?;
        let mut words = package.split(' ');
        let (name, version) = (words.next()?, words.next()?.trim_start_matches('v'));
        Some(Self { name, version, licence })
    }
}

fn refused_licence(package: &Pulled<'_>, policy: &Policy) -> Result<Option<String>, String> {
    let Pulled { name, version, licence } = *package;
    if licence.is_empty() {
        return Ok(Some(format!("{name} {version} states no licence")));
    }
    let expression = Expression::parse_mode(licence, ParseMode::LAX).map_err(|error| {
        format!("the licence of {name} {version}, `{licence}`, is no SPDX expression: {error}")
    })?;
    let is_allowed = expression.evaluate(|wanted| {
        let wanted = wanted.to_string();
        policy.allowed_licences.contains(&wanted)
            || policy.exceptions.iter().any(|(package, licence)| package == name && *licence == wanted)
    });
    Ok((!is_allowed)
        .then(|| format!("the licence of {name} {version}, `{licence}`, is not allowed by deny.toml")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
        [licenses]
        allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]
        exceptions = [{ crate = "roots", allow = ["CDLA-Permissive-2.0"] }]
        [bans]
        deny = [{ crate = "openssl-sys", reason = "no OpenSSL" }, { crate = "rustls", deny-multiple-versions = true }]
    "#;

    fn refused(tree: &str) -> Vec<String> {
        violations(tree, &Policy::parse(POLICY).unwrap()).unwrap()
    }

    #[test]
    fn one_accepted_licence_of_several_is_enough() {
        assert_eq!(refused("a v1.0.0|GPL-3.0 OR MIT"), [""; 0]);
        assert_eq!(refused("a v1.0.0 (proc-macro) (*)|MIT/Apache-2.0 (*)"), [""; 0]);
        assert_eq!(refused("a v1.0.0|Apache-2.0 WITH LLVM-exception"), [""; 0]);
    }

    #[test]
    fn every_licence_of_a_conjunction_must_be_accepted() {
        assert_eq!(refused("a v1.0.0|MIT AND GPL-3.0").len(), 1);
        assert_eq!(refused("a v1.0.0|"), ["a 1.0.0 states no licence"]);
    }

    #[test]
    fn an_exception_holds_for_its_package_only() {
        assert_eq!(refused("roots v1.0.0|CDLA-Permissive-2.0"), [""; 0]);
        assert_eq!(refused("others v1.0.0|CDLA-Permissive-2.0").len(), 1);
    }

    #[test]
    fn banned_crates_and_second_copies_are_refused() {
        assert_eq!(refused("openssl-sys v0.9.0|MIT"), ["openssl-sys 0.9.0 is banned by deny.toml"]);
        assert_eq!(refused("rustls v0.23.0|MIT\nrustls v0.23.0|MIT (*)"), [""; 0]);
        assert_eq!(refused("rustls v0.23.0|MIT\nrustls v0.22.0|MIT").len(), 1);
    }
}
