//! How a connection or the listener ends.

use super::*;

#[tokio::test]
async fn a_peer_that_only_stops_sending_still_gets_its_replies() {
    let (service, mut frames) = held(true);
    let house = House::open(service, Options::default()).await;
    let mut peer = house.peer().await;
    peer.send(&framed(b"1")).await;
    peer.0.shutdown().await.unwrap();
    let one = taken(&mut frames).await;
    assert!(one.commit.send(passing("commit")).is_ok());
    assert!(one.answers.send(vec![passing("answer")]).is_ok());
    assert_eq!(peer.rest().await, [framed(b"commit"), framed(b"answer")].concat());
}

#[tokio::test]
async fn a_frame_cut_by_the_end_of_input_is_refused() {
    let house = House::open(echo(), Options::default()).await;
    let mut peer = house.peer().await;
    peer.send(b"\x0bMSH|half").await;
    peer.0.shutdown().await.unwrap();
    assert_eq!(peer.rest().await, framed(b"Unreadable 8"));
}

#[tokio::test]
async fn a_peer_that_hangs_up_loses_only_its_replies() {
    let (service, mut frames) = held(false);
    let house = House::open(service, Options::default()).await;
    let mut peer = house.peer().await;
    peer.send(&[framed(b"1"), framed(b"2")].concat()).await;
    let one = taken(&mut frames).await;
    let two = taken(&mut frames).await;
    drop(peer);
    one.answer("lost");
    // The first write goes into the void, the next one is told so; either way nobody waits for ever.
    house.until(|counters| counters.replies.get() == 1).await;
    drop(two.answers.send(vec![passing("lost as well")]));
    house.until(|counters| counters.open.get() == 0).await;
    assert_eq!(house.counters.frames.get(), 2);
}

#[tokio::test]
async fn draining_stops_accepting_and_reading_but_says_what_is_owed() {
    let (service, mut frames) = held(false);
    let house = House::open(service, Options::default()).await;
    let mut peer = house.peer().await;
    peer.send(&framed(b"1")).await;
    let one = taken(&mut frames).await;
    peer.send(b"\x0bMSH|half").await;
    house.until(|counters| counters.bytes_in.get() == 13).await;
    house.stop.send(true).unwrap();
    one.answer("owed");
    assert_eq!(peer.reply().await, "owed");
    assert_eq!(peer.reply().await, "Draining 8");
    assert_eq!(peer.rest().await, b"");
    drop(peer);
    timeout(PATIENCE, house.serving).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(house.address).await.is_err());
}

#[tokio::test]
async fn draining_ends_at_its_deadline_whoever_is_still_owed() {
    let (service, mut frames) = held(false);
    let brief = Listener {
        drain: Duration::from_millis(50),
        ..listener(service, Options::default(), plenty())
    };
    let house = House::serve(brief).await;
    let mut peer = house.peer().await;
    peer.send(&framed(b"1")).await;
    let one = taken(&mut frames).await;
    house.stop.send(true).unwrap();
    timeout(PATIENCE, house.serving).await.unwrap().unwrap().unwrap();
    assert!(one.answers.is_closed());
    assert_eq!(house.counters.open.get(), 0);
}

#[tokio::test]
async fn an_owner_that_is_gone_means_stop() {
    let house = House::open(echo(), Options::default()).await;
    drop(house.stop);
    timeout(PATIENCE, house.serving).await.unwrap().unwrap().unwrap();
}
