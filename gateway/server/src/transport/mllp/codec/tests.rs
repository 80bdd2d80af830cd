//! The framing against a second reading of its rules that works on whole inputs, and by hand where a rule has a name.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// All events of the input, pushed in chunks of these sizes (the last one again and again).
fn pushed(decoder: &mut Decoder, mut input: &[u8], sizes: &[usize]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut sizes = sizes
        .iter()
        .copied()
        .chain(std::iter::repeat(sizes.last().copied().unwrap_or(1)));
    while !input.is_empty() {
        let (mut chunk, rest) = input.split_at(sizes.next().unwrap().clamp(1, input.len()));
        while !chunk.is_empty() {
            let (taken, event) = decoder.push(chunk);
            events.extend(event);
            chunk = &chunk[taken..];
        }
        input = rest;
    }
    events
}

fn all(input: &[u8]) -> (Vec<Event>, u64) {
    let mut decoder = Decoder::new(1 << 20);
    let events = pushed(&mut decoder, input, &[input.len()]);
    (events, decoder.skipped())
}

fn frame(payload: &[u8]) -> Event {
    Event::Frame(Bytes::copy_from_slice(payload))
}

fn truncated(first: &[u8]) -> Event {
    Event::Truncated {
        first: Bytes::copy_from_slice(first),
        length: first.len() as u64,
    }
}

#[test]
fn frames_come_out_without_their_framing() {
    assert_eq!(
        all(b"\x0bA\x1c\r\x0bB\rC\x1c\r"),
        (vec![frame(b"A"), frame(b"B\rC")], 0)
    );
}

#[test]
fn bytes_between_frames_are_skipped_and_counted() {
    let input = b"\0\0junk\x0bA\x1c\r\x06\x15\r\n\x0bB\x1c\r\0";
    assert_eq!(all(input), (vec![frame(b"A"), frame(b"B")], 11));
}

#[test]
fn an_empty_block_is_no_message() {
    assert_eq!(all(b"\x0b\x1c\r\x0bA\x1c\r"), (vec![frame(b"A")], 3));
}

#[test]
fn a_new_start_ends_a_frame_whose_cr_is_missing() {
    assert_eq!(all(b"\x0bA\x1c\x0bB\x1c\r"), (vec![frame(b"A"), frame(b"B")], 0));
}

#[test]
fn a_wait_ends_a_frame_whose_cr_is_missing_and_a_late_cr_is_no_garbage() {
    let mut decoder = Decoder::new(100);
    assert_eq!(pushed(&mut decoder, b"\x0bA\x1c", &[9]), []);
    assert!(decoder.wants_cr());
    assert_eq!(decoder.wait_over(), Some(frame(b"A")));
    assert_eq!(decoder.wait_over(), None);
    assert_eq!(pushed(&mut decoder, b"\r\x0bB\x1c\r", &[1]), [frame(b"B")]);
    assert_eq!(decoder.skipped(), 0);
}

#[test]
fn a_separator_inside_a_payload_is_data() {
    assert_eq!(all(b"\x0bA\x1cB\x1c\x1c\r"), (vec![frame(b"A\x1cB\x1c")], 0));
    let mut decoder = Decoder::new(100);
    assert_eq!(pushed(&mut decoder, b"\x0bA\x1cB\x1c\r", &[1]), [frame(b"A\x1cB")]);
}

#[test]
fn a_start_inside_a_frame_cuts_it_and_begins_anew() {
    assert_eq!(
        all(b"\x0bMSH|A\x0bMSH|B\x1c\r"),
        (vec![truncated(b"MSH|A"), frame(b"MSH|B")], 0)
    );
    assert_eq!(all(b"\x0b\x0bA\x1c\r"), (vec![frame(b"A")], 1));
}

#[test]
fn the_end_of_input_cuts_a_frame_unless_only_its_cr_is_missing() {
    let mut decoder = Decoder::new(100);
    pushed(&mut decoder, b"\x0bA", &[9]);
    assert_eq!(decoder.end(), Some(truncated(b"A")));
    assert_eq!(decoder.end(), None);
    pushed(&mut decoder, b"\x0bA\x1c", &[9]);
    assert_eq!(decoder.end(), Some(frame(b"A")));
}

#[test]
fn a_frame_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
    for sizes in [&[1][..], &[3], &[100]] {
        let mut decoder = Decoder::new(4);
        let events = pushed(&mut decoder, b"\x0bABCD\x1c\r\x0bABCDE\x1c\r\x0bF\x1c\r", sizes);
        assert_eq!(events.len(), 3, "{events:?}");
        assert_eq!(events[0], frame(b"ABCD"));
        assert!(
            matches!(&events[1], Event::TooLarge { first, length: 5 } if first == "ABCD"),
            "{events:?}"
        );
        assert_eq!(events[2], frame(b"F"));
    }
}

#[test]
fn an_oversize_frame_is_scanned_without_being_kept() {
    let limit = 1 << 20;
    let mut decoder = Decoder::new(limit);
    decoder.push(&[VT]);
    let chunk = [b'x'; 4096];
    let mut largest = 0;
    for _ in 0..25_600 {
        assert_eq!(decoder.push(&chunk), (4096, None));
        largest = largest.max(decoder.body.capacity());
    }
    assert!(largest <= 2 * limit, "{largest}");
    assert!(decoder.body.capacity() <= HEAD, "{}", decoder.body.capacity());
    let (_, event) = decoder.push(b"\x1c\r");
    let Some(Event::TooLarge { first, length }) = event else {
        panic!("{event:?}");
    };
    assert_eq!((first.len(), length), (HEAD, 100 << 20));
    assert_eq!(decoder.body.capacity(), 0);
}

#[test]
fn a_decoder_between_frames_holds_nothing() {
    let mut decoder = Decoder::new(10 << 20);
    decoder.push(&[VT]);
    decoder.push(&vec![b'x'; 5 << 20]);
    let (_, event) = decoder.push(b"\x1c\r");
    assert!(matches!(event, Some(Event::Frame(body)) if body.len() == 5 << 20));
    assert_eq!(decoder.body.capacity(), 0);
}

#[test]
fn an_abandoned_frame_gives_its_first_bytes_and_leaves_nothing() {
    let mut decoder = Decoder::new(100);
    pushed(&mut decoder, b"\x0bABC", &[1]);
    assert_eq!(decoder.abandon(), b"ABC".as_slice());
    assert_eq!((decoder.in_frame(), decoder.held(), decoder.length()), (false, 0, 0));
    assert_eq!(pushed(&mut decoder, b"DE\x0bF\x1c\r", &[1]), [frame(b"F")]);
}

/// The rules read anew, over a whole input: events, bytes skipped, and what the end of input brings.
fn reference(input: &[u8], limit: usize) -> (Vec<(char, Vec<u8>)>, u64) {
    let mut events = Vec::new();
    let (mut at, mut skipped) = (0, 0);
    'frames: while at < input.len() {
        at += 1;
        if input[at - 1] != 0x0B {
            skipped += 1;
            continue;
        }
        let start = at;
        loop {
            let payload = &input[start..at];
            let over = payload.len() > limit;
            match (input.get(at), input.get(at + 1)) {
                (None, _) => {
                    events.extend((!payload.is_empty()).then(|| ('t', payload.to_vec())));
                    skipped += u64::from(payload.is_empty());
                    break 'frames;
                }
                (Some(0x0B), _) => {
                    events.extend((!payload.is_empty()).then(|| ('t', payload.to_vec())));
                    skipped += u64::from(payload.is_empty());
                    continue 'frames;
                }
                (Some(0x1C), next @ (None | Some(0x0D | 0x0B))) => {
                    at += 1 + usize::from(next == Some(&0x0D));
                    if payload.is_empty() {
                        skipped += 3;
                    } else {
                        events.push((if over { 'l' } else { 'f' }, payload.to_vec()));
                    }
                    continue 'frames;
                }
                _ => at += 1,
            }
        }
    }
    (events, skipped)
}

/// An event in the reference's words; lengths stand for bytes that need not be kept.
fn plain(event: &Event) -> (char, usize) {
    match event {
        Event::Frame(body) => ('f', body.len()),
        Event::Truncated { length, .. } => ('t', usize::try_from(*length).unwrap()),
        Event::TooLarge { length, .. } => ('l', usize::try_from(*length).unwrap()),
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte =
        prop_oneof![2 => Just(0x0B), 2 => Just(0x1C), 2 => Just(0x0D), 1 => Just(0), 4 => b'a'..b'd', 1 => any::<u8>()];
    vec(byte, 0..200)
}

proptest! {
    #[test]
    fn any_bytes_in_any_chunks_give_what_the_rules_say(input in bytes(), sizes in vec(1_usize..20, 1..40), limit in 1_usize..12) {
        let mut decoder = Decoder::new(limit);
        let mut events = pushed(&mut decoder, &input, &sizes);
        events.extend(decoder.end());
        let (expected, skipped) = reference(&input, limit);
        let lengths: Vec<_> = expected.iter().map(|(kind, payload)| (*kind, payload.len())).collect();
        prop_assert_eq!(events.iter().map(plain).collect::<Vec<_>>(), lengths);
        prop_assert_eq!(decoder.skipped(), skipped);
        prop_assert!(!decoder.in_frame());
        for (event, (_, payload)) in events.iter().zip(&expected) {
            match event {
                Event::Frame(body) => prop_assert_eq!(body, payload),
                Event::Truncated { first, .. } | Event::TooLarge { first, .. } => prop_assert!(payload.starts_with(first)),
            }
        }
    }

    #[test]
    fn chunks_make_no_difference(input in bytes(), chunk in 1_usize..30, limit in 1_usize..60) {
        let (events, skipped) = decode_all(&input, chunk, limit);
        let (whole, skipped_whole) = decode_all(&input, usize::MAX, limit);
        prop_assert_eq!(skipped, skipped_whole);
        prop_assert_eq!(events, whole);
    }

    #[test]
    fn what_is_encoded_comes_out_again(payloads in vec(vec(0x20_u8.., 1..50), 0..10), sizes in vec(1_usize..9, 1..9)) {
        let mut wire = Vec::new();
        for payload in &payloads {
            encode(payload, &mut wire);
        }
        let events = pushed(&mut Decoder::new(100), &wire, &sizes);
        prop_assert_eq!(events, payloads.iter().map(|payload| frame(payload)).collect::<Vec<_>>());
    }
}
