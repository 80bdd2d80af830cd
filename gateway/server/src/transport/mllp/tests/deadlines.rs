//! Deadlines, on a clock that stands still while anything can be done: exact to the millisecond and without waiting.

use tokio::io::{DuplexStream, duplex, split};
use tokio::time::{Instant, sleep};

use super::super::connection::{self, End};
use super::*;

/// A connection over a pipe of so many bytes each way.
fn connected(listener: Listener, pipe: usize) -> (DuplexStream, JoinHandle<End>, watch::Sender<bool>) {
    let (near, far) = duplex(pipe);
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(async move {
        let (reader, writer) = split(far);
        let peer = Arc::from("192.0.2.1:4000");
        connection::run(&listener, peer, reader, writer, stopped).await
    });
    (near, running, stop)
}

fn with(service: FrameService, options: Options) -> Listener {
    listener(service, options, plenty())
}

async fn reply(near: &mut DuplexStream) -> String {
    let mut got = Vec::new();
    while !got.ends_with(b"\x1c\r") {
        got.push(near.read_u8().await.unwrap());
    }
    String::from_utf8(got[1..got.len() - 2].to_vec()).unwrap()
}

/// Within a timer's grain.
fn about(took: Duration, want: Duration) {
    let grain = Duration::from_millis(2);
    assert!(took >= want && took <= want + grain, "{took:?} for {want:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_ends_after_the_idle_deadline() {
    let options = Options::default();
    let idle = options.idle;
    let start = Instant::now();
    let (_near, running, _stop) = connected(with(echo(), options), 1 << 10);
    assert!(matches!(running.await.unwrap(), End::Idle));
    // The peer does not close either: a second of lingering.
    about(start.elapsed(), idle + Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_owed_a_reply_is_not_idle() {
    let (service, mut frames) = held(false);
    let options = Options::default();
    let idle = options.idle;
    let (mut near, running, _stop) = connected(with(service, options), 1 << 10);
    near.write_all(&framed(b"1")).await.unwrap();
    let one = taken(&mut frames).await;
    sleep(idle * 5 / 2).await;
    one.answer("late");
    assert_eq!(reply(&mut near).await, "late");
    near.write_all(&framed(b"2")).await.unwrap();
    taken(&mut frames).await.answer("still here");
    assert_eq!(reply(&mut near).await, "still here");
    sleep(idle * 2).await;
    assert!(matches!(running.await.unwrap(), End::Idle));
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_drips_ends_at_the_frame_deadline() {
    let options = Options::default();
    let (frame, step) = (options.frame, options.frame / 10);
    let (mut near, running, _stop) = connected(with(echo(), options), 1 << 10);
    // Not the connection's first moment: the deadline runs from the frame's first byte.
    sleep(frame * 2).await;
    let start = Instant::now();
    near.write_all(b"\x0bM").await.unwrap();
    let (mut reader, mut writer) = split(near);
    let drip = tokio::spawn(async move {
        loop {
            sleep(step).await;
            if writer.write_all(b"x").await.is_err() {
                return;
            }
        }
    });
    let mut got = Vec::new();
    reader.read_to_end(&mut got).await.unwrap();
    about(start.elapsed(), frame);
    assert!(got.starts_with(b"\x0bTimeout 1"), "{}", got.escape_ascii());
    assert!(matches!(running.await.unwrap(), End::FrameTimeout));
    drip.abort();
}

#[tokio::test(start_paused = true)]
async fn slow_frames_have_a_deadline_each() {
    let options = Options::default();
    let pause = options.frame * 9 / 10;
    let (mut near, running, _stop) = connected(with(echo(), options), 1 << 10);
    near.write_all(b"\x0bslow").await.unwrap();
    for _ in 0..5 {
        sleep(pause).await;
        // The end of one and the beginning of the next come together.
        near.write_all(b"\x1c\r\x0bslow").await.unwrap();
        assert_eq!(reply(&mut near).await, "got slow");
    }
    assert!(!running.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_missing_cr_costs_its_wait_and_no_more() {
    let options = Options::default();
    let wait = options.end_wait;
    let (mut near, _running, _stop) = connected(with(echo(), options), 1 << 10);
    for _ in 0..3 {
        sleep(Duration::from_secs(7)).await;
        let start = Instant::now();
        near.write_all(b"\x0bA\x1c").await.unwrap();
        assert_eq!(reply(&mut near).await, "got A");
        about(start.elapsed(), wait);
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_block_without_its_cr_leaves_no_deadline_behind() {
    let options = Options::default();
    let frame = options.frame;
    let (mut near, running, _stop) = connected(with(echo(), options), 1 << 10);
    near.write_all(b"\x0b\x1c").await.unwrap();
    sleep(frame * 2).await;
    assert!(!running.is_finished());
    near.write_all(&framed(b"A")).await.unwrap();
    assert_eq!(reply(&mut near).await, "got A");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_ends_at_the_write_deadline() {
    let options = Options::default();
    let write = options.write;
    let start = Instant::now();
    let (mut near, running, _stop) = connected(with(echo(), options), 16);
    near.write_all(&framed(b"longer than the pipe is wide")).await.unwrap();
    assert!(matches!(running.await.unwrap(), End::Write(_)));
    about(start.elapsed(), write);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_ends_the_connection_at_once() {
    let start = Instant::now();
    let (near, running, _stop) = connected(with(echo(), Options::default()), 1 << 10);
    drop(near);
    assert!(matches!(running.await.unwrap(), End::Closed));
    about(start.elapsed(), Duration::ZERO);
}
