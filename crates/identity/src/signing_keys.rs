//! The keys that sign access tokens. Per project and kind of user there is an `active` key, which signs, and a
//! `next` one, which is already published: verifiers that cache a key set for an hour know the next key before it
//! signs, and a rotation breaks no live token. A retired key stays published until the last token that it signed
//! has expired.

use std::collections::HashMap;
use std::sync::Arc;

use latchkey_api_types::ids::ProjectId;
use latchkey_jose::{Jwk, Jwks, SigningKey, VerifyingKey};
use latchkey_storage::signing_keys::{self, SigningKeyRow};
use quick_cache::sync::Cache;

use crate::app::App;
use crate::claims::UserKind;
use crate::failure::Failure;
use crate::projects;

/// How long keys are believed without looking again, milliseconds.
const FRESH_FOR: i64 = 10_000;
/// How much longer than a token's life a retired key is honoured, milliseconds: covers servers that had not yet
/// noticed the rotation, see `FRESH_FOR`.
const RETIRED_MARGIN: i64 = 60_000;
/// How long verifiers may keep a key set, milliseconds; so long a key has been announced before it signs.
const ANNOUNCED_FOR: i64 = 60 * 60 * 1000;
const CAPACITY: usize = 10_000;

/// The keys of one project.
pub(crate) struct ProjectKeys {
    signing: HashMap<UserKind, SigningKey>,
    verifying: HashMap<String, (UserKind, VerifyingKey)>,
    published: Vec<(UserKind, Jwk)>,
    loaded_at: i64,
}

/// Keys in memory.
pub(crate) struct SigningKeyCache(Cache<ProjectId, Arc<ProjectKeys>>);

impl Default for SigningKeyCache {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl ProjectKeys {
    /// The key that verifies tokens of this kind of user with this key id.
    pub(crate) fn verifying(&self, kid: &str, kind: UserKind) -> Option<&VerifyingKey> {
        self.verifying.get(kid).filter(|(of, _)| *of == kind).map(|(_, key)| key)
    }
}

/// Signs claims for a kind of user; creates the project's keys for that kind on first use.
pub(crate) async fn sign(
    app: &App,
    project: &ProjectId,
    kind: UserKind,
    claims: &impl serde::Serialize,
) -> Result<String, Failure> {
    let keys = with_kinds(app, project, &[kind]).await?;
    let key = keys.signing.get(&kind).ok_or_else(|| Failure::internal("a signing key was not created"))?;
    key.sign(claims).map_err(Failure::internal)
}

/// The published key set of a project (RFC 7517 §5) for the given kinds of user: the signing key first, then the next
/// one, then retired ones.
///
/// # Errors
/// 404 for an unknown project.
pub async fn published(app: &App, project: &str, kinds: &[UserKind]) -> Result<serde_json::Value, Failure> {
    let project = match project.parse() {
        Ok(id) => projects::find(app, &id).await?,
        Err(_) => None,
    };
    let project = project.ok_or_else(|| Failure::text(404, "There is no such project."))?;
    let keys = with_kinds(app, &project.id, kinds).await?;
    let keys = kinds.iter().flat_map(|wanted| keys.published.iter().filter(move |(kind, _)| kind == wanted));
    let keys = Jwks { keys: keys.map(|(_, jwk)| jwk.clone()).collect() };
    serde_json::to_value(keys).map_err(Failure::internal)
}

/// Keys for verification. A key id that is not known here may be one that another server made a moment ago; one that
/// the database does not know either costs its sender's request a look-up, not the reading of all keys.
pub(crate) async fn for_verification(
    app: &App,
    project: &ProjectId,
    kid: &str,
) -> Result<Arc<ProjectKeys>, Failure> {
    let keys = cached(app, project).await?;
    if keys.verifying.contains_key(kid) || !has_form(kid) || !is_in_use(app, project, kid).await? {
        return Ok(keys);
    }
    load(app, project).await
}

/// Whether a text could be a key id of ours. Anything can stand in a token that nobody has verified, also what no
/// database takes.
fn has_form(kid: &str) -> bool {
    kid.len() == 12 && kid.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

async fn is_in_use(app: &App, project: &ProjectId, kid: &str) -> Result<bool, Failure> {
    let (project, kid) = (project.clone(), kid.to_owned());
    let look = app.store.lookup(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(signing_keys::is_in_use(tx, &project, &kid).await?) })
    });
    look.await
}

/// What a rotation did to the keys of a project.
#[derive(Debug, Default)]
pub struct Rotation {
    /// Ids of the keys that sign from now on.
    pub signing: Vec<String>,
    /// Ids of the keys that were announced too recently to sign: verifiers with a cached key set do not know them.
    pub too_fresh: Vec<String>,
}

/// Retires the active keys of a project, for every kind of user that has one: the next key signs from now on and a
/// new next one is announced. A next key that was announced within the last hour is left as it is, unless `force` says
/// that the active key must go at once, whoever then has to fetch the key set again.
pub async fn rotate(app: &App, project: &ProjectId, force: bool) -> Result<Rotation, Failure> {
    let rows = rows(app, project).await?;
    let now = app.now();
    let mut rotation = Rotation::default();
    let mut statements = Vec::new();
    for kind in UserKind::ALL {
        let of_state = |state| rows.iter().find(|row| row.user_kind == kind.as_str() && row.state == state);
        let (Some(active), Some(next)) = (of_state("active"), of_state("next")) else { continue };
        if now - next.created_at < ANNOUNCED_FOR && !force {
            rotation.too_fresh.push(next.kid.clone());
            continue;
        }
        statements.push(signing_keys::retire(project, &active.kid, now).exactly(1));
        statements.push(signing_keys::activate(project, &next.kid).exactly(1));
        statements.push(signing_keys::insert_if_absent(&generate(app, project, kind, "next")?).exactly(1));
        rotation.signing.push(next.kid.clone());
    }
    app.store.batch(statements).await?;
    app.signing_keys.0.remove(project);
    Ok(rotation)
}

async fn with_kinds(app: &App, project: &ProjectId, kinds: &[UserKind]) -> Result<Arc<ProjectKeys>, Failure> {
    let keys = cached(app, project).await?;
    let missing: Vec<UserKind> =
        kinds.iter().copied().filter(|kind| !keys.signing.contains_key(kind)).collect();
    if missing.is_empty() {
        return Ok(keys);
    }
    let mut statements = Vec::new();
    for kind in missing {
        for state in ["active", "next"] {
            statements.push(signing_keys::insert_if_absent(&generate(app, project, kind, state)?));
        }
    }
    app.store.batch(statements).await?;
    load(app, project).await
}

async fn cached(app: &App, project: &ProjectId) -> Result<Arc<ProjectKeys>, Failure> {
    match app.signing_keys.0.get(project) {
        Some(keys) if (0..FRESH_FOR).contains(&(app.now() - keys.loaded_at)) => Ok(keys),
        _ => load(app, project).await,
    }
}

async fn rows(app: &App, project: &ProjectId) -> Result<Vec<SigningKeyRow>, Failure> {
    let project = project.clone();
    app.store.read(move |tx| Box::pin(async move { Ok(signing_keys::list(tx, &project).await?) })).await
}

/// How long a retired key is honoured, milliseconds.
pub(crate) fn honoured_for(app: &App) -> i64 {
    app.config.tokens.access_token_lifetime.as_millis() + RETIRED_MARGIN
}

async fn load(app: &App, project: &ProjectId) -> Result<Arc<ProjectKeys>, Failure> {
    let now = app.now();
    let honoured_for = honoured_for(app);
    let mut keys = ProjectKeys {
        signing: HashMap::new(),
        verifying: HashMap::new(),
        published: Vec::new(),
        loaded_at: now,
    };
    let mut rows = rows(app, project).await?;
    rows.retain(|row| row.retired_at.is_none_or(|retired| now - retired < honoured_for));
    rows.sort_by_key(|row| ["active", "next", "retired"].iter().position(|state| row.state == *state));
    for row in rows {
        let kind = UserKind::parse(&row.user_kind)
            .ok_or_else(|| Failure::internal(format_args!("unknown kind of user in key {}", row.kid)))?;
        let jwk: Jwk = serde_json::from_str(&row.public_jwk).map_err(Failure::internal)?;
        let verifying = VerifyingKey::from_jwk(&jwk).map_err(Failure::internal)?;
        if row.state == "active" {
            keys.signing.insert(kind, open(app, &row)?);
        }
        keys.verifying.insert(row.kid, (kind, verifying));
        keys.published.push((kind, jwk));
    }
    let keys = Arc::new(keys);
    if !keys.published.is_empty() {
        app.signing_keys.0.insert(project.clone(), Arc::clone(&keys));
    }
    Ok(keys)
}

fn open(app: &App, row: &SigningKeyRow) -> Result<SigningKey, Failure> {
    let pkcs8 = app
        .master_keys
        .open(&seal_context(&row.project_id, &row.kid), &row.private_key_sealed)
        .map_err(|error| {
            Failure::internal(format_args!("the master key does not open signing key {}: {error}", row.kid))
        })?;
    SigningKey::from_pkcs8(&pkcs8).map_err(Failure::internal)
}

fn generate(app: &App, project: &ProjectId, kind: UserKind, state: &str) -> Result<SigningKeyRow, Failure> {
    let key = SigningKey::generate().map_err(Failure::internal)?;
    let public_jwk = serde_json::to_string(&key.public_jwk()).map_err(Failure::internal)?;
    Ok(SigningKeyRow {
        project_id: project.clone(),
        kid: key.kid().to_owned(),
        user_kind: kind.as_str().to_owned(),
        state: state.to_owned(),
        private_key_sealed: app.master_keys.seal(&seal_context(project, key.kid()), &key.to_pkcs8()),
        public_jwk,
        created_at: app.now(),
        retired_at: None,
    })
}

/// What a signing key is sealed for.
pub(crate) fn seal_context(project: &ProjectId, kid: &str) -> String {
    format!("signing-key:{project}:{kid}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_key_id_never_reaches_the_database() {
        assert!(has_form(SigningKey::generate().unwrap().kid()));
        for kid in ["", "abc", "\0\0\0\0\0\0\0\0\0\0\0\0", "abcdefghijklm", "ääääää", "abcdefghijk="] {
            assert!(!has_form(kid), "{kid:?}");
        }
    }
}
