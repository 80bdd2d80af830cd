//! Which reply leaves when.

use super::*;

#[tokio::test]
async fn replies_leave_in_order_of_their_frames_whatever_ends_first() {
    let (service, mut frames) = held(false);
    let house = House::open(service, Options::default()).await;
    let mut peer = house.peer().await;
    let names: Vec<String> = (0..32).map(|n| format!("frame {n}")).collect();
    for name in &names {
        peer.send(&framed(name.as_bytes())).await;
    }
    let mut all = Vec::new();
    while all.len() < 32 {
        all.push(taken(&mut frames).await);
    }
    while let Some(last) = all.pop() {
        assert!(last.answers.send(vec![passing(last.body)]).is_ok());
    }
    for name in &names {
        assert_eq!(&peer.reply().await, name);
    }
}

#[tokio::test]
async fn no_more_than_the_window_is_in_work_at_once() {
    let (service, mut frames) = held(false);
    let options = Options {
        window: 2,
        ..Options::default()
    };
    let house = House::open(service, options).await;
    let mut peer = house.peer().await;
    peer.send(&[framed(b"1"), framed(b"2"), framed(b"3")].concat()).await;
    let first = taken(&mut frames).await;
    let _second = taken(&mut frames).await;
    // The third is read but not handed on, and stays so however long the others take.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert!(frames.try_recv().is_err());
    first.answer("first");
    assert_eq!(peer.reply().await, "first");
    assert_eq!(taken(&mut frames).await.body, "3");
}

#[tokio::test]
async fn a_commit_never_waits_for_an_application_reply() {
    let (service, mut frames) = held(true);
    let house = House::open(service, Options::default()).await;
    let mut peer = house.peer().await;
    peer.send(&[framed(b"1"), framed(b"2")].concat()).await;
    let one = taken(&mut frames).await;
    let two = taken(&mut frames).await;
    // Commits keep their order among themselves.
    assert!(two.commit.send(passing("commit 2")).is_ok());
    assert!(one.commit.send(passing("commit 1")).is_ok());
    assert_eq!(peer.reply().await, "commit 1");
    assert_eq!(peer.reply().await, "commit 2");
    assert!(two.answers.send(vec![passing("answer 2")]).is_ok());
    assert!(
        one.answers
            .send(vec![passing("answer 1a"), passing("answer 1b")])
            .is_ok()
    );
    for expected in ["answer 1a", "answer 1b", "answer 2"] {
        assert_eq!(peer.reply().await, expected);
    }
}

#[tokio::test]
async fn an_application_reply_never_goes_before_its_own_commit() {
    let (service, mut frames) = held(true);
    let house = House::open(service, Options::default()).await;
    let mut peer = house.peer().await;
    peer.send(&framed(b"1")).await;
    let one = taken(&mut frames).await;
    assert!(one.answers.send(vec![passing("answer")]).is_ok());
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(house.counters.replies.get(), 0);
    assert!(one.commit.send(passing("commit")).is_ok());
    assert_eq!(peer.reply().await, "commit");
    assert_eq!(peer.reply().await, "answer");
}

#[tokio::test]
async fn work_that_goes_away_without_a_word_is_counted_and_holds_nobody_up() {
    let (service, mut frames) = held(true);
    let house = House::open(service, Options::default()).await;
    let mut peer = house.peer().await;
    peer.send(&[framed(b"1"), framed(b"2")].concat()).await;
    drop(taken(&mut frames).await);
    let two = taken(&mut frames).await;
    assert!(two.commit.send(passing("commit 2")).is_ok());
    two.answers.send(Vec::new()).unwrap();
    assert_eq!(peer.reply().await, "commit 2");
    assert_eq!(house.counters.unanswered.get(), 2);
}

#[tokio::test]
async fn a_positive_reply_for_a_frame_that_is_not_kept_is_not_sent() {
    let (service, mut frames) = held(false);
    let house = House::open(service, Options::default()).await;
    let mut peer = house.peer().await;
    peer.send(&[framed(b"1"), framed(b"2")].concat()).await;
    let fault = Fault::new(causeway_core::FaultKind::Storage, "disk full");
    let lie = Outgoing {
        leave: Leave::NotKept(fault),
        ..passing("a lie")
    };
    assert!(taken(&mut frames).await.answers.send(vec![lie]).is_ok());
    taken(&mut frames).await.answer("the truth");
    assert_eq!(peer.reply().await, "the truth");
    assert_eq!(house.counters.unanswered.get(), 1);
}

#[tokio::test]
async fn nothing_is_read_while_the_service_has_no_room() {
    let gate = Arc::new(tokio::sync::Semaphore::new(1));
    let seen = gate.clone();
    let service = BoxCloneSyncService::new(service_fn(move |frame: Frame| {
        let gate = gate.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            Ok::<_, Infallible>(Replies::ready(passing(frame.body)))
        }
    }));
    let house = House::open(service, Options::default()).await;
    let mut peer = house.peer().await;
    peer.send(&framed(b"1")).await;
    assert_eq!(peer.reply().await, "1");
    // Far more than socket buffers hold: this peer feels the back-pressure.
    let (mut reader, mut writer) = peer.0.into_split();
    let flood = tokio::spawn(async move {
        for _ in 0..32 {
            writer.write_all(&framed(&vec![b'x'; 1 << 20])).await.unwrap();
        }
        writer
    });
    house.until(|counters| counters.bytes_in.get() > 1 << 20).await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert!(!flood.is_finished());
    assert!(house.counters.bytes_in.get() < 3 << 20);
    seen.add_permits(100);
    let _writer = timeout(PATIENCE, flood).await.unwrap().unwrap();
    let mut left = 32 * ((1 << 20) + 3);
    let mut scrap = vec![0; 64 << 10];
    while left > 0 {
        left -= timeout(PATIENCE, reader.read(&mut scrap)).await.unwrap().unwrap();
    }
}
