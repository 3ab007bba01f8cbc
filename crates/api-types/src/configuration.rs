//! A project's configuration on the wire: overrides as JSON texts, and who pushes them (contract 07 §5.4).

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::input::{Input, Location, NonEmptyText, Violations, required};
use crate::{input, words};

words! {
    /// Where an override stands. Later ones win.
    pub enum ConfigLevel {
        /// What belongs to the project.
        Project = "project",
        /// What is pushed with the application's source.
        Branch = "branch",
        /// What belongs to one deployment.
        Environment = "environment",
    }
}

words! {
    /// The levels whose keys can be reset.
    pub enum ResettableLevel {
        /// What is pushed with the application's source.
        Branch = "branch",
        /// What belongs to one deployment.
        Environment = "environment",
    }
}

input! {
    /// The path of one override.
    pub struct ConfigLevelPath {
        /// Its level.
        pub level: ConfigLevel,
    }
}

input! {
    /// The path of one override whose keys can be reset.
    pub struct ResettableLevelPath {
        /// Its level.
        pub level: ResettableLevel,
    }
}

input! {
    /// A whole override.
    pub struct ConfigOverride {
        /// The override as JSON text.
        pub config_string: String,
        /// Who pushes it; required for the branch.
        pub source: Option<ConfigSource>,
    }
}

input! {
    /// Keys to lay over an override.
    pub struct ConfigOverrideUpdate {
        /// The keys as JSON text.
        pub config_override_string: String,
    }
}

input! {
    /// Keys to take out of an override.
    pub struct ConfigReset {
        /// The keys; what stands below them goes as well.
        pub keys: Vec<String>,
    }
}

/// A configuration as JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigText {
    /// The text.
    pub config_string: String,
}

/// Who pushes the configuration of the branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigSourceAnswer {
    /// Who that is.
    pub source: ConfigSource,
}

/// Who pushes the configuration of a project's branch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ConfigSource {
    /// A workflow of a repository on GitHub.
    PushedFromGithub {
        /// Owner of the repository.
        owner: String,
        /// Name of the repository.
        repo: String,
        /// Branch of the repository.
        branch: String,
        /// The commit that was pushed.
        commit_hash: String,
        /// The file in the repository.
        config_file_path: String,
        /// The workflow's file in the repository, if it tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        workflow_path: Option<String>,
    },
    /// Something that does not tell.
    PushedFromUnknown,
    /// Nobody.
    #[default]
    Unlinked,
}

words! {
    /// The kinds of sources.
    enum SourceKind {
        /// A workflow of a repository on GitHub.
        Github = "pushed-from-github",
        /// Something that does not tell.
        Unknown = "pushed-from-unknown",
        /// Nobody.
        Unlinked = "unlinked",
    }
}

input! {
    /// A workflow of a repository on GitHub.
    struct GithubSource {
        /// Always `pushed-from-github`.
        kind as "type": SourceKind,
        /// Owner of the repository.
        owner: NonEmptyText,
        /// Name of the repository.
        repo: NonEmptyText,
        /// Branch of the repository.
        branch: NonEmptyText,
        /// The commit that was pushed.
        commit_hash: NonEmptyText,
        /// The file in the repository.
        config_file_path: NonEmptyText,
        /// The workflow's file in the repository.
        workflow_path: Option<NonEmptyText>,
    }
}

input! {
    /// A source without details.
    struct PlainSource {
        /// Its kind.
        kind as "type": SourceKind,
    }
}

impl Input for ConfigSource {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        let is_github =
            required(value, at, out)?.get("type").is_some_and(|kind| kind == SourceKind::Github.as_str());
        if is_github {
            let source = GithubSource::read(value, at, out)?;
            return (source.kind == SourceKind::Github).then(|| Self::PushedFromGithub {
                owner: source.owner.into_string(),
                repo: source.repo.into_string(),
                branch: source.branch.into_string(),
                commit_hash: source.commit_hash.into_string(),
                config_file_path: source.config_file_path.into_string(),
                workflow_path: source.workflow_path.map(NonEmptyText::into_string),
            });
        }
        match PlainSource::read(value, at, out)?.kind {
            SourceKind::Unlinked => Some(Self::Unlinked),
            SourceKind::Unknown | SourceKind::Github => Some(Self::PushedFromUnknown),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}
