//! Migrations: applied once, in order, whole; refused where program and database do not know each other.

use latchkey_storage::engine::{Migration, StorageError, args};

use crate::on_each_engine;
use crate::support::{MIGRATIONS, count};

const SECOND: Migration =
    Migration { name: "0002_more", sql: "CREATE TABLE more (id BIGINT NOT NULL PRIMARY KEY);" };

fn sentence<T: std::fmt::Debug>(result: Result<T, StorageError>) -> String {
    match result.unwrap_err() {
        StorageError::Migration(text) => text,
        other => panic!("expected a migration error, found {other:?}"),
    }
}

on_each_engine! {
    async fn migrations_are_applied_once_and_in_order(database) {
        let store = database.open().await;
        let all = [MIGRATIONS[0], SECOND];
        assert_eq!(store.pending(&all).await.unwrap(), ["0001_test", "0002_more"]);
        assert_eq!(store.migrate(MIGRATIONS, 17).await.unwrap(), ["0001_test"]);
        assert_eq!(store.pending(&all).await.unwrap(), ["0002_more"]);
        assert_eq!(store.migrate(&all, 18).await.unwrap(), ["0002_more"]);
        assert!(store.migrate(&all, 19).await.unwrap().is_empty());
        assert!(store.pending(&all).await.unwrap().is_empty());
        let applied = store.read(|tx| {
            let text = "SELECT name, applied_at FROM schema_migrations ORDER BY name";
            Box::pin(tx.query::<(String, i64)>(text, args![]))
        });
        assert_eq!(applied.await.unwrap(), [("0001_test".to_owned(), 17), ("0002_more".to_owned(), 18)]);
    }

    async fn the_migrations_of_latchkey_apply(database) {
        let store = database.open().await;
        let names: Vec<_> = latchkey_storage::MIGRATIONS.iter().map(|migration| migration.name).collect();
        assert_eq!(store.migrate(latchkey_storage::MIGRATIONS, 0).await.unwrap(), names);
        assert!(store.check_integrity().await.unwrap().is_empty());
    }

    async fn an_edited_migration_is_refused(database) {
        let store = database.store().await;
        let edited = Migration { name: "0001_test", sql: "SELECT 1" };
        let refusal = sentence(store.migrate(&[edited], 0).await);
        assert!(refusal.contains("0001_test") && refusal.contains("must not be edited"), "{refusal}");
        assert_eq!(sentence(store.pending(&[edited]).await), refusal);
    }

    async fn a_database_of_a_newer_program_is_refused(database) {
        let store = database.store().await;
        store.migrate(&[MIGRATIONS[0], SECOND], 0).await.unwrap();
        let refusal = sentence(store.migrate(MIGRATIONS, 0).await);
        assert!(refusal.contains("0002_more") && refusal.contains("does not know"), "{refusal}");
    }

    async fn a_failing_migration_leaves_nothing(database) {
        let store = database.open().await;
        let broken = Migration { name: "0002_broken", sql: "CREATE TABLE half (id BIGINT); CREATE TABEL whole;" };
        let refusal = sentence(store.migrate(&[MIGRATIONS[0], broken], 0).await);
        assert!(refusal.contains("0002_broken"), "{refusal}");
        assert_eq!(store.pending(MIGRATIONS).await.unwrap(), ["0001_test"]);
        store.migrate(MIGRATIONS, 0).await.unwrap();
        assert_eq!(count(&store).await, 0);
    }

    async fn servers_that_start_at_once_migrate_once(database) {
        let mut tasks = Vec::new();
        for _ in 0..4 {
            let store = database.open().await;
            tasks.push(tokio::spawn(async move { store.migrate(&[MIGRATIONS[0], SECOND], 0).await }));
        }
        let mut applied = 0;
        for task in tasks {
            applied += task.await.unwrap().unwrap().len();
        }
        assert_eq!(applied, 2);
    }
}
