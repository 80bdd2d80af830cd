//! zstd at level 1 for bundles: one compressor and one decompressor a thread, reused, since making one costs more than
//! compressing a message. Nothing here trusts a declared length.

use std::cell::RefCell;

use bytes::Bytes;
use causeway_core::Fault;
use zstd::bulk::Compressor;
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use crate::storage;

/// Output grows by this much at a time while decompressing; RFC 8878 lets a block hold at most 128 KiB.
const STEP: usize = 16 << 10;
/// RFC 8878 3.1.1.2: no block is larger.
const BLOCK: usize = 128 << 10;

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECODER: RefCell<Option<Decoder<'static>>> = const { RefCell::new(None) };
}

/// Compresses at level 1. A compressor that cannot get its memory leaves the bytes as they are, in a valid zstd frame.
pub fn compress(bytes: &[u8]) -> Bytes {
    COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(compressor) => Some(compressor),
            None => Compressor::new(1).ok().map(|new| slot.insert(new)),
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
    DECODER.with_borrow_mut(|slot| {
        let decoder = match slot {
            Some(decoder) => decoder,
            None => slot.insert(Decoder::new().map_err(storage)?),
        };
        let result = run(decoder, bytes, limit);
        if result.is_err() {
            *slot = None;
        }
        result
    })
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
