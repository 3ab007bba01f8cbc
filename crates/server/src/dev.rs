//! `dev`: a server for development that needs no configuration.
//!
//! Database, keys and master key live in the data directory and are made once; a second start finds the same. Below
//! the configuration file stand presets of its own: loopback only, that database, that master key.

mod banner;
mod data;

use latchkey_config::{Config, Origin, ProjectDeclaration};
use serde_json::{Value, json};

use crate::{
    cli::{Common, DevFlags},
    configuration, files, log,
    output::{Failed, Output},
    signals::Signals,
    wire,
};
use banner::Banner;
use data::DevData;

/// Serves until a signal.
pub(crate) async fn run(common: Common, flags: DevFlags, output: &Output) -> Result<(), Failed> {
    let data = DevData::open(&flags.data_dir, &wire::random())?;
    let mut config = configuration::load(&common, presets(&flags, &data), overrides(&flags))?;
    if let Some(port) = flags.port {
        config.server.bind.set_port(port);
        // Whoever takes any free port runs several servers.
        if port == 0 && config.origin("server.observe_bind") == Origin::Default {
            config.server.observe_bind.set_port(0);
        }
    }
    let project = declare(&mut config, &data);
    log::start(&config.log)?;

    let signals = Signals::listen()?;
    let running = wire::serve(config, wire::Mode::Development).await?;
    let ready = ready(running.base_url(), &project);
    if let Some(path) = &flags.ready_file {
        files::write_private(path, ready.to_string().as_bytes())
            .map_err(|error| Failed::new(format!("cannot write {}: {error}", path.display())))?;
    }
    let banner = Banner { base_url: running.base_url(), project: &project, data_directory: &flags.data_dir };
    output.result(banner, &ready);
    let signal = signals.first().await;
    tracing::info!(signal, "finishing requests in flight");
    running.stop().await;
    Ok(())
}

/// Values below the configuration file.
fn presets(flags: &DevFlags, data: &DevData) -> Vec<(String, String)> {
    let database = format!("sqlite:{}", flags.data_dir.join("latchkey.db").display());
    [
        ("server.bind", "127.0.0.1:8080".to_owned()),
        ("database.url", database),
        ("security.master_keys", data.master_key.expose().to_owned()),
        // Webhook receivers and providers under development run on the same machine.
        ("outgoing.allow_private_addresses", r#"["127.0.0.0/8", "::1", "localhost"]"#.to_owned()),
        // The tokens of the built-in provider open nothing.
        ("oauth.shared.hands_out_access_tokens", "true".to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

/// Flags that are configuration keys.
fn overrides(flags: &DevFlags) -> Vec<(String, String)> {
    [("database.url", &flags.database_url), ("cache.url", &flags.cache_url)]
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)))
        .collect()
}

/// Declares the project of the data directory beside those of the configuration, and returns it as it is declared.
fn declare(config: &mut Config, data: &DevData) -> ProjectDeclaration {
    if !config.projects.iter().any(ProjectDeclaration::is_internal) {
        // Who administers projects can be tried out without being made by hand.
        let mut internal = ProjectDeclaration::internal();
        internal.settings.auth.allow_sign_up = true;
        config.projects.push(internal);
    }
    if let Some(declared) = config.projects.iter_mut().find(|project| project.id == data.project.id) {
        // Its keys are handed out below, so they must exist; those of the file win.
        let (keys, made) = (&mut declared.keys, &data.project.keys);
        keys.publishable_client_key =
            keys.publishable_client_key.take().or(made.publishable_client_key.clone());
        keys.secret_server_key = keys.secret_server_key.take().or(made.secret_server_key.clone());
        keys.super_secret_admin_key =
            keys.super_secret_admin_key.take().or(made.super_secret_admin_key.clone());
        return declared.clone();
    }
    config.projects.push(data.project.clone());
    data.project.clone()
}

/// The content of the ready file, which is also what `--json` prints.
fn ready(base_url: &str, project: &ProjectDeclaration) -> Value {
    let mut ready = json!({
        "base_url": base_url,
        "project_id": project.id,
        "mailbox_url": format!("{base_url}/dev/mailbox"),
        "mock_oauth_url": format!("{base_url}/dev/oauth"),
    });
    for (name, key) in project.keys.iter() {
        ready[name] = key.expose().into();
    }
    ready
}

#[cfg(test)]
mod tests {
    use latchkey_config::SecretText;

    use super::*;

    fn data() -> DevData {
        let mut data = DevData {
            project: ProjectDeclaration {
                id: "00000000-0000-4000-8000-000000000001".into(),
                ..Default::default()
            },
            master_key: SecretText::new("devkey:x"),
        };
        data.project.keys.publishable_client_key = Some(SecretText::new("pck_a"));
        data.project.keys.secret_server_key = Some(SecretText::new("ssk_b"));
        data.project.keys.super_secret_admin_key = Some(SecretText::new("sak_c"));
        data
    }

    #[test]
    fn the_ready_file_has_the_fields_of_the_fixed_interface() {
        assert_eq!(
            ready("http://localhost:1", &data().project),
            json!({
                "base_url": "http://localhost:1",
                "project_id": "00000000-0000-4000-8000-000000000001",
                "publishable_client_key": "pck_a",
                "secret_server_key": "ssk_b",
                "super_secret_admin_key": "sak_c",
                "mailbox_url": "http://localhost:1/dev/mailbox",
                "mock_oauth_url": "http://localhost:1/dev/oauth",
            })
        );
    }

    #[test]
    fn people_can_sign_up_to_the_project_internal() {
        let mut config = Config::default();
        declare(&mut config, &data());
        let internal = config.projects.iter().find(|project| project.is_internal());
        assert!(internal.is_some_and(|internal| internal.settings.auth.allow_sign_up));
    }

    #[test]
    fn the_project_stands_beside_declared_ones_and_keys_of_the_file_win() {
        let mut config = Config::default();
        config.projects.push(ProjectDeclaration::internal());
        assert_eq!(declare(&mut config, &data()).id, data().project.id);
        assert_eq!(config.projects.len(), 2);
        assert!(!config.projects[0].settings.auth.allow_sign_up, "what the file declares is not opened");

        config.projects[1].keys.secret_server_key = Some(SecretText::new("ssk_of_the_file"));
        config.projects[1].keys.publishable_client_key = None;
        let project = declare(&mut config, &data());
        assert_eq!(config.projects.len(), 2);
        assert_eq!(project.keys.secret_server_key.unwrap().expose(), "ssk_of_the_file");
        assert_eq!(project.keys.publishable_client_key.unwrap().expose(), "pck_a");
    }
}
