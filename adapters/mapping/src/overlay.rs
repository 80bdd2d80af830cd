//! A site's files over a library's: rows that say something of the same place and element replace the base's, tables and
//! settings are merged. A broken overlay is refused as a whole; whether the merged rows fit FHIR is checked elsewhere.

use crate::syntax::{
    Bad, ElementFile, ElementRow, How, Level, Library, Make, Problem, Source, StructureFile, StructureRow,
};

impl Library {
    /// This library with a site's files over it.
    ///
    /// # Errors
    /// What is wrong in the site's files; the library at hand stays as it is.
    pub fn with_site(&self, site: &str, sources: &[Source<'_>]) -> Result<Self, Vec<Problem>> {
        let layer = format!("sites/{site}/");
        let mut over = Self {
            files: self.files.clone(),
            ..Self::default()
        };
        let mut bad = Vec::new();
        for source in sources {
            over.add(source, &layer, &mut bad);
        }
        if !bad.is_empty() {
            return Err(over.problems(Level::Error, bad));
        }
        Ok(self.merged(over))
    }

    fn merged(&self, over: Self) -> Self {
        let mut merged = self.clone();
        merged.files = over.files;
        merged.digests.extend(over.digests);
        merged.site = over.site.over(&self.site);
        for (name, file) in over.elements {
            let rows = element_rows(file.rows, self.elements.get(&name));
            merged.elements.insert(name.clone(), ElementFile { name, rows });
        }
        for (name, file) in over.structures {
            let rows = structure_rows(file.rows, self.structures.get(&name));
            merged.structures.insert(name.clone(), StructureFile { name, rows });
        }
        for (name, table) in over.tables {
            let table = match self.tables.get(&name) {
                Some(base) => table.over(base),
                None => table,
            };
            merged.tables.insert(name, table);
        }
        merged
            .extensions
            .retain(|base| over.extensions.iter().all(|own| own.id != base.id));
        merged.extensions.extend(over.extensions);
        merged
            .messages
            .retain(|base| over.messages.iter().all(|own| own.message != base.message));
        merged.messages.splice(0..0, over.messages);
        merged.resolve();
        merged
    }

    /// What only an overlay may say, said in the library itself.
    pub(crate) fn off_rows(&self, bad: &mut Vec<Bad>) {
        let text = "'off' is for a site's overlay: here the row can go";
        let elements = self.elements.values().flat_map(|file| &file.rows);
        bad.extend(
            elements
                .filter(|row| row.how == How::Off)
                .map(|row| Bad::new(row.cells.how, text)),
        );
        let structures = self.structures.values().flat_map(|file| &file.rows);
        bad.extend(
            structures
                .filter(|row| row.make == Make::Off)
                .map(|row| Bad::new(row.span, text)),
        );
    }
}

/// The site's rows, then the base's that none of them replaces.
fn element_rows(own: Vec<ElementRow>, base: Option<&ElementFile>) -> Vec<ElementRow> {
    let replaced: Vec<_> = own.iter().map(subject).collect();
    let kept = base.into_iter().flat_map(|file| &file.rows);
    let kept: Vec<ElementRow> = kept.filter(|row| !replaced.contains(&subject(row))).cloned().collect();
    own.into_iter().chain(kept).collect()
}

/// What an element row is about: its `from` and `to`.
pub(crate) fn subject(row: &ElementRow) -> (String, String) {
    let from: Vec<String> = row.from.iter().map(ToString::to_string).collect();
    let to = row.to.as_ref().map(ToString::to_string).unwrap_or_default();
    (from.join(" + "), to)
}

/// The base's rows, those replaced by the site's of the same anchor and name in their stead; its new rows come last, so
/// that an instance they name in a key is there before.
fn structure_rows(own: Vec<StructureRow>, base: Option<&StructureFile>) -> Vec<StructureRow> {
    let mut left: Vec<Option<StructureRow>> = own.into_iter().map(Some).collect();
    let mut replaced: Vec<(String, Option<String>)> = Vec::new();
    let mut rows = Vec::new();
    for row in base.into_iter().flat_map(|file| &file.rows) {
        let about = anchor(row);
        let same = |own: &Option<StructureRow>| own.as_ref().is_some_and(|own| stands_for(own, row));
        let instead: Vec<StructureRow> = left
            .iter_mut()
            .filter(|own| same(own))
            .filter_map(Option::take)
            .collect();
        if !instead.is_empty() {
            replaced.push(about.clone());
        } else if !replaced.contains(&about) {
            rows.push(row.clone());
        }
        rows.extend(instead);
    }
    rows.extend(left.into_iter().flatten());
    rows.retain(|row| row.make != Make::Off);
    rows
}

fn anchor(row: &StructureRow) -> (String, Option<String>) {
    (row.at.to_string(), row.name.clone())
}

/// Rows without a name (`use`) are told apart by what they fill too.
fn stands_for(own: &StructureRow, base: &StructureRow) -> bool {
    let fills = |row: &StructureRow| row.fill.iter().map(|file| file.name.clone()).collect::<Vec<_>>();
    anchor(own) == anchor(base) && (own.name.is_some() || fills(own) == fills(base))
}

#[cfg(test)]
mod tests;
