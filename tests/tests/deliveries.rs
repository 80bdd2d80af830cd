//! The way out in an operator's hands: what is dead is listed by cause with an example, many are counted before they are
//! put back or dropped, a destination rests and goes on, and a message shows what became of its deliveries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use causeway_tests::{Process, React, Receiver, exchange, oru, shown, until};
use serde_json::Value;

/// A gateway with one destination, which takes nothing until it is told to.
struct House {
    data: tempfile::TempDir,
    process: Process,
    receiver: Receiver,
    takes: Arc<AtomicBool>,
}

impl House {
    async fn start() -> Self {
        let takes = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&takes);
        let receiver = Receiver::start(move |message| {
            if told.load(Ordering::SeqCst) {
                return React::Says("AA");
            }
            let unknown = message.contains("ORU^R01") && message.contains("|ODD");
            if unknown {
                React::SaysWhy("AR", "200")
            } else {
                React::SaysWhy("AR", "204")
            }
        })
        .await;
        let data = tempfile::tempdir().expect("a folder");
        let stanza = format!("[[destination]]\nname = 'ward'\nto = 'mllp://{}'\n", receiver.address);
        let process = Process::configured(data.path(), &stanza, &[]);
        Self {
            data,
            process,
            receiver,
            takes,
        }
    }

    async fn send(&self, id: &str) {
        assert!(exchange(self.process.mllp, &oru(id, "4.0")).await.contains("MSA|AA"));
    }

    /// Exit status and the lines of a command for machines.
    fn ask(&self, arguments: &[&str]) -> (Option<i32>, Vec<Value>) {
        let arguments = [arguments, &["--json"]].concat();
        let (code, text) = self.process.command(self.data.path(), &arguments);
        let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{text}"));
        (code, text.lines().map(line).collect())
    }

    fn listed(&self, state: &str) -> Vec<Value> {
        self.ask(&["deliveries", "list", "--state", state]).1
    }

    async fn until(&self, state: &str, count: usize) {
        until(state, async || self.listed(state).len() == count).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_grouped_counted_and_put_back() {
    let house = House::start().await;
    for id in ["A1", "A2", "ODD1"] {
        house.send(id).await;
    }
    house.until("dead", 3).await;
    let (code, groups) = house.ask(&["deliveries", "dead"]);
    assert_eq!((code, groups.len()), (Some(0), 2), "{groups:?}");
    assert_eq!((&groups[0]["count"], &groups[1]["count"]), (&2.into(), &1.into()));
    assert!(
        groups
            .iter()
            .all(|group| group["destination"] == "ward" && group["class"] == "rejected")
    );
    let (_, said) = house.process.command(house.data.path(), &["deliveries", "dead"]);
    assert!(said.contains("such as delivery 1 of message 1"), "{said}");

    // The message tells of its own, and the listing of nobody's.
    let message = shown(house.data.path(), 1);
    let own = &message["deliveries"][0];
    assert_eq!((&own["state"], &own["attempts"]), (&"dead".into(), &1.into()), "{own}");
    assert_eq!(own["cause"], groups[0]["cause"]);
    let (_, people) = house.process.command(house.data.path(), &["messages", "show", "1"]);
    assert!(
        people.contains("=== deliveries") && people.contains("rejected"),
        "{people}"
    );
    let (_, lines) = house.process.command(house.data.path(), &["deliveries", "list"]);
    assert!(lines.lines().count() == 3 && !lines.contains("PA1"), "{lines}");

    // By query: counted first, and nothing is done.
    house.takes.store(true, Ordering::SeqCst);
    let cause = groups[0]["cause"].as_str().expect("a cause").to_owned();
    let query = ["deliveries", "replay", "--destination", "ward", "--cause", &cause];
    let (code, counted) = house.ask(&query);
    assert_eq!(
        (code, &counted[0]["count"], &counted[0]["done"]),
        (Some(0), &2.into(), &false.into())
    );
    assert_eq!(house.listed("dead").len(), 3);
    let (code, done) = house.ask(&[&query[..], &["--yes"]].concat());
    assert_eq!((code, &done[0]["count"]), (Some(0), &2.into()));
    house.until("delivered", 2).await;
    // One by its number, at once; and once it is delivered again only if it is meant.
    let odd = house.listed("dead")[0]["id"].as_u64().expect("a number").to_string();
    assert_eq!(house.ask(&["deliveries", "replay", &odd]).0, Some(0));
    house.until("delivered", 3).await;
    assert_eq!(house.receiver.count(), 6);
    assert_eq!(house.ask(&["deliveries", "replay", "99"]).0, Some(3), "there is none");
    let (code, _) = house.ask(&["deliveries", "replay", "--yes"]);
    assert_eq!(
        (code, house.receiver.count()),
        (Some(0), 6),
        "what was delivered is not dead"
    );
    assert!(house.process.terminate());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_rests_over_a_restart_and_what_waits_for_it_can_be_dropped() {
    let house = House::start().await;
    house.takes.store(true, Ordering::SeqCst);
    assert_eq!(house.ask(&["destinations", "pause", "nowhere"]).0, Some(3));
    assert_eq!(house.ask(&["destinations", "pause", "ward"]).0, Some(0));
    for id in ["B1", "B2"] {
        house.send(id).await;
    }
    house.until("waiting", 2).await;
    let House {
        data,
        process,
        receiver,
        takes,
    } = house;
    assert!(process.terminate());
    let process = Process::configured(data.path(), "", &[]);
    let house = House {
        data,
        process,
        receiver,
        takes,
    };
    let (_, all) = house.ask(&["destinations"]);
    assert_eq!(
        (all.len(), &all[0]["paused"], &all[0]["waiting"]),
        (1, &true.into(), &2.into())
    );
    assert_eq!(house.receiver.count(), 0);
    let id = house.listed("waiting")[0]["id"].as_u64().expect("a number").to_string();
    assert_eq!(house.ask(&["deliveries", "drop", &id]).0, Some(0));
    assert_eq!((house.listed("waiting").len(), house.listed("dropped").len()), (1, 1));
    assert_eq!(house.ask(&["destinations", "resume", "ward"]).0, Some(0));
    house.until("delivered", 1).await;
    assert!(
        house.receiver.messages()[0].contains("|B2|"),
        "the one that was not dropped"
    );
    let (_, all) = house.ask(&["destinations"]);
    let numbers = ["posted", "delivered", "dropped", "waiting", "dead"].map(|name| all[0][name].as_u64());
    assert_eq!(numbers, [2, 1, 1, 0, 0].map(Some));
    // Without a gateway nothing can be decided, and everything can be read.
    let data = house.data.path().to_owned();
    let read = ["deliveries", "list"];
    assert_eq!(house.process.command(&data, &read).0, Some(0));
    assert!(house.process.tell_to_stop());
    until("nobody is there", async || {
        house.process.command(&data, &["destinations", "pause", "ward"]).0 == Some(4)
    })
    .await;
    assert_eq!(house.process.command(&data, &read).0, Some(0));
}
