//! zstd for bundles, with a dictionary of what bundles of messages have in common: against level 1 without one it halves
//! both the bytes and the time. One compressor and one decompressor a thread, reused, since making one costs more than
//! compressing a message. Nothing here trusts a declared length.
//!
//! A frame names its dictionary (RFC 8878 3.1.1.1.3), so that what is in a log stays readable: a better dictionary is
//! added to the list with a number of its own, and none is ever taken away. `dictionary/make.py` makes them.

use std::cell::RefCell;
use std::num::NonZeroU32;
use std::sync::LazyLock;

use bytes::Bytes;
use causeway_core::Fault;
use zstd::bulk::Compressor;
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};
use zstd::zstd_safe::get_dict_id_from_frame;

use crate::storage;

/// Output grows by this much at a time while decompressing; RFC 8878 lets a block hold at most 128 KiB.
const STEP: usize = 16 << 10;
/// RFC 8878 3.1.1.2: no block is larger.
const BLOCK: usize = 128 << 10;

/// The first of zstd's fast levels: level 1 takes a quarter fewer bytes and nearly twice the time.
const LEVEL: i32 = -1;
/// The number of the dictionary that is written with.
const NUMBER: u32 = 40_001;
const DICTIONARY: &[u8] = include_bytes!("../dictionary/40001.dict");

static ENCODER: LazyLock<EncoderDictionary<'static>> = LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    /// The last decoder with the number of its dictionary.
    static LAST: RefCell<Option<(u32, Decoder<'static>)>> = const { RefCell::new(None) };
}

/// Compresses. A compressor that cannot get its memory leaves the bytes as they are, in a valid zstd frame.
pub fn compress(bytes: &[u8]) -> Bytes {
    COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(compressor) => Some(compressor),
            None => Compressor::with_prepared_dictionary(&ENCODER)
                .ok()
                .map(|new| slot.insert(new)),
        };
        let squeezed = compressor.and_then(|compressor| compressor.compress(bytes).ok());
        squeezed.unwrap_or_else(|| stored(bytes)).into()
    })
}

/// A zstd frame of raw blocks (RFC 8878 3.1.1).
fn stored(bytes: &[u8]) -> Vec<u8> {
    // Magic number; descriptor without checksum, dictionary or content size; a window of 128 KiB (exponent 7).
    let mut out = vec![0x28, 0xB5, 0x2F, 0xFD, 0x00, 7 << 3];
    let mut rest = bytes.chunks(BLOCK).peekable();
    if rest.peek().is_none() {
        out.extend_from_slice(&[1, 0, 0]);
    }
    while let Some(chunk) = rest.next() {
        let last = u32::from(rest.peek().is_none());
        let header = u32::try_from(chunk.len()).unwrap_or(0) << 3 | last;
        out.extend(header.to_le_bytes().into_iter().take(3));
        out.extend_from_slice(chunk);
    }
    out
}

/// Decompresses one zstd frame.
///
/// # Errors
/// The bytes are no zstd frame, end too early, or hold more than `limit` bytes.
pub fn decompress(bytes: &[u8], limit: usize) -> Result<Bytes, Fault> {
    let number = get_dict_id_from_frame(bytes).map_or(0, NonZeroU32::get);
    LAST.with_borrow_mut(|slot| {
        let mut decoder = match slot.take() {
            Some((of, decoder)) if of == number => decoder,
            _ => decoder(number)?,
        };
        let result = run(&mut decoder, bytes, limit);
        *slot = result.is_ok().then_some((number, decoder));
        result
    })
}

/// A decoder for frames of a dictionary; those of number 0 have none.
fn decoder(number: u32) -> Result<Decoder<'static>, Fault> {
    match number {
        0 => Decoder::new().map_err(storage),
        NUMBER => Decoder::with_prepared_dictionary(&DECODER).map_err(storage),
        other => Err(storage(format_args!(
            "a record is compressed with dictionary {other}, which this version does not have"
        ))),
    }
}

fn run(decoder: &mut Decoder<'static>, bytes: &[u8], limit: usize) -> Result<Bytes, Fault> {
    decoder.reinit().map_err(storage)?;
    let mut input = InBuffer::around(bytes);
    let mut out = Vec::with_capacity(STEP.min(limit.saturating_add(1)));
    loop {
        if out.len() > limit {
            return Err(storage(format_args!(
                "a compressed record holds more than {limit} bytes"
            )));
        }
        let filled = out.len();
        out.reserve(STEP);
        let before = input.pos();
        let mut output = OutBuffer::around_pos(&mut out, filled);
        let hint = decoder.run(&mut input, &mut output).map_err(storage)?;
        let wrote = output.pos() > filled;
        if hint == 0 {
            return finish(out, limit);
        }
        if !wrote && input.pos() == before {
            return Err(storage("a compressed record ends too early"));
        }
    }
}

fn finish(out: Vec<u8>, limit: usize) -> Result<Bytes, Fault> {
    if out.len() > limit {
        return Err(storage(format_args!(
            "a compressed record holds more than {limit} bytes"
        )));
    }
    Ok(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        for length in [0, 1, 100, STEP, STEP + 1, 300_000] {
            let bytes: Vec<u8> = (0..length).map(|i: usize| u8::try_from(i / 7 % 251).unwrap()).collect();
            assert_eq!(decompress(&compress(&bytes), length).unwrap(), bytes);
        }
    }

    #[test]
    fn a_bundle_takes_less_than_half_of_what_it_takes_without_the_dictionary() {
        let bundle = concat!(
            r#"{"resourceType":"Bundle","type":"message","entry":[{"fullUrl":"urn:uuid:0b8f","resource":{"#,
            r#""resourceType":"Observation","id":"0b8f","status":"final","code":{"coding":[{"system":"http://loinc.org","#,
            r#""code":"2823-3"}]},"subject":{"reference":"urn:uuid:17"},"valueQuantity":{"value":6.8,"unit":"mmol/L","#,
            r#""system":"http://unitsofmeasure.org","code":"mmol/L"}}}]}"#
        );
        let plain = zstd::bulk::compress(bundle.as_bytes(), 1).unwrap();
        let squeezed = compress(bundle.as_bytes());
        assert!(
            squeezed.len() * 2 < plain.len(),
            "{} of {}",
            squeezed.len(),
            plain.len()
        );
        assert_eq!(decompress(&squeezed, bundle.len()).unwrap(), bundle);
    }

    #[test]
    fn what_was_written_without_a_dictionary_is_read_in_turn_with_the_rest() {
        let text = b"a record of an earlier version, a record of an earlier version";
        let earlier = zstd::bulk::compress(text, 1).unwrap();
        for _ in 0..2 {
            assert_eq!(decompress(&earlier, 100).unwrap(), &text[..]);
            assert_eq!(decompress(&compress(text), 100).unwrap(), &text[..]);
        }
    }

    #[test]
    fn what_is_written_now_is_read_by_later_versions() {
        // Made by `printf '{"resourceType":"Patient"}' | zstd --fast=1 --no-check -D 40001.dict`.
        let written = hex("28b52ffd0248419c7d000040617469656e74227d0100aede0202");
        assert_eq!(get_dict_id_from_frame(&written).map(NonZeroU32::get), Some(NUMBER));
        assert_eq!(decompress(&written, 100).unwrap(), r#"{"resourceType":"Patient"}"#);
    }

    #[test]
    fn an_unknown_dictionary_is_named() {
        let mut later = compress(b"something").to_vec();
        let at = later
            .windows(2)
            .position(|two| two == 40_001_u16.to_le_bytes())
            .unwrap();
        later[at..at + 2].copy_from_slice(&50_000_u16.to_le_bytes());
        let fault = decompress(&later, 100).unwrap_err();
        assert!(fault.inside.contains("dictionary 50000"), "{fault}");
    }

    fn hex(text: &str) -> Vec<u8> {
        let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
        text.as_bytes().chunks(2).map(byte).collect()
    }

    #[test]
    fn stored_blocks_are_valid_zstd() {
        for length in [0, 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            let bytes = vec![b'x'; length];
            assert_eq!(zstd::bulk::decompress(&stored(&bytes), length).unwrap(), bytes);
            assert_eq!(decompress(&stored(&bytes), length).unwrap(), bytes);
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = compress(&vec![0; 50 << 20]);
        assert!(bomb.len() < 10_000);
        assert!(decompress(&bomb, 1 << 20).is_err());
        assert!(
            decompress(&compress(b"fine"), 4).is_ok(),
            "a failure does not spoil the next one"
        );
        assert!(decompress(&compress(b"five!"), 4).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_come_back_and_any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            proptest::prop_assert_eq!(decompress(&compress(&bytes), bytes.len()).unwrap(), &bytes);
            drop(decompress(&bytes, 1_000));
        }
    }

    #[test]
    fn broken_bytes_are_an_error() {
        let good = compress(b"a good many bytes, a good many bytes");
        for end in 0..good.len() {
            assert!(decompress(&good[..end], 100).is_err(), "cut at {end}");
        }
        assert!(decompress(b"not zstd at all", 100).is_err());
    }
}
