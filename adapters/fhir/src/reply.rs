//! Responses: the resource as it is stored, or what was found; of a Bundle one entry for each of its own, in order; of a
//! message the header that answers it (FHIR R4 HTTP 3.1.0, `MessageHeader`).

use std::sync::Arc;

use causeway_core::answer::{Applied, Effect};
use causeway_core::fhir::{NodeId, Tree, Value, compact};
use causeway_core::finding::Lang;
use causeway_core::reply::{ReplyHead, ReplyKind};
use causeway_core::{Answer, Bundle, Finding, Reply, Verdict};
use jiff::Timestamp;

use crate::adapter::Reading;
use crate::build::{array, item, object, set_text, text};
use crate::outcome::{self, outcome};
use crate::part::{Kind, entries};
use crate::status::{fields, status};

/// The media type of every body.
const JSON: &str = "application/fhir+json; fhirVersion=4.0";

/// What a response needs of an answer.
#[derive(Debug)]
struct Decided {
    verdict: Verdict,
    findings: Vec<Finding>,
    applied: Vec<Applied>,
    bundle: Arc<Bundle>,
}

/// What a response needs of the answers, in order of the parts.
#[derive(Debug, Default)]
pub struct Sum(Vec<Decided>);

impl Sum {
    pub(crate) fn add(&mut self, answer: &Answer) {
        self.0.push(Decided {
            verdict: answer.verdict,
            findings: answer.findings.clone(),
            applied: answer.applied.clone(),
            bundle: Arc::clone(&answer.bundle),
        });
    }
}

impl Decided {
    /// The status where it was not taken.
    fn refused(&self) -> Option<u16> {
        match self.verdict {
            Verdict::Failed { retry } => Some(status(&self.findings).unwrap_or(if retry { 503 } else { 500 })),
            Verdict::Refused => Some(status(&self.findings).unwrap_or(422)),
            Verdict::Held => Some(202),
            Verdict::Accepted | Verdict::Remarked => None,
        }
    }
}

impl Decided {
    /// What was found, as the sender of one resource knows it.
    fn outcome(&self, lang: Lang) -> Vec<u8> {
        let told = self.findings.iter().map(|finding| relative(finding, &self.bundle));
        outcome(&told.collect::<Vec<_>>(), lang)
    }
}

/// A request at a path that could not be read or taken.
pub(crate) fn refusal(findings: &[Finding], path: &str, lang: Lang) -> Reply {
    let status = status(findings).unwrap_or(500);
    Reply {
        kind: ReplyKind::Refusal,
        positive: false,
        ..response(status, told(status, findings, path), outcome(findings, lang))
    }
}

fn told(status: u16, findings: &[Finding], path: &str) -> Vec<(String, String)> {
    let fields = fields(status, findings, path).into_iter();
    fields.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The response to a request.
pub(crate) fn reply(reading: &Reading, sum: &Sum) -> Reply {
    match (reading.kind, sum.0.as_slice()) {
        (Kind::Single, [only]) => single(reading, only),
        (Kind::Message, [only]) => message(reading, only),
        (Kind::Transaction, [only]) => match only.refused() {
            Some(status) => {
                let fields = told(status, &only.findings, &reading.head.path);
                response(status, fields, outcome(&only.findings, reading.lang))
            }
            None => several(reading, "transaction-response", sum),
        },
        _ => several(reading, "batch-response", sum),
    }
}

fn response(status: u16, mut headers: Vec<(String, String)>, bytes: Vec<u8>) -> Reply {
    if !bytes.is_empty() {
        headers.push(("content-type".to_owned(), JSON.to_owned()));
    }
    Reply {
        head: ReplyHead::Http { status, headers },
        kind: ReplyKind::Application,
        bytes: bytes.into(),
        positive: status < 400,
    }
}

fn refused(status: u16, decided: &Decided, reading: &Reading) -> Reply {
    let fields = told(status, &decided.findings, &reading.head.path);
    response(status, fields, decided.outcome(reading.lang))
}

fn single(reading: &Reading, decided: &Decided) -> Reply {
    if let Some(status) = decided.refused() {
        return refused(status, decided, reading);
    }
    let Some(applied) = decided.applied.first() else {
        return refused(200, decided, reading);
    };
    let status = done(applied);
    let headers = vec![
        ("etag".to_owned(), etag(applied.version)),
        ("last-modified".to_owned(), http_date(applied.updated)),
        (
            "location".to_owned(),
            format!("{}/{}", reading.head.base, version_path(applied)),
        ),
    ];
    if applied.effect == Effect::Deleted {
        return response(204, vec![("etag".to_owned(), etag(applied.version))], Vec::new());
    }
    let prefer = &reading.head.prefer;
    let body = if prefer.contains("return=OperationOutcome") {
        decided.outcome(reading.lang)
    } else if prefer.contains("return=minimal") || applied.effect == Effect::Found {
        Vec::new()
    } else {
        let resource = decided.bundle.resources().next().map(|(_, resource)| resource);
        resource
            .map(|resource| representation(&decided.bundle.tree, resource, applied))
            .unwrap_or_default()
    };
    response(status, headers, body)
}

fn done(applied: &Applied) -> u16 {
    match applied.effect {
        Effect::Created => 201,
        Effect::Updated | Effect::Found => 200,
        Effect::Deleted => 204,
    }
}

/// A batch's or transaction's response: each entry with its own status and what was found in it.
fn several(reading: &Reading, kind: &str, sum: &Sum) -> Reply {
    let mut tree = Tree::new(Value::Object);
    text(&mut tree, NodeId::ROOT, "resourceType", "Bundle");
    text(&mut tree, NodeId::ROOT, "type", kind);
    let all = array(&mut tree, NodeId::ROOT, "entry");
    for decided in &sum.0 {
        match decided.refused() {
            Some(status) => {
                let response = entry(&mut tree, all, status);
                found(&mut tree, response, decided, |_| true, reading.lang);
            }
            None => taken(&mut tree, all, decided, reading.lang),
        }
    }
    response(200, Vec::new(), compact(&tree, NodeId::ROOT).into_bytes())
}

fn entry(tree: &mut Tree, entries: NodeId, status: u16) -> NodeId {
    let entry = item(tree, entries);
    let response = object(tree, entry, "response");
    text(tree, response, "status", &status.to_string());
    response
}

fn taken(tree: &mut Tree, entries: NodeId, decided: &Decided, lang: Lang) {
    for applied in &decided.applied {
        let response = entry(tree, entries, done(applied));
        if applied.effect != Effect::Deleted {
            text(tree, response, "location", &version_path(applied));
        }
        text(tree, response, "etag", &etag(applied.version));
        text(tree, response, "lastModified", &instant(applied.updated));
        let below = format!("Bundle.entry[{}]", applied.entry);
        let of_entry = |finding: &Finding| finding.path.as_deref().is_some_and(|path| lies_below(path, &below));
        found(tree, response, decided, of_entry, lang);
    }
}

fn lies_below(path: &str, below: &str) -> bool {
    path.strip_prefix(below)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn found(tree: &mut Tree, response: NodeId, decided: &Decided, of: impl Fn(&Finding) -> bool, lang: Lang) {
    let told = decided
        .findings
        .iter()
        .filter(|finding| !finding.is_note() && of(finding));
    let told: Vec<Finding> = told.map(|finding| relative(finding, &decided.bundle)).collect();
    if !told.is_empty() {
        let into = object(tree, response, "outcome");
        outcome::write(tree, into, &told, lang);
    }
}

/// A message's answer: a message that names it (`MessageHeader.response`), with what was found.
fn message(reading: &Reading, decided: &Decided) -> Reply {
    let status = decided.refused();
    let mut tree = Tree::new(Value::Object);
    text(&mut tree, NodeId::ROOT, "resourceType", "Bundle");
    text(&mut tree, NodeId::ROOT, "type", "message");
    let entries = array(&mut tree, NodeId::ROOT, "entry");
    let first = item(&mut tree, entries);
    let header = object(&mut tree, first, "resource");
    text(&mut tree, header, "resourceType", "MessageHeader");
    let theirs = reading
        .tree
        .select(NodeId::ROOT, &["entry", "resource"])
        .into_iter()
        .next();
    let event = theirs.and_then(|theirs| reading.tree.get(theirs, "eventCoding"));
    if let Some(event) = event {
        let coding = object(&mut tree, header, "eventCoding");
        tree.copy(coding, &reading.tree, event);
    }
    let source = object(&mut tree, header, "source");
    text(&mut tree, source, "endpoint", reading.base());
    let response = object(&mut tree, header, "response");
    let id = theirs.and_then(|theirs| reading.tree.get_str(theirs, "id"));
    text(&mut tree, response, "identifier", id.unwrap_or("unknown"));
    let code = match status {
        None | Some(202) => "ok",
        Some(503 | 500) => "transient-error",
        Some(_) => "fatal-error",
    };
    text(&mut tree, response, "code", code);
    let details = object(&mut tree, response, "details");
    text(
        &mut tree,
        details,
        "reference",
        "urn:uuid:00000000-0000-0000-0000-000000000001",
    );
    let second = item(&mut tree, entries);
    text(
        &mut tree,
        second,
        "fullUrl",
        "urn:uuid:00000000-0000-0000-0000-000000000001",
    );
    let into = object(&mut tree, second, "resource");
    outcome::write(&mut tree, into, &decided.findings, reading.lang);
    self::response(
        status.unwrap_or(200),
        Vec::new(),
        compact(&tree, NodeId::ROOT).into_bytes(),
    )
}

/// A finding as the sender of one resource knows it: its path begins at the resource and not at the Bundle around it.
fn relative(finding: &Finding, bundle: &Bundle) -> Finding {
    let inner = |path: &str| {
        let (number, below) = path.strip_prefix("Bundle.entry[")?.split_once("].resource")?;
        let entry = *entries(&bundle.tree).get(number.parse::<usize>().ok()?)?;
        let kind = bundle
            .tree
            .get_str(bundle.tree.get(entry, "resource")?, "resourceType")?;
        Some(format!("{kind}{below}"))
    };
    let mut finding = finding.clone();
    if let Some(path) = finding.path.as_deref().and_then(inner) {
        finding.path = Some(path);
    }
    finding
}

/// A resource as it is stored: what was sent, with its version and time.
pub fn representation(tree: &Tree, resource: NodeId, applied: &Applied) -> Vec<u8> {
    let mut own = Tree::new(Value::Object);
    own.copy(NodeId::ROOT, tree, resource);
    let meta = match own.get(NodeId::ROOT, "meta") {
        Some(meta) => meta,
        None => object(&mut own, NodeId::ROOT, "meta"),
    };
    set_text(&mut own, NodeId::ROOT, "id", &applied.id);
    set_text(&mut own, meta, "versionId", &applied.version.to_string());
    set_text(&mut own, meta, "lastUpdated", &instant(applied.updated));
    compact(&own, NodeId::ROOT).into_bytes()
}

fn version_path(applied: &Applied) -> String {
    format!("{}/{}/_history/{}", applied.kind, applied.id, applied.version)
}

/// The tag of a version (RFC 9110 8.8.3; FHIR R4 HTTP 3.1.0.1.3).
pub fn etag(version: u64) -> String {
    format!("W/\"{version}\"")
}

/// A time as an instant, to the millisecond.
pub fn instant(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A time as HTTP writes it (RFC 9110 5.6.7).
pub fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
