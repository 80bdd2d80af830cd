//! Writes the standard extensions. One `X` line an extension, then one `N` line a nested one.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;

use super::elements::{binding, cardinality, types};
use super::json::{items, text};
use super::published::Published;

/// Writes every extension of the package that is R4, by name.
pub(crate) fn write(source: &Published, out: &mut String) -> Result<()> {
    let known: HashSet<&str> = source.types.iter().map(|definition| text(definition, "name")).collect();
    let mut sorted: Vec<&Value> = source.extensions.iter().collect();
    sorted.sort_by_key(|definition| text(definition, "id"));
    for definition in sorted {
        write_extension(definition, &known, out)?;
    }
    Ok(())
}

/// The elements of one extension or nested extension, by the name below it.
type Parts<'a> = BTreeMap<&'a str, &'a Value>;

fn write_extension(definition: &Value, known: &HashSet<&str>, out: &mut String) -> Result<()> {
    let snapshot = definition
        .get("snapshot")
        .map_or(&[][..], |snapshot| items(snapshot, "element"));
    let contexts: Vec<&str> = items(definition, "context")
        .iter()
        .map(|context| text(context, "expression"))
        .collect();
    let (id, url) = (text(definition, "id"), text(definition, "url"));
    let Some(root) = snapshot.first() else { return Ok(()) };
    let own = parts(snapshot, "Extension");
    writeln!(
        out,
        "X\t{id}\t{url}\t{}\t{}\t{}",
        cardinality(root),
        value(&own, known),
        contexts.join(",")
    )?;
    for element in snapshot {
        let slice = text(element, "id");
        if slice
            .rsplit('.')
            .next()
            .is_some_and(|name| name.starts_with("extension:"))
        {
            let depth = slice.matches("extension:").count();
            let below = parts(snapshot, slice);
            let name = below.get("url").map_or("", |url| text(url, "fixedUri"));
            writeln!(
                out,
                "N\t{depth}\t{name}\t{}\t{}",
                cardinality(element),
                value(&below, known)
            )?;
        }
    }
    Ok(())
}

/// The elements right below an id.
fn parts<'a>(snapshot: &'a [Value], holder: &str) -> Parts<'a> {
    let below = |element: &'a Value| {
        let name = text(element, "id").strip_prefix(holder)?.strip_prefix('.')?;
        (!name.contains(['.'])).then_some((name, element))
    };
    snapshot.iter().filter_map(below).collect()
}

/// Types, strength and value set of the value; no types when it may not have one.
fn value(parts: &Parts<'_>, known: &HashSet<&str>) -> String {
    let named = parts
        .iter()
        .find(|(name, _)| name.starts_with("value"))
        .map(|(_, element)| *element);
    let Some(element) = named.filter(|element| text(element, "max") != "0") else {
        return "\t\t".to_owned();
    };
    format!("{}\t{}", types(element, known), binding(element))
}
