use super::{Back, reverse, reverse_text};
use crate::check::{Facts, OpFact};
use crate::syntax::{Library, Source};

const OPS: [OpFact<'static>; 2] = [op("phone", true), op("text", false)];

const fn op(name: &'static str, back: bool) -> OpFact<'static> {
    OpFact {
        name,
        reads: &[],
        tables: &[],
        writes: &[],
        doc: "",
        back,
    }
}

/// Checks what becomes of the rows of one file on the way back.
#[track_caller]
fn check(rows: &str, expected: &[&str]) {
    let text = format!("from,when,to,how,note\n{rows}\n");
    let files = [
        ("X.Patient.csv", text.as_str()),
        ("CX.Identifier.csv", "from,to,how\nCX.1,value,keep\n"),
        ("CWE.CodeableConcept.csv", "from,to,how\nCWE.1,coding#c,table:$table\n"),
        ("tables/one.csv", "code,to-code\nA,x\nB,y\n*,z\n"),
        ("tables/many.csv", "code,to-code\nA,x\nB,x\n"),
        ("tables/marked.csv", "code,to-code,back\nA,x,x\nB,x,\n"),
    ];
    let loaded = Library::load(&files.map(|(name, text)| Source { name, text }));
    assert_eq!(loaded.problems, []);
    let all = reverse(&loaded.library, &Facts { ops: &OPS });
    let file = loaded.library.file_name(all.last().unwrap().row.file);
    assert_eq!(&*file, "X.Patient.csv");
    let own = all
        .into_iter()
        .filter(|row| loaded.library.file_name(row.row.file) == file);
    let said = own.map(|row| match row.back {
        Back::Writes => "writes".to_owned(),
        Back::Nothing => "nothing".to_owned(),
        Back::Other(line) => format!("line {line}"),
        Back::Lost(why) => why,
    });
    assert_eq!(said.collect::<Vec<_>>(), expected);
}

#[test]
fn values_and_type_maps() {
    check(
        "PID-5,,name#n.text,keep,\nPID-7,,birthDate,DTM.date,\nPID-3,,identifier,CX.Identifier,",
        &["writes"; 3],
    );
    check(
        "PID-5,,name#n.text,XPN.string,",
        &["a name as one text is not split into its parts again"],
    );
    check("PID-3,,identifier,CX.Other,", &["no type map CX.Other is there"]);
}

#[test]
fn tables() {
    check("PID-8,,gender,table:one,", &["writes"]);
    check("PID-8,,gender,table:marked,", &["writes"]);
    check(
        "PID-8,,gender,table:many,",
        &["in table many several codes give one, none is marked in 'back': A, B"],
    );
}

#[test]
fn what_has_nothing_to_write() {
    check(
        ",,active,const(true),\n,,gender,default(unknown),\n,,managingOrganization,ref(x),\nPID-1,,,finding(x),",
        &["nothing"; 4],
    );
    check(
        "PID-1,,,ignore,set id\nPID-2,,,ignore,",
        &["ignored: set id", "ignored: no reason given"],
    );
}

#[test]
fn a_constant_says_what_its_test_says() {
    check(
        "PID-8,is M,gender,const(male),\nPID-8,in A B,gender,const(other),",
        &["writes", "nothing"],
    );
}

#[test]
fn operations() {
    check(
        "PID-13,,telecom,op(phone),\nPID-14,,telecom,op(text),",
        &["writes", "op(text) has no way back"],
    );
}

#[test]
fn of_several_rows_for_a_target_the_first_writes() {
    check(
        "ORC-2,,identifier#p.value,keep,\nOBR-2,,identifier#p.value,keep,",
        &["writes", "line 2"],
    );
    check(
        "OBX-5,OBX-2 is NM,gender,keep,\nOBX-5,OBX-2 is ST,gender,keep,",
        &["writes", "writes"],
    );
}

#[test]
fn a_label_is_known_by_its_constants() {
    let lost = |label: &str| format!("nothing tells {label} from the other items of its element: give it a constant");
    check(
        "A-1,,name#a.text,keep,\nA-2,,name#b.text,keep,",
        &[&lost("name#a"), &lost("name#b")],
    );
    check(
        "A-1,,name#a.text,keep,\nA-1,,name#a.use,const(usual),\nA-2,,name#b.text,keep,\nA-2,,name#b.use,const(old),",
        &["writes", "nothing", "writes", "nothing"],
    );
    check(
        "A-1,,identifier#a,CX.Identifier(type=PLAC),\nA-2,,identifier#b,CX.Identifier(type=FILL),",
        &["writes", "writes"],
    );
    check(
        "A-1,,extension(x)#a.valueString,keep,\nA-2,,extension(y)#b.valueString,keep,",
        &["writes", "writes"],
    );
}

#[test]
fn the_listing_names_what_is_lost_and_counts_the_rest() {
    let text = "from,when,to,how,note\nPID-1,,,ignore,set id\nPID-8,,gender,keep,\n";
    let loaded = Library::load(&[Source {
        name: "PID.Patient.csv",
        text,
    }]);
    let listing = reverse_text(&loaded.library, &Facts::default());
    assert_eq!(
        listing,
        "PID.Patient.csv:2: PID-1: ignored: set id\n\
         2 rows: 1 write their place, 0 leave it to another row, 0 have nothing to write, 1 have no way back\n"
    );
}
