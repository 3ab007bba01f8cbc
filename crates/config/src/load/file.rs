//! The configuration file: TOML, flattened to entries that know their line.

use std::path::Path;

use serde_json::{Map, Number, Value};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Entry, Given};
use crate::{errors::ConfigError, origin::Origin};

/// Reads the file. What cannot be read or parsed goes to `errors`; the rest is returned all the same.
pub(super) fn read(path: &Path, errors: &mut Vec<ConfigError>) -> Vec<Entry> {
    let name = path.display().to_string();
    let whole = |line: usize, message: String| ConfigError {
        origin: Origin::File { path: name.clone(), line },
        key: String::new(),
        message,
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            errors.push(whole(1, format!("cannot read the configuration file: {error}")));
            return Vec::new();
        }
    };
    let lines = Lines::of(&text);
    let (table, faults) = DeTable::parse_recoverable(&text);
    for fault in faults {
        let line = fault.span().map_or(1, |span| lines.line(span.start));
        // Only the message: the library's full text would quote the line, which may hold a secret.
        errors.push(whole(line, format!("is not valid TOML: {}", fault.message())));
    }
    let mut flattening = Flattening { name: &name, lines: &lines, entries: Vec::new() };
    flattening.table(&mut Vec::new(), table.get_ref());
    flattening.entries
}

/// Byte offsets at which lines start.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}

struct Flattening<'a> {
    name: &'a str,
    lines: &'a Lines,
    entries: Vec<Entry>,
}

impl Flattening<'_> {
    fn table(&mut self, path: &mut Vec<String>, table: &DeTable<'_>) {
        // In the order of the file, so that errors come in that order too.
        let mut keys: Vec<_> = table.iter().collect();
        keys.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in keys {
            path.push(key.get_ref().clone().into_owned());
            self.value(path, key.span().start, value);
            path.pop();
        }
    }

    fn value(&mut self, path: &mut Vec<String>, offset: usize, value: &Spanned<DeValue<'_>>) {
        let is_table = |item: &Spanned<DeValue<'_>>| item.get_ref().is_table();
        match value.get_ref() {
            DeValue::Table(table) if !table.is_empty() => self.table(path, table),
            DeValue::Array(items) if !items.is_empty() && items.iter().all(is_table) => {
                let empty = vec![Value::Object(Map::new()); items.len()];
                self.push(path, offset, Value::Array(empty));
                for (index, item) in items.iter().enumerate() {
                    path.push(index.to_string());
                    self.value(path, item.span().start, item);
                    path.pop();
                }
            }
            other => self.push(path, offset, plain(other)),
        }
    }

    fn push(&mut self, path: &[String], offset: usize, value: Value) {
        let origin = Origin::File { path: self.name.to_owned(), line: self.lines.line(offset) };
        self.entries.push(Entry { path: path.to_vec(), value: Given::Typed(value), origin });
    }
}

/// The value without its places. What JSON cannot hold (times, very large numbers) becomes its text.
pub(super) fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.clone().into_owned()),
        DeValue::Boolean(is) => Value::Bool(*is),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::String(number.as_str().to_owned()), Value::from),
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map_or_else(|| Value::String(number.as_str().to_owned()), Value::Number),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(items) => Value::Array(items.iter().map(|item| plain(item.get_ref())).collect()),
        DeValue::Table(table) => table
            .iter()
            .map(|(key, value)| (key.get_ref().clone().into_owned(), plain(value.get_ref())))
            .collect::<Map<_, _>>()
            .into(),
    }
}
