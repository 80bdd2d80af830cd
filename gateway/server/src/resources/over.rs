//! A statement laid over what is known of a resource: element by element, by what R4 says is one element. What is done with
//! the outcome, and when a statement counts at all, is said elsewhere.

use causeway_core::fhir::{NodeId, Tree, Value};
use causeway_core::origin::OriginId;
use causeway_profiles::{TypeDef, r4};

/// The older elements in their order, each replaced where the newer says it; then what is new. All that says one element
/// goes with it: one type of a choice with another (R4 JSON format, choice of data types), and `_birthDate` with another
/// `birthDate`; what stands beside a primitive that is said again as it was stays. What is said of a value ends with it
/// ([`ends`]).
pub(super) fn merge(old: &Tree, new: &Tree, removed: &[&str]) -> Tree {
    let mut merged = Tree::new(Value::Object);
    let root = NodeId::ROOT;
    let kind = new.get_str(root, "resourceType").and_then(|kind| r4().type_named(kind));
    let element = |name| element(kind, name);
    let stated: Vec<(&str, NodeId)> = new
        .children(root)
        .map(|member| (element(new.name(member)), member))
        .collect();
    let removed: Vec<&str> = removed.iter().map(|name| element(name)).collect();
    let mut put: Vec<&str> = Vec::new();
    for member in old.children(root) {
        let name = element(old.name(member));
        let mut says = stated.iter().filter(|(stated, _)| *stated == name).peekable();
        if says.peek().is_none() {
            if !ends(name, old, new, &stated) && !removed.contains(&name) {
                merged.copy_one(root, old, member);
            }
        } else if !put.contains(&name) {
            put.push(name);
            for (_, stated) in says {
                if name == "identifier" {
                    unite(&mut merged, (old, member), (new, *stated));
                } else {
                    merged.copy_one(root, new, *stated);
                }
            }
        }
        if stands_beside(old, member, new) {
            merged.copy_one(root, old, member);
        }
    }
    for (_, member) in stated.iter().filter(|(name, _)| !put.contains(name)) {
        merged.copy_one(root, new, *member);
    }
    merged
}

/// Whether an element of an Observation that is not stated ends with what is: a value and the reason why there is none (obs-6)
/// end each other, and a judgement ends with the value that it judged, or the flag of a wrong result would stand at the right
/// one.
fn ends(name: &str, old: &Tree, new: &Tree, stated: &[(&str, NodeId)]) -> bool {
    let says = |wanted: &str| stated.iter().any(|(stated, _)| *stated == wanted);
    let is_known = |member: NodeId| {
        let known = old.get(NodeId::ROOT, new.name(member));
        known.is_some_and(|known| old.same(known, new, member))
    };
    match name {
        "dataAbsentReason" => says("value[x]"),
        "value[x]" => says("dataAbsentReason"),
        "interpretation" => {
            let mut values = stated.iter().filter(|(stated, _)| *stated == "value[x]");
            says("dataAbsentReason") || values.any(|(_, member)| !is_known(*member))
        }
        _ => false,
    }
}

/// Whether a member is what stands beside a primitive that the newer says again as it was, and nothing beside it.
fn stands_beside(old: &Tree, member: NodeId, new: &Tree) -> bool {
    let Some(plain) = old.name(member).strip_prefix('_') else {
        return false;
    };
    let (before, now) = (old.get(NodeId::ROOT, plain), new.get(NodeId::ROOT, plain));
    let again = before.zip(now).is_some_and(|(before, now)| old.same(before, new, now));
    again && new.get(NodeId::ROOT, old.name(member)).is_none()
}

/// The element that a member says: `birthDate` of `_birthDate`, `value[x]` of `valueQuantity`; the member's own name where R4
/// does not know it.
fn element(kind: Option<TypeDef>, name: &str) -> &str {
    let plain = name.strip_prefix('_').unwrap_or(name);
    let found = kind.and_then(|kind| kind.element(plain));
    found.map_or(plain, |found| found.element.name())
}

/// Identifiers unite by system and value; one that both have is as the newer says.
fn unite(merged: &mut Tree, (old, before): (&Tree, NodeId), (new, stated): (&Tree, NodeId)) {
    let all = merged.member(NodeId::ROOT, "identifier", Value::Array, OriginId::GENERATED);
    let key = |tree: &Tree, node| {
        let text = |name| tree.get_str(node, name).map(str::to_owned);
        (text("system"), text("value"))
    };
    let mut rest: Vec<NodeId> = new.children(stated).collect();
    for node in old.children(before) {
        match rest.iter().position(|other| key(new, *other) == key(old, node)) {
            Some(at) => merged.copy_one(all, new, rest.remove(at)),
            None => merged.copy_one(all, old, node),
        }
    }
    for node in rest {
        merged.copy_one(all, new, node);
    }
}

/// Whether a statement speaks of every element of a version, so that it says it again as a whole.
pub(super) fn says_all(old: &Tree, new: &Tree) -> bool {
    let mut members = old.children(NodeId::ROOT).map(|member| old.name(member));
    members.all(|name| name == "meta" || new.get(NodeId::ROOT, name).is_some())
}

/// Whether two versions say the same, `meta` apart.
pub(super) fn says_the_same(old: &Tree, merged: &Tree) -> bool {
    let members = |tree: &Tree| -> Vec<NodeId> {
        let all = tree.children(NodeId::ROOT);
        all.filter(|member| tree.name(*member) != "meta").collect()
    };
    let (old_members, members) = (members(old), members(merged));
    old_members.len() == members.len()
        && old_members
            .iter()
            .zip(&members)
            .all(|(a, b)| old.name(*a) == merged.name(*b) && old.same(*a, merged, *b))
}

#[cfg(test)]
mod tests {
    use causeway_core::fhir::{Limits, compact, parse};

    use super::*;

    fn tree(text: &str) -> Tree {
        parse(text.as_bytes(), Limits::default()).unwrap()
    }

    fn merged(old: &str, new: &str, removed: &[&str]) -> String {
        compact(&merge(&tree(old), &tree(new), removed), NodeId::ROOT)
    }

    #[test]
    fn stated_elements_replace_absent_ones_stay_and_identifiers_unite() {
        let old = r#"{"id":"1","identifier":[{"system":"a","value":"1"},{"system":"b","value":"2"}],"name":[{"text":"x"}],"gender":"male"}"#;
        let new = r#"{"id":"1","identifier":[{"system":"b","value":"2","use":"old"},{"value":"3"}],"name":[{"text":"y"}],"birthDate":"1979"}"#;
        assert_eq!(
            merged(old, new, &["gender"]),
            r#"{"id":"1","identifier":[{"system":"a","value":"1"},{"system":"b","value":"2","use":"old"},{"value":"3"}],"name":[{"text":"y"}],"birthDate":"1979"}"#
        );
    }

    #[test]
    fn what_says_nothing_new_is_the_same_but_for_meta() {
        let old = tree(r#"{"id":"1","meta":{"versionId":"3"},"value":1.0}"#);
        assert!(says_the_same(&old, &tree(r#"{"id":"1","value":1.0}"#)));
        assert!(!says_the_same(&old, &tree(r#"{"id":"1","value":1.00}"#)));
    }

    #[test]
    fn an_element_of_a_choice_is_there_once_as_it_was_stated_last() {
        let old =
            r#"{"resourceType":"Observation","id":"1","status":"final","valueQuantity":{"value":5},"issued":"x"}"#;
        let new = r#"{"resourceType":"Observation","id":"1","status":"corrected","valueString":"clotted"}"#;
        let text =
            r#"{"resourceType":"Observation","id":"1","status":"corrected","valueString":"clotted","issued":"x"}"#;
        assert_eq!(merged(old, new, &[]), text);
        // Back again, and what stood beside the string goes with it.
        let beside = r#"{"resourceType":"Observation","valueString":"a","_valueString":{"id":"b"},"status":"final"}"#;
        let number = r#"{"resourceType":"Observation","valueInteger":3}"#;
        assert_eq!(
            merged(beside, number, &[]),
            r#"{"resourceType":"Observation","valueInteger":3,"status":"final"}"#
        );
        // Nothing but an extension says that there is no value any more.
        let nothing = r#"{"resourceType":"Observation","_valueDateTime":{"extension":[{"url":"u"}]}}"#;
        assert_eq!(
            merged(old, nothing, &[]),
            r#"{"resourceType":"Observation","id":"1","status":"final","_valueDateTime":{"extension":[{"url":"u"}]},"issued":"x"}"#
        );
    }

    #[test]
    fn a_value_that_comes_ends_the_reason_for_there_being_none() {
        let old = r#"{"resourceType":"Observation","status":"registered","dataAbsentReason":{"text":"pending"}}"#;
        let new = r#"{"resourceType":"Observation","status":"final","valueString":"x"}"#;
        assert_eq!(merged(old, new, &[]), new);
    }

    #[test]
    fn a_reason_for_there_being_no_value_ends_the_value_and_what_was_said_of_it() {
        let old = r#"{"resourceType":"Observation","status":"final","valueQuantity":{"value":7.1},"interpretation":[{"text":"HH"}],"method":{"text":"m"}}"#;
        let new = r#"{"resourceType":"Observation","status":"cancelled","dataAbsentReason":{"text":"clotted"}}"#;
        assert_eq!(
            merged(old, new, &[]),
            r#"{"resourceType":"Observation","status":"cancelled","method":{"text":"m"},"dataAbsentReason":{"text":"clotted"}}"#
        );
    }

    #[test]
    fn a_flag_goes_with_the_value_that_it_was_put_on() {
        let old = r#"{"resourceType":"Observation","status":"final","valueQuantity":{"value":7.1},"interpretation":[{"text":"HH"}]}"#;
        let corrected = r#"{"resourceType":"Observation","status":"corrected","valueQuantity":{"value":4.1}}"#;
        assert_eq!(merged(old, corrected, &[]), corrected);
        let in_words = r#"{"resourceType":"Observation","status":"corrected","valueString":"normal"}"#;
        assert_eq!(merged(old, in_words, &[]), in_words);
        // Said again without its flag, or not at all, the value keeps it.
        let again = merged(old, &corrected.replace("4.1", "7.1"), &[]);
        assert_eq!(again, old.replace("final", "corrected"));
        let status = merged(old, r#"{"resourceType":"Observation","status":"corrected"}"#, &[]);
        assert_eq!(status, again);
    }

    #[test]
    fn every_choice_of_every_resource_is_there_once() {
        let mut choices = 0;
        for kind in r4().resources() {
            for choice in kind.elements().filter(causeway_profiles::Element::is_choice) {
                let stem = choice.name().trim_end_matches("[x]");
                let concrete = |code: &str| {
                    let (first, rest) = code.split_at(1);
                    format!("{stem}{}{rest}", first.to_uppercase())
                };
                let names: Vec<String> = choice.types().map(|kind| concrete(kind.code())).collect();
                for (before, now) in names.iter().zip(names.iter().skip(1)) {
                    let says = |name: &str| format!(r#"{{"resourceType":"{}","{name}":1}}"#, kind.name());
                    assert_eq!(merged(&says(before), &says(now), &[]), says(now));
                }
                choices += 1;
            }
        }
        assert!(choices > 50, "{choices}");
    }

    #[test]
    fn names_that_begin_alike_are_elements_apart() {
        let old = r#"{"resourceType":"Patient","deceasedDateTime":"2026","multipleBirthInteger":2,"birthDate":"1979","_birthDate":{"id":"t"}}"#;
        let new = r#"{"resourceType":"Patient","birthDate":"1980","multipleBirthBoolean":true,"multipleBirths":1}"#;
        assert_eq!(
            merged(old, new, &[]),
            r#"{"resourceType":"Patient","deceasedDateTime":"2026","multipleBirthBoolean":true,"birthDate":"1980","multipleBirths":1}"#
        );
        // The time of a birth stays where only its day is said again.
        let again = r#"{"resourceType":"Patient","birthDate":"1979"}"#;
        let kept = merged(old, again, &[]);
        assert!(kept.contains(r#""birthDate":"1979","_birthDate":{"id":"t"}"#), "{kept}");
        // What is removed goes whole, as which type it was known.
        let gone = merged(old, r#"{"resourceType":"Patient"}"#, &["deceasedBoolean", "birthDate"]);
        assert_eq!(gone, r#"{"resourceType":"Patient","multipleBirthInteger":2}"#);
    }
}
