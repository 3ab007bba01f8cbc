//! Guarded statements: all or none, in order, with errors that name the statement or the index.

use latchkey_storage::engine::{Row, StorageError, Value, args, stmt};

use crate::on_each_engine;
use crate::support::{count, counter, is_postgres, value};

const ADD: &str = "UPDATE counters SET value = value + 1 WHERE name = $1";
const ADD_TO_ALL: &str = "UPDATE counters SET value = value + 1";

on_each_engine! {
    async fn a_batch_runs_in_order_and_reports_each_statement(database) {
        let store = database.store().await;
        let mut stmts: Vec<_> = (0..40).map(|i| counter(&format!("c{i}"), i).exactly(1)).collect();
        stmts.push(stmt("UPDATE counters SET value = value + 100 WHERE value >= $1 RETURNING name", args![38]));
        stmts.push(stmt("SELECT value FROM counters WHERE name = $1", args!["c39"]).exactly(1));
        let outcomes = store.batch(stmts).await.unwrap();
        assert_eq!(outcomes.len(), 42);
        assert!(outcomes[..40].iter().all(|outcome| outcome.affected == 1 && outcome.rows.is_empty()));
        assert_eq!(outcomes[40].affected, 2);
        let mut names: Vec<(String,)> = outcomes[40].read().unwrap();
        names.sort();
        assert_eq!(names, [("c38".to_owned(),), ("c39".to_owned(),)]);
        assert_eq!(outcomes[41].rows, [Row(vec![Value::Int(139)])]);
        assert_eq!(outcomes[41].first::<(i64,)>().unwrap(), Some((139,)));
    }

    async fn an_empty_batch_does_nothing(database) {
        assert!(database.store().await.batch(vec![]).await.unwrap().is_empty());
    }

    async fn a_broken_guard_undoes_the_whole_batch(database) {
        let store = database.store().await;
        store.batch(vec![counter("a", 1)]).await.unwrap();
        let stmts = vec![stmt(ADD, args!["a"]).exactly(1), stmt(ADD, args!["b"]).exactly(1), counter("c", 1)];
        let error = store.batch(stmts).await.unwrap_err();
        assert_eq!(error, StorageError::Guard { statement: 1, affected: 0 });
        assert_eq!((value(&store, "a").await, count(&store).await), (1, 1));
    }

    async fn a_guard_of_a_lone_statement_undoes_it_if_it_did_too_much(database) {
        let store = database.store().await;
        store.batch(vec![counter("a", 1), counter("b", 5)]).await.unwrap();
        let error = store.batch(vec![stmt(ADD_TO_ALL, args![]).exactly(1)]).await.unwrap_err();
        assert_eq!(error, StorageError::Guard { statement: 0, affected: 2 });
        assert_eq!(value(&store, "a").await, 1);
        let error = store.batch(vec![stmt(ADD_TO_ALL, args![]).at_least(3)]).await.unwrap_err();
        assert_eq!(error, StorageError::Guard { statement: 0, affected: 2 });
        assert_eq!(value(&store, "a").await, 1);
        let error = store.batch(vec![stmt(ADD, args!["z"]).at_least(1)]).await.unwrap_err();
        assert_eq!(error, StorageError::Guard { statement: 0, affected: 0 });
        store.batch(vec![stmt(ADD_TO_ALL, args![]).at_least(2)]).await.unwrap();
        store.batch(vec![stmt(ADD_TO_ALL, args![]).exactly(2).any()]).await.unwrap();
        assert_eq!(value(&store, "a").await, 3);
    }

    async fn a_failing_statement_undoes_the_whole_batch_and_is_the_error(database) {
        let store = database.store().await;
        // Without guards, which on PostgreSQL means that COMMIT is already on its way.
        let error = store.batch(vec![counter("a", 1), counter("a", 2), counter("b", 3)]).await.unwrap_err();
        assert_eq!(error, StorageError::Unique { index: "counters_pkey".to_owned() });
        assert_eq!(count(&store).await, 0);
        store.batch(vec![counter("a", 1), counter("b", 3)]).await.unwrap();
        assert_eq!(count(&store).await, 2);
    }

    async fn violated_indexes_are_named(database) {
        let store = database.store().await;
        let insert = |name: &str, value: i64, label: Option<&str>, is_main: bool| {
            let text = "INSERT INTO counters (name, value, label, is_main) VALUES ($1, $2, $3, $4)";
            store.batch(vec![stmt(text, args![name, value, label, is_main])])
        };
        insert("a", 10, Some("Label"), true).await.unwrap();
        insert("c", 1, Some("Label"), false).await.unwrap();
        for (index, attempt) in [
            ("counters_pkey", insert("a", 2, None, false).await),
            ("counters_value_label_key", insert("b", 1, Some("Label"), false).await),
            ("counters_is_main_key", insert("b", 2, None, true).await),
            ("counters_label_lower_key", insert("b", 11, Some("LABEL"), false).await),
        ] {
            assert_eq!(attempt.unwrap_err(), StorageError::Unique { index: index.to_owned() });
        }
        let owner = || stmt("INSERT INTO owners (id, is_active) VALUES ($1, $2)", args![1, true]);
        store.batch(vec![owner()]).await.unwrap();
        let error = store.batch(vec![owner()]).await.unwrap_err();
        assert_eq!(error, StorageError::Unique { index: "owners_pkey".to_owned() });
        insert("b", 1, Some("another"), false).await.unwrap();
    }

    async fn other_constraints_have_their_own_errors(database) {
        let store = database.store().await;
        let dangling = stmt("INSERT INTO counters (name, value, owner_id) VALUES ($1, $2, $3)", args!["a", 1, 7]);
        assert_eq!(store.batch(vec![dangling]).await.unwrap_err(), StorageError::ForeignKey);
        let negative = store.batch(vec![counter("a", -1)]).await.unwrap_err();
        assert!(matches!(negative, StorageError::Integrity(_)), "{negative:?}");
        let missing = stmt("INSERT INTO counters (name, value) VALUES ($1, $2)", args!["a", None::<i64>]);
        let missing = store.batch(vec![missing]).await.unwrap_err();
        assert!(matches!(missing, StorageError::Integrity(_)), "{missing:?}");
        let cut = store.batch(vec![counter("a\0b", 1)]).await.unwrap_err();
        assert!(matches!(cut, StorageError::Integrity(_)), "{cut:?}");
        let wrong = store.batch(vec![stmt("UPDATE nowhere SET x = $1", args![1])]).await.unwrap_err();
        assert!(matches!(wrong, StorageError::Internal(_)), "{wrong:?}");
        let few = store.batch(vec![stmt(ADD, args![])]).await.unwrap_err();
        assert!(matches!(few, StorageError::Internal(_)), "{few:?}");
        assert_eq!(count(&store).await, 0);
    }

    async fn one_failing_member_of_a_group_harms_no_neighbour(database) {
        let store = database.store().await;
        let tasks: Vec<_> = (0..64)
            .map(|i| {
                let store = store.clone();
                // Every fourth one fails after its first statement.
                let second = counter(&format!("c{i}-2"), if i % 4 == 0 { -1 } else { 2 * i + 1 });
                let stmts = vec![counter(&format!("c{i}"), 2 * i).exactly(1), second];
                tokio::spawn(async move { store.batch(stmts).await.is_ok() })
            })
            .collect();
        let mut succeeded = 0;
        for task in tasks {
            succeeded += i64::from(task.await.unwrap());
        }
        assert_eq!(succeeded, 48);
        assert_eq!(count(&store).await, 96);
        if !is_postgres(&store) {
            let stats = store.stats();
            assert!(stats.commits < stats.writes, "{stats:?}");
        }
    }

    async fn concurrent_guarded_increments_are_all_counted(database) {
        let store = database.store().await;
        store.batch(vec![counter("a", 0)]).await.unwrap();
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.batch(vec![stmt(ADD, args!["a"]).exactly(1)]).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(value(&store, "a").await, 64);
    }

    async fn a_conditional_update_is_won_once(database) {
        let store = database.store().await;
        store.batch(vec![counter("a", 0)]).await.unwrap();
        let claim = || stmt("UPDATE counters SET value = 1 WHERE name = $1 AND value = 0 RETURNING name", args!["a"]);
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (store, claim) = (store.clone(), claim().at_least(1));
                tokio::spawn(async move { store.batch(vec![claim]).await })
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            won += usize::from(task.await.unwrap().is_ok());
        }
        assert_eq!(won, 1);
    }
}
