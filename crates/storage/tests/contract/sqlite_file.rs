//! What is particular to SQLite: the file, the log beside it, the writer thread.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use latchkey_storage::engine::{DatabaseUrl, StorageError, Store, StoreOptions, args, stmt};

use crate::support::{Database, count, counter, internal};

fn wal(file: &Path) -> PathBuf {
    file.with_extension("db-wal")
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

#[cfg(unix)]
#[tokio::test]
async fn new_files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let database = Database::sqlite();
    let _store = database.store().await;
    for file in [database.file().to_owned(), wal(database.file())] {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_missing_directory_is_said() {
    let options = StoreOptions::new("sqlite:/nonexistent/latchkey.db".parse().unwrap());
    let error = Store::open(&options).await.err().unwrap();
    assert!(error.to_string().contains("SQLite could not be opened"), "{error}");
}

#[tokio::test]
async fn an_acknowledged_write_is_in_the_files() {
    let database = Database::sqlite();
    let store = database.store().await;
    store.batch(vec![counter("a", 1)]).await.unwrap();
    // A crash leaves the files as they are now.
    let copy = Database::sqlite();
    std::fs::copy(wal(database.file()), wal(copy.file())).unwrap();
    std::fs::copy(database.file(), copy.file()).unwrap();
    let survivor = copy.open().await;
    assert_eq!(count(&survivor).await, 1);
    assert!(survivor.check_integrity().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_log_is_emptied_when_it_passes_its_limit_and_at_the_end() {
    let mut database = Database::sqlite();
    database.options.wal_limit_bytes = 256 * 1024;
    let store = database.store().await;
    let mut largest = 0;
    for i in 0..50 {
        let text = "INSERT INTO counters (name, value, extra) VALUES ($1, $2, $3)";
        let extra = vec![7; 32 * 1024];
        store.batch(vec![stmt(text, args![format!("c{i}"), i, extra])]).await.unwrap();
        largest = largest.max(size(&wal(database.file())));
    }
    assert!(largest < 512 * 1024, "the log grew to {largest} bytes");
    store.close().await;
    assert_eq!(size(&wal(database.file())), 0);
    assert!(size(database.file()) > 50 * 32 * 1024);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_a_file() {
    let database = Database::sqlite();
    let stores = [database.store().await, database.store().await];
    let mut tasks = Vec::new();
    for (i, store) in stores.iter().enumerate() {
        for j in 0..50 {
            let store = store.clone();
            tasks.push(tokio::spawn(async move { store.batch(vec![counter(&format!("{i}-{j}"), j)]).await }));
        }
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    for store in &stores {
        assert_eq!(count(store).await, 100);
    }
    assert!(stores[0].check_integrity().await.unwrap().is_empty());
}

#[tokio::test]
async fn closing_does_not_wait_for_another_process_that_has_the_file_open() {
    let mut database = Database::sqlite();
    let server = database.store().await;
    database.options.busy_timeout = Duration::from_hours(1);
    let command = database.open().await;
    command.batch(vec![counter("a", 1)]).await.unwrap();
    command.close().await;
    assert_eq!(count(&server).await, 1);
}

#[tokio::test]
async fn a_lock_that_another_process_keeps_is_busy() {
    let mut database = Database::sqlite();
    database.options.busy_timeout = Duration::from_millis(1);
    let store = database.store().await;
    let other = rusqlite::Connection::open(database.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.batch(vec![counter("a", 1)]).await.unwrap_err(), StorageError::Busy);
    assert_eq!(count(&store).await, 0, "reads go on");
    other.execute_batch("ROLLBACK").unwrap();
    store.batch(vec![counter("a", 1)]).await.unwrap();
}

#[tokio::test]
async fn a_closure_that_waits_for_something_else_is_refused() {
    let store = Database::sqlite();
    let store = store.store().await;
    let wrote = store.write(|tx| {
        Box::pin(async move {
            tx.run(counter("a", 1)).await?;
            tokio::task::yield_now().await;
            Ok::<_, StorageError>(())
        })
    });
    assert!(internal(wrote.await).contains("not storage"));
    let read = store.read(|_| Box::pin(std::future::pending::<Result<(), StorageError>>()));
    assert!(internal(read.await).contains("not storage"));
    let scan = store.scan(|_| Box::pin(std::future::pending::<Result<(), StorageError>>()));
    assert!(internal(scan.await).contains("not storage"));
    assert_eq!(count(&store).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_caller_has_gone_is_not_run_and_others_are() {
    let database = Database::sqlite();
    let store = database.store().await;
    // The writer is kept busy until we say so.
    let (started, has_started) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let hold = Arc::new(std::sync::Mutex::new((started, released)));
    let holding = tokio::spawn({
        let store = store.clone();
        async move {
            let write = store.write(move |_| {
                let hold = Arc::clone(&hold);
                Box::pin(async move {
                    let hold = hold.lock().unwrap();
                    hold.0.send(()).unwrap();
                    hold.1.recv().unwrap();
                    Ok::<_, StorageError>(())
                })
            });
            write.await
        }
    });
    tokio::task::spawn_blocking(move || has_started.recv().unwrap()).await.unwrap();
    let gone = tokio::spawn({
        let store = store.clone();
        async move { store.batch(vec![counter("gone", 1)]).await }
    });
    while store.stats().queued == 0 {
        tokio::task::yield_now().await;
    }
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    let stays = tokio::spawn({
        let store = store.clone();
        async move { store.batch(vec![counter("stays", 1)]).await }
    });
    while store.stats().queued < 2 {
        tokio::task::yield_now().await;
    }
    // Closing waits for what is queued.
    let closing = tokio::spawn(store.clone().close());
    release.send(()).unwrap();
    holding.await.unwrap().unwrap();
    stays.await.unwrap().unwrap();
    closing.await.unwrap();
    let store = database.open().await;
    let names = store.lookup(|tx| Box::pin(tx.query::<(String,)>("SELECT name FROM counters", args![])));
    assert_eq!(names.await.unwrap(), [("stays".to_owned(),)]);
}

#[test]
fn urls_say_which_database() {
    assert_eq!("sqlite:a/b.db".parse(), Ok(DatabaseUrl::Sqlite(PathBuf::from("a/b.db"))));
    assert_eq!("sqlite:///a/b.db".parse(), Ok(DatabaseUrl::Sqlite(PathBuf::from("/a/b.db"))));
    let postgres: DatabaseUrl = "postgres://me:secret@db:5432/latchkey?sslmode=require".parse().unwrap();
    assert_eq!(format!("{postgres} {postgres:?}"), "postgres://db:5432/latchkey postgres://db:5432/latchkey");
    assert!("mysql://x".parse::<DatabaseUrl>().is_err());
    assert!("sqlite:".parse::<DatabaseUrl>().is_err());
}
