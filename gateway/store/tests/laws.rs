//! The laws of a log, each run over every engine.

mod common;

use std::sync::Arc;
use std::time::Duration;

use causeway_core::store::{Event, parts_of};
use causeway_core::{Arrival, FaultKind, Verdict};
use common::{Bench, Parking, delivery, frame, frame_from, late, part, said, texts};
use jiff::Timestamp;

#[tokio::test]
async fn a_frame_is_kept_and_its_answer_comes_back() {
    for bench in Bench::all() {
        let sent = frame("MSH|one");
        let receipt = bench.receive(sent.clone());
        assert!(matches!(receipt.kept().await.unwrap(), Arrival::New(kept) if kept.number() == receipt.number()));
        let kept = bench.store.frame(receipt.number()).unwrap().unwrap();
        assert_eq!(kept.frame.body, sent.body);
        assert_eq!((&kept.frame.listener, &kept.frame.peer), (&sent.listener, &sent.peer));
        assert_eq!((kept.frame.received, &kept.frame.head), (sent.received, &sent.head));
        assert_eq!((&kept.hash, kept.deaths), (receipt.hash(), 0));
        assert!(bench.store.outcome(receipt.number()).unwrap().is_none());

        let mut decided = vec![part(0, Verdict::Remarked), part(1, Verdict::Accepted)];
        decided[1].deliveries = vec![delivery("ward"), delivery("archive")];
        let replies = vec![said(true, "AA"), said(true, "second")];
        let sent = bench.answered(&receipt, decided, replies).await.unwrap();
        assert_eq!(texts(&sent), ["AA", "second"]);
        let ended = bench.store.outcome(receipt.number()).unwrap().unwrap();
        assert_eq!(ended.replies, sent.replies);
        let verdicts: Vec<_> = ended.decided.iter().map(|part| (part.part, part.verdict)).collect();
        assert_eq!(verdicts, [(0, Verdict::Remarked), (1, Verdict::Accepted)]);
        assert_eq!(ended.decided[1].deliveries, [delivery("ward"), delivery("archive")]);
        assert_eq!(ended.decided[0].bundle, part(0, Verdict::Remarked).bundle);
    }
}

#[tokio::test]
async fn an_answer_without_waiting_for_the_frame_keeps_both() {
    for bench in Bench::all() {
        let receipt = bench.receive(frame("MSH|one"));
        bench.answer(&receipt, Verdict::Accepted, "AA").await.unwrap();
        assert!(matches!(receipt.kept().await.unwrap(), Arrival::New(_)));
        let health = bench.store.health();
        assert_eq!((health.accepted, health.answered, health.tail), (1, 1, 2));
    }
}

#[tokio::test]
async fn what_is_open_is_what_is_not_answered() {
    for bench in Bench::all() {
        let (first, second) = (bench.receive(frame("MSH|one")), bench.receive(frame("MSH|two")));
        first.kept().await.unwrap();
        second.kept().await.unwrap();
        let open = bench.store.open_frames().unwrap();
        assert_eq!((open.accepted, open.answered, open.open), (2, 0, 2));
        assert!(open.agrees());
        bench.answer(&first, Verdict::Accepted, "AA").await.unwrap();
        let open = bench.store.open_frames().unwrap();
        assert_eq!((open.accepted, open.answered, open.open), (2, 1, 1));
        assert!(open.agrees());
    }
}

#[tokio::test]
async fn a_frame_nobody_waits_for_is_kept_soon() {
    for bench in Bench::all() {
        let _receipt = bench.receive(frame("MSH|one"));
        let deadline = std::time::Instant::now() + Duration::from_secs(5);
        while bench.store.health().accepted == 0 {
            assert!(std::time::Instant::now() < deadline, "nothing was kept");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test]
async fn a_resend_of_an_accepted_frame_gets_the_kept_reply() {
    for bench in Bench::all() {
        let first = bench.accept("MSH|one", "AA 1").await;
        let receipt = bench.receive_under(frame("MSH|one"), "maps 2");
        assert!(matches!(receipt.kept().await.unwrap(), Arrival::Again(earlier) if earlier == first));
        let sent = bench.answer(&receipt, Verdict::Refused, "other").await.unwrap();
        assert_eq!((texts(&sent), sent.again), (vec!["AA 1".to_owned()], Some(first)));
        let health = bench.store.health();
        assert_eq!((health.accepted, health.answered, health.tail), (1, 1, 3));
        assert!(
            bench.store.frame(receipt.number()).unwrap().is_none(),
            "kept as an arrival only"
        );
        assert!(matches!(bench.records()[2].event, Event::Again { .. }));
        assert_eq!(bench.records()[2].number, first);
    }
}

#[tokio::test]
async fn other_bytes_or_another_sender_are_no_resend() {
    for bench in Bench::all() {
        bench.accept("MSH|one", "AA 1").await;
        bench.accept("MSH|one ", "AA 2").await;
        let receipt = bench.receive(frame_from("ris", "MSH|one"));
        assert!(matches!(receipt.kept().await.unwrap(), Arrival::New(_)));
    }
}

#[tokio::test]
async fn beyond_the_window_the_same_bytes_are_new() {
    for bench in Bench::all() {
        bench.accept("MSH|one", "AA 1").await;
        let mut late = frame("MSH|one");
        late.received += jiff::SignedDuration::from_hours(7 * 24 + 1);
        let receipt = bench.receive(late);
        assert!(matches!(receipt.kept().await.unwrap(), Arrival::New(_)));
        let mut sooner = frame("MSH|one");
        sooner.received += jiff::SignedDuration::from_hours(7 * 24);
        assert!(matches!(bench.receive(sooner).kept().await.unwrap(), Arrival::Again(_)));
    }
}

#[tokio::test]
async fn a_resend_in_flight_waits_for_the_answer() {
    for bench in Bench::all() {
        let first = bench.keep("MSH|one").await;
        let again = bench.receive(frame("MSH|one"));
        assert!(matches!(again.kept().await.unwrap(), Arrival::Again(earlier) if earlier == first.number()));
        let third = bench.receive(frame("MSH|one"));
        let waits = bench.answer(&again, Verdict::Accepted, "of the second");
        let waits_too = bench.answer(&third, Verdict::Accepted, "of the third");
        let answers = async {
            tokio::task::yield_now().await;
            bench.answer(&first, Verdict::Remarked, "of the first").await
        };
        let (second, third, first_sent) = tokio::join!(waits, waits_too, answers);
        assert_eq!(first_sent.unwrap().again, None);
        for sent in [second.unwrap(), third.unwrap()] {
            assert_eq!(
                (texts(&sent), sent.again),
                (vec!["of the first".to_owned()], Some(first.number()))
            );
        }
        assert_eq!(bench.store.health().answered, 1);
    }
}

#[tokio::test]
async fn a_failed_frame_runs_again() {
    for bench in Bench::all() {
        let first = bench.keep("MSH|one").await;
        let failed = Verdict::Failed { retry: true };
        bench.answer(&first, failed, "AE").await.unwrap();
        let second = bench.keep("MSH|one").await;
        bench.answer(&second, Verdict::Accepted, "AA").await.unwrap();
        let third = bench.receive(frame("MSH|one"));
        let sent = bench.answer(&third, Verdict::Accepted, "other").await.unwrap();
        assert_eq!(
            (texts(&sent), sent.again),
            (vec!["AA".to_owned()], Some(second.number()))
        );
    }
}

#[tokio::test]
async fn a_refused_frame_runs_again_under_other_maps() {
    for bench in Bench::all() {
        let first = bench.keep("MSH|one").await;
        bench.answer(&first, Verdict::Refused, "AE").await.unwrap();
        let same = bench.receive(frame("MSH|one"));
        let sent = bench.answer(&same, Verdict::Accepted, "other").await.unwrap();
        assert_eq!(
            (texts(&sent), sent.again),
            (vec!["AE".to_owned()], Some(first.number()))
        );
        let other = bench.receive_under(frame("MSH|one"), "maps 2");
        assert!(matches!(other.kept().await.unwrap(), Arrival::New(_)));
        bench.answer(&other, Verdict::Refused, "AE 2").await.unwrap();
        let same = bench.receive_under(frame("MSH|one"), "maps 2");
        let sent = bench.answer(&same, Verdict::Accepted, "other").await.unwrap();
        assert_eq!(
            (texts(&sent), sent.again),
            (vec!["AE 2".to_owned()], Some(other.number()))
        );
    }
}

#[tokio::test]
async fn the_worst_part_decides_whether_it_runs_again() {
    for bench in Bench::all() {
        let first = bench.keep("batch").await;
        let failed = vec![part(0, Verdict::Failed { retry: true })];
        let _kept = bench.store.decided(first.number(), failed);
        let decided = vec![part(1, Verdict::Accepted)];
        bench.answered(&first, decided, vec![said(false, "AE")]).await.unwrap();
        bench.keep("batch").await;
        // An unreadable frame has no parts; a map may read it tomorrow.
        let unreadable = bench.keep("unreadable").await;
        bench
            .answered(&unreadable, vec![], vec![said(false, "AR")])
            .await
            .unwrap();
        assert!(matches!(
            bench.receive(frame("unreadable")).kept().await.unwrap(),
            Arrival::Again(_)
        ));
        let other = bench.receive_under(frame("unreadable"), "maps 2");
        assert!(matches!(other.kept().await.unwrap(), Arrival::New(_)));
    }
}

#[tokio::test]
async fn parts_decided_before_are_part_of_the_answer() {
    for bench in Bench::all() {
        let receipt = bench.keep("batch").await;
        let first = vec![part(0, Verdict::Accepted), part(1, Verdict::Refused)];
        let _kept = bench.store.decided(receipt.number(), first);
        let mut with_delivery = part(2, Verdict::Accepted);
        with_delivery.deliveries = vec![delivery("ward")];
        // It ends when the parts are on disk, so nothing is to be waited for after it.
        let _ended = bench.store.decided(receipt.number(), vec![with_delivery]).await;
        assert_eq!(bench.parts(receipt.number()).len(), 3);
        assert!(bench.store.outcome(receipt.number()).unwrap().is_none());
        assert_eq!(bench.store.health().answered, 0);
        let rest = vec![part(3, Verdict::Accepted)];
        bench.answered(&receipt, rest, vec![said(true, "AA")]).await.unwrap();
        let all = bench.parts(receipt.number());
        let parts: Vec<u32> = all.iter().map(|part| part.part).collect();
        assert_eq!(parts, [0, 1, 2, 3]);
        assert_eq!(all[2].deliveries, [delivery("ward")]);
        // Who follows the log gets the same, some at a time.
        let records = bench.store.read_from(0, 10).unwrap();
        let ended = records.into_iter().find_map(|record| match record.event {
            Event::Answered { ended, .. } => Some(ended),
            _ => None,
        });
        let earlier = |from| bench.store.decided_earlier(receipt.number(), from);
        let pages = parts_of(earlier, ended.unwrap());
        let pages: Vec<_> = pages.map(Result::unwrap).collect();
        let batches = if bench.dir.is_some() { 3 } else { 1 };
        assert_eq!(
            pages.len(),
            batches,
            "as they were handed over, where memory is not all there is"
        );
        let parts: Vec<u32> = pages.iter().flatten().map(|part| part.part).collect();
        assert_eq!(parts, [0, 1, 2, 3]);
    }
}

#[tokio::test]
async fn positions_rise_without_holes_and_answers_stand_in_their_own_order() {
    for bench in Bench::all() {
        let first = bench.keep("MSH|one").await;
        let second = bench.keep("MSH|two").await;
        bench.answer(&second, Verdict::Accepted, "AA 2").await.unwrap();
        bench.answer(&first, Verdict::Accepted, "AA 1").await.unwrap();
        let records = bench.records();
        let positions: Vec<u64> = records.iter().map(|record| record.position).collect();
        assert_eq!(positions, [1, 2, 3, 4]);
        let numbers: Vec<u64> = records.iter().map(|record| record.number).collect();
        let (one, two) = (first.number(), second.number());
        assert_eq!(numbers, [one, two, two, one]);
        assert!(matches!(&records[0].event, Event::Received { frame, .. } if frame.body == "MSH|one"));
        assert!(matches!(&records[2].event, Event::Answered { ended, .. } if ended.replies[0].bytes == "AA 2"));
        assert_eq!(bench.store.health().tail, 4);
        assert!(bench.store.read_from(4, 10).unwrap().is_empty());
        assert_eq!(bench.store.read_from(1, 2).unwrap().len(), 2);
    }
}

#[tokio::test]
async fn parked_frames_are_claimed_once_and_in_order() {
    for bench in Bench::all() {
        let parking = Bench::on(Arc::new(Parking(Arc::clone(&bench.store))));
        let mut numbers = Vec::new();
        for text in ["MSH|1", "MSH|2", "MSH|3"] {
            numbers.push(parking.keep(text).await.number());
        }
        assert!(matches!(
            parking.receive(frame("MSH|1")).kept().await.unwrap(),
            Arrival::Again(_)
        ));
        let first = bench.store.claim(2).unwrap();
        let second = bench.store.claim(2).unwrap();
        let claimed: Vec<u64> = first.iter().chain(&second).map(|pending| pending.number).collect();
        assert_eq!(claimed, numbers);
        assert!(bench.store.claim(2).unwrap().is_empty());
        for pending in first.into_iter().chain(second) {
            let receipt = bench.inbox.resume(pending, None);
            bench.answer(&receipt, Verdict::Accepted, "AA").await.unwrap();
        }
        assert_eq!(bench.store.health().pending(), 0);
    }
}

#[tokio::test]
async fn old_answered_frames_are_forgotten_and_nothing_else() {
    for bench in Bench::all() {
        let old = bench.accept("MSH|old", "AA").await;
        let again = bench.receive(frame("MSH|old"));
        again.kept().await.unwrap();
        let open = bench.keep("MSH|open").await;
        let owing = bench.keep("MSH|owing").await;
        let mut decided = part(0, Verdict::Accepted);
        decided.deliveries = vec![delivery("ward")];
        bench.answered(&owing, vec![decided], vec![]).await.unwrap();
        let before = Timestamp::now();
        let young = bench.accept("MSH|young", "AA").await;
        assert_eq!(bench.store.forget(before).unwrap(), 1);
        assert_eq!(bench.store.forget(before).unwrap(), 0);
        assert!(bench.store.frame(old).unwrap().is_none());
        assert!(bench.store.outcome(old).unwrap().is_none());
        let left: Vec<u64> = bench.records().iter().map(|record| record.number).collect();
        let (open, owing) = (open.number(), owing.number());
        assert_eq!(left, [open, owing, owing, young, young]);
        let health = bench.store.health();
        assert_eq!((health.accepted, health.answered, health.tail), (4, 3, 8));
        bench.keep("MSH|old").await;
    }
}

#[tokio::test]
async fn what_comes_late_stands_beside_the_answer_and_goes_with_its_frame() {
    for bench in Bench::all() {
        let number = bench.accept("MSH|one", "AA").await;
        let unknown = bench.store.next_number() + 7;
        bench.store.late(late(unknown, "nobody"));
        bench.store.late(late(number, "first"));
        bench.store.late(late(number, "second"));
        let other = bench.accept("MSH|two", "AA").await; // what was handed over before is on disk with it
        assert_eq!(
            bench.store.came_late(number).unwrap(),
            [late(number, "first"), late(number, "second")]
        );
        assert!(bench.store.came_late(other).unwrap().is_empty());
        assert!(bench.store.came_late(unknown).unwrap().is_empty());
        let ended = bench.store.outcome(number).unwrap().unwrap();
        assert_eq!(ended.replies[0].bytes, "AA");
        let records = bench.records();
        assert!(matches!(&records[2].event, Event::Late(known) if *known == late(number, "first")));
        assert_eq!(bench.store.forget(Timestamp::now()).unwrap(), 2);
        assert!(bench.store.came_late(number).unwrap().is_empty());
        assert!(bench.records().is_empty());
    }
}

#[tokio::test]
async fn a_closed_log_keeps_nothing() {
    for bench in Bench::all() {
        let receipt = bench.keep("MSH|one").await;
        bench.store.close();
        bench.store.close();
        let fault = bench.receive(frame("MSH|two")).kept().await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Storage);
        assert!(fault.retry);
        bench.answer(&receipt, Verdict::Accepted, "AA").await.unwrap_err();
        bench.store.claim(1).unwrap_err();
    }
}

#[tokio::test]
async fn an_answer_to_an_unknown_frame_is_a_fault() {
    let (known, bench) = (Bench::memory(), Bench::sqlite());
    let receipt = known.keep("MSH|one").await;
    bench.answer(&receipt, Verdict::Accepted, "AA").await.unwrap_err();
    let bench = Bench::memory();
    bench.answer(&receipt, Verdict::Accepted, "AA").await.unwrap_err();
}

#[tokio::test]
async fn numbers_go_on_where_they_were() {
    for bench in Bench::all() {
        assert_eq!(bench.store.next_number(), 1);
        bench.accept("MSH|one", "AA").await;
        bench.receive(frame("MSH|one")).kept().await.unwrap();
        assert_eq!(bench.store.next_number(), 3);
    }
}
