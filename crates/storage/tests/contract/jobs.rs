//! The job queue: each job to one worker at a time, at least once.

use std::collections::BTreeSet;

use latchkey_storage::MIGRATIONS;
use latchkey_storage::engine::Store;
use latchkey_storage::jobs::{self, NewJob};

use crate::on_each_engine;

fn job(number: u32, run_at: i64) -> NewJob {
    NewJob {
        id: format!("00000000-0000-4000-8000-{number:012}").parse().unwrap(),
        project_id: None,
        queue: "mail",
        payload: vec![1, 2, 3],
        run_at,
        created_at: 5,
    }
}

async fn migrated(database: &crate::support::Database) -> Store {
    let store = database.open().await;
    store.migrate(MIGRATIONS, 0).await.unwrap();
    store
}

on_each_engine! {
    async fn racing_workers_get_each_job_once(database) {
        let store = migrated(&database).await;
        store.batch((0..100).map(|number| jobs::insert(&job(number, 10))).collect()).await.unwrap();
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut mine = Vec::new();
                    loop {
                        let claimed = jobs::claim(&store, "mail", 10, 1000, 3).await.unwrap();
                        assert!(claimed.len() <= 3);
                        if claimed.is_empty() {
                            return mine;
                        }
                        mine.extend(claimed.into_iter().map(|job| job.id));
                    }
                })
            })
            .collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.unwrap());
        }
        assert_eq!(all.len(), 100);
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 100);
    }

    async fn jobs_wait_for_their_time_and_come_back_after_failures(database) {
        let store = migrated(&database).await;
        store.batch(vec![jobs::insert(&job(1, 10)), jobs::insert(&job(2, 20))]).await.unwrap();
        assert!(jobs::claim(&store, "mail", 9, 100, 9).await.unwrap().is_empty());
        assert!(jobs::claim(&store, "webhook", 50, 100, 9).await.unwrap().is_empty());

        let claimed = jobs::claim(&store, "mail", 10, 100, 9).await.unwrap();
        assert_eq!(claimed.len(), 1);
        assert_eq!((claimed[0].attempts, claimed[0].created_at), (1, 5));
        assert_eq!(claimed[0].payload, [1, 2, 3]);
        assert!(jobs::claim(&store, "mail", 10, 100, 9).await.unwrap().is_empty(), "leased");
        let first = &claimed[0].id;

        store.batch(vec![jobs::retry_later(first, 30, "no route").exactly(1)]).await.unwrap();
        assert!(jobs::claim(&store, "mail", 19, 100, 9).await.unwrap().is_empty(), "not due before 30");
        let claimed = jobs::claim(&store, "mail", 30, 100, 1).await.unwrap();
        assert_ne!(&claimed[0].id, first, "due longest goes first");
        store.batch(vec![jobs::complete(&claimed[0].id).exactly(1)]).await.unwrap();
        let claimed = jobs::claim(&store, "mail", 30, 100, 9).await.unwrap();
        assert_eq!((&claimed[0].id, claimed[0].attempts, claimed.len()), (first, 2, 1));

        // The worker died: the lease runs out.
        let claimed = jobs::claim(&store, "mail", 100, 200, 9).await.unwrap();
        assert_eq!((&claimed[0].id, claimed[0].attempts), (first, 3));
        store.batch(vec![jobs::bury(first, "given up").exactly(1)]).await.unwrap();
        assert!(jobs::claim(&store, "mail", 1000, 2000, 9).await.unwrap().is_empty());
        store.batch(vec![jobs::complete(first).exactly(1)]).await.unwrap();
    }
}
