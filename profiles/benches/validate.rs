//! How long the validator takes over a result message as hospitals send it (22 resources, some 450 leaves), and that it
//! allocates nothing but its index of the Bundle's entries.

use causeway_core::Tree;
use causeway_core::fhir::{Limits, parse};
use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench]
fn result_message(bencher: Bencher) {
    let tree = message();
    assert!(causeway_profiles::validate(&tree).is_empty());
    bencher.bench(|| causeway_profiles::validate(divan::black_box(&tree)));
}

#[divan::bench]
fn element_by_name(bencher: Bencher) {
    let observation = causeway_profiles::r4()
        .type_named("Observation")
        .map(|kind| move |name| kind.element(name));
    bencher.bench(|| observation.as_ref().map(|find| find(divan::black_box("valueQuantity"))));
}

fn url(number: usize) -> String {
    format!("urn:uuid:c757873d-ec9a-4326-a141-{number:012x}")
}

fn message() -> Tree {
    let entry = |(number, resource)| format!(r#"{{"fullUrl":"{}","resource":{resource}}}"#, url(number));
    let entries = resources()
        .into_iter()
        .enumerate()
        .map(entry)
        .collect::<Vec<_>>()
        .join(",");
    let json = format!(
        r#"{{"resourceType":"Bundle","type":"message","timestamp":"2026-03-01T08:00:00+08:00","entry":[{entries}]}}"#
    );
    let tree = parse(json.as_bytes(), Limits::default()).unwrap_or_default();
    assert!(tree.len() > 800, "the message is JSON");
    tree
}

fn resources() -> Vec<String> {
    let to = |number| format!(r#"{{"reference":"{}"}}"#, url(number));
    let mut all = vec![
        format!(
            r#"{{"resourceType":"MessageHeader","eventCoding":{{"system":"http://terminology.hl7.org/CodeSystem/v2-0003",
            "code":"R01","display":"ORU/ACK - Unsolicited transmission of an observation message"}},
            "destination":[{{"name":"EMR","endpoint":"urn:oid:1.2.3.4"}}],
            "source":{{"name":"LAB","endpoint":"urn:oid:1.2.3.5"}},"focus":[{}]}}"#,
            to(4)
        ),
        r#"{"resourceType":"Patient","id":"p1","identifier":[{"use":"usual","type":{"coding":[{"system":
            "http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"urn:oid:1.2.3","value":"123456"}],
            "name":[{"use":"official","family":"张","given":["伟"]}],"telecom":[{"system":"phone","value":"010-1234",
            "use":"home"}],"gender":"male","birthDate":"1970-03-08","address":[{"use":"home","line":["1 High Street"],
            "city":"Ghent","postalCode":"9000","country":"BE"}],"maritalStatus":{"coding":[{"system":
            "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M"}]}}"#
            .to_owned(),
        format!(
            r#"{{"resourceType":"Encounter","id":"e1","status":"in-progress","class":{{"system":
            "http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"}},"subject":{},"period":{{"start":
            "2026-03-01T07:00:00+08:00"}},"location":[{{"location":{{"display":"3W 12"}}}}]}}"#,
            to(1)
        ),
        format!(
            r#"{{"resourceType":"ServiceRequest","status":"completed","intent":"order","identifier":[{{"value":"P1"}}],
            "code":{{"coding":[{{"system":"http://loinc.org","code":"24323-8"}}],"text":"panel"}},"subject":{},
            "encounter":{}}}"#,
            to(1),
            to(2)
        ),
    ];
    let results = (5..17).map(to).collect::<Vec<_>>().join(",");
    all.push(format!(
        r#"{{"resourceType":"DiagnosticReport","status":"final","basedOn":[{}],"code":{{"coding":[{{"system":
        "http://loinc.org","code":"24323-8"}}]}},"subject":{},"encounter":{},"effectiveDateTime":
        "2026-03-01T07:30:00+08:00","issued":"2026-03-01T08:00:00+08:00","result":[{results}]}}"#,
        to(3),
        to(1),
        to(2)
    ));
    all.extend((0..12).map(|number| observation(number, &to(1), &to(2), &to(3))));
    let names = ["Organization", "Location", "Practitioner", "Device", "Specimen"];
    all.extend(names.map(|name| format!(r#"{{"resourceType":"{name}","id":"x","identifier":[{{"value":"1"}}]}}"#)));
    all
}

fn observation(number: usize, patient: &str, encounter: &str, order: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"o{number}","identifier":[{{"system":"urn:oid:1.2.3.6","value":"{number}"}}],
        "basedOn":[{order}],"status":"final","category":[{{"coding":[{{"system":
        "http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}}]}}],"code":{{"coding":[
        {{"system":"http://loinc.org","code":"2823-3","display":"Potassium"}},{{"system":"urn:oid:1.2.3.7","code":"K"}}]}},
        "subject":{patient},"encounter":{encounter},"effectiveDateTime":"2026-03-01T07:30:00+08:00",
        "issued":"2026-03-01T08:00:00+08:00","valueQuantity":{{"value":6.80,"unit":"mmol/L","system":
        "http://unitsofmeasure.org","code":"mmol/L"}},"interpretation":[{{"coding":[{{"system":
        "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"HH"}}]}}],"note":[{{"text":
        "haemolysed"}}],"referenceRange":[{{"low":{{"value":3.5}},"high":{{"value":5.1}},"text":"3.5-5.1"}}]}}"#
    )
}
