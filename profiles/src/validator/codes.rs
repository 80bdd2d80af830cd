//! Codes under a required binding. A code that the pack cannot judge (currencies, MIME types, UCUM) is let pass.

use causeway_core::NodeId;

use crate::definitions::{BindingRow, Strength, ValueSet};

use super::walk::Member;
use super::{Remark, Validator};

impl Validator<'_> {
    /// A bare code.
    pub(super) fn code(&mut self, member: Member, code: &str) {
        let Some((set, row)) = self.required(member) else {
            return;
        };
        if set.contains(None, code) == Some(false) {
            self.say(
                member.node,
                &Remark::Code {
                    code,
                    value_set: row.value_set,
                },
            );
        }
    }

    /// A Coding, or a `CodeableConcept` one of whose codings must be of the set.
    pub(super) fn coded(&mut self, member: Member) {
        let Some((set, row)) = self.required(member) else {
            return;
        };
        let tree = self.tree;
        let codings = tree.get(member.node, "coding");
        let is_concept = member.kind.is_some_and(|kind| kind.code == "CodeableConcept");
        let mut wrong = None;
        let nodes = codings
            .into_iter()
            .flat_map(|list| tree.children(list))
            .chain((!is_concept).then_some(member.node));
        for coding in nodes {
            match self.is_of(&set, coding) {
                Some(false) => wrong = wrong.or(Some(coding)),
                _ => return,
            }
        }
        let value_set = row.value_set;
        match wrong {
            Some(coding) => {
                let code = tree.get_str(coding, "code").unwrap_or("");
                self.say(coding, &Remark::Code { code, value_set });
            }
            None => self.say(member.node, &Remark::NoCode { value_set }),
        }
    }

    fn is_of(&self, set: &ValueSet, coding: NodeId) -> Option<bool> {
        let code = self.tree.get_str(coding, "code")?;
        set.contains(self.tree.get_str(coding, "system"), code)
    }

    fn required(&self, member: Member) -> Option<(ValueSet, &'static BindingRow)> {
        let row = member
            .row
            .binding
            .as_ref()
            .filter(|row| row.strength == Strength::Required)?;
        Some((self.defs.bound(row)?, row))
    }
}
