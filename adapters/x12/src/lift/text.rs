//! The text of a part as text: as it stands where it is UTF-8, else byte for byte as Latin-1, which X12's extended
//! character set is a part of. Where elements stand in it is not known here.

use bytestring::ByteString;

use crate::part::Part;

/// The delimiters as they stand in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    pub(super) element: u8,
    pub(super) repetition: u8,
    pub(super) component: u8,
}

/// A byte that no text of a part holds: what stands for a delimiter that is not there.
const NEVER: u8 = 0xFF;

/// What stands for delimiters beyond ASCII, which text cannot be cut at: the separators of ASCII itself.
const INSTEAD: [u8; 3] = [0x1D, 0x1E, 0x1F];

/// The part with its text as text. Segments are moved where the text became longer.
pub(super) fn readable(part: Part) -> (Part, ByteString, Marks) {
    let delimiters = part.delimiters;
    let marks = Marks {
        element: delimiters.element,
        repetition: delimiters.repetition.unwrap_or(NEVER),
        component: delimiters.component,
    };
    let repetition = delimiters.repetition.unwrap_or(0);
    let all = [
        delimiters.element,
        delimiters.component,
        delimiters.terminator,
        repetition,
    ];
    if all.iter().all(u8::is_ascii)
        && let Ok(text) = ByteString::try_from(part.text.clone())
    {
        return (part, text, marks);
    }
    latin(part, marks)
}

fn latin(mut part: Part, marks: Marks) -> (Part, ByteString, Marks) {
    let mut text = String::with_capacity(part.text.len() + part.text.len() / 8);
    let mut moved = Vec::with_capacity(part.text.len() + 1);
    let beyond = |mark: u8, instead: u8| {
        if mark.is_ascii() || mark == NEVER {
            mark
        } else {
            instead
        }
    };
    let [element, repetition, component] = INSTEAD;
    let new = Marks {
        element: beyond(marks.element, element),
        repetition: beyond(marks.repetition, repetition),
        component: beyond(marks.component, component),
    };
    for byte in &part.text {
        moved.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        text.push(char::from(match *byte {
            byte if byte == marks.element => new.element,
            byte if byte == marks.component => new.component,
            byte if byte == marks.repetition && byte != NEVER => new.repetition,
            byte => byte,
        }));
    }
    moved.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
    let to = |at: u32| moved.get(at as usize).copied().unwrap_or(0);
    for segment in &mut part.segments {
        segment.start = to(segment.start);
        segment.end = to(segment.end);
    }
    (part, text.into(), new)
}
