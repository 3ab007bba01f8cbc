//! Lists of users: pages in the order of sign-up, narrowed by team, by text and by kind of user.
//!
//! A page is read along the index of that order when what is asked for is frequent, and from a small set of candidates
//! when it is rare. Which of the two is right is found out by looking, within limits that do not grow with the number
//! of users: see `docs/decisions/0007-searching-users.md`.

use std::collections::BTreeSet;

use latchkey_api_types::ids::{ProjectId, TeamId, UserId};

use serde_json::Value;

use super::{UserRow, columns, tables};
use crate::engine::{Sql, StorageError, Tx, Value as SqlValue, args};
use crate::values::json_array;

/// So many users for each place on the page are looked at in order before anything else is tried for a search: what half
/// of the users have fills the page here. Each costs some reads of the file once there are many users.
const WINDOW_PAGES: i64 = 2;
/// The fewest that are.
const SMALLEST_WINDOW: i64 = 100;
/// The largest set of candidates that is sorted instead of being met in order.
const MOST_CANDIDATES: usize = 2000;
/// The most trigrams of a text that are looked up; the rest is checked on what is found.
const MOST_GRAMS: usize = 4;
/// No name or address is longer, in bytes.
const LONGEST_TEXT: usize = 1100;

/// Which users are listed.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Also users who have not signed up.
    pub include_anonymous: bool,
    /// Only those.
    pub only_anonymous: bool,
    /// Also users whom an administrator restricted, or whose email `verified_only` asks to be verified.
    pub include_restricted: bool,
    /// Whether a user without a verified primary email counts as restricted.
    pub verified_only: bool,
    /// Members of this team only.
    pub team: Option<TeamId>,
    /// Part of a display name or of any address, in lower case, or a user's id.
    pub text: Option<String>,
    /// Newest first.
    pub descending: bool,
    /// Sign-up and id of the first user of the page.
    pub from: Option<(i64, UserId)>,
    /// The most users to read.
    pub limit: Option<i64>,
}

/// A place in the order: sign-up and id. The id may be a text beyond all ids.
type Place = (i64, String);

/// COUNT rather than EXISTS, for which PostgreSQL may read all memberships or addresses into a table of its own first.
macro_rules! page {
    ($from:expr, $anonymous:literal, $after:literal, $before:literal, $order:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            "FROM ",
            $from,
            "WHERE u.project_id = $1 AND (u.signed_up_at, u.id) ",
            $after,
            " ($2, $3) AND (u.signed_up_at, u.id) ",
            $before,
            " ($4, $5) ",
            $anonymous,
            "AND ($6 OR NOT u.restricted_by_admin) AND ($6 OR NOT $7 OR c.is_verified) \
             AND ($8 = '' OR (SELECT COUNT(*) FROM team_memberships m \
             WHERE m.project_id = u.project_id AND m.team_id = $8 AND m.user_id = u.id) > 0) \
             AND ($9 = '' OR u.id = $10 OR u.search_name LIKE $9 ESCAPE '!' OR (SELECT COUNT(*) FROM contact_channels s \
             WHERE s.project_id = u.project_id AND s.user_id = u.id AND lower(s.value) LIKE $9 ESCAPE '!') > 0) \
             ORDER BY ",
            $order,
            " LIMIT $11"
        )
    };
}

macro_rules! pages {
    ($from:expr, $anonymous:literal) => {
        [
            page!($from, $anonymous, ">=", "<", "u.signed_up_at, u.id"),
            page!($from, $anonymous, "<=", ">", "u.signed_up_at DESC, u.id DESC"),
        ]
    };
}

/// Users who signed up, so that the index of these serves even among many who have not.
const SIGNED_UP: [&str; 2] = pages!(tables!(""), "AND NOT u.is_anonymous ");
/// All kinds of users.
const ALL: [&str; 2] = pages!(tables!(""), "AND (u.is_anonymous OR NOT $12) ");
/// Of candidates, given as a JSON array. The join is written so that SQLite begins with them.
const CANDIDATES: [&str; 2] = pages!(
    concat!("json_each($14) j CROSS JOIN ", tables!("ON u.project_id = $1 AND u.id = j.value")),
    "AND (u.is_anonymous OR NOT $12) AND ($13 OR NOT u.is_anonymous) "
);
/// The same.
const CANDIDATES_ON_POSTGRES: [&str; 2] = pages!(
    concat!(
        "json_array_elements_text(CAST(CAST($14 AS TEXT) AS json)) AS j (value) JOIN ",
        tables!("ON u.project_id = $1 AND u.id = j.value")
    ),
    "AND (u.is_anonymous OR NOT $12) AND ($13 OR NOT u.is_anonymous) "
);

/// A page of users, in the order of their sign-up and then of their ids.
pub async fn list(
    tx: &mut Tx,
    project: &ProjectId,
    filter: &UserFilter,
) -> Result<Vec<UserRow>, StorageError> {
    if filter.text.as_ref().is_some_and(|text| text.len() > LONGEST_TEXT) {
        return Ok(Vec::new());
    }
    let end = end(filter);
    if let Some(team) = filter.team {
        let members = members(tx, project, team).await?;
        if members.len() <= MOST_CANDIDATES {
            return among(tx, project, filter, &members).await;
        }
    }
    let Some(text) = &filter.text else { return scan(tx, project, filter, &end).await };
    if let Some(limit) = filter.limit {
        let window = window(tx, project, filter, limit).await?;
        let page = scan(tx, project, filter, window.as_ref().unwrap_or(&end)).await?;
        if window.is_none() || i64::try_from(page.len()).is_ok_and(|length| length >= limit) {
            return Ok(page);
        }
    }
    match candidates(tx, project, text).await? {
        Some(candidates) => among(tx, project, filter, &candidates).await,
        None => scan(tx, project, filter, &end).await,
    }
}

fn direction<T>(filter: &UserFilter, [ascending, descending]: [T; 2]) -> T {
    if filter.descending { descending } else { ascending }
}

/// Where the list begins.
fn start(filter: &UserFilter) -> Place {
    let first = direction(filter, [(i64::MIN, String::new()), (i64::MAX, "~".to_owned())]);
    filter.from.map_or(first, |(signed_up_at, id)| (signed_up_at, id.to_string()))
}

/// A place beyond everybody.
fn end(filter: &UserFilter) -> Place {
    direction(filter, [(i64::MAX, "~".to_owned()), (i64::MIN, String::new())])
}

/// The arguments that all pages share.
fn shared(project: &ProjectId, filter: &UserFilter, end: &Place) -> Vec<SqlValue> {
    let (from_time, from_id) = start(filter);
    let team = filter.team.map(|team| team.to_string()).unwrap_or_default();
    let pattern = filter.text.as_deref().map(contains_pattern).unwrap_or_default();
    let exact = filter.text.as_deref().map(plain_id).unwrap_or_default();
    args![
        project,
        from_time,
        from_id,
        end.0,
        end.1,
        filter.include_restricted,
        filter.verified_only,
        team,
        pattern,
        exact,
        filter.limit.unwrap_or(i64::MAX)
    ]
}

/// Meets the users in order, up to a place.
async fn scan(
    tx: &mut Tx,
    project: &ProjectId,
    filter: &UserFilter,
    end: &Place,
) -> Result<Vec<UserRow>, StorageError> {
    let mut args = shared(project, filter, end);
    if !filter.include_anonymous && !filter.only_anonymous {
        return tx.query(direction(filter, SIGNED_UP), args).await;
    }
    args.extend(args![filter.only_anonymous]);
    tx.query(direction(filter, ALL), args).await
}

/// Sorts those of the candidates that are asked for.
async fn among(
    tx: &mut Tx,
    project: &ProjectId,
    filter: &UserFilter,
    candidates: &BTreeSet<UserId>,
) -> Result<Vec<UserRow>, StorageError> {
    let mut args = shared(project, filter, &end(filter));
    args.extend(args![filter.only_anonymous, filter.include_anonymous, json_array(candidates)]);
    let text = Sql::both(direction(filter, CANDIDATES)).postgres(direction(filter, CANDIDATES_ON_POSTGRES));
    tx.query(text, args).await
}

/// Where the window of a page ends; `None` if it holds everybody that is left.
async fn window(
    tx: &mut Tx,
    project: &ProjectId,
    filter: &UserFilter,
    limit: i64,
) -> Result<Option<Place>, StorageError> {
    let (time, id) = start(filter);
    let texts = [
        "SELECT signed_up_at, id FROM users WHERE project_id = $1 AND (signed_up_at, id) >= ($2, $3) \
         ORDER BY signed_up_at, id LIMIT 1 OFFSET $4",
        "SELECT signed_up_at, id FROM users WHERE project_id = $1 AND (signed_up_at, id) <= ($2, $3) \
         ORDER BY signed_up_at DESC, id DESC LIMIT 1 OFFSET $4",
    ];
    let size = limit.saturating_mul(WINDOW_PAGES).max(SMALLEST_WINDOW);
    tx.query_opt(direction(filter, texts), args![project, time, id, size]).await
}

/// The members of a team, but not many more than can be candidates.
async fn members(tx: &mut Tx, project: &ProjectId, team: TeamId) -> Result<BTreeSet<UserId>, StorageError> {
    let members: Vec<(UserId,)> = tx
        .query(
            "SELECT user_id FROM team_memberships WHERE project_id = $1 AND team_id = $2 LIMIT $3",
            args![project, team, more_than_candidates()],
        )
        .await?;
    Ok(members.into_iter().map(|(id,)| id).collect())
}

fn more_than_candidates() -> i64 {
    i64::try_from(MOST_CANDIDATES).unwrap_or(i64::MAX).saturating_add(1)
}

/// Users whose name or address may hold the text, and the user whose id it is; `None` if there are many.
async fn candidates(
    tx: &mut Tx,
    project: &ProjectId,
    text: &str,
) -> Result<Option<BTreeSet<UserId>>, StorageError> {
    let limit = more_than_candidates();
    let (statements, sought) = match grams(text) {
        Some(grams) => (by_grams(), grams),
        None => (by_reading().map(Sql::both), contains_pattern(text)),
    };
    let mut found: BTreeSet<UserId> = plain_id(text).parse().into_iter().collect();
    for statement in statements {
        let ids: Vec<(UserId,)> = tx.query(statement, args![project, sought, limit]).await?;
        found.extend(ids.into_iter().map(|(id,)| id));
        if found.len() > MOST_CANDIDATES {
            return Ok(None);
        }
    }
    Ok(Some(found))
}

/// Looks trigrams up, given as a JSON array, in names and in addresses.
fn by_grams() -> [Sql; 2] {
    // Full-text search on SQLite takes an expression, `"abc" AND "bcd"`; PostgreSQL compares arrays.
    let by_name = Sql::both(
        "SELECT u.id FROM users_grams CROSS JOIN users u ON u.search_id = users_grams.rowid \
         WHERE users_grams MATCH (SELECT group_concat(char(34) || replace(value, char(34), char(34) || char(34)) || char(34), ' AND ') \
         FROM json_each($2)) AND u.project_id = $1 LIMIT $3",
    )
    .postgres(
        "SELECT u.id FROM users u WHERE u.project_id = $1 AND search_grams(u.search_name) \
         @> ARRAY(SELECT json_array_elements_text(CAST(CAST($2 AS TEXT) AS json))) LIMIT $3",
    );
    let by_address = Sql::both(
        "SELECT c.user_id FROM contact_channels_grams \
         CROSS JOIN contact_channels c ON c.search_id = contact_channels_grams.rowid \
         WHERE contact_channels_grams \
         MATCH (SELECT group_concat(char(34) || replace(value, char(34), char(34) || char(34)) || char(34), ' AND ') \
         FROM json_each($2)) AND c.project_id = $1 LIMIT $3",
    )
    .postgres(
        "SELECT c.user_id FROM contact_channels c WHERE c.project_id = $1 AND search_grams(lower(c.value)) \
         @> ARRAY(SELECT json_array_elements_text(CAST(CAST($2 AS TEXT) AS json))) LIMIT $3",
    );
    [by_name, by_address]
}

/// Compares all names and all addresses with a pattern, for texts that are too short for trigrams: one after the other in
/// an index or the table, which is a tenth of what it costs to meet the users in order and ask for the addresses of each.
const fn by_reading() -> [&'static str; 2] {
    [
        "SELECT u.id FROM users u WHERE u.project_id = $1 AND u.search_name LIKE $2 ESCAPE '!' LIMIT $3",
        "SELECT c.user_id FROM contact_channels c WHERE c.project_id = $1 AND lower(c.value) LIKE $2 ESCAPE '!' LIMIT $3",
    ]
}

/// The trigrams of a text that are probably the rarest, as a JSON array; `None` if it has none. Each one that many
/// texts hold costs much and tells little, and what is found is compared with the text anyway.
fn grams(text: &str) -> Option<String> {
    // Many addresses share a domain.
    let local = text.split_once('@').map_or(text, |(local, _)| &text[..=local.len()]);
    let telling = if local.chars().count() > 2 { local } else { text };
    let characters: Vec<char> = telling.chars().collect();
    let distinct: BTreeSet<&[char]> = characters.windows(3).collect();
    let mut grams: Vec<&[char]> = distinct.into_iter().collect();
    grams.sort_by_key(|gram| std::cmp::Reverse(gram.iter().map(|c| rarity(*c)).sum::<u32>()));
    let chosen: Vec<Value> =
        grams.into_iter().take(MOST_GRAMS).map(|gram| Value::String(gram.iter().collect())).collect();
    (!chosen.is_empty()).then(|| Value::Array(chosen).to_string())
}

/// How rare a character is in names and addresses, roughly.
fn rarity(c: char) -> u32 {
    match c {
        '@' | '.' | ' ' => 1,
        'a' | 'e' | 'i' | 'o' | 'n' | 'r' | 's' | 't' | 'l' | 'm' | 'c' => 2,
        'j' | 'q' | 'x' | 'z' | 'w' | 'y' | 'k' | 'v' => 4,
        'a'..='z' | '-' | '_' => 3,
        _ => 5,
    }
}

/// What an id may consist of, in the case of ids.
fn plain_id(text: &str) -> String {
    let legal = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    text.chars().filter(legal).map(|c| c.to_ascii_lowercase()).collect()
}

/// A pattern of `LIKE … ESCAPE '!'` for texts that contain this.
fn contains_pattern(text: &str) -> String {
    let mut pattern = String::from('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_looked_up_by_its_rarest_trigrams() {
        assert_eq!(grams("ab"), None);
        assert_eq!(grams("aé\"x").as_deref(), Some(r#"["é\"x","aé\""]"#));
        assert_eq!(grams("user1234@example.com").as_deref(), Some(r#"["123","234","r12","34@"]"#));
        let domain = grams("a@rare.org").unwrap_or_default();
        assert!(domain.contains("org"), "{domain}");
    }

    #[test]
    fn wildcards_stand_for_themselves() {
        assert_eq!(contains_pattern("50%_!"), "%50!%!_!!%");
        assert_eq!(plain_id("'8F14 e45f-_.é%"), "8f14e45f-_.");
    }
}
