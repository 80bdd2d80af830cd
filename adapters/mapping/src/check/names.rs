//! Which instances stand beside each other in a message, by name, and what each is. References, keys and items are
//! checked against it.

use std::collections::{BTreeMap, BTreeSet};

use causeway_profiles::r4;

use super::holder::{Holder, resolve};
use crate::syntax::{Library, Make, StructureRow};

/// How deep items lie in items: `item.detail.subDetail` is the deepest of R4.
const DEPTH: u8 = 5;

/// The named instances of the messages that a structure file is part of.
#[derive(Debug, Default)]
pub(crate) struct Names<'a> {
    /// The structure file.
    pub(crate) structure: &'a str,
    /// The rows that give a name, in the order of opening as far as files tell.
    rows: BTreeMap<&'a str, Vec<&'a StructureRow>>,
}

impl<'a> Names<'a> {
    /// The names that stand beside those of a structure file. Types stand beside everything.
    pub(crate) fn of(library: &'a Library, structure: &'a str) -> Self {
        let mut members: BTreeSet<String> = BTreeSet::new();
        for name in library.structures.keys() {
            let used = library.used(name);
            if used.contains(structure) || structure == "types" {
                members.extend(used);
            }
        }
        members.insert("types".to_owned());
        let mut rows: BTreeMap<&str, Vec<&StructureRow>> = BTreeMap::new();
        let files = members.iter().filter_map(|name| library.structures.get(name));
        for row in files.flat_map(|file| &file.rows) {
            if let Some(name) = &row.name {
                rows.entry(name).or_default().push(row);
            }
        }
        Self { structure, rows }
    }

    /// All names.
    pub(crate) fn all(&self) -> impl Iterator<Item = &'a str> {
        self.rows.keys().copied()
    }

    /// The rows of a name.
    pub(crate) fn rows(&self, name: &str) -> &[&'a StructureRow] {
        self.rows.get(name).map_or(&[], Vec::as_slice)
    }

    /// What a row makes: a resource, or the element that it makes an item of. One for each instance that may hold it.
    pub(crate) fn holders(&self, row: &StructureRow, library: &'a Library, depth: u8) -> Vec<Holder<'a>> {
        match &row.make {
            Make::Resource(name) => r4().type_named(name).map(Holder::Type).into_iter().collect(),
            Make::Item { name, element } if depth < DEPTH => {
                let outer = self
                    .rows(name)
                    .iter()
                    .flat_map(|row| self.holders(row, library, depth + 1));
                let mut inner: Vec<Holder<'a>> = outer
                    .filter_map(|outer| resolve(outer, element, &library.extensions).ok())
                    .filter_map(|steps| steps.last().map(|step| step.holder))
                    .collect();
                inner.dedup_by_key(|holder| holder.name()); // alternatives of one name fill the same element
                inner
            }
            Make::Item { .. } | Make::Use | Make::Off => Vec::new(),
        }
    }

    /// The resource types of a name; none when it names items only.
    pub(crate) fn resources(&self, name: &str) -> Vec<&'a str> {
        let kinds = self.rows(name).iter().filter_map(|row| match &row.make {
            Make::Resource(kind) => Some(kind.as_str()),
            _ => None,
        });
        kinds.collect()
    }

    /// Whether a name is that of items.
    pub(crate) fn has_items(&self, name: &str) -> bool {
        self.rows(name).iter().any(|row| matches!(row.make, Make::Item { .. }))
    }
}
