//! What was running at a process death is counted, taken up again in order, and held at the second death.

mod common;

use std::sync::Arc;

use causeway_core::store::Event;
use causeway_core::{Arrival, FaultKind, Verdict};
use common::{Bench, Parking, frame, part, said, texts};

#[tokio::test]
async fn running_frames_are_taken_up_in_order_after_a_death() {
    let bench = Bench::sqlite();
    let mut numbers = Vec::new();
    for text in ["MSH|1", "MSH|2", "MSH|3", "MSH|4"] {
        numbers.push(bench.keep(text).await);
    }
    bench.answer(&numbers[1], Verdict::Accepted, "AA").await.unwrap();
    let bench = bench.crash();
    let left: Vec<u64> = [0, 2, 3].map(|at: usize| numbers[at].number()).into();
    assert_eq!(bench.pending(), [(left[0], 1), (left[1], 1), (left[2], 1)]);
    assert_eq!(bench.store.pending(left[1], 1).unwrap()[0].number, left[1]);
    let health = bench.store.health();
    assert_eq!((health.accepted, health.answered, health.pending()), (4, 1, 3));

    // A frame of this process is running and no matter of recovery.
    bench.keep("MSH|5").await;
    assert_eq!(bench.pending().len(), 3);
    // A resend waits for the recovered frame.
    let again = bench.receive(frame("MSH|1"));
    assert!(matches!(again.kept().await.unwrap(), Arrival::Again(earlier) if earlier == left[0]));
    let pending = bench.store.pending(0, 1).unwrap().remove(0);
    let receipt = bench.inbox.resume(pending, None);
    let waits = bench.answer(&again, Verdict::Accepted, "other");
    let (sent, _) = tokio::join!(waits, bench.answer(&receipt, Verdict::Accepted, "AA 1"));
    assert_eq!(texts(&sent.unwrap()), ["AA 1"]);
    assert_eq!(bench.pending().len(), 2);
}

#[tokio::test]
async fn a_frame_that_runs_at_two_deaths_is_held_and_never_run_again() {
    let bench = Bench::sqlite();
    let poison = bench.keep("MSH|poison").await.number();
    let bench = bench.crash();
    assert_eq!(bench.pending(), [(poison, 1)]);
    let innocent = bench.keep("MSH|innocent").await.number();
    let bench = bench.crash();
    assert_eq!(bench.pending(), [(innocent, 1)]);
    assert_eq!(bench.store.health().held, 1);
    let open = bench.store.open_frames().unwrap();
    assert!(open.agrees() && open.open_held == 1, "{open:?}");
    let last = bench.records().pop().unwrap();
    assert!(last.number == poison && matches!(last.event, Event::Held));
    assert_eq!(last.position, bench.store.health().tail);

    let again = bench.receive(frame("MSH|poison"));
    let fault = again.kept().await.unwrap_err();
    assert_eq!((fault.kind, fault.retry), (FaultKind::Held, true));
    let fault = bench.answer(&again, Verdict::Accepted, "other").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Held);
    assert!(matches!(bench.records().pop().unwrap().event, Event::Again { .. }));

    let bench = bench.crash();
    assert_eq!(
        bench.store.health().held,
        2,
        "the innocent one was taken up and met a second death"
    );
    assert!(bench.pending().is_empty());
    assert!(bench.store.claim(10).unwrap().is_empty());
    assert_eq!(bench.store.forget(jiff::Timestamp::now()).unwrap(), 0);
    // An operator decides at last.
    let pending = bench.store.frame(poison).unwrap().unwrap();
    assert_eq!(pending.deaths, 2);
    let receipt = bench.inbox.resume(pending, None);
    bench.answer(&receipt, Verdict::Refused, "AR").await.unwrap();
    let health = bench.store.health();
    assert_eq!((health.held, health.answered), (1, 1));
    assert!(bench.store.open_frames().unwrap().agrees());
}

#[tokio::test]
async fn a_frame_that_nobody_took_up_met_no_second_death() {
    let bench = Bench::sqlite();
    let waiting = bench.keep("MSH|one").await.number();
    let bench = bench.crash().crash();
    assert_eq!(bench.pending(), [(waiting, 1)]);
    assert_eq!(bench.store.health().held, 0);
}

#[tokio::test]
async fn parked_frames_met_no_death_until_they_are_claimed() {
    let bench = Bench::sqlite();
    let parking = Bench::on(Arc::new(Parking(Arc::clone(&bench.store))));
    let first = parking.keep("MSH|1").await.number();
    let second = parking.keep("MSH|2").await.number();
    let bench = bench.crash();
    assert!(bench.pending().is_empty());
    assert_eq!(bench.store.claim(1).unwrap()[0].number, first);
    let bench = bench.crash();
    assert_eq!(bench.pending(), [(first, 1)]);
    assert_eq!(bench.store.claim(10).unwrap()[0].number, second);
}

#[tokio::test]
async fn parts_decided_before_a_death_are_there_after_it() {
    let bench = Bench::sqlite();
    let receipt = bench.keep("batch").await;
    let first = vec![part(0, Verdict::Refused), part(1, Verdict::Accepted)];
    let _kept = bench.store.decided(receipt.number(), first);
    bench.keep("MSH|after").await;
    let bench = bench.crash();
    assert_eq!(bench.parts(receipt.number()).len(), 2);
    let pending = bench.store.pending(0, 1).unwrap().remove(0);
    let receipt = bench.inbox.resume(pending, None);
    let rest = vec![part(2, Verdict::Accepted)];
    bench.answered(&receipt, rest, vec![said(false, "AE")]).await.unwrap();
    assert_eq!(bench.parts(receipt.number()).len(), 3);
    // Part 0 was refused before the death, and that counts.
    let other = bench.receive_under(frame("batch"), "maps 2");
    assert!(matches!(other.kept().await.unwrap(), Arrival::New(_)));
}
