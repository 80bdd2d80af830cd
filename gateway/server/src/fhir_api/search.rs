//! Searches: the query read, and the page that answers it, a `searchset` with a link to the next (FHIR R4 search 3.1.1).
//! A parameter that is not known is an error: whoever names one would get more than was asked for.

use causeway_core::fhir::{NodeId, Tree, Value, compact};
use causeway_core::origin::OriginId;
use causeway_core::{Class, Finding};
use causeway_fhir::problem;

use super::answer::{behind, json};
use crate::resources::{Criterion, Found, Reader, Search};
use crate::transport::http::Passing;

/// Resources of a page, and the most that `_count` may ask for.
const PAGE: usize = 50;
const MOST: usize = 1_000;

/// The pairs of a query, decoded (application/x-www-form-urlencoded).
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let all = query.split('&').filter(|pair| !pair.is_empty());
    all.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
    .collect()
}

fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let mut digit = || char::from(ahead.next()?).to_digit(16);
                match digit().zip(digit()) {
                    Some((high, low)) => {
                        out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                        rest = ahead;
                    }
                    None => out.push(b'%'),
                }
            }
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A search as it was asked for.
#[derive(Debug)]
pub(super) struct Asked {
    search: Search,
    /// The pairs that say what is searched, as they came, for the links.
    said: String,
    count: usize,
    after: i64,
}

impl Asked {
    pub(super) fn of(kind: &str, query: &str) -> Result<Self, Box<Finding>> {
        let mut asked = Self {
            search: Search {
                kind: kind.to_owned(),
                criteria: Vec::new(),
            },
            said: String::new(),
            count: PAGE,
            after: 0,
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            for (name, value) in pairs(pair) {
                asked.take(pair, &name, &value)?;
            }
        }
        Ok(asked)
    }

    fn take(&mut self, pair: &str, name: &str, value: &str) -> Result<(), Box<Finding>> {
        let number = |text: &str| {
            text.parse()
                .map_err(|_| wrong(format!("{name} is a number, not {text:?}")))
        };
        match name {
            "_count" => self.count = number(value).map(|count: usize| count.min(MOST))?,
            "_after" => {
                self.after = value
                    .parse()
                    .map_err(|_| wrong("_after is what a next link says".to_owned()))?;
                return Ok(());
            }
            "_format" => {}
            _ => {
                let criterion = Criterion::new(&self.search.kind, name, value).map_err(wrong)?;
                self.search.criteria.push(criterion);
            }
        }
        if !self.said.is_empty() {
            self.said.push('&');
        }
        self.said.push_str(pair);
        Ok(())
    }

    /// The page.
    pub(super) fn answer(&self, reader: &Reader, base: &str) -> Result<Passing, Box<Finding>> {
        let page = reader.search(&self.search, self.after, self.count);
        let page = page.map_err(|_| behind())?;
        let next = page.next.filter(|_| self.count > 0);
        Ok(json(200, self.bundle(base, &page.found, next)))
    }

    fn bundle(&self, base: &str, page: &[Found], next: Option<i64>) -> Vec<u8> {
        let url = format!("{base}/{}", self.search.kind);
        let with = |more: String| match (self.said.as_str(), more.as_str()) {
            ("", "") => url.clone(),
            (said, "") => format!("{url}?{said}"),
            ("", more) => format!("{url}?{more}"),
            (said, more) => format!("{url}?{said}&{more}"),
        };
        let mut head = Tree::new(Value::Object);
        let text = |tree: &mut Tree, into, name, text: &str| {
            tree.member(into, name, Value::String(text), OriginId::GENERATED);
        };
        text(&mut head, NodeId::ROOT, "resourceType", "Bundle");
        text(&mut head, NodeId::ROOT, "type", "searchset");
        if self.after == 0 && self.count > 0 && next.is_none() {
            let total = page.len().to_string();
            head.member(NodeId::ROOT, "total", Value::Number(&total), OriginId::GENERATED);
        }
        let links = head.member(NodeId::ROOT, "link", Value::Array, OriginId::GENERATED);
        let own = if self.after == 0 {
            String::new()
        } else {
            format!("_after={}", self.after)
        };
        let next = next.map(|rid| ("next", with(format!("_after={rid}"))));
        for (relation, address) in [("self", with(own))].into_iter().chain(next) {
            let link = head.item(links, Value::Object, OriginId::GENERATED);
            text(&mut head, link, "relation", relation);
            text(&mut head, link, "url", &address);
        }
        let mut out = compact(&head, NodeId::ROOT).into_bytes();
        if !page.is_empty() {
            out.pop(); // the brace, which comes after the entries
            entries(&mut out, &url, page);
        }
        out
    }
}

/// The entries as JSON: bodies stand as they are stored, to the digit.
fn entries(out: &mut Vec<u8>, url: &str, page: &[Found]) {
    out.extend_from_slice(b",\"entry\":[");
    for (number, found) in page.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        let full = format!("{{\"fullUrl\":\"{url}/{}\",\"resource\":", found.id);
        out.extend_from_slice(full.as_bytes());
        out.extend_from_slice(&found.body);
        out.extend_from_slice(b",\"search\":{\"mode\":\"match\"}}");
    }
    out.extend_from_slice(b"]}");
}

fn wrong(text: String) -> Box<Finding> {
    let zh = format!("无法按此检索：{text}");
    Box::new(problem("wrong-search", Class::Value, zh, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_broken_ones_read_as_they_stand() {
        let all = pairs("identifier=urn%3Aoid%3A1.2%7C0084512&name=a+b&x&y=%zz%4");
        let expected = [
            ("identifier", "urn:oid:1.2|0084512"),
            ("name", "a b"),
            ("x", ""),
            ("y", "%zz%4"),
        ];
        assert_eq!(all, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
