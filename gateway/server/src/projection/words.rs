//! What a message can be found by: names, identifiers, codes and displays of its bundle, at most 4 KiB. Read from the
//! FHIR, so every format is found the same way. Each ideograph becomes a word of its own and queries are phrases, so 张伟
//! is found in 张伟民 and 建国 in 王建国.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use causeway_core::fhir::Kind;
use causeway_core::store::{Index, KeyKind};
use causeway_core::{Bundle, NodeId, Tree};

/// Most bytes of words a message is found by.
const BYTES: usize = 4 << 10;

/// What a bundle can be found by.
pub fn index(bundle: &Bundle) -> Index {
    let mut index = Index::default();
    let mut seen = HashSet::new();
    for (resource_type, resource) in bundle.resources() {
        let kind = match resource_type {
            "Patient" => Some(KeyKind::Patient),
            "ServiceRequest" | "DiagnosticReport" => Some(KeyKind::Order),
            "Specimen" => Some(KeyKind::Accession),
            "Encounter" => Some(KeyKind::Visit),
            _ => None,
        };
        let mut gather = Gather {
            tree: &bundle.tree,
            index: &mut index,
            seen: &mut seen,
            kind,
        };
        for member in bundle.tree.children(resource) {
            gather.member(member);
        }
    }
    index
}

struct Gather<'a> {
    tree: &'a Tree,
    index: &'a mut Index,
    /// Hashes of the lines so far.
    seen: &'a mut HashSet<u64>,
    kind: Option<KeyKind>,
}

impl Gather<'_> {
    fn member(&mut self, member: NodeId) {
        let tree = self.tree;
        match tree.name(member) {
            "identifier" | "accessionIdentifier" => self.identifiers(member),
            "name" | "code" | "valueCodeableConcept" | "type" => {
                for item in tree.items(member) {
                    self.line(|gather| gather.texts(item, 0));
                }
            }
            _ => {}
        }
    }

    fn identifiers(&mut self, member: NodeId) {
        let tree = self.tree;
        for identifier in tree.items(member) {
            let Some(value) = tree.get_str(identifier, "value") else {
                continue;
            };
            if let Some(kind) = self.kind {
                let key = (kind, value.to_owned());
                if !self.index.keys.contains(&key) && self.index.keys.len() < 64 {
                    self.index.keys.push(key);
                }
            }
            self.line(|gather| gather.push(value));
        }
    }

    /// Every text below a name or concept, but for systems and uses, which nobody searches.
    fn texts(&mut self, node: NodeId, depth: usize) {
        let tree = self.tree;
        for child in tree.children(node) {
            match tree.kind(child) {
                Kind::Object | Kind::Array if depth < 4 && tree.name(child) != "extension" => {
                    self.texts(child, depth + 1);
                }
                Kind::String if !matches!(tree.name(child), "system" | "use" | "version" | "url") => {
                    self.push(tree.str(child).unwrap_or_default());
                }
                _ => {}
            }
        }
    }

    /// What is found as a phrase is one line, such as all of a name; a line that stands there already is not needed again.
    fn line(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.index.words.len();
        write(self);
        let line = self.index.words.get(start..).unwrap_or_default();
        let mut hasher = DefaultHasher::new();
        line.hash(&mut hasher);
        if line.is_empty() || !self.seen.insert(hasher.finish()) {
            self.index.words.truncate(start);
        } else {
            self.index.words.pop();
            self.index.words.push('\n');
        }
    }

    fn push(&mut self, text: &str) {
        if self.index.words.len() + text.len() < BYTES {
            self.index.words.push_str(text);
            self.index.words.push(' ');
        }
    }
}

/// A text with each ideograph apart, as it is indexed and as a query's phrase is written.
pub fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for character in text.chars() {
        if is_ideograph(character) {
            out.extend([' ', character, ' ']);
        } else {
            out.push(character);
        }
    }
    out
}

/// CJK ideographs, kana and hangul: scripts written without spaces between words.
fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use causeway_core::fhir::{Limits, parse};

    use super::*;

    #[test]
    fn names_identifiers_and_codes_are_found_and_systems_are_not() {
        let text = r#"{"resourceType":"Bundle","entry":[
            {"resource":{"resourceType":"Patient","identifier":[{"system":"urn:x","value":"0084512"}],
                "name":[{"use":"official","family":"张","given":["建国"]}]}},
            {"resource":{"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"2823-3",
                "display":"Potassium"}],"text":"钾"}}}]}"#;
        let bundle = Bundle {
            tree: parse(text.as_bytes(), Limits::default()).unwrap(),
            ..Bundle::default()
        };
        let index = index(&bundle);
        assert_eq!(index.keys, [(KeyKind::Patient, "0084512".to_owned())]);
        assert_eq!(index.words, "0084512\n张 建国\n2823-3 Potassium 钾\n");
    }

    #[test]
    fn ideographs_stand_apart() {
        assert_eq!(spaced("张伟 Wei"), " 张  伟  Wei");
    }
}
