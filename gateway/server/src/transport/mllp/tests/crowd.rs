//! Many peers, unwelcome peers, and peers that would take too much memory.

use super::*;

#[tokio::test]
async fn one_connection_more_than_allowed_is_closed_at_once() {
    for options in [
        Options {
            connections: 1,
            ..Options::default()
        },
        Options {
            connections_per_peer: 1,
            ..Options::default()
        },
    ] {
        let house = House::open(echo(), options).await;
        let mut first = house.peer().await;
        first.send(&framed(b"A")).await;
        assert_eq!(first.reply().await, "got A");
        assert_eq!(house.peer().await.rest().await, b"");
        assert_eq!(house.counters.turned_away.get(), 1);
        drop(first);
        house.until(|counters| counters.open.get() == 0).await;
        let mut next = house.peer().await;
        next.send(&framed(b"B")).await;
        assert_eq!(next.reply().await, "got B");
    }
}

#[tokio::test]
async fn only_listed_networks_may_connect() {
    let only = |network: &str| Listener {
        peers: vec![network.parse().unwrap()],
        ..listener(echo(), Options::default(), plenty())
    };
    let house = House::serve(only("10.0.0.0/8")).await;
    assert_eq!(house.peer().await.rest().await, b"");
    assert_eq!(house.counters.accepted.get(), 0);
    let house = House::serve(only("127.0.0.0/8")).await;
    let mut peer = house.peer().await;
    peer.send(&framed(b"A")).await;
    assert_eq!(peer.reply().await, "got A");
}

/// A frame of 900 KiB, most of a budget of 1 MiB.
fn large() -> Vec<u8> {
    framed(&vec![b'x'; 900 << 10])
}

/// Two peers that hold all memory there is between them: one has paid for it, the other is the one that need not pay.
async fn hogs(house: &House) -> (Peer, Peer) {
    let (mut payer, mut guest) = (house.peer().await, house.peer().await);
    let most = 800 << 10;
    payer.send(&large()[..most]).await;
    house.until(|counters| counters.bytes_in.get() == most as u64).await;
    guest.send(&large()[..most]).await;
    house.until(|counters| counters.bytes_in.get() == 2 * most as u64).await;
    (payer, guest)
}

#[tokio::test]
async fn large_frames_wait_for_their_turn() {
    let (service, mut frames) = held(false);
    let house = House::serve(listener(service, Options::default(), ReadBudget::new(1 << 20))).await;
    let (mut payer, guest) = hogs(&house).await;
    let before = house.counters.bytes_in.get();
    let mut third = house.peer().await;
    let sending = tokio::spawn(async move {
        third.send(&large()).await;
        third
    });
    // It is read a little beyond what is free, and then waits.
    house
        .until(|counters| counters.bytes_in.get() > before + super::super::codec::HEAD as u64)
        .await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert!(house.counters.bytes_in.get() < before + (100 << 10));
    payer.send(&large()[800 << 10..]).await;
    taken(&mut frames).await.answer("payer");
    taken(&mut frames).await.answer("third");
    assert_eq!(payer.reply().await, "payer");
    assert_eq!(
        timeout(PATIENCE, sending).await.unwrap().unwrap().reply().await,
        "third"
    );
    drop(guest);
}

#[tokio::test]
async fn many_large_frames_at_once_all_get_through() {
    let brief = BoxCloneSyncService::new(service_fn(|frame: Frame| async move {
        Ok::<_, Infallible>(Replies::ready(passing(frame.body.len().to_string())))
    }));
    let house = House::serve(listener(brief, Options::default(), ReadBudget::new(1 << 20))).await;
    let mut peers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let mut peer = house.peer().await;
        peers.spawn(async move {
            peer.send(&large()).await;
            assert_eq!(peer.reply().await, (900 << 10).to_string());
        });
    }
    timeout(PATIENCE, peers.join_all()).await.unwrap();
    assert_eq!(house.counters.frames.get(), 20);
}

#[tokio::test]
async fn a_large_frame_that_finds_no_memory_in_time_is_refused_as_overload() {
    let options = Options {
        frame: Duration::from_millis(300),
        ..Options::default()
    };
    // A frame's memory is the service's only when the service has taken the frame, and this one never does.
    let full = BoxCloneSyncService::new(service_fn(|_: Frame| {
        std::future::pending::<Result<Replies, Infallible>>()
    }));
    let house = House::serve(listener(full, options, ReadBudget::new(1 << 20))).await;
    let (mut payer, mut guest) = hogs(&house).await;
    payer.send(&large()[800 << 10..]).await;
    guest.send(&large()[800 << 10..]).await;
    let mut third = house.peer().await;
    third.send(&large()[..200 << 10]).await;
    assert_eq!(third.reply().await, "Overload 65536");
    assert_eq!((house.counters.overload.get(), house.counters.frames.get()), (1, 0));
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_cut_off_and_disturbs_nobody() {
    let service = BoxCloneSyncService::new(service_fn(|frame: Frame| async move {
        let size = if frame.body == "large" { 1 << 20 } else { 1 };
        Ok::<_, Infallible>(Replies::ready(passing(vec![b'r'; size])))
    }));
    let options = Options {
        write: Duration::from_millis(100),
        ..Options::default()
    };
    let house = House::open(service, options).await;
    let mut deaf = house.peer().await;
    for _ in 0..32 {
        deaf.send(&framed(b"large")).await;
    }
    let mut other = house.peer().await;
    other.send(&framed(b"small")).await;
    assert_eq!(other.reply().await, "r");
    house.until(|counters| counters.write_timeouts.get() == 1).await;
    house.until(|counters| counters.open.get() == 1).await;
}
