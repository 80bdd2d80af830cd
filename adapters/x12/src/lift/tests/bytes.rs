//! The same claim in other bytes: other delimiters, and text that is not UTF-8.

use bytes::Bytes;

use super::text::CLAIMS;
use super::{LIFT, case, walk};
use crate::Part;

fn part(change: impl Fn(u8) -> u8) -> Part {
    let mut part = walk::parts(CLAIMS).remove(0);
    part.text = part.text.iter().map(|byte| change(*byte)).collect::<Vec<u8>>().into();
    part
}

#[test]
fn delimiters_are_those_of_the_interchange() {
    let usual = case(&LIFT, part(|byte| byte)).written;
    for (element, component) in [(b'|', b'>'), (0x1D, 0x1F), (0xA7, 0xB6), (b'*', 0xFE)] {
        let mut other = part(|byte| match byte {
            b'*' => element,
            b':' => component,
            other => other,
        });
        other.delimiters.element = element;
        other.delimiters.component = component;
        assert_eq!(case(&LIFT, other).written, usual, "{element} {component}");
    }
}

#[test]
fn text_that_is_not_utf_8_is_latin_1() {
    let mut latin = walk::parts(CLAIMS).remove(0);
    let mut text = latin.text.to_vec();
    let at = text.windows(4).position(|four| four == b"WOOD").unwrap();
    text[at + 1] = 0xD6;
    latin.text = Bytes::from(text);
    let case = case(&LIFT, latin);
    assert!(case.written.contains("\"family\":\"W\u{d6}OD\""));
    assert!(
        case.written.contains("\"value\":1234.50"),
        "what stands behind is read where it stands"
    );
}
