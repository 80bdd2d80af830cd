//! Writes value sets (`V` and `P` lines) and code systems (`S` and `C` lines). A value set's include becomes one part: a
//! whole system, a list of its codes, or a part whose codes the package cannot tell (SNOMED CT, LOINC, RFC tables).
//! Lists of SNOMED CT and LOINC codes are left out: they belong to their owners, and nothing of R4 requires them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use serde_json::Value;

use super::json::{items, text, unversioned};

const FOREIGN: [&str; 2] = ["http://snomed.info/sct", "http://loinc.org"];

/// A code of a system: how deep it stands in the hierarchy, the code, its display.
pub(crate) struct Concept<'a> {
    depth: usize,
    code: &'a str,
    display: &'a str,
    /// Further children, for a code that stands under several.
    children: Vec<&'a str>,
}

/// A code system of the package.
pub(crate) struct System<'a> {
    content: &'a str,
    /// Whether upper and lower case differ; the v2 tables do not say so.
    case: bool,
    concepts: Vec<Concept<'a>>,
}

/// The package's code systems by address.
pub(crate) type Systems<'a> = BTreeMap<&'a str, System<'a>>;

/// Collects the code systems. Of one published in several versions (`v2-0360|2.7`) the last is taken.
pub(crate) fn systems(terms: &[Value]) -> Systems<'_> {
    let mut versions: Vec<&Value> = terms
        .iter()
        .filter(|term| text(term, "resourceType") == "CodeSystem")
        .collect();
    versions.sort_by_key(|system| text(system, "url"));
    versions
        .into_iter()
        .filter(|system| text(system, "content") != "supplement")
        .map(system)
        .collect()
}

fn system(resource: &Value) -> (&str, System<'_>) {
    let mut concepts = Vec::new();
    collect(items(resource, "concept"), 0, &mut concepts);
    let content = text(resource, "content");
    let case = resource.get("caseSensitive").and_then(Value::as_bool).unwrap_or(false);
    (
        unversioned(text(resource, "url")),
        System {
            content,
            case,
            concepts,
        },
    )
}

fn collect<'a>(from: &'a [Value], depth: usize, into: &mut Vec<Concept<'a>>) {
    for concept in from {
        let properties = items(concept, "property").iter();
        let children = properties
            .filter(|one| text(one, "code") == "child")
            .map(|one| text(one, "valueCode"))
            .collect();
        into.push(Concept {
            depth,
            code: text(concept, "code"),
            display: text(concept, "display"),
            children,
        });
        collect(items(concept, "concept"), depth + 1, into);
    }
}

/// Writes the code systems: `S url content case`, then `C depth code display`, the display only where it says more.
pub(crate) fn write_systems(systems: &Systems<'_>, out: &mut String) -> fmt::Result {
    for (url, system) in systems.iter().filter(|(_, system)| !system.concepts.is_empty()) {
        let case = if system.case { "" } else { "i" };
        writeln!(out, "S\t{url}\t{}\t{case}", system.content)?;
        for concept in &system.concepts {
            let display = if concept.display == concept.code {
                ""
            } else {
                concept.display
            };
            writeln!(out, "C\t{}\t{}\t{}", concept.depth, concept.code, one_line(display))?;
        }
    }
    Ok(())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a part of a value set holds.
enum Part<'a> {
    Whole,
    Codes(BTreeSet<&'a str>),
    Unknown,
}

/// Writes the value sets: `V url`, then one `P` line a part.
pub(crate) fn write_value_sets(terms: &[Value], systems: &Systems<'_>, out: &mut String) -> fmt::Result {
    let sets: BTreeMap<&str, &Value> = terms
        .iter()
        .filter(|term| text(term, "resourceType") == "ValueSet")
        .map(|set| (unversioned(text(set, "url")), set))
        .collect();
    for (url, set) in &sets {
        writeln!(out, "V\t{url}")?;
        for (system, part) in parts(set, &sets, systems, 0) {
            let content = match part {
                Part::Whole => "*".to_owned(),
                Part::Unknown => "?".to_owned(),
                Part::Codes(codes) => format!("=\t{}", codes.into_iter().collect::<Vec<_>>().join("\t")),
            };
            writeln!(out, "P\t{system}\t{content}")?;
        }
    }
    Ok(())
}

type Sets<'a> = BTreeMap<&'a str, &'a Value>;

fn parts<'a>(set: &'a Value, sets: &Sets<'a>, systems: &Systems<'a>, depth: usize) -> Vec<(&'a str, Part<'a>)> {
    let Some(compose) = set.get("compose") else {
        return vec![("", Part::Unknown)];
    };
    let includes = items(compose, "include");
    let mut parts: Vec<_> = includes
        .iter()
        .flat_map(|one| include(one, sets, systems, depth))
        .collect();
    for exclude in items(compose, "exclude") {
        let out = include(exclude, sets, systems, depth);
        parts = parts
            .into_iter()
            .map(|(system, part)| (system, without(system, part, &out, systems)))
            .collect();
    }
    parts
}

fn include<'a>(one: &'a Value, sets: &Sets<'a>, systems: &Systems<'a>, depth: usize) -> Vec<(&'a str, Part<'a>)> {
    let system = unversioned(text(one, "system"));
    let named = items(one, "valueSet");
    match (system.is_empty(), named) {
        (false, []) if system.contains(':') => vec![(system, part(system, one, systems))],
        // The package never nests deeper than three; a cycle would end here as unknown.
        (true, named) if depth < 8 => named
            .iter()
            .filter_map(Value::as_str)
            .flat_map(|url| {
                sets.get(unversioned(url))
                    .map_or(vec![("", Part::Unknown)], |set| parts(set, sets, systems, depth + 1))
            })
            .collect(),
        _ => vec![(system, Part::Unknown)],
    }
}

fn part<'a>(url: &str, include: &'a Value, systems: &Systems<'a>) -> Part<'a> {
    let (listed, filters) = (items(include, "concept"), items(include, "filter"));
    if FOREIGN.contains(&url) {
        return Part::Unknown;
    }
    if !listed.is_empty() {
        return Part::Codes(listed.iter().map(|concept| text(concept, "code")).collect());
    }
    let Some(system) = systems.get(url).filter(|system| !system.concepts.is_empty()) else {
        return Part::Unknown;
    };
    match filters {
        [] => Part::Whole,
        [filter] => filtered(system, filter).map_or(Part::Unknown, Part::Codes),
        _ => Part::Unknown,
    }
}

fn filtered<'a>(system: &System<'a>, filter: &Value) -> Option<BTreeSet<&'a str>> {
    let (operation, value) = (text(filter, "op"), text(filter, "value"));
    let below = (text(filter, "property") == "concept").then(|| subsumed(system, value))?;
    let all = || system.concepts.iter().map(|concept| concept.code);
    match operation {
        "is-a" => Some(all().filter(|code| *code == value).chain(below).collect()),
        "descendent-of" => Some(below),
        "is-not-a" => Some(all().filter(|code| *code != value && !below.contains(code)).collect()),
        _ => None,
    }
}

/// All codes below a code, by nesting and by the further children that v3 tables name.
fn subsumed<'a>(system: &System<'a>, root: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = vec![root];
    while let Some(code) = open.pop() {
        for child in children(system, code) {
            if found.insert(child) {
                open.push(child);
            }
        }
    }
    found
}

fn children<'a>(system: &System<'a>, code: &str) -> Vec<&'a str> {
    let Some(at) = system.concepts.iter().position(|concept| concept.code == code) else {
        return Vec::new();
    };
    let (before, behind) = (system.concepts.get(at), system.concepts.get(at + 1..).unwrap_or(&[]));
    let depth = before.map_or(0, |concept| concept.depth);
    let nested = behind
        .iter()
        .take_while(|concept| concept.depth > depth)
        .filter(|concept| concept.depth == depth + 1);
    let further = before.into_iter().flat_map(|concept| concept.children.iter().copied());
    nested.map(|concept| concept.code).chain(further).collect()
}

fn without<'a>(system: &str, from: Part<'a>, out: &[(&str, Part<'a>)], systems: &Systems<'a>) -> Part<'a> {
    let mut codes = match from {
        Part::Unknown => return Part::Unknown,
        Part::Codes(codes) => codes,
        Part::Whole => systems
            .get(system)
            .map(|all| all.concepts.iter().map(|one| one.code).collect())
            .unwrap_or_default(),
    };
    for (_, part) in out.iter().filter(|(of, _)| *of == system) {
        match part {
            Part::Codes(listed) => codes.retain(|code| !listed.contains(code)),
            Part::Whole => codes.clear(),
            Part::Unknown => return Part::Unknown,
        }
    }
    Part::Codes(codes)
}
