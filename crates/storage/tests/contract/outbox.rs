//! The outbox: each mail to one server at a time, at least once, important ones first, no project before all others.

use std::collections::BTreeSet;

use latchkey_api_types::ids::{EmailId, ProjectId};
use latchkey_storage::MIGRATIONS;
use latchkey_storage::engine::Store;
use latchkey_storage::mail_capacities;
use latchkey_storage::outbox::{self, ClaimedMail, NewOutboxRow};
use latchkey_storage::projects::{self, ProjectRow};
use uuid::Uuid;

use crate::on_each_engine;

fn project(number: u128) -> ProjectId {
    ProjectId::from_uuid(uuid(number))
}

fn uuid(number: u128) -> Uuid {
    uuid::Builder::from_u128(number)
        .with_version(uuid::Version::Random)
        .with_variant(uuid::Variant::RFC4122)
        .into_uuid()
}

fn mail(of: &ProjectId, number: u128, run_at: i64) -> NewOutboxRow {
    NewOutboxRow {
        project_id: of.clone(),
        id: EmailId::from_uuid(uuid(number)),
        user_id: None,
        addresses: Some("[\"a@example.com\"]".to_owned()),
        content_sealed: vec![1, 2, 3],
        has_rendered: true,
        is_high_priority: false,
        scheduled_at: run_at,
        created_at: 5,
    }
}

async fn claim(store: &Store, now: i64, lease_until: i64, limit: i64) -> Vec<ClaimedMail> {
    store.batch(vec![outbox::claim(now, lease_until, limit, 50)]).await.unwrap()[0].read().unwrap()
}

async fn with_projects(database: &crate::support::Database) -> Store {
    let store = database.open().await;
    store.migrate(MIGRATIONS, 0).await.unwrap();
    let row = |number| ProjectRow {
        id: project(number),
        display_name: "P".to_owned(),
        description: String::new(),
        logo_url: None,
        logo_full_url: None,
        logo_dark_mode_url: None,
        logo_full_dark_mode_url: None,
        is_production_mode: false,
        onboarding_status: "completed".to_owned(),
        owner_team_id: None,
        settings: String::new(),
        created_at: 0,
    };
    store.batch(vec![projects::insert(&row(1)), projects::insert(&row(2))]).await.unwrap();
    store
}

on_each_engine! {
    async fn racing_servers_get_each_mail_once(database) {
        let store = with_projects(&database).await;
        store.batch((0..100).map(|number| outbox::insert(&mail(&project(1), number, 10))).collect()).await.unwrap();
        let servers: Vec<_> = (0..8)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    let (mut mine, mut empty) = (Vec::new(), 0);
                    // Who raced for the same mails as another one gets none, and looks again.
                    while empty < 20 {
                        let claimed = claim(&store, 10, 1000, 3).await;
                        assert!(claimed.len() <= 3);
                        empty = if claimed.is_empty() { empty + 1 } else { 0 };
                        mine.extend(claimed.into_iter().map(|mail| mail.id));
                    }
                    mine
                })
            })
            .collect();
        let mut all = Vec::new();
        for server in servers {
            all.extend(server.await.unwrap());
        }
        assert_eq!(all.len(), 100);
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 100);
    }

    async fn mails_wait_for_their_time_and_come_back_after_failures(database) {
        let store = with_projects(&database).await;
        let (first, second) = (mail(&project(1), 1, 10), mail(&project(1), 2, 20));
        store.batch(vec![outbox::insert(&first), outbox::insert(&second)]).await.unwrap();
        assert!(claim(&store, 9, 100, 9).await.is_empty());

        let claimed = claim(&store, 10, 100, 9).await;
        assert_eq!((claimed.len(), claimed[0].id, claimed[0].attempts), (1, first.id, 1));
        assert_eq!(claimed[0].content_sealed, [1, 2, 3]);
        assert!(claim(&store, 10, 100, 9).await.is_empty(), "leased");
        store.batch(vec![outbox::retry_later(&claimed[0], 30, "[]", 11).exactly(1)]).await.unwrap();
        assert!(claim(&store, 19, 100, 9).await.is_empty(), "not due before 30");
        let claimed = claim(&store, 30, 100, 1).await;
        assert_eq!(claimed[0].id, second.id, "due longest goes first");
        store.batch(vec![outbox::note_sent(&claimed[0], 30).exactly(1)]).await.unwrap();
        let claimed = claim(&store, 30, 100, 9).await;
        assert_eq!((claimed[0].id, claimed[0].attempts, claimed.len()), (first.id, 2, 1));

        // The server died: the lease runs out.
        let again = claim(&store, 100, 200, 9).await;
        assert_eq!((again[0].id, again[0].attempts), (first.id, 3));
        // Whoever held the second lease has no say any more.
        let late = &claimed[0];
        let late = vec![
            outbox::note_sent(late, 1), outbox::retry_later(late, 0, "[]", 1), outbox::give_up(late, "[]", 1),
            outbox::release(late, 0), outbox::note_skipped(late, "x", 1), outbox::note_delivered(late, "[]"),
            outbox::note_rendered(late, b"x", 1), outbox::note_render_error(late, "x", 1),
        ];
        assert!(store.batch(late).await.unwrap().iter().all(|outcome| outcome.affected == 0));
        store.batch(vec![outbox::release(&again[0], 150).exactly(1)]).await.unwrap();
        let claimed = claim(&store, 150, 300, 9).await;
        assert_eq!(claimed[0].attempts, 3, "a claim that was given back does not count");
        store.batch(vec![outbox::give_up(&claimed[0], "[]", 151).exactly(1)]).await.unwrap();
        assert!(claim(&store, 1000, 2000, 9).await.is_empty());
    }

    async fn important_mails_go_first_and_no_project_takes_all_places(database) {
        let store = with_projects(&database).await;
        let mut rows: Vec<_> = (0..20).map(|number| mail(&project(1), number, 10)).collect();
        rows.push(mail(&project(2), 100, 15));
        rows.push(NewOutboxRow { is_high_priority: true, ..mail(&project(1), 101, 15) });
        store.batch(rows.iter().map(outbox::insert).collect()).await.unwrap();
        let outcomes = store.batch(vec![outbox::claim(20, 100, 6, 4)]).await.unwrap();
        let claimed: Vec<ClaimedMail> = outcomes[0].read().unwrap();
        let of = |number| claimed.iter().filter(|mail| mail.project_id == project(number)).count();
        assert_eq!((of(1), of(2)), (4, 1));
        assert!(claimed.iter().any(|mail| mail.id == rows[21].id), "the important one");
    }

    async fn the_mails_of_a_project_can_be_held_and_a_boost_begins_once(database) {
        let store = with_projects(&database).await;
        let rows = [mail(&project(1), 1, 10), mail(&project(2), 2, 10)];
        store.batch(rows.iter().map(outbox::insert).collect()).await.unwrap();
        store.batch(vec![mail_capacities::hold(&project(1), 50)]).await.unwrap();
        let ids = |claimed: Vec<ClaimedMail>| claimed.into_iter().map(|mail| mail.id).collect::<Vec<_>>();
        assert_eq!(ids(claim(&store, 49, 100, 9).await), [rows[1].id]);
        assert_eq!(ids(claim(&store, 50, 100, 9).await), [rows[0].id]);

        let boost = |expires_at, now| mail_capacities::begin_boost(&project(1), expires_at, now).exactly(1);
        store.batch(vec![boost(100, 10)]).await.unwrap();
        assert!(store.batch(vec![boost(200, 99)]).await.is_err(), "one lasts");
        store.batch(vec![boost(200, 100)]).await.unwrap();
    }
}
