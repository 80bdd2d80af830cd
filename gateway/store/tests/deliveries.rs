//! What the log promises of deliveries, whatever its engine: posted with the answer, settled once, counted without loss,
//! turned by a person, and numbered for ever.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test asserts by failing")]

mod common;

use causeway_core::store::{Attempt, Audit, End, Posted, Query, State};
use causeway_core::{Delivery, Fault, Verdict};
use common::{Bench, delivery, late, part};
use jiff::{SignedDuration, Timestamp};

fn to(destination: &str, order: &str) -> Delivery {
    Delivery {
        order: Some(order.into()),
        ..delivery(destination)
    }
}

/// Receives and answers a frame with deliveries in its part 3.
async fn post(bench: &Bench, text: &str, deliveries: Vec<Delivery>) -> u64 {
    let receipt = bench.keep(text).await;
    let mut decided = part(3, Verdict::Accepted);
    decided.deliveries = deliveries;
    bench.answered(&receipt, vec![decided], vec![]).await.unwrap();
    receipt.number()
}

fn waiting(bench: &Bench, destination: &str) -> Vec<Posted> {
    bench.store.deliveries().waiting(destination, None, 0, 1_000).unwrap()
}

fn ids(all: &[Posted]) -> Vec<u64> {
    all.iter().map(|posted| posted.id).collect()
}

async fn settle(bench: &Bench, id: u64, end: End) -> Result<(), Fault> {
    let attempt = Attempt {
        id,
        time: Timestamp::now(),
        end,
        wanted: true,
    };
    bench.store.deliveries().settle(attempt).await.unwrap()
}

fn delivered() -> End {
    End::Delivered { said: "AA".into() }
}

fn dead(cause: &str) -> End {
    End::Dead {
        class: "rejected",
        cause: cause.into(),
    }
}

fn of(state: State) -> Query {
    Query {
        state: Some(state),
        ..Query::default()
    }
}

fn audited(bench: &Bench, destination: &str) -> Audit {
    let audit = bench.store.deliveries().audit().unwrap();
    assert!(audit.iter().all(Audit::agrees), "{audit:?}");
    let published = *bench.store.deliveries().account(destination).borrow();
    let audit = audit
        .into_iter()
        .find(|audit| audit.destination == destination)
        .unwrap();
    assert_eq!(
        (published.posted, published.delivered, published.dropped, published.dead),
        (
            audit.account.posted,
            audit.account.delivered,
            audit.account.dropped,
            audit.account.dead
        )
    );
    audit
}

#[tokio::test]
async fn deliveries_wait_in_order_of_posting_for_each_destination_and_key() {
    for bench in Bench::all() {
        let first = post(&bench, "MSH|1", vec![to("ward", "a"), to("archive", "a")]).await;
        post(&bench, "MSH|2", vec![to("ward", "b")]).await;
        post(&bench, "MSH|3", vec![to("ward", "a")]).await;
        let all = waiting(&bench, "ward");
        assert_eq!(ids(&all), [1, 3, 4]);
        assert_eq!((all[0].number, all[0].part, all[0].state), (first, 3, State::Waiting));
        assert_eq!((all[0].attempts, all[0].due), (0, None));
        assert_eq!(all[0].delivery, to("ward", "a"));
        let deliveries = bench.store.deliveries();
        assert_eq!(ids(&deliveries.waiting("ward", Some("a"), 1, 9).unwrap()), [4]);
        assert_eq!(ids(&deliveries.waiting("ward", None, 0, 2).unwrap()), [1, 3]);
        assert!(deliveries.waiting("nobody", None, 0, 9).unwrap().is_empty());
        let ward = audited(&bench, "ward");
        assert_eq!((ward.account.posted, ward.waiting, ward.account.last), (3, 3, 4));
        assert_eq!(ward.oldest, Some(all[0].posted));
    }
}

#[tokio::test]
async fn what_came_of_an_attempt_is_kept_and_a_second_word_changes_nothing() {
    for bench in Bench::all() {
        post(&bench, "MSH|1", vec![to("ward", "a"), to("ward", "b"), to("ward", "c")]).await;
        let mut account = bench.store.deliveries().account("ward");
        account.mark_unchanged();
        let due = Timestamp::now() + SignedDuration::from_secs(60);
        settle(&bench, 1, delivered()).await.unwrap();
        let again = |failed, cause: &str| End::Again {
            due,
            failed,
            class: "failed",
            cause: cause.into(),
        };
        settle(&bench, 2, again(true, "AE 207")).await.unwrap();
        settle(&bench, 2, again(false, "no word")).await.unwrap();
        settle(&bench, 3, dead("AR")).await.unwrap();
        settle(&bench, 3, delivered()).await.unwrap();
        settle(&bench, 77, delivered()).await.unwrap();
        assert!(account.has_changed().unwrap());
        let left = waiting(&bench, "ward");
        assert_eq!(ids(&left), [2]);
        assert_eq!((left[0].attempts, left[0].failed, left[0].due), (2, 1, Some(due)));
        assert_eq!((left[0].class.as_str(), left[0].cause.as_str()), ("failed", "no word"));
        let ward = audited(&bench, "ward");
        assert_eq!((ward.account.delivered, ward.account.dead, ward.waiting), (1, 1, 1));
        let done = bench.store.deliveries().find(&of(State::Delivered), 0, 9).unwrap();
        assert_eq!((ids(&done), done[0].cause.as_str()), (vec![1], "AA"));
        assert!(done[0].settled.is_some());
    }
}

#[tokio::test]
async fn dead_deliveries_are_grouped_by_cause_and_come_back_under_their_own_numbers() {
    for bench in Bench::all() {
        for n in 0..5 {
            post(&bench, &format!("MSH|{n}"), vec![to("ward", "a")]).await;
        }
        settle(&bench, 1, dead("HTTP 422")).await.unwrap();
        settle(&bench, 2, dead("HTTP 400")).await.unwrap();
        settle(&bench, 4, dead("HTTP 422")).await.unwrap();
        settle(&bench, 5, delivered()).await.unwrap();
        let deliveries = bench.store.deliveries();
        let groups = deliveries.dead(None).unwrap();
        let short = |group: &causeway_core::store::Dead| (group.cause.clone(), group.count, group.first, group.last);
        let groups: Vec<_> = groups.iter().map(short).collect();
        assert_eq!(
            groups,
            [("HTTP 422".to_owned(), 2, 1, 4), ("HTTP 400".to_owned(), 1, 2, 2)]
        );
        assert!(deliveries.dead(Some("archive")).unwrap().is_empty());
        let query = Query {
            cause: Some("HTTP 422".into()),
            destination: Some("ward".into()),
            message_type: Some("ORU^R01".into()),
            ..of(State::Dead)
        };
        let turned = deliveries.account("ward").borrow().turned;
        assert_eq!(
            (deliveries.count(&query).unwrap(), deliveries.replay(&query).unwrap()),
            (2, 2)
        );
        assert_eq!(
            (deliveries.count(&query).unwrap(), deliveries.replay(&query).unwrap()),
            (0, 0)
        );
        assert!(deliveries.account("ward").borrow().turned > turned);
        assert_eq!(ids(&waiting(&bench, "ward")), [1, 3, 4]);
        let ward = audited(&bench, "ward");
        assert_eq!((ward.account.posted, ward.account.dead), (5, 1));
        let one = Query {
            id: Some(5),
            ..Query::default()
        };
        assert_eq!(deliveries.replay(&one).unwrap(), 1); // the peer has it and is to get it again
        assert_eq!(audited(&bench, "ward").account.posted, 6);
    }
}

#[tokio::test]
async fn what_a_person_drops_is_neither_waiting_nor_dead_and_counts_as_dropped() {
    for bench in Bench::all() {
        post(&bench, "MSH|1", vec![to("ward", "a"), to("ward", "b"), to("ward", "c")]).await;
        settle(&bench, 1, dead("AR")).await.unwrap();
        settle(&bench, 2, delivered()).await.unwrap();
        let deliveries = bench.store.deliveries();
        let all = Query::default();
        assert_eq!(deliveries.discard(&all).unwrap(), 2);
        assert_eq!(
            (waiting(&bench, "ward"), deliveries.dead(None).unwrap()),
            (vec![], vec![])
        );
        settle(&bench, 3, delivered()).await.unwrap(); // it was under way
        let ward = audited(&bench, "ward");
        assert_eq!((ward.account.dropped, ward.account.delivered), (2, 1));
        let since = Query {
            since: Some(Timestamp::now() + SignedDuration::from_secs(9)),
            ..Query::default()
        };
        assert_eq!(deliveries.count(&since).unwrap(), 0);
    }
}

#[tokio::test]
async fn a_frame_stays_while_a_delivery_of_it_waits_or_is_dead() {
    for bench in Bench::all() {
        let number = post(&bench, "MSH|1", vec![to("ward", "a"), to("ward", "b")]).await;
        let forget = || bench.store.forget(Timestamp::now()).unwrap();
        settle(&bench, 1, delivered()).await.unwrap();
        assert_eq!(forget(), 0);
        settle(&bench, 2, dead("AR")).await.unwrap();
        assert_eq!(forget(), 0);
        assert!(bench.store.frame(number).unwrap().is_some());
        assert_eq!(bench.store.deliveries().discard(&of(State::Dead)).unwrap(), 1);
        assert_eq!(forget(), 1);
        assert!(
            bench
                .store
                .deliveries()
                .find(&Query::default(), 0, 9)
                .unwrap()
                .is_empty()
        );
        let ward = audited(&bench, "ward");
        assert_eq!((ward.account.posted, ward.account.delivered, ward.waiting), (2, 1, 0));
    }
}

#[tokio::test]
async fn what_comes_late_is_posted_with_it() {
    for bench in Bench::all() {
        let number = post(&bench, "MSH|1", vec![]).await;
        let mut advice = late(number, "potassium");
        advice.deliveries = vec![to("ward", "a")];
        bench.store.late(advice);
        let mut unknown = late(number + 100, "potassium");
        unknown.deliveries = vec![to("ward", "a")];
        bench.store.late(unknown);
        post(&bench, "MSH|2", vec![]).await; // what was handed over before is on disk with it
        let all = waiting(&bench, "ward");
        assert_eq!((ids(&all), all[0].number, all[0].part), (vec![1], number, 1));
    }
}

#[tokio::test]
async fn parts_decided_before_the_last_post_theirs_at_once() {
    for bench in Bench::all() {
        let receipt = bench.keep("MSH|large").await;
        let mut decided = part(0, Verdict::Accepted);
        decided.deliveries = vec![to("ward", "a")];
        let _kept = bench.store.decided(receipt.number(), vec![decided]).await;
        assert_eq!(ids(&waiting(&bench, "ward")), [1]);
    }
}

#[tokio::test]
async fn one_part_is_found_alone_in_whatever_batch_it_is() {
    for bench in Bench::all() {
        let receipt = bench.keep("MSH|large").await;
        let number = receipt.number();
        let batch = |parts: std::ops::Range<u32>| parts.map(|n| part(n, Verdict::Accepted)).collect::<Vec<_>>();
        let _kept = bench.store.decided(number, batch(0..3)).await;
        let _kept = bench.store.decided(number, batch(3..5)).await;
        let one = |part| bench.store.deliveries().part(number, part).unwrap().map(|one| one.part);
        assert_eq!([0, 2, 4, 5].map(one), [Some(0), Some(2), Some(4), None]);
        bench.answered(&receipt, batch(5..7), vec![]).await.unwrap();
        assert_eq!([0, 3, 5, 6, 7].map(one), [Some(0), Some(3), Some(5), Some(6), None]);
        assert!(bench.store.deliveries().part(number + 1, 0).unwrap().is_none());
    }
}

#[tokio::test]
async fn numbers_are_never_given_again_and_all_of_it_outlives_a_death() {
    let bench = Bench::sqlite();
    post(&bench, "MSH|1", vec![to("ward", "a"), to("ward", "b"), to("ward", "c")]).await;
    settle(&bench, 1, dead("AR")).await.unwrap();
    settle(&bench, 3, delivered()).await.unwrap();
    bench.store.deliveries().pause("ward", true).unwrap();
    let bench = bench.crash();
    let ward = audited(&bench, "ward");
    assert!(ward.account.paused);
    assert_eq!(
        (ward.account.posted, ward.account.delivered, ward.waiting, ward.dead),
        (3, 1, 1, 1)
    );
    assert_eq!(ward.account.last, 2);
    bench.store.deliveries().discard(&Query::default()).unwrap();
    assert_eq!(bench.store.forget(Timestamp::now()).unwrap(), 1);
    let bench = bench.reopen();
    bench.store.deliveries().pause("ward", false).unwrap();
    post(&bench, "MSH|2", vec![to("ward", "a")]).await;
    assert_eq!(ids(&waiting(&bench, "ward")), [4]);
    assert!(!audited(&bench, "ward").account.paused);
}

#[tokio::test]
async fn what_is_put_back_after_a_start_is_within_sight_of_whoever_looks_ahead() {
    let bench = Bench::sqlite();
    post(&bench, "MSH|1", vec![to("ward", "a"), to("ward", "b")]).await;
    settle(&bench, 1, delivered()).await.unwrap();
    settle(&bench, 2, dead("AR")).await.unwrap();
    let bench = bench.reopen();
    assert_eq!(bench.store.deliveries().replay(&of(State::Dead)).unwrap(), 1);
    assert_eq!(audited(&bench, "ward").waiting, 1);
    let ward = *bench.store.deliveries().account("ward").borrow();
    assert_eq!((ward.last, ward.turned), (2, 1));
}
