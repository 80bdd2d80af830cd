use super::*;

fn load(files: &[(&str, &str)]) -> Loaded {
    let sources: Vec<Source<'_>> = files.iter().map(|&(name, text)| Source { name, text }).collect();
    Library::load(&sources)
}

#[track_caller]
fn row(line: &str) -> ElementRow {
    let text = format!("from,when,to,how,note\n{line}\n");
    let loaded = load(&[("X.Y.csv", &text)]);
    assert_eq!(loaded.problems, [], "{line}");
    loaded.library.elements["X.Y"].rows[0].clone()
}

/// The row's problem as `LINE:COLUMN: text`.
#[track_caller]
fn refused(line: &str, expected: &str) {
    let text = format!("from,when,to,how,note\n{line}\n");
    let problems = load(&[("X.Y.csv", &text)]).problems;
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(said, [format!("X.Y.csv:2:{expected}")], "{line}");
}

#[test]
fn places_read_back_as_written() {
    let places = [
        "PID-3[5=MR].4.2",
        "MSH-9.2",
        "OBX-5",
        "ORC+OBR/SPM",
        "2000B/2010BA/NM1-09",
        "CLM-05.1",
        "DTP[01=472]-03",
        "2300/HI-*[1 in ABK ABF]",
        "SV1-07.*",
        "IN1-3[n]",
        "PID-3[2]",
        "PatientName[I].1",
        "{363698007 SCT}/ConceptCodeSequence",
        "{125007 DCM}/NUM/{121404 DCM}",
        "ImageType[3]",
        "root/SOPInstanceUID",
        "setlinfo/psn_name",
        "recordTarget/patientRole/id/@root",
        "CX.4.2",
        "PID-3[5.1='a b'].1",
        "$table",
        "site:al1-4",
    ];
    for text in places {
        let place = Place::parse(text, Span::default()).unwrap();
        assert_eq!(place.to_string(), text);
    }
}

#[test]
fn a_place_is_steps_selectors_and_parts() {
    let place = Place::parse("2000B/REF[01 in SY EI]-02.1", Span::default()).unwrap();
    let [outer, inner] = place.steps.as_slice() else {
        panic!("two steps")
    };
    assert_eq!(outer.bare(), Some("2000B"));
    assert_eq!(inner.head, Head::Names(vec!["REF".into()]));
    let says = Select::Says {
        part: vec!["01".into()],
        values: vec!["SY".into(), "EI".into()],
    };
    assert_eq!(inner.select, [says]);
    let parts: Vec<_> = inner.parts.iter().map(|p| (p.mark, p.number.as_deref())).collect();
    assert_eq!(parts, [(Mark::Field, Some("02")), (Mark::Component, Some("1"))]);
}

#[test]
fn tests_are_a_closed_list() {
    let tests = [
        "valued",
        "OBX-2 is NM and not number",
        "NK1-3 not in EMR E F I S",
        "OBX-5.1 in < <= > >=",
        "trigger in A01 A04 and version >= 2.7",
        "has 2010AA",
        "not has PV1",
        "PID-11 count = 1 and PID-12 not same as PID-11.9",
        "length > 8",
        "number >= -0.5",
        "$table valued",
        "CWE.1 in table:$table",
        "in table:ucum",
        "site:al1-4 is criticality",
        "ORC+OBR/SPM count = 1",
        "PV1-2 is 'a b'",
        "REF[01 in SY EI]-02 null",
    ];
    for text in tests {
        let parsed = Test::parse(text, Span::default()).unwrap();
        let shown: Vec<String> = parsed.iter().map(ToString::to_string).collect();
        assert_eq!(shown.join(" and "), text);
    }
    let quoted = Test::parse("is 'it''s and'", Span::default()).unwrap();
    assert_eq!(quoted[0].check, Check::Is("it's and".into()));
    assert!(Test::parse("is not 0", Span::default()).unwrap()[0].not);
}

#[test]
fn ways_are_a_closed_list() {
    let ways = [
        "CX.Identifier(type=VN system=site:mrn)",
        "R.Money(currency=2000A/CUR-02)",
        "XTN.ContactPoint(use='a b')",
        "Code.CodeableConcept",
        "OBX-5.value",
        "keep",
        "table:0001",
        "table:$table",
        "const(unknown)",
        "const(v3-ParticipationType|ATND)",
        "const(http://snomed.info/sct|88189002)",
        "const(site:fee-class|own)",
        "const(http://unitsofmeasure.org)",
        "default(unknown)",
        "absent(unknown)",
        "ref(patient)",
        "ref(person here)",
        "ref(obs*)",
        "ref(obs, OBX-3.1 = OBR-26.1.1, OBX-4 = OBR-26.2)",
        "ordinal",
        "ordinal(rendering)",
        "op(low-high)",
        "finding(not-a-number)",
        "ignore",
        "off",
    ];
    for text in ways {
        assert_eq!(How::parse(text, Span::default()).unwrap().to_string(), text);
    }
    let How::TypeMap(map) = How::parse("R.Money(currency=2000A/CUR-02 kind=PLAC)", Span::default()).unwrap() else {
        panic!("a type map");
    };
    assert!(matches!(map.param("currency"), Some(ParamValue::Place(_))));
    assert_eq!(map.param("kind"), Some(&ParamValue::Text("PLAC".into())));
}

#[test]
fn targets() {
    let row = row("PID-26,,extension(patient-citizenship)#tribal.extension(code).valueCodeableConcept,keep,");
    let target = row.to.unwrap();
    assert_eq!(
        target.to_string(),
        "extension(patient-citizenship)#tribal.extension(code).valueCodeableConcept"
    );
    let outer = Target::parse("extension(patient-citizenship)#tribal", Span::default())
        .unwrap()
        .unwrap();
    assert!(target.is_inside(&outer));
    assert!(!outer.is_inside(&target));
}

#[test]
fn cells() {
    let text = "note,how,to,from\n\"a \"\"b\"\", c\",keep,'x,PID-5\r\n\n,keep,name,PID-6\n";
    let loaded = load(&[("A.B.csv", text)]);
    assert_eq!(loaded.problems, []);
    let rows = &loaded.library.elements["A.B"].rows;
    assert_eq!(rows[0].note, "a \"b\", c");
    assert_eq!(rows[0].to.as_ref().unwrap().to_string(), "x");
    assert_eq!(rows[1].span.line, 4);
}

#[test]
fn errors_have_line_column_and_nearest_name() {
    refused(
        "PID-3[,,name,keep,",
        "7: expected [2], [n], [5=MR], [01 in 7 8] or a name group",
    );
    refused(
        "PID-3,vlued,name,keep,",
        "7: 'vlued' is no test and none follows it: valued, absent, null, is, in, same as, number, measure, length or count; did you mean valued?",
    );
    refused(
        "PID-3,PID-2 vlued,name,keep,",
        "13: 'vlued' is no test; did you mean valued?",
    );
    refused(
        "PID-3,PID-2 is X or PID-3 is Y,name,keep,",
        "18: expected 'and' between tests, found 'or'",
    );
    refused(
        "PID-3,,name,kep,",
        "13: 'kep' is no way to fill an element; did you mean keep?",
    );
    refused("PID-3,,name,,", "13: 'how' is empty: say what becomes of the value");
    refused(
        "PID-3,,name,const(a,",
        "20: expected ')' at the end, found the end of the cell",
    );
    refused("PID-3,,na me,keep,", "11: did not expect 'm' here");
    refused("PID-3,,,keep,", "8: 'keep' wants an element in 'to'");
    refused(",,name,keep,", "1: 'keep' wants a place in 'from'");
    refused(
        "PID-3 + PID-4,,name,keep,",
        "21: joined places feed an operation or a type map, not 'keep'",
    );
    refused(
        "=PID-3,,name,keep,",
        "1: a cell may not begin with '=', a formula to a spreadsheet; guard it with an apostrophe",
    );
    refused(
        "PID-3,,name,keep,a,b",
        "20: more cells than the header has columns; a cell with a comma wants quotes",
    );
}

#[test]
fn headers() {
    let said = |text: &str| {
        load(&[("A.B.csv", text)])
            .problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let text = "from,when,to,how,nott\nPID-3,,name,keep,\n";
    let unknown = "A.B.csv:1:18: 'nott' is no column of this file (from, when, to, how, note); did you mean note?";
    assert_eq!(said(text), [unknown]);
    assert_eq!(said("from,to\n"), ["A.B.csv:1:1: the header lacks how"]);
    assert_eq!(said("").len(), 1);
}

#[test]
fn structures_and_keys() {
    let base = "at,make,as,when,fill,key,note\n\
        PID,Patient,patient,,PID.Patient PD1.Patient,PID-3[5=MR] | PID-3[1],2.9 3.4.2\n\
        PID,use,,,Shared,,\n\
        PID/ORC+OBR/OBX,Observation,obs,OBX-5 count > 1,OBX.Observation,patient + OBX-3 + visit + OBX-4? + ordinal,\n\
        PID/ORC+OBR/OBX/OBX-5,obs.component,component,,OBX-5.value,,\n";
    let shared = "at,make,as,when,fill,key,note\nPID/PV1,Encounter,visit,,PV1.Encounter,PV1-19,\n";
    let loaded = load(&[("ORU_R01.csv", base), ("Shared.csv", shared)]);
    assert_eq!(loaded.problems, []);
    let rows = &loaded.library.structures["ORU_R01"].rows;
    assert_eq!(rows[0].key.len(), 2);
    assert_eq!(rows[1].make, Make::Use);
    let parts = &rows[2].key[0].parts;
    assert_eq!(parts[0].what, KeyWhat::Name("patient".into()));
    assert!(matches!(parts[1].what, KeyWhat::Place(_)));
    assert_eq!(parts[2].what, KeyWhat::Name("visit".into()));
    assert!(parts[3].optional);
    assert_eq!(parts[4].what, KeyWhat::Ordinal);
    assert!(matches!(&rows[3].make, Make::Item { name, .. } if name == "obs"));
}

const FILES: [&str; 6] = [
    "A.B.csv",
    "tables/x.csv",
    "extensions.csv",
    "messages.csv",
    "types.csv",
    "site.toml",
];

fn any_header() -> impl proptest::strategy::Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "",
        "from,when,to,how,note\n",
        "at,make,as,when,fill,key,note\n",
        "code,to-code,back\n",
    ])
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300), header in any_header()) {
        let text = format!("{header}{}", String::from_utf8_lossy(&bytes));
        for name in FILES {
            load(&[(name, &text)]);
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,300}", header in any_header()) {
        let text = format!("{header}{text}");
        for name in FILES {
            load(&[(name, &text)]);
        }
    }

    #[test]
    fn no_row_panics(cells in proptest::collection::vec("[a-zA-Z0-9*+.,'\"\\[\\](){}|=<>$:/# -]{0,30}", 1..12)) {
        let text = format!("from,when,to,how,note\n{}\n", cells.join(","));
        load(&[("A.B.csv", &text)]);
        let text = format!("at,make,as,when,fill,key,note\n{}\n", cells.join(","));
        load(&[("S.csv", &text)]);
    }
}

/// What stands between backticks in the first column of the tables below a heading of the manual.
fn manual(heading: &str) -> Vec<String> {
    let text = include_str!("../../LANGUAGE.md");
    let section = text
        .split("\n## ")
        .find(|section| section.starts_with(heading))
        .unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|line| {
        line.replace("\\|", "\u{1}")
            .split('|')
            .nth(1)
            .unwrap()
            .replace('\u{1}', "|")
    });
    let cells: Vec<String> = cells.collect();
    let quoted = cells.iter().flat_map(|cell| cell.split('`').skip(1).step_by(2));
    quoted.map(str::to_owned).collect()
}

#[test]
fn the_manual_writes_what_is_read() {
    for way in manual("Ways") {
        How::parse(&way, Span::default()).unwrap_or_else(|bad| panic!("{way}: {}", bad.text));
    }
    for test in manual("Tests") {
        Test::parse(&test, Span::default()).unwrap_or_else(|bad| panic!("{test}: {}", bad.text));
    }
    for place in manual("Places")
        .iter()
        .filter(|place| !place.starts_with(['[', '*', 'A']))
    {
        Place::parse(place, Span::default()).unwrap_or_else(|bad| panic!("{place}: {}", bad.text));
    }
    assert!(manual("Ways").len() > 15, "the table is found");
    let head = "at,make,as,when,fill,key,note\n";
    for make in manual("Structure files")
        .iter()
        .filter(|make| !["at", "make", "as", "when", "fill", "key", "note"].contains(&make.as_str()))
    {
        let fill = if make == "use" { "F" } else { "" };
        let loaded = load(&[("S.csv", &format!("{head}A,{make},,,{fill},,\n"))]);
        let refused = loaded
            .problems
            .iter()
            .filter(|problem| !problem.text.contains("'off' is for"));
        assert_eq!(refused.count(), 0, "{make}");
    }
}
