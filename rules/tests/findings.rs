//! What a finding of the critical-value pack says, and that no bundle whatsoever breaks it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops"
)]

use std::sync::{Arc, LazyLock};

use causeway_core::fhir::{Limits, NodeId, Tree, Value, parse};
use causeway_core::origin::OriginId;
use causeway_core::{ActorKind, Bundle, Class, Finding, OriginKind, Origins, Place, Places, Severity};
use causeway_rules::{Decision, Packs, Site, Snapshot};
use jiff::Timestamp;
use proptest::prelude::*;

static SNAPSHOT: LazyLock<Snapshot> = LazyLock::new(|| Snapshot::build(&Packs::embedded(), &Site::default()).unwrap());

/// Places of a message in which everything came from an OBX field.
struct Obx;

impl Places for Obx {
    fn place(&self, place: Place) -> String {
        format!("OBX[{}]-5[1]", place.0)
    }

    fn row(&self, _row: u32) -> String {
        String::new()
    }
}

fn bundle(json: &str) -> Bundle {
    let tree = parse(json.as_bytes(), Limits::default()).unwrap();
    Bundle {
        tree,
        origins: Origins::new(Arc::new(Obx)),
        ..Bundle::default()
    }
}

fn received() -> Timestamp {
    "2026-11-24T08:00:00Z".parse().unwrap()
}

fn check(bundle: &Bundle) -> Vec<Finding> {
    let mut findings = SNAPSHOT.check_bundle(bundle, received());
    for finding in &mut findings {
        bundle.locate(finding);
    }
    findings
}

const REPORT: &str = r#"{"resourceType":"Bundle","type":"message","entry":[
 {"fullUrl":"urn:uuid:p","resource":{"resourceType":"Patient","birthDate":"1980-05-17"}},
 {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Observation","status":"final",
  "code":{"coding":[{"system":"http://loinc.org","code":"2951-2","display":"Sodium"}]},
  "subject":{"reference":"urn:uuid:p"},"effectiveDateTime":"2026-11-24T07:10:00+08:00",
  "valueQuantity":{"value":140,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"}}},
 {"fullUrl":"urn:uuid:2","resource":{"resourceType":"Observation","status":"final",
  "code":{"coding":[{"system":"http://loinc.org","code":"2823-3","display":"Potassium"}]},
  "subject":{"reference":"urn:uuid:p"},"effectiveDateTime":"2026-11-24T07:10:00+08:00",
  "valueQuantity":{"value":6.80,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"}}}]}"#;

#[test]
fn a_critical_potassium_is_news() {
    let mut bundle = bundle(REPORT);
    let value = bundle
        .tree
        .select(NodeId::ROOT, &["entry", "resource", "valueQuantity", "value"])[1];
    let origin = bundle.origins.add(0, OriginKind::Source, &[Place(2)]);
    bundle.tree.set_origin(value, origin);
    let findings = check(&bundle);
    assert_eq!(findings.len(), 1);
    let finding = &findings[0];
    assert_eq!(finding.code, "critical-value-high");
    assert_eq!((finding.severity, finding.class), (Severity::Warning, Class::Business));
    assert_eq!(
        finding.path.as_deref(),
        Some("Bundle.entry[2].resource.valueQuantity.value")
    );
    assert_eq!(finding.place.as_deref(), Some("OBX[2]-5[1]"));
    assert_eq!(
        (finding.by.kind, &*finding.by.id),
        (ActorKind::Rule, "critical-values/K-adult-high")
    );
    assert_eq!(finding.by.version.as_deref(), Some("1.0.0"));
    let en = "Critical high potassium: 6.80 mmol/L; critical is at least 6.2 mmol/L (adult)";
    assert_eq!(finding.text.en, en);
    assert_eq!(
        finding.text.zh,
        "血钾危急值（高）：6.80 mmol/L；界限 ≥6.2 mmol/L（成人）"
    );
    let suggestion = finding.suggestion.as_ref().unwrap();
    assert!(suggestion.en.contains("read back") && suggestion.en.contains("haemolysis"));
    assert!(suggestion.zh.contains("复述") && suggestion.zh.contains("溶血"));
    assert!(
        finding
            .evidence
            .iter()
            .any(|line| line.contains("JAMA 1990;263(5):704-707"))
    );
}

#[test]
fn a_decision_is_explained_from_its_record() {
    let findings = check(&bundle(REPORT));
    // As the log keeps it: node numbers are gone.
    let kept: Finding = toml::from_str(&toml::to_string(&findings[0]).unwrap()).unwrap();
    let decision = Decision::of(&kept).unwrap();
    assert_eq!(
        (decision.pack.as_str(), decision.row.as_deref()),
        ("critical-values", Some("K-adult-high"))
    );
    assert_eq!(decision.snapshot, SNAPSHOT.id());
    assert_eq!(decision.bound("value"), Some("6.80 mmol/L"));
    assert_eq!(decision.bound("limit"), Some(">= 6.2 mmol/L"));
    assert_eq!(decision.bound("age"), Some("adult on 2026-11-24"));
    assert_eq!(decision.bound("specimen"), Some("serum"));
    let text = decision.explain(Some(&SNAPSHOT));
    assert!(
        text.en.ends_with(", in force") && text.zh.ends_with("，现行"),
        "{text:?}"
    );
    let row = SNAPSHOT.explain("critical-values/K-adult-high").unwrap();
    assert!(row.en.contains(">= 6.2 mmol/L") && row.en.contains("JAMA") && row.en.contains("loinc 2823-3"));
    assert!(SNAPSHOT.explain("K-adult-high").is_some() && SNAPSHOT.explain("K-adult").is_none());
}

#[test]
fn an_age_that_is_not_known_is_said() {
    let json = REPORT.replace(r#","birthDate":"1980-05-17""#, "");
    let findings = check(&bundle(&json));
    assert_eq!(findings.len(), 1);
    assert!(findings[0].text.en.contains("the age is not known"));
    assert!(findings[0].text.zh.contains("年龄不详"));
    assert_eq!(
        Decision::of(&findings[0]).unwrap().bound("age"),
        Some("not known on 2026-11-24")
    );
}

#[test]
fn the_patient_is_the_subject_and_no_other() {
    let child = r#"{"fullUrl":"urn:uuid:c","resource":{"resourceType":"Patient","birthDate":"2026-11-20"}},"#;
    // A second patient, a newborn: the results are still the adult's.
    let json = REPORT.replace(
        r#"{"fullUrl":"urn:uuid:1""#,
        &format!(r#"{child}{{"fullUrl":"urn:uuid:1""#),
    );
    assert_eq!(check(&bundle(&json))[0].by.id, "critical-values/K-adult-high");
    // And 6.8 is no news in a newborn, whose limit is 7.8.
    let json = json.replace(r#""reference":"urn:uuid:p""#, r#""reference":"urn:uuid:c""#);
    assert!(
        check(&bundle(&json))
            .iter()
            .all(|finding| finding.code != "critical-value-high")
    );
    // A reference to nobody, and two patients: nobody's age is taken.
    let json = json.replace(r#""reference":"urn:uuid:c""#, r#""reference":"urn:uuid:x""#);
    assert!(check(&bundle(&json))[0].text.en.contains("not known"));
}

#[test]
fn what_was_not_evaluated_names_the_field() {
    let json = REPORT.replace(
        r#""value":6.80,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L""#,
        r#""value":6.80,"unit":"furlong""#,
    );
    let findings = check(&bundle(&json));
    assert_eq!(findings.len(), 1);
    let finding = &findings[0];
    assert_eq!(finding.code, "critical-not-evaluated");
    assert_eq!(
        (finding.severity, finding.class),
        (Severity::Warning, Class::Incomplete)
    );
    assert_eq!(
        finding.path.as_deref(),
        Some("Bundle.entry[2].resource.valueQuantity.unit")
    );
    assert_eq!(
        finding.text.en,
        "Not evaluated for critical values: potassium; the unit \"furlong\" cannot be converted"
    );
    assert_eq!(Decision::of(finding).unwrap().row, None);
}

#[test]
fn components_and_single_resources_are_read() {
    let json = r#"{"resourceType":"Observation","status":"final","code":{"text":"BGA"},"effectiveDateTime":"2026-11-24",
     "component":[
      {"code":{"coding":[{"system":"http://loinc.org","code":"2744-1"}]},"valueQuantity":{"value":7.05}},
      {"code":{"coding":[{"system":"http://loinc.org","code":"2019-8"}]},"valueQuantity":{"value":9.1,"code":"kPa"}},
      {"code":{"coding":[{"system":"http://loinc.org","code":"2703-7"}]},"dataAbsentReason":{"coding":[{"code":"error"}]}}]}"#;
    let findings = check(&bundle(json));
    let codes: Vec<_> = findings.iter().map(|finding| &*finding.code).collect();
    assert_eq!(
        codes,
        ["critical-value-low", "critical-value-high", "critical-not-evaluated"]
    );
    assert_eq!(
        findings[0].path.as_deref(),
        Some("Observation.component[0].valueQuantity.value")
    );
    assert!(findings[2].text.en.ends_with("there is no value (error)"));
    let text =
        "Critical low blood pH: 7.05; critical is at most 7.21 (adult; the age is not known, so this one was taken)";
    assert_eq!(findings[0].text.en, text);
    assert!(
        findings[1]
            .text
            .en
            .contains("critical is at least 67 mm[Hg], about 8.933 kPa")
    );
    assert!(findings[1].text.zh.contains("界限 ≥67 mm[Hg]，约合 8.933 kPa"));
    let unit = Decision::of(&findings[1]).unwrap();
    assert_eq!(unit.bound("unit"), Some("1 kPa = 1000/133.322387415 mm[Hg]"));
}

#[test]
fn a_quantity_that_is_a_string_is_no_number_unless_it_is() {
    let json = REPORT.replace(r#""value":6.80"#, r#""value":"6.80""#);
    assert_eq!(check(&bundle(&json))[0].code, "critical-value-high");
    let json = REPORT.replace(r#""value":6.80"#, r#""value":"six""#);
    assert_eq!(check(&bundle(&json))[0].code, "critical-not-evaluated");
    let json = REPORT.replace(r#""value":6.80"#, r#""value":true"#);
    assert_eq!(check(&bundle(&json))[0].code, "critical-not-evaluated");
}

const NAMES: [&str; 24] = [
    "resourceType",
    "entry",
    "resource",
    "fullUrl",
    "code",
    "coding",
    "system",
    "display",
    "text",
    "status",
    "valueQuantity",
    "valueString",
    "value",
    "unit",
    "comparator",
    "component",
    "subject",
    "reference",
    "effectiveDateTime",
    "effectivePeriod",
    "specimen",
    "type",
    "birthDate",
    "dataAbsentReason",
];

const TEXTS: [&str; 16] = [
    "Bundle",
    "Observation",
    "Patient",
    "Specimen",
    "http://loinc.org",
    "2823-3",
    "K",
    "mmol/L",
    "<",
    "6.8",
    "1980",
    "2026-11-24",
    "urn:uuid:p",
    "final",
    "钾",
    "",
];

#[derive(Debug, Clone)]
enum Json {
    Text(usize),
    Number(i64),
    Null,
    Object(Vec<(usize, Json)>),
    Array(Vec<Json>),
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        (0..TEXTS.len()).prop_map(Json::Text),
        any::<i64>().prop_map(Json::Number),
        Just(Json::Null),
    ];
    leaf.prop_recursive(8, 96, 8, |inner| {
        prop_oneof![
            prop::collection::vec((0..NAMES.len(), inner.clone()), 0..8).prop_map(Json::Object),
            prop::collection::vec(inner, 0..6).prop_map(Json::Array),
        ]
    })
}

fn write(tree: &mut Tree, node: NodeId, json: &Json) {
    let origin = OriginId::GENERATED;
    match json {
        Json::Text(text) => tree.set(node, Value::String(TEXTS[*text]), origin),
        Json::Number(number) => tree.set(node, Value::Number(&number.to_string()), origin),
        Json::Null => tree.set(node, Value::Null, origin),
        Json::Array(items) => {
            tree.set(node, Value::Array, origin);
            for item in items {
                let child = tree.item(node, Value::Null, origin);
                write(tree, child, item);
            }
        }
        Json::Object(members) => {
            tree.set(node, Value::Object, origin);
            for (name, member) in members {
                let child = tree.member(node, NAMES[*name], Value::Null, origin);
                write(tree, child, member);
            }
        }
    }
}

proptest! {
    #[test]
    fn no_bundle_breaks_it(json in json()) {
        let mut bundle = bundle(REPORT);
        // In place of the second result's code, value or whole, and in place of everything.
        let node = bundle.tree.select(NodeId::ROOT, &["entry", "resource"])[2];
        write(&mut bundle.tree, node, &json);
        let _ = check(&bundle);
        write(&mut bundle.tree, NodeId::ROOT, &json);
        let _ = check(&bundle);
    }

    #[test]
    fn a_value_is_beyond_or_not_as_integers_say(hundredths in 100_i64..1500) {
        let value = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        let json = REPORT.replace("6.80", &value);
        let codes: Vec<_> = check(&bundle(&json)).into_iter().map(|finding| finding.code).collect();
        let expected: &[&str] = match hundredths {
            ..=280 => &["critical-value-low"],
            620.. => &["critical-value-high"],
            _ => &[],
        };
        prop_assert_eq!(codes, expected);
    }
}
