use super::{operations, page};
use crate::check::OpFact;
use crate::syntax::{Library, Source};

#[test]
fn a_page_has_instances_rows_type_maps_and_tables() {
    let files = [
        ("messages.csv", "type,trigger,structure\nORU,R01,ORU_R01\n"),
        ("ORU_R01.csv", "at,make,as,when,fill,key,note\nPID,use,,,Patient,,\n"),
        (
            "Patient.csv",
            "at,make,as,when,fill,key,note\nPID,Patient,patient,PID-3 valued,PID.Patient,PID-3[5=MR] | PID-3[1],2.9 3.4.2\n",
        ),
        (
            "PID.Patient.csv",
            "from,when,to,how,note\nPID-3,,identifier,CX.Identifier,\nPID-8,,gender,table:0001,a | b\n",
        ),
        ("CX.Identifier.csv", "from,when,to,how\nCX.1,,value,ST.string\n"),
        ("tables/0001.csv", "code,to-code,note\nM,male,\nX,none,no such code\n"),
    ];
    let loaded = Library::load(&files.map(|(name, text)| Source { name, text }));
    assert_eq!(loaded.problems, []);
    let expected = "# ORU_R01\n\nReads ORU^R01.\n\n## PID: Patient (patient)\n\n- when PID-3 valued\n\
        - key PID-3[5=MR] \\| PID-3[1]\n- 2.9 3.4.2\n- Patient.csv:2\n\nPID.Patient.csv\n\n\
        | line | source | condition | target | how | note |\n|---|---|---|---|---|---|\n\
        | 2 | PID-3 |  | identifier | CX.Identifier |  |\n| 3 | PID-8 |  | gender | table:0001 | a \\| b |\n\n\
        # Type maps\n\n## CX.Identifier\n\n| line | source | condition | target | how | note |\n|---|---|---|---|---|---|\n\
        | 2 | CX.1 |  | value | ST.string |  |\n\n# Tables\n\n## table 0001\n\n\
        | code | to | system | display | note |\n|---|---|---|---|---|\n| M | male |  |  |  |\n\
        | X | no element |  |  | no such code |\n";
    assert_eq!(page(&loaded.library, "ORU_R01").as_deref(), Some(expected));
    assert_eq!(page(&loaded.library, "ORU_R02"), None);
}

#[test]
fn operations_are_listed() {
    let op = OpFact {
        name: "phone",
        reads: &["XTN.3"],
        tables: &[],
        writes: &["string"],
        doc: "A number as it is dialled.",
        back: false,
    };
    let text = operations(&[op]);
    assert!(
        text.ends_with("| phone | string | XTN.3 |  | A number as it is dialled. |\n"),
        "{text}"
    );
}
