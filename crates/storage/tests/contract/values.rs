//! Values and rows: what goes in comes out, on both engines.

use latchkey_storage::engine::{Value, ValueRef, args, record, sql, stmt, text_value};

use crate::on_each_engine;
use crate::support::{counter, internal};

/// A type of another crate would be named here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Colour(char);

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::str::FromStr for Colour {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut chars = text.chars();
        chars.next().filter(|_| chars.next().is_none()).map(Colour).ok_or(())
    }
}

text_value!(Colour);

record! {
    /// One of each kind.
    #[derive(PartialEq)]
    struct CounterRow {
        name: Colour,
        value: i64,
        label: Option<String>,
        is_main: bool,
        extra: Option<Vec<u8>>,
    }
}

const INSERT: &str = "INSERT INTO counters (name, value, label, is_main, extra) VALUES ($1, $2, $3, $4, $5)";
const LIST: &str = sql!["SELECT ", CounterRow::COLUMNS, " FROM counters ORDER BY name"];

on_each_engine! {
    async fn every_kind_of_value_comes_back(database) {
        let store = database.store().await;
        let rows = [
            CounterRow { name: Colour('a'), value: i64::MAX, label: None, is_main: true, extra: None },
            CounterRow {
                name: Colour('ß'),
                value: 0,
                label: Some("käse 🧀 \u{1} '\"".to_owned()),
                is_main: false,
                extra: Some(vec![0, 1, 255]),
            },
        ];
        for row in &rows {
            let args = args![row.name, row.value, row.label, row.is_main, row.extra];
            store.batch(vec![stmt(INSERT, args).exactly(1)]).await.unwrap();
        }
        let read: Vec<CounterRow> =
            store.read(|tx| Box::pin(async move { tx.query(LIST, args![]).await })).await.unwrap();
        assert_eq!(read, rows);
        // The same through the rows that a batch keeps.
        let kept = store.batch(vec![stmt(LIST, args![])]).await.unwrap();
        assert_eq!(kept[0].read::<CounterRow>().unwrap(), rows);
    }

    async fn placeholders_may_repeat_and_stand_in_any_order(database) {
        let store = database.store().await;
        store.batch(vec![counter("a", 5)]).await.unwrap();
        let found = store.lookup(|tx| {
            Box::pin(async move {
                let text = "SELECT name FROM counters WHERE value > $2 AND name = $1 AND value > $2 AND value < $3";
                tx.query_opt::<(String,)>(text, args!["a", 4, 6]).await
            })
        });
        assert_eq!(found.await.unwrap(), Some(("a".to_owned(),)));
    }

    async fn text_is_ordered_bytewise(database) {
        let store = database.store().await;
        store.batch(["b", "A", "ä", "a", "_"].map(|name| counter(name, 1)).to_vec()).await.unwrap();
        let names = store.read(|tx| {
            Box::pin(async move { tx.query::<(String,)>("SELECT name FROM counters ORDER BY name", args![]).await })
        });
        let names: Vec<_> = names.await.unwrap().into_iter().map(|(name,)| name).collect();
        assert_eq!(names, ["A", "_", "a", "b", "ä"]);
    }

    async fn drift_between_text_and_record_is_an_error(database) {
        let store = database.store().await;
        store.batch(vec![counter("ab", 5)]).await.unwrap();
        let one = |text: &'static str| {
            let store = store.clone();
            async move { store.lookup(move |tx| Box::pin(tx.query_opt::<(i64,)>(text, args![]))).await }
        };
        assert_eq!(internal(one("SELECT name FROM counters").await), "column 0: expected an integer, found text");
        assert_eq!(internal(one("SELECT value, name FROM counters").await), "column 1: nobody reads this column");
        let two = store.lookup(|tx| {
            Box::pin(tx.query::<(i64, i64)>("SELECT value FROM counters", args![]))
        });
        assert_eq!(internal(two.await), "column 1: the row ends before it");
        let unread = store.lookup(|tx| Box::pin(tx.query::<(Colour,)>("SELECT name FROM counters", args![])));
        assert_eq!(internal(unread.await), "column 0: the text is no Colour");
    }
}

#[test]
fn debug_output_shows_no_content() {
    let values = args!["secret", Some(7), None::<i64>, true, b"key".to_vec()];
    assert_eq!(format!("{values:?}"), "[Text(6 bytes), Int, Null, Bool, Bytes(3)]");
    assert!(matches!(values[1].borrowed(), ValueRef::Int(7)));
    assert_eq!(values[0], Value::Text("secret".to_owned()));
}
