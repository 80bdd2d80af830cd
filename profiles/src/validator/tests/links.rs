//! What the validator says of references and extensions, by R4's pages on references (2.3), extensibility (2.4) and
//! Bundle.

use causeway_core::Severity;
use causeway_core::fhir::{Limits, parse};

use super::{check, observation, patient};
use crate::validator::validate;

#[test]
fn references_point_to_what_the_element_takes() {
    let subject = |reference: &str| format!(r#""subject":{{"reference":"{reference}"}}"#);
    for good in [
        "Patient/1",
        "http://x.org/fhir/Patient/1/_history/2",
        "Patient?identifier=a|b/c",
        "http://x.org/1",
    ] {
        observation(&subject(good), &[]);
    }
    let wrong = [("reference-target", "Observation.subject.reference")];
    for bad in [
        "Practitioner/1",
        "https://x.org/Practitioner/1",
        "Practitioner?name=a",
        "patient/1",
    ] {
        observation(&subject(bad), &wrong);
    }
    observation(
        &subject("#p"),
        &[("reference-unresolved", "Observation.subject.reference")],
    );
    observation(
        &format!(
            r#"{},"contained":[{{"resourceType":"Practitioner","id":"p"}}]"#,
            subject("#p")
        ),
        &wrong,
    );
    observation(r#""subject":{"display":"who"}"#, &[]);
    // Any resource.
    observation(r#""focus":[{"reference":"Practitioner/1"}]"#, &[]);
}

/// A message with an Observation that refers to the entry of a `fullUrl`, which is a resource of a type.
fn bundle(kind: &str, full_url: &str) -> String {
    let url = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520";
    format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[
            {{"fullUrl":"{full_url}","resource":{{"resourceType":"{kind}","id":"1"}}}},
            {{"fullUrl":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0","resource":{{"resourceType":"Observation",
                "status":"final","code":{{"text":"x"}},"subject":{{"reference":"{url}"}}}}}}]}}"#
    )
}

#[test]
fn references_within_a_bundle_are_followed() {
    let url = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520";
    let other = "urn:uuid:c757873d-ec9a-4326-a141-556f43239521";
    let path = "Bundle.entry[1].resource.subject.reference";
    check(&bundle("Patient", url), &[]);
    check(&bundle("Organization", url), &[("reference-target", path)]);
    check(&bundle("Patient", other), &[("reference-unresolved", path)]);
    let tree = parse(bundle("Patient", other).as_bytes(), Limits::default()).unwrap();
    assert_eq!(validate(&tree)[0].severity, Severity::Warning);
}

#[test]
fn a_standard_extension_has_its_type() {
    let birth = |value: &str| {
        format!(
            r#""birthDate":"1970-01-01","_birthDate":{{"extension":[
            {{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthTime",{value}}}]}}"#
        )
    };
    patient(&birth(r#""valueDateTime":"1970-01-01T10:00:00Z""#), &[]);
    patient(
        &birth(r#""valueString":"ten""#),
        &[("extension-type", "Patient._birthDate.extension[0].valueString")],
    );
    patient(
        r#""extension":[{"valueString":"x"}]"#,
        &[("cardinality-min", "Patient.extension[0]")],
    );
}

/// The contexts and parts are those of the extensions' pages in R4.
#[test]
fn a_standard_extension_stands_and_holds_as_it_is_defined() {
    let base = "http://hl7.org/fhir/StructureDefinition";
    let extension = |name: &str, content: &str| format!(r#""extension":[{{"url":"{base}/{name}",{content}}}]"#);
    let prefix = extension("humanname-own-prefix", r#""valueString":"van""#);
    patient(&format!(r#""name":[{{"family":"x","_family":{{{prefix}}}}}]"#), &[]);
    patient(
        &format!(r#""name":[{{{prefix}}}]"#),
        &[("extension-context", "Patient.name[0].extension[0]")],
    );
    let absent = extension("data-absent-reason", r#""valueCode":"masked""#);
    patient(&format!(r#""_birthDate":{{{absent}}},"name":[{{{absent}}}]"#), &[]);
    patient(&absent, &[]);
    let bogus = extension("data-absent-reason", r#""valueCode":"bogus""#);
    patient(
        &format!(r#""_birthDate":{{{bogus}}}"#),
        &[("code-unknown", "Patient._birthDate.extension[0].valueCode")],
    );
    // A path from the resource, through a group, and a type that another is derived from.
    let line = extension("iso21090-ADXP-streetName", r#""valueString":"High Street""#);
    patient(
        &format!(r#""contact":[{{"address":{{"line":["x"],"_line":[{{{line}}}]}}}}]"#),
        &[],
    );
    let nation = |part: &str| extension("patient-nationality", &format!(r#""extension":[{{"url":{part}}}]"#));
    let path = "Patient.extension[0].extension[0]";
    patient(&nation(r#""code","valueCodeableConcept":{"text":"x"}"#), &[]);
    patient(
        &nation(r#""code","valueString":"x""#),
        &[("extension-type", &format!("{path}.valueString"))],
    );
    patient(
        &nation(r#""cod","valueString":"x""#),
        &[("extension-unknown-part", path)],
    );
    patient(
        &extension("patient-religion", r#""id":"x""#),
        &[("extension-empty", "Patient.extension[0]")],
    );
    patient(
        r#""extension":[{"url":"x","valueString":"y"}]"#,
        &[("extension-url", "Patient.extension[0].url")],
    );
    patient(&extension("nobody-knows", r#""valueString":"y""#), &[]);
}
