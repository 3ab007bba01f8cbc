//! Fills a project with users for `cargo xtask bench`, many in a transaction: the rows that a server leaves which
//! creates users with a name and an address by the API. Takes the URL of a migrated database, the project, how many, and
//! when the last of them signed up, epoch milliseconds.

use std::env::args;
use std::error::Error;

use latchkey_api_types::ids::{AuditEventId, ContactChannelId, ProjectId, UserId};
use latchkey_crypto::Random;
use latchkey_storage::Store;
use latchkey_storage::audit_events::{self, AuditEventRow};
use latchkey_storage::contact_channels::{self, ContactChannelRow};
use latchkey_storage::engine::{Stmt, StoreOptions};
use latchkey_storage::users::{self, UserRow};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Users in a transaction.
const TOGETHER: u64 = 200;
/// Transactions at once, which PostgreSQL can make use of.
const AT_ONCE: usize = 4;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = args().skip(1).collect();
    let [url, project, count, until] = words.as_slice() else {
        return Err("usage: fill DATABASE_URL PROJECT COUNT UNTIL".into());
    };
    let (project, count, until): (ProjectId, u64, i64) = (project.parse()?, count.parse()?, until.parse()?);
    let store = Store::open(&StoreOptions::new(url.parse()?)).await?;
    let random = Random::system();

    let mut writing = JoinSet::new();
    for first in (0..count).step_by(usize::try_from(TOGETHER)?) {
        if writing.len() == AT_ONCE
            && let Some(written) = writing.join_next().await
        {
            written??;
        }
        let statements = people(
            &random,
            &project,
            until.saturating_sub_unsigned(count - first),
            TOGETHER.min(count - first),
        );
        let store = store.clone();
        writing.spawn(async move { store.batch(statements).await.map(drop) });
    }
    while let Some(written) = writing.join_next().await {
        written??;
    }
    Ok(())
}

/// Users who signed up since that moment, their addresses, and the record of it. Each table is written in the order of
/// its ids, so that neighbours are written together; who signed up when has another order.
fn people(random: &Random, project: &ProjectId, since: i64, count: u64) -> Vec<Stmt> {
    let ids = || {
        let mut ids: Vec<Uuid> = (0..count).map(|_| random.uuid()).collect();
        ids.sort_unstable();
        ids
    };
    let people: Vec<_> =
        (0..count).map(|n| since.saturating_add_unsigned(n * 7919 % count)).zip(ids()).collect();
    let users = people.iter().map(|(at, id)| users::insert(&user(project, *id, *at)));
    let channels = people
        .iter()
        .zip(ids())
        .map(|((at, user), id)| contact_channels::insert(&channel(project, *user, id, *at)));
    let events = people
        .iter()
        .zip(ids())
        .map(|((at, user), id)| audit_events::insert(&event(project, *user, id, *at)));
    users.chain(channels).chain(events).collect()
}

/// Twelve digits, as parts of longer ones are what a search would have to remember.
fn email(user: Uuid) -> String {
    let (first, second, _, _) = user.as_fields();
    format!("person-{first:08x}{second:04x}@example.com")
}

fn user(project: &ProjectId, id: Uuid, at: i64) -> UserRow {
    UserRow {
        display_name: Some(format!("Person {}", at % 1_000_000)),
        primary_email: Some(email(id)),
        primary_email_verified: Some(false),
        primary_email_used_for_auth: Some(true),
        ..users::blank(project, UserId::from_uuid(id), at)
    }
}

fn channel(project: &ProjectId, user: Uuid, id: Uuid, at: i64) -> ContactChannelRow {
    ContactChannelRow {
        project_id: project.clone(),
        id: ContactChannelId::from_uuid(id),
        user_id: UserId::from_uuid(user),
        kind: "email".to_owned(),
        value: email(user),
        is_primary: true,
        is_verified: false,
        used_for_auth: true,
        created_at: at,
    }
}

fn event(project: &ProjectId, user: Uuid, id: Uuid, at: i64) -> AuditEventRow {
    AuditEventRow {
        project_id: project.clone(),
        id: AuditEventId::from_uuid(id),
        occurred_at: at,
        kind: "user.created".to_owned(),
        actor: "server".to_owned(),
        user_id: Some(UserId::from_uuid(user)),
        session_id: None,
        ip: None,
        details: "{}".to_owned(),
    }
}
