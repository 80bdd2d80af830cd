//! Every place of one byte, eight bytes at a time. Separators of fields stand so close together that a search for the
//! next one costs more than the bytes it passes; in long values `memchr` is the better tool.

const LOW: u64 = u64::from_le_bytes([0x7F; 8]);

/// Calls `found` with every position of `byte`, in order.
pub(super) fn each(bytes: &[u8], byte: u8, mut found: impl FnMut(usize)) {
    let pattern = u64::from_le_bytes([byte; 8]);
    let (words, tail) = bytes.as_chunks::<8>();
    let mut base = 0;
    for word in words {
        let mut hits = zeros(u64::from_le_bytes(*word) ^ pattern);
        while hits != 0 {
            found(base + (hits.trailing_zeros() / 8) as usize);
            hits &= hits - 1;
        }
        base += 8;
    }
    for (at, _) in tail.iter().enumerate().filter(|(_, other)| **other == byte) {
        found(base + at);
    }
}

/// The high bit of every byte of a word that is zero, exactly: no carry runs from one byte into the next.
fn zeros(word: u64) -> u64 {
    !(((word & LOW) + LOW) | word | LOW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_position_is_found_once(bytes in proptest::collection::vec(prop_oneof![Just(b'|'), Just(0xFC), any::<u8>()], 0..200)) {
            let mut found = Vec::new();
            each(&bytes, b'|', |at| found.push(at));
            let expect: Vec<_> = memchr::memchr_iter(b'|', &bytes).collect();
            prop_assert_eq!(found, expect);
        }
    }
}
