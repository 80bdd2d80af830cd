//! The files of the npm package, and which of their elements are R4. The package's profiles carry elements that its
//! publisher added or took from later versions (`Meta.project`, `Binary.url`, R5's `EvidenceVariable.characteristic`).
//! Its `dataelements.json` is the unaltered R4 4.0.1 file with one definition per element, so it decides.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::json::{items, text};

/// FHIR ids end at 64 characters, and so do those of the data elements; of longer ones that are equal so far, one is left.
const LONGEST_ID: usize = 64;

/// What the package holds.
pub(crate) struct Published {
    /// Structure definitions of types and resources, in order.
    pub(crate) types: Vec<Value>,
    /// Structure definitions of extensions.
    pub(crate) extensions: Vec<Value>,
    /// Code systems and value sets.
    pub(crate) terms: Vec<Value>,
    elements: BTreeMap<String, Value>,
    order: Vec<String>,
    told_twice: HashSet<String>,
    cut_ids: HashSet<String>,
}

impl Published {
    /// Reads the package's R4 folder.
    pub(crate) fn read(package: &Path) -> Result<Self> {
        let folder = package.join("dist/fhir/r4");
        let read = |names: &[&str]| -> Result<Vec<Value>> {
            names.iter().try_fold(Vec::new(), |mut all, name| {
                all.extend(resources(&folder.join(name))?);
                Ok(all)
            })
        };
        let definitions = read(&["dataelements.json"])?;
        let ids = definitions.iter().map(|definition| text(definition, "id"));
        let cut_ids = ids.filter(|id| id.len() == LONGEST_ID).map(str::to_owned).collect();
        let (elements, order, told_twice) = data_elements(definitions);
        Ok(Self {
            types: read(&["profiles-types.json", "profiles-resources.json"])?
                .into_iter()
                .filter(is_r4_type)
                .collect(),
            extensions: read(&["extension-definitions.json"])?
                .into_iter()
                .filter(is_r4)
                .collect(),
            terms: read(&["valuesets.json", "v2-tables.json", "v3-codesystems.json"])?,
            elements,
            order,
            told_twice,
            cut_ids,
        })
    }

    /// The elements of a structure definition's snapshot as R4 has them, root first.
    pub(crate) fn elements<'a>(&'a self, definition: &'a Value) -> Vec<&'a Value> {
        let snapshot = definition
            .get("snapshot")
            .map_or(&[][..], |snapshot| items(snapshot, "element"));
        let leaves: Vec<(&str, bool)> = snapshot
            .iter()
            .filter(|element| part(element) == Part::Leaf)
            .map(|element| (text(element, "path"), self.is_leaf_of_r4(element)))
            .collect();
        let mut kept = HashSet::new();
        let mut elements = Vec::new();
        for element in snapshot {
            let path = text(element, "path");
            let holder = path.rsplit_once('.').map(|(holder, _)| holder);
            let keep = holder.is_none_or(|holder| kept.contains(holder))
                && match part(element) {
                    Part::Leaf => self.is_leaf_of_r4(element),
                    Part::Group => holder.is_none() || is_group_of_r4(path, &leaves),
                    Part::Common | Part::Reference => true,
                };
            if keep {
                kept.insert(path);
                elements.push(self.as_published(definition, element));
            }
        }
        self.restore(&mut elements);
        elements
    }

    /// A leaf is R4 when the data elements have it, when it is inherited (they list some of those and not others), or
    /// when its id, cut, is another's there.
    fn is_leaf_of_r4(&self, element: &Value) -> bool {
        let path = text(element, "path");
        let inherited = element.get("base").is_some_and(|base| text(base, "path") != path);
        let id = format!("de-{}", path.replace("[x]", "X"));
        let lost = id.get(..LONGEST_ID).is_some_and(|cut| self.cut_ids.contains(cut));
        inherited || lost || self.elements.contains_key(path)
    }

    fn as_published<'a>(&'a self, definition: &Value, element: &'a Value) -> &'a Value {
        let path = text(element, "path");
        let told = text(definition, "derivation") != "constraint" && !self.told_twice.contains(path);
        if told {
            self.elements.get(path).unwrap_or(element)
        } else {
            element
        }
    }

    /// Puts R4 elements that the profiles lost behind those they follow in the data elements.
    fn restore<'a>(&'a self, elements: &mut Vec<&'a Value>) {
        let Some(root) = elements.first().map(|root| format!("{}.", text(root, "path"))) else {
            return;
        };
        let mut before = None;
        for path in self.order.iter().filter(|path| path.starts_with(&root)) {
            match elements.iter().position(|element| text(element, "path") == path) {
                Some(at) => before = Some(at),
                None => {
                    if let (Some(at), Some(element)) = (before, self.elements.get(path)) {
                        elements.insert(at + 1, element);
                        before = Some(at + 1);
                    }
                }
            }
        }
    }
}

/// What an element of a snapshot is to the question whether it is R4.
#[derive(PartialEq, Eq)]
enum Part {
    /// Has a type of its own.
    Leaf,
    /// Holds elements.
    Group,
    /// Holds the elements of another.
    Reference,
    /// Stands in every group.
    Common,
}

fn part(element: &Value) -> Part {
    let path = text(element, "path");
    let kind = items(element, "type").first().map_or("", |kind| text(kind, "code"));
    match path.rsplit('.').next().unwrap_or("") {
        "id" | "extension" | "modifierExtension" if path.contains('.') => Part::Common,
        _ if element.get("contentReference").is_some() => Part::Reference,
        _ if !path.contains('.') || matches!(kind, "BackboneElement" | "Element") => Part::Group,
        _ => Part::Leaf,
    }
}

/// A group is R4 when one of its leaves is, or when it has none and so only refers to others.
fn is_group_of_r4(group: &str, leaves: &[(&str, bool)]) -> bool {
    let mut within = leaves
        .iter()
        .filter(|(path, _)| path.strip_prefix(group).is_some_and(|rest| rest.starts_with('.')));
    within.clone().any(|(_, r4)| *r4) || within.next().is_none()
}

fn is_r4(definition: &Value) -> bool {
    text(definition, "fhirVersion") == "4.0.1"
}

fn is_r4_type(definition: &Value) -> bool {
    text(definition, "resourceType") == "StructureDefinition"
        && text(definition, "kind") != "logical"
        && is_r4(definition)
}

/// The data elements by path, their paths in order, and those told more than once: `Quantity` and its two profiles
/// stand under the same paths, so these say nothing for `Quantity`.
fn data_elements(definitions: Vec<Value>) -> (BTreeMap<String, Value>, Vec<String>, HashSet<String>) {
    let (mut elements, mut order, mut told_twice) = (BTreeMap::new(), Vec::new(), HashSet::new());
    for definition in definitions {
        let first = definition
            .get("snapshot")
            .and_then(|snapshot| items(snapshot, "element").first())
            .cloned();
        let Some(element) = first else { continue };
        let path = text(&element, "path").to_owned();
        order.push(path.clone());
        if elements.insert(path.clone(), element).is_some() {
            order.pop();
            told_twice.insert(path);
        }
    }
    (elements, order, told_twice)
}

fn resources(file: &Path) -> Result<Vec<Value>> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    let mut bundle: Value = serde_json::from_slice(&bytes).with_context(|| file.display().to_string())?;
    let entries = bundle
        .get_mut("entry")
        .and_then(Value::as_array_mut)
        .map(std::mem::take)
        .unwrap_or_default();
    Ok(entries
        .into_iter()
        .filter_map(|mut entry| entry.get_mut("resource").map(Value::take))
        .collect())
}
