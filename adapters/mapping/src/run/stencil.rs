//! Codes and units recur from message to message. What a type map made of one is kept as a stencil, a small tree with its
//! origins relative to the value, and set into later bundles in one step. Only what depends on nothing but the value's
//! text is kept, nothing that names a person, and only so much.

use causeway_core::fhir::Value as Json;
use causeway_core::origin::{Origin, OriginId};
use causeway_core::{NodeId, Origins, Place, Tree};

use super::keys::hash;
use super::merge::copy;
use super::{Hand, NumberMap};
use crate::doc::Doc;

/// Stencils that are kept at once; then all are let go, so that odd values do not stay for ever.
const MOST: usize = 4_096;
/// Bytes of a value that is kept. Codes are short; what is longer is text.
const LONGEST: usize = 200;
/// Nodes of a stencil.
const LARGEST: usize = 200;

/// What type maps made of values.
#[derive(Debug, Default)]
pub struct Stencils {
    kept: NumberMap<u64, Stencil>,
}

/// What one type map made of one value.
#[derive(Debug)]
struct Stencil {
    /// The type map, by its address in the plan that holds the stencils.
    map: usize,
    reading: u64,
    raw: Box<str>,
    tree: Tree,
    /// Its origins, with their places relative to the value's.
    origins: Vec<(Origin, Vec<u64>)>,
}

/// What a stencil is found by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Name {
    key: u64,
    map: usize,
    reading: u64,
}

impl Name {
    /// None for a value that is not kept.
    pub(crate) fn of<D: Doc>(doc: &D, map: usize, hand: Hand) -> Option<Self> {
        let raw = doc.raw(hand.value);
        if raw.len() > LONGEST {
            return None;
        }
        let reading = doc.reading(hand.value);
        let key = hash(raw.as_bytes()) ^ reading.rotate_left(17) ^ (map as u64).rotate_left(33);
        Some(Self { key, map, reading })
    }
}

impl Stencils {
    /// Sets a stencil into an object. False when there is none.
    pub(crate) fn set<D: Doc>(
        &self,
        name: Name,
        doc: &D,
        hand: Hand,
        tree: &mut Tree,
        origins: &mut Origins,
        object: NodeId,
    ) -> bool {
        let Some(stencil) = self.kept.get(&name.key) else {
            return false;
        };
        if stencil.map != name.map || stencil.reading != name.reading || *stencil.raw != *doc.raw(hand.value) {
            return false;
        }
        let base = small(origins.len());
        let mut places = [Place(0); 8];
        for (origin, relative) in &stencil.origins {
            for (place, relative) in places.iter_mut().zip(relative) {
                *place = Place(hand.value.place.0.wrapping_add(*relative));
            }
            origins.add(origin.row, origin.kind, places.get(..relative.len()).unwrap_or(&[]));
        }
        tree.graft(object, &stencil.tree, |origin| moved(origin, base));
        true
    }

    /// Keeps what was made in an object, behind the members that stood there, since the origins had that length.
    pub(crate) fn keep<D: Doc>(
        &mut self,
        name: Name,
        doc: &D,
        hand: Hand,
        (tree, object, stood): (&Tree, NodeId, usize),
        (origins, since): (&Origins, usize),
    ) {
        let made = origins.len().saturating_sub(since);
        if tree.len() - object.index() > LARGEST || made > LARGEST {
            return;
        }
        let mut kept = Vec::with_capacity(made);
        for number in since..origins.len() {
            let id = OriginId(small(number));
            let Some(origin) = origins.get(id) else { return };
            let places = origins.places(id).iter();
            let relative: Vec<u64> = places.map(|place| place.0.wrapping_sub(hand.value.place.0)).collect();
            if relative.len() > 8 {
                return;
            }
            kept.push((origin, relative));
        }
        let mut part = Tree::with_capacity(Json::Object, 16, 256);
        let since = small(since);
        for child in tree.children(object).skip(stood) {
            copy(
                &mut part,
                NodeId::ROOT,
                Some(tree.name(child)),
                tree,
                child,
                &|origin| rest(origin, since),
            );
        }
        if self.kept.len() >= MOST {
            self.kept.clear();
        }
        let stencil = Stencil {
            map: name.map,
            reading: name.reading,
            raw: doc.raw(hand.value).into(),
            tree: part,
            origins: kept,
        };
        self.kept.insert(name.key, stencil);
    }
}

/// An origin of a bundle as a number within its stencil, from 1; 0 is what no row made.
fn rest(origin: OriginId, since: u32) -> OriginId {
    OriginId(if origin.0 < since { 0 } else { origin.0 - since + 1 })
}

/// The same the other way.
fn moved(origin: OriginId, base: u32) -> OriginId {
    OriginId(if origin.0 == 0 { 0 } else { base + origin.0 - 1 })
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
