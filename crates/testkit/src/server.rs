//! One server in this process, with a database of its own, on a free port.

use std::sync::Arc;

use latchkey_config::{Config, ProjectSettings, Sources};
use latchkey_identity::App;
use latchkey_mail::{DevMailbox, StoredMail};
use reqwest::Method;

use crate::client::Request;
use crate::clock::FakeClock;
use crate::database::{Database, Engine};

/// The keys of a project.
#[derive(Clone)]
pub struct Keys {
    /// Publishable client key.
    pub publishable: String,
    /// Secret server key.
    pub secret: String,
    /// Super secret admin key.
    pub admin: String,
}

/// A declared project.
#[derive(Clone)]
pub struct Project {
    /// Identifier.
    pub id: String,
    /// Keys.
    pub keys: Keys,
}

/// What a test server is made of.
#[derive(Clone, Default)]
pub struct Builder {
    settings: Vec<(String, String)>,
    project: ProjectSettingsChange,
}

type Change = Arc<dyn Fn(&mut ProjectSettings) + Send + Sync>;

#[derive(Clone, Default)]
struct ProjectSettingsChange(Vec<Change>);

/// A running server.
pub struct TestServer {
    base_url: String,
    project: Project,
    other: Project,
    clock: Arc<FakeClock>,
    mailbox: Arc<DevMailbox>,
    app: Arc<App>,
    http: reqwest::Client,
    running: Option<latchkey::Running>,
    // Last, so that the database goes after everything that uses it.
    database: Database,
}
