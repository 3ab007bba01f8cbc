//! The job queue: each job to one worker at a time, at least once.

use std::collections::BTreeSet;

use latchkey_storage::MIGRATIONS;
use latchkey_storage::engine::{Stmt, Store};
use latchkey_storage::jobs::{self, JobRow};

use crate::on_each_engine;

fn job(number: u32, run_at: i64) -> Stmt {
    jobs::insert_stmt(&format!("job-{number}"), None, "mail", &[1, 2, 3], run_at, 5)
}

async fn claim(store: &Store, queue: &str, now: i64, lease_until: i64, limit: i64) -> Vec<JobRow> {
    store.batch(vec![jobs::claim(queue, now, lease_until, limit)]).await.unwrap()[0].read().unwrap()
}

async fn migrated(database: &crate::support::Database) -> Store {
    let store = database.open().await;
    store.migrate(MIGRATIONS, 0).await.unwrap();
    store
}

on_each_engine! {
    async fn racing_workers_get_each_job_once(database) {
        let store = migrated(&database).await;
        store.batch((0..100).map(|number| job(number, 10)).collect()).await.unwrap();
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut mine = Vec::new();
                    loop {
                        let claimed = claim(&store, "mail", 10, 1000, 3).await;
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
        store.batch(vec![job(1, 10), job(2, 20)]).await.unwrap();
        assert!(claim(&store, "mail", 9, 100, 9).await.is_empty());
        assert!(claim(&store, "webhook", 50, 100, 9).await.is_empty());

        let claimed = claim(&store, "mail", 10, 100, 9).await;
        assert_eq!(claimed.len(), 1);
        assert_eq!((claimed[0].attempts, claimed[0].created_at), (1, 5));
        assert_eq!(claimed[0].payload, [1, 2, 3]);
        assert!(claim(&store, "mail", 10, 100, 9).await.is_empty(), "leased");
        let first = &claimed[0].id;

        store.batch(vec![jobs::retry_later(first, 1, 30, "no route").exactly(1)]).await.unwrap();
        assert!(claim(&store, "mail", 19, 100, 9).await.is_empty(), "not due before 30");
        let claimed = claim(&store, "mail", 30, 100, 1).await;
        assert_ne!(&claimed[0].id, first, "due longest goes first");
        store.batch(vec![jobs::complete(&claimed[0].id, 1).exactly(1)]).await.unwrap();
        let claimed = claim(&store, "mail", 30, 100, 9).await;
        assert_eq!((&claimed[0].id, claimed[0].attempts, claimed.len()), (first, 2, 1));

        // The worker died: the lease runs out.
        let claimed = claim(&store, "mail", 100, 200, 9).await;
        assert_eq!((&claimed[0].id, claimed[0].attempts), (first, 3));
        // Whoever held the second lease has no say any more.
        let late = vec![jobs::complete(first, 2), jobs::retry_later(first, 2, 0, "late"), jobs::bury(first, 2, "late")];
        assert!(store.batch(late).await.unwrap().iter().all(|outcome| outcome.affected == 0));
        store.batch(vec![jobs::bury(first, 3, "given up").exactly(1)]).await.unwrap();
        assert!(claim(&store, "mail", 1000, 2000, 9).await.is_empty());
        store.batch(vec![jobs::complete(first, 3).exactly(1)]).await.unwrap();
    }
}
