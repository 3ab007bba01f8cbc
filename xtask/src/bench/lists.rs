//! Whether lists of users stay fast when there are many: the same pages of a server with a thousand users and of one
//! with as many as `--fill` says, asked in turn, one at a time. And whether others notice when so many are deleted with
//! their project.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::api::Api;
use super::load::{Load, Scenario, Wrk, cpu};
use super::server::{Engine, Server};
use super::start::fill;
use super::{Options, median};
use crate::postgres::Postgres;
use crate::shell::say;

/// Users that are few.
const FEW: u64 = 1000;
/// Members of the team.
const MEMBERS: usize = 40;
/// A server that used less than this of a core in a second, with its database, is done with what it did in the
/// background, microseconds.
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
    /// Users that are few.
    pub few: u64,
    /// Users that are many.
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

/// Measures on servers of its own.
pub fn measure(
    binary: &Path,
    engine: Engine,
    postgres: Option<&Postgres>,
    options: &Options,
) -> Result<Lists, String> {
    say(format_args!("{engine}: lists of users"));
    let few = Filled::start(binary, postgres, FEW)?;
    let many = options.fill.map(|users| Filled::start(binary, postgres, users)).transpose()?;
    let pages = pages(&few, many.as_ref(), options)?;
    drop(few);
    // The rest takes long.
    for Page { title, few_micros, many_micros } in &pages {
        say(format_args!("{title}: {few_micros} µs, and {} µs with many", many_micros.unwrap_or_default()));
    }
    let deletion = many.as_ref().map(|many| {
        say(format_args!("{engine}: another project, while that of many users is deleted"));
        delete(&many.server, postgres, options)
    });
    Ok(Lists { few: FEW, many: options.fill, pages, deletion: deletion.transpose()? })
}

/// A server with users.
struct Filled {
    server: Server,
    /// A team with [`MEMBERS`] members.
    team: String,
}

impl Filled {
    fn start(binary: &Path, postgres: Option<&Postgres>, users: u64) -> Result<Self, String> {
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
        fill(&server, users)?;
        if let Some(postgres) = postgres {
            postgres.analyze(&server.database_url())?;
        }
        Ok(Self { server, team })
    }

    /// The pages: what they are, their queries, and how many users each has.
    fn queries(&self) -> Result<Vec<(&'static str, String, usize)>, String> {
        let newest = ask(&self.server.api(), "/users?limit=600&desc=true")?;
        let cursor = newest["pagination"]["next_cursor"].as_str().unwrap_or_default();
        Ok(vec![
            ("first page of 50", "limit=50".to_owned(), 50),
            ("page of 50 from a cursor, newest first", format!("limit=50&desc=true&cursor={cursor}"), 50),
            ("search by a whole email", "limit=50&query=wilhelmina4711@example.com".to_owned(), 1),
            ("search by a part of a name", "limit=50&query=quackenb".to_owned(), 1),
            ("search for what everybody has", "limit=50&query=example.com".to_owned(), 50),
            ("search for what nobody has", "limit=50&query=zzyzx".to_owned(), 0),
            ("members of a team of 40", format!("limit=50&team_id={}", self.team), MEMBERS),
        ])
    }
}

/// Deletes the project of all those users and looks at another one, before and meanwhile.
fn delete(server: &Server, postgres: Option<&Postgres>, options: &Options) -> Result<Deletion, String> {
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
        if used_in_a_second(server, postgres)? > IDLE {
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

/// CPU microseconds that the server and its database use in a second without requests.
fn used_in_a_second(server: &Server, postgres: Option<&Postgres>) -> Result<u64, String> {
    let before = cpu(server.pid(), postgres)?;
    sleep(Duration::from_secs(1));
    Ok(cpu(server.pid(), postgres)?.saturating_sub(before))
}

/// The median time of each page, with few users and with many.
fn pages(few: &Filled, many: Option<&Filled>, options: &Options) -> Result<Vec<Page>, String> {
    let servers: Vec<&Filled> = std::iter::once(few).chain(many).collect();
    let apis: Vec<Api> = servers.iter().map(|filled| filled.server.api()).collect();
    let queries = servers.iter().map(|filled| filled.queries()).collect::<Result<Vec<_>, _>>()?;
    let mut pages = Vec::new();
    for (row, (title, ..)) in queries[0].iter().enumerate() {
        let mut times = vec![Vec::new(); servers.len()];
        for _ in 0..options.either(100, 15) {
            for ((api, queries), times) in apis.iter().zip(&queries).zip(&mut times) {
                let (_, query, expected) = &queries[row];
                let path = format!("/users?{query}");
                let asked = Instant::now();
                let page = ask(api, &path)?;
                times.push(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
                let found = page["items"].as_array().map_or(0, Vec::len);
                if found != *expected {
                    return Err(format!("{path} gave {found} users instead of {expected}"));
                }
            }
        }
        let mut medians = times.iter().map(|times| median(times, |time| *time));
        pages.push(Page {
            title,
            few_micros: medians.next().unwrap_or_default(),
            many_micros: medians.next(),
        });
    }
    Ok(pages)
}

fn ask(api: &Api, path: &str) -> Result<Value, String> {
    let (status, body) = api.get(path)?;
    if status == 200 { Ok(body) } else { Err(format!("{path} was answered with {status}: {body}")) }
}
