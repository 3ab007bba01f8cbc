//! Whether lists of users stay fast when there are many: the same pages with a thousand users and with as many as
//! `--fill` says, one after the other on one connection. And whether others notice when so many are deleted with their
//! project.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Options;
use super::api::Api;
use super::load::{Load, Scenario, Wrk};
use super::process::cpu_micros;
use super::server::{Engine, Server};
use super::start::fill;
use crate::postgres::Postgres;
use crate::shell::say;

/// Users at first.
const FEW: u64 = 1000;
/// Members of the team.
const MEMBERS: usize = 40;
/// A server that used less than this of a core in a second is done with what it did in the background, microseconds.
const IDLE: u64 = 30_000;
/// The longest wait for that.
const REMOVED_WITHIN: Duration = Duration::from_mins(10);

/// The time of one page.
pub struct Page {
    /// What is asked for.
    pub title: &'static str,
    /// Median with few users, microseconds.
    pub few_micros: u64,
    /// Median with many; `None` without `--fill`.
    pub many_micros: Option<u64>,
}

/// What was seen on one engine.
pub struct Lists {
    /// Users at first.
    pub few: u64,
    /// Users in the end.
    pub many: Option<u64>,
    /// One row each.
    pub pages: Vec<Page>,
    /// Only with `--fill`.
    pub deletion: Option<Deletion>,
}

/// What was seen while the project of all those users was deleted.
pub struct Deletion {
    /// Until the deletion was answered.
    pub answered_after: Duration,
    /// Until everything was removed; `None` if that took longer than anybody waited.
    pub removed_after: Option<Duration>,
    /// Requests of another project: what they are, calm, and meanwhile.
    pub loads: Vec<(&'static str, Load, Load)>,
    /// Whether everything was removed before the last request was measured.
    pub ended_too_early: bool,
}

/// Measures on a server of its own.
pub fn measure(
    binary: &Path,
    engine: Engine,
    postgres: Option<&Postgres>,
    options: &Options,
) -> Result<Lists, String> {
    say(format_args!("{engine}: lists of users"));
    let server = Server::start(binary, postgres)?;
    let api = server.api();
    let (status, team) = api.post("/teams", &json!({ "display_name": "Forty" }))?;
    let team = team["id"].as_str().filter(|_| status == 201).ok_or("a team cannot be made")?.to_owned();
    for number in 0..MEMBERS {
        let (_, user) = api.post("/users", &json!({ "display_name": format!("Member {number}") }))?;
        let path = format!("/team-memberships/{team}/{}", user["id"].as_str().unwrap_or_default());
        api.post(&path, &json!({}))?;
    }
    let person = json!({
        "display_name": "Wilhelmina Quackenbush", "primary_email": "wilhelmina4711@example.com",
        "primary_email_auth_enabled": true,
    });
    api.post("/users", &person)?;
    fill(&server, FEW)?;
    let before = pages(&server, postgres, &team, options)?;
    let Some(users) = options.fill else {
        let page = |(title, few_micros)| Page { title, few_micros, many_micros: None };
        return Ok(Lists {
            few: FEW,
            many: None,
            pages: before.into_iter().map(page).collect(),
            deletion: None,
        });
    };
    fill(&server, users.saturating_sub(FEW))?;
    let after = pages(&server, postgres, &team, options)?;
    let page =
        |((title, few_micros), (_, many_micros))| Page { title, few_micros, many_micros: Some(many_micros) };
    let pages: Vec<Page> = before.into_iter().zip(after).map(page).collect();
    // The rest takes long.
    for Page { title, few_micros, many_micros } in &pages {
        say(format_args!("{title}: {few_micros} µs, and {} µs with many", many_micros.unwrap_or_default()));
    }
    say(format_args!("{engine}: another project, while that of {users} users is deleted"));
    let deletion = Some(delete(&server, options)?);
    Ok(Lists { few: FEW, many: Some(users), pages, deletion })
}

/// Deletes the project of all those users and looks at another one, before and meanwhile.
fn delete(server: &Server, options: &Options) -> Result<Deletion, String> {
    let other = server.internal_api();
    let wrk = Wrk::new(server.folder(), server.base_url(), &other.client_headers, &other.sessions(32)?)?;
    let seconds = options.either(15, 3);
    let scenarios = [(Scenario::Me, 4), (Scenario::SignUp, 2)];
    let look = |run: &str| -> Result<Vec<Load>, String> {
        let look = |(scenario, connections)| wrk.start(scenario, connections, seconds, run)?.finish();
        scenarios.into_iter().map(|scenario| look(scenario).map(Load::from)).collect()
    };
    look("warm")?;
    let calm = look("calm")?;
    let begun = Instant::now();
    server.api().delete_project()?;
    let answered_after = begun.elapsed();
    let meanwhile = look("meanwhile")?;
    let (mut looks, mut removed_after) = (0, None);
    while removed_after.is_none() && begun.elapsed() < REMOVED_WITHIN {
        if used_in_a_second(server)? > IDLE {
            looks += 1;
        } else {
            removed_after = Some(begun.elapsed());
        }
    }
    let loads = scenarios.into_iter().zip(calm.into_iter().zip(meanwhile));
    Ok(Deletion {
        answered_after,
        removed_after,
        loads: loads.map(|((scenario, _), (calm, meanwhile))| (scenario.title(), calm, meanwhile)).collect(),
        ended_too_early: looks == 0,
    })
}

/// CPU microseconds that the server uses in a second without requests.
fn used_in_a_second(server: &Server) -> Result<u64, String> {
    let before = cpu_micros(server.pid())?;
    sleep(Duration::from_secs(1));
    Ok(cpu_micros(server.pid())?.saturating_sub(before))
}

/// The median time of each page.
fn pages(
    server: &Server,
    postgres: Option<&Postgres>,
    team: &str,
    options: &Options,
) -> Result<Vec<(&'static str, u64)>, String> {
    if let Some(postgres) = postgres {
        postgres.analyze(&server.database_url())?;
    }
    let api = server.api();
    let newest = ask(&api, "/users?limit=600&desc=true")?;
    let cursor = newest["pagination"]["next_cursor"].as_str().unwrap_or_default().to_owned();
    let queries = [
        ("first page of 50", "limit=50".to_owned(), 50),
        ("page of 50 from a cursor, newest first", format!("limit=50&desc=true&cursor={cursor}"), 50),
        ("search by a whole email", "limit=50&query=wilhelmina4711@example.com".to_owned(), 1),
        ("search by a part of a name", "limit=50&query=quackenb".to_owned(), 1),
        ("search for what everybody has", "limit=50&query=example.com".to_owned(), 50),
        ("search for what nobody has", "limit=50&query=zzyzx".to_owned(), 0),
        ("members of a team of 40", format!("limit=50&team_id={team}"), MEMBERS),
    ];
    let mut medians = Vec::new();
    for (title, query, expected) in queries {
        let path = format!("/users?{query}");
        let mut times = Vec::new();
        for _ in 0..options.either(100, 15) {
            let asked = Instant::now();
            let page = ask(&api, &path)?;
            times.push(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
            let found = page["items"].as_array().map_or(0, Vec::len);
            if found != expected {
                return Err(format!("{path} gave {found} users instead of {expected}"));
            }
        }
        times.sort_unstable();
        medians.push((title, times[times.len() / 2]));
    }
    Ok(medians)
}

fn ask(api: &Api, path: &str) -> Result<Value, String> {
    let (status, body) = api.get(path)?;
    if status == 200 { Ok(body) } else { Err(format!("{path} was answered with {status}: {body}")) }
}
