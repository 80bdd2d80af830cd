//! Searches: the query read, and the page that answers it, a `searchset` with a link to the next (FHIR R4 search 3.1.1).
//! A parameter that is not known is an error: whoever names one would get more than was asked for.

use causeway_core::fhir::{NodeId, Tree, Value, compact};
use causeway_core::origin::OriginId;
use causeway_core::{Class, Finding, HttpHead};
use causeway_fhir::{FORM, problem};

use super::answer::{behind, json};
use super::shape::Shape;
use crate::resources::{Criterion, Found, Reader, Search};
use crate::transport::http::Passing;

/// Resources of a page, and the most that `_count` may ask for.
const PAGE: usize = 50;
const MOST: usize = 1_000;
/// The longest form of a search, in bytes.
const LONGEST: usize = 64 << 10;

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

/// The query of a search that is posted: what its body says, after what its address does (FHIR R4 HTTP 3.1.0.9).
pub(super) fn posted(head: &HttpHead, body: &[u8]) -> Result<String, Box<Finding>> {
    let media = head.media_type();
    if !media.is_empty() && media != FORM {
        let (zh, en) = (
            format!("检索请求体应为 {FORM}"),
            format!("a search is posted as {FORM}"),
        );
        return Err(Box::new(problem("media-type", Class::UnsupportedType, zh, en)));
    }
    let form = std::str::from_utf8(body).ok().filter(|form| form.len() <= LONGEST);
    let form = form
        .ok_or_else(|| wrong(format!("the form is UTF-8 of at most {LONGEST} bytes")))?
        .trim();
    let both = [head.query.as_str(), form];
    let both: Vec<&str> = both.into_iter().filter(|part| !part.is_empty()).collect();
    Ok(both.join("&"))
}

/// A search as it was asked for.
#[derive(Debug)]
pub(super) struct Asked {
    search: Search,
    /// The pairs that say what is searched, as they came, for the links.
    said: String,
    count: usize,
    after: i64,
    shape: Shape,
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
            shape: Shape::default(),
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
            "_format" | "_pretty" => {}
            _ if self.shape.take(name, value).map_err(wrong)? => {}
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

    /// Whether only the number of what is found is asked for (FHIR R4 search 3.1.1.5.6: a `_count` of 0 means the same).
    pub(super) fn counts(&self) -> bool {
        self.shape == Shape::Count || self.count == 0
    }

    /// How many there are behind a number on one page of the tables, and where the next begins.
    pub(super) fn counted(&self, reader: &Reader, after: i64) -> Result<(usize, Option<i64>), Box<Finding>> {
        let page = reader.search(&self.search, after, MOST).map_err(|_| behind())?;
        Ok((page.found.len(), page.next))
    }

    /// The answer to a search that asks for the number.
    pub(super) fn number(&self, base: &str, total: usize) -> Passing {
        json(200, self.bundle(base, Vec::new(), None, Some(total)))
    }

    /// The page, and how many are on it.
    pub(super) fn answer(&self, reader: &Reader, base: &str) -> Result<(Passing, usize), Box<Finding>> {
        let page = reader.search(&self.search, self.after, self.count);
        let page = page.map_err(|_| behind())?;
        let found = page.found.len();
        let total = (self.after == 0 && page.next.is_none()).then_some(found);
        Ok((json(200, self.bundle(base, page.found, page.next, total)), found))
    }

    fn bundle(&self, base: &str, page: Vec<Found>, next: Option<i64>, total: Option<usize>) -> Vec<u8> {
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
        if let Some(total) = total {
            let total = total.to_string();
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
            self.entries(&mut out, &url, page);
        }
        out
    }

    /// The entries as JSON: bodies stand as they are stored, to the digit.
    fn entries(&self, out: &mut Vec<u8>, url: &str, page: Vec<Found>) {
        out.extend_from_slice(b",\"entry\":[");
        for (number, found) in page.into_iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            let full = format!("{{\"fullUrl\":\"{url}/{}\",\"resource\":", found.id);
            out.extend_from_slice(full.as_bytes());
            out.extend_from_slice(&self.shape.shown(found.body));
            out.extend_from_slice(b",\"search\":{\"mode\":\"match\"}}");
        }
        out.extend_from_slice(b"]}");
    }
}

/// More than are counted.
pub(super) fn too_many(most: usize) -> Box<Finding> {
    Box::new(problem(
        "too-costly",
        Class::Business,
        format!("匹配的资源超过 {most} 个，请缩小检索范围"),
        format!("more than {most} resources meet this search; ask for less"),
    ))
}

pub(super) fn wrong(text: String) -> Box<Finding> {
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
