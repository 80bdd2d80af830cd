//! The interchange of a reply: ISA with sender and receiver changed over, TA1 or a functional group, IEA.

use causeway_core::Stamp;

use super::{Writer, control_number};
use crate::delimiters::Delimiters;
use crate::problem::InterchangeFault;
use crate::tokenise::Isa;

/// Version of the interchange of an acknowledgement by [`GUIDE`], whatever the version of what it answers.
const VERSION: &[u8] = b"00501";

/// The guide of our acknowledgements.
const GUIDE: &str = "005010X231A1";

/// What an interchange is answered with.
#[derive(Debug)]
pub(super) struct Answering<'a> {
    isa: &'a Isa,
    number: u32,
    stamp: &'a Stamp,
}

impl<'a> Answering<'a> {
    pub(super) fn new(isa: &'a Isa, stamp: &'a Stamp, index: usize) -> Self {
        Self {
            isa,
            number: control_number(stamp, index),
            stamp,
        }
    }

    /// An interchange with a TA1 alone: between ISA and IEA, in no functional group.
    pub(super) fn ta1(&self, fault: Option<InterchangeFault>, bytes: &mut Vec<u8>) {
        let mut writer = Writer::new(bytes, self.isa.delimiters);
        let raw = |number: usize| self.isa.elements.get(number - 1).map(AsRef::as_ref).unwrap_or_default();
        // Where the sender's interchange has no repetition separator, ISA11 is the standards identifier.
        self.header(&mut writer, self.isa.delimiters.repetition.as_slice(), raw(12));
        let verdict = match fault {
            None => "A",
            Some(fault) if fault.is_fatal() => "R",
            Some(_) => "E",
        };
        let code = fault.map_or("000", InterchangeFault::code);
        let value = |number: usize, count: usize| digits(&self.isa.value(number), count);
        writer.segment("TA1", &[&value(13, 9), &value(9, 6), &value(10, 4), &verdict, &code]);
        self.trailer(&mut writer, 0);
    }

    /// An interchange with one functional group of acknowledgements, which `fill` writes.
    pub(super) fn wrap(&self, bytes: &mut Vec<u8>, fill: impl FnOnce(&mut GroupWriter<'_, '_>)) {
        let mut delimiters = self.isa.delimiters;
        let free = || b"^!|;".iter().copied().find(|byte| !delimiters.contains(*byte));
        delimiters.repetition = delimiters.repetition.or_else(free);
        let mut writer = Writer::new(bytes, delimiters);
        self.header(&mut writer, delimiters.repetition.as_slice(), VERSION);
        let time = self.stamp.time.strftime("%Y%m%d%H%M%S").to_string();
        let (day, clock) = time.split_at_checked(8).unwrap_or_default();
        let mut group = GroupWriter {
            writer: &mut writer,
            sets: 0,
            started: false,
            head: Head {
                day,
                clock,
                number: self.number,
            },
        };
        fill(&mut group);
        let (sets, number) = (group.sets, self.number);
        writer.segment("GE", &[&sets, &number]);
        self.trailer(&mut writer, 1);
    }

    fn header(&self, writer: &mut Writer<'_>, repetition: &[u8], version: &[u8]) {
        let isa = self.isa;
        let element = isa.delimiters.element;
        let raw = |number: usize| isa.elements.get(number - 1).map(AsRef::as_ref).unwrap_or_default();
        let time = self.stamp.time.strftime("%y%m%d%H%M").to_string();
        let (day, clock) = time.split_at_checked(6).unwrap_or_default();
        let fields: [Vec<u8>; 15] = [
            b"00".to_vec(),
            vec![b' '; 10],
            b"00".to_vec(),
            vec![b' '; 10],
            usual(raw(7), 2, u8::is_ascii_alphanumeric, b"ZZ"),
            padded(raw(8), 15, isa.delimiters),
            usual(raw(5), 2, u8::is_ascii_alphanumeric, b"ZZ"),
            padded(raw(6), 15, isa.delimiters),
            day.as_bytes().to_vec(),
            clock.as_bytes().to_vec(),
            usual(repetition, 1, |_| true, b"U"),
            usual(version, 5, u8::is_ascii_digit, VERSION),
            format!("{:09}", self.number).into_bytes(),
            b"0".to_vec(), // an acknowledgement is not acknowledged
            usual(raw(15), 1, |byte| b"PTI".contains(byte), b"P"),
        ];
        writer.raw(b"ISA");
        for field in fields {
            writer.raw(&[element]);
            writer.raw(&field);
        }
        writer.raw(&[element, isa.delimiters.component]);
        writer.end();
    }

    fn trailer(&self, writer: &mut Writer<'_>, groups: u32) {
        writer.segment("IEA", &[&groups, &format!("{:09}", self.number)]);
    }
}

/// A value cut or padded to a width, without what could not be read again: delimiters, control characters, bytes that are
/// no ASCII.
fn padded(value: &[u8], width: usize, delimiters: Delimiters) -> Vec<u8> {
    let good = |byte: u8| (0x20..0x7f).contains(&byte) && !delimiters.contains(byte);
    let mut held: Vec<u8> = value
        .iter()
        .take(width)
        .map(|byte| if good(*byte) { *byte } else { b' ' })
        .collect();
    held.resize(width, b' ');
    held
}

/// A value that must be of a form, or what is usual in its place.
fn usual(value: &[u8], width: usize, of_form: impl Fn(&u8) -> bool, usual: &'static [u8]) -> Vec<u8> {
    let good = value.len() == width && value.iter().all(of_form);
    if good { value } else { usual }.to_vec()
}

/// Digits of a fixed count: zeros where a value is none.
fn digits(value: &str, count: usize) -> String {
    let good = value.len() == count && value.bytes().all(|byte| byte.is_ascii_digit());
    if good { value.to_owned() } else { "0".repeat(count) }
}

/// What the header of our group says.
#[derive(Debug)]
struct Head<'a> {
    day: &'a str,
    clock: &'a str,
    number: u32,
}

/// Writes the acknowledgements of a functional group of ours.
#[derive(Debug)]
pub(super) struct GroupWriter<'w, 'b> {
    pub(super) writer: &'w mut Writer<'b>,
    sets: u32,
    started: bool,
    head: Head<'w>,
}

impl GroupWriter<'_, '_> {
    /// Begins an acknowledgement; the first begins the group too, for the application that sent.
    pub(super) fn begin(&mut self, from: &str, to: &str) {
        if !self.started {
            self.started = true;
            let head = &self.head;
            let clock = head.clock.get(..6).unwrap_or_default();
            self.writer.segment(
                "GS",
                &[&"FA", &to, &from, &head.day, &clock, &head.number, &"X", &GUIDE],
            );
        }
        self.sets = self.sets.saturating_add(1);
        let _before = self.writer.counted();
        self.writer
            .segment("ST", &[&"999", &format!("{:04}", self.sets), &GUIDE]);
    }

    /// Ends an acknowledgement.
    pub(super) fn end(&mut self) {
        let count = self.writer.counted().saturating_add(1);
        self.writer.segment("SE", &[&count, &format!("{:04}", self.sets)]);
    }
}
