//! Rows beside each other: what a structure makes, what is required, what can never fire, what nobody uses.

use super::{OPS, SEX, observation, patient, said};
use crate::check::{Facts, OpFact, check};
use crate::syntax::{Library, Source};

#[test]
fn required_elements_have_a_row() {
    let structure = "at,make,as,when,fill,key\nOBX,Observation,obs,,OBX.Observation,OBX-3\n";
    let rows = "from,when,to,how\nOBX-3,,code.text,keep\n";
    said(
        &[("S.csv", structure), ("OBX.Observation.csv", rows)],
        &["S.csv:2:1: Observation wants status, and no row fills it"],
    );
    observation(
        "OBX-5,,component#c.valueString,keep",
        &["OBX.Observation.csv:4:8: component#c wants code, and no row fills it"],
    );
    observation(
        "OBX-5,,component#c.valueString,keep\nOBX-3,,component#c.code,CWE.CodeableConcept",
        &[],
    );
    patient(
        "PID-15,,communication#l.preferred,const(true)",
        &["PID.Patient.csv:2:9: communication#l wants language, and no row fills it"],
    );
}

#[test]
fn structures_make_what_there_is() {
    let head = "at,make,as,when,fill,key\n";
    let make = |rows: &str, expected: &[&str]| said(&[("S.csv", &format!("{head}{rows}\n"))], expected);
    make(
        "PID,Pateint,patient,,,PID-3",
        &["S.csv:2:5: Pateint is no resource; did you mean Patient?"],
    );
    make(
        "PID,HumanName,patient,,,PID-3",
        &["S.csv:2:5: HumanName is no resource"],
    );
    make(
        "PID,Patient,patient,,PID.Patint,PID-3",
        &["S.csv:2:22: no file PID.Patint.csv is there"],
    );
    make("PID,use,,,Patient,", &["S.csv:2:11: no file Patient.csv is there"]);
    make(
        "PID,Patient,patient,,,PID-3\nNK1,patient.contcat,contact,,,",
        &["S.csv:3:13: Patient has no element contcat; did you mean contact?"],
    );
    make(
        "NK1,patient.contact,contact,,,",
        &["S.csv:2:13: no instance is called patient"],
    );
}

#[test]
fn keys_need_what_is_there() {
    let structure = |rows: &str, expected: &[&str]| {
        said(&[("S.csv", &format!("at,make,as,when,fill,key\n{rows}\n"))], expected);
    };
    structure(
        "PID,Patient,patient,,,PID-3\nPID/AL1,RelatedPerson,a,,,patient + AL1-3",
        &["S.csv:3:1: RelatedPerson wants patient, and no row fills it"],
    );
    structure(
        "PID/AL1,Patient,a,,,other + AL1-3\nPID/ZZZ,Patient,other,,,ZZZ-1",
        &["S.csv:2:21: the key needs other, which is opened later"],
    );
    structure(
        "PID/ORC,PractitionerRole,role,,,person\nPID/ORC/ORC-12,Practitioner,person,,,XCN.1",
        &[],
    );
    structure(
        "PID/AL1,Patient,a,,,person\nPID/ORC/ORC-12,Practitioner,person,,,XCN.1",
        &["S.csv:2:21: the key needs person, which is opened later"],
    );
    structure("PID/AL1,Patient,a,,,outer + AL1-3\nPID,Patient,outer,,,PID-3", &[]);
}

#[test]
fn alternatives_come_into_play() {
    let rows = "at,make,as,when,fill,key\nNK1,Patient,kin,NK1-1 valued,,\nNK1,Patient,kin,,,\nNK1,Patient,kin,NK1-2 valued,,\n";
    said(
        &[("S.csv", rows)],
        &["S.csv:4:1: never comes into play: line 3 is taken whenever this could be"],
    );
}

#[test]
fn rows_can_fire_and_say_different_things() {
    patient(
        "PID-8,is M and is F,gender,table:0001",
        &["PID.Patient.csv:2:16: can never fire: 'is F' contradicts another test of the row"],
    );
    patient(
        "PID-8,PID-7 valued and PID-7 absent,gender,table:0001",
        &["PID.Patient.csv:2:24: can never fire: 'PID-7 absent' contradicts another test of the row"],
    );
    patient(
        "PID-8,PID-7 is A and not PID-7 is A,gender,table:0001",
        &["PID.Patient.csv:2:22: can never fire: 'PID-7 not is A' contradicts another test of the row"],
    );
    patient("PID-8,in M F and not is F,gender,table:0001", &[]);
    patient(
        "PID-8,,gender,table:0001\nPID-8,,gender,table:0001",
        &["PID.Patient.csv:3:1: says the same as line 2"],
    );
    patient(
        "PID-6,,name#n.text,keep\nPID-6,PID-6.1 valued,name#n.text,FT.string",
        &["PID.Patient.csv:3:1: can never fire: line 2 wins whenever this could"],
    );
    patient(
        ",,active,const(true)\n,trigger is A03,active,const(false)",
        &["PID.Patient.csv:3:1: can never fire: line 2 wins whenever this could"],
    );
    patient(",trigger is A03,active,const(false)\n,,active,const(true)", &[]);
}

#[test]
fn type_maps_do_not_call_themselves() {
    let rows = "from,when,to,how\nXX.1,,assigner.identifier,YY.Identifier\n";
    let other = "from,when,to,how\nYY.1,,assigner.identifier,XX.Identifier\n";
    let structure = "at,make,as,when,fill,key\nPID,Patient,patient,,PID.Patient,PID-3\n";
    let patient = "from,when,to,how\nPID-3,,identifier,XX.Identifier\n";
    said(
        &[
            ("S.csv", structure),
            ("PID.Patient.csv", patient),
            ("XX.Identifier.csv", rows),
            ("YY.Identifier.csv", other),
        ],
        &["YY.Identifier.csv:2:27: XX.Identifier calls itself, by way of XX.Identifier, YY.Identifier"],
    );
}

#[test]
fn files_that_nobody_uses_are_named() {
    let loaded = Library::load(&[Source {
        name: "PID.Patient.csv",
        text: "from,when,to,how\nPID-5,,name#n.text,keep\n",
    }]);
    let problems = check(&loaded.library, &Facts::default());
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["PID.Patient.csv:1:1: warning: no row uses this file"]);
}

#[test]
fn operations_find_their_tables() {
    let ops = [OpFact {
        tables: &["0001", "0396"],
        ..OPS[0]
    }];
    let loaded = Library::load(&[Source {
        name: SEX.0,
        text: SEX.1,
    }]);
    let problems = check(&loaded.library, &Facts { ops: &ops });
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [":0:0: op(text) looks into table 0396, and no such table is there"]
    );
}
