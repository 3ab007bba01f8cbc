//! Where the database is and how it is to be used.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Address of a database: `sqlite:PATH` or `postgres://…`.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file, created (mode 0600) if it does not exist; its directory must exist.
    Sqlite(PathBuf),
    /// A PostgreSQL URL as libpq knows it, with `sslmode` `disable`, `prefer` (the default: encrypts if the server
    /// can, without checking who it is), `require` or `verify-full` (both check certificate and host name), and
    /// `sslrootcert` (a PEM file that replaces the public authorities).
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err("sqlite: needs a path, as in sqlite:latchkey.db".to_owned());
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err("a database URL starts with sqlite: or postgres://".to_owned())
    }
}

/// Without the user, the password and the parameters.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                let place = url.split_once("://").map_or("", |(_, rest)| rest);
                let place = place.split('?').next().unwrap_or_default();
                write!(f, "postgres://{}", place.rsplit('@').next().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How to open a store. [`StoreOptions::new`] gives values that suit a small machine.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Where the database is.
    pub url: DatabaseUrl,
    /// SQLite: read connections that are kept open, and scans that may run at once.
    pub readers: usize,
    /// SQLite: bytes of the file that each read connection may map into memory; 0 reads through its small cache.
    pub mmap_bytes: u64,
    /// SQLite: size of the write-ahead log above which the writer empties it, in bytes.
    pub wal_limit_bytes: u64,
    /// SQLite: how long to wait for another process that holds the write lock.
    pub busy_timeout: Duration,
    /// PostgreSQL: most connections that are open at once.
    pub pool_size: usize,
    /// PostgreSQL: how long to wait for a new connection, and for a free one in the pool.
    pub connect_timeout: Duration,
    /// PostgreSQL: longest time that one statement may take.
    pub statement_timeout: Duration,
    /// PostgreSQL: a transaction-mode pooler stands before it, so nothing may be kept on a connection between two
    /// transactions: no named prepared statements, no session settings.
    pub behind_pooler: bool,
}

impl StoreOptions {
    /// The defaults for a database.
    pub fn new(url: DatabaseUrl) -> Self {
        Self {
            url,
            readers: 4,
            mmap_bytes: 0,
            wal_limit_bytes: 256 * 1024 * 1024,
            busy_timeout: Duration::from_secs(5),
            pool_size: 16,
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            behind_pooler: false,
        }
    }
}
