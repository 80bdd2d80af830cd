//! Required elements that no row can fill, of an instance and of the items that its labels make.

use std::collections::{BTreeMap, BTreeSet};

use super::Check;
use super::holder::{Holder, resolve};
use crate::syntax::{Bad, ElementFile, ElementRow, How, Make, Segment, StructureRow, Target};

/// Elements that the gateway itself fills.
const OWN: [&str; 2] = ["Bundle.entry", "Extension.url"];

impl<'a> Check<'a> {
    /// Checks that every required element of an instance has a row that can fill it.
    pub(super) fn required(&mut self, row: &'a StructureRow, files: &[&'a ElementFile], holder: &Holder<'a>) {
        let mut rows: Vec<&ElementRow> = Vec::new();
        for file in files {
            self.flat(file, 0, &mut rows);
        }
        let targets: Vec<&Target> = rows.iter().filter_map(|row| row.to.as_ref()).collect();
        let mut filled: BTreeSet<&str> = heads(&targets, 0);
        filled.extend(self.items_of(row));
        if rows.iter().any(|row| row.to.is_none() && matches!(row.how, How::Op(_))) {
            return; // an operation without a target may fill anything
        }
        for name in missing(holder, &filled) {
            let text = format!("{} wants {name}, and no row fills it", holder.name());
            self.errors.push(Bad::new(row.span, text));
        }
        self.required_inside(&rows, holder);
    }

    /// The rows of a file and of the type maps that it feeds into the instance itself.
    fn flat(&self, file: &'a ElementFile, depth: u8, rows: &mut Vec<&'a ElementRow>) {
        for row in &file.rows {
            rows.push(row);
            if let (None, How::TypeMap(map)) = (&row.to, &row.how)
                && depth < 8
                && let Some(inner) = self.library.elements.get(&map.name)
            {
                self.flat(inner, depth + 1, rows);
            }
        }
    }

    /// The elements of a named instance that structure rows make items of.
    fn items_of(&self, row: &StructureRow) -> Vec<&'a str> {
        let rows = self.library.structures.values().flat_map(|file| &file.rows);
        let items = rows.filter_map(|item| match &item.make {
            Make::Item { name, element } if Some(name) == row.name.as_ref() => element.segments.first(),
            _ => None,
        });
        items.map(|segment| segment.element.as_str()).collect()
    }

    /// Required elements of what rows fill piece by piece: `participant#attending` wants its parts, unless a type map
    /// or operation fills it whole.
    fn required_inside(&mut self, rows: &[&'a ElementRow], holder: &Holder<'a>) {
        let mut inside: BTreeMap<String, (&Target, usize)> = BTreeMap::new();
        let mut whole: BTreeSet<String> = BTreeSet::new();
        for target in rows.iter().filter_map(|row| row.to.as_ref()) {
            whole.insert(target.to_string());
            for depth in 1..target.segments.len() {
                inside.entry(prefix(target, depth)).or_insert((target, depth));
            }
        }
        for (path, (target, depth)) in inside {
            if whole.contains(&path) {
                continue;
            }
            let Ok(steps) = resolve(*holder, target, &self.library.extensions) else {
                continue;
            };
            let Some(step) = steps.get(depth - 1) else { continue };
            let among = rows.iter().filter_map(|row| row.to.as_ref());
            let among: Vec<&Target> = among
                .filter(|other| other.segments.len() > depth && prefix(other, depth) == path)
                .collect();
            let filled = heads(&among, depth);
            for name in missing(&step.holder, &filled) {
                self.errors.push(Bad::new(
                    target.span,
                    format!("{path} wants {name}, and no row fills it"),
                ));
            }
        }
    }
}

fn prefix(target: &Target, depth: usize) -> String {
    let segments: Vec<String> = target.segments.iter().take(depth).map(Segment::to_string).collect();
    segments.join(".")
}

/// The elements that targets name at a depth.
fn heads<'t>(targets: &[&'t Target], depth: usize) -> BTreeSet<&'t str> {
    let segments = targets.iter().filter_map(|target| target.segments.get(depth));
    segments.map(|segment| segment.element.as_str()).collect()
}

/// The required elements that are not among the filled ones.
fn missing(holder: &Holder<'_>, filled: &BTreeSet<&str>) -> Vec<&'static str> {
    let mut missing = Vec::new();
    for element in holder.required() {
        let name = element.name();
        let stem = name.strip_suffix("[x]");
        let here = filled.iter().any(|filled| match stem {
            Some(stem) => filled.starts_with(stem),
            None => *filled == name,
        });
        if !here && !OWN.contains(&element.path()) {
            missing.push(name);
        }
    }
    missing
}
