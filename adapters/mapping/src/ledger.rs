//! The ledger: what became of every populated leaf of a document, from what a tracked run wrote and noted. Nothing here
//! runs a row.

use std::collections::BTreeMap;

use causeway_core::ledger::{LeafState, LedgerRecord};
use causeway_core::{NodeId, Place};

use crate::doc::{Doc, Value};
use crate::plan::Plan;
use crate::run::{Lifted, Passed, Tracked};

impl<D: Doc> Plan<D> {
    /// One record a populated leaf, in the order of the document. `place` gives the text of a place.
    pub fn ledger(&self, doc: &D, lifted: &Lifted<Tracked>, place: &dyn Fn(Place) -> String) -> Vec<LedgerRecord> {
        let book = Book::of(lifted);
        let mut records = Vec::new();
        doc.leaves(&mut |leaf| {
            let (state, to, reason) = self.judge(doc, leaf, &book);
            records.push(LedgerRecord {
                place: place(leaf.place),
                state,
                to,
                reason,
            });
        });
        records
    }

    fn judge(&self, doc: &D, leaf: Value, book: &Book) -> (LeafState, Vec<String>, Option<String>) {
        let mut to: Vec<String> = Vec::new();
        let mut noted: Option<(Passed, u32)> = None;
        let mut read = false;
        for (outer, entry) in book.around(leaf.place) {
            if !doc.lies_in(leaf.place, outer) {
                continue;
            }
            match entry {
                Entry::Wrote(path) => to.push(path.clone()),
                Entry::Read => read = true,
                Entry::Passed(why, row) => {
                    noted = Some(noted.map_or((*why, *row), |known| graver(known, (*why, *row))));
                }
            }
        }
        to.sort();
        to.dedup();
        if !to.is_empty() {
            return (LeafState::Mapped, to, None);
        }
        match noted {
            Some((Passed::Alike, _)) => (LeafState::Mapped, to, None),
            Some((Passed::Ignored, row)) => (LeafState::Ignored, to, Some(self.reason(row))),
            Some((Passed::Lost(winner), _)) => (
                LeafState::Ignored,
                to,
                Some(format!("superseded by {}", self.row_text(winner))),
            ),
            _ if read => (LeafState::Mapped, to, None),
            Some((Passed::Overflow, row)) => (
                LeafState::Reported,
                to,
                Some(format!("the element of {} holds no more values", self.row_text(row))),
            ),
            Some((Passed::Null, row)) => (
                LeafState::Ignored,
                to,
                Some(format!("\"\" removes nothing inside a value ({})", self.row_text(row))),
            ),
            Some((Passed::Nothing, row)) => (
                LeafState::Reported,
                to,
                Some(format!("nothing came of it in {}", self.row_text(row))),
            ),
            None => (LeafState::Reported, to, Some("no row reads it".to_owned())),
        }
    }

    fn reason(&self, row: u32) -> String {
        match self.row_note(row) {
            Some(note) if !note.is_empty() => format!("{} ({note})", self.row_text(row)),
            _ => self.row_text(row),
        }
    }
}

/// Of two notes the one that says more: said already, ignored on purpose, lost, full, removed, nothing.
fn graver(one: (Passed, u32), other: (Passed, u32)) -> (Passed, u32) {
    let rank = |(why, _): &(Passed, u32)| match why {
        Passed::Alike => 0,
        Passed::Ignored => 1,
        Passed::Lost(_) => 2,
        Passed::Overflow => 3,
        Passed::Null => 4,
        Passed::Nothing => 5,
    };
    if rank(&other) < rank(&one) { other } else { one }
}

#[derive(Debug)]
enum Entry {
    Wrote(String),
    Read,
    Passed(Passed, u32),
}

/// What was noted, by place.
struct Book {
    entries: BTreeMap<Place, Vec<Entry>>,
}

impl Book {
    fn of(lifted: &Lifted<Tracked>) -> Self {
        let mut book = Self {
            entries: BTreeMap::new(),
        };
        let bundle = &lifted.bundle;
        book.wrote(bundle, NodeId::ROOT);
        for removal in &bundle.removed {
            let path = format!("{}.{}", bundle.tree.path(removal.resource), removal.element);
            for place in bundle.origins.places(removal.origin) {
                book.add(*place, Entry::Wrote(path.clone()));
            }
        }
        for touched in &lifted.track.touched {
            let entry = match (touched.passed, touched.row) {
                (Some(why), Some(row)) => Entry::Passed(why, row),
                _ => Entry::Read,
            };
            book.add(touched.place, entry);
        }
        book
    }

    fn add(&mut self, place: Place, entry: Entry) {
        self.entries.entry(place).or_default().push(entry);
    }

    /// Notes the leaves of a tree with the places that they came from.
    fn wrote(&mut self, bundle: &causeway_core::Bundle, node: NodeId) {
        use causeway_core::fhir::Kind;
        let leaf = !matches!(bundle.tree.kind(node), Kind::Object | Kind::Array);
        let origin = bundle.tree.origin(node);
        let generated = bundle
            .origins
            .get(origin)
            .is_none_or(|entry| entry.kind == causeway_core::OriginKind::Generated);
        if leaf && !generated {
            let path = bundle.tree.path(node);
            for place in bundle.origins.places(origin) {
                self.add(*place, Entry::Wrote(path.clone()));
            }
        }
        for child in bundle.tree.children(node) {
            self.wrote(bundle, child);
        }
    }

    /// What was noted at places that may hold a leaf: places sort in the order of the document, an outer one before what
    /// lies in it.
    fn around(&self, leaf: Place) -> impl Iterator<Item = (Place, &Entry)> {
        self.entries
            .range(..=leaf)
            .rev()
            .take(64)
            .flat_map(|(place, entries)| entries.iter().map(|entry| (*place, entry)))
    }
}
