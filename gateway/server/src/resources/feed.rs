//! What a message says of a resource, laid over what is known (DESIGN decision 8): elements that it states replace, absent
//! ones stay, removed ones go, identifiers unite. An older statement never overwrites a newer one. What says nothing new
//! makes no version.

use std::collections::HashMap;

use bytes::Bytes;
use causeway_core::fhir::{Limits, NodeId, Tree, parse};

use super::over::{merge, says_all, says_the_same};
use super::pack::{Slot, Text, entries, names, rename, renamed, shown};
use super::params::Values;
use super::recent::Last;
use super::terms;
use super::unite::{self, Unite};
use super::write::{Batch, New, Stored};

/// A message's statements.
#[derive(Debug)]
pub(super) struct Statements<'a> {
    /// The frame's number.
    pub(super) frame: u64,
    pub(super) tree: &'a Tree,
    /// The tree, as the log keeps it.
    pub(super) bundle: &'a Bytes,
    /// `Type/id` and element of what is to be removed.
    pub(super) removed: &'a [(String, String)],
    /// When it was stated, microseconds since 1970.
    pub(super) stated: Option<i64>,
    /// When it was answered, milliseconds since 1970.
    pub(super) time: i64,
    /// Whether it is a resource as a whole that was quiet for a while, with what is known already of others.
    pub(super) whole: bool,
}

/// What a message says of one resource.
struct Statement<'a> {
    entry: u32,
    kind: &'a str,
    id: &'a str,
    node: NodeId,
    /// A number of all of it.
    said: u64,
    removed: Vec<&'a str>,
}

/// Applies every resource of a message; its header says nothing that stays.
pub(super) fn apply(batch: &mut Batch<'_>, statements: &Statements<'_>) -> anyhow::Result<()> {
    let tree = statements.tree;
    let entries = entries(tree);
    let names = names(tree, &entries);
    batch.begin(statements.bundle, statements.time * 1_000, statements.stated)?;
    for (entry, node) in (0..).zip(&entries) {
        let Some(node) = tree.get(*node, "resource") else {
            continue;
        };
        let (Some(kind), Some(id)) = (tree.get_str(node, "resourceType"), tree.get_str(node, "id")) else {
            continue;
        };
        if kind == "MessageHeader" {
            continue;
        }
        let statement = Statement {
            entry,
            kind,
            id,
            node,
            said: terms::said(tree, node),
            removed: removed_of(statements.removed, kind, id),
        };
        match batch.unites.of(kind) {
            Some(unite) => united(batch, statements, &statement, (&names, unite))?,
            None if statements.whole => {}
            None => one(batch, statements, &statement, &names)?,
        }
    }
    Ok(())
}

/// The elements of one resource among all that a message says to remove.
pub(super) fn removed_of<'r>(removed: &'r [(String, String)], kind: &str, id: &str) -> Vec<&'r str> {
    let of = |name: &str| name.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')) == Some(id);
    let removed = removed.iter().filter(|(name, _)| of(name));
    removed.map(|(_, element)| element.as_str()).collect()
}

fn one(
    batch: &mut Batch<'_>,
    statements: &Statements<'_>,
    statement: &Statement<'_>,
    names: &HashMap<String, String>,
) -> anyhow::Result<()> {
    let Statement { kind, id, said, .. } = *statement;
    let term = terms::id(kind, id);
    let again = statement.removed.is_empty();
    if let Some(last) = batch.recent.is(term, said).filter(|_| again) {
        // It says what it said the last time, so nothing new; but what was stated before it is older now.
        let later = last.later(statements.stated);
        batch.restate(later);
        return Ok(());
    }
    let Some(before) = batch.current(kind, id, said)? else {
        return first(batch, statements, statement, names);
    };
    if before.slot.own {
        // Written over HTTP, and so a feed's no more.
        return batch.older(statements.frame, (kind, id), statements.stated, None);
    }
    if again && before.slot.said == said {
        batch.again(term, said, &before, (true, statements.stated));
        return Ok(());
    }
    let newer = batch
        .stated(&before)?
        .zip(statements.stated)
        .filter(|(before, now)| before > now);
    if let Some((newer, stated)) = newer {
        return batch.older(statements.frame, (kind, id), Some(stated), Some(newer));
    }
    over(batch, statements, statement, &before, names)
}

/// A piece of a resource, or the resource as a whole: a version if it is the first, if the last is old enough, or if nothing
/// more is coming; else it waits for the next.
fn united(
    batch: &mut Batch<'_>,
    statements: &Statements<'_>,
    statement: &Statement<'_>,
    (names, unite): (&HashMap<String, String>, Unite),
) -> anyhow::Result<()> {
    let Statement { kind, id, said, .. } = *statement;
    let (of, whole, term) = ((kind, id), statements.whole, terms::id(kind, id));
    if !whole && batch.recent.is(term, said).is_some() {
        return Ok(());
    }
    let time = statements.time * 1_000;
    let before = batch.current(kind, id, 0)?;
    if before.as_ref().is_some_and(|before| before.slot.own) {
        unite::settle(batch.connection, of, i64::MAX)?;
        return batch.older(statements.frame, of, statements.stated, None);
    }
    if whole {
        // What stirred it while this was on its way has a later time of its own.
        unite::settle(batch.connection, of, statements.stated.unwrap_or(time))?;
    } else {
        batch.stirred = true;
        unite::stir(batch.connection, of, time)?;
    }
    let mut new = unite::said(statements.tree, statement.node);
    rename(&mut new, NodeId::ROOT, names);
    let soon = |before: &Stored| time < before.slot.updated.saturating_add(unite::PACE);
    if !whole && before.as_ref().is_some_and(soon) {
        unite::hold(batch.connection, of, &new)?;
        batch.recent.set(term, Last { said, of: None });
        return Ok(());
    }
    let mut all = unite::held(batch.connection, of)?;
    all.push(new);
    let old = before.as_ref().map(|before| parse(&before.text, Limits::default()));
    let old = old.transpose()?;
    all.extend(old.iter().map(|old| unite::said(old, NodeId::ROOT)));
    unite::release(batch.connection, of)?;
    let merged = parse(unite(&all).as_bytes(), Limits::default())?;
    if old.is_some_and(|old| says_the_same(&old, &merged)) {
        return Ok(());
    }
    beside(batch, statements, statement, before.as_ref(), &merged)
}

/// The first version: what the message says, as it stands there.
fn first(
    batch: &mut Batch<'_>,
    statements: &Statements<'_>,
    statement: &Statement<'_>,
    names: &HashMap<String, String>,
) -> anyhow::Result<()> {
    let meant = |text| names.get(text).map_or(text, String::as_str);
    let values = Values::of(statement.kind, statements.tree, statement.node, meant);
    let new = New {
        kind: statement.kind,
        id: statement.id,
        slot: Slot {
            text: Text::Entry(statement.entry),
            version: 1,
            updated: statements.time * 1_000,
            own: false,
            deleted: false,
            said: statement.said,
        },
        text: &[],
        before: None,
        behind: false,
    };
    batch.put(&new, &values)
}

/// A version over the one before, unless it would say the same.
fn over(
    batch: &mut Batch<'_>,
    statements: &Statements<'_>,
    statement: &Statement<'_>,
    before: &Stored,
    names: &HashMap<String, String>,
) -> anyhow::Result<()> {
    let Statement { kind, id, said, .. } = *statement;
    let text = match before.text.as_slice() {
        // It was known by its number alone.
        [] => batch.text(before)?,
        text => text.to_vec(),
    };
    let old = parse(&text, Limits::default())?;
    let new = renamed(statements.tree, statement.node, names);
    let merged = merge(&old, &new, &statement.removed);
    if says_the_same(&old, &merged) {
        let repeats = before.slot.said == said || says_all(&old, &new);
        batch.again(terms::id(kind, id), said, before, (repeats, statements.stated));
        return Ok(());
    }
    beside(batch, statements, statement, Some(before), &merged)
}

/// A version whose text stands beside the message's.
fn beside(
    batch: &mut Batch<'_>,
    statements: &Statements<'_>,
    statement: &Statement<'_>,
    before: Option<&Stored>,
    merged: &Tree,
) -> anyhow::Result<()> {
    let Statement { kind, id, said, .. } = *statement;
    let later = before.map_or(0, |before| before.slot.updated / 1_000 + 1);
    let mut slot = Slot {
        text: Text::Beside(0),
        version: before.map_or(0, |before| before.slot.version) + 1,
        updated: statements.time.max(later) * 1_000,
        own: false,
        deleted: false,
        said,
    };
    let text = shown(merged, NodeId::ROOT, &slot);
    slot.text = Text::Beside(text.len());
    let new = New {
        kind,
        id,
        slot,
        text: &text,
        before,
        behind: false,
    };
    batch.put(&new, &Values::of(kind, merged, NodeId::ROOT, |text| text))?;
    let of = Some((batch.last(), statements.stated));
    batch.recent.set(terms::id(kind, id), Last { said, of });
    Ok(())
}
