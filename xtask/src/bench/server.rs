//! A `latchkey dev` of the bench's own, on either database, in a temporary folder.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::api::Api;
use crate::postgres::Postgres;
use crate::shell::say;

const READY_WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(1);
const ENDED_WITHIN: Duration = Duration::from_secs(30);

/// The two databases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Engine {
    /// SQLite, in the server's process.
    Sqlite,
    /// A PostgreSQL server of the bench's own.
    Postgres,
}

impl Engine {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// The name of the section that tells of a part on this engine.
    pub fn section(self, part: &str) -> String {
        format!("{part}-{}", self.to_string().to_lowercase())
    }

    /// The PostgreSQL server that the engine needs: `Some(None)` when it needs none, `None` when there is none.
    #[expect(clippy::option_option, reason = "needing none and having none are different answers")]
    pub fn postgres(self) -> Result<Option<Option<Postgres>>, String> {
        if self == Self::Sqlite {
            return Ok(Some(None));
        }
        let postgres = Postgres::durable()?;
        if postgres.is_none() {
            say("skipped: PostgreSQL is not installed");
        }
        Ok(postgres.map(Some))
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// A running server.
pub struct Server {
    process: Child,
    binary: PathBuf,
    database_url: Option<String>,
    settings: Vec<&'static str>,
    folder: TempDir,
    ready: Value,
    /// From the last start of the process until the ready file was there.
    pub ready_after: Duration,
}

impl Server {
    /// Starts a server on an empty database. With `postgres`, the database is made there.
    pub fn start(binary: &Path, postgres: Option<&Postgres>) -> Result<Self, String> {
        Self::start_with(binary, postgres, &[])
    }

    /// The same with settings, each as `KEY=VALUE`.
    pub fn start_with(
        binary: &Path,
        postgres: Option<&Postgres>,
        settings: &[&'static str],
    ) -> Result<Self, String> {
        let database_url = postgres.map(Postgres::new_database).transpose()?;
        let folder = TempDir::with_prefix("latchkey-bench-").map_err(|error| error.to_string())?;
        let settings = settings.to_vec();
        let (process, ready, ready_after) =
            launch(binary, folder.path(), database_url.as_deref(), &settings)?;
        let binary = binary.to_owned();
        Ok(Self { process, binary, database_url, settings, folder, ready, ready_after })
    }

    /// Ends the process without a warning and starts another on the same data.
    pub fn kill_and_restart(&mut self) -> Result<(), String> {
        drop(self.process.kill());
        self.process.wait().map_err(|error| error.to_string())?;
        let launched =
            launch(&self.binary, self.folder.path(), self.database_url.as_deref(), &self.settings)?;
        (self.process, self.ready, self.ready_after) = launched;
        Ok(())
    }

    /// Asks the process to end, waits, and starts another on the same data.
    pub fn restart(&mut self) -> Result<(), String> {
        drop(Command::new("kill").arg(self.pid().to_string()).status());
        let asked = Instant::now();
        while self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            if asked.elapsed() > ENDED_WITHIN {
                return Err("the server did not end when it was asked to".to_owned());
            }
            sleep(POLL);
        }
        self.kill_and_restart()
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// A folder that goes away with the server.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The URL of the database.
    pub fn database_url(&self) -> String {
        let file = self.folder().join("data/latchkey.db");
        self.database_url.clone().unwrap_or_else(|| format!("sqlite:{}", file.display()))
    }

    /// The program that runs.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// Where requests go.
    pub fn base_url(&self) -> &str {
        self.ready["base_url"].as_str().unwrap_or_default()
    }

    /// Its default project.
    pub fn project_id(&self) -> &str {
        self.ready["project_id"].as_str().unwrap_or_default()
    }

    /// Its API, as clients of the project `internal` use it.
    pub fn internal_api(&self) -> Api {
        Api::internal(self.base_url())
    }

    /// Its API, as its default project's clients and servers use it.
    pub fn api(&self) -> Api {
        Api::new(self.base_url(), &self.ready)
    }
}

/// Starts the process and waits until it is ready: gives it, its ready file, and how long that took.
fn launch(
    binary: &Path,
    folder: &Path,
    database_url: Option<&str>,
    settings: &[&str],
) -> Result<(Child, Value, Duration), String> {
    let (ready_file, log_file) = (folder.join("ready.json"), folder.join("log"));
    drop(std::fs::remove_file(&ready_file));
    let log = File::options().create(true).append(true).open(&log_file).map_err(|error| error.to_string())?;
    let mut dev = Command::new(binary);
    dev.args(["dev", "--port", "0", "--data-dir"])
        .arg(folder.join("data"))
        .arg("--ready-file")
        .arg(&ready_file);
    dev.args(["--set", "log.level=warn"]);
    for setting in settings {
        dev.args(["--set", setting]);
    }
    if let Some(url) = database_url {
        dev.args(["--database-url", url]);
    }
    dev.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).current_dir(folder);
    let started = Instant::now();
    let mut process = dev.spawn().map_err(|error| format!("{}: {error}", binary.display()))?;
    loop {
        let text = std::fs::read_to_string(&ready_file).unwrap_or_default();
        if let Ok(ready) = serde_json::from_str(&text) {
            return Ok((process, ready, started.elapsed()));
        }
        let ended = process.try_wait().map_err(|error| error.to_string())?;
        if ended.is_some() || started.elapsed() > READY_WITHIN {
            drop(process.kill());
            drop(process.wait());
            let log = std::fs::read_to_string(&log_file).unwrap_or_default();
            return Err(format!("`latchkey dev` did not become ready:\n{log}"));
        }
        sleep(POLL);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
