//! Anchors and paths in formats whose documents bring their own groups: every full path of the format is a kind, and what a
//! row writes is matched from its end.

use super::structure::names;
use super::{Compiler, short};
use crate::doc::Format;
use crate::group::{Grammar, GroupKind};
use crate::syntax::{Place, Step};

impl<F: Format> Compiler<'_, F> {
    /// The grammar to begin with: all kinds where documents bring their groups, else the document alone.
    pub(super) fn brought(&mut self) -> Grammar {
        let tree = self.format.tree();
        let mut grammar = Grammar {
            brought: !tree.is_empty(),
            ..Grammar::default()
        };
        for (number, branch) in tree.iter().enumerate() {
            let symbol = self.format.symbol(branch.opener);
            let opener = symbol.map(|symbol| short(number_of(&mut grammar.symbols, symbol)));
            grammar.kinds.push(GroupKind {
                parent: short(branch.around),
                name: Some(branch.name),
                openers: u16::from(opener.is_some()),
                members: opener.into_iter().collect(),
                ..GroupKind::default()
            });
            if let Some(outer) = grammar.kinds.get_mut(branch.around).filter(|_| number > 0) {
                outer.below.push((branch.symbol, short(number)));
            }
        }
        if grammar.kinds.is_empty() {
            grammar.kinds.push(GroupKind::default());
        }
        grammar
    }

    /// The kinds whose path ends with an anchor's groups.
    pub(super) fn ending_so(&mut self, at: &Place) -> Vec<u16> {
        let groups: Vec<&Step> = at.steps.iter().filter(|step| self.is_group(step)).collect();
        let all = (0..self.grammar.kinds.len()).map(short);
        let found: Vec<u16> = all.filter(|kind| self.ends_so(*kind, &groups)).collect();
        if found.is_empty() {
            self.say(at.span, format!("no group of the format is called {at}"));
        }
        found
    }

    fn ends_so(&self, kind: u16, groups: &[&Step]) -> bool {
        let mut at = kind;
        for (left, step) in groups.iter().enumerate().rev() {
            if !self.is_named(at, step) {
                return false;
            }
            let outer = self.grammar.kinds.get(usize::from(at)).map_or(0, |kind| kind.parent);
            if left > 0 && at == outer {
                return false;
            }
            at = outer;
        }
        !groups.is_empty()
    }

    /// Whether a step of an anchor is a group: where documents bring theirs, one of those; else what has no field.
    pub(super) fn is_group(&self, step: &Step) -> bool {
        let plain = step.parts.is_empty();
        if !self.grammar.brought {
            return plain;
        }
        plain && step.select.is_empty() && self.grammar.kinds.iter().any(|kind| is_called(kind, step))
    }

    /// The place at the end of an anchor that opens an instance for each value or item, without the groups before it.
    pub(super) fn value_anchor(&self, at: &Place) -> Option<Place> {
        let last = at.steps.last().filter(|step| !self.is_group(step))?;
        Some(Place {
            base: at.base.clone(),
            steps: vec![last.clone()],
            span: at.span,
        })
    }

    /// The symbol of a group's name, where documents bring their groups.
    pub(super) fn group_symbol(&self, name: &str) -> Option<u32> {
        let tree = self.format.tree();
        tree.iter()
            .find(|branch| branch.name == name)
            .map(|branch| branch.symbol)
    }
}

/// Whether a kind that documents bring has the name of a step.
pub(super) fn is_called(kind: &GroupKind, step: &Step) -> bool {
    matches!((kind.name, names(step)), (Some(own), [name]) if own == name)
}

fn number_of(symbols: &mut Vec<u32>, symbol: u32) -> usize {
    let known = symbols.iter().position(|known| *known == symbol);
    known.unwrap_or_else(|| {
        symbols.push(symbol);
        symbols.len() - 1
    })
}
