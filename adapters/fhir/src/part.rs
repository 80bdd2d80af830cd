//! The parts of a request: one for a resource, a transaction or a message, one for each entry of a batch. Each becomes a
//! Bundle whose entries say what is to be done with them, so that whoever stores it need not know the request. Ids that
//! the gateway gives follow from the request and the entry's number, so that running it again gives the same.

use std::collections::HashMap;

use causeway_core::fhir::{NodeId, Tree, Value};
use causeway_core::{Class, Finding, id};

use crate::adapter::Reading;
use crate::build::{array, item, object, set_text, text};
use crate::names::{is_id, is_type_name};
use crate::problem::problem;
use crate::references::rewrite;
use crate::request::Operation;

/// A part: its Bundle, what it is called, and what is wrong with it.
pub(crate) struct Part {
    pub(crate) tree: Tree,
    pub(crate) name: String,
    pub(crate) findings: Vec<Finding>,
}

/// What kind of Bundle a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No Bundle: one resource, or the wish to delete one.
    Single,
    /// Every entry stands for itself.
    Batch,
    /// All entries or none.
    Transaction,
    /// A message, or a Bundle of another kind in a file.
    Message,
}

/// The kind of a request's body.
///
/// # Errors
/// The body is not what the operation takes.
pub(crate) fn kind(operation: &Operation, tree: &Tree) -> Result<Kind, Box<Finding>> {
    let named = tree.get_str(NodeId::ROOT, "resourceType").unwrap_or_default();
    let expected = match operation {
        Operation::Delete(..) | Operation::DeleteWhere(..) => return Ok(Kind::Single),
        Operation::Create(kind) | Operation::Update(kind, _) | Operation::UpdateWhere(kind, _) => kind,
        Operation::File if named != "Bundle" => named,
        Operation::Bundle | Operation::ProcessMessage | Operation::File => "Bundle",
    };
    if named.is_empty() || named != expected {
        return Err(wrong(
            format!("请求体应为 {expected}，实为 {}", said(named)),
            format!("the body must be a {expected} and is {}", said(named)),
        ));
    }
    if let Operation::Update(_, id) = operation
        && tree.get_str(NodeId::ROOT, "id") != Some(id)
    {
        return Err(problem(
            "wrong-id",
            Class::Value,
            "资源的 id 必须与路径中的 id 相同",
            "the resource must have the id of the path",
        )
        .into());
    }
    if named != "Bundle"
        || !matches!(
            operation,
            Operation::Bundle | Operation::ProcessMessage | Operation::File
        )
    {
        return Ok(Kind::Single);
    }
    let of = tree.get_str(NodeId::ROOT, "type").unwrap_or_default();
    match (of, operation) {
        ("batch", Operation::Bundle | Operation::File) => Ok(Kind::Batch),
        ("transaction", Operation::Bundle | Operation::File) => Ok(Kind::Transaction),
        ("message", _) | (_, Operation::File) => Ok(Kind::Message),
        _ => Err(wrong(
            format!("此处不接受类型为 {} 的 Bundle", said(of)),
            format!("a Bundle of type {} is not taken here", said(of)),
        )),
    }
}

fn said(text: &str) -> &str {
    if text.is_empty() { "(-)" } else { text }
}

fn wrong(zh: String, en: String) -> Box<Finding> {
    problem("wrong-body", Class::Structure, zh, en).into()
}

/// How many parts a request has.
pub(crate) fn count(reading: &Reading) -> usize {
    if reading.kind == Kind::Batch {
        entries(&reading.tree).len()
    } else {
        1
    }
}

pub(crate) fn entries(tree: &Tree) -> Vec<NodeId> {
    let entry = tree.get(NodeId::ROOT, "entry");
    entry.map(|entry| tree.children(entry).collect()).unwrap_or_default()
}

/// The part of a number.
pub(crate) fn part(reading: &Reading, number: usize, hash: &[u8; 32]) -> Option<Part> {
    match reading.kind {
        Kind::Single => Some(single(reading, hash)),
        Kind::Message => Some(message(reading)),
        Kind::Transaction => Some(transaction(reading, hash)),
        Kind::Batch => {
            let entry = *entries(&reading.tree).get(number)?;
            Some(of_batch(reading, entry, number, hash))
        }
    }
}

/// A Bundle with one empty entry.
fn wrapper(kind: &str) -> (Tree, NodeId) {
    let mut tree = Tree::new(Value::Object);
    text(&mut tree, NodeId::ROOT, "resourceType", "Bundle");
    text(&mut tree, NodeId::ROOT, "type", kind);
    let all = array(&mut tree, NodeId::ROOT, "entry");
    let entry = item(&mut tree, all);
    (tree, entry)
}

fn single(reading: &Reading, hash: &[u8; 32]) -> Part {
    let (mut tree, entry) = wrapper("transaction");
    let sent = |name| reading.tree.get_str(NodeId::ROOT, name);
    let own = sent("id").filter(|id| is_id(id));
    let (method, kind, known, condition) = match &reading.operation {
        Operation::Update(kind, id) => ("PUT", kind.as_str(), Some(id.as_str()), None),
        Operation::UpdateWhere(kind, condition) => ("PUT", kind.as_str(), own, Some(condition)),
        Operation::Delete(kind, id) => ("DELETE", kind.as_str(), Some(id.as_str()), None),
        Operation::DeleteWhere(kind, condition) => ("DELETE", kind.as_str(), None, Some(condition)),
        Operation::Create(kind) => ("POST", kind.as_str(), None, None),
        _ => ("POST", sent("resourceType").unwrap_or_default(), None, None),
    };
    let id = known.map_or_else(|| new_id(reading, kind, 0, hash), str::to_owned);
    if method != "DELETE" {
        text(&mut tree, entry, "fullUrl", &format!("{}/{kind}/{id}", reading.base()));
        let resource = object(&mut tree, entry, "resource");
        tree.copy(resource, &reading.tree, NodeId::ROOT);
        set_text(&mut tree, resource, "id", &id);
    }
    let request = object(&mut tree, entry, "request");
    text(&mut tree, request, "method", method);
    let url = condition.map_or_else(
        || format!("{kind}/{id}"),
        |condition| format!("{kind}/{}?{condition}", known.unwrap_or_default()),
    );
    text(&mut tree, request, "url", &url);
    for (name, value) in [
        ("ifMatch", &reading.head.if_match),
        ("ifNoneExist", &reading.head.if_none_exist),
    ] {
        if !value.is_empty() {
            text(&mut tree, request, name, value);
        }
    }
    Part {
        tree,
        name: format!("{method} {kind}"),
        findings: Vec::new(),
    }
}

/// A message says what it says; its event is its name.
fn message(reading: &Reading) -> Part {
    let tree = reading.tree.clone();
    let header = tree.select(NodeId::ROOT, &["entry", "resource", "eventCoding", "code"]);
    let event = header
        .first()
        .and_then(|code| tree.str(*code))
        .unwrap_or("message")
        .to_owned();
    Part {
        tree,
        name: event,
        findings: Vec::new(),
    }
}

fn transaction(reading: &Reading, hash: &[u8; 32]) -> Part {
    let mut tree = reading.tree.clone();
    let mut findings = Vec::new();
    let mut names = HashMap::new();
    for (number, entry) in entries(&tree).into_iter().enumerate() {
        if let Err(finding) = named(reading, &mut tree, entry, number, hash, &mut names) {
            findings.push((*finding).at_node(entry));
        }
    }
    rewrite(&mut tree, &names);
    Part {
        tree,
        name: "transaction".to_owned(),
        findings,
    }
}

fn of_batch(reading: &Reading, from: NodeId, number: usize, hash: &[u8; 32]) -> Part {
    let (mut tree, entry) = wrapper("batch");
    tree.copy(entry, &reading.tree, from);
    let done = named(reading, &mut tree, entry, number, hash, &mut HashMap::new());
    Part {
        tree,
        name: "batch".to_owned(),
        findings: done
            .err()
            .map(|finding| (*finding).at_node(entry))
            .into_iter()
            .collect(),
    }
}

/// Checks an entry's request and gives what is to be created its id: `request.url` names the resource afterwards, and the
/// condition that says which one, if any.
fn named(
    reading: &Reading,
    tree: &mut Tree,
    entry: NodeId,
    number: usize,
    hash: &[u8; 32],
    full_urls: &mut HashMap<String, String>,
) -> Result<(), Box<Finding>> {
    let request = tree.get(entry, "request").ok_or_else(|| incomplete("request"))?;
    let method = tree.get_str(request, "method").unwrap_or_default().to_owned();
    let said_url = tree.get_str(request, "url").unwrap_or_default().to_owned();
    let (path, condition) = said_url
        .split_once('?')
        .map_or((said_url.as_str(), None), |(path, condition)| (path, Some(condition)));
    let condition = condition.filter(|condition| !condition.is_empty());
    let resource = tree.get(entry, "resource");
    let kind = resource.and_then(|resource| tree.get_str(resource, "resourceType"));
    let own = resource.and_then(|resource| tree.get_str(resource, "id"));
    let steps: Vec<&str> = path.split('/').collect();
    let (place, url) = match (method.as_str(), steps.as_slice(), resource, condition) {
        ("POST", [type_name], Some(resource), None) if is_type_name(type_name) && kind == Some(*type_name) => {
            let id = new_id(reading, type_name, number, hash);
            set_text(tree, resource, "id", &id);
            (format!("{type_name}/{id}"), None)
        }
        ("PUT", [type_name], Some(resource), Some(condition))
            if is_type_name(type_name) && kind == Some(*type_name) =>
        {
            let own = own.filter(|id| is_id(id)).map(str::to_owned);
            let id = own.clone().unwrap_or_else(|| new_id(reading, type_name, number, hash));
            set_text(tree, resource, "id", &id);
            let url = format!("{type_name}/{}?{condition}", own.unwrap_or_default());
            (format!("{type_name}/{id}"), Some(url))
        }
        ("PUT", [type_name, id], Some(_), None) if kind == Some(*type_name) && is_id(id) => {
            if own != Some(*id) {
                return Err(incomplete("resource.id"));
            }
            (path.to_owned(), None)
        }
        ("DELETE", [type_name, id], None, None) if is_type_name(type_name) && is_id(id) => (path.to_owned(), None),
        ("DELETE", [type_name], None, Some(condition)) if is_type_name(type_name) => {
            (format!("{type_name}/"), Some(format!("{type_name}/?{condition}")))
        }
        ("POST" | "PUT" | "DELETE", ..) => return Err(incomplete("request.url")),
        _ => {
            return Err(problem(
                "method-not-allowed",
                Class::UnsupportedType,
                format!("Bundle 条目不支持 {}", said(&method)),
                format!("entries with {} are not supported", said(&method)),
            )
            .into());
        }
    };
    if let Some(full) = tree.get_str(entry, "fullUrl").filter(|full| full.starts_with("urn:")) {
        full_urls.insert(full.to_owned(), place.clone());
    }
    set_text(tree, request, "url", url.as_ref().unwrap_or(&place));
    Ok(())
}

fn incomplete(what: &str) -> Box<Finding> {
    wrong(
        format!("条目的 {what} 缺失或与资源不符"),
        format!("the entry's {what} is missing or does not fit its resource"),
    )
}

fn new_id(reading: &Reading, kind: &str, number: usize, hash: &[u8; 32]) -> String {
    let request = &reading.head.request;
    let id = if request.is_empty() {
        id::unkeyed(hash, kind, number as u64)
    } else {
        id::resource(&id::authority(request), kind, &number.to_string())
    };
    id.to_string()
}
