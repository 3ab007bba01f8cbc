//! Snapshots and interactive transactions: isolation, roll-back, retries, and closures that misbehave.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use latchkey_storage::engine::{BoxFuture, StorageError, Store, Tx, args};
use tokio::sync::Barrier;

use crate::on_each_engine;
use crate::support::{count, counter, internal, is_postgres, meanwhile, value};

async fn counted(tx: &mut Tx) -> Result<i64, StorageError> {
    Ok(tx.query_one::<(i64,)>("SELECT count(*) FROM counters", args![]).await?.0)
}

async fn get(tx: &mut Tx, name: &'static str) -> Result<i64, StorageError> {
    Ok(tx.query_one::<(i64,)>("SELECT value FROM counters WHERE name = $1", args![name]).await?.0)
}

async fn set(tx: &mut Tx, name: &'static str, value: i64) -> Result<u64, StorageError> {
    tx.execute("UPDATE counters SET value = $2 WHERE name = $1", args![name, value]).await
}

on_each_engine! {
    async fn a_read_sees_one_moment(database) {
        let store = database.store().await;
        let other = store.clone();
        let seen = store.read(|tx| {
            Box::pin(async move {
                let before = counted(tx).await?;
                meanwhile(other.batch(vec![counter("a", 1)]))?;
                Ok::<_, StorageError>((before, counted(tx).await?))
            })
        });
        assert_eq!(seen.await.unwrap(), (0, 0));
        assert_eq!(count(&store).await, 1);
    }

    async fn a_scan_sees_one_moment(database) {
        let store = database.store().await;
        let other = store.clone();
        let seen = store.scan(|tx| {
            Box::pin(async move {
                let before = counted(tx).await?;
                meanwhile(other.batch(vec![counter("a", 1)]))?;
                Ok::<_, StorageError>((before, counted(tx).await?))
            })
        });
        assert_eq!(seen.await.unwrap(), (0, 0));
        assert_eq!(count(&store).await, 1);
    }

    async fn a_read_refuses_to_write(database) {
        let store = database.store().await;
        internal(store.read(|tx| Box::pin(tx.run(counter("a", 1)))).await);
        assert_eq!(count(&store).await, 0);
    }

    async fn a_lookup_is_one_statement(database) {
        let store = database.store().await;
        let twice = store.lookup(|tx| {
            Box::pin(async move {
                counted(tx).await?;
                counted(tx).await
            })
        });
        assert!(internal(twice.await).contains("second statement"));
        assert_eq!(count(&store).await, 0);
    }

    async fn an_error_of_the_closure_rolls_back(database) {
        #[derive(Debug, PartialEq)]
        enum Failure {
            Known,
            Storage(StorageError),
        }
        impl From<StorageError> for Failure {
            fn from(error: StorageError) -> Self {
                Self::Storage(error)
            }
        }
        let store = database.store().await;
        let result = store.write(|tx| {
            Box::pin(async move {
                tx.run(counter("a", 1).exactly(1)).await?;
                Err::<(), _>(Failure::Known)
            })
        });
        assert_eq!(result.await, Err(Failure::Known));
        assert_eq!(count(&store).await, 0);
        let result = store.write(|tx| {
            Box::pin(async move {
                tx.run(counter("a", 1).exactly(1)).await?;
                tx.run(counter("a", 1)).await?;
                Ok::<_, Failure>(())
            })
        });
        assert_eq!(result.await, Err(Failure::Storage(StorageError::Unique { index: "counters_pkey".to_owned() })));
        assert_eq!(count(&store).await, 0);
    }

    async fn a_failed_statement_cannot_be_ignored(database) {
        let store = database.store().await;
        let result = store.write(|tx| {
            Box::pin(async move {
                tx.run(counter("a", 1)).await?;
                let failed = tx.run(counter("b", 1).exactly(2)).await;
                assert_eq!(failed.unwrap_err(), StorageError::Guard { statement: 0, affected: 1 });
                internal(tx.run(counter("c", 1)).await);
                Ok::<_, StorageError>(())
            })
        });
        assert_eq!(result.await.unwrap_err(), StorageError::Guard { statement: 0, affected: 1 });
        assert_eq!(count(&store).await, 0);
    }

    async fn write_skew_is_refused(database) {
        // Two accounts that must not both be empty; each transaction reads both and empties one.
        let store = database.store().await;
        store.batch(vec![counter("a", 1), counter("b", 1)]).await.unwrap();
        let runs = Arc::new(AtomicU32::new(0));
        let both_have_read = Arc::new(Barrier::new(2));
        let tasks = ["a", "b"].map(|mine| {
            let (store, runs, both_have_read) = (store.clone(), Arc::clone(&runs), Arc::clone(&both_have_read));
            let overlaps = is_postgres(&store);
            tokio::spawn(async move {
                let write = store.write(move |tx| {
                    let (runs, both_have_read) = (Arc::clone(&runs), Arc::clone(&both_have_read));
                    Box::pin(async move {
                        let run = runs.fetch_add(1, Ordering::SeqCst);
                        let sum = get(tx, "a").await? + get(tx, "b").await?;
                        if overlaps && run < 2 {
                            both_have_read.wait().await;
                        }
                        if sum == 2 {
                            set(tx, mine, 0).await?;
                        }
                        Ok::<_, StorageError>(sum == 2)
                    })
                });
                write.await
            })
        });
        let [first, second] = tasks;
        let emptied = [first.await.unwrap().unwrap(), second.await.unwrap().unwrap()];
        assert_eq!(emptied.iter().filter(|&&emptied| emptied).count(), 1);
        assert_eq!(value(&store, "a").await + value(&store, "b").await, 1);
        let again = runs.load(Ordering::SeqCst) - 2;
        assert_eq!(again > 0, is_postgres(&store), "a conflict runs the closure again");
        assert_eq!(store.stats().retries, u64::from(again));
    }

    async fn concurrent_interactive_increments_are_all_counted(database) {
        let store = database.store().await;
        store.batch(vec![counter("a", 0)]).await.unwrap();
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    let write = store.write(|tx| {
                        Box::pin(async move {
                            let now = get(tx, "a").await?;
                            set(tx, "a", now + 1).await
                        })
                    });
                    write.await
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(value(&store, "a").await, 64);
    }

    async fn a_panicking_closure_harms_only_its_caller(database) {
        fn panics(tx: &mut Tx) -> BoxFuture<'_, Result<(), StorageError>> {
            Box::pin(async move {
                tx.run(counter("a", 1)).await?;
                panic!("on purpose");
            })
        }
        fn panics_early(_: &mut Tx) -> BoxFuture<'_, Result<(), StorageError>> {
            Box::pin(async { panic!("on purpose") })
        }
        let store = database.store().await;
        let write = tokio::spawn({
            let store = store.clone();
            async move { store.write(panics).await }
        });
        match write.await {
            Ok(result) => assert_eq!(internal(result), "a storage closure panicked: on purpose"),
            Err(error) => assert!(error.is_panic()),
        }
        for scan in [false, true] {
            let store = store.clone();
            let read = tokio::spawn(async move {
                if scan { store.scan(panics_early).await } else { store.read(panics_early).await }
            });
            assert!(read.await.unwrap_err().is_panic());
        }
        store.batch(vec![counter("b", 1)]).await.unwrap();
        assert_eq!(count(&store).await, 1);
    }

    async fn a_closed_store_refuses_work(database) {
        let store = database.store().await;
        store.batch(vec![counter("a", 1)]).await.unwrap();
        store.ping().await.unwrap();
        store.clone().close().await;
        let error = store.batch(vec![counter("b", 1)]).await.unwrap_err();
        assert!(matches!(error, StorageError::Unavailable(_)), "{error:?}");
        assert!(store.ping().await.is_err());
        let store: Store = database.open().await;
        assert_eq!(count(&store).await, 1);
    }
}
