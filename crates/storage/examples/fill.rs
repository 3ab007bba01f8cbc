//! Fills a project with users for `cargo xtask bench`, many in a transaction: the rows that a server leaves which
//! creates users with a name and an address by the API. Takes the URL of a migrated database, the project and how
//! many.

use std::env::args;
use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use latchkey_api_types::ids::{AuditEventId, ContactChannelId, ProjectId, UserId};
use latchkey_crypto::Random;
use latchkey_storage::Store;
use latchkey_storage::audit_events::{self, AuditEventRow};
use latchkey_storage::contact_channels::{self, ContactChannelRow};
use latchkey_storage::engine::{Stmt, StoreOptions};
use latchkey_storage::users::{self, UserRow};
use tokio::task::JoinSet;

/// Users in a transaction.
const TOGETHER: u64 = 200;
/// Transactions at once, which PostgreSQL can make use of.
const AT_ONCE: usize = 4;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = args().skip(1).collect();
    let [url, project, count] = words.as_slice() else {
        return Err("usage: fill DATABASE_URL PROJECT COUNT".into());
    };
    let (project, count): (ProjectId, u64) = (project.parse()?, count.parse()?);
    let store = Store::open(&StoreOptions::new(url.parse()?)).await?;
    let random = Random::system();
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;

    let mut writing = JoinSet::new();
    for first in (0..count).step_by(usize::try_from(TOGETHER)?) {
        if writing.len() == AT_ONCE
            && let Some(written) = writing.join_next().await
        {
            written??;
        }
        let numbers = first..count.min(first + TOGETHER);
        let person = |number| person(&random, &project, number, now.saturating_sub_unsigned(count - number));
        let statements = numbers.flat_map(person).collect();
        let store = store.clone();
        writing.spawn(async move { store.batch(statements).await.map(drop) });
    }
    while let Some(written) = writing.join_next().await {
        written??;
    }
    Ok(())
}

/// A user who signed up at that moment, their address, and the record of it.
fn person(random: &Random, project: &ProjectId, number: u64, at: i64) -> [Stmt; 3] {
    let id = UserId::from_uuid(random.uuid());
    let email = format!("{id}@example.com");
    let user = UserRow {
        project_id: project.clone(),
        id,
        display_name: Some(format!("Person {number}")),
        profile_image_url: None,
        client_metadata: None,
        client_read_only_metadata: None,
        server_metadata: None,
        is_anonymous: false,
        restricted_by_admin: false,
        restricted_by_admin_reason: None,
        restricted_by_admin_private_details: None,
        country_code: None,
        risk_bot: 0,
        risk_free_trial_abuse: 0,
        otp_auth_enabled: false,
        requires_totp_mfa: false,
        totp_secret_sealed: None,
        selected_team_id: None,
        signed_up_at: at,
        last_active_at: at,
        primary_email: Some(email.clone()),
        primary_email_verified: Some(false),
        primary_email_used_for_auth: Some(true),
        has_password: false,
        oauth_accounts: 0,
        passkeys: 0,
    };
    let channel = ContactChannelRow {
        project_id: project.clone(),
        id: ContactChannelId::from_uuid(random.uuid()),
        user_id: id,
        kind: "email".to_owned(),
        value: email,
        is_primary: true,
        is_verified: false,
        used_for_auth: true,
        created_at: at,
    };
    let event = AuditEventRow {
        project_id: project.clone(),
        id: AuditEventId::from_uuid(random.uuid()),
        occurred_at: at,
        kind: "user.created".to_owned(),
        actor: "server".to_owned(),
        user_id: Some(id),
        session_id: None,
        ip: None,
        details: "{}".to_owned(),
    };
    [users::insert(&user), contact_channels::insert(&channel), audit_events::insert(&event)]
}
