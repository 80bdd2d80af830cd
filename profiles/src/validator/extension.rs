//! Standard extensions: the type of the value. Extensions that R4 does not define are let pass; they may be anybody's.

use super::walk::Member;
use super::{Remark, Validator};

impl Validator<'_> {
    /// An extension whose address the definitions know takes only its own types.
    pub(super) fn extension(&mut self, member: Member) {
        let tree = self.tree;
        let Some(url) = tree.get_str(member.node, "url").filter(|url| url.starts_with("http")) else {
            return;
        };
        let Some(row) = self.defs.tables().extension(url) else {
            return;
        };
        let Some(value) = tree
            .children(member.node)
            .find(|child| tree.name(*child).starts_with("value"))
        else {
            return;
        };
        let found = tree.name(value).trim_start_matches("value");
        let mut types = self.defs.tables().refs(&row.types).iter();
        if !types.any(|kind| kind.code.eq_ignore_ascii_case(found)) {
            self.say(value, &Remark::ExtensionType { url, found });
        }
    }
}
