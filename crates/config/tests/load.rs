//! Loading as a whole: precedence, places of errors, secrets, and what is derived from the schema.

use std::path::PathBuf;

use latchkey_config::{
    Config, ConfigErrors, Duration, LogFormat, Origin, ProjectDeclaration, Sources, settings::ExtraClaim,
};

const MASTER: &str = "2026a:mZ4kq1V0cXh7d2RjY3J5cHQtbWFzdGVyLWtleS0xMjM=";

/// A file of this test's own.
fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("the directory of tests can be written");
    path
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn from_environment(list: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    Config::load(Sources { environment: pairs(list), ..Sources::default() })
}

fn from_file(name: &str, text: &str) -> Result<Config, ConfigErrors> {
    Config::load(Sources { file: Some(file(name, text)), ..Sources::default() })
}

/// The errors of a file, a line each, with the directory taken out.
fn errors_of(name: &str, text: &str) -> Vec<String> {
    let errors = from_file(name, text).expect_err(name).to_string();
    let directory = format!("{}/", env!("CARGO_TARGET_TMPDIR"));
    errors.lines().map(|line| line.replace(&directory, "")).collect()
}

#[test]
fn without_any_source_the_defaults_hold() {
    let config = from_environment(&[]).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.tokens.access_token_lifetime, Duration::from_mins(10));
    assert_eq!(config.server.bind.to_string(), "0.0.0.0:8080");
    assert_eq!(config.warnings(), []);
}

#[test]
fn overrides_win_over_environment_over_file_over_presets() {
    let path = file(
        "precedence.toml",
        "[server]\nmax_connections = 2\nmax_body_bytes = 20000\nrequest_timeout = \"2s\"\n",
    );
    let config = Config::load(Sources {
        presets: pairs(&[
            ("server.max_connections", "1"),
            ("server.max_body_bytes", "16384"),
            ("server.request_timeout", "1s"),
            ("server.shutdown_grace", "1s"),
        ]),
        file: Some(path.clone()),
        environment: pairs(&[
            ("LATCHKEY_SERVER__MAX_CONNECTIONS", "3"),
            ("LATCHKEY_SERVER__REQUEST_TIMEOUT", "3s"),
        ]),
        overrides: pairs(&[("server.max_connections", "4")]),
    })
    .unwrap();
    assert_eq!(config.server.max_connections, 4);
    assert_eq!(config.server.request_timeout, Duration::from_secs(3));
    assert_eq!(config.server.max_body_bytes, 20_000);
    assert_eq!(config.server.shutdown_grace, Duration::from_secs(1));
    assert_eq!(config.origin("server.max_connections"), Origin::Override("server.max_connections".into()));
    assert_eq!(
        config.origin("server.request_timeout"),
        Origin::Environment("LATCHKEY_SERVER__REQUEST_TIMEOUT".into())
    );
    assert_eq!(
        config.origin("server.max_body_bytes"),
        Origin::File { path: path.display().to_string(), line: 3 }
    );
    assert_eq!(config.origin("server.shutdown_grace"), Origin::Preset);
    assert_eq!(config.origin("server.bind"), Origin::Default);
}

#[test]
fn every_error_is_told_at_once_with_file_and_line() {
    let errors = errors_of(
        "errors.toml",
        r#"[server]
bnd = "127.0.0.1:1"
bind = "nowhere"
max_connections = "many"

[tokens]
access_token_lifetime = "10 fortnights"
public_url = "https://a.example.com"

[lgo]
level = "info"

[[project]]
id = "internal"
[project.settings.auth.password]
allow_signin = true
[project.settings.auth.oauth.providers.google]
type = "gogle"
"#,
    );
    for (start, part) in [
        ("errors.toml:2: server.bnd ", "did you mean \"server.bind\"?"),
        ("errors.toml:3: server.bind ", "socket address"),
        ("errors.toml:4: server.max_connections ", "expected u32"),
        ("errors.toml:7: tokens.access_token_lifetime ", "fortnights"),
        ("errors.toml:8: tokens.public_url ", "did you mean \"server.public_url\"?"),
        ("errors.toml:11: lgo.level ", "did you mean \"log\"?"),
        ("errors.toml:16: project.0.settings.auth.password.allow_signin ", "allow_sign_in\"?"),
        ("errors.toml:18: project.0.settings.auth.oauth.providers.google.type ", "`google`"),
    ] {
        assert!(
            errors.iter().any(|error| error.starts_with(start) && error.contains(part)),
            "{start}{part}\n{errors:#?}"
        );
    }
    assert_eq!(errors.len(), 8, "{errors:#?}");
}

#[test]
fn rules_between_values_are_checked_and_name_the_line() {
    let errors = errors_of(
        "rules.toml",
        r#"
[tokens]
access_token_lifetime = "500ms"
[cache]
url = "redis://:secretpass@cache"
[[project]]
id = "not-a-uuid"
keys = { secret_server_key = "has space" }
[project.settings.domains.trusted_domains.main]
base_url = "https://user@example.com"
[project.settings.rbac.default_permissions]
sign_up = { editor = true }
[project.settings.auth.oauth.providers.apple]
type = "apple"
[project.settings.auth.oauth.providers.x]
type = "x"
is_shared = false
client_id = "abc"
"#,
    );
    for (start, part) in [
        ("rules.toml:3: tokens.access_token_lifetime ", "at least 1s"),
        ("rules.toml:5: cache.url ", "cannot use yet"),
        ("rules.toml:7: project.0.id ", "UUID"),
        ("rules.toml:8: project.0.keys.secret_server_key ", "header"),
        ("rules.toml:10: project.0.settings.domains.trusted_domains.main.base_url ", "user name"),
        ("rules.toml:12: project.0.settings.rbac.default_permissions.sign_up.editor ", "not defined"),
        (
            "rules.toml:14: project.0.settings.auth.oauth.providers.apple.is_shared ",
            "no shared credentials for apple",
        ),
        ("rules.toml:16: project.0.settings.auth.oauth.providers.x.client_secret ", "required"),
    ] {
        assert!(
            errors.iter().any(|error| error.starts_with(start) && error.contains(part)),
            "{start}{part}\n{errors:#?}"
        );
    }
    assert_eq!(errors.len(), 8, "{errors:#?}");
    assert!(!errors.iter().any(|error| error.contains("secretpass") || error.contains("has space")));
}

#[test]
fn lifetimes_and_tries_of_codes_have_bounds() {
    let errors = errors_of(
        "codes.toml",
        r#"
[codes]
sign_in_lifetime = "59s"
password_reset_lifetime = "91d"
email_verification_lifetime = "1m"
attempts = 2
"#,
    );
    for start in [
        "codes.toml:3: codes.sign_in_lifetime ",
        "codes.toml:4: codes.password_reset_lifetime ",
        "codes.toml:6: codes.attempts ",
    ] {
        assert!(errors.iter().any(|error| error.starts_with(start)), "{start}\n{errors:#?}");
    }
    assert_eq!(errors.len(), 3, "{errors:#?}");
}

#[test]
fn a_file_that_is_no_toml_is_refused_by_line_without_quoting_it() {
    let errors =
        errors_of("broken.toml", "[security]\nmaster_keys = \"a:topsecret\n[log]\nlevel = \"info\"\n");
    assert!(errors[0].starts_with("broken.toml:2: is not valid TOML: "), "{errors:#?}");
    assert!(!errors.join("").contains("topsecret"), "{errors:#?}");
    let missing = Config::load(Sources { file: Some("/nonexistent.toml".into()), ..Sources::default() });
    assert!(missing.unwrap_err().to_string().contains("cannot read the configuration file"));
}

#[test]
fn variables_nest_by_two_underscores_and_hold_toml_or_json() {
    let config = from_environment(&[
        ("LATCHKEY_PASSWORDS__BREACH_CHECK__ENABLED", "true"),
        ("LATCHKEY_PASSWORDS__MEMORY_KIB", "65536"),
        ("LATCHKEY_LOG__FORMAT", "json"),
        ("LATCHKEY_OUTGOING__ALLOW_PRIVATE_ADDRESSES", r#"["10.0.0.0/8", 'idp.internal']"#),
        ("LATCHKEY_SERVER__TRUSTED_PROXY_NETWORKS", r#"["fd00::/8"]"#),
        ("LATCHKEY_PROJECT", r#"[{ id = "internal", keys = { publishable_client_key = "pck_a" } }]"#),
        ("LATCHKEY_PROJECT__0__KEYS__SECRET_SERVER_KEY", "ssk_b"),
        ("LATCHKEY_PROJECT__0__SETTINGS__AUTH__ALLOW_SIGN_UP", "false"),
        ("LATCHKEY_MAIL__SHARED", r#"{"sender_name": "Example"}"#),
        ("LATCHKEY_MAIL__SHARED__SENDER_ADDRESS", "auth@example.com"),
        ("PATH", "/bin"),
    ])
    .unwrap();
    assert!(config.passwords.breach_check.enabled);
    assert_eq!(config.passwords.memory_kib, 65_536);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.outgoing.allow_private_addresses.len(), 2);
    assert_eq!(config.server.trusted_proxy_networks.len(), 1);
    let project = &config.projects[0];
    assert_eq!(project.keys.publishable_client_key.as_ref().unwrap().expose(), "pck_a");
    assert_eq!(project.keys.secret_server_key.as_ref().unwrap().expose(), "ssk_b");
    assert!(!project.settings.auth.allow_sign_up);
    assert_eq!(
        (config.mail.shared.sender_name.as_str(), config.mail.shared.sender_address.as_str()),
        ("Example", "auth@example.com")
    );
}

#[test]
fn a_project_may_be_declared_by_variables_alone() {
    let config = from_environment(&[
        ("LATCHKEY_PROJECT__0__ID", "internal"),
        ("LATCHKEY_PROJECT__0__KEYS__SECRET_SERVER_KEY", "ssk_a"),
        ("LATCHKEY_PROJECT__1__ID", "a1b2c3d4-0000-4000-8000-000000000001"),
    ])
    .unwrap();
    assert_eq!(config.projects.len(), 2);
    assert_eq!(config.projects[0].keys.secret_server_key.as_ref().unwrap().expose(), "ssk_a");
}

#[test]
fn wrong_variables_are_errors_that_name_the_right_one() {
    let errors = from_environment(&[
        ("LATCHKEY_SERVER_BIND", "127.0.0.1:1"),
        ("LATCHKEY_SERVER__BINDD", "127.0.0.1:1"),
        ("LATCHKEY_LOG__FORMAT", "xml"),
        ("LATCHKEY_SERVER__MAX_CONNECTIONS", "lots"),
        ("LATCHKEY_OUTGOING__ALLOW_PRIVATE_ADDRESSES", "10.0.0.0/8"),
        ("LATCHKEY_PROJECT__1__ID", "internal"),
        ("LATCHKEY_ZZZZZZZZZZZZZZZZZZ", "1"),
    ])
    .unwrap_err()
    .to_string();
    for expected in [
        "environment LATCHKEY_SERVER_BIND: is no variable of ours; did you mean LATCHKEY_SERVER__BIND?",
        "environment LATCHKEY_SERVER__BINDD: server.bindd is unknown; did you mean \"server.bind\"?",
        "environment LATCHKEY_LOG__FORMAT: log.format cannot be `xml`",
        "environment LATCHKEY_SERVER__MAX_CONNECTIONS: server.max_connections must be a whole number",
        "environment LATCHKEY_OUTGOING__ALLOW_PRIVATE_ADDRESSES: outgoing.allow_private_addresses must be a list",
        "environment LATCHKEY_ZZZZZZZZZZZZZZZZZZ: is no variable of ours; they are named LATCHKEY_SECTION__KEY",
    ] {
        assert!(errors.contains(expected), "{expected}\n{errors}");
    }
    assert!(
        errors.contains("environment LATCHKEY_PROJECT__1__ID: project.1.id leads past the end of a list"),
        "{errors}"
    );
}

#[test]
fn variables_of_service_links_are_not_ours() {
    from_environment(&[
        ("LATCHKEY_SERVICE_HOST", "10.0.0.7"),
        ("LATCHKEY_SERVICE_PORT", "8080"),
        ("LATCHKEY_SERVICE_PORT_HTTP", "8080"),
        ("LATCHKEY_PORT", "tcp://10.0.0.7:8080"),
        ("LATCHKEY_PORT_8080_TCP", "tcp://10.0.0.7:8080"),
        ("LATCHKEY_PORT_8080_TCP_ADDR", "10.0.0.7"),
        ("LATCHKEY_PORT_8080_TCP_PORT", "8080"),
        ("LATCHKEY_PORT_8080_TCP_PROTO", "tcp"),
    ])
    .unwrap();
    assert!(from_environment(&[("LATCHKEY_PORT", "8080")]).is_err());
}

#[test]
fn the_contract_s_name_of_the_token_lifetime_is_read_and_ours_wins() {
    let config = from_environment(&[("STACK_ACCESS_TOKEN_EXPIRATION_TIME", "10min")]).unwrap();
    assert_eq!(config.tokens.access_token_lifetime, Duration::from_mins(10));
    let config = from_environment(&[
        ("STACK_ACCESS_TOKEN_EXPIRATION_TIME", "60s"),
        ("LATCHKEY_TOKENS__ACCESS_TOKEN_LIFETIME", "5m"),
    ])
    .unwrap();
    assert_eq!(config.tokens.access_token_lifetime, Duration::from_mins(5));
    let errors = from_environment(&[("STACK_ACCESS_TOKEN_EXPIRATION_TIME", "soon")]).unwrap_err().to_string();
    assert!(errors.starts_with("environment STACK_ACCESS_TOKEN_EXPIRATION_TIME: "), "{errors}");
}

#[test]
fn a_short_token_lifetime_is_a_warning() {
    let config = from_environment(&[("LATCHKEY_TOKENS__ACCESS_TOKEN_LIFETIME", "45s")]).unwrap();
    assert_eq!(config.warnings().len(), 1);
}

#[test]
fn a_secret_may_stand_in_a_file_of_its_own() {
    let secret = file("master.key", &format!("{MASTER}\n"));
    let key = file("server.key", "ssk_from_a_file\r\n");
    let toml = format!(
        "[security]\nmaster_keys_file = {secret:?}\n[[project]]\nid = \"internal\"\n[project.keys]\nsecret_server_key_file = {key:?}\n"
    );
    let config = from_file("secret-files.toml", &toml).unwrap();
    assert_eq!(config.security.master_keys()[0].id, "2026a");
    assert_eq!(config.projects[0].keys.secret_server_key.as_ref().unwrap().expose(), "ssk_from_a_file");

    let variable = ("LATCHKEY_SECURITY__MASTER_KEYS_FILE", secret.to_str().unwrap());
    let config = from_environment(&[variable]).unwrap();
    assert_eq!(config.security.master_keys().len(), 1);
    assert_eq!(config.origin("security.master_keys"), Origin::Environment(variable.0.into()));

    let errors =
        from_environment(&[variable, ("LATCHKEY_SECURITY__MASTER_KEYS", MASTER)]).unwrap_err().to_string();
    assert!(errors.contains("both itself and as a file"), "{errors}");
    let errors = from_environment(&[("LATCHKEY_SECURITY__MASTER_KEYS_FILE", "/nonexistent")]).unwrap_err();
    assert!(errors.to_string().contains("names the file \"/nonexistent\""), "{errors}");
    let errors = from_environment(&[("LATCHKEY_SERVER__BIND_FILE", "x")]).unwrap_err().to_string();
    assert!(errors.contains("server.bind_file is unknown"), "{errors}");
}

#[test]
fn a_secret_of_a_higher_layer_replaces_a_secret_file_of_a_lower_one() {
    let secret = file("lower.key", MASTER);
    let path = file("lower.toml", &format!("[security]\nmaster_keys_file = {secret:?}\n"));
    let higher = MASTER.replace("2026a", "2026b");
    let config = Config::load(Sources {
        file: Some(path),
        environment: pairs(&[("LATCHKEY_SECURITY__MASTER_KEYS", &higher)]),
        ..Sources::default()
    })
    .unwrap();
    assert_eq!(config.security.master_keys()[0].id, "2026b");
}

#[test]
fn the_environment_may_name_the_file() {
    let path = file("named.toml", "[log]\nlevel = \"debug\"\n");
    let config = from_environment(&[("LATCHKEY_CONFIG", path.to_str().unwrap())]).unwrap();
    assert_eq!(config.log.level, "debug");
}

const PROJECT: &str = r#"
[[project]]
id = "A1B2C3D4-0000-4000-8000-000000000001"
display_name = "Demo"
owner_team = "a1b2c3d4-0000-4000-8000-0000000000ff"

[project.keys]
publishable_client_key = "pck_demo"

[project.settings.auth.otp]
allow_sign_in = true

[project.settings.auth.oauth]
accountMergeStrategy = "raise_error"

[project.settings.auth.oauth.providers.github]
type = "github"
allow_sign_in = true
is_shared = false
client_id = "id"
client_secret = "hush"

[project.settings.rbac.permissions.editor]
scope = "project"
contained_permission_ids = { viewer = true }
[project.settings.rbac.permissions.viewer]

[project.settings.domains.trusted_domains.app]
base_url = "https://**.example.com"

[project.settings.latchkey]
extra_claims = ["jti", "auth_time"]
password = { min_length = 12 }

[[project]]
id = "internal"
"#;

#[test]
fn declared_settings_are_laid_over_those_of_a_new_project() {
    let config = from_file("project.toml", PROJECT).unwrap();
    let demo = &config.projects[0];
    assert_eq!(demo.id, "a1b2c3d4-0000-4000-8000-000000000001");
    assert!(demo.settings.auth.password.allow_sign_in && demo.settings.auth.otp.allow_sign_in);
    assert_eq!(
        demo.settings.rbac.permissions.keys().collect::<Vec<_>>(),
        ["editor", "team_admin", "team_member", "viewer"]
    );
    assert_eq!(demo.settings.latchkey.extra_claims, [ExtraClaim::Jti, ExtraClaim::AuthTime]);
    assert_eq!(demo.settings.latchkey.password.min_length, 12);
    assert!(demo.settings.latchkey.password.refuse_common);
    assert!(demo.settings.trusts_redirect(&url::Url::parse("https://a.b.example.com/cb").unwrap()));
    assert_eq!(config.projects[1].display_name, "internal");
    assert!(config.projects[1].settings.teams.create_personal_team_on_sign_up);
}

#[test]
fn a_project_declared_twice_is_an_error() {
    let errors = errors_of("twice.toml", "[[project]]\nid = \"internal\"\n[[project]]\nid = \"internal\"\n");
    assert_eq!(errors, ["twice.toml:4: project.1.id repeats the id \"internal\""]);
}

#[test]
fn the_dump_masks_secrets_names_origins_and_can_be_read_again() {
    let path = file("dump.toml", &format!("[security]\nmaster_keys = \"{MASTER}\"\n{PROJECT}"));
    let config = Config::load(Sources {
        file: Some(path),
        environment: pairs(&[("LATCHKEY_DATABASE__URL", "postgres://app:hush@db/auth")]),
        ..Sources::default()
    })
    .unwrap();
    let dump = config.dump();
    for hidden in ["hush", "mZ4kq1V0", "pck_demo"] {
        assert!(!dump.contains(hidden), "{hidden}\n{dump}");
        assert!(!config.dump_json().to_string().contains(hidden), "{hidden}");
        assert!(!format!("{config:?}").contains(hidden), "{hidden}");
    }
    for line in [
        "# public_url is not set",
        "bind = \"0.0.0.0:8080\"  # default",
        "url = \"postgres://app:***@db/auth\"  # environment LATCHKEY_DATABASE__URL",
        "[[project]]",
        "[project.settings.auth.oauth.providers.github]",
        "client_secret = \"***\"  # ",
        "\"$read_members\" = true  # default",
    ] {
        assert!(dump.contains(line), "{line}\n{dump}");
    }
    assert!(dump.contains("/dump.toml:2\n"), "{dump}");

    let readable = dump.replace("master_keys = \"***\"", "").replace("***", "masked");
    let again = from_file("dumped.toml", &readable).unwrap_or_else(|errors| panic!("{errors}\n{readable}"));
    assert_eq!(again.projects[0].settings.domains, config.projects[0].settings.domains);
    // The dump states whatever holds, also what nobody had stated.
    let unstated = |project: &ProjectDeclaration| ProjectDeclaration { stated: None, ..project.clone() };
    assert_eq!(unstated(&again.projects[1]), unstated(&config.projects[1]));
    assert_eq!(again.server, config.server);
}

#[test]
fn the_schema_knows_every_key_in_the_form_of_the_file() {
    let schema = Config::json_schema();
    let at = |pointer: &str| schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}\n{schema:#}"));
    assert_eq!(at("/properties/server/properties/bind/default"), "0.0.0.0:8080");
    assert_eq!(at("/properties/tokens/properties/access_token_lifetime/default"), "10m");
    assert_eq!(at("/properties/server/additionalProperties"), false);
    at("/properties/security/properties/master_keys_file");
    at(
        "/properties/project/items/properties/settings/properties/auth/properties/password/properties/allow_sign_in",
    );
    at(
        "/properties/project/items/properties/settings/properties/domains/properties/trusted_domains/additionalProperties",
    );
    assert!(!schema.to_string().contains("allowSignIn"));
}

#[test]
fn the_reference_page_is_current() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let written = std::fs::read_to_string(page).unwrap_or_default();
    assert!(
        written == Config::reference(),
        "docs/configuration.md is out of date: run the example `reference`"
    );
}

#[test]
fn production_wants_an_https_url_master_keys_and_a_lasting_database() {
    let told = |list: &[(&str, &str)]| {
        let problems = from_environment(list).unwrap().check_for_production();
        problems.into_iter().map(|problem| problem.key).collect::<Vec<_>>()
    };
    assert_eq!(told(&[]), ["server.public_url", "security.master_keys"]);
    let good = [
        ("LATCHKEY_SERVER__PUBLIC_URL", "https://auth.example.com"),
        ("LATCHKEY_SECURITY__MASTER_KEYS", MASTER),
        (
            "LATCHKEY_PROJECT",
            r#"[{ id = "internal", keys = { publishable_client_key = "pck_short", secret_server_key = "ssk_8v2m0q7d3k9n5p1r6t4w8x2y0z7a3b9c5e1f6g4h8j2k0" } }]"#,
        ),
    ];
    assert_eq!(told(&good), Vec::<String>::new());
    for (name, value, key) in [
        ("LATCHKEY_SERVER__PUBLIC_URL", "http://auth.example.com", "server.public_url"),
        ("LATCHKEY_SERVER__PUBLIC_URL", "https://localhost:8080", "server.public_url"),
        ("LATCHKEY_SERVER__PUBLIC_URL", "https://127.0.0.1", "server.public_url"),
        ("LATCHKEY_DATABASE__URL", "sqlite:/tmp/latchkey.db", "database.url"),
        (
            "LATCHKEY_SECURITY__MASTER_KEYS",
            "devkey:mZ4kq1V0cXh7d2RjY3J5cHQtbWFzdGVyLWtleS0xMjM=",
            "security.master_keys",
        ),
        (
            "LATCHKEY_SECURITY__MASTER_KEYS",
            "a:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
            "security.master_keys",
        ),
        (
            "LATCHKEY_SECURITY__MASTER_KEYS",
            "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "security.master_keys",
        ),
        (
            "LATCHKEY_PROJECT__0__KEYS__SECRET_SERVER_KEY",
            "ssk_devkey8v2m0q7d3k9n5p1r6t4w8x2y0z7a3b9c5e1f6g4",
            "project.0.keys.secret_server_key",
        ),
        ("LATCHKEY_PROJECT__0__KEYS__SECRET_SERVER_KEY", "ssk_short", "project.0.keys.secret_server_key"),
        (
            "LATCHKEY_PROJECT__0__KEYS__SUPER_SECRET_ADMIN_KEY",
            "sak_this_is_only_an_example_key_for_the_docs_page",
            "project.0.keys.super_secret_admin_key",
        ),
        (
            "LATCHKEY_PROJECT__0__KEYS__PUBLISHABLE_CLIENT_KEY",
            "pck_devkey8v2m",
            "project.0.keys.publishable_client_key",
        ),
    ] {
        let mut changed: Vec<_> = good.into_iter().filter(|(known, _)| *known != name).collect();
        changed.push((name, value));
        assert_eq!(told(&changed), [key], "{name}={value}");
    }
}

#[test]
fn hostile_files_end_in_errors_and_not_in_a_crash() {
    let deep = format!("a = {}{}", "[".repeat(5_000), "]".repeat(5_000));
    let deep_table = format!("[{}]\nx = 1", vec!["a"; 5_000].join("."));
    for (name, text) in [
        ("hostile-1.toml", deep.as_str()),
        ("hostile-2.toml", deep_table.as_str()),
        ("hostile-3.toml", "server = 5\nproject = [1, { id = 2 }]\n"),
        ("hostile-4.toml", "[server]\nmax_connections = 99999999999999999999999999\nbind = 1979-05-27\n"),
        ("hostile-5.toml", "project = [[{}]]\n"),
        ("hostile-6.toml", "[[project]]\nid = \"internal\"\nsettings = 3\n"),
        (
            "hostile-7.toml",
            "[[project]]\nid = \"internal\"\nsettings.auth.oauth.providers.\"a.b\".type = \"x\"\n",
        ),
        ("hostile-8.toml", "[[server]]\nbind = \"x\"\n"),
        ("hostile-9.toml", "[security]\nmaster_keys = 1234567\n"),
    ] {
        let errors = errors_of(name, text);
        assert!(!errors.is_empty(), "{name}");
        assert!(!errors.join("").contains("1234567"), "{errors:#?}");
    }
}
