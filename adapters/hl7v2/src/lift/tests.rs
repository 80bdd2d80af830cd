//! The row language on HL7v2 messages, rule by rule: each test has its own few rows, and what they say must come out.

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

fn orders() -> Plan<Message> {
    plan(&[
        (
            "S.csv",
            format!(
                "{STRUCTURE}PID,Patient,patient,,PID.Patient,PID-3[1],\n\
                 PID/ORC+OBR,DiagnosticReport,report,OBR valued,OBR.DiagnosticReport,OBR-3 + OBR-4,\n\
                 PID/ORC+OBR/OBX,Observation,obs,,OBX.Observation,report + OBX-3 + ordinal,\n\
                 PID/ORC+OBR/OBX/NTE,obs.note,note,,NTE.Annotation,,\n\
                 PID/ORC+OBR/SPM,Specimen,specimen,,SPM.Specimen,SPM-2,\n"
            ),
        ),
        (
            "types.csv",
            format!("{STRUCTURE}XCN,Practitioner,practitioner,,XCN.Practitioner,XCN,\n"),
        ),
        ("PID.Patient.csv", format!("{ROWS}PID-7,,birthDate,DTM.date,\n")),
        (
            "OBR.DiagnosticReport.csv",
            format!("{ROWS}ORC-2,,identifier#placer.value,keep,\n,,result,ref(obs*),\n,,subject,ref(patient),\n"),
        ),
        (
            "OBX.Observation.csv",
            format!(
                "{ROWS}OBX-3.1,,code.text,keep,\nOBR-7,,effectiveDateTime,DTM.dateTime,\n\
                 OBX-16,,performer,XCN.Practitioner,\n,,specimen,ref(specimen),\n"
            ),
        ),
        ("NTE.Annotation.csv", format!("{ROWS}NTE-3,,text,keep,\n")),
        ("SPM.Specimen.csv", format!("{ROWS}SPM-4,,type.text,keep,\n")),
        ("XCN.Practitioner.csv", format!("{ROWS}XCN.2,,name#n.family,keep,\n")),
    ])
}

fn kinds<T>(lifted: &Lifted<T>) -> Vec<&str> {
    lifted.bundle.resources().map(|(kind, _)| kind).collect()
}

#[test]
fn groups_follow_the_anchors_wherever_segments_stand() {
    let plan = orders();
    let lifted = live(
        &plan,
        &message(
            "PID|||1\nORC|RE|P1\nOBR|1||F1|C1|||2020\nOBX|1||A\nNTE|1||of A\nOBX|2||B\nOBR|2||F2|C2|||2021\nNTE|1||lost\nOBX|1||A\nSPM|1|S1||blood",
        ),
    );
    assert_eq!(
        kinds(&lifted),
        [
            "Patient",
            "DiagnosticReport",
            "Observation",
            "Observation",
            "DiagnosticReport",
            "Observation",
            "Specimen"
        ]
    );
    let all = resources(&lifted);
    assert!(all[1].contains(r#""identifier":[{"value":"P1"}]"#) && all[1].matches("reference").count() == 3);
    assert!(all[2].contains("of A") && all[2].contains("\"2020\""));
    assert!(!all[3].contains("note"));
    assert!(!all[4].contains("P1") && all[5].contains("\"2021\"") && all[5].contains("specimen"));
    let strays: Vec<u32> = lifted.strays.clone();
    assert_eq!(
        strays,
        [0, 8],
        "MSH is read by nothing here, the order's note by no row"
    );
}

#[test]
fn a_missing_patient_group_is_supposed_and_makes_no_patient() {
    let lifted = live(&orders(), &message("OBR|1||F1|C1\nOBX|1||A"));
    assert_eq!(kinds(&lifted), ["DiagnosticReport", "Observation"]);
}

#[test]
fn instances_of_one_key_are_one_and_ids_depend_on_nothing_else() {
    let plan = orders();
    let text = "PID|||1\nOBR|1||F1|C1\nOBX|1||A|||||||||||||1001^Li\nOBX|2||A|||||||||||||1001^Li";
    let lifted = live(&plan, &message(text));
    let ids = |lifted: &Lifted<Nothing>| -> Vec<String> {
        let tree = &lifted.bundle.tree;
        lifted
            .bundle
            .resources()
            .map(|(kind, node)| format!("{kind} {}", tree.get_str(node, "id").unwrap()))
            .collect()
    };
    assert_eq!(
        kinds(&lifted),
        [
            "Patient",
            "DiagnosticReport",
            "Observation",
            "Observation",
            "Practitioner"
        ]
    );
    let first = ids(&lifted);
    let other = Setting {
        hash: &[9; 32],
        ..setting()
    };
    let again = plan
        .run("S", &message(text), other, Arc::new(NoPlaces), Nothing)
        .unwrap();
    assert_eq!(ids(&again), first);
    assert_ne!(first[2], first[3], "equal observations differ by their ordinal");
}

#[test]
fn every_leaf_is_in_the_ledger_and_a_tracked_run_says_the_same() {
    let files = [
        (
            "S.csv",
            format!("{STRUCTURE}PID,Patient,patient,,PID.Patient,PID-3[1],\n"),
        ),
        (
            "PID.Patient.csv",
            format!(
                "{ROWS}PID-1,,,ignore,set id\nPID-7,,birthDate,DTM.date,\nPID-8,,birthDate,DTM.date,\n\
                 PID-16,PID-17 is X,maritalStatus.text,keep,\n"
            ),
        ),
    ];
    let plan = plan(&files);
    let message = message("PID|9||1||||20000102|20010203||||||||single|X|Z");
    let tracked = plan
        .run("S", &message, setting(), Arc::new(NoPlaces), Tracked::default())
        .unwrap();
    assert_eq!(resources(&tracked), resources(&live(&plan, &message)));
    let ledger = plan.ledger(&message, &tracked, &|place| message.place_text(place));
    let of = |place: &str| ledger.iter().find(|record| record.place == place).unwrap();
    assert_eq!(of("PID[1]-1[1].1.1").state, LeafState::Ignored);
    assert_eq!(
        of("PID[1]-1[1].1.1").reason.as_deref(),
        Some("PID.Patient.csv:2 (set id)")
    );
    assert_eq!(of("PID[1]-3[1].1.1").state, LeafState::Mapped);
    assert_eq!(of("PID[1]-7[1].1.1").to, ["Bundle.entry[0].resource.birthDate"]);
    assert_eq!(
        of("PID[1]-8[1].1.1").reason.as_deref(),
        Some("superseded by PID.Patient.csv:3")
    );
    assert_eq!(of("PID[1]-17[1].1.1").state, LeafState::Mapped);
    assert_eq!(of("PID[1]-18[1].1.1").state, LeafState::Reported);
    let mut leaves = 0;
    causeway_mapping::doc::Doc::leaves(&message, &mut |_| leaves += 1);
    assert_eq!(ledger.len(), leaves);
}

#[test]
fn a_hostile_number_of_segments_stays_linear() {
    let plan = orders();
    let mut text = String::from("PID|||1\nOBR|1||F1|C1\n");
    for number in 0..20_000 {
        let _written = write!(text, "OBX|{number}||A|||||||||||||{number}^Li\nNTE|1||x\n");
    }
    let started = std::time::Instant::now();
    let lifted = live(&plan, &message(&text));
    assert_eq!(lifted.bundle.resources().count(), 40_002);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
