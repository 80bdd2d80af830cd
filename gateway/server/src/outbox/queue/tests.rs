use std::collections::BTreeMap;

use causeway_core::Delivery;
use causeway_core::store::State;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn posted(id: u64, key: &str) -> Posted {
    let delivery = Delivery {
        destination: "ward".into(),
        order: Some(key.into()),
        message_type: "ORU^R01".into(),
        media_type: String::new(),
        body: Vec::new(),
    };
    Posted {
        id,
        number: id,
        part: 0,
        delivery,
        state: State::Waiting,
        posted: at(0),
        attempts: 0,
        failed: 0,
        due: None,
        settled: None,
        class: String::new(),
        cause: String::new(),
    }
}

/// A log of waiting deliveries with a queue before it.
struct Bench {
    log: BTreeMap<u64, Posted>,
    last: u64,
    queue: Queue,
    now: i64,
    most: usize,
}

impl Bench {
    fn new(window: usize) -> Self {
        Self {
            log: BTreeMap::new(),
            last: 0,
            queue: Queue::new(window),
            now: 0,
            most: 0,
        }
    }

    fn post(&mut self, key: &str) -> u64 {
        self.last += 1;
        self.log.insert(self.last, posted(self.last, key));
        self.last
    }

    fn find(&self, wish: &Wish) -> Vec<Posted> {
        let key = wish.key.as_deref();
        let rows = self.log.range(wish.after + 1..).map(|(_, posted)| posted);
        let of_key = |posted: &&Posted| key.is_none() || posted.delivery.order.as_deref() == key;
        rows.filter(of_key).take(wish.limit).cloned().collect()
    }

    fn fill(&mut self) {
        while let Some(wish) = self.queue.wish(self.last) {
            let found = self.find(&wish);
            self.queue.read(&wish, found, self.last, at(self.now));
            self.most = self.most.max(self.queue.ahead + self.queue.delayed.len());
        }
    }

    fn take(&mut self) -> Option<Posted> {
        self.fill();
        self.queue.take(at(self.now))
    }

    fn end(&mut self, posted: &Posted) {
        self.log.remove(&posted.id);
        self.queue.ended(posted, at(self.now));
    }

    fn again(&mut self, mut posted: Posted, due: i64) {
        posted.due = Some(at(due));
        self.log.insert(posted.id, posted.clone());
        self.queue.again(posted, at(self.now));
    }
}

#[test]
fn one_of_a_key_is_under_way_and_others_go_beside_it() {
    let mut bench = Bench::new(100);
    let ids = ["a", "a", "b"].map(|key| bench.post(key));
    let first = bench.take().unwrap();
    let other = bench.take().unwrap();
    assert_eq!((first.id, other.id), (ids[0], ids[2]));
    assert_eq!(bench.take(), None);
    assert!(bench.queue.is_wanted(&first) && !bench.queue.is_wanted(&other));
    bench.end(&first);
    assert_eq!(bench.take().unwrap().id, ids[1]);
}

#[test]
fn a_key_that_waits_for_its_time_holds_back_itself_alone() {
    let mut bench = Bench::new(4);
    for _ in 0..50 {
        bench.post("blocked");
    }
    let free = bench.post("free");
    let blocked = bench.take().unwrap();
    bench.again(blocked, 10);
    assert_eq!(bench.take().unwrap().id, free);
    assert_eq!(bench.take(), None);
    assert_eq!(bench.queue.next_due(), Some(at(10)));
    bench.now = 10;
    let order: Vec<u64> = std::iter::from_fn(|| {
        let posted = bench.take()?;
        bench.end(&posted);
        Some(posted.id)
    })
    .collect();
    assert_eq!(order, (1..=50).collect::<Vec<_>>());
}

#[test]
fn what_ended_while_it_was_being_read_does_not_go_twice() {
    let mut bench = Bench::new(100);
    let id = bench.post("a");
    let posted = bench.take().unwrap();
    bench.queue.look_again();
    let wish = bench.queue.wish(bench.last).unwrap();
    let found = bench.find(&wish);
    assert_eq!(found[0].id, id);
    bench.end(&posted);
    bench.queue.read(&wish, found, bench.last, at(0));
    assert_eq!(bench.take(), None);
}

#[test]
fn a_read_that_was_overtaken_by_a_replay_counts_for_nothing() {
    let mut bench = Bench::new(100);
    bench.post("a");
    let wish = bench.queue.wish(bench.last).unwrap();
    let found = bench.find(&wish);
    bench.log.clear(); // a person dropped it
    bench.queue.look_again();
    bench.queue.read(&wish, found, bench.last, at(0));
    assert_eq!(bench.take(), None);
}

#[test]
fn what_a_person_drops_while_it_is_under_way_is_not_tried_again() {
    let mut bench = Bench::new(100);
    bench.post("a");
    bench.post("a");
    let first = bench.take().unwrap();
    bench.log.remove(&first.id);
    bench.queue.look_again();
    bench.queue.again(first.clone(), at(0));
    let second = bench.take().unwrap();
    assert_eq!(second.id, first.id + 1);
    // One that was only looked at again keeps its place.
    bench.queue.look_again();
    bench.queue.again(second.clone(), at(0));
    assert_eq!(bench.take().map(|posted| posted.id), Some(second.id));
}

#[test]
fn what_could_not_be_read_is_asked_for_again() {
    let mut bench = Bench::new(100);
    bench.post("a");
    let wish = bench.queue.wish(bench.last).unwrap();
    assert_eq!(bench.queue.wish(bench.last), None);
    bench.queue.unread(wish.clone());
    assert_eq!(bench.queue.wish(bench.last), Some(wish));
}

/// Whatever happens, in whatever order: each is delivered once, those of a key in order of their numbers, and memory is
/// bounded by the window.
#[test]
fn every_delivery_goes_once_and_in_order_of_its_key() {
    let mut seed = 7_u64;
    let mut roll = move |below: u64| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut bench = Bench::new(20);
    let (mut flying, mut gone): (Vec<Posted>, Vec<(String, u64)>) = (Vec::new(), Vec::new());
    for step in 0..40_000 {
        bench.now += i64::from(roll(10) == 0);
        match roll(100) {
            0..20 if step < 20_000 => _ = bench.post(&roll(40).to_string()),
            20 if step < 20_000 && step % 4 == 0 => (0..40).for_each(|_| _ = bench.post("crowd")),
            21 => bench.queue.look_again(),
            22..65 if flying.len() < 8 => flying.extend(bench.take()),
            _ if !flying.is_empty() => {
                let index = usize::try_from(roll(flying.len() as u64)).unwrap();
                let posted = flying.swap_remove(index);
                if roll(4) == 0 {
                    let due = bench.now + i64::try_from(roll(30)).unwrap();
                    bench.again(posted, due);
                } else {
                    bench.end(&posted);
                    gone.push((posted.delivery.order.clone().unwrap(), posted.id));
                }
            }
            _ => bench.now += 1,
        }
    }
    assert!(bench.log.is_empty() && flying.is_empty(), "{} left", bench.log.len());
    assert_eq!(gone.len() as u64, bench.last);
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for (key, id) in &gone {
        let before = last.insert(key, *id);
        assert!(
            before.is_none_or(|before| before < *id),
            "{id} of {key} after {before:?}"
        );
    }
    assert!(bench.most <= 20 + OF_KEY + 20 * DELAYED, "{} in memory", bench.most);
    assert!(bench.queue.lanes.is_empty());
}
