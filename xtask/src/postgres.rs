//! A PostgreSQL server for tests: the one that `TEST_POSTGRES_URL` names, or a temporary cluster.
//!
//! The cluster lives in a temporary folder, listens on loopback only, writes without fsync, and goes away with the
//! value. Our own rather than a library's: see `docs/decisions/0005-temporary-postgresql.md`.

use std::cell::Cell;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::shell::{apt_install, find, is_root, run, say, variable};

const READY_WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(50);

/// Settings of a server whose data nobody will miss.
const FAST: &[&str] = &["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300"];
/// Settings of a server that keeps its promises, for measuring.
const DURABLE: &[&str] = &["max_connections=300", "shared_buffers=256MB"];

/// Whether clients may encrypt their connections.
#[derive(Clone, Copy, PartialEq)]
enum Encryption {
    /// As a server in production does; needs the program openssl, which Debian's PostgreSQL brings along.
    Offered,
    /// For measuring on loopback.
    Off,
}

/// A server that tests may create databases on.
pub struct Postgres {
    url: String,
    /// Present when the server is ours.
    cluster: Option<Cluster>,
}

struct Cluster {
    server: Child,
    programs: PathBuf,
    databases_made: Cell<u32>,
    /// Holds the data; gone with the value.
    folder: TempDir,
}

impl Postgres {
    /// The server of `TEST_POSTGRES_URL`, else a temporary one, installed first where that is possible; `None` where
    /// there is no way to one.
    pub fn for_tests() -> Result<Option<Self>, String> {
        if let Some(url) = variable("TEST_POSTGRES_URL") {
            say("using the PostgreSQL server of TEST_POSTGRES_URL");
            let url = url.into_string().map_err(|_| "TEST_POSTGRES_URL is not UTF-8")?;
            return Ok(Some(Self { url, cluster: None }));
        }
        programs()?.map(|programs| Self::start(&programs, FAST, Encryption::Offered)).transpose()
    }

    /// A temporary server that writes durably, as one in production does; `None` where PostgreSQL cannot be had.
    pub fn durable() -> Result<Option<Self>, String> {
        programs()?.map(|programs| Self::start(&programs, DURABLE, Encryption::Off)).transpose()
    }

    /// A URL with the right to create databases.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL of a new and empty database on a server that is ours.
    pub fn new_database(&self) -> Result<String, String> {
        let cluster = self.cluster.as_ref().ok_or("databases are made on a server of our own only")?;
        let number = cluster.databases_made.get() + 1;
        cluster.databases_made.set(number);
        self.run_statement(&format!("CREATE DATABASE latchkey_{number}"), &self.url)?;
        Ok(format!("{}latchkey_{number}", self.url.trim_end_matches("postgres")))
    }

    /// Collects the statistics that the planner needs, which a server does by itself within a minute.
    pub fn analyze(&self, database_url: &str) -> Result<(), String> {
        self.run_statement("ANALYZE", database_url)
    }

    fn run_statement(&self, statement: &str, database_url: &str) -> Result<(), String> {
        let cluster = self.cluster.as_ref().ok_or("statements are run on a server of our own only")?;
        let mut psql = Command::new(cluster.programs.join("psql"));
        run(psql.args(["--quiet", "--no-psqlrc", "--command", statement, database_url]))
    }

    /// The process id of a server that is ours.
    pub fn process(&self) -> Option<u32> {
        let pid = std::fs::read_to_string(self.cluster.as_ref()?.data().join("postmaster.pid")).ok()?;
        pid.lines().next()?.parse().ok()
    }

    fn start(programs: &Path, settings: &[&str], encryption: Encryption) -> Result<Self, String> {
        let folder = TempDir::with_prefix("latchkey-postgres-").map_err(|error| error.to_string())?;
        say(format_args!("starting a temporary PostgreSQL server in {}", folder.path().display()));
        if let Some(user) = unprivileged_user() {
            run(Command::new("chown").arg(user).arg(folder.path()))?;
        }
        let data = folder.path().join("data");
        let mut initdb = command(&programs.join("initdb"));
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]);
        run(initdb.arg("--pgdata").arg(&data).current_dir(folder.path()).stdout(Stdio::null()))?;

        let port = free_port()?;
        let log = std::fs::File::create(folder.path().join("log")).map_err(|error| error.to_string())?;
        let mut postgres = command(&programs.join("postgres"));
        postgres.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k", ""]);
        postgres.args(settings.iter().flat_map(|setting| ["-c", setting]));
        if encryption == Encryption::Offered && certify(folder.path())? {
            postgres.args([
                "-c",
                "ssl=on",
                "-c",
                "ssl_cert_file=../server.crt",
                "-c",
                "ssl_key_file=../server.key",
            ]);
        }
        let server = postgres
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        let server = server.map_err(|error| error.to_string())?;
        let mut cluster =
            Cluster { server, programs: programs.to_owned(), databases_made: Cell::new(0), folder };
        cluster.wait_until_ready()?;
        Ok(Self { url: format!("postgres://postgres@127.0.0.1:{port}/postgres"), cluster: Some(cluster) })
    }
}

impl Cluster {
    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Waits for the last line of `postmaster.pid`, which PostgreSQL sets to `ready`.
    fn wait_until_ready(&mut self) -> Result<(), String> {
        let started = Instant::now();
        let status = self.data().join("postmaster.pid");
        while started.elapsed() < READY_WITHIN {
            if std::fs::read_to_string(&status).is_ok_and(|text| text.trim_end().ends_with("ready")) {
                return Ok(());
            }
            if let Ok(Some(ended)) = self.server.try_wait() {
                let code = ended.code().or(ended.signal()).unwrap_or_default();
                return Err(format!("PostgreSQL ended with {code}:\n{}", self.log()));
            }
            sleep(POLL);
        }
        Err(format!("PostgreSQL was not ready within {} seconds:\n{}", READY_WITHIN.as_secs(), self.log()))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Cluster {
    /// Asks for an immediate shutdown: the data is thrown away with the folder.
    fn drop(&mut self) {
        let pid = self.server.id().to_string();
        let asked = Command::new("kill").args(["-QUIT", &pid]).status();
        if !asked.is_ok_and(|status| status.success()) {
            drop(self.server.kill());
        }
        drop(self.server.wait());
    }
}

/// Makes a key and a certificate that nobody vouches for; `false` where openssl is not installed.
fn certify(folder: &Path) -> Result<bool, String> {
    let Some(openssl) = find("openssl") else { return Ok(false) };
    let mut request = command(&openssl);
    request.args([
        "req",
        "-x509",
        "-batch",
        "-nodes",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
    ]);
    request.args(["-subj", "/CN=localhost", "-days", "2", "-keyout", "server.key", "-out", "server.crt"]);
    run(request.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null()))?;
    Ok(true)
}

/// The folder with PostgreSQL's programs, installing them where that is possible.
fn programs() -> Result<Option<PathBuf>, String> {
    match installed() {
        Some(programs) => Ok(Some(programs)),
        None => Ok(if apt_install(&["postgresql"])? { installed() } else { None }),
    }
}

/// The folder with PostgreSQL's programs: the one on PATH, else Debian's newest.
fn installed() -> Option<PathBuf> {
    let on_path = find("initdb").and_then(|initdb| Some(initdb.canonicalize().ok()?.parent()?.to_owned()));
    on_path.or_else(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
        let version = |bin: &PathBuf| -> u32 {
            bin.parent()
                .and_then(Path::file_name)
                .and_then(|name| name.to_str()?.parse().ok())
                .unwrap_or_default()
        };
        folders.filter(|bin| bin.join("initdb").is_file()).max_by_key(version)
    })
}

/// A program of PostgreSQL, which refuses to run as root; on Linux it ends with this process, however that ends.
fn command(program: &Path) -> Command {
    let Some(setpriv) = find("setpriv") else {
        let Some(user) = unprivileged_user() else { return Command::new(program) };
        let mut command = Command::new("su");
        command.args([user, "-s", "/bin/sh", "-c", "exec \"$0\" \"$@\""]).arg(program);
        return command;
    };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "QUIT"]);
    if let Some(user) = unprivileged_user() {
        command.args(["--reuid", user, "--init-groups", "--regid"]).arg(group_of(user));
    }
    command.arg("--").arg(program);
    command
}

/// Who runs PostgreSQL when this process is root.
fn unprivileged_user() -> Option<&'static str> {
    let exists = |user: &&str| {
        Command::new("id").arg("-u").arg(user).output().is_ok_and(|output| output.status.success())
    };
    is_root().then(|| ["postgres", "nobody"].into_iter().find(exists)).flatten()
}

fn group_of(user: &str) -> String {
    let output = Command::new("id").args(["-g", user]).output();
    output.ok().and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default().trim().to_owned()
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    Ok(listener.map_err(|error| error.to_string())?.port())
}
