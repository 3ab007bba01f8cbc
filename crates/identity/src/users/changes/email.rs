//! What becomes of the primary email and its flags (contract 05 §3.2, "Primary email").

use latchkey_storage::contact_channels;
use latchkey_storage::engine::Tx;
use latchkey_storage::users::UserRow;

use super::fields::{Email, require_email};
use super::{Plan, Written};
use crate::contact_channels::primary_email;
use crate::users::blank;
use crate::users::creation::email_taken;

/// Writes what was asked for.
pub(super) async fn apply(tx: &mut Tx, plan: &Plan) -> Result<(), Written> {
    let Email { address, verified, used_for_auth } = &plan.fields.email;
    if address.is_none() && verified.is_none() && used_for_auth.is_none() {
        return Ok(());
    }
    let project = &plan.project.id;
    let channels = contact_channels::list(tx, project, plan.id).await?;
    let primary = channels.iter().find(|channel| channel.is_primary);
    match (address, primary) {
        (Some(None), _) => {
            tx.run(contact_channels::demote_primary(project, plan.id)).await?;
        }
        (Some(Some(address)), primary) if primary.is_none_or(|primary| primary.value != *address) => {
            let used_for_auth = used_for_auth.unwrap_or(primary.is_some_and(|primary| primary.used_for_auth));
            if used_for_auth && contact_channels::is_used_for_auth(tx, project, address).await? {
                return Err(email_taken(address).into());
            }
            tx.run(contact_channels::demote_primary(project, plan.id)).await?;
            let known = channels.iter().find(|channel| channel.value == *address);
            let promoted = UserRow {
                primary_email: Some(address.clone()),
                primary_email_verified: Some(
                    verified.unwrap_or(known.is_some_and(|channel| channel.is_verified)),
                ),
                primary_email_used_for_auth: Some(used_for_auth),
                ..blank(project, plan.id, plan.now)
            };
            if let Some(channel) = primary_email(&promoted, plan.new_channel, plan.now) {
                tx.run(contact_channels::upsert(&channel)).await?;
            }
        }
        (_, Some(primary)) => {
            let begins = !primary.used_for_auth && *used_for_auth == Some(true);
            if begins && contact_channels::is_used_for_auth(tx, project, &primary.value).await? {
                return Err(email_taken(&primary.value).into());
            }
            let mut primary = primary.clone();
            primary.is_verified = verified.unwrap_or(primary.is_verified);
            primary.used_for_auth = used_for_auth.unwrap_or(primary.used_for_auth);
            tx.run(contact_channels::update(&primary)).await?;
        }
        (_, None) => require_email(None, *verified == Some(true), *used_for_auth == Some(true))?,
    }
    Ok(())
}
