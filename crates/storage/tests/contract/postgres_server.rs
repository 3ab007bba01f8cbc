//! What is particular to PostgreSQL: connections that end, calls that are cancelled, poolers.

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use latchkey_storage::engine::{DatabaseUrl, StorageError, Store, StoreOptions, args, stmt};
use tokio::sync::oneshot;

use crate::support::{Database, count, counter, execute, internal, run, server, value};

/// One connection only, so that what one caller leaves behind is what the next one finds.
async fn narrow(configure: impl FnOnce(&mut StoreOptions)) -> Option<Database> {
    let mut database = Database::postgres().await?;
    database.options.pool_size = 1;
    configure(&mut database.options);
    Some(database)
}

/// Polls a future once.
async fn is_ready<F: Future + Unpin>(future: &mut F) -> bool {
    std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context).is_ready())).await
}

async fn probe(store: &Store, text: &'static str) -> String {
    let probe = store.lookup(move |tx| Box::pin(tx.query_one::<(Option<String>,)>(text, args![])));
    probe.await.unwrap().0.unwrap_or_default()
}

async fn backend(store: &Store) -> i64 {
    let id = store
        .lookup(|tx| Box::pin(tx.query_one::<(i64,)>("SELECT CAST(pg_backend_pid() AS BIGINT)", args![])));
    id.await.unwrap().0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_transaction_leaves_nothing_behind() {
    run(narrow(|_| ()).await, async |database| {
        let store = database.store().await;
        let connection = backend(&store).await;
        for read in [false, true] {
            let (reached, has_reached) = oneshot::channel();
            let reached = std::sync::Arc::new(std::sync::Mutex::new(Some(reached)));
            let task = tokio::spawn({
                let store = store.clone();
                async move {
                    if read {
                        let read = store.read(move |tx| {
                            Box::pin(async move {
                                tx.exists("SELECT 1 FROM counters", args![]).await?;
                                reached.lock().unwrap().take().unwrap().send(()).unwrap();
                                std::future::pending::<Result<(), StorageError>>().await
                            })
                        });
                        read.await
                    } else {
                        let write = store.write(move |tx| {
                            let reached = std::sync::Arc::clone(&reached);
                            Box::pin(async move {
                                tx.run(counter("gone", 1)).await?;
                                reached.lock().unwrap().take().unwrap().send(()).unwrap();
                                std::future::pending::<Result<(), StorageError>>().await
                            })
                        });
                        write.await
                    }
                }
            });
            has_reached.await.unwrap();
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
            // A local setting lasts as long as the transaction: here, as its one statement.
            probe(&store, "SELECT set_config('latchkey.probe', 'still open', true)").await;
            assert_eq!(probe(&store, "SELECT current_setting('latchkey.probe', true)").await, "");
            store
                .batch(vec![counter(if read { "b" } else { "a" }, i64::from(read)).exactly(1)])
                .await
                .unwrap();
        }
        assert_eq!(count(&store).await, 2);
        assert_eq!(backend(&store).await, connection, "the connection was cleaned, not thrown away");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_is_dropped_at_any_moment_leaves_a_usable_connection() {
    run(narrow(|_| ()).await, async |database| {
        let store = database.store().await;
        for polls in 0..40 {
            let stmts =
                vec![counter(&format!("x{polls}"), polls).exactly(1), stmt("SELECT 1", args![]).exactly(1)];
            let mut batch = Box::pin(store.batch(stmts));
            for _ in 0..polls {
                if is_ready(&mut batch).await {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(batch);
            store.batch(vec![counter(&format!("y{polls}"), polls).exactly(1)]).await.unwrap();
        }
        let kept = store.lookup(|tx| {
            Box::pin(tx.query_one::<(i64,)>("SELECT count(*) FROM counters WHERE name LIKE 'y%'", args![]))
        });
        assert_eq!(kept.await.unwrap(), (40,));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_the_server_ended_is_replaced() {
    run(narrow(|_| ()).await, async |database| {
        let store = database.store().await;
        for round in 0..3 {
            let ended = backend(&store).await;
            execute(&format!("SELECT pg_terminate_backend({ended})")).await;
            // Reads and writes both recover, whether the pool has noticed or not.
            if round == 1 {
                store.batch(vec![counter("a", 1).exactly(1)]).await.unwrap();
            } else if round == 2 {
                let write = store.write(|tx| Box::pin(tx.run(counter("b", 2).exactly(1))));
                write.await.unwrap();
            }
            assert_eq!(count(&store).await, round);
            assert_ne!(backend(&store).await, ended);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_statement_is_busy_and_so_is_a_full_pool() {
    let quick = |options: &mut StoreOptions| {
        options.statement_timeout = Duration::from_millis(250);
        options.connect_timeout = Duration::from_secs(1);
    };
    for behind_pooler in [false, true] {
        let configured = narrow(|options| {
            quick(options);
            options.behind_pooler = behind_pooler;
        });
        run(configured.await, async |database| {
            let store = database.store().await;
            let slow = store.read(|tx| Box::pin(tx.exists("SELECT 1 FROM pg_sleep(60)", args![])));
            assert_eq!(slow.await.unwrap_err(), StorageError::Busy);
            let other = store.clone();
            let full = store.write(move |tx| {
                let other = other.clone();
                Box::pin(async move {
                    tx.run(counter("a", 1)).await?;
                    other.batch(vec![counter("b", 1)]).await
                })
            });
            assert_eq!(full.await.unwrap_err(), StorageError::Busy);
            assert_eq!(count(&store).await, 0);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stays_on_a_connection_behind_a_pooler() {
    run(narrow(|options| options.behind_pooler = true).await, async |database| {
        let store = database.store().await;
        store.batch(vec![counter("a", 1), counter("b", 2).exactly(1)]).await.unwrap();
        store
            .batch(vec![stmt("UPDATE counters SET label = $1 WHERE value = $2", args![None::<String>, 2])])
            .await
            .unwrap();
        let write = store.write(|tx| {
            Box::pin(tx.run(
                stmt("UPDATE counters SET value = value + $2 WHERE name = $1", args!["a", 6]).exactly(1),
            ))
        });
        write.await.unwrap();
        assert_eq!(value(&store, "a").await, 7);
        let left = store.lookup(|tx| {
            Box::pin(tx.query_one::<(i64, String)>(
                "SELECT (SELECT count(*) FROM pg_prepared_statements), current_setting('statement_timeout')",
                args![],
            ))
        });
        assert_eq!(left.await.unwrap(), (0, "0".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn sums_that_become_numeric_are_explained() {
    run(narrow(|_| ()).await, async |database| {
        let store = database.store().await;
        let sum = store.lookup(|tx| {
            Box::pin(tx.query_one::<(Option<i64>,)>(
                "SELECT sum(value) + 0 FROM (SELECT 1.5 AS value) AS x",
                args![],
            ))
        });
        assert!(internal(sum.await).contains("CAST"));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    for url in ["postgres://127.0.0.1:1/x", "postgres://127.0.0.1:1/x?sslmode=nonsense"] {
        let options = StoreOptions::new(DatabaseUrl::Postgres(url.to_owned()));
        let error = Store::open(&options).await.err().unwrap();
        assert!(matches!(error, StorageError::Unavailable(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_or_database_is_said() {
    let Some(url) = server() else { return };
    let url = format!("{}/no_such_database", url.rsplit_once('/').unwrap().0);
    let error = Store::open(&StoreOptions::new(DatabaseUrl::Postgres(url))).await.err().unwrap();
    assert!(error.to_string().contains("no_such_database"), "{error}");
}

#[tokio::test]
async fn connections_are_encrypted_if_the_server_can_and_checked_if_asked() {
    let Some(url) = server() else { return };
    let base = url.split('?').next().unwrap();
    let is_encrypted = async |parameters: &str| {
        let options = StoreOptions::new(DatabaseUrl::Postgres(format!("{base}{parameters}")));
        let store = Store::open(&options).await?;
        let text = "SELECT ssl, current_setting('ssl') = 'on' FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        store.lookup(move |tx| Box::pin(tx.query_one::<(bool, bool)>(text, args![]))).await
    };
    assert!(!is_encrypted("?sslmode=disable").await.unwrap().0);
    let (encrypted, able) = is_encrypted("").await.unwrap();
    assert_eq!(encrypted, able);
    // No public authority vouches for a server in a test.
    for mode in ["?sslmode=require", "?sslmode=verify-full"] {
        let error = is_encrypted(mode).await.unwrap_err();
        assert!(matches!(error, StorageError::Unavailable(_)), "{error:?}");
        assert!(!able || error.to_string().contains("certificate"), "{error}");
    }
}
