//! Handles on the standard extensions.

use std::fmt;

use super::Definitions;
use super::element::TypeRef;
use super::rows::ExtensionRow;
use super::terms::Binding;

/// A standard extension.
#[derive(Clone, Copy)]
pub struct ExtensionDef {
    pub(super) defs: &'static Definitions,
    pub(super) row: &'static ExtensionRow,
}

impl fmt::Debug for ExtensionDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtensionDef({})", self.row.url)
    }
}

impl ExtensionDef {
    /// Its short name, `patient-birthTime`; empty for a nested one.
    pub fn short(&self) -> &'static str {
        self.row.short
    }

    /// What stands in `url`: an address, or a bare name for a nested one.
    pub fn url(&self) -> &'static str {
        self.row.url
    }

    /// How many there must be where it stands.
    pub fn min(&self) -> u32 {
        self.row.min
    }

    /// How many there may be where it stands; none for no end.
    pub fn max(&self) -> Option<u32> {
        (self.row.max != u32::MAX).then_some(self.row.max)
    }

    /// The types of its value; none when it holds extensions instead.
    pub fn types(&self) -> impl ExactSizeIterator<Item = TypeRef> + use<> {
        let defs = self.defs;
        defs.tables
            .refs(&self.row.types)
            .iter()
            .map(move |row| TypeRef { defs, row })
    }

    /// The codes its value takes.
    pub fn binding(&self) -> Option<Binding> {
        self.row.binding.as_ref().map(|row| Binding { defs: self.defs, row })
    }

    /// The paths where it may stand, `Patient.birthDate`; `Element` and `Resource` mean anywhere. Empty for a nested one.
    pub fn contexts(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.row.contexts.split(',').filter(|context| !context.is_empty())
    }

    /// Those right below it, in order.
    pub fn nested(&self) -> impl Iterator<Item = ExtensionDef> + use<> {
        let defs = self.defs;
        self.row.nested.iter().map(move |row| ExtensionDef { defs, row })
    }

    /// The one right below it of a name.
    pub fn nested_named(&self, name: &str) -> Option<ExtensionDef> {
        self.nested().find(|nested| nested.url() == name)
    }
}
