//! Single rows: elements, types, codes, names. Each case is a row and all that is said of it.

use super::{observation, patient, said};

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
