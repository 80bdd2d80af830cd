//! What the validator says of small resources, by the rules of R4's JSON page (2.6.2) and the pages of the resources.

use causeway_core::fhir::{Limits, Value, parse};
use causeway_core::origin::OriginId;
use causeway_core::{Class, NodeId, Severity, Tree};

use super::{MOST_FINDINGS, validate};

mod links;

/// Code and path of each finding.
fn findings(json: &str) -> Vec<(String, String)> {
    let tree = parse(json.as_bytes(), Limits::default()).unwrap();
    let said = validate(&tree).into_iter();
    said.map(|finding| (finding.code.into_owned(), finding.path.unwrap_or_default()))
        .collect()
}

fn check(json: &str, expected: &[(&str, &str)]) {
    let found = findings(json);
    let found: Vec<_> = found
        .iter()
        .map(|(code, path)| (code.as_str(), path.as_str()))
        .collect();
    assert_eq!(found, expected, "{json}");
}

/// A Patient with these members.
fn patient(members: &str, expected: &[(&str, &str)]) {
    check(&format!(r#"{{"resourceType":"Patient",{members}}}"#), expected);
}

/// An Observation that is complete but for these members.
fn observation(members: &str, expected: &[(&str, &str)]) {
    check(
        &format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"K"}},{members}}}"#),
        expected,
    );
}

#[test]
fn a_sound_resource_draws_nothing() {
    observation(
        r##""id":"a-1","meta":{"lastUpdated":"2015-02-07T13:28:17.239+02:00"},
        "contained":[{"resourceType":"Patient","id":"p","name":[{"family":"张","given":["伟",null],
            "_given":[null,{"extension":[{"url":"http://example.org/x","valueBoolean":true}]}]}]}],
        "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},
        "subject":{"reference":"#p"},"_issued":{"id":"x"},"effectiveDateTime":"2015-02",
        "valueQuantity":{"value":6.80,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"},
        "referenceRange":[{"low":{"value":3.5}}],
        "component":[{"code":{"text":"x"},"dataAbsentReason":{"text":"lost"},"referenceRange":[{"text":"y"}]}]"##,
        &[],
    );
}

#[test]
fn the_resource_type_must_be_known() {
    check(r#"{"id":"1"}"#, &[("resource-type-missing", "$this")]);
    check(r#"{"resourceType":"Pateint"}"#, &[("resource-type-unknown", "Pateint")]);
    check(
        r#"{"resourceType":"DomainResource"}"#,
        &[("resource-type-unknown", "DomainResource")],
    );
    check(
        r#"{"resourceType":"HumanName"}"#,
        &[("resource-type-unknown", "HumanName")],
    );
    check("{}", &[("empty-object", "$this")]);
    check("[]", &[("json-kind", "$this")]);
}

#[test]
fn unknown_elements_are_named_with_what_was_meant() {
    patient(r#""birthdate":"1970""#, &[("element-unknown", "Patient.birthdate")]);
    patient(
        r#""name":[{"giver":["A"]}]"#,
        &[("element-unknown", "Patient.name[0].giver")],
    );
    patient(
        r#""contact":[{"resourceType":"x"}]"#,
        &[("element-unknown", "Patient.contact[0].resourceType")],
    );
    patient(r#""_name":[{"id":"x"}]"#, &[("element-unknown", "Patient._name")]);
    // A choice is written with its type.
    patient(r#""deceased":true"#, &[("element-unknown", "Patient.deceased")]);
    patient(r#""deceased[x]":true"#, &[("element-unknown", "Patient.deceased[x]")]);
    let tree = parse(br#"{"resourceType":"Patient","birthdate":"1970"}"#, Limits::default()).unwrap();
    let suggestion = validate(&tree).remove(0).suggestion.unwrap();
    assert_eq!(suggestion.en, "did you mean 'birthDate'?");
}

#[test]
fn cardinality_is_kept() {
    check(
        r#"{"resourceType":"Observation","component":[{"valueString":"x"}]}"#,
        &[
            ("cardinality-min", "Observation.component[0]"),
            ("cardinality-min", "Observation"),
            ("cardinality-min", "Observation"),
        ],
    );
    patient(r#""name":{"family":"A"}"#, &[("array-expected", "Patient.name")]);
    patient(r#""gender":["male"]"#, &[("array-unexpected", "Patient.gender")]);
    observation(
        r#""referenceRange":[{"low":{"value":1,"comparator":"<"}}]"#,
        &[("cardinality-max", "Observation.referenceRange[0].low.comparator")],
    );
    // The extension of a primitive stands for it.
    check(
        r#"{"resourceType":"Observation","_status":{"id":"x"},"code":{"text":"K"}}"#,
        &[],
    );
    // The content of another element is judged like its own.
    observation(
        r#""component":[{"code":{"text":"x"},"referenceRange":[{"lo":1}]}]"#,
        &[("element-unknown", "Observation.component[0].referenceRange[0].lo")],
    );
}

#[test]
fn json_kinds_are_those_of_the_type() {
    patient(r#""active":"true""#, &[("json-kind", "Patient.active")]);
    patient(
        r#""multipleBirthInteger":"2""#,
        &[("json-kind", "Patient.multipleBirthInteger")],
    );
    patient(r#""birthDate":1970"#, &[("json-kind", "Patient.birthDate")]);
    patient(r#""maritalStatus":"M""#, &[("json-kind", "Patient.maritalStatus")]);
    patient(r#""contained":["x"]"#, &[("json-kind", "Patient.contained[0]")]);
    patient(r#""gender":null"#, &[("null-value", "Patient.gender")]);
    patient(r#""name":[null]"#, &[("json-kind", "Patient.name[0]")]);
    patient(
        r#""name":[{"given":["A",null]}]"#,
        &[("null-value", "Patient.name[0].given[1]")],
    );
    patient(
        r#""_birthDate":[{"id":"x"}]"#,
        &[("array-unexpected", "Patient._birthDate")],
    );
    patient(
        r#""name":[{"_given":{"id":"x"}}]"#,
        &[("array-expected", "Patient.name[0]._given")],
    );
    patient(
        r#""_birthDate":{"value":"x"}"#,
        &[("element-unknown", "Patient._birthDate.value")],
    );
}

#[test]
fn nothing_is_empty() {
    patient(r#""maritalStatus":{}"#, &[("empty-object", "Patient.maritalStatus")]);
    patient(r#""name":[]"#, &[("empty-array", "Patient.name")]);
    patient(r#""birthDate":"""#, &[("empty-string", "Patient.birthDate")]);
    patient(r#""_birthDate":{}"#, &[("empty-object", "Patient._birthDate")]);
}

#[test]
fn a_choice_has_one_type() {
    observation(
        r#""valueString":"x","valueInteger":1"#,
        &[("choice-twice", "Observation.valueInteger")],
    );
    observation(r#""valueString":"x","_valueString":{"id":"y"}"#, &[]);
    observation(
        r#""_valueString":{"id":"y"},"valueBoolean":true"#,
        &[("choice-twice", "Observation.valueBoolean")],
    );
}

#[test]
fn primitives_have_their_form() {
    patient(
        r#""birthDate":"1970-13""#,
        &[("primitive-invalid", "Patient.birthDate")],
    );
    patient(r#""id":"a_b""#, &[("primitive-invalid", "Patient.id")]);
    patient(
        r#""deceasedDateTime":"2015-02-07T13:28:17""#,
        &[("primitive-invalid", "Patient.deceasedDateTime")],
    );
    patient(
        r#""multipleBirthInteger":1.0"#,
        &[("primitive-invalid", "Patient.multipleBirthInteger")],
    );
    observation(r#""valueQuantity":{"value":1e400}"#, &[]);
}

#[test]
fn required_codes_are_of_their_set() {
    patient(r#""gender":"M""#, &[("code-unknown", "Patient.gender")]);
    patient(r#""communication":[{"language":{"text":"x"}}]"#, &[]);
    let condition = |status: &str| {
        format!(r#"{{"resourceType":"Condition","subject":{{"reference":"Patient/1"}},"clinicalStatus":{status}}}"#)
    };
    let system = "http://terminology.hl7.org/CodeSystem/condition-clinical";
    check(
        &condition(&format!(r#"{{"coding":[{{"system":"{system}","code":"active"}}]}}"#)),
        &[],
    );
    check(
        &condition(&format!(r#"{{"coding":[{{"system":"{system}","code":"alive"}}]}}"#)),
        &[("code-unknown", "Condition.clinicalStatus.coding[0]")],
    );
    // One of several codings is enough.
    check(
        &condition(&format!(
            r#"{{"coding":[{{"system":"http://x.org","code":"a"}},{{"system":"{system}","code":"active"}}]}}"#
        )),
        &[],
    );
    check(
        &condition(r#"{"text":"active"}"#),
        &[("code-missing", "Condition.clinicalStatus")],
    );
}

/// A code of a system that the pack holds whole; a v2 table does not say that case matters.
#[test]
fn codes_are_of_their_system() {
    let kind = |system: &str, code: &str| {
        format!(r#""identifier":[{{"type":{{"coding":[{{"system":"{system}","code":"{code}"}}]}}}}]"#)
    };
    let table = "http://terminology.hl7.org/CodeSystem/v2-0203";
    patient(&kind(table, "MR"), &[]);
    patient(&kind(table, "mr"), &[]);
    patient(&kind("http://loinc.org", "x"), &[]);
    let path = "Patient.identifier[0].type.coding[0].code";
    patient(&kind(table, "MRX"), &[("code-not-in-system", path)]);
    patient(
        &kind("http://terminology.hl7.org/CodeSystem/v3-ActCode", "imp"),
        &[("code-not-in-system", path)],
    );
}

#[test]
fn findings_say_who_what_and_where() {
    let tree = parse(br#"{"resourceType":"Patient","gender":"M"}"#, Limits::default()).unwrap();
    let finding = validate(&tree).remove(0);
    assert_eq!(finding.node, tree.get(NodeId::ROOT, "gender"));
    assert_eq!((finding.severity, finding.class), (Severity::Error, Class::Code));
    assert_eq!(finding.evidence, ["http://hl7.org/fhir/ValueSet/administrative-gender"]);
    assert!(finding.text.en.contains("'M'") && finding.text.zh.contains("“M”"));
    assert_eq!(finding.by.version.as_deref(), Some("4.0.1"));
}

#[test]
fn a_flood_is_cut() {
    let names = (0..MOST_FINDINGS + 500)
        .map(|number| format!(r#""x{number}":1"#))
        .collect::<Vec<_>>()
        .join(",");
    let found = findings(&format!(r#"{{"resourceType":"Patient",{names}}}"#));
    assert_eq!(found.len(), MOST_FINDINGS + 1);
    assert_eq!(found[MOST_FINDINGS].0, "findings-cut");
}

#[test]
fn depth_is_limited() {
    let origin = OriginId::GENERATED;
    let mut tree = Tree::new(Value::Object);
    tree.member(NodeId::ROOT, "resourceType", Value::String("Questionnaire"), origin);
    tree.member(NodeId::ROOT, "status", Value::String("draft"), origin);
    let mut at = NodeId::ROOT;
    for _ in 0..5_000 {
        let list = tree.member(at, "item", Value::Array, origin);
        at = tree.item(list, Value::Object, origin);
        tree.member(at, "linkId", Value::String("x"), origin);
        tree.member(at, "type", Value::String("group"), origin);
    }
    assert_eq!(
        validate(&tree)
            .into_iter()
            .map(|finding| finding.code)
            .collect::<Vec<_>>(),
        ["nesting-too-deep"]
    );
}
