//! How the parts of an answer and its replies lie in one column each: a version byte, a count, then fields with their
//! lengths, little-endian. One row a frame is what makes the writer cheap. Reading checks every length against what is
//! there and shares the row's bytes.

use bytes::Bytes;
use causeway_core::reply::{ReplyHead, ReplyKind};
use causeway_core::store::Decided;
use causeway_core::{Fault, Reply, Verdict};

use crate::storage;

const VERSION: u8 = 1;

/// The parts without their deliveries, which have a table of their own; only their number is kept here.
pub(crate) fn parts(decided: &[Decided]) -> Vec<u8> {
    let size: usize = decided
        .iter()
        .map(|part| part.facts.len() + part.bundle.len() + 17)
        .sum();
    let mut out = Vec::with_capacity(size + 5);
    out.push(VERSION);
    number(&mut out, decided.len());
    for part in decided {
        out.extend_from_slice(&part.part.to_le_bytes());
        out.push(verdict_byte(part.verdict));
        number(&mut out, part.deliveries.len());
        field(&mut out, &part.facts);
        field(&mut out, &part.bundle);
    }
    out
}

/// The parts, each with the number of its deliveries.
pub(crate) fn read_parts(row: Bytes) -> Result<Vec<(Decided, u32)>, Fault> {
    let mut row = Row::open(row)?;
    let count = row.number()?;
    let mut parts = Vec::new();
    for _ in 0..count {
        let part = row.number()?;
        let verdict = verdict(row.byte()?)?;
        let deliveries = row.number()?;
        let decided = Decided {
            part,
            verdict,
            facts: row.field()?,
            bundle: row.field()?,
            deliveries: Vec::new(),
        };
        parts.push((decided, deliveries));
    }
    Ok(parts)
}

/// So many bytes of a column of parts hold the number of the first.
pub(crate) const BEGINNING: i64 = 9;

/// The number of the first part, from the beginning of the column.
pub(crate) fn first_part(beginning: &[u8]) -> Option<u32> {
    let (head, number) = beginning.split_first_chunk::<5>()?;
    let (version, count) = head.split_first()?;
    let some = *version == VERSION && count.iter().any(|byte| *byte != 0);
    let number = number.first_chunk::<4>()?;
    some.then(|| u32::from_le_bytes(*number))
}

/// The replies.
pub(crate) fn replies(replies: &[Reply]) -> Vec<u8> {
    let size: usize = replies.iter().map(|reply| reply.bytes.len() + 40).sum();
    let mut out = Vec::with_capacity(size + 5);
    out.push(VERSION);
    number(&mut out, replies.len());
    for reply in replies {
        out.push(kind_byte(reply.kind));
        out.push(u8::from(reply.positive));
        // An empty head field stands for the plain head, which nearly every reply has.
        match &reply.head {
            ReplyHead::None => field(&mut out, b""),
            head @ (ReplyHead::Http { .. } | ReplyHead::Dimse { .. }) => {
                field(&mut out, &serde_json::to_vec(head).unwrap_or_default());
            }
        }
        field(&mut out, &reply.bytes);
    }
    out
}

/// The replies, in order.
pub(crate) fn read_replies(row: Bytes) -> Result<Vec<Reply>, Fault> {
    let mut row = Row::open(row)?;
    let count = row.number()?;
    let mut replies = Vec::new();
    for _ in 0..count {
        let kind = kind(row.byte()?)?;
        let positive = row.byte()? != 0;
        let head = row.field()?;
        let head = if head.is_empty() {
            ReplyHead::None
        } else {
            serde_json::from_slice(&head).map_err(storage)?
        };
        let bytes = row.field()?;
        replies.push(Reply {
            head,
            kind,
            bytes,
            positive,
        });
    }
    Ok(replies)
}

fn number(out: &mut Vec<u8>, value: usize) {
    out.extend_from_slice(&u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes());
}

fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn verdict_byte(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Accepted => 0,
        Verdict::Remarked => 1,
        Verdict::Refused => 2,
        Verdict::Held => 3,
        Verdict::Failed { retry: false } => 4,
        Verdict::Failed { retry: true } => 5,
    }
}

fn verdict(byte: u8) -> Result<Verdict, Fault> {
    Ok(match byte {
        0 => Verdict::Accepted,
        1 => Verdict::Remarked,
        2 => Verdict::Refused,
        3 => Verdict::Held,
        4 => Verdict::Failed { retry: false },
        5 => Verdict::Failed { retry: true },
        _ => return Err(damaged()),
    })
}

fn kind_byte(kind: ReplyKind) -> u8 {
    match kind {
        ReplyKind::Commit => 0,
        ReplyKind::Application => 1,
        ReplyKind::Refusal => 2,
    }
}

fn kind(byte: u8) -> Result<ReplyKind, Fault> {
    Ok(match byte {
        0 => ReplyKind::Commit,
        1 => ReplyKind::Application,
        2 => ReplyKind::Refusal,
        _ => return Err(damaged()),
    })
}

fn damaged() -> Fault {
    storage("an answer in the log is damaged")
}

/// The unread rest of a column.
struct Row(Bytes);

impl Row {
    fn open(bytes: Bytes) -> Result<Self, Fault> {
        let mut row = Self(bytes);
        match row.byte()? {
            VERSION => Ok(row),
            other => Err(storage(format_args!(
                "an answer in the log has the unknown form {other}"
            ))),
        }
    }

    fn take(&mut self, length: usize) -> Result<Bytes, Fault> {
        if length > self.0.len() {
            return Err(damaged());
        }
        Ok(self.0.split_to(length))
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        self.take(1)?.first().copied().ok_or_else(damaged)
    }

    fn number(&mut self) -> Result<u32, Fault> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes(bytes.as_ref().try_into().map_err(|_| damaged())?))
    }

    fn field(&mut self) -> Result<Bytes, Fault> {
        let length = self.number()?;
        self.take(length as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_core::Delivery;

    fn sample() -> Vec<Decided> {
        let delivery = Delivery {
            destination: "ward".into(),
            order: None,
            message_type: "ORU^R01".into(),
            media_type: "text/plain".into(),
            body: vec![1],
        };
        let verdicts = [
            Verdict::Accepted,
            Verdict::Remarked,
            Verdict::Refused,
            Verdict::Held,
            Verdict::Failed { retry: false },
            Verdict::Failed { retry: true },
        ];
        let part = |(part, verdict)| Decided {
            part,
            verdict,
            bundle: Bytes::from(vec![7; part as usize]),
            facts: Bytes::from_static(b"{}"),
            deliveries: vec![delivery.clone(); part as usize],
        };
        (0..).zip(verdicts).map(part).collect()
    }

    #[test]
    fn parts_come_back() {
        let back = read_parts(parts(&sample()).into()).unwrap();
        assert_eq!(back.len(), 6);
        for ((back, deliveries), part) in back.iter().zip(sample()) {
            assert_eq!((back.part, back.verdict), (part.part, part.verdict));
            assert_eq!((&back.bundle, &back.facts), (&part.bundle, &part.facts));
            assert_eq!(*deliveries as usize, part.deliveries.len());
        }
    }

    #[test]
    fn replies_come_back() {
        let reply = |kind, positive, text: &'static str| Reply {
            head: ReplyHead::None,
            kind,
            bytes: text.into(),
            positive,
        };
        let all = [
            reply(ReplyKind::Commit, true, "CA"),
            reply(ReplyKind::Application, true, ""),
            reply(ReplyKind::Refusal, false, "AR"),
        ];
        let mut all = all.to_vec();
        all.push(Reply {
            head: ReplyHead::Http {
                status: 201,
                headers: vec![("etag".into(), "W/\"1\"".into())],
            },
            ..reply(ReplyKind::Application, true, "{}")
        });
        assert_eq!(read_replies(replies(&all).into()).unwrap(), all);
        assert_eq!(read_replies(replies(&[]).into()).unwrap(), []);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(mut bytes: Vec<u8>) {
            drop(read_parts(Bytes::copy_from_slice(&bytes)));
            drop(read_replies(Bytes::copy_from_slice(&bytes)));
            bytes.splice(0..0, [VERSION, 3, 0, 0, 0]);
            drop(read_parts(Bytes::copy_from_slice(&bytes)));
            drop(read_replies(bytes.into()));
        }
    }

    #[test]
    fn damage_is_an_error_and_allocates_nothing() {
        let good = parts(&sample());
        for end in 0..good.len() {
            assert!(
                read_parts(Bytes::copy_from_slice(&good[..end])).is_err(),
                "cut at {end}"
            );
        }
        let lies = [1, 255, 255, 255, 255, 0, 0, 0, 0, 0, 255, 255, 255, 255];
        assert!(read_parts(Bytes::copy_from_slice(&lies)).is_err());
        assert!(read_replies(Bytes::copy_from_slice(&lies)).is_err());
        assert!(read_parts(Bytes::from_static(&[9, 0, 0, 0, 0])).is_err());
    }
}
