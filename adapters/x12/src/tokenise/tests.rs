use bytes::Bytes;
use causeway_core::MemorySource;
use proptest::prelude::*;

use std::fmt::Write as _;

use super::*;

const ISA: &str =
    "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260101*1200*^*00501*000000001*0*P*:~";

/// Kind and text of every token.
fn tokens(bytes: &[u8]) -> Vec<(Kind, Vec<u8>)> {
    let mut source = MemorySource(Bytes::copy_from_slice(bytes));
    let mut tokens = Tokens::new(&mut source);
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(token) = tokens.next().unwrap() {
        assert_eq!(token.start, at, "a gap or an overlap");
        assert!(token.end > token.start, "a token without bytes");
        at = token.end;
        found.push((token.kind, token.text.to_vec()));
    }
    assert_eq!(at, bytes.len() as u64, "not the whole file");
    found
}

fn texts(bytes: &[u8]) -> Vec<String> {
    let found = tokens(bytes).into_iter().skip(1);
    found.map(|(_, text)| String::from_utf8(text).unwrap()).collect()
}

fn header(kind: &Kind) -> &Isa {
    match kind {
        Kind::Header(isa) => isa,
        other => panic!("no header but {other:?}"),
    }
}

#[test]
fn delimiters_are_those_of_the_header() {
    for (element, repetition, component, terminator) in [
        (b'*', b'^', b':', b'~'),
        (b'|', b'!', b'>', b'\n'),
        (0x1d, 0x1f, 0x1c, 0x1e),
        (b'+', b'*', b'<', b'\''),
    ] {
        let swap = |byte| match byte {
            b'*' => element,
            b'^' => repetition,
            b':' => component,
            b'~' => terminator,
            other => other,
        };
        let file: Vec<u8> = format!("{ISA}GS*HC~IEA*0*000000001~").bytes().map(swap).collect();
        let found = tokens(&file);
        let expected = Delimiters {
            element,
            repetition: Some(repetition),
            component,
            terminator,
        };
        assert_eq!(header(&found[0].0).delimiters, expected);
        assert_eq!(found.len(), 3);
        assert_eq!(header(&found[0].0).value(6), "SENDER");
    }
}

/// Until 00402, ISA11 is a standards identifier and nothing repeats.
#[test]
fn there_is_no_repetition_separator_before_00402() {
    let old = ISA.replace("*^*00501*", "*U*00401*");
    assert_eq!(header(&tokens(old.as_bytes())[0].0).delimiters.repetition, None);
    let first = ISA.replace("*00501*", "*00402*");
    assert_eq!(header(&tokens(first.as_bytes())[0].0).delimiters.repetition, Some(b'^'));
}

#[test]
fn line_breaks_behind_terminators_mean_nothing() {
    let file = format!("{ISA}\r\nGS*HC~\n\nST*837~\rIEA*0*1~\r\n");
    assert_eq!(texts(file.as_bytes()), ["GS*HC", "ST*837", "IEA*0*1"]);
}

#[test]
fn what_stands_between_interchanges_is_told_from_them() {
    let file = format!("\u{feff}\n{ISA}IEA*0*1~\nnonsense ISAAC {ISA}IEA*0*1~\x1a");
    let kinds = tokens(file.as_bytes()).into_iter().map(|(kind, text)| match kind {
        Kind::Header(_) => "header".to_owned(),
        Kind::Junk { blank } => format!("{blank} {}", text.len()),
        _ => String::from_utf8(text).unwrap(),
    });
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        ["true 4", "header", "IEA*0*1", "false 15", "header", "IEA*0*1", "true 1"]
    );
}

#[test]
fn a_header_that_was_not_padded_is_read_by_its_separators() {
    let loose = "ISA*00**00**ZZ*SENDER*ZZ*RECEIVER*260101*1200*^*00501*000000001*0*P*:~GS*HC~";
    let found = tokens(loose.as_bytes());
    let isa = header(&found[0].0);
    assert!(!isa.padded && isa.value(13) == "000000001" && isa.delimiters == Delimiters::USUAL);
    assert_eq!(found[1].1, b"GS*HC");
}

#[test]
fn a_header_that_cannot_be_read_is_said_to_be_so() {
    for (bad, fault) in [
        ("ISA*00*short", IsaFault::Short),
        (&ISA.replace("*:~", "*~~"), IsaFault::Delimiters),
        (&ISA.replace("*:~", "*:A"), IsaFault::Delimiters),
        (&format!("ISA*{}", "A".repeat(500)), IsaFault::Elements),
    ] {
        assert_eq!(tokens(bad.as_bytes())[0].0, Kind::BadHeader(fault), "{bad}");
    }
}

#[test]
fn a_header_inside_an_interchange_begins_another() {
    let file = format!("{ISA}GS*HC~{}GS|FA\n", ISA.replace('*', "|").replace('~', "\n"));
    let found = tokens(file.as_bytes());
    assert_eq!(found.len(), 4);
    assert_eq!(header(&found[2].0).delimiters.element, b'|');
    assert_eq!(found[3].1, b"GS|FA");
}

#[test]
fn binary_data_is_stepped_over_by_its_length() {
    let file = format!("{ISA}BIN*5*~*:~~~\nBDS*ASC*3*a~b~IEA*0*1~");
    let found = tokens(file.as_bytes());
    let start = ISA.len() as u64;
    assert_eq!(found[1], (Kind::Binary(start + 6..start + 11), b"BIN*5*".to_vec()));
    assert!(matches!(found[2].0, Kind::Binary(_)) && found[2].1 == b"BDS*ASC*3*");
    assert_eq!(found[3].1, b"IEA*0*1");
    for bad in [
        "BIN*x*abc",
        "BIN*99999999999999999999*abc",
        "BIN*18446744073709551615*abc",
        "BIN*2*abc",
        "BIN*5",
    ] {
        let found = tokens(format!("{ISA}{bad}~IEA*0*1~").as_bytes());
        assert_eq!(found[1], (Kind::BadBinary, bad.as_bytes().to_vec()));
        assert_eq!(found.len(), 3);
    }
}

#[test]
fn a_segment_has_a_bound() {
    let long = "A".repeat(MAX_SEGMENT * 5);
    let found = tokens(format!("{ISA}NTE*ADD*{long}~IEA*0*1~").as_bytes());
    assert_eq!((&found[1].0, found[1].1.len()), (&Kind::TooLong, MAX_SEGMENT));
    assert_eq!(found[2].1, b"IEA*0*1");
    let found = tokens(format!("{ISA}NTE*ADD*{long}").as_bytes());
    assert_eq!((&found[1].0, found.len()), (&Kind::TooLong, 2));
}

#[test]
fn a_segment_that_the_end_breaks_off_is_said_to_be_so() {
    assert_eq!(
        tokens(format!("{ISA}SE*1").as_bytes())[1],
        (Kind::Broken, b"SE*1".to_vec())
    );
}

/// Chunks must not show: the same segments come out wherever the borders of the chunks fall.
#[test]
fn segments_over_the_border_of_a_chunk_are_whole() {
    let mut file = ISA.to_owned();
    let mut number = 0;
    while file.len() < 3 * 256 * 1024 {
        number += 1;
        write!(file, "REF*XX*{number}*{}~\r\n", "x".repeat(number % 97)).unwrap();
    }
    let found = texts(file.as_bytes());
    assert_eq!(found.len(), number);
    for (index, text) in found.iter().enumerate() {
        assert!(text.starts_with(&format!("REF*XX*{}*", index + 1)), "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_the_sum_of_their_tokens(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        tokens(&bytes);
    }

    #[test]
    fn any_bytes_behind_a_header_are_the_sum_of_their_tokens(
        bytes in proptest::collection::vec(prop_oneof![proptest::sample::select(b"~*:^\r\nISAEBIN0123".to_vec()), any::<u8>()], 0..400)
    ) {
        let mut file = ISA.as_bytes().to_vec();
        file.extend(bytes);
        tokens(&file);
    }
}
