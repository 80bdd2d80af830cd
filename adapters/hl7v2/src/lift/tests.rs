//! The row language on HL7v2 messages, rule by rule: each test has its own few rows, and what they say must come out.

mod groups;
mod merging;
mod modes;

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use causeway_core::OriginKind;
use causeway_core::fhir::{NodeId, compact};
use causeway_core::ledger::LeafState;
use causeway_core::origin::NoPlaces;
use causeway_mapping::run::{BundleKind, Lifted, Nothing, Setting, Tracked};
use causeway_mapping::{Library, Plan, Source};

use super::Hl7v2Format;
use crate::message::Message;

const STRUCTURE: &str = "at,make,as,when,fill,key,note\n";
const ROWS: &str = "from,when,to,how,note\n";
const TABLE: &str = "code,to-code,to-system,display,back,note\n";

fn plan(files: &[(&str, String)]) -> Plan<Message> {
    let sources: Vec<Source<'_>> = files.iter().map(|(name, text)| Source { name, text }).collect();
    let loaded = Library::load(&sources);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let (plan, problems) = Plan::compile(&loaded.library, &Hl7v2Format);
    assert!(problems.is_empty(), "{problems:?}");
    plan
}

fn message(text: &str) -> Message {
    let text = format!(
        "MSH|^~\\&|APP|FAC|||20260101||ADT^A01|1|P|2.5\r{}\r",
        text.replace('\n', "\r")
    );
    let mut body = crate::tokenise(&Bytes::from(text), encoding_rs::UTF_8);
    let mut message = body.messages.remove(0);
    message.look();
    message
}

fn setting() -> Setting<'static> {
    Setting {
        hash: &[1; 32],
        sender: "APP/FAC",
        kind: BundleKind::Collection,
        stated: None,
    }
}

fn live(plan: &Plan<Message>, message: &Message) -> Lifted<Nothing> {
    plan.run("S", message, setting(), Arc::new(NoPlaces), Nothing).unwrap()
}

/// The resources of a bundle without their ids and the fixed parts of entries.
fn resources<T>(lifted: &Lifted<T>) -> Vec<String> {
    let tree = &lifted.bundle.tree;
    let plain = |node: NodeId| {
        let text = compact(tree, node);
        let id = format!("\"id\":\"{}\",", tree.get_str(node, "id").unwrap_or(""));
        let id_last = format!(",\"id\":\"{}\"", tree.get_str(node, "id").unwrap_or(""));
        text.replace(&id, "").replace(&id_last, "")
    };
    lifted.bundle.resources().map(|(_, node)| plain(node)).collect()
}

/// Runs element rows of a Patient on segments below MSH, twice, since the second run takes from the first.
fn patient(rows: &str, segments: &str) -> String {
    let files = [
        (
            "S.csv",
            format!("{STRUCTURE}PID,Patient,patient,,PID.Patient,PID-3[1],\n"),
        ),
        ("PID.Patient.csv", format!("{ROWS}{rows}\n")),
        (
            "XPN.HumanName.csv",
            format!("{ROWS}XPN.1,,family,keep,\nXPN.2,,given,keep,\nXPN.3,,given,keep,\n"),
        ),
        (
            "CX.Identifier.csv",
            format!("{ROWS}CX.1,,value,keep,\nCX.4,,system,HD.uri,\n$type,,type,table:kinds,\n"),
        ),
        (
            "CWE.CodeableConcept.csv",
            format!("{ROWS}CWE.1,,coding#own.code,keep,\nCWE.2,,text,keep,\n"),
        ),
        (
            "tables/kinds.csv",
            format!("{TABLE}VN,VN,http://x,Visit,,\nXX,none,,,,\n"),
        ),
        ("tables/sex.csv", format!("{TABLE}M,male,,,,\nF,female,,,,\n")),
    ];
    let plan = plan(&files);
    let message = message(segments);
    let first = resources(&live(&plan, &message));
    assert_eq!(resources(&live(&plan, &message)), first);
    let text = first.first().cloned().unwrap_or_default();
    let text = text.replace("{\"resourceType\":\"Patient\"", "");
    text.trim_start_matches(',').strip_suffix('}').unwrap_or("").to_owned()
}

#[test]
fn the_first_row_that_yields_wins_a_single_element_whole() {
    let rows = "PID-7,,birthDate,DTM.date,\nPID-8,,birthDate,DTM.date,";
    assert_eq!(
        patient(rows, "PID|||1||||20000102|20010203"),
        r#""birthDate":"2000-01-02""#
    );
    assert_eq!(patient(rows, "PID|||1|||||20010203"), r#""birthDate":"2001-02-03""#);
    assert_eq!(
        patient(rows, "PID|||1||||nonsense|20010203"),
        r#""birthDate":"2001-02-03""#
    );
}

#[test]
fn an_unlabelled_repeating_element_takes_every_value() {
    let rows = "PID-5,,name,XPN.HumanName,\nPID-9,,name,XPN.HumanName,";
    let expect = r#""name":[{"family":"A","given":["B","C"]},{"family":"D"},{"family":"E"}]"#;
    assert_eq!(patient(rows, "PID|||1||A^B^C~D||||E"), expect);
}

#[test]
fn rows_of_one_source_and_target_are_alternatives_for_each_value() {
    let rows = "PID-13,is A,telecom#t.value,const(first),\nPID-13,,telecom#t.value,keep,";
    assert_eq!(
        patient(rows, "PID|||1||||||||||A~B"),
        r#""telecom":[{"value":"first"},{"value":"B"}]"#
    );
}

#[test]
fn rows_of_a_label_follow_the_field_item_by_item_and_others_go_into_every_item() {
    let rows = "PID-13.1,,telecom#t.value,keep,\nPID-13.2,,telecom#t.use,keep,\nPID-14,,telecom#t.rank,NM.positiveInt,";
    let expect = r#""telecom":[{"value":"1","use":"home","rank":7},{"value":"2","rank":7}]"#;
    assert_eq!(patient(rows, "PID|||1||||||||||1^home~2|7"), expect);
}

#[test]
fn what_has_no_source_only_adds_to_items_that_exist() {
    let rows = "PID-13,,telecom#t.value,keep,\n,,telecom#t.system,const(phone),";
    assert_eq!(
        patient(rows, "PID|||1||||||||||5"),
        r#""telecom":[{"system":"phone","value":"5"}]"#
    );
    assert_eq!(patient(rows, "PID|||1||||||||||"), "");
}

#[test]
fn a_row_inside_anothers_target_fills_what_is_empty() {
    let rows = "PID-16,,maritalStatus,CWE.CodeableConcept,\nPID-17,,maritalStatus.text,keep,";
    let code = r#""maritalStatus":{"coding":[{"code":"M"}],"text":"#;
    assert_eq!(
        patient(rows, "PID|||1|||||||||||||M^Married|note"),
        format!("{code}\"Married\"}}")
    );
    assert_eq!(patient(rows, "PID|||1|||||||||||||M|note"), format!("{code}\"note\"}}"));
    assert_eq!(
        patient(rows, "PID|||1||||||||||||||note"),
        r#""maritalStatus":{"text":"note"}"#
    );
}

#[test]
fn types_of_one_choice_are_one_target() {
    let rows = "PID-30,,deceasedBoolean,table:yes,\nPID-29,,deceasedDateTime,DTM.dateTime,";
    let rows = rows.replace("table:yes", "const(true)");
    assert_eq!(
        patient(&rows, "PID|||1||||||||||||||||||||||||||2020|Y"),
        r#""deceasedBoolean":true"#
    );
    assert_eq!(
        patient(&rows, "PID|||1||||||||||||||||||||||||||2020|"),
        r#""deceasedDateTime":"2020""#
    );
}

#[test]
fn an_extension_stands_at_its_element_even_at_a_primitive() {
    let rows = "PID-7,,birthDate,DTM.date,\nPID-7,length > 8,birthDate.extension(patient-birthTime).valueDateTime,DTM.dateTime,";
    let url = "http://hl7.org/fhir/StructureDefinition/patient-birthTime";
    let under =
        format!(r#""_birthDate":{{"extension":[{{"url":"{url}","valueDateTime":"2000-01-02T03:04:00+00:00"}}]}}"#);
    let expect = format!(r#""birthDate":"2000-01-02",{under}"#);
    assert_eq!(patient(rows, "PID|||1||||200001020304+0000"), expect);
    assert_eq!(patient(rows, "PID|||1||||20000102"), r#""birthDate":"2000-01-02""#);
}

#[test]
fn parameters_are_decided_once_and_tables_may_have_no_element() {
    let rows = "PID-3,,identifier,CX.Identifier(type=VN),";
    let expect =
        r#""identifier":[{"type":{"coding":[{"system":"http://x","code":"VN","display":"Visit"}]},"value":"7"}]"#;
    assert_eq!(patient(rows, "PID|||7"), expect);
    assert_eq!(
        patient("PID-3,,identifier,CX.Identifier(type=XX),", "PID|||7"),
        r#""identifier":[{"value":"7"}]"#
    );
}

#[test]
fn authorities_become_addresses_by_their_universal_id() {
    let rows = "PID-3,,identifier,CX.Identifier,";
    let check = |authority: &str, system: &str| {
        let expect = format!(r#""identifier":[{{"system":"{system}","value":"7"}}]"#);
        assert_eq!(patient(rows, &format!("PID|||7^^^{authority}")), expect);
    };
    check("H&1.2.840.113619&ISO", "urn:oid:1.2.840.113619");
    check(
        "H&6BA7B810-9DAD-11D1-80B4-00C04FD430C8&UUID",
        "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    );
    check("&https://x.example/mrn&URI", "https://x.example/mrn");
    check("Haus 1", "urn:causeway:authority:Haus%201");
    check("H&1.2.8x.113619&ISO", "urn:causeway:authority:H:1.2.8x.113619");
    check("&1.2.8x.113619&ISO", "urn:causeway:authority:1.2.8x.113619");
    check("H&urn:oid:1.2.8x&URI", "urn:causeway:authority:H:urn%3Aoid%3A1.2.8x");
    check("H&a:b&URI", "urn:causeway:authority:H:a%3Ab");
    check("H&urn:oid:1.2.840&URI", "urn:oid:1.2.840");
    check("H&9a9b&GUID", "urn:causeway:authority:H:9a9b");
    check("H&urn:uuid:9a9b&URI", "urn:causeway:authority:H:urn%3Auuid%3A9a9b");
}

#[test]
fn null_removes_a_top_level_element_and_is_left_out_elsewhere() {
    let files = [
        (
            "S.csv",
            format!("{STRUCTURE}PID,Patient,patient,,PID.Patient,PID-3[1],\n"),
        ),
        (
            "PID.Patient.csv",
            format!(
                "{ROWS}PID-7,,birthDate,DTM.date,\nPID-13.1,,telecom#t.value,keep,\nPID-13.2,,telecom#t.use,keep,\n"
            ),
        ),
    ];
    let plan = plan(&files);
    let message = message("PID|||1||||\"\"||||||5^\"\"");
    let lifted = live(&plan, &message);
    let removed: Vec<&str> = lifted
        .bundle
        .removed
        .iter()
        .map(|removal| removal.element.as_str())
        .collect();
    assert_eq!(removed, ["birthDate"]);
    assert_eq!(
        resources(&lifted),
        [r#"{"resourceType":"Patient","telecom":[{"value":"5"}]}"#]
    );
}

#[test]
fn a_default_says_that_it_is_one() {
    let files = [
        (
            "S.csv",
            format!("{STRUCTURE}PID,Patient,patient,,PID.Patient,PID-3[1],\n"),
        ),
        (
            "PID.Patient.csv",
            format!("{ROWS}PID-8,,gender,keep,\n,,gender,default(unknown),\n"),
        ),
    ];
    let plan = plan(&files);
    let lifted = live(&plan, &message("PID|||1"));
    let bundle = &lifted.bundle;
    let (_, resource) = bundle.resources().next().unwrap();
    let gender = bundle.tree.get(resource, "gender").unwrap();
    assert_eq!(bundle.tree.str(gender), Some("unknown"));
    assert_eq!(
        bundle.origins.get(bundle.tree.origin(gender)).unwrap().kind,
        OriginKind::Default
    );
}
