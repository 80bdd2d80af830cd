//! What is known of the resources of a message, in the place of what the message says of each (DESIGN decision 8), for
//! those who are told of it outside: a short message takes nothing from a fuller record there. It waits for the message to
//! be applied and reads; who is told, and in which form, is not known here.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use causeway_core::Verdict;
use causeway_core::fhir::{Limits, NodeId, Tree, Value, parse};
use causeway_core::origin::OriginId;
use causeway_core::store::{Decided, Facts};
use jiff::Timestamp;

use super::feed::removed_of;
use super::over::merge;
use super::pack::{entries, names, renamed};
use super::query::{Look, Readers};
use super::quiet::FORMAT;
use super::sequence::Sequencer;
use super::unite::{self, Unites};

/// Resources that are added because others refer to them; the rest is referred to by a logical reference.
const MENTIONED: usize = 100;

/// Tells what is known.
#[derive(Debug, Clone)]
pub struct Known {
    readers: Arc<Readers>,
    sequencer: Arc<Sequencer>,
    unites: Unites,
    /// Whether a type of resource comes along where others refer to it.
    brings: fn(&str) -> bool,
}

impl Known {
    /// Of the tables of a data folder; `sequencer` says how far they are. What others refer to comes along if `brings` says
    /// so of its type.
    pub fn new(folder: &Path, sequencer: Arc<Sequencer>, unites: Unites, brings: fn(&str) -> bool) -> Self {
        Self {
            readers: Arc::new(Readers::new(folder)),
            sequencer,
            unites,
            brings,
        }
    }

    /// Waits until a position of the log is applied, for some seconds at most. Whether it is.
    pub async fn reached(&self, position: u64) -> bool {
        self.sequencer.reached(position).await
    }

    /// A part's Bundle that says of each resource what is known. What is not applied is laid over that. Blocks.
    ///
    /// # Errors
    /// The tables or the part cannot be read.
    pub fn told(&self, part: &Decided, tree: &Tree, applied: bool) -> anyhow::Result<Tree> {
        let facts: Facts = serde_json::from_slice(&part.facts)?;
        let taken = matches!(part.verdict, Verdict::Accepted | Verdict::Remarked) || facts.context.format == FORMAT;
        let entries = entries(tree);
        self.readers.with(|reader| {
            let telling = Telling {
                look: reader.look()?,
                unites: self.unites,
                tree,
                names: names(tree, &entries),
                facts: &facts,
                applied: applied && taken,
            };
            telling.bundle(&entries, self.brings)
        })?
    }
}

/// One part, and what is known.
struct Telling<'a> {
    look: Look<'a>,
    unites: Unites,
    tree: &'a Tree,
    names: HashMap<String, String>,
    facts: &'a Facts,
    applied: bool,
}

impl Telling<'_> {
    fn bundle(&self, entries: &[NodeId], brings: fn(&str) -> bool) -> anyhow::Result<Tree> {
        let mut to = Tree::new(Value::Object);
        let others = self.tree.children(NodeId::ROOT);
        for member in others.filter(|member| self.tree.name(*member) != "entry") {
            to.copy_one(NodeId::ROOT, self.tree, member);
        }
        let list = to.member(NodeId::ROOT, "entry", Value::Array, OriginId::GENERATED);
        for entry in entries {
            self.entry(&mut to, list, *entry)?;
        }
        self.bring(&mut to, list, brings)?;
        Ok(to)
    }

    fn entry(&self, to: &mut Tree, list: NodeId, entry: NodeId) -> anyhow::Result<()> {
        let into = to.item(list, Value::Object, OriginId::GENERATED);
        for member in self.tree.children(entry) {
            let known = match self.tree.name(member) {
                "resource" => self.known(member)?,
                _ => None,
            };
            match known {
                Some(known) => put(to, into, &known),
                None => to.copy_one(into, self.tree, member),
            }
        }
        Ok(())
    }

    /// What is known of a resource that a feed speaks of; nothing where that is what it says itself.
    fn known(&self, said: NodeId) -> anyhow::Result<Option<Tree>> {
        let text = |name| self.tree.get_str(said, name);
        // What was written over HTTP replaces the whole resource, and so says all of it.
        let (Some(kind), Some(id), true) = (text("resourceType"), text("id"), self.facts.applied.is_empty()) else {
            return Ok(None);
        };
        let Some(stored) = self.look.current(kind, id)?.filter(|stored| !stored.slot.deleted) else {
            return Ok(None);
        };
        let statement = || renamed(self.tree, said, &self.names);
        if let Some(unite) = self.unites.of(kind).filter(|_| !stored.slot.own) {
            let mut pieces = self.look.pieces((kind, id), &stored)?;
            if !self.applied {
                pieces.push(unite::said(&statement(), NodeId::ROOT));
            }
            return Ok(Some(parse(unite(&pieces).as_bytes(), Limits::default())?));
        }
        let old = parse(&stored.text, Limits::default())?;
        let stated = self.facts.context.stated.map(Timestamp::as_microsecond);
        let newer = self
            .look
            .stated(&stored)?
            .zip(stated)
            .is_some_and(|(known, said)| known > said);
        if self.applied || stored.slot.own || newer {
            return Ok(Some(old));
        }
        let removed = removed_of(&self.facts.removed, kind, id);
        Ok(Some(merge(&old, &statement(), &removed)))
    }

    /// Adds what is referred to and not there, and what that refers to in turn.
    fn bring(&self, to: &mut Tree, list: NodeId, brings: fn(&str) -> bool) -> anyhow::Result<()> {
        let own = entries(to).into_iter().filter_map(|entry| {
            let resource = to.get(entry, "resource")?;
            let (kind, id) = (to.get_str(resource, "resourceType")?, to.get_str(resource, "id")?);
            Some(format!("{kind}/{id}"))
        });
        let mut there: HashSet<String> = own.collect();
        let mut wanted = Vec::new();
        references(to, list, &mut wanted);
        let mut left = MENTIONED;
        while let Some(name) = wanted.pop() {
            let place = name.split_once('/').filter(|(kind, _)| brings(kind));
            let Some((kind, id)) = place.filter(|_| left > 0 && !there.contains(&name)) else {
                continue;
            };
            let stored = self.look.current(kind, id)?;
            there.insert(name.clone());
            let Some(stored) = stored.filter(|stored| !stored.slot.deleted) else {
                continue;
            };
            let known = parse(&stored.text, Limits::default())?;
            let into = to.item(list, Value::Object, OriginId::GENERATED);
            put(to, into, &known);
            references(to, into, &mut wanted);
            left -= 1;
        }
        Ok(())
    }
}

fn put(to: &mut Tree, entry: NodeId, resource: &Tree) {
    let into = to.member(entry, "resource", Value::Object, OriginId::GENERATED);
    to.copy(into, resource, NodeId::ROOT);
}

/// Every `Type/id` that is referred to.
fn references(tree: &Tree, node: NodeId, found: &mut Vec<String>) {
    for child in tree.children(node) {
        match tree.str(child).filter(|_| tree.name(child) == "reference") {
            Some(reference) => {
                let plain = reference.split("/_history/").next().unwrap_or(reference);
                found.push(plain.to_owned());
            }
            None => references(tree, child, found),
        }
    }
}
