//! Cards become findings (CDS Hooks 2.0, "CDS Service Response"). A card that breaks the specification makes the whole
//! answer unusable, since the rest of a service that lies cannot be trusted; system actions are never carried out.

use std::borrow::Cow;

use causeway_core::{Actor, ActorKind, Bundle, Class, Fault, FaultKind, Finding, NodeId, Severity, Text};
use serde::Deserialize;

/// Cards taken of one answer at most.
const CARDS: usize = 32;
/// Longest summary (CDS Hooks 2.0: less than 140 characters).
const SUMMARY: usize = 140;
/// Longest detail that is kept.
const DETAIL: usize = 4_000;

#[derive(Debug, Deserialize)]
struct Answer {
    cards: Vec<Card>,
}

#[derive(Debug, Deserialize)]
struct Card {
    uuid: Option<String>,
    summary: String,
    detail: Option<String>,
    indicator: Indicator,
    source: Source,
    extension: Option<Extension>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Indicator {
    Info,
    Warning,
    Critical,
}

#[derive(Debug, Deserialize)]
struct Source {
    label: String,
    url: Option<String>,
}

/// Our extension of a card: the entry of the bundle that it speaks of, and its summary in Chinese.
#[derive(Debug, Deserialize)]
struct Extension {
    #[serde(rename = "health.causeway.focus")]
    focus: Option<String>,
    #[serde(rename = "health.causeway.summary-zh")]
    summary_zh: Option<String>,
}

/// The findings of an answer.
///
/// # Errors
/// It is no answer as the specification has it.
pub(super) fn findings(service: &Actor, bundle: &Bundle, answer: &[u8]) -> Result<Vec<Finding>, Fault> {
    let broken =
        |why: Cow<'static, str>| Fault::new(FaultKind::Unreadable, "its answer breaks the specification").inside(why);
    // serde's own text quotes values, which may be a patient's; line and column are enough to find it.
    let answer: Answer = serde_json::from_slice(answer)
        .map_err(|error| broken(format!("line {}, column {}", error.line(), error.column()).into()))?;
    if answer.cards.len() > CARDS {
        return Err(broken("too many cards".into()));
    }
    answer
        .cards
        .into_iter()
        .map(|card| finding(service, bundle, card).ok_or_else(|| broken("a wrong card".into())))
        .collect()
}

fn finding(service: &Actor, bundle: &Bundle, card: Card) -> Option<Finding> {
    if card.summary.is_empty() || card.summary.chars().count() >= SUMMARY || card.source.label.is_empty() {
        return None;
    }
    let severity = match card.indicator {
        Indicator::Info => Severity::Information,
        // Advice is never the sender's fault: a critical card is still no error.
        Indicator::Warning | Indicator::Critical => Severity::Warning,
    };
    let extension = card.extension.as_ref();
    let zh = extension
        .and_then(|e| e.summary_zh.clone())
        .unwrap_or_else(|| card.summary.clone());
    let mut by = service.clone();
    by.kind = ActorKind::Hook;
    let mut finding = Finding::new("advice", severity, Class::Business, by, Text::new(zh, card.summary));
    if let Some(focus) = extension.and_then(|extension| extension.focus.as_deref()) {
        finding = finding.at_node(entry(bundle, focus)?);
    }
    finding.evidence.push(card.source.label);
    finding.evidence.extend(card.source.url);
    finding.evidence.extend(card.uuid.map(|uuid| format!("card {uuid}")));
    finding.suggestion = card.detail.map(|detail| {
        let detail: String = detail.chars().take(DETAIL).collect();
        Text::new(detail.clone(), detail)
    });
    Some(finding)
}

/// The resource of a full URL or relative reference. A focus that names nothing in the bundle is a lie.
fn entry(bundle: &Bundle, focus: &str) -> Option<NodeId> {
    let tree = &bundle.tree;
    let entries = tree.get(NodeId::ROOT, "entry")?;
    let named = tree
        .children(entries)
        .find(|entry| tree.get_str(*entry, "fullUrl") == Some(focus));
    let resource = named.and_then(|entry| tree.get(entry, "resource")).or_else(|| {
        let (resource_type, id) = focus.split_once('/')?;
        let same = |(name, node): &(&str, NodeId)| *name == resource_type && tree.get_str(*node, "id") == Some(id);
        bundle.resources().find(same).map(|(_, node)| node)
    })?;
    // The value, where there is one: its place is the one that the sender knows the result by.
    let value = tree
        .children(resource)
        .find(|member| tree.name(*member).starts_with("value"));
    Some(value.map_or(resource, |value| tree.get(value, "value").unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use causeway_core::fhir::{Limits, parse};

    use super::*;

    fn bundle() -> Bundle {
        let text = br#"{"resourceType":"Bundle","entry":[{"fullUrl":"urn:uuid:1","resource":
            {"resourceType":"Observation","id":"k","valueQuantity":{"value":7.1}}}]}"#;
        Bundle {
            tree: parse(text, Limits::default()).unwrap(),
            ..Bundle::default()
        }
    }

    fn read(answer: &str) -> Result<Vec<Finding>, Fault> {
        findings(&Actor::new(ActorKind::Hook, "ai"), &bundle(), answer.as_bytes())
    }

    #[test]
    fn a_card_becomes_a_finding_at_its_focus() {
        let found = read(
            r#"{"cards":[{"summary":"High potassium","indicator":"critical","source":{"label":"KNet 2"},
                "extension":{"health.causeway.focus":"urn:uuid:1","health.causeway.summary-zh":"高钾"}}]}"#,
        )
        .unwrap();
        let mut finding = found.into_iter().next().unwrap();
        bundle().locate(&mut finding);
        assert_eq!(
            finding.path.as_deref(),
            Some("Bundle.entry[0].resource.valueQuantity.value")
        );
        assert_eq!(
            (finding.severity, finding.text.zh.as_ref()),
            (Severity::Warning, "高钾")
        );
    }

    #[test]
    fn no_cards_is_nothing_found() {
        assert_eq!(read(r#"{"cards":[]}"#).unwrap(), []);
    }

    #[test]
    fn whatever_breaks_the_specification_is_not_evaluated() {
        let long = "x".repeat(140);
        for answer in [
            "",
            "{}",
            "[]",
            r#"{"cards":[{"summary":"","indicator":"info","source":{"label":"a"}}]}"#,
            r#"{"cards":[{"summary":"a","indicator":"fatal","source":{"label":"a"}}]}"#,
            r#"{"cards":[{"summary":"a","indicator":"info"}]}"#,
            r#"{"cards":[{"summary":"a","indicator":"info","source":{"label":"a"},"extension":{"health.causeway.focus":"Observation/other"}}]}"#,
            &format!(r#"{{"cards":[{{"summary":"{long}","indicator":"info","source":{{"label":"a"}}}}]}}"#),
            &format!(r#"{{"cards":{}}}"#, "[".repeat(5000)),
        ] {
            assert_eq!(read(answer).unwrap_err().kind, FaultKind::Unreadable, "{answer}");
        }
    }
}
