//! A structure as a page to read: Markdown with each instance, where it comes from, its rows, the type maps and tables
//! they use. Nothing is looked at but the rows.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::check::OpFact;
use crate::explain::{is_made_by, joined, made, tests};
use crate::syntax::{
    ElementFile, ElementRow, How, KeyCandidate, KeyPart, KeyWhat, Library, Make, ParamValue, StructureFile,
    StructureRow, TableRef,
};
use crate::table::{Entry, Table, To};

/// Tables with more rows are named with their size only.
const LONG: usize = 60;

/// A structure as Markdown; none when there is no structure of that name.
pub fn page(library: &Library, structure: &str) -> Option<String> {
    let file = library.structures.get(structure)?;
    let mut page = Page {
        library,
        text: format!("# {structure}\n"),
        structures: BTreeSet::new(),
        files: BTreeSet::new(),
        maps: Vec::new(),
        tables: BTreeSet::new(),
    };
    page.messages(structure);
    page.structure(file);
    page.type_maps();
    page.tables();
    Some(page.text)
}

/// The named operations as Markdown.
pub fn operations(ops: &[OpFact<'_>]) -> String {
    let mut text = String::from(
        "# Named operations\n\n| operation | writes | reads besides | tables | what it does |\n|---|---|---|---|---|\n",
    );
    for op in ops {
        let cells = [
            op.name,
            &op.writes.join(", "),
            &op.reads.join(", "),
            &op.tables.join(", "),
            op.doc,
        ]
        .map(cell);
        line(&mut text, &format!("| {} |", cells.join(" | ")));
    }
    text
}

struct Page<'a> {
    library: &'a Library,
    text: String,
    /// Structure files shown.
    structures: BTreeSet<&'a str>,
    /// Element files shown; a second instance that the same file fills refers to the first.
    files: BTreeSet<&'a str>,
    /// Type maps met, in order.
    maps: Vec<&'a str>,
    tables: BTreeSet<&'a str>,
}

impl<'a> Page<'a> {
    fn messages(&mut self, structure: &str) {
        let rows = self.library.messages.iter().filter(|row| row.structure == structure);
        let names: Vec<&str> = rows.map(|row| row.message.as_str()).collect();
        if !names.is_empty() {
            self.line(&format!("\nReads {}.", names.join(", ")));
        }
    }

    /// A structure and those it uses in their places, each once.
    fn structure(&mut self, file: &'a StructureFile) {
        if !self.structures.insert(&file.name) {
            return;
        }
        for row in &file.rows {
            if row.make != Make::Use {
                self.instance(row);
                continue;
            }
            for used in row
                .fill
                .iter()
                .filter_map(|part| self.library.structures.get(&part.name))
            {
                self.structure(used);
            }
        }
    }

    fn instance(&mut self, row: &'a StructureRow) {
        let name = row.name.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
        self.line(&format!("\n## {}: {}{name}\n", row.at, made(row)));
        if !row.when.is_empty() {
            self.line(&format!("- when {}", cell(&tests(&row.when))));
        }
        if !row.key.is_empty() {
            self.line(&format!("- key {}", cell(&key(&row.key))));
        }
        if !row.note.is_empty() {
            self.line(&format!("- {}", row.note));
        }
        self.line(&format!("- {}", self.library.row_text(row.span)));
        for file in row.fill.iter().filter_map(|part| self.library.elements.get(&part.name)) {
            self.file(file);
        }
    }

    fn file(&mut self, file: &'a ElementFile) {
        if !self.files.insert(&file.name) {
            return self.line(&format!("\n{}.csv: as above.", file.name));
        }
        self.line(&format!("\n{}.csv\n", file.name));
        self.rows(file);
    }

    fn rows(&mut self, file: &'a ElementFile) {
        self.line("| line | source | condition | target | how | note |");
        self.line("|---|---|---|---|---|---|");
        for row in &file.rows {
            let to = row.to.as_ref().map(ToString::to_string).unwrap_or_default();
            let cells = [
                joined(&row.from),
                tests(&row.when),
                to,
                row.how.to_string(),
                row.note.clone(),
            ];
            let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
            self.line(&format!("| {} | {} |", row.span.line, cells.join(" | ")));
            self.meet(row);
        }
    }

    /// Notes the type maps and tables that a row uses.
    fn meet(&mut self, row: &'a ElementRow) {
        match &row.how {
            How::TypeMap(map) => {
                let makes = self
                    .library
                    .structures
                    .get("types")
                    .into_iter()
                    .flat_map(|file| &file.rows);
                for row in makes.filter(|row| is_made_by(row, map)) {
                    self.maps.extend(row.fill.iter().map(|part| part.name.as_str()));
                }
                self.maps.push(&map.name);
                self.tables
                    .extend(map.params.iter().filter_map(|param| match &param.value {
                        ParamValue::Text(text) => Some(text.as_str()),
                        ParamValue::Place(_) => None,
                    }));
            }
            How::Table(TableRef::Name(name)) => {
                self.tables.insert(name);
            }
            _ => {}
        }
    }

    fn type_maps(&mut self) {
        let mut next = 0;
        let mut headed = false;
        while let Some(name) = self.maps.get(next).copied() {
            next += 1;
            let Some(file) = self.library.elements.get(name) else {
                continue;
            };
            if !self.files.insert(&file.name) {
                continue;
            }
            if !headed {
                self.line("\n# Type maps");
                headed = true;
            }
            self.line(&format!("\n## {name}\n"));
            self.rows(file);
        }
    }

    fn tables(&mut self) {
        let tables: Vec<&Table> = self
            .tables
            .iter()
            .filter_map(|name| self.library.tables.get(*name))
            .collect();
        if !tables.is_empty() {
            self.line("\n# Tables");
        }
        for table in tables {
            self.line(&format!("\n## table {}\n", table.name));
            let size = table.entries().count();
            if size > LONG {
                self.line(&format!("{size} rows: see tables/{}.csv.", table.name));
                continue;
            }
            self.line("| code | to | system | display | note |");
            self.line("|---|---|---|---|---|");
            for entry in table.entries() {
                self.line(&table_row(entry));
            }
        }
    }

    fn line(&mut self, text: &str) {
        line(&mut self.text, text);
    }
}

fn line(page: &mut String, text: &str) {
    page.push_str(text);
    page.push('\n');
}

fn table_row(entry: &Entry) -> String {
    let to = match &entry.to {
        To::Code(code) => code.as_str(),
        To::None => "no element",
        To::Same => "the same code",
    };
    let cells = [entry.code.as_str(), to, &entry.system, &entry.display, &entry.note].map(cell);
    format!("| {} |", cells.join(" | "))
}

/// A key as its cell writes it.
pub(crate) fn key(candidates: &[KeyCandidate]) -> String {
    let mut text = String::new();
    for (n, candidate) in candidates.iter().enumerate() {
        let parts: Vec<String> = candidate.parts.iter().map(key_part).collect();
        let bar = if n > 0 { " | " } else { "" };
        write!(text, "{bar}{}", parts.join(" + ")).unwrap_or(());
    }
    text
}

fn key_part(part: &KeyPart) -> String {
    let what = match &part.what {
        KeyWhat::Place(place) => place.to_string(),
        KeyWhat::Name(name) => name.clone(),
        KeyWhat::Ordinal => "ordinal".to_owned(),
    };
    if part.optional { format!("{what}?") } else { what }
}

/// A text that does not end a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests;
