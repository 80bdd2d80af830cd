use super::explain;
use crate::syntax::{Library, Source};

const FILES: [(&str, &str); 7] = [
    (
        "ORU_R01.csv",
        "at,make,as,when,fill,key\nPID,use,,,Patient,\nPID/OBX,Observation,obs,OBX-5 valued,OBX.Observation,patient + OBX-3\n",
    ),
    (
        "Patient.csv",
        "at,make,as,when,fill,key\nPID,Patient,patient,,PID.Patient,PID-3[5=MR] | PID-3[1]\n\
            PID/PID-21,RelatedPerson,mother,,CX.RelatedPerson,CX.1\n",
    ),
    (
        "types.csv",
        "at,make,as,when,fill,key\nXCN,Practitioner,practitioner,,XCN.Practitioner,XCN.1\n",
    ),
    (
        "PID.Patient.csv",
        "from,when,to,how,note\nPID-3,,identifier,CX.Identifier,2.9 3.4.2.3\nPID-4,PID-3 absent,identifier,CX.Identifier,\n\
            PID-10,,generalPractitioner,XCN.Practitioner,\nPID-2,,,ignore,withdrawn\n",
    ),
    (
        "CX.Identifier.csv",
        "from,when,to,how,note\nCX.1,,value,ST.string,\nCX.4.2,CX.5 is MR,system,HD.uri,\n",
    ),
    (
        "XCN.Practitioner.csv",
        "from,when,to,how\nXCN.2.1,,name#n.family,ST.string\n",
    ),
    ("OBX.Observation.csv", "from,when,to,how\nOBX-3,,code.text,keep\n"),
];

#[track_caller]
fn check(place: &str, expected: &str) {
    let loaded = Library::load(&FILES.map(|(name, text)| Source { name, text }));
    assert_eq!(loaded.problems, []);
    assert_eq!(explain(&loaded.library, place).unwrap(), expected);
}

#[test]
fn a_field_through_its_type_map() {
    check(
        "PID-3",
        "PID-3\n\
         \x20 Patient.csv:2  PID makes Patient  [selects by it, has it in its key]\n\
         \x20   PID.Patient.csv:2  PID-3 -> Patient.identifier by CX.Identifier  (2.9 3.4.2.3)\n\
         \x20     CX.Identifier.csv:2  CX.1 -> Patient.identifier.value by ST.string\n\
         \x20     CX.Identifier.csv:3  CX.4.2 when CX.5 is MR -> Patient.identifier.system by HD.uri\n\
         \x20   PID.Patient.csv:3  PID-4 when PID-3 absent -> Patient.identifier by CX.Identifier  [tests it]\n",
    );
}

#[test]
fn a_component_of_a_field() {
    check(
        "PID-3.4.2",
        "PID-3.4.2\n\
         \x20 Patient.csv:2  PID makes Patient  [has it in its key]\n\
         \x20   PID.Patient.csv:2  PID-3 -> Patient.identifier by CX.Identifier  (2.9 3.4.2.3)\n\
         \x20     CX.Identifier.csv:3  CX.4.2 when CX.5 is MR -> Patient.identifier.system by HD.uri\n\
         \x20   PID.Patient.csv:3  PID-4 when PID-3 absent -> Patient.identifier by CX.Identifier  [tests it]\n",
    );
}

#[test]
fn an_anchor_that_is_a_field_and_an_instance_of_a_type() {
    check("PID-21", "PID-21\n\x20 Patient.csv:3  PID/PID-21 makes RelatedPerson\n");
    check(
        "PID-10.2",
        "PID-10.2\n\
         \x20 Patient.csv:2  PID makes Patient\n\
         \x20   PID.Patient.csv:4  PID-10 -> Patient.generalPractitioner by XCN.Practitioner\n\
         \x20     types.csv:2  makes Practitioner\n\
         \x20       XCN.Practitioner.csv:2  XCN.2.1 -> Practitioner.name#n.family by ST.string\n",
    );
}

#[test]
fn what_is_ignored_or_read_by_nobody() {
    check(
        "PID-2",
        "PID-2\n\x20 Patient.csv:2  PID makes Patient\n\x20   PID.Patient.csv:5  PID-2: ignore  (withdrawn)\n",
    );
    check(
        "PID-99",
        "PID-99\n\x20 no row reads it; where a message has it, it is reported\n",
    );
}

#[test]
fn every_component_in_turn_is_each_of_them() {
    let structure = "at,make,as,when,fill,key\n2400,claim.item,item,,2400.Claim.item,\n";
    let rows = "from,when,to,how\nSV1-07.*,,diagnosisSequence,NM.positiveInt\nSV1-02,,net,keep\n";
    let sources = [("837P.csv", structure), ("2400.Claim.item.csv", rows)];
    let loaded = Library::load(&sources.map(|(name, text)| Source { name, text }));
    assert_eq!(
        explain(&loaded.library, "SV1-07.2").unwrap(),
        "SV1-07.2\n\x20 837P.csv:2  2400 makes claim.item\n\
         \x20   2400.Claim.item.csv:2  SV1-07.* -> claim.item.diagnosisSequence by NM.positiveInt\n"
    );
}

#[test]
fn only_places_can_be_asked_for() {
    let library = Library::default();
    assert!(explain(&library, "PID-").is_err());
    assert!(explain(&library, "$table").is_err());
}
