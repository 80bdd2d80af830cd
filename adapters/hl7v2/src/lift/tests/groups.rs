//! Groups, instances and whole messages: what becomes of segments that belong together, and of every leaf.

use super::*;

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
fn references_with_conditions_find_what_says_the_same() {
    let specimens = "SPM-3,,parent,\"ref(specimen, SPM-2 = SPM-3)\",\nSPM-4,,type.text,keep,\n";
    let results =
        "OBX-33,,specimen,\"ref(specimen, SPM-2 = OBX-33)\",\nOBX-26,,derivedFrom,\"ref(obs, OBX-1 = OBX-26)\",\n";
    let plan = plan(&[
        (
            "S.csv",
            format!(
                "{STRUCTURE}PID/SPM,Specimen,specimen,,SPM.Specimen,SPM-1,\n\
                 PID/OBX,Observation,obs,,OBX.Observation,OBX-1,\n"
            ),
        ),
        ("SPM.Specimen.csv", format!("{ROWS}{specimens}")),
        ("OBX.Observation.csv", format!("{ROWS}{results}")),
    ]);
    let obx = |number, from, specimen| format!("OBX|{number}{}{from}{}{specimen}", "|".repeat(25), "|".repeat(7));
    let (first, second) = (obx("1", "", "S2"), obx("2", "1", "S1"));
    let text = format!("PID|||1\n{first}\nSPM|1|S1||blood\nSPM|2|S2|S1|serum\nSPM|3|S3|S9|lost\n{second}");
    let lifted = live(&plan, &message(&text));
    let tree = &lifted.bundle.tree;
    let all: Vec<_> = lifted.bundle.resources().collect();
    let urn = |at: usize| format!("urn:uuid:{}", tree.get_str(all[at].1, "id").unwrap());
    let refers = |at: usize, element: &str| -> Vec<String> {
        let found = tree.select(all[at].1, &[element]).into_iter();
        found
            .filter_map(|node| tree.get_str(node, "reference").map(str::to_owned))
            .collect()
    };
    assert_eq!(
        kinds(&lifted),
        ["Observation", "Specimen", "Specimen", "Specimen", "Observation"]
    );
    assert_eq!(refers(0, "specimen"), [urn(2)]);
    assert_eq!(refers(4, "specimen"), [urn(1)]);
    assert_eq!(refers(4, "derivedFrom"), [urn(0)]);
    assert_eq!(refers(2, "parent"), [urn(1)]);
    assert!(refers(3, "parent").is_empty());
    let codes: Vec<_> = lifted.remarks.iter().map(|remark| remark.code.as_ref()).collect();
    assert_eq!(codes, ["reference-missing"]);
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

#[test]
fn the_header_is_read_from_wherever_its_group_stands() {
    let plan = plan(&[
        (
            "S.csv",
            format!("{STRUCTURE}MSH/EVN,Basic,event,,EVN.Basic,,\nPID,Patient,patient,,PID.Patient,PID-3,\n"),
        ),
        ("PID.Patient.csv", format!("{ROWS}PID-7,,birthDate,DTM.date,\n")),
        ("EVN.Basic.csv", format!("{ROWS}MSH-3,,code.text,keep,\n")),
    ]);
    let lifted = live(&plan, &message("PID|||1\nEVN||"));
    assert!(
        resources(&lifted)
            .iter()
            .any(|text| text.contains(r#""code":{"text":"APP"}"#))
    );
}

/// The texts of the codes of what each Observation has as members.
fn members(text: &str) -> Vec<(String, Vec<String>)> {
    let rows = "OBX-3.1,,code.text,keep,\nOBX-4,,hasMember,ref(obs below OBX-4),\n\
                OBX-3.2,,hasMember,\"ref(obs*, OBR-26.2 = OBX-4, OBR-26.1 = OBX-3.1)\",\n";
    let plan = plan(&[
        (
            "S.csv",
            format!(
                "{STRUCTURE}PID,Patient,never,site:mode is snapshot,OBR.Patient,PID-3,\n\
                 PID/ORC+OBR,DiagnosticReport,report,,OBR.DiagnosticReport,OBR-3,\n\
                 PID/ORC+OBR/OBX,Observation,obs,OBX-9 valued,OBX.Observation,report + OBX-3 + OBX-4? + ordinal,\n\
                 PID/ORC+OBR/OBX,Observation,obs,,OBX.Observation,report + OBX-3 + OBX-4? + ordinal,\n"
            ),
        ),
        ("OBR.Patient.csv", format!("{ROWS}PID-7,,birthDate,DTM.date,\n")),
        (
            "OBR.DiagnosticReport.csv",
            format!("{ROWS}OBR-4,,code.text,keep,\n,,status,const(final),\n"),
        ),
        ("OBX.Observation.csv", format!("{ROWS}{rows},,status,const(final),\n")),
    ]);
    let lifted = live(&plan, &message(text));
    let tree = &lifted.bundle.tree;
    let observations: Vec<NodeId> = lifted
        .bundle
        .resources()
        .filter(|(kind, _)| *kind == "Observation")
        .map(|(_, node)| node)
        .collect();
    let code = |node: NodeId| {
        tree.get(node, "code")
            .and_then(|code| tree.get_str(code, "text"))
            .unwrap_or("")
            .to_owned()
    };
    let named = |reference: &str| {
        let found = observations
            .iter()
            .find(|node| reference.ends_with(tree.get_str(**node, "id").unwrap()));
        code(*found.unwrap())
    };
    let of = |node: NodeId| {
        let list = tree.select(node, &["hasMember", "reference"]);
        (
            code(node),
            list.iter().map(|found| named(tree.str(*found).unwrap())).collect(),
        )
    };
    observations.iter().map(|node| of(*node)).collect()
}

fn expect(found: &[(String, Vec<String>)], wanted: &[(&str, &[&str])]) {
    let found: Vec<(&str, Vec<&str>)> = found
        .iter()
        .map(|(code, list)| (code.as_str(), list.iter().map(String::as_str).collect()))
        .filter(|(_, list): &(&str, Vec<&str>)| !list.is_empty())
        .collect();
    let wanted: Vec<(&str, Vec<&str>)> = wanted.iter().map(|(code, list)| (*code, list.to_vec())).collect();
    assert_eq!(found, wanted);
}

#[test]
fn dotted_sub_ids_are_members_of_their_stem_within_their_own_order() {
    let found = members(
        "PID|||1\nOBR|1||F1|C\nOBX|1||A|1\nOBX|2||B|1.1\nOBX|3||C|1.2.1\nOBX|4||D|2\nOBR|2||F2|C\nOBX|1||E|1.3\nOBX|2||G|2.1",
    );
    expect(&found, &[("A", &["B", "C"])]);
}

#[test]
fn equal_sub_ids_are_members_of_the_first_where_sub_ids_differ() {
    let found = members("PID|||1\nOBR|1||F1|C\nOBX|1||A|1\nOBX|2||B|1\nOBX|3||A2|2\nOBX|4||B2|2\nOBX|5||C|");
    expect(&found, &[("A", &["B"]), ("A2", &["B2"])]);
    let found = members("PID|||1\nOBR|1||F1|C\nOBX|1||A|1\nOBX|2||B|1");
    expect(&found, &[]);
}

#[test]
fn results_of_a_child_order_are_members_of_the_result_it_names() {
    let child = format!("OBR|2||F2|C{}A^2", "|".repeat(22));
    let found = members(&format!(
        "PID|||1\nOBR|1||F1|C\nOBX|1||A^x|1\nOBX|2||A^x|2\n{child}\nOBX|1||R1\nOBX|2||R2"
    ));
    expect(&found, &[("A", &["R1", "R2"])]);
}
