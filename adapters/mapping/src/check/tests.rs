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

#[test]
fn elements_exist() {
    patient(
        "PID-5,,nmae,keep",
        &["PID.Patient.csv:2:8: Patient has no element nmae; did you mean name?"],
    );
    patient(
        "PID-7,,birthdate,DTM.date",
        &["PID.Patient.csv:2:8: Patient has no element birthdate; did you mean birthDate?"],
    );
    patient(
        "PID-5,,name#n.famly,keep",
        &["PID.Patient.csv:2:15: HumanName has no element famly; did you mean family?"],
    );
    patient(
        "NK1-2,,contact#c.nme.text,keep",
        &["PID.Patient.csv:2:18: Patient.contact has no element nme; did you mean name?"],
    );
    patient(
        "PID-7,,birthDate.year,keep",
        &["PID.Patient.csv:2:18: date is a plain value without elements"],
    );
    patient(
        "PID-24,,multipleBirth,keep",
        &["PID.Patient.csv:2:9: multipleBirth is a choice: name one of its types (boolean, integer ...)"],
    );
    patient("PID-24,,multipleBirthInteger,NM.integer", &[]);
}

#[test]
fn labels_stand_where_items_are_many() {
    patient(
        "PID-5,,name.family,keep",
        &["PID.Patient.csv:2:8: name repeats: its item within a path wants a label, as in name#x"],
    );
    patient(
        "PID-7,,birthDate#x,DTM.date",
        &["PID.Patient.csv:2:8: birthDate does not repeat: a label has no meaning here"],
    );
    patient("PID-5,,name#a.given,keep", &[]);
}

#[test]
fn ways_make_the_right_type() {
    patient(
        "PID-7,,birthDate,DTM.dateTime",
        &["PID.Patient.csv:2:18: DTM.dateTime makes dateTime, the element is date"],
    );
    patient("PID-29,,deceasedDateTime,DTM.date", &[]);
    patient(
        "PID-3,,identifier,CWE.CodeableConcept",
        &["PID.Patient.csv:2:19: CWE.CodeableConcept makes CodeableConcept, the element is Identifier"],
    );
    patient(
        "PID-3,,identifier,keep",
        &["PID.Patient.csv:2:19: keep writes a text, the element is Identifier"],
    );
    patient(
        "PID-24,,multipleBirthBoolean,keep",
        &["PID.Patient.csv:2:30: keep writes a text, the element is boolean"],
    );
    patient(
        "PID-3,,identifier,CX.Identfier",
        &["PID.Patient.csv:2:19: no type map CX.Identfier is there; did you mean CX.Identifier?"],
    );
    patient(
        "PID-11,,address,op(text)",
        &["PID.Patient.csv:2:17: op(text) writes string, the element is Address"],
    );
    patient("PID-13,,telecom,op(phone)", &[]);
    patient(
        "PID-13,,telecom,op(phon)",
        &["PID.Patient.csv:2:17: no operation phon is known; did you mean phone?"],
    );
    patient(
        "PID-5,,name,ordinal",
        &[
            "PID.Patient.csv:2:13: ordinal writes a number, the element is HumanName",
            "PID.Patient.csv:2:13: only an item of an element has an ordinal",
        ][..1],
    );
}

#[test]
fn tables_and_constants_fit() {
    patient("PID-8,,gender,table:0001", &[]);
    patient(
        "PID-8,,gender,table:0002",
        &["PID.Patient.csv:2:15: no table 0002 is there; did you mean 0001?"],
    );
    patient(
        "PID-8,,gender,const(man)",
        &["PID.Patient.csv:2:15: man is not a code that R4 allows here (administrative-gender)"],
    );
    patient(
        "PID-8,,gender,table:class",
        &[
            "PID.Patient.csv:2:15: table class, line 3: EMER is not a code that R4 allows here (administrative-gender) (lines 3, 2)",
        ],
    );
    patient(
        "PID-16,,maritalStatus,table:0001",
        &[
            "PID.Patient.csv:2:23: table 0001, line 3: CodeableConcept wants a to-system beside the to-code (lines 3, 2, 4)",
        ],
    );
    patient(
        "PID-30,,deceasedBoolean,const(yes)",
        &["PID.Patient.csv:2:25: yes is no boolean"],
    );
    patient("PID-16,,maritalStatus,const(v3-MaritalStatus|M)", &[]);
    patient(
        "PID-16,,maritalStatus,const(v3-MaritalStatus|Q)",
        &["PID.Patient.csv:2:23: v3-MaritalStatus has no code Q"],
    );
    patient(
        "PID-16,,maritalStatus,const(v3-MaritlStatus|M)",
        &["PID.Patient.csv:2:23: no code system has the short name v3-MaritlStatus; did you mean v3-MaritalStatus?"],
    );
    patient(
        "PID-16,,maritalStatus,const(M)",
        &["PID.Patient.csv:2:23: a plain constant writes a plain value, the element is CodeableConcept"],
    );
    patient(
        "PID-8,,gender,const(v3-MaritalStatus|M)",
        &["PID.Patient.csv:2:15: SYSTEM|CODE writes a coding, the element is code"][..1],
    );
    patient(
        ",,birthDate,absent(unknwn)",
        &["PID.Patient.csv:2:13: unknwn is no data-absent-reason; did you mean unknown?"],
    );
    patient(
        "PID-8,in table:001,gender,keep",
        &["PID.Patient.csv:2:7: no table 001 is there; did you mean 0001?"],
    );
}

#[test]
fn parameters_are_read_and_tables_given_by_them_are_checked() {
    patient("PID-16,,maritalStatus,CWE.CodeableConcept(table=class)", &[]);
    patient(
        "PID-16,,maritalStatus,CWE.CodeableConcept(table=0001)",
        &[
            "CWE.CodeableConcept.csv:3:35: table 0001, line 3: Coding wants a to-system beside the to-code (lines 3, 2, 4)",
        ],
    );
    patient(
        "PID-16,,maritalStatus,CWE.CodeableConcept(table=clas)",
        &["CWE.CodeableConcept.csv:3:35: no table clas is there; did you mean class?"],
    );
    patient(
        "PID-3,,identifier,CX.Identifier(sytem=site:mrn)",
        &["PID.Patient.csv:2:19: CX.Identifier reads no parameter sytem; did you mean system?"],
    );
    patient("PD1-4,,generalPractitioner,XCN.Practitioner(site=x)", &[]);
    patient(
        "PD1-4,,generalPractitioner,XCN.Practitioner(sit=x)",
        &["PID.Patient.csv:2:28: XCN.Practitioner reads no parameter sit; did you mean site?"],
    );
}

#[test]
fn references_lead_somewhere() {
    observation(",,subject,ref(patient)", &[]);
    observation(
        ",,subject,ref(pateint)",
        &["OBX.Observation.csv:4:11: no instance is called pateint; did you mean patient?"],
    );
    observation(
        ",,encounter,ref(patient)",
        &["OBX.Observation.csv:4:13: may refer to Encounter, not to Patient"],
    );
    observation(
        ",,hasMember,ref(component)",
        &["OBX.Observation.csv:4:13: component is an item within another instance and cannot be referred to"],
    );
    observation(
        ",,subject,ref(patient*)",
        &["OBX.Observation.csv:4:11: ref(patient*) gives several, the element holds one"],
    );
    observation(",,hasMember,ref(obs*)", &[]);
    observation(
        ",,code,ref(patient)",
        &["OBX.Observation.csv:4:8: a ref writes a Reference, the element is CodeableConcept"],
    );
    observation("OBX-16,,performer,XCN.Practitioner", &[]);
    observation(
        "OBX-16,,specimen,XCN.Practitioner",
        &["OBX.Observation.csv:4:18: may refer to Specimen, not to Practitioner"],
    );
}

#[test]
fn extensions_are_known() {
    patient(
        "PID-7,,birthDate.extension(patient-birthTime).valueDateTime,DTM.dateTime",
        &[],
    );
    patient(
        "PID-7,,birthDate.extension(patient-birthTim).valueDateTime,DTM.dateTime",
        &[
            "PID.Patient.csv:2:18: no extension patient-birthTim is known to the definitions or to extensions.csv; did you mean patient-birthTime?",
        ],
    );
    patient(
        "PID-7,,birthDate.extension(patient-birthTime).valueString,keep",
        &["PID.Patient.csv:2:47: this extension has no valueString, but valueDateTime"],
    );
    patient(
        "PID-26,,extension(patient-citizenship).extension(code).valueCodeableConcept,CWE.CodeableConcept",
        &[],
    );
    patient(
        "PID-26,,extension(patient-citizenship).extension(cod).valueCodeableConcept,CWE.CodeableConcept",
        &[
            "PID.Patient.csv:2:40: no extension cod is known to the definitions or to extensions.csv; did you mean code?",
        ],
    );
    patient(
        "PID-26,,extension.valueString,keep",
        &[
            "PID.Patient.csv:2:9: an extension is named: extension(patient-birthTime)",
            "PID.Patient.csv:2:9: extension repeats: its item within a path wants a label, as in extension#x",
        ][..1],
    );
}

#[test]
fn our_own_extensions() {
    let own = "id,url,types,within\nv2-sub,http://x.example/sub,string,\nv2-all,http://x.example/all,extension,\n";
    let structure = "at,make,as,when,fill,key\nPID,Patient,patient,,PID.Patient,PID-3\n";
    let rows = "from,when,to,how\nPID-1,,extension(v2-sub).valueString,keep\nPID-2,,extension(v2-sub).valueCode,keep\n\
        PID-4,,extension(v2-all).extension(any).valueCode,keep\nPID-5,,extension(v2-al).valueString,keep\n";
    said(
        &[("extensions.csv", own), ("S.csv", structure), ("PID.Patient.csv", rows)],
        &[
            "PID.Patient.csv:3:26: this extension has no valueCode, but valueString",
            "PID.Patient.csv:5:8: no extension v2-al is known to the definitions or to extensions.csv; did you mean v2-all?",
        ],
    );
}

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

/// Cells that rows are made of, right ones and wrong ones.
fn cells(
    of: &'static [&'static str],
    count: std::ops::Range<usize>,
) -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    proptest::collection::vec(prop::sample::select(of), count).prop_map(|cells| cells.join(","))
}

const ELEMENT: &[&str] = &[
    "",
    "PID-3",
    "PID-3[5=MR].4",
    "CX.1",
    "$table",
    "A + B",
    "valued",
    "PID-3 absent",
    "is M",
    "in table:t",
    "name",
    "name#a.family",
    "identifier",
    "extension(patient-birthTime).valueDateTime",
    "status",
    "code",
    "subject",
    "keep",
    "table:t",
    "table:$table",
    "const(x)",
    "const(loinc|1-8)",
    "ref(a)",
    "ref(a*)",
    "ordinal",
    "op(text)",
    "ignore",
    "CX.Identifier",
    "X.Y",
    "CX.Identifier(type=t)",
    "DTM.date",
];
const STRUCTURE: &[&str] = &[
    "",
    "PID",
    "PID/OBX",
    "PID/OBX/OBX-5",
    "Patient",
    "Observation",
    "a.name",
    "b.component",
    "use",
    "a",
    "b",
    "X.Y",
    "CX.Identifier",
    "S",
    "PID-3 | a + ordinal",
    "PID-3 valued",
];

proptest::proptest! {
    #[test]
    fn no_rows_panic(
        rows in proptest::collection::vec(cells(ELEMENT, 4..5), 0..12),
        structure in proptest::collection::vec(cells(STRUCTURE, 6..7), 0..8),
    ) {
        let element = format!("from,when,to,how\n{}\n", rows.join("\n"));
        let structure = format!("at,make,as,when,fill,key\n{}\n", structure.join("\n"));
        let table = "code,to-code\nM,male\n*,\n";
        let sources = [
            ("X.Y.csv", element.as_str()),
            ("CX.Identifier.csv", &element),
            ("S.csv", &structure),
            ("types.csv", &structure),
            ("tables/t.csv", table),
        ];
        let loaded = Library::load(&sources.map(|(name, text)| Source { name, text }));
        let facts = Facts { ops: &OPS };
        check(&loaded.library, &facts);
        crate::reverse_text(&loaded.library, &facts);
        crate::page(&loaded.library, "S");
        proptest::prop_assert!(crate::explain(&loaded.library, "PID-3.4").is_ok());
    }
}
