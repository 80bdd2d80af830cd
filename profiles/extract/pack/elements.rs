//! Writes types and elements. One `T` line a type, then one `E` line an element.

use std::collections::HashSet;
use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;

use super::json::{items, last, text, unversioned};
use super::published::Published;

const FHIR_TYPE: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";
const DEFINITION: &str = "http://hl7.org/fhir/StructureDefinition/";

/// Writes every type and resource of R4.
pub(crate) fn write(source: &Published, out: &mut String) -> Result<()> {
    let known: HashSet<&str> = source.types.iter().map(|definition| text(definition, "name")).collect();
    for definition in &source.types {
        write_type(source, definition, &known, out)?;
    }
    Ok(())
}

fn write_type(source: &Published, definition: &Value, known: &HashSet<&str>, out: &mut String) -> Result<()> {
    let name = text(definition, "name");
    let base = last(text(definition, "baseDefinition"));
    writeln!(out, "T\t{name}\t{}\t{base}", kind(definition))?;
    for element in source.elements(definition) {
        let Some((_, below)) = text(element, "path").split_once('.') else {
            continue;
        };
        // A primitive's `value` is what JSON writes as the primitive itself.
        if below == "value" && text(definition, "kind") == "primitive-type" {
            continue;
        }
        let resource_id = below == "id" && text(definition, "kind") == "resource";
        let types = if resource_id {
            "id".to_owned()
        } else {
            types(element, known)
        };
        writeln!(
            out,
            "E\t{name}.{below}\t{}\t{types}\t{}\t{}",
            cardinality(element),
            flags(element),
            binding(element)
        )?;
    }
    Ok(())
}

fn kind(definition: &Value) -> &'static str {
    match text(definition, "kind") {
        _ if definition.get("abstract").and_then(Value::as_bool) == Some(true) => "abstract",
        "primitive-type" => "primitive",
        "resource" => "resource",
        _ => "complex",
    }
}

/// `min` and `max`, as two fields; what is not said is left empty.
pub(crate) fn cardinality(element: &Value) -> String {
    let min = element
        .get("min")
        .and_then(Value::as_u64)
        .map_or(String::new(), |min| min.to_string());
    format!("{min}\t{}", text(element, "max"))
}

/// `Reference(Patient,Group)|Quantity:SimpleQuantity|string`, or `@` and the path of the element whose content it has.
pub(crate) fn types(element: &Value, known: &HashSet<&str>) -> String {
    if let Some(path) = element.get("contentReference").and_then(Value::as_str) {
        return format!("@{}", path.trim_start_matches('#'));
    }
    items(element, "type")
        .iter()
        .map(|kind| type_text(kind, known))
        .collect::<Vec<_>>()
        .join("|")
}

fn type_text(kind: &Value, known: &HashSet<&str>) -> String {
    let told = items(kind, "extension")
        .iter()
        .find(|extension| text(extension, "url") == FHIR_TYPE);
    let code = told.map_or(text(kind, "code"), |extension| text(extension, "valueUrl"));
    let code = if text(kind, "code").ends_with("System.String") && told.is_none() {
        "string"
    } else {
        code
    };
    let local = |name| {
        items(kind, name)
            .iter()
            .filter_map(Value::as_str)
            .filter_map(|url| url.strip_prefix(DEFINITION))
    };
    let profile = local("profile")
        .find(|name| known.contains(name))
        .map_or(String::new(), |name| format!(":{name}"));
    let mut targets: Vec<&str> = local("targetProfile").filter(|name| known.contains(name)).collect();
    targets.dedup();
    let targets = if targets.is_empty() {
        String::new()
    } else {
        format!("({})", targets.join(","))
    };
    format!("{code}{profile}{targets}")
}

fn flags(element: &Value) -> String {
    let set = |name| element.get(name).and_then(Value::as_bool) == Some(true);
    let mut flags = String::new();
    for (name, letter) in [("isModifier", 'm'), ("isSummary", 's')] {
        if set(name) {
            flags.push(letter);
        }
    }
    flags
}

/// Strength and value set, as two fields.
pub(crate) fn binding(element: &Value) -> String {
    let Some(binding) = element
        .get("binding")
        .filter(|binding| binding.get("valueSet").is_some())
    else {
        return "\t".to_owned();
    };
    format!(
        "{}\t{}",
        text(binding, "strength"),
        unversioned(text(binding, "valueSet"))
    )
}
