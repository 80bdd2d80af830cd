//! Overrides by environment: `CAUSEWAY__LIMITS__MESSAGES=100` sets `limits.messages`. Names are compared without regard
//! to case, and `_` stands for `-` inside a name. The value is read as TOML when it is TOML, else as text.

use toml::{Table, Value};

const PREFIX: &str = "CAUSEWAY__";

/// Applies the overrides among `variables` to a table.
pub(super) fn apply(table: &mut Table, variables: impl Iterator<Item = (String, String)>) {
    for (name, value) in variables {
        let Some(path) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let keys: Vec<String> = path
            .split("__")
            .map(|key| key.to_ascii_lowercase().replace('_', "-"))
            .collect();
        set(table, &keys, read(&value));
    }
}

fn read(value: &str) -> Value {
    let line = format!("value = {value}");
    let parsed = line.parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    parsed.unwrap_or_else(|| Value::String(value.to_owned()))
}

fn set(table: &mut Table, keys: &[String], value: Value) {
    match keys {
        [] => {}
        [last] => {
            table.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_reach_into_tables() {
        let mut table: Table = "[limits]\nmessages = 1\nbytes = 2".parse().unwrap();
        let variables = [
            ("CAUSEWAY__LIMITS__MESSAGES".to_owned(), "7".to_owned()),
            ("CAUSEWAY__LIMITS__DRAIN_SECONDS".to_owned(), "5".to_owned()),
            ("CAUSEWAY__DATA".to_owned(), "/var/lib/x".to_owned()),
            ("HOME".to_owned(), "/root".to_owned()),
        ];
        apply(&mut table, variables.into_iter());
        let expected: Table = "data = '/var/lib/x'\n[limits]\nmessages = 7\nbytes = 2\ndrain-seconds = 5"
            .parse()
            .unwrap();
        assert_eq!(table, expected);
    }
}
