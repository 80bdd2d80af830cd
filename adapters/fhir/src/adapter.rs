//! FHIR as the gateway sees it: requests in, a draft for each part, one response out.

use causeway_core::adapter::Trace;
use causeway_core::fhir::{Limits, NodeId, Tree, parse};
use causeway_core::finding::Lang;
use causeway_core::{
    Adapter, Answer, Bundle, Class, Context, Draft, Finding, Head, HttpHead, Intent, Key, Parcel, Parsed, Reply,
    Source, Stamp,
};

use crate::delivery::transaction;
use crate::part::{self, Kind};
use crate::problem::problem;
use crate::reply::{self, Sum};
use crate::request::{Operation, language, media_problem};

/// Entries of a Bundle that are taken at once.
const ENTRIES: usize = 20_000;

/// The FHIR adapter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fhir {
    lang: Lang,
}

impl Fhir {
    /// An adapter that answers in a language where the request names none.
    pub fn new(lang: Lang) -> Self {
        Self { lang }
    }

    fn context(self, reading: &Reading) -> Context {
        let known = reading.tree.get(NodeId::ROOT, "identifier");
        let known = known.and_then(|identifier| reading.tree.get_str(identifier, "value"));
        Context {
            format: self.name().to_owned(),
            message_type: reading.name(),
            control_id: known.unwrap_or(&reading.head.request).to_owned(),
            snapshot: self.snapshot(),
            ..Context::default()
        }
    }
}

/// A request, read.
#[derive(Debug)]
pub struct Reading {
    pub(crate) head: HttpHead,
    pub(crate) operation: Operation,
    pub(crate) kind: Kind,
    pub(crate) tree: Tree,
    pub(crate) lang: Lang,
    next: usize,
}

impl Reading {
    /// The address that the sender knows us by; a file has none.
    pub(crate) fn base(&self) -> &str {
        if self.head.base.is_empty() {
            "urn:causeway"
        } else {
            &self.head.base
        }
    }

    fn name(&self) -> String {
        match &self.operation {
            Operation::Create(kind) => format!("POST {kind}"),
            Operation::Update(kind, _) | Operation::UpdateWhere(kind, _) => format!("PUT {kind}"),
            Operation::Delete(kind, _) | Operation::DeleteWhere(kind, _) => format!("DELETE {kind}"),
            Operation::ProcessMessage => "message".to_owned(),
            Operation::Bundle | Operation::File => {
                self.tree.get_str(NodeId::ROOT, "type").unwrap_or("resource").to_owned()
            }
        }
    }
}

impl Adapter for Fhir {
    type Message = Reading;
    type Sum = Sum;

    fn name(&self) -> &'static str {
        "fhir"
    }

    fn snapshot(&self) -> String {
        "fhir-4.0.1".to_owned() // there are no maps
    }

    fn parse(&self, head: &Head, source: &mut dyn Source) -> Parsed<Reading> {
        match self.read(head, source) {
            Ok(reading) => Parsed::clean(reading),
            Err(finding) => Parsed::failed(*finding),
        }
    }

    fn key(&self, reading: &Reading) -> Option<Key> {
        let identifier = reading.tree.get(NodeId::ROOT, "identifier")?;
        let id = reading.tree.get_str(identifier, "value")?;
        (reading.kind != Kind::Single).then(|| Key {
            sender: reading
                .tree
                .get_str(identifier, "system")
                .unwrap_or_default()
                .to_owned(),
            id: id.to_owned(),
        })
    }

    fn envelope(&self, reading: &Reading) -> Context {
        self.context(reading)
    }

    fn commit(&self, _reading: &Reading, _stamp: &Stamp) -> Option<Reply> {
        None
    }

    fn next(&self, reading: &mut Reading, _source: &mut dyn Source, hash: &[u8; 32]) -> Option<Draft> {
        if reading.next >= part::count(reading) {
            return None;
        }
        let part = part::part(reading, reading.next, hash)?;
        reading.next += 1;
        let bundle = Bundle {
            tree: part.tree,
            ..Bundle::default()
        };
        let mut findings = part.findings;
        for finding in &mut findings {
            bundle.locate(finding);
        }
        let context = Context {
            message_type: part.name,
            patient: patient(&bundle),
            ..self.context(reading)
        };
        Some(Draft {
            bundle,
            intent: Intent::Submission,
            context,
            findings,
            verbatim: true,
        })
    }

    fn add(&self, sum: &mut Sum, _part: u32, answer: &Answer) {
        sum.add(answer);
    }

    fn reply(&self, reading: &Reading, sum: Sum, _stamp: &Stamp) -> Vec<Reply> {
        vec![reply::reply(reading, &sum)]
    }

    fn refuse(&self, head: &Head, _first: &[u8], findings: &[Finding], _stamp: &Stamp) -> Reply {
        let (path, lang) = match head {
            Head::Http(head) => (head.path.as_str(), language(head, self.lang)),
            Head::Mllp | Head::File { .. } | Head::Dimse { .. } => ("", self.lang),
        };
        reply::refusal(findings, path, lang)
    }

    /// A transaction for a server that takes our ids.
    fn from_fhir(&self, parcel: &Parcel<'_>, _stamp: &Stamp) -> Parsed<Vec<u8>> {
        transaction(parcel, true)
    }

    /// Nothing is mapped: the FHIR is what was sent.
    fn trace(&self, _head: &Head, _source: &mut dyn Source, _hash: &[u8; 32]) -> Parsed<Trace> {
        Parsed::clean(Trace::default())
    }
}

impl Fhir {
    fn read(self, head: &Head, source: &mut dyn Source) -> Result<Reading, Box<Finding>> {
        let operation = Operation::of(head)?;
        let http = match head {
            Head::Http(head) => (**head).clone(),
            Head::Mllp | Head::File { .. } | Head::Dimse { .. } => HttpHead::default(),
        };
        if let Some(problem) = media_problem(&http, operation.has_body()) {
            return Err(problem.into());
        }
        let tree = if operation.has_body() {
            body(source)?
        } else {
            Tree::default()
        };
        let kind = part::kind(&operation, &tree)?;
        if part::entries(&tree).len() > ENTRIES {
            return Err(Box::new(problem(
                "too-large",
                Class::TooLong,
                format!("Bundle 的条目超过 {ENTRIES} 个"),
                format!("the Bundle has more than {ENTRIES} entries"),
            )));
        }
        let lang = language(&http, self.lang);
        Ok(Reading {
            head: http,
            operation,
            kind,
            tree,
            lang,
            next: 0,
        })
    }
}

/// The body's JSON; the finding of one that is none says line, column and path.
fn body(source: &mut dyn Source) -> Result<Tree, Box<Finding>> {
    let bytes = source.whole().map_err(|fault| {
        let text = fault.to_string();
        Box::new(problem("unreadable", Class::Internal, text.clone(), text))
    })?;
    parse(&bytes, Limits::default()).map_err(|error| {
        let mut finding = problem(
            "not-json",
            Class::Structure,
            format!(
                "不是合法的 JSON：第 {} 行第 {} 列，{}",
                error.line, error.column, error.reason
            ),
            format!(
                "not JSON: line {}, column {}: {}",
                error.line, error.column, error.reason
            ),
        );
        finding.path = Some(error.path);
        Box::new(finding)
    })
}

/// The patient that a Bundle speaks of: its own, or whom its first resource with a subject names.
fn patient(bundle: &Bundle) -> Option<String> {
    let tree = &bundle.tree;
    let own = bundle.resources().find(|(kind, _)| *kind == "Patient");
    if let Some(id) = own.and_then(|(_, resource)| tree.get_str(resource, "id")) {
        return Some(id.to_owned());
    }
    let subjects = bundle.resources().flat_map(|(_, resource)| {
        let of = move |name: &str| {
            tree.get(resource, name)
                .and_then(|held| tree.get_str(held, "reference"))
        };
        [of("subject"), of("patient")]
    });
    let id = subjects
        .flatten()
        .find_map(|reference| reference.rsplit_once("Patient/"))?
        .1;
    Some(id.to_owned())
}
