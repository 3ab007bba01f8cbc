//! The server as a process of its own, on data that outlive it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};

/// How long a start may take on a busy machine.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// The binary under test.
pub(super) async fn binary() -> PathBuf {
    if let Some(path) = variable("LATCHKEY_BINARY") {
        return PathBuf::from(path);
    }
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "latchkey", "--bin", "latchkey"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .status()
        .await
        .expect("cargo runs");
    assert!(built.success(), "the binary is built");
    // This test is TARGET/PROFILE/deps/crash-HASH; the binary lies in TARGET/PROFILE.
    let test = std::env::current_exe().expect("a path");
    test.parent().and_then(Path::parent).expect("a directory").join("latchkey")
}

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment what they may use")]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where a server keeps its data, and how it is started.
pub(super) struct Place {
    pub(super) binary: PathBuf,
    pub(super) directory: PathBuf,
    /// The database, where it is not the file in the directory.
    pub(super) database_url: Option<String>,
}

/// A running server. It is killed, not asked to stop, when this is dropped.
pub(super) struct Server {
    child: Child,
    ready: Value,
}

impl Place {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            // What the caller's environment says is not for the server under test.
            .env_remove("LATCHKEY_BINARY")
            // The lightest hashing that the configuration allows, and room for everybody who waits.
            .env("LATCHKEY_PASSWORDS__MEMORY_KIB", "8192")
            .env("LATCHKEY_PASSWORDS__ITERATIONS", "1")
            .env("LATCHKEY_PASSWORDS__QUEUE", "1000")
            .env("LATCHKEY_WEBHOOKS__TIMEOUT", "3s")
            .env("LATCHKEY_MAIL__TIMEOUT", "3s")
            .env("LATCHKEY_SERVER__OBSERVE_BIND", "127.0.0.1:0");
        command
    }

    /// Starts the server and waits until it accepts requests.
    pub(super) async fn start(&self) -> Server {
        let file = self.directory.join("ready.json");
        let _ = std::fs::remove_file(&file);
        let mut command = self.command();
        command.args(["dev", "--port", "0", "--data-dir", "data", "--ready-file"]).arg(&file);
        if let Some(url) = &self.database_url {
            command.args(["--database-url", url]);
        }
        let log = std::fs::File::create(self.directory.join("log")).expect("a log file");
        let mut child = command.stderr(Stdio::from(log)).spawn().expect("the binary runs");
        let mut tick = tokio::time::interval(Duration::from_millis(5));
        let waiting = async {
            loop {
                tick.tick().await;
                let text = std::fs::read_to_string(&file).unwrap_or_default();
                if let Ok(ready) = serde_json::from_str::<Value>(&text) {
                    return ready;
                }
                if let Some(status) = child.try_wait().expect("a status") {
                    panic!("the server ended with {status}: {}", self.log());
                }
            }
        };
        let ready = tokio::time::timeout(READY_WITHIN, waiting).await;
        let ready = ready.unwrap_or_else(|_| panic!("the server was not ready in time: {}", self.log()));
        Server { child, ready }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// Runs `doctor` on the data; what it finds about the database.
    pub(super) async fn doctor(&self) -> Value {
        let url = self.database_url.clone().unwrap_or_else(|| "sqlite:data/latchkey.db".to_owned());
        let mut command = self.command();
        command.args(["doctor", "--json"]).env("LATCHKEY_DATABASE__URL", url).stdout(Stdio::piped());
        let output = command.output().await.expect("doctor runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

impl Server {
    /// An URL below the API.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.text("base_url"))
    }

    /// A field of the ready file.
    pub(super) fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().expect("a text in the ready file")
    }

    /// `kill -9`, without warning; returns when the process is gone.
    pub(super) async fn kill(mut self) {
        self.child.kill().await.expect("the process is killed");
    }
}
