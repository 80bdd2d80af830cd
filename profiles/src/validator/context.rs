//! Where an extension stands, in the words in which definitions say where it may: an element's path from its type
//! (`HumanName.family`) or from the resource (`Patient.name.family`), a type, `Element`, `Resource`.

use causeway_core::{NodeId, Tree};

use crate::definitions::{Definitions, ElementRow, Scope, TypeRow};

/// More levels than any extension of the standard is meant for; a deeper one is not judged.
const DEEPEST: usize = 24;

/// R4 means resources too: `structuredefinition-standards-status` is told to stand in an `Element`, and stands in every
/// resource that R4 publishes.
const ANYWHERE: &str = "Element";

/// The element or resource that holds an extension.
pub(super) struct Context {
    resource: &'static TypeRow,
    /// The elements from the resource down.
    rows: [Option<&'static ElementRow>; DEEPEST],
    /// The type of the last element.
    kind: Option<&'static TypeRow>,
}

impl Context {
    /// The context of the extension at a node; none when what holds it is itself unknown.
    pub(super) fn of(tree: &Tree, defs: &'static Definitions, extension: NodeId) -> Option<Self> {
        let mut names = [""; DEEPEST];
        let mut depth = 0;
        let mut at = tree.parent(tree.parent(extension)?)?;
        let resource = loop {
            if let Some(name) = tree.get_str(at, "resourceType") {
                break defs.tables().type_named(name)?;
            }
            let name = tree.name(at);
            if !name.is_empty() {
                *names.get_mut(depth)? = name.strip_prefix('_').unwrap_or(name);
                depth += 1;
            }
            at = tree.parent(at)?;
        };
        let mut context = Self {
            resource,
            rows: [None; DEEPEST],
            kind: None,
        };
        context.descend(defs, names.iter().take(depth).rev())?;
        Some(context)
    }

    fn descend<'n>(&mut self, defs: &'static Definitions, names: impl Iterator<Item = &'n &'n str>) -> Option<()> {
        let mut scope = self.resource.scope;
        for (place, name) in self.rows.iter_mut().zip(names) {
            let (row, kind) = defs.tables().find_json(scope, name)?;
            *place = Some(row);
            self.kind = kind.and_then(|kind| defs.tables().types.get(kind.of? as usize));
            let of_type = self.kind.map_or(Scope::NONE, |kind| kind.scope);
            scope = if row.content == Scope::NONE {
                of_type
            } else {
                row.content
            };
        }
        Some(())
    }

    /// Whether this is the context that is told.
    pub(super) fn is(&self, defs: &'static Definitions, told: &str) -> bool {
        let Some(last) = self.rows.iter().flatten().last() else {
            return told == ANYWHERE || is_a(defs, self.resource, told);
        };
        told == ANYWHERE
            || bare(last.path) == bare(told)
            || self.kind.is_some_and(|kind| is_a(defs, kind, told))
            || self.has_path(told)
    }

    fn has_path(&self, told: &str) -> bool {
        let mut names = told.split('.');
        names.next() == Some(self.resource.name) && self.rows.iter().flatten().map(|row| row.stem()).eq(names.map(bare))
    }
}

fn bare(path: &str) -> &str {
    path.strip_suffix("[x]").unwrap_or(path)
}

fn is_a(defs: &'static Definitions, kind: &TypeRow, told: &str) -> bool {
    kind.name == told
        || defs
            .tables()
            .type_named(kind.base)
            .is_some_and(|base| is_a(defs, base, told))
}
