//! smoke
use latchkey_storage::engine::*;

#[tokio::test]
async fn smoke() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let store = Store::open(&StoreOptions::new(DatabaseUrl::Sqlite(path))).await.unwrap();
    assert_eq!(store.migrate(latchkey_storage::MIGRATIONS, 5).await.unwrap(), ["0002_jobs"]);
    assert!(store.migrate(latchkey_storage::MIGRATIONS, 5).await.unwrap().is_empty());
    let s = || latchkey_storage::jobs::insert_stmt("a", None, "mail", b"x", 1, 1);
    let e = store.batch(vec![s(), s()]).await.unwrap_err();
    assert_eq!(e, StorageError::Unique { index: "jobs_pkey".into() });
    store.batch(vec![s()]).await.unwrap();
    let out = store.batch(vec![latchkey_storage::jobs::claim("mail", 2, 10, 5)]).await.unwrap();
    assert_eq!(out[0].read::<latchkey_storage::jobs::JobRow>().unwrap()[0].attempts, 1);
    let n = store
        .read::<_, StorageError, _>(|tx| {
            Box::pin(async move { latchkey_storage::jobs::next_due_at(tx, "mail").await })
        })
        .await
        .unwrap();
    assert_eq!(n, Some(10));
    let n: i64 = store
        .write::<_, StorageError, _>(|tx| {
            Box::pin(async move {
                let n: (i64,) = tx.query_one("SELECT count(*) FROM jobs", args![]).await?;
                Ok(n.0)
            })
        })
        .await
        .unwrap();
    assert_eq!(n, 1);
    assert!(store.check_integrity().await.unwrap().is_empty());
    store.close().await;
}
