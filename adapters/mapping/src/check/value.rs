//! Values against element types: constants and tables fit what they fill, their systems are known, their codes are of
//! the sets that R4 requires.

use causeway_profiles::{Strength, ValueSet, r4};

use super::Check;
use super::element::{Context, Leaf};
use super::holder::Holder;
use crate::syntax::{Bad, Base, Constant, Literal, ParamValue, Span};
use crate::systems;
use crate::table::{Entry, To};

/// Text-like primitives: a text may stand in each.
const TEXTS: [&str; 9] = [
    "string",
    "code",
    "uri",
    "url",
    "canonical",
    "id",
    "oid",
    "uuid",
    "markdown",
];

/// Whether what makes a type may fill an element.
pub(super) fn fits(made: &str, holder: &Holder<'_>) -> bool {
    let wanted = holder.type_name();
    match made {
        _ if made == wanted => true,
        "string" | "code" | "uri" | "url" | "id" | "markdown" | "canonical" => TEXTS.contains(&wanted),
        "date" | "instant" => wanted == "dateTime",
        "integer" => wanted == "decimal",
        "unsignedInt" => matches!(wanted, "integer" | "decimal"),
        "positiveInt" => matches!(wanted, "integer" | "unsignedInt" | "decimal"),
        _ => holder.def().is_some_and(|def| def.is_a(made)) || made == holder.name(),
    }
}

/// Whether a text may stand in an element as it is.
pub(super) fn is_plain(holder: &Holder<'_>) -> bool {
    holder.type_name() == "base64Binary" || TEXTS.contains(&holder.type_name())
}

/// How codes stand in an element.
fn is_coded(holder: &Holder<'_>) -> bool {
    matches!(holder.type_name(), "Coding" | "CodeableConcept")
}

impl Check<'_> {
    /// A table that a row names is there.
    pub(super) fn table_named(&mut self, name: &str, at: Span) {
        if !self.library.tables.contains_key(name) {
            let bad = Bad::new(at, format!("no table {name} is there"));
            self.errors
                .push(bad.nearest_of(name, self.library.tables.keys().map(String::as_str)));
        }
    }

    pub(super) fn table(&mut self, name: &str, at: Span, leaf: &Leaf<'_>) {
        self.table_named(name, at);
        let holder = &leaf.step.holder;
        self.wants(
            holder.is_primitive() || is_coded(holder),
            "a table writes a code",
            at,
            leaf,
        );
        let Some(table) = self.library.tables.get(name) else {
            return;
        };
        let bad: Vec<Bad> = table
            .entries()
            .filter_map(|entry| wrong_entry(entry, name, leaf))
            .collect();
        let places: Vec<String> = bad.iter().map(|bad| bad.span.line.to_string()).collect();
        if let Some(first) = bad.into_iter().next() {
            // Said at the row that uses the table, since the same table may serve another element.
            let more = if places.len() > 1 {
                format!(" (lines {})", places.join(", "))
            } else {
                String::new()
            };
            let text = format!("table {name}, line {}: {}{more}", first.span.line, first.text);
            self.errors.push(Bad {
                span: at,
                text,
                ..first
            });
        }
    }

    /// The table that a parameter names, where the call gives it as a constant.
    pub(super) fn table_of_param(&mut self, param: &str, at: Span, leaf: &Leaf<'_>, context: &Context<'_, '_>) {
        let given = context.params.as_ref().and_then(|params| params.get(param).copied());
        if let Some(ParamValue::Text(name)) = given {
            self.table(&name.clone(), at, leaf);
        }
    }

    pub(super) fn constant(&mut self, constant: &Constant, at: Span, leaf: &Leaf<'_>) {
        let holder = &leaf.step.holder;
        let Literal::Text(value) = &constant.value else { return };
        if let Some(system) = &constant.system {
            self.wants(is_coded(holder), "SYSTEM|CODE writes a coding", at, leaf);
            if let Literal::Text(system) = system {
                self.coding(system, value, at, leaf);
            }
            return;
        }
        self.wants(holder.is_primitive(), "a plain constant writes a plain value", at, leaf);
        if let Some(text) = wrong_plain(value, leaf) {
            self.errors.push(Bad::new(at, text));
        }
    }

    fn coding(&mut self, system: &str, code: &str, at: Span, leaf: &Leaf<'_>) {
        let Some(url) = systems::url(system) else {
            return self.errors.push(unknown_system(system, at));
        };
        if let Some(text) = wrong_coding(&url, code, leaf) {
            self.errors.push(Bad::new(at, text));
        }
    }
}

fn unknown_system(name: &str, at: Span) -> Bad {
    Bad::new(at, format!("no code system has the short name {name}")).nearest_of(name, r4().system_names())
}

/// What is wrong with a table's row for an element.
fn wrong_entry(entry: &Entry, table: &str, leaf: &Leaf<'_>) -> Option<Bad> {
    let code = match &entry.to {
        To::Code(code) => code,
        To::Same if entry.code != "*" => &entry.code,
        To::Same | To::None => return None,
    };
    let holder = &leaf.step.holder;
    let coded = is_coded(holder);
    let system = entry.system.as_str();
    let url = systems::url(system);
    if url.is_none() && !system.is_empty() {
        return Some(unknown_system(system, entry.span));
    }
    let text = match url.as_deref() {
        None if coded && !table.is_empty() => {
            Some(format!("{} wants a to-system beside the to-code", holder.type_name()))
        }
        Some(url) if coded => wrong_coding(url, code, leaf),
        _ => wrong_plain(code, leaf),
    };
    text.map(|text| Bad::new(entry.span, text))
}

/// What is wrong with a plain constant: its form, or a code that R4 does not allow there.
fn wrong_plain(value: &str, leaf: &Leaf<'_>) -> Option<String> {
    let kind = leaf.step.holder.type_name();
    let right = match kind {
        "boolean" => matches!(value, "true" | "false"),
        "integer" => value.parse::<i32>().is_ok(),
        "unsignedInt" => value.parse::<i32>().is_ok_and(|number| number >= 0),
        "positiveInt" => value.parse::<i32>().is_ok_and(|number| number > 0),
        "decimal" => value.parse::<f64>().is_ok_and(f64::is_finite),
        _ => true,
    };
    if !right {
        return Some(format!("{value} is no {kind}"));
    }
    let (set, strength) = bound(leaf)?;
    let missing = strength == Strength::Required && kind == "code" && set.contains(None, value) == Some(false);
    missing.then(|| format!("{value} is not a code that R4 allows here ({})", short(set.url())))
}

/// What is wrong with a coding: a code its system does not have, or that R4 does not allow there.
fn wrong_coding(url: &str, code: &str, leaf: &Leaf<'_>) -> Option<String> {
    let system = r4().code_system(url).filter(causeway_profiles::CodeSystem::is_complete);
    if system.is_some_and(|system| system.concept(code).is_none()) {
        return Some(format!("{} has no code {code}", short(url)));
    }
    let (set, strength) = bound(leaf)?;
    let missing = strength == Strength::Required && set.contains(Some(url), code) == Some(false);
    missing.then(|| {
        format!(
            "{}|{code} is not a code that R4 allows here ({})",
            short(url),
            short(set.url())
        )
    })
}

fn bound(leaf: &Leaf<'_>) -> Option<(ValueSet, Strength)> {
    let binding = leaf.step.binding?;
    Some((binding.value_set()?, binding.strength()))
}

fn short(url: &str) -> &str {
    let last = url.rsplit('/').next().unwrap_or(url);
    last.split('|').next().unwrap_or(last)
}

/// Whether a place is a parameter, and which.
pub(super) fn param_name(place: &crate::syntax::Place) -> Option<&str> {
    match &place.base {
        Base::Param(name) => Some(name),
        _ => None,
    }
}
