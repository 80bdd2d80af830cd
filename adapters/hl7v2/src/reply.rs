//! Acknowledgements: what a sender gets back for a frame, as commit, as application reply, and as refusal (HL7 v2.9 2.9).
//! Pure: time and control id come in a [`Stamp`], verdicts and findings from the chain. Sending is the transport's.

mod ack;
mod err;
mod mode;
mod sum;
pub(crate) mod writer;

use causeway_core::finding::Lang;
use causeway_core::reply::{ReplyHead, ReplyKind};
use causeway_core::{Class, Finding, Reply, Severity, Stamp};
use encoding_rs::Encoding;
use jiff::tz::TimeZone;

use crate::batch;
use crate::charset::Charset;
use crate::header::{self, Takes, When};
use crate::intake::Intake;
use crate::message::Message;
use ack::{Ack, Code, control_id_bytes};
pub use mode::{Ask, Mode};
pub use sum::Sum;
use sum::{failure, is_rejection};
use writer::Writer;

/// How a listener answers.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which acknowledgements there are.
    pub mode: Mode,
    /// The language of ERR-8.
    pub lang: Lang,
    /// The zone of MSH-7.
    pub zone: TimeZone,
    /// The character set of senders that declare none.
    pub charset: Option<&'static Encoding>,
}

impl Default for Settings {
    /// As the message asks, in English, in universal time, with no character set supposed.
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            lang: Lang::default(),
            zone: TimeZone::UTC,
            charset: None,
        }
    }
}

/// What is said once a frame is kept: a CA for each message that asks for one, or a CR where the header alone shows that
/// it will not be taken and errors are asked for. `takes` knows the message types and triggers there are maps for.
pub fn commit(intake: &Intake, settings: &Settings, stamp: &Stamp, takes: impl Fn(&Message) -> Takes) -> Option<Reply> {
    let mut said = Vec::new();
    for message in &intake.body.messages {
        let wanted = Ask::of(message, settings.mode).commit;
        if wanted == When::Never {
            continue;
        }
        let mut findings = header::check(&intake.body, message, |_, _| takes(message));
        findings.retain(is_rejection);
        let code = if findings.is_empty() {
            Code::Accept
        } else {
            Code::Reject
        };
        if wanted.wants(code == Code::Accept) {
            said.push(Said {
                message,
                code,
                findings,
            });
        }
    }
    let work = Work {
        intake,
        settings,
        stamp,
        kind: ReplyKind::Commit,
    };
    (!said.is_empty()).then(|| work.together(&said, batch::is_batch(&intake.body)))
}

/// Whether any message may be told what was decided on it.
pub fn wants_answer(intake: &Intake, settings: &Settings) -> bool {
    let asks = |message| Ask::of(message, settings.mode).application != When::Never;
    intake.body.messages.iter().any(asks)
}

/// What is said after the answers: an AA, AE or AR for each message that asks for it, in order; in one batch when the
/// messages came in one.
pub fn reply(intake: &Intake, sum: &Sum, settings: &Settings, stamp: &Stamp) -> Vec<Reply> {
    let mut said = Vec::new();
    for (number, message) in (0u32..).zip(&intake.body.messages) {
        let (code, findings) = sum.outcome(number);
        let ask = Ask::of(message, settings.mode);
        // A message whose commit said CR draws no application acknowledgement (HL7 v2.9 2.9.3).
        let rejected = ask.commit.wants(false) && findings.iter().any(is_rejection);
        if !rejected && ask.application.wants(code == Code::Accept) {
            said.push(Said {
                message,
                code,
                findings,
            });
        }
    }
    let work = Work {
        intake,
        settings,
        stamp,
        kind: ReplyKind::Application,
    };
    match said.as_slice() {
        [] => Vec::new(),
        all if batch::is_batch(&intake.body) => vec![work.together(all, true)],
        [only] => vec![work.alone(only, &stamp.control_id)],
        all => (1..)
            .zip(all)
            .map(|(number, said)| work.alone(said, &numbered(stamp, number)))
            .collect(),
    }
}

/// Says no to a frame that cannot be read or taken: AE or CE when trying again can help, AR or CR when not. What can be
/// read of `first`, the body or its beginning, is echoed; of nothing, the least acknowledgement there is.
pub fn refuse(first: &[u8], findings: &[Finding], settings: &Settings, stamp: &Stamp) -> Reply {
    let intake = Intake::read(bytes::Bytes::copy_from_slice(first), settings.charset);
    let mut findings = findings.to_vec();
    let code = refusal(&findings);
    if !findings.iter().any(|finding| finding.severity == Severity::Error) {
        findings.push(failure(code == Code::Error));
    }
    let message = intake.body.messages.first();
    let ask = message.map_or(Ask::ORIGINAL, |message| Ask::of(message, settings.mode));
    let echo = message
        .filter(|message| is_whole(message))
        .map(|message| control_id_bytes(&intake, message));
    let time = time(stamp, settings);
    let ack = Ack {
        code,
        commit: ask.refuses_by_commit(),
        enhanced: ask.enhanced,
        control_id: &stamp.control_id,
        time: &time,
        lang: settings.lang,
        findings: &findings,
    };
    let delims = message.map(|message| message.delims).unwrap_or_default();
    // Whoever sent something else than HL7 is told in the plainest way.
    let charset = message.map_or(Charset::ASCII, |_| intake.charset);
    let mut writer = Writer::new(charset, delims);
    ack.write(&mut writer, &intake, message, &echo.unwrap_or_default());
    finished(writer, ReplyKind::Refusal, false)
}

/// What can help decides first: a busy gateway takes the same message later, whatever else was said of it.
fn refusal(findings: &[Finding]) -> Code {
    let errors = || findings.iter().filter(|finding| finding.severity == Severity::Error);
    let later = |finding: &Finding| matches!(finding.class, Class::Busy | Class::Internal);
    let never = |finding: &Finding| is_rejection(finding) || matches!(finding.class, Class::TooLong | Class::Structure);
    if !errors().any(later) && errors().any(never) {
        Code::Reject
    } else {
        Code::Error
    }
}

/// Whether MSH-10 was not cut off with the rest: half an id would name another message.
fn is_whole(message: &Message) -> bool {
    let end = message.field(0, 10).map_or(0, |value| value.end as usize);
    end > 0 && end < message.text.len()
}

/// What is said of one message.
struct Said<'a> {
    message: &'a Message,
    code: Code,
    findings: Vec<Finding>,
}

/// Acknowledgements of one frame being made.
struct Work<'a> {
    intake: &'a Intake,
    settings: &'a Settings,
    stamp: &'a Stamp,
    kind: ReplyKind,
}

impl Work<'_> {
    fn alone(&self, said: &Said<'_>, control_id: &str) -> Reply {
        let mut writer = Writer::new(self.intake.charset, said.message.delims);
        self.one(&mut writer, said, control_id);
        finished(writer, self.kind, said.code == Code::Accept)
    }

    /// All acknowledgements in one reply, with batch segments around them when the messages had them.
    fn together(&self, all: &[Said<'_>], wrapped: bool) -> Reply {
        let mut writer = Writer::new(self.intake.charset, self.intake.body.outside.delims);
        if wrapped {
            self.batch_header(&mut writer);
        }
        for (number, said) in (1..).zip(all) {
            let alone = all.len() == 1 && !wrapped;
            writer.delimit(said.message.delims);
            let control_id = if alone {
                self.stamp.control_id.clone()
            } else {
                numbered(self.stamp, number)
            };
            self.one(&mut writer, said, &control_id);
        }
        if wrapped {
            writer.delimit(self.intake.body.outside.delims);
            writer.segment("BTS");
            writer.raw(1, &all.len().to_string());
            writer.end();
        }
        finished(writer, self.kind, all.iter().all(|said| said.code == Code::Accept))
    }

    fn one(&self, writer: &mut Writer, said: &Said<'_>, control_id: &str) {
        let ask = Ask::of(said.message, self.settings.mode);
        let ack = Ack {
            code: said.code,
            commit: self.kind == ReplyKind::Commit,
            enhanced: ask.enhanced,
            control_id,
            time: &time(self.stamp, self.settings),
            lang: self.settings.lang,
            findings: &said.findings,
        };
        let echo = control_id_bytes(self.intake, said.message);
        ack.write(writer, self.intake, Some(said.message), &echo);
    }

    /// BHS with the parties swapped; BHS-12 names the batch that is answered (HL7 v2.9 2.14.2).
    fn batch_header(&self, writer: &mut Writer) {
        let outside = &self.intake.body.outside;
        let first = |name: &str| outside.segments.iter().find(|segment| segment.name == name);
        let header = first("BHS").or_else(|| first("FHS"));
        let echoed = |number| header.and_then(|header| Some(outside.raw(outside.field_of(header, number)?)));
        writer.header("BHS");
        for (ours, theirs) in [(3, 5), (4, 6), (5, 3), (6, 4)] {
            writer.echo(ours, echoed(theirs).unwrap_or_default());
        }
        writer.raw(7, &time(self.stamp, self.settings));
        writer.text(11, &self.stamp.control_id, usize::MAX);
        writer.echo(12, echoed(11).unwrap_or_default());
        writer.end();
    }
}

fn numbered(stamp: &Stamp, number: u32) -> String {
    format!("{}-{number}", stamp.control_id)
}

/// MSH-7: to the second, with the offset (HL7 v2.9 2A.2.22).
fn time(stamp: &Stamp, settings: &Settings) -> String {
    stamp
        .time
        .to_zoned_datetime(settings.zone.clone())
        .strftime("%Y%m%d%H%M%S%z")
        .to_string()
}

fn finished(writer: Writer, kind: ReplyKind, positive: bool) -> Reply {
    Reply {
        head: ReplyHead::None,
        kind,
        bytes: writer.into_bytes().into(),
        positive,
    }
}

#[cfg(test)]
mod tests;
