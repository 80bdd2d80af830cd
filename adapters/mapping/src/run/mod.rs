//! Runs a plan on a document: the first pass groups and opens instances with their keys, the second writes each
//! instance's FHIR by asking, for every element in order, the rows that may fill it. Rows read only the document, so
//! nothing is written twice and nothing is looked up by name.

mod act;
mod address;
mod emit;
mod items;
mod keys;
mod lost;
mod make;
mod members;
mod merge;
mod numbers;
mod open;
mod read;
mod refs;
mod result;
mod stencil;
mod test;
mod track;
mod write;

use std::borrow::Cow;
use std::sync::Arc;

use causeway_core::fhir::Value as Json;
use causeway_core::origin::{OriginId, OriginKind};
use causeway_core::{Bundle, NodeId, Origins, Place, Places, Tree};
use uuid::Uuid;

use crate::doc::{Doc, Presence, Value};
use crate::group::{Groups, NONE};
use crate::plan::{Make, MessageKind, Plan, Structure};
use crate::primitives::Around;

pub(crate) use address::{plain_address, private_address, site_address};
pub(crate) use keys::hash;
pub(crate) use numbers::NumberMap;
pub use result::{BundleKind, Lifted, Remark, Setting};
pub use stencil::Stencils;
pub use track::{Nothing, Passed, Touched, Track, Tracked};

/// How many nodes a bundle may have: a message that would make more is cut short, with a finding.
const MOST_NODES: usize = 20_000_000;

/// Whether something came of a row, and how much it counts: an item of a label is made by what has a source, an item
/// that an anchor opens by a reference too, and none by constants alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Yield {
    No,
    Weak,
    Reference,
    Strong,
}

/// A value in hand: the item and occurrence it stands in, and the value itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hand {
    pub(crate) item: u32,
    pub(crate) spot: Value,
    pub(crate) value: Value,
    /// What the sender says by the value.
    pub(crate) said: Presence,
}

/// A value cut into parts.
#[derive(Debug, Clone)]
pub(crate) struct Frame<C> {
    pub(crate) hand: Hand,
    /// Which parts say anything.
    pub(crate) mask: u64,
    pub(crate) cut: C,
}

/// An instance.
pub(crate) struct Inst<'a, D: Doc> {
    pub(crate) make: &'a Make<D>,
    pub(crate) group: u32,
    pub(crate) hand: Option<Hand>,
    /// The number of its value among those of its anchor, from 1.
    pub(crate) number: u32,
    pub(crate) id: Uuid,
    pub(crate) keyed: Keyed,
    /// The instance that it is one with; its own number when it stands for itself.
    pub(crate) one: u32,
    /// Instances made of the same value.
    pub(crate) siblings: (u32, u32),
    /// For references: the structural instance in whose place it was made.
    pub(crate) host: u32,
    /// The number of an item in its element, from 1.
    pub(crate) ordinal: u32,
    pub(crate) node: NodeId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyed {
    Not,
    Busy,
    Done,
}

pub(crate) struct Run<'a, D: Doc, T> {
    pub(crate) doc: &'a D,
    pub(crate) plan: &'a Plan<D>,
    pub(crate) structure: &'a Structure<D>,
    pub(crate) setting: Setting<'a>,
    pub(crate) groups: Groups,
    pub(crate) insts: Vec<Inst<'a, D>>,
    pub(crate) by_name: Vec<Vec<u32>>,
    /// Parent instance, element, item instance.
    pub(crate) items: Vec<(u32, u16, u32)>,
    pub(crate) ids: NumberMap<u128, u32>,
    pub(crate) equals: NumberMap<u64, u32>,
    pub(crate) authorities: Vec<(String, Uuid)>,
    pub(crate) recent: Vec<(u32, Value, u32)>,
    /// Instances that add to one that was written before.
    pub(crate) late: Vec<u32>,
    pub(crate) indexes: NumberMap<u64, NumberMap<u64, Vec<u32>>>,
    pub(crate) stencils: Stencils,
    pub(crate) frames: Vec<Frame<D::Cut>>,
    pub(crate) vals: Vec<Hand>,
    /// For each item, which fields say anything.
    pub(crate) masks: Vec<u64>,
    /// For each numbered test, for which group and number it was asked last, and what came of it.
    pub(crate) asked: Vec<(u64, bool)>,
    pub(crate) spots: Vec<Value>,
    /// Values that an operation takes together, the places they came from, and what it reads besides.
    pub(crate) together: Vec<Option<Value>>,
    pub(crate) places: Vec<Place>,
    pub(crate) beside: Vec<Option<Value>>,
    pub(crate) text: String,
    /// Numbers that tests look at.
    pub(crate) figure: String,
    /// The address of an authority in a key.
    pub(crate) address: String,
    /// Instances that a list of references has.
    pub(crate) seen: Vec<u32>,
    pub(crate) key: String,
    pub(crate) tree: Tree,
    pub(crate) origins: Origins,
    pub(crate) remarks: Vec<Remark>,
    pub(crate) removed: Vec<(NodeId, Box<str>, OriginId)>,
    pub(crate) offset: Option<String>,
    /// The instance in work, its group and number.
    pub(crate) at: u32,
    pub(crate) group: u32,
    pub(crate) number: u32,
    /// The object of the resource in work.
    pub(crate) resource: NodeId,
    /// Nothing is said and kept while a row is only tried.
    pub(crate) dry: bool,
    /// A `""` that a row met, and which.
    pub(crate) null: Option<(u32, Place)>,
    pub(crate) track: T,
}

/// How well a structure fits a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It is the message's own.
    Own,
    /// It is what all events of its type share; this event has none of its own.
    Type,
    /// It is what any message may have; its type has none.
    Any,
}

/// Items of a usual message, for which room is made at once.
const USUAL_ITEMS: usize = 256;

/// The most depths of cut values.
const FRAMES: usize = 24;

impl<D: Doc> Plan<D> {
    /// The structure of a kind of message, the first whose pattern fits (`ORU^R01`, `ADT^*`), and how well it does.
    pub fn structure_for(&self, kind: &str, trigger: &str) -> Option<(&str, Fit)> {
        let one = |pattern: &str, said: &str| pattern == "*" || pattern == said;
        let fits = |message: &&MessageKind| {
            let (wanted_kind, wanted_trigger) = message.kind_and_trigger();
            one(wanted_kind, kind) && one(wanted_trigger, trigger)
        };
        let found = self.messages.iter().find(fits)?;
        let fit = match (found.fallback, found.kind_and_trigger().0) {
            (false, _) => Fit::Own,
            (true, "*") => Fit::Any,
            (true, _) => Fit::Type,
        };
        Some((&found.structure, fit))
    }

    /// Whether some message of a type has a map of its own.
    pub fn knows_type(&self, kind: &str) -> bool {
        let known = |message: &MessageKind| !message.fallback && message.kind_and_trigger().0 == kind;
        self.messages.iter().any(known)
    }

    /// The names of its structures.
    pub fn structure_names(&self) -> impl Iterator<Item = &str> {
        self.structures.keys().map(String::as_str)
    }

    /// The row of a number as `FILE:LINE`.
    pub fn row_text(&self, row: u32) -> String {
        self.rows.texts.get(row as usize).cloned().unwrap_or_default()
    }

    /// The reason of a row that ignores.
    pub fn row_note(&self, row: u32) -> Option<&str> {
        self.rows.notes.get(&row).map(String::as_str)
    }

    /// The texts of rows, which outlive the plan in bundles.
    pub fn row_texts(&self) -> Arc<dyn Fn(u32) -> String + Send + Sync> {
        let rows = Arc::clone(&self.rows);
        Arc::new(move |row| rows.texts.get(row as usize).cloned().unwrap_or_default())
    }

    /// Runs a structure on a document. None when there is no such structure.
    pub fn run<T: Track>(
        &self,
        structure: &str,
        doc: &D,
        setting: Setting<'_>,
        texts: Arc<dyn Places>,
        track: T,
    ) -> Option<Lifted<T>> {
        let structure = self.structures.get(structure)?;
        let mut run = Run::new(self, structure, doc, setting, texts, track);
        run.open();
        run.write();
        Some(run.finish())
    }
}

impl<'a, D: Doc, T: Track> Run<'a, D, T> {
    fn new(
        plan: &'a Plan<D>,
        structure: &'a Structure<D>,
        doc: &'a D,
        setting: Setting<'a>,
        texts: Arc<dyn Places>,
        track: T,
    ) -> Self {
        // Room for a usual message; a larger one grows as it is written, a hostile one asks for nothing in advance.
        let items = (doc.items() as usize).min(USUAL_ITEMS);
        let mut origins = Origins::new(texts);
        origins.reserve(64 + items * 24, 64 + items * 24);
        let none = Value {
            place: Place(0),
            start: 0,
            end: 0,
        };
        let empty = Frame {
            hand: Hand {
                item: NONE,
                spot: none,
                value: none,
                said: Presence::Empty,
            },
            mask: 0,
            cut: D::Cut::default(),
        };
        Self {
            doc,
            plan,
            structure,
            setting,
            groups: Groups::default(),
            insts: Vec::with_capacity(items * 2),
            by_name: vec![Vec::new(); structure.names.len()],
            items: Vec::new(),
            ids: NumberMap::default(),
            equals: NumberMap::default(),
            authorities: Vec::new(),
            recent: Vec::new(),
            late: Vec::new(),
            indexes: NumberMap::default(),
            stencils: plan
                .stencils
                .lock()
                .ok()
                .and_then(|mut kept| kept.pop())
                .unwrap_or_default(),
            frames: vec![empty; FRAMES],
            vals: Vec::with_capacity(32),
            masks: (0..doc.items()).map(|item| doc.mask(item)).collect(),
            asked: vec![(u64::MAX, false); structure.tests as usize],
            spots: Vec::with_capacity(8),
            together: Vec::with_capacity(8),
            places: Vec::with_capacity(8),
            beside: Vec::with_capacity(8),
            text: String::with_capacity(256),
            figure: String::with_capacity(32),
            address: String::with_capacity(64),
            seen: Vec::new(),
            key: String::with_capacity(128),
            tree: Tree::with_capacity(Json::Object, 256 + items * 80, 4096 + items * 1600),
            origins,
            remarks: Vec::new(),
            removed: Vec::new(),
            offset: setting.stated.and_then(crate::primitives::offset_of),
            at: NONE,
            group: 0,
            number: 0,
            resource: NodeId::ROOT,
            dry: false,
            null: None,
            track,
        }
    }

    pub(crate) fn around(&self) -> Around<'_> {
        Around {
            offset: self.offset.as_deref(),
            zone: self.plan.settings.zone.as_ref(),
        }
    }

    pub(crate) fn origin(&mut self, row: u32, kind: OriginKind, place: Option<Place>) -> OriginId {
        match place {
            Some(place) => self.origins.add(row, kind, &[place]),
            None => self.origins.add(row, kind, &[]),
        }
    }

    pub(crate) fn remark(&mut self, code: impl Into<Cow<'static, str>>, place: Option<Place>, row: u32, about: &str) {
        if self.dry || self.remarks.len() >= 1_000 {
            return;
        }
        let about = about.chars().take(80).collect();
        self.remarks.push(Remark {
            code: code.into(),
            place,
            row,
            about,
        });
    }

    fn finish(self) -> Lifted<T> {
        // As many sets are kept as runs went side by side; a poisoned lock only costs them.
        if let Ok(mut kept) = self.plan.stencils.lock() {
            kept.push(self.stencils);
        }
        let patient = self.insts.iter().find(|inst| inst.is_patient()).map(|inst| inst.id);
        let of = self.groups.of.iter().enumerate();
        let strays = of
            .filter(|(_, group)| **group == NONE)
            .filter_map(|(at, _)| u32::try_from(at).ok())
            .collect();
        let mut bundle = Bundle {
            tree: self.tree,
            origins: self.origins,
            ..Bundle::default()
        };
        for (resource, element, origin) in self.removed {
            bundle.removed.push(causeway_core::fhir::Removal {
                resource,
                element: element.into(),
                origin,
            });
        }
        Lifted {
            bundle,
            remarks: self.remarks,
            patient,
            track: self.track,
            strays,
        }
    }
}

impl<D: Doc> Inst<'_, D> {
    pub(crate) fn is_patient(&self) -> bool {
        matches!(self.make.what, crate::plan::What::Resource { patient: true, .. })
    }
}
