//! What a finding looks like in a result message. A comment (NTE, HL7 v2.9 2.13.10): NTE-2 `O`, another system is its
//! source (table 0105), NTE-4 a remark (table 0364) with our code. A result (OBX, HL7 v2.9 7.4.2): OBX-3 our code, OBX-4
//! the sub-id of the result that it speaks of, so that they belong together (7.4.2.4), OBX-5 the text, OBX-8 `A` where
//! somebody must look (table 0078), OBX-11 final, OBX-14 when it was judged, OBX-15 who is responsible for it (7.4.2.15),
//! OBX-17 by which rule or service. So a receiver tells what was added by NTE-4 and OBX-3 of coding system 99CAUSEWAY, and
//! by OBX-15. The text is in the listener's language, or in English where the character set cannot hold that; a
//! character that it cannot hold at all is written `<U+5F20>`.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use causeway_core::finding::Lang;
use causeway_core::{ActorKind, Class, Finding, Severity};

use super::layout::Layout;
use super::{Manner, remark};
use crate::charset::Charset;
use crate::intake::Intake;
use crate::message::Message;
use crate::reply::writer::Writer;

/// The coding system of our codes; table 0396 gives the prefix `99` to local ones.
const OUR_CODES: &str = "99CAUSEWAY";

/// A segment that is added, with the terminator before it.
pub(super) struct Added {
    /// The segment that it goes behind.
    pub(super) behind: usize,
    /// A result goes behind the comments at the same place.
    pub(super) rank: u8,
    pub(super) bytes: Vec<u8>,
}

/// What ends the segments of a message.
pub(super) fn terminator(message: &Message) -> &'static str {
    let end = message.segments.first().map_or(0, |header| header.end as usize);
    let rest = message.text.get(end..).unwrap_or_default();
    let rest = rest.trim_start_matches(['\u{1c}', '\u{1a}', '\u{b}', '\0']);
    match rest.as_bytes() {
        [b'\r', b'\n', ..] => "\r\n",
        [b'\n', ..] => "\n",
        _ => "\r",
    }
}

/// The segments that tell of the findings, without those that are there already.
pub(super) fn added(
    layout: &Layout<'_>,
    intake: &Intake,
    told: &[&Finding],
    manner: Manner<'_>,
    remarks: &mut Vec<Finding>,
) -> Vec<Added> {
    let mut work = Work {
        layout,
        intake,
        manner,
        notes: HashMap::new(),
        results: HashMap::new(),
        said: HashSet::new(),
        lost: 0,
    };
    work.look();
    let mut all = Vec::new();
    for finding in told {
        let place = finding.place.as_deref().and_then(|place| intake.body.place_of(place));
        match layout.taker(place) {
            Some(taker) => {
                all.extend(work.note(taker, finding));
                all.extend(work.result(taker, finding));
            }
            None => remarks.push(remark(
                "not-annotated",
                format!("消息中没有可附加备注的段：{}", finding.code),
                format!("no segment of the message takes a comment: {}", finding.code),
            )),
        }
    }
    if work.lost > 0 {
        remarks.push(remark(
            "characters-escaped",
            format!("字符集无法表示 {} 个字符，已写作 <U+…>", work.lost),
            format!(
                "the character set cannot hold {} characters; they are written <U+...>",
                work.lost
            ),
        ));
    }
    all
}

/// The segment that takes it, the added segment's name, its code, and its text with what else tells it from another.
type Said = (usize, &'static str, String, String);

struct Work<'a> {
    layout: &'a Layout<'a>,
    intake: &'a Intake,
    manner: Manner<'a>,
    /// The last number of the comments on a segment.
    notes: HashMap<usize, u32>,
    /// The last number of the results of an order.
    results: HashMap<usize, u32>,
    /// What stands there already, or was added.
    said: HashSet<Said>,
    /// Characters that could not be written.
    lost: usize,
}

impl Work<'_> {
    fn message(&self) -> &Message {
        self.layout.message
    }

    fn writer(&self) -> Writer {
        let charset = Charset {
            mark: false,
            ..self.intake.charset
        };
        let mut writer = Writer::new(charset, self.message().delims);
        writer.raw(0, terminator(self.message()));
        writer
    }

    fn note(&mut self, taker: usize, finding: &Finding) -> Option<Added> {
        let mut writer = self.writer();
        let text = self.text(&writer, taker, finding);
        let (code, words) = (writer.escaped(&finding.code, usize::MAX), words(&writer, finding));
        if !self.said.insert((taker, "NTE", code.clone(), text.clone())) {
            return None;
        }
        let number = number(&mut self.notes, taker, self.layout.notes(taker), self.layout.message);
        writer.segment("NTE");
        writer.raw(1, &number.to_string());
        writer.raw(2, "O");
        writer.raw(3, &text);
        writer.components(4, &["RE", "Remark", "HL70364", &code, &words, OUR_CODES]);
        Some(Added {
            behind: self.layout.behind(taker),
            rank: 0,
            bytes: writer.into_bytes(),
        })
    }

    /// A coded result of what rules and services say. What is wrong with the message itself is no result of the patient.
    fn result(&mut self, taker: usize, finding: &Finding) -> Option<Added> {
        let judged = matches!(finding.by.kind, ActorKind::Rule | ActorKind::Hook);
        let order = self.layout.order(taker).filter(|_| judged)?;
        let mut writer = self.writer();
        let text = self.text(&writer, taker, finding);
        let (code, words) = (writer.escaped(&finding.code, usize::MAX), words(&writer, finding));
        let sub = if taker == order {
            String::new()
        } else {
            self.raw(taker, 4).to_owned()
        };
        if !self.said.insert((order, "OBX", code.clone(), format!("{sub} {text}"))) {
            return None;
        }
        let results = self.layout.results(order).iter().copied();
        let number = number(&mut self.results, order, results, self.layout.message);
        let (zone, time) = (self.manner.zone.clone(), self.manner.time);
        let time = time.to_zoned_datetime(zone).strftime("%Y%m%d%H%M%S%z").to_string();
        let by = &finding.by;
        let version = by.version.as_deref().unwrap_or_default();
        let (by, version) = (writer.escaped(&by.id, usize::MAX), writer.escaped(version, usize::MAX));
        writer.segment("OBX");
        writer.raw(1, &number.to_string());
        writer.raw(2, "TX");
        writer.components(3, &[&code, &words, OUR_CODES]);
        writer.raw(4, &sub);
        writer.raw(5, &text);
        writer.raw(8, flag(finding));
        writer.raw(11, "F");
        writer.raw(14, &time);
        writer.components(15, &["CAUSEWAY", "Causeway", OUR_CODES]);
        writer.components(17, &[&by, "", OUR_CODES, "", "", "", &version]);
        Some(Added {
            behind: self.layout.behind_results(order),
            rank: 1,
            bytes: writer.into_bytes(),
        })
    }

    /// Notes what was added before, by a gateway that the message came through.
    fn look(&mut self) {
        let message = self.layout.message;
        for (at, segment) in message.segments.iter().enumerate() {
            let (code, said) = match &segment.name.0 {
                b"NTE" if self.part(at, 4, 6) == OUR_CODES => (self.part(at, 4, 4), self.raw(at, 3).to_owned()),
                b"OBX" if self.part(at, 3, 3) == OUR_CODES => {
                    (self.part(at, 3, 1), format!("{} {}", self.raw(at, 4), self.raw(at, 5)))
                }
                _ => continue,
            };
            let code = code.to_owned();
            if segment.name == "NTE" {
                let taker = self.layout.taker(Some(segment.place()));
                self.said.extend(taker.map(|taker| (taker, "NTE", code, said)));
            } else {
                let order = self.layout.order(at);
                self.said.extend(order.map(|order| (order, "OBX", code, said)));
            }
        }
    }

    fn raw(&self, at: usize, field: u32) -> &str {
        let message = self.message();
        message
            .field(at, field)
            .map(|value| message.raw(value))
            .unwrap_or_default()
    }

    fn part(&self, at: usize, field: u32, component: u32) -> &str {
        let message = self.layout.message;
        let value = message
            .field(at, field)
            .and_then(|value| message.component(value, component));
        value.map(|value| message.raw(value)).unwrap_or_default()
    }

    /// The place that a finding speaks of, when that is not in the segment that takes it.
    fn elsewhere(&self, taker: usize, finding: &Finding) -> String {
        let place = finding
            .place
            .as_deref()
            .and_then(|place| self.intake.body.place_of(place));
        let place = place.filter(|place| self.message().position(*place).is_some_and(|at| at != taker));
        place.map_or_else(String::new, |place| format!("({}) ", self.message().place_text(place)))
    }

    /// What is said, what may be done about it, and by whom, fit to stand in a field.
    fn text(&mut self, writer: &Writer, taker: usize, finding: &Finding) -> String {
        let elsewhere = self.elsewhere(taker, finding);
        let said = |lang: Lang| {
            let suggestion = finding.suggestion.as_ref().map(|text| text.get(lang));
            let sentences = std::iter::once(finding.text.get(lang)).chain(suggestion);
            let sentences: Vec<&str> = sentences.filter(|text| !text.is_empty()).collect();
            let version = finding.by.version.as_deref().map(|version| format!(" {version}"));
            let by = format!("[{}{}]", finding.by.id, version.unwrap_or_default());
            format!("{} {elsewhere}{by}", sentences.join("; "))
        };
        let text = said(self.manner.lang);
        let text = if writer.can(&text) { text } else { said(Lang::En) };
        let (text, lost) = held(writer, text);
        self.lost += lost;
        writer.escaped(&text, usize::MAX)
    }
}

/// The code in words.
fn words(writer: &Writer, finding: &Finding) -> String {
    writer.escaped(&finding.code.replace('-', " "), usize::MAX)
}

/// Table 0078: abnormal, for what is no number. Not evaluated says nothing of the patient.
fn flag(finding: &Finding) -> &'static str {
    let grave = finding.severity > Severity::Information && finding.class != Class::Incomplete;
    if grave { "A" } else { "" }
}

/// A text with the characters that cannot be written as `<U+5F20>`, and how many they were.
fn held(writer: &Writer, text: String) -> (String, usize) {
    if writer.can(&text) {
        return (text, 0);
    }
    let (mut out, mut lost) = (String::with_capacity(text.len()), 0);
    let mut buffer = [0; 4];
    for char in text.chars() {
        if writer.can(char.encode_utf8(&mut buffer)) {
            out.push(char);
        } else {
            lost += 1;
            // Writing to a String cannot fail.
            let _written = write!(out, "<U+{:04X}>", u32::from(char));
        }
    }
    (out, lost)
}

/// The next number behind those that are there.
fn number(last: &mut HashMap<usize, u32>, of: usize, there: impl Iterator<Item = usize>, message: &Message) -> u32 {
    let next = last.entry(of).or_insert_with(|| {
        let numbers = (1u32..).zip(there);
        let numbers = numbers.map(|(count, at)| message.first(at, 1).trim().parse().unwrap_or(0).max(count));
        numbers.max().unwrap_or(0)
    });
    *next = next.saturating_add(1);
    *next
}
