//! What the entries of a Bundle ask to be written, as the adapter left it in their requests: `Type/id`, `Type/id?condition`
//! where a search says which resource is meant, `Type/?condition` where the sender gave no id. Whether it can be is
//! decided elsewhere.

use std::borrow::Cow;

use causeway_core::fhir::{NodeId, Tree};
use causeway_core::{Class, Finding};

use super::search::{Criterion, Search};

/// What a write asks for.
#[derive(Debug)]
pub(super) struct Wish<'a> {
    pub(super) entry: u32,
    pub(super) node: NodeId,
    pub(super) method: &'a str,
    pub(super) kind: &'a str,
    pub(super) id: Cow<'a, str>,
    /// Whether the sender named that id.
    pub(super) given: bool,
    /// The search for the resource that is updated or deleted.
    pub(super) of: Option<&'a str>,
    if_match: Option<&'a str>,
    pub(super) if_none_exist: Option<&'a str>,
}

/// The wishes of a Bundle, in order.
pub(super) fn wishes(tree: &Tree) -> Vec<Wish<'_>> {
    let entries = tree.get(NodeId::ROOT, "entry").map(|entry| tree.children(entry));
    let wish = |(number, node): (u32, NodeId)| {
        let request = tree.get(node, "request")?;
        let url = tree.get_str(request, "url")?;
        let (place, of) = url
            .split_once('?')
            .map_or((url, None), |(place, condition)| (place, Some(condition)));
        let (kind, id) = place.split_once('/')?;
        let brought = || {
            tree.get(node, "resource")
                .and_then(|resource| tree.get_str(resource, "id"))
        };
        Some(Wish {
            entry: number,
            node,
            method: tree.get_str(request, "method")?,
            kind,
            id: if id.is_empty() {
                brought().unwrap_or_default()
            } else {
                id
            }
            .into(),
            given: !id.is_empty(),
            of,
            if_match: tree.get_str(request, "ifMatch"),
            if_none_exist: tree.get_str(request, "ifNoneExist"),
        })
    };
    (0..).zip(entries.into_iter().flatten()).filter_map(wish).collect()
}

impl Wish<'_> {
    /// If-Match (RFC 9110 13.1.1): the version that the writer has seen must be the current one.
    pub(super) fn test(&self, known: Option<u64>) -> Result<(), Box<Finding>> {
        let Some(tag) = self.if_match else { return Ok(()) };
        let version = tag.trim_start_matches("W/").trim_matches('"').parse::<u64>();
        if known.is_some_and(|known| version == Ok(known) || tag == "*") {
            return Ok(());
        }
        let now = known.map_or_else(|| "-".to_owned(), |known| known.to_string());
        Err(problem(
            "version-conflict",
            Class::Conflict,
            format!("If-Match 与当前版本 {now} 不符"),
            format!("If-Match is not the current version, which is {now}"),
        ))
    }
}

/// What a condition searches for.
pub(super) fn condition_of(kind: &str, condition: &str) -> Result<Search, Box<Finding>> {
    let wrong = |text: String| {
        problem(
            "wrong-search",
            Class::Value,
            format!("条件无法使用：{text}"),
            text.clone(),
        )
    };
    let query = condition.split_once('?').map_or(condition, |(_, query)| query);
    let mut search = Search {
        kind: kind.to_owned(),
        criteria: Vec::new(),
    };
    for (name, value) in crate::fhir_api::pairs(query) {
        search
            .criteria
            .push(Criterion::new(kind, &name, &value).map_err(wrong)?);
    }
    if search.criteria.is_empty() {
        return Err(wrong("a condition is needed".to_owned()));
    }
    Ok(search)
}

pub(super) fn several() -> Box<Finding> {
    problem(
        "several-match",
        Class::Conflict,
        "条件匹配多个资源",
        "several resources meet the condition",
    )
}

pub(super) fn behind() -> Box<Finding> {
    problem(
        "behind",
        Class::Busy,
        "资源库尚未就绪，请稍后重试",
        "the resources cannot be looked at now; try again",
    )
}

pub(super) fn problem(
    code: &'static str,
    class: Class,
    zh: impl Into<Cow<'static, str>>,
    en: impl Into<Cow<'static, str>>,
) -> Box<Finding> {
    Box::new(causeway_fhir::problem(code, class, zh, en))
}
