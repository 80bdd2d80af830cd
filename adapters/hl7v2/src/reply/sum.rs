//! From verdicts to acknowledgement codes: what a reply remembers of the answers (HL7 v2.9 2.9.2, table 0008).

use causeway_core::{Actor, ActorKind, Answer, Class, Finding, Severity, Text, Verdict};

use super::ack::Code;

/// What a reply needs of the answers: the verdict and the remarks of each part. Part `n` is the frame's message `n`, both
/// from 0.
#[derive(Debug, Default)]
pub struct Sum {
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    number: u32,
    verdict: Verdict,
    findings: Vec<Finding>,
}

impl Sum {
    /// Takes from an answer what the reply will need.
    pub fn add(&mut self, number: u32, answer: &Answer) {
        self.parts.push(Part {
            number,
            verdict: answer.verdict,
            findings: answer.findings.clone(),
        });
    }

    /// The code and the findings for a message. A message that nobody answered is not accepted in silence.
    pub(super) fn outcome(&self, number: u32) -> (Code, Vec<Finding>) {
        let mut parts = self.parts.iter().filter(|part| part.number == number).peekable();
        if parts.peek().is_none() {
            return (Code::Error, vec![failure(true)]);
        }
        let mut outcome = (Code::Accept, Vec::new());
        for part in parts {
            let code = part.code();
            outcome.0 = worse(outcome.0, code);
            outcome.1.extend(part.findings.iter().cloned());
            let silent = !part.findings.iter().any(|finding| finding.severity == Severity::Error);
            if code != Code::Accept && silent {
                outcome
                    .1
                    .push(failure(matches!(part.verdict, Verdict::Failed { retry: true })));
            }
        }
        outcome
    }
}

impl Part {
    fn code(&self) -> Code {
        match self.verdict {
            verdict if verdict.is_positive() => Code::Accept,
            Verdict::Failed { retry: false } => Code::Reject,
            Verdict::Failed { .. } => Code::Error,
            _ if self.findings.iter().any(is_rejection) => Code::Reject,
            _ => Code::Error,
        }
    }
}

fn worse(one: Code, other: Code) -> Code {
    match (one, other) {
        (Code::Reject, _) | (_, Code::Reject) => Code::Reject,
        (Code::Error, _) | (_, Code::Error) => Code::Error,
        _ => Code::Accept,
    }
}

/// Errors of the header that no correction of the content mends: 200 to 203 of table 0357 (HL7 v2.9 2.9.2.2).
pub(super) fn is_rejection(finding: &Finding) -> bool {
    let header = [
        Class::UnsupportedType,
        Class::UnsupportedEvent,
        Class::ProcessingId,
        Class::Version,
    ];
    finding.severity == Severity::Error && header.contains(&finding.class)
}

pub(super) fn failure(retry: bool) -> Finding {
    let text = if retry {
        Text::new(
            "暂时无法处理，请稍后重发",
            "it could not be processed now; send it again later",
        )
    } else {
        Text::new("无法处理此消息", "this message could not be processed")
    };
    let class = if retry { Class::Busy } else { Class::Internal };
    Finding::new(
        "not-processed",
        Severity::Error,
        class,
        Actor::new(ActorKind::Gateway, "hl7v2"),
        text,
    )
}
