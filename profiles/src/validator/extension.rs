//! Standard extensions: where they may stand, what they hold. Extensions that R4 does not define are let pass; they may be
//! anybody's.

use causeway_core::NodeId;

use crate::definitions::ExtensionRow;

use super::context::Context;
use super::walk::Member;
use super::{Remark, Validator};

impl Validator<'_> {
    /// An extension by its address. One nested in another is judged with that one.
    pub(super) fn extension(&mut self, member: Member) {
        let tree = self.tree;
        let Some(address) = tree.get(member.node, "url") else {
            return;
        };
        let Some(url) = tree.str(address).filter(|url| !url.is_empty()) else {
            return;
        };
        if member.row.path == "Extension.extension" {
            return;
        }
        if !url.contains(':') {
            return self.say(address, &Remark::ExtensionUrl { url });
        }
        if let Some(row) = self.defs.tables().extension(url) {
            self.place(member.node, url, row);
            self.content(member.node, url, row);
        }
    }

    fn place(&mut self, node: NodeId, url: &str, row: &'static ExtensionRow) {
        let Some(context) = Context::of(self.tree, self.defs, node) else {
            return;
        };
        if !row.contexts.split(',').any(|told| context.is(self.defs, told)) {
            self.say(
                node,
                &Remark::ExtensionContext {
                    url,
                    allowed: row.contexts,
                },
            );
        }
    }

    fn content(&mut self, node: NodeId, url: &str, row: &'static ExtensionRow) {
        let tree = self.tree;
        let types = self.defs.tables().refs(&row.types);
        let name = |node: &NodeId| tree.name(*node).trim_start_matches('_').strip_prefix("value");
        let value = tree.children(node).find(|child| name(child).is_some());
        match value.and_then(|value| Some((value, name(&value)?))) {
            None if types.is_empty() => self.nested(node, url, row),
            None => self.say(node, &Remark::ExtensionEmpty { url }),
            Some((value, found)) if !types.iter().any(|kind| kind.code.eq_ignore_ascii_case(found)) => {
                self.say(value, &Remark::ExtensionType { url, found });
            }
            Some((value, found)) => self.bound(value, found, row),
        }
    }

    fn bound(&mut self, value: NodeId, found: &str, row: &'static ExtensionRow) {
        let Some(binding) = row.binding.as_ref() else { return };
        match found {
            "CodeableConcept" | "Coding" => self.coded(value, found == "CodeableConcept", binding),
            _ => {
                let code = self.tree.str(value).unwrap_or("");
                self.code(value, code, binding);
            }
        }
    }

    /// The extensions that make up the value of one without a value of its own.
    fn nested(&mut self, node: NodeId, url: &str, row: &'static ExtensionRow) {
        let tree = self.tree;
        let items = || {
            tree.get(node, "extension")
                .into_iter()
                .flat_map(|list| tree.children(list))
        };
        for item in items() {
            let Some(name) = tree.get_str(item, "url") else {
                continue;
            };
            match row.nested.iter().find(|nested| nested.url == name) {
                Some(nested) => self.content(item, name, nested),
                None if name.contains(':') => {}
                None => self.say(item, &Remark::ExtensionPart { url, name }),
            }
        }
        for nested in &row.nested {
            let count = items()
                .filter(|item| tree.get_str(*item, "url") == Some(nested.url))
                .count();
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            if count < nested.min {
                self.say(
                    node,
                    &Remark::TooFew {
                        path: row.url,
                        name: nested.url,
                        min: nested.min,
                    },
                );
            } else if count > nested.max {
                self.say(
                    node,
                    &Remark::TooMany {
                        path: nested.url,
                        max: nested.max,
                    },
                );
            }
        }
    }
}
