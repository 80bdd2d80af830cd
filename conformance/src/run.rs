//! Takes a case through a target block by block and says what differed. How a target is reached, in process or over a
//! socket, is the caller's business.

use std::collections::VecDeque;

use crate::compare;
use crate::{Block, Case, Role};

/// What came of one input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    /// The replies, in order, as text.
    pub replies: Vec<String>,
    /// The FHIR, where the target can be looked into.
    pub exchange: Option<String>,
    /// The findings as lines, where the target can be looked into.
    pub findings: Option<String>,
}

/// Something that answers.
pub trait Target {
    /// Sends an input block and waits for what comes of it.
    ///
    /// # Errors
    /// The target cannot be reached, does not answer, or does not know how the block becomes bytes.
    fn send(&mut self, input: &Block) -> impl Future<Output = Result<Answered, String>>;
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Line of the block in its file, from 1.
    pub line: usize,
    /// What differed.
    pub text: String,
    /// What the block would have to say to be right.
    pub actual: Option<(std::ops::Range<usize>, String)>,
}

/// Runs a case; no failures is success. Blocks that look inside are passed over for a target that cannot be looked into.
pub async fn run(case: &Case, target: &mut impl Target) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut answered = Answered::default();
    let mut replies = VecDeque::new();
    for block in &case.blocks {
        match block.role {
            Role::Config => {}
            Role::In => match target.send(block).await {
                Ok(now) => {
                    replies = now.replies.clone().into();
                    answered = now;
                }
                Err(text) => {
                    failures.push(Failure {
                        line: block.line,
                        text,
                        actual: None,
                    });
                    return failures;
                }
            },
            Role::Out => failures.extend(out(block, &replies.pop_front().unwrap_or_default())),
            Role::Exchange => failures.extend(answered.exchange.as_deref().and_then(|got| {
                compare::exchange(&block.text, got).map(|text| Failure {
                    line: block.line,
                    text,
                    actual: None,
                })
            })),
            Role::Findings => failures.extend(answered.findings.as_deref().and_then(|got| out(block, got))),
        }
    }
    failures
}

fn out(block: &Block, got: &str) -> Option<Failure> {
    let text = compare::reply(&block.text, got)?;
    let lines: Vec<&str> = got.split(['\r', '\n']).filter(|line| !line.is_empty()).collect();
    let mut actual = lines.join("\n");
    actual.push('\n');
    Some(Failure {
        line: block.line,
        text,
        actual: Some((block.range.clone(), actual)),
    })
}
