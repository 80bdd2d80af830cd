mod any;
mod rows;
mod whole;

use super::{Facts, OpFact, check};
use crate::syntax::{Library, Source};

const OPS: [OpFact<'static>; 3] = [
    op("text", &["string"]),
    op("low-high", &[]),
    op("phone", &["ContactPoint", "string"]),
];

const fn op(name: &'static str, writes: &'static [&'static str]) -> OpFact<'static> {
    OpFact {
        name,
        reads: &[],
        tables: &[],
        writes,
        doc: "",
        back: false,
    }
}

const SEX: (&str, &str) = ("tables/0001.csv", "code,to-code\nM,male\nF,female\n*,unknown\n");
const CLASS: (&str, &str) = (
    "tables/class.csv",
    "code,to-code,to-system\nI,IMP,v3-ActCode\nE,EMER,v3-ActCode\n",
);
const CX: (&str, &str) = (
    "CX.Identifier.csv",
    "from,when,to,how\nCX.1,,value,ST.string\n$system,,system,keep\n",
);
const CWE: (&str, &str) = (
    "CWE.CodeableConcept.csv",
    "from,when,to,how\nCWE.1,,coding#own.code,ST.string\nCWE.1,$table valued,coding#target,table:$table\n",
);
const XCN: (&str, &str) = (
    "XCN.Practitioner.csv",
    "from,when,to,how\nXCN.1,,identifier#id.value,ST.string\n",
);
const TYPES: (&str, &str) = (
    "types.csv",
    "at,make,as,when,fill,key\nXCN,Practitioner,practitioner,,XCN.Practitioner,XCN.1 + $site?\n",
);

/// Checks files beside those that most cases share, and compares all that is said with what is expected.
#[track_caller]
fn said(files: &[(&str, &str)], expected: &[&str]) {
    let shared = [SEX, CLASS, CX, CWE, XCN, TYPES];
    let all = shared
        .iter()
        .chain(files)
        .filter(|(name, _)| files.iter().all(|file| file.0 != *name));
    let all: Vec<Source<'_>> = all.chain(files).map(|&(name, text)| Source { name, text }).collect();
    let loaded = Library::load(&all);
    assert_eq!(loaded.problems, []);
    let problems = check(&loaded.library, &Facts { ops: &OPS });
    let errors = problems
        .iter()
        .map(ToString::to_string)
        .filter(|line| !line.contains("warning: no row"));
    assert_eq!(errors.collect::<Vec<_>>(), expected);
}

/// Checks rows of a file that fills a Patient.
#[track_caller]
fn patient(rows: &str, expected: &[&str]) {
    let structure = "at,make,as,when,fill,key\nPID,Patient,patient,,PID.Patient,PID-3\n\
        PID/PV1,Encounter,encounter,,PV1.Encounter,PV1-19\n";
    let encounter = "from,when,to,how\n,,status,const(unknown)\n,,class,const(v3-ActCode|AMB)\n";
    let text = format!("from,when,to,how\n{rows}\n");
    said(
        &[
            ("S.csv", structure),
            ("PV1.Encounter.csv", encounter),
            ("PID.Patient.csv", &text),
        ],
        expected,
    );
}

/// Checks rows of a file that fills an Observation whose required elements are there.
#[track_caller]
fn observation(rows: &str, expected: &[&str]) {
    let structure = "at,make,as,when,fill,key\nPID,Patient,patient,,,PID-3\n\
        PID/OBX,Observation,obs,,OBX.Observation,OBX-3\nPID/OBX/OBX-5,obs.component,component,,OBX-5.component,\n";
    let component = "from,when,to,how\nOBX-3,,code,CWE.CodeableConcept\n";
    let text = format!("from,when,to,how\n,,status,const(final)\nOBX-3,,code,CWE.CodeableConcept\n{rows}\n");
    said(
        &[
            ("S.csv", structure),
            ("OBX-5.component.csv", component),
            ("OBX.Observation.csv", &text),
        ],
        expected,
    );
}
