//! Uniting what single instances say of a study into one `ImagingStudy` (DESIGN decision 11). The result depends on the set
//! of statements alone: not on their order, and not on how often one comes. So it can be made anew from all of them or
//! step by step from the last result and one more, with the same bytes.
//!
//! Series are united by `series.uid`, instances by `instance.uid`, lists as sets. Where statements contradict each other on
//! a single value, the least by its text stands, of two times of which one says more the longer. Counts are counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use causeway_core::fhir::{self, Kind};
use causeway_core::{NodeId, Tree};

/// The elements of `ImagingStudy` in the order of the definition (R4); others come before `series` by name.
const STUDY: [&str; 25] = [
    "resourceType",
    "id",
    "meta",
    "implicitRules",
    "language",
    "text",
    "contained",
    "extension",
    "modifierExtension",
    "identifier",
    "status",
    "modality",
    "subject",
    "encounter",
    "started",
    "basedOn",
    "referrer",
    "interpreter",
    "endpoint",
    "numberOfSeries",
    "numberOfInstances",
    "procedureCode",
    "location",
    "reasonCode",
    "description",
];
/// Those of a series.
const SERIES: [&str; 13] = [
    "id",
    "extension",
    "uid",
    "number",
    "modality",
    "description",
    "numberOfInstances",
    "endpoint",
    "bodySite",
    "laterality",
    "specimen",
    "started",
    "performer",
];
/// Those of an instance.
const INSTANCE: [&str; 6] = ["id", "extension", "uid", "sopClass", "number", "title"];

/// A study as stated so far.
#[derive(Debug, Clone, Default)]
pub struct Study {
    said: Said,
    series: BTreeMap<String, Series>,
}

#[derive(Debug, Clone, Default)]
struct Series {
    said: Said,
    instances: BTreeMap<String, Said>,
}

/// Statements of one study, in any order, as one resource in JSON.
pub fn unite(statements: &[Tree]) -> String {
    Study::of(statements.iter().map(|tree| (tree, NodeId::ROOT))).json()
}

/// What is said of one thing, apart from what lies in it.
#[derive(Debug, Clone, Default)]
struct Said {
    single: BTreeMap<String, String>,
    lists: BTreeMap<String, BTreeSet<String>>,
    /// For the order of siblings.
    number: Option<i64>,
}

impl Study {
    /// A study of several statements.
    pub fn of<'a>(statements: impl IntoIterator<Item = (&'a Tree, NodeId)>) -> Self {
        let mut study = Self::default();
        for (tree, node) in statements {
            study.add(tree, node);
        }
        study
    }

    /// Adds what an `ImagingStudy` states: of one instance, or an earlier result.
    pub fn add(&mut self, tree: &Tree, node: NodeId) {
        let skipped = ["series", "numberOfSeries", "numberOfInstances"];
        self.said.add(tree, node, &skipped);
        for series in tree.select(node, &["series"]) {
            let uid = tree.get_str(series, "uid").unwrap_or_default();
            self.series.entry(uid.to_owned()).or_default().add(tree, series);
        }
    }

    /// How many instances there are.
    pub fn instances(&self) -> usize {
        self.series.values().map(|series| series.instances.len()).sum()
    }

    /// The resource as compact JSON.
    pub fn json(&self) -> String {
        let mut said = self.said.clone();
        said.count("numberOfSeries", self.series.len());
        said.count("numberOfInstances", self.instances());
        let mut out = String::from("{");
        said.write(&STUDY, &mut out);
        let mut order: Vec<_> = self.series.iter().collect();
        order.sort_by_key(|(uid, series)| (series.said.number.unwrap_or(i64::MAX), uid.as_str()));
        list(&mut out, "series", order.into_iter().map(|(_, series)| series.json()));
        out.push('}');
        out
    }
}

impl Series {
    fn add(&mut self, tree: &Tree, node: NodeId) {
        self.said.add(tree, node, &["instance", "numberOfInstances"]);
        for instance in tree.select(node, &["instance"]) {
            let uid = tree.get_str(instance, "uid").unwrap_or_default();
            let said = self.instances.entry(uid.to_owned()).or_default();
            said.add(tree, instance, &[]);
        }
    }

    fn json(&self) -> String {
        let mut said = self.said.clone();
        said.count("numberOfInstances", self.instances.len());
        let mut out = String::from("{");
        said.write(&SERIES, &mut out);
        let mut order: Vec<_> = self.instances.iter().collect();
        order.sort_by_key(|(uid, said)| (said.number.unwrap_or(i64::MAX), uid.as_str()));
        let instances = order.into_iter().map(|(_, said)| {
            let mut out = String::from("{");
            said.write(&INSTANCE, &mut out);
            out.push('}');
            out
        });
        list(&mut out, "instance", instances);
        out.push('}');
        out
    }
}

impl Said {
    fn add(&mut self, tree: &Tree, node: NodeId, skipped: &[&str]) {
        for child in tree
            .children(node)
            .filter(|child| !skipped.contains(&tree.name(*child)))
        {
            let name = tree.name(child).to_owned();
            if tree.kind(child) == Kind::Array {
                let items = tree.children(child).map(|item| fhir::compact(tree, item));
                self.lists.entry(name).or_default().extend(items);
            } else {
                self.add_single(name, fhir::compact(tree, child));
            }
        }
        let number = self.single.get("number").and_then(|text| text.parse().ok());
        self.number = number;
    }

    fn add_single(&mut self, name: String, text: String) {
        match self.single.get_mut(&name) {
            Some(known) if rank(&text) < rank(known) => *known = text,
            Some(_) => {}
            None => drop(self.single.insert(name, text)),
        }
    }

    /// A number that is counted and not said.
    fn count(&mut self, name: &str, count: usize) {
        self.single.insert(name.to_owned(), count.to_string());
    }

    /// Writes the members, known names in their order and others behind them.
    fn write(&self, order: &[&str], out: &mut String) {
        for name in order {
            self.member(name, out);
        }
        let names: BTreeSet<&String> = self.single.keys().chain(self.lists.keys()).collect();
        for name in names.into_iter().filter(|name| !order.contains(&name.as_str())) {
            self.member(name, out);
        }
    }

    fn member(&self, name: &str, out: &mut String) {
        if let Some(items) = self.lists.get(name) {
            list(out, name, items.iter().cloned());
        } else if let Some(text) = self.single.get(name) {
            begin(out, name);
            out.push_str(text);
        }
    }
}

/// Least first; of two that begin alike the longer, which says more.
fn rank(text: &str) -> impl Ord {
    let inner = text.strip_suffix('"').unwrap_or(text).to_owned();
    inner + "\u{10FFFF}"
}

fn begin(out: &mut String, name: &str) {
    if !out.ends_with(['{', '[']) {
        out.push(',');
    }
    // Names of elements need no escapes, and writing to a String cannot fail.
    let _written = write!(out, "\"{name}\":");
}

fn list(out: &mut String, name: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        return;
    }
    begin(out, name);
    out.push('[');
    out.push_str(&items.join(","));
    out.push(']');
}

#[cfg(test)]
mod tests {
    use causeway_core::fhir::{Limits, parse};
    use proptest::prelude::*;

    use super::*;

    fn statement(series: u32, instance: u32, description: &str) -> Tree {
        let modality = if series.is_multiple_of(2) { "CT" } else { "SR" };
        let text = format!(
            r#"{{"resourceType":"ImagingStudy","id":"s","status":"available",
            "modality":[{{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"{modality}"}}],
            "subject":{{"reference":"Patient/p"}},"started":"2024-05-06","description":"{description}",
            "numberOfInstances":1,"series":[{{"uid":"1.2.{series}","number":{series},
            "modality":{{"code":"{modality}"}},"instance":[{{"uid":"1.2.{series}.{instance}","number":{instance},
            "sopClass":{{"system":"urn:ietf:rfc:3986","code":"urn:oid:1.2.840.10008.5.1.4.1.1.2"}}}}]}}]}}"#
        );
        parse(text.as_bytes(), Limits::default()).unwrap()
    }

    fn united(statements: &[Tree]) -> String {
        Study::of(statements.iter().map(|tree| (tree, NodeId::ROOT))).json()
    }

    #[test]
    fn instances_are_counted_once_and_stand_in_their_order() {
        let all = [
            statement(2, 10, "b"),
            statement(1, 2, "a"),
            statement(1, 1, "a"),
            statement(2, 10, "b"),
        ];
        let tree = parse(united(&all).as_bytes(), Limits::default()).unwrap();
        let text = |path: &[&str]| -> Vec<String> {
            let found = tree.select(NodeId::ROOT, path);
            found
                .iter()
                .map(|node| tree.text(*node).unwrap_or_default().to_owned())
                .collect()
        };
        assert_eq!(text(&["numberOfSeries"]), ["2"]);
        assert_eq!(text(&["numberOfInstances"]), ["3"]);
        assert_eq!(text(&["series", "uid"]), ["1.2.1", "1.2.2"]);
        assert_eq!(text(&["series", "instance", "uid"]), ["1.2.1.1", "1.2.1.2", "1.2.2.10"]);
        assert_eq!(text(&["modality", "code"]), ["CT", "SR"]);
        assert_eq!(text(&["description"]), ["a"]);
    }

    #[test]
    fn a_time_that_says_more_stands_before_one_that_says_less() {
        let day = r#"{"started":"2024-05-06"}"#;
        let hour = r#"{"started":"2024-05-06T07:08:09+08:00"}"#;
        let trees = [day, hour].map(|text| parse(text.as_bytes(), Limits::default()).unwrap());
        assert!(united(&trees).contains("T07:08:09+08:00"));
        assert_eq!(united(&trees), united(&[trees[1].clone(), trees[0].clone()]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        /// 1,000 instances in any order, some twice, all at once or one after the other onto the result so far.
        #[test]
        fn a_thousand_instances_in_any_order_give_the_same_bytes(
            order in Just((0..1_000u32).collect::<Vec<_>>()).prop_shuffle(),
            again in proptest::collection::vec(0..1_000u32, 0..50),
        ) {
            let one = |number: u32| statement(number % 7, number, ["x", "y", "z"][number as usize % 3]);
            let sorted: Vec<Tree> = (0..1_000).map(one).collect();
            let expected = united(&sorted);
            let shuffled: Vec<Tree> = order.iter().chain(&again).map(|number| one(*number)).collect();
            prop_assert_eq!(&united(&shuffled), &expected);
            let (first, rest) = shuffled.split_at(500);
            let so_far = parse(united(first).as_bytes(), Limits::default()).unwrap();
            let steps: Vec<Tree> = std::iter::once(so_far).chain(rest.iter().cloned()).collect();
            prop_assert_eq!(&united(&steps), &expected);
        }
    }
}
