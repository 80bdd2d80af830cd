//! Structure rows: does what they make exist, are their files there, do their keys come after what they name.

use causeway_profiles::{TypeKind, nearest, r4};

use super::Check;
use super::element::Context;
use super::holder::{Holder, resolve};
use super::names::Names;
use crate::syntax::{Bad, KeyWhat, Make, Place, StructureFile, StructureRow, Test};

impl<'a> Check<'a> {
    /// Checks every structure file, and through `fill` all that is used.
    pub(super) fn structures(&mut self) {
        for file in self.library.structures.values() {
            let names = Names::of(self.library, &file.name);
            for (n, row) in file.rows.iter().enumerate() {
                self.make(row, &names);
                self.tests(&row.when);
                self.keys(file, n, row);
                self.shadowed(file, n, row);
                self.fill(row, &names);
            }
        }
        for message in &self.library.messages {
            if !self.library.structures.contains_key(&message.structure) {
                let bad = Bad::new(
                    message.span,
                    format!("no structure file {} is there", message.structure),
                );
                let known = self.library.structures.keys().map(String::as_str);
                self.errors.push(bad.nearest_of(&message.structure, known));
            }
        }
    }

    fn make(&mut self, row: &'a StructureRow, names: &Names<'a>) {
        match &row.make {
            Make::Resource(name) => self.resource(name, row),
            Make::Item { name, element } => {
                if names.rows(name).is_empty() {
                    let bad = Bad::new(element.span, format!("no instance is called {name}"));
                    self.errors.push(bad.nearest_of(name, names.all()));
                }
                let outer = names
                    .rows(name)
                    .iter()
                    .flat_map(|row| names.holders(row, self.library, 0));
                for holder in outer.collect::<Vec<_>>() {
                    if let Err(bad) = resolve(holder, element, &self.library.extensions) {
                        self.errors.push(bad);
                    }
                }
            }
            Make::Use | Make::Off => {}
        }
    }

    fn resource(&mut self, name: &str, row: &StructureRow) {
        let known = r4()
            .type_named(name)
            .is_some_and(|def| def.kind() == TypeKind::Resource);
        if !known {
            let mut bad = Bad::new(row.cells.make, format!("{name} is no resource"));
            bad.nearest = nearest(name, r4().resources().map(|def| def.name())).map(str::to_owned);
            self.errors.push(bad);
        }
    }

    /// Tables named by tests are there.
    pub(super) fn tests(&mut self, tests: &'a [Test]) {
        for test in tests {
            if let crate::syntax::Check::InTable(crate::syntax::TableRef::Name(name)) = &test.check {
                self.table_named(name, test.span);
            }
        }
    }

    /// A name in a key is that of an instance opened before: of an outer anchor, or of an earlier row.
    fn keys(&mut self, file: &'a StructureFile, n: usize, row: &'a StructureRow) {
        let parts = row.key.iter().flat_map(|candidate| &candidate.parts);
        for part in parts {
            let KeyWhat::Name(name) = &part.what else { continue };
            let before = |(m, other): (usize, &StructureRow)| {
                other.name.as_ref() == Some(name) && (m < n || comes_before(&other.at, &row.at))
            };
            let here = file.rows.iter().enumerate().any(before);
            let named_here = file.rows.iter().any(|other| other.name.as_ref() == Some(name));
            if !here && named_here {
                let text = format!("the key needs {name}, which is opened later");
                self.errors.push(Bad::new(part.span, text));
            }
        }
    }

    /// Of rows with one anchor and name those behind one without tests never come into play.
    fn shadowed(&mut self, file: &'a StructureFile, n: usize, row: &'a StructureRow) {
        let same = |other: &&StructureRow| {
            other.name.is_some() && other.name == row.name && other.at.to_string() == row.at.to_string()
        };
        let mut earlier = file.rows.iter().take(n).filter(same);
        let above = earlier.find(|other| other.when.iter().all(|test| holds_in(test, &row.when)));
        if let Some(above) = above {
            let text = format!(
                "never comes into play: line {} is taken whenever this could be",
                above.span.line
            );
            self.errors.push(Bad::new(row.span, text));
        }
    }

    fn fill(&mut self, row: &'a StructureRow, names: &Names<'a>) {
        for part in &row.fill {
            let known: Vec<&str> = match row.make {
                Make::Use => self.library.structures.keys().map(String::as_str).collect(),
                _ => self.library.elements.keys().map(String::as_str).collect(),
            };
            if !known.contains(&part.name.as_str()) {
                let bad = Bad::new(part.span, format!("no file {}.csv is there", part.name));
                self.errors.push(bad.nearest_of(&part.name, known));
            }
        }
        for holder in names.holders(row, self.library, 0) {
            self.instance(row, holder, names);
        }
    }

    fn instance(&mut self, row: &'a StructureRow, holder: Holder<'a>, names: &Names<'a>) {
        let files = row.fill.iter().filter_map(|part| self.library.elements.get(&part.name));
        let files: Vec<_> = files.collect();
        let context = Context {
            holder,
            names,
            params: None,
            within: Vec::new(),
            item: matches!(row.make, Make::Item { .. }),
        };
        for file in &files {
            self.file(file, &context);
        }
        self.required(row, &files, &holder);
    }
}

/// Whether what an anchor opens is there before what another opens: its group lies around the other's, or it is opened by
/// values of the other's own group.
fn comes_before(first: &Place, then: &Place) -> bool {
    let by_value = first.steps.last().is_some_and(|step| !step.parts.is_empty());
    let group = first.steps.len() - usize::from(by_value);
    let pairs = first.steps.iter().take(group).zip(&then.steps);
    let around = pairs.clone().all(|(a, b)| a.to_string() == b.to_string());
    let wanted = if by_value { group } else { group + 1 };
    around && wanted <= then.steps.len()
}

/// Whether a test is among others, as written.
fn holds_in(test: &Test, among: &[Test]) -> bool {
    let written = test.to_string();
    among.iter().any(|other| other.to_string() == written)
}
