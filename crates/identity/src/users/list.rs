//! Listing users (contract 05 §4), and asking whom a setting would restrict (§10).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use latchkey_api_types::list::List;
use latchkey_api_types::user::{
    AffectedUser, AffectedUsers, RestrictedReason, RestrictionKind, ServerUser, UsersQuery,
};
use latchkey_storage::engine::Tx;
use latchkey_storage::oauth_accounts::{self, OauthAccountRow};
use latchkey_storage::teams::{self, TeamRow};
use latchkey_storage::users::{self, UserFilter, UserRow};

use super::view;
use crate::app::App;
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::projects::Project;

/// A page of the users of the project. Anonymous and restricted ones are left out unless asked for.
///
/// # Errors
/// 400 for `only_anonymous` without `include_anonymous`, and for a cursor that is no user.
pub async fn list(app: &App, auth: &Auth, query: UsersQuery) -> Result<List<ServerUser>, Failure> {
    let is_set = |flag: Option<latchkey_api_types::input::QueryBool>| flag.is_some_and(|flag| flag.0);
    let include_anonymous = is_set(query.include_anonymous);
    let only_anonymous = is_set(query.only_anonymous);
    if only_anonymous && !include_anonymous {
        return Err(Failure::text(400, "only_anonymous needs include_anonymous=true."));
    }
    let limit = query.limit.map(|limit| limit.0);
    let mut filter = UserFilter {
        include_anonymous,
        only_anonymous,
        include_restricted: include_anonymous || is_set(query.include_restricted),
        verified_only: auth.project.settings.onboarding.require_email_verification,
        team: query.team_id,
        text: query.query.map(|text| text.to_lowercase()).filter(|text| !text.is_empty()),
        descending: is_set(query.desc),
        from: None,
        // One more than the page, which is where the next one begins.
        limit: limit.map(|limit| limit.saturating_add(1)),
    };
    let project = Arc::clone(&auth.project);
    let cursor = query.cursor;
    let read = app.store.scan(move |tx| {
        Box::pin(async move {
            if let Some(cursor) = cursor {
                let first = users::get(tx, &project.id, cursor).await?;
                let first =
                    first.ok_or_else(|| Failure::text(400, "The cursor is no user of the project."))?;
                filter.from = Some((first.signed_up_at, first.id));
            }
            let mut rows = users::list(tx, &project.id, &filter).await?;
            let mut next = None;
            if let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok())
                && rows.len() > limit
            {
                next = rows.get(limit).map(|row| row.id.to_string());
                rows.truncate(limit);
            }
            Ok::<_, Failure>(List::page(views(tx, &project, rows).await?, next))
        })
    });
    read.await
}

/// The users as servers see them. What belongs to them is read for all of them together.
pub(crate) async fn views(
    tx: &mut Tx,
    project: &Project,
    rows: Vec<UserRow>,
) -> Result<Vec<ServerUser>, Failure> {
    let mut accounts: BTreeMap<_, Vec<OauthAccountRow>> = BTreeMap::new();
    let owners: Vec<_> = rows.iter().filter(|row| row.oauth_accounts > 0).map(|row| row.id).collect();
    if !owners.is_empty() {
        for account in oauth_accounts::list_of_users(tx, &project.id, &owners).await? {
            accounts.entry(account.user_id).or_default().push(account);
        }
    }
    let selected: BTreeSet<_> = rows.iter().filter_map(|row| row.selected_team_id).collect();
    let mut teams: BTreeMap<_, TeamRow> = BTreeMap::new();
    if !selected.is_empty() {
        let found = teams::list_some(tx, &project.id, &selected).await?;
        teams.extend(found.into_iter().map(|team| (team.id, team)));
    }
    let one = |row: UserRow| {
        let accounts = accounts.remove(&row.id).unwrap_or_default();
        let team = row.selected_team_id.and_then(|id| teams.get(&id).cloned());
        view(project, row, accounts, team)
    };
    Ok(rows.into_iter().map(one).collect())
}

/// Whom the project would restrict if it required verified emails: those who are not restricted now.
///
/// # Errors
/// None of its own.
pub async fn preview_affected(
    app: &App,
    auth: &Auth,
    require_email_verification: bool,
    limit: i64,
) -> Result<AffectedUsers, Failure> {
    if !require_email_verification || auth.project.settings.onboarding.require_email_verification {
        return Ok(AffectedUsers { affected_users: Vec::new(), total_affected_count: 0 });
    }
    let project = auth.project.id.clone();
    let read = app.store.scan(move |tx| {
        Box::pin(async move {
            let rows = users::unverified(tx, &project, limit).await?;
            Ok::<_, Failure>((rows, users::count_unverified(tx, &project).await?))
        })
    });
    let (rows, total_affected_count) = read.await?;
    let one = |row: UserRow| AffectedUser {
        id: row.id,
        display_name: row.display_name,
        primary_email: row.primary_email,
        restricted_reason: RestrictedReason { kind: RestrictionKind::EmailNotVerified },
    };
    Ok(AffectedUsers { affected_users: rows.into_iter().map(one).collect(), total_affected_count })
}
