//! What may come over the wire besides neat frames.

use super::*;

#[tokio::test]
async fn frames_arrive_in_any_pieces() {
    let house = House::open(echo(), Options::default()).await;
    let mut peer = house.peer().await;
    for byte in framed(b"one byte at a time") {
        peer.send(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(peer.reply().await, "got one byte at a time");
}

#[tokio::test]
async fn several_frames_in_one_packet_are_answered_in_order() {
    let house = House::open(echo(), Options::default()).await;
    let mut peer = house.peer().await;
    peer.send(&[framed(b"A"), framed(b"B"), framed(b"C")].concat()).await;
    for expected in ["got A", "got B", "got C"] {
        assert_eq!(peer.reply().await, expected);
    }
}

#[tokio::test]
async fn garbage_between_frames_is_counted_and_release_2_bytes_are_not_answered() {
    let house = House::open(echo(), Options::default()).await;
    let mut peer = house.peer().await;
    peer.send(b"\0\0GET / HTTP/1.1\r\n").await;
    peer.send(&framed(b"A")).await;
    peer.send(b"\x06\x15\0\n").await;
    peer.send(&framed(b"B")).await;
    assert_eq!(peer.reply().await, "got A");
    assert_eq!(peer.reply().await, "got B");
    house.until(|counters| counters.garbage.get() == 22).await;
}

#[tokio::test]
async fn too_much_garbage_closes_the_connection_and_frames_excuse_it() {
    let options = Options {
        max_garbage: 10_000,
        ..Options::default()
    };
    let house = House::open(echo(), options).await;
    let mut peer = house.peer().await;
    for _ in 0..3 {
        peer.send(&[b'x'; 9_000]).await;
        peer.send(&framed(b"A")).await;
        assert_eq!(peer.reply().await, "got A");
    }
    peer.send(&[b'x'; 10_001]).await;
    assert_eq!(peer.rest().await, b"");
}

#[tokio::test]
async fn a_frame_without_its_cr_is_answered_after_a_short_wait() {
    let house = House::open(echo(), Options::default()).await;
    let mut peer = house.peer().await;
    peer.send(b"\x0bA\x1c").await;
    assert_eq!(peer.reply().await, "got A");
    peer.send(b"\r\x0bB\x1c\r").await;
    assert_eq!(peer.reply().await, "got B");
    assert_eq!(house.counters.garbage.get(), 0);
}

#[tokio::test]
async fn a_new_start_inside_a_frame_refuses_the_first_and_takes_the_second() {
    let house = House::open(echo(), Options::default()).await;
    let mut peer = house.peer().await;
    peer.send(b"\x0bMSH|broken off\x0bMSH|whole\x1c\r").await;
    assert_eq!(peer.reply().await, "Unreadable 14");
    assert_eq!(peer.reply().await, "got MSH|whole");
    assert_eq!(house.counters.truncated.get(), 1);
}

#[tokio::test]
async fn an_oversize_frame_is_refused_in_its_turn_and_the_next_is_taken() {
    let options = Options {
        max_frame: 100 << 10,
        ..Options::default()
    };
    let house = House::open(echo(), options).await;
    let mut peer = house.peer().await;
    peer.send(&framed(b"before")).await;
    peer.send(&framed(&vec![b'x'; 3 << 20])).await;
    peer.send(&framed(b"after")).await;
    assert_eq!(peer.reply().await, "got before");
    assert_eq!(peer.reply().await, "TooLarge 65536");
    assert_eq!(peer.reply().await, "got after");
    assert_eq!(house.counters.oversize.get(), 1);
}

#[tokio::test]
async fn a_large_frame_comes_whole() {
    let (service, mut frames) = held(false);
    let house = House::open(service, Options::default()).await;
    let mut peer = house.peer().await;
    let body: Vec<u8> = (0..20 << 20)
        .map(|n: u32| b'0' + u8::try_from(n % 73).unwrap())
        .collect();
    peer.send(&framed(&body)).await;
    let frame = taken(&mut frames).await;
    assert!(frame.body == body, "{} bytes", frame.body.len());
    frame.answer("fine");
    assert_eq!(peer.reply().await, "fine");
}
