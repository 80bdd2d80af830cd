//! Codes under a required binding, and codes of the systems that the pack holds. A code that the pack cannot judge
//! (LOINC, SNOMED CT, currencies, MIME types, UCUM) is let pass.

use causeway_core::{Finding, NodeId};

use crate::definitions::{BindingRow, CodeSystem, Strength, ValueSet};

use super::{Remark, Validator};

impl Validator<'_> {
    /// A bare code.
    pub(super) fn code(&mut self, node: NodeId, code: &str, binding: &'static BindingRow) {
        let Some(set) = self.required(binding) else { return };
        if set.contains(None, code) == Some(false) {
            self.say(
                node,
                &Remark::Code {
                    code,
                    value_set: binding.value_set,
                },
            );
        }
    }

    /// A Coding, or a `CodeableConcept` one of whose codings must be of the set.
    pub(super) fn coded(&mut self, node: NodeId, is_concept: bool, binding: &'static BindingRow) {
        let Some(set) = self.required(binding) else { return };
        let tree = self.tree;
        let codings = tree.get(node, "coding");
        let mut wrong = None;
        let nodes = codings
            .into_iter()
            .flat_map(|list| tree.children(list))
            .chain((!is_concept).then_some(node));
        for coding in nodes {
            let Some(code) = tree.get_str(coding, "code") else {
                continue;
            };
            // Without its system a code says nothing, and so is of no set.
            match tree
                .get_str(coding, "system")
                .map_or(Some(false), |system| set.contains(Some(system), code))
            {
                Some(false) => wrong = wrong.or(Some((coding, code))),
                _ => return,
            }
        }
        let value_set = binding.value_set;
        match wrong {
            Some((coding, code)) => {
                self.unsay(tree.get(coding, "code"));
                self.say(coding, &Remark::Code { code, value_set });
            }
            None => self.say(node, &Remark::NoCode { value_set }),
        }
    }

    /// The code of a Coding is one of its system, where the pack holds the system whole.
    pub(super) fn coding(&mut self, node: NodeId) {
        let tree = self.tree;
        let (Some(system), Some(member)) = (tree.get_str(node, "system"), tree.get(node, "code")) else {
            return;
        };
        let Some(code) = tree.str(member).filter(|code| !code.is_empty()) else {
            return;
        };
        let known = self.defs.code_system(system).filter(CodeSystem::is_complete);
        if known.is_some_and(|known| known.concept(code).is_none()) {
            self.say(member, &Remark::NotInSystem { code, system });
        }
    }

    /// One fault draws one finding: a code that is of no required set need not be called unknown to its system as well.
    fn unsay(&mut self, code: Option<NodeId>) {
        let said = |finding: &mut Finding| finding.node == code && finding.code == "code-not-in-system";
        self.findings.pop_if(said);
    }

    fn required(&self, binding: &'static BindingRow) -> Option<ValueSet> {
        if binding.strength == Strength::Required {
            self.defs.bound(binding)
        } else {
            None
        }
    }
}
