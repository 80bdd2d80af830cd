//! The rows that records become.

use bytes::Bytes;
use causeway_core::store::{Decided, Ended, Facts, Index, KeyKind};
use causeway_core::{Actor, ActorKind, Class, Finding, Head, Severity, Text, Verdict};
use causeway_store::MemoryLog;

use jiff::Timestamp;

use super::*;

fn received(position: u64, number: u64) -> Record {
    let frame = Frame {
        listener: "lab".into(),
        peer: "p".into(),
        received: Timestamp::UNIX_EPOCH,
        head: Head::Mllp,
        body: Bytes::from_static(b"MSH|"),
    };
    let event = Event::Received {
        frame: Arc::new(frame),
        hash: [0; 32],
    };
    Record {
        position,
        number,
        event,
    }
}

fn finding() -> Finding {
    let by = Actor::new(ActorKind::Rule, "critical-values");
    Finding::new(
        "critical",
        Severity::Warning,
        Class::Business,
        by,
        Text::new("高", "high"),
    )
}

fn answered(position: u64, number: u64) -> Record {
    let facts = Facts {
        context: Context {
            sender: "LIS|CITY".to_owned(),
            message_type: "ORU^R01".to_owned(),
            ..Context::default()
        },
        findings: vec![finding(), finding()],
        rules: Some("r".to_owned()),
        index: Index {
            keys: vec![
                (KeyKind::Visit, "V1".to_owned()),
                (KeyKind::Patient, "0084512".to_owned()),
            ],
            words: "张\n伟".to_owned(),
        },
        applied: Vec::new(),
        removed: Vec::new(),
    };
    let decided = Decided {
        part: 0,
        verdict: Verdict::Remarked,
        bundle: Bytes::new(),
        facts: serde_json::to_vec(&facts).unwrap().into(),
        deliveries: Vec::new(),
    };
    let ended = Ended {
        decided: vec![decided],
        earlier: false,
        replies: Arc::from([]),
    };
    let event = Event::Answered {
        time: Timestamp::UNIX_EPOCH,
        ended,
    };
    Record {
        position,
        number,
        event,
    }
}

type Line = (
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    u64,
);

fn line(connection: &Connection, number: u64) -> Line {
    let sql = "SELECT listener, state, sender, type, control_id, patient, findings FROM messages WHERE number = ?1";
    let row = connection.query_row(sql, [number], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
            row.get(6)?,
        ))
    });
    row.unwrap()
}

#[test]
fn a_message_is_listed_the_same_in_however_many_batches_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let connection = schema::open(folder.path()).unwrap();
    let store = MemoryLog::new();
    let log = Log {
        store: &store,
        describe: Arc::new(|_| Context::default()),
    };
    apply(&connection, &log, vec![received(1, 1), answered(2, 1), received(3, 2)]).unwrap();
    let pending = ("lab".to_owned(), "pending".to_owned(), None, None, None, None, 0);
    assert_eq!(line(&connection, 2), pending);
    apply(&connection, &log, vec![answered(4, 2)]).unwrap();
    let text = |text: &str| Some(text.to_owned());
    let told = (
        "lab".to_owned(),
        "remarked".to_owned(),
        text("LIS|CITY"),
        text("ORU^R01"),
        None,
        text("0084512"),
        2,
    );
    assert_eq!([1, 2].map(|number| line(&connection, number)), [told.clone(), told]);
    let found = "SELECT group_concat(rowid >> 20) FROM words WHERE words MATCH '\"张\" \"伟\"'";
    let numbers: String = connection.query_row(found, [], |row| row.get(0)).unwrap();
    assert_eq!(numbers, "1,2");
}
