//! The verbs that need no database, run as a user runs them.

use std::{path::PathBuf, process::Command};

use serde_json::Value;

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}", self.out))
    }
}

/// Runs the binary with nothing in its environment but `environment`.
fn latchkey_with(environment: &[(&str, &str)], line: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_latchkey"))
        .args(line)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is UTF-8");
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

fn latchkey(line: &[&str]) -> Ran {
    latchkey_with(&[], line)
}

fn file(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("the directory of tests can be written");
    path.display().to_string()
}

#[test]
fn version_is_told_in_words_and_in_json() {
    let ran = latchkey(&["version"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, concat!("latchkey ", env!("CARGO_PKG_VERSION"), "\n")));
    assert_eq!(latchkey(&["version", "--json"]).json()["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(latchkey(&["--version"]).code, 0);
}

#[test]
fn nonsense_ends_with_exit_code_2() {
    for line in [
        &[][..],
        &["frobnicate"],
        &["version", "--frobnicate"],
        &["dev", "--port", "x"],
        &["version", "--set", "x"],
    ] {
        let ran = latchkey(line);
        assert_eq!(ran.code, 2, "{line:?}: {}", ran.err);
        assert!(ran.out.is_empty());
    }
    assert_eq!(latchkey(&["--help"]).code, 0);
}

#[test]
fn a_valid_configuration_passes_the_check() {
    let ran = latchkey(&["config", "check"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("The configuration is valid."), "{}", ran.out);
    let json = latchkey(&["config", "check", "--json"]).json();
    assert_eq!(json["ok"], true);
    assert_eq!(json["refused_in_production"].as_array().map(Vec::len), Some(2));
}

#[test]
fn an_invalid_configuration_fails_the_check_with_every_error() {
    let path = file("invalid.toml", "[server]\nbnd = \"x\"\n[tokens]\naccess_token_lifetime = \"soon\"\n");
    let ran = latchkey(&["config", "check", "--config", &path]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.is_empty());
    assert!(ran.err.starts_with("error: the configuration has 2 errors\n"), "{}", ran.err);
    assert!(
        ran.err.contains(&format!("{path}:2: server.bnd is unknown; did you mean \"server.bind\"?")),
        "{}",
        ran.err
    );
    assert!(ran.err.contains(&format!("{path}:4: tokens.access_token_lifetime")), "{}", ran.err);

    let json = latchkey_with(&[("LATCHKEY_CONFIG", &path)], &["config", "check", "--json"]);
    assert_eq!(json.code, 1);
    let json = json.json();
    assert_eq!(json["ok"], false);
    assert_eq!(json["findings"][0]["key"], "server.bnd");
    assert_eq!(json["findings"][0]["origin"], format!("{path}:2"));
}

#[test]
fn the_check_for_production_tells_what_to_change() {
    let ran =
        latchkey(&["config", "check", "--production", "--set", "server.public_url=http://auth.example.com"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("Change server.public_url to https://"), "{}", ran.err);
    assert!(ran.err.contains("Set security.master_keys"), "{}", ran.err);
}

#[test]
fn serve_refuses_what_is_unfit_for_production() {
    let ran = latchkey_with(&[("LATCHKEY_SERVER__PUBLIC_URL", "http://auth.example.com")], &["serve"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("not fit for production"), "{}", ran.err);
    assert!(ran.err.contains("environment LATCHKEY_SERVER__PUBLIC_URL"), "{}", ran.err);
}

#[test]
fn the_dump_shows_values_and_origins_and_no_secret() {
    let path =
        file("dump.toml", "[log]\nlevel = \"debug\"\n[database]\nurl = \"postgres://app:hush@db/auth\"\n");
    let ran = latchkey_with(
        &[("LATCHKEY_TOKENS__ACCESS_TOKEN_LIFETIME", "5m")],
        &["config", "dump", "--config", &path, "--set", "server.max_connections=7"],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    for line in [
        format!("level = \"debug\"  # {path}:2"),
        "access_token_lifetime = \"5m\"  # environment LATCHKEY_TOKENS__ACCESS_TOKEN_LIFETIME".into(),
        "max_connections = 7  # given as server.max_connections".into(),
        format!("url = \"postgres://app:***@db/auth\"  # {path}:4"),
    ] {
        assert!(ran.out.contains(&line), "{line}\n{}", ran.out);
    }
    let json = latchkey(&["config", "dump", "--json", "--config", &path]).json();
    assert_eq!(json["log"]["level"], "debug");
    assert_eq!(json["database"]["url"], "postgres://app:***@db/auth");
}

#[test]
fn the_schema_is_json() {
    let plain = latchkey(&["config", "schema"]).json();
    assert_eq!(plain, latchkey(&["config", "schema", "--json"]).json());
    assert_eq!(plain["type"], "object");
}

#[test]
fn healthcheck_fails_when_nothing_listens() {
    let ran = latchkey(&["healthcheck", "--json", "--set", "server.observe_bind=127.0.0.1:9"]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.json()["ok"], false);
}

#[test]
fn doctor_warns_of_what_serve_would_refuse() {
    let ran = latchkey(&["doctor", "--json", "--set", "database.url=sqlite:/nonexistent/latchkey.db"]);
    let json = ran.json();
    let findings = json["findings"].as_array().expect("a list");
    assert!(findings.iter().any(|f| f["name"] == "production" && f["verdict"] == "warning"), "{json:#}");
    assert!(findings.iter().any(|f| f["name"] == "database directory"), "{json:#}");
}
