//! Says of a mark that it was certainly not seen on a day, or maybe: a blocked Bloom filter, each mark six bits within
//! one cache line. Its size is fixed; on a day with far more messages than it was made for it lets more through, and
//! only time is lost.

/// Words of a block: one cache line.
const BLOCK: usize = 8;
/// Marks of a block at which 1 % pass wrongly.
const MARKS: usize = 48;
/// Bytes of a day's sieve: 1 % pass wrongly at 800,000 messages a day.
const DAY_BYTES: usize = 1 << 20;
/// Bytes of all days' sieves together, for long windows.
const ALL_BYTES: usize = 16 << 20;
/// Spreads a mark's bits; the odd fraction of the golden ratio (Knuth, The Art of Computer Programming, 6.4).
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// What was seen, as far as it can be said at little cost.
#[derive(Debug, Clone)]
pub struct Sieve {
    blocks: Vec<[u64; BLOCK]>,
    changed: bool,
}

impl Sieve {
    /// An empty sieve of which 1 % pass wrongly once it has so many marks.
    pub fn for_marks(marks: usize) -> Self {
        Self {
            blocks: vec![[0; BLOCK]; marks / MARKS + 1],
            changed: true,
        }
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.blocks.len() * BLOCK * 8
    }

    /// An empty sieve of a size that suits a window of so many days.
    pub(crate) fn for_days(days: i64) -> Self {
        let days = usize::try_from(days).unwrap_or(1).saturating_add(1);
        let bytes = DAY_BYTES.min(ALL_BYTES / days).max(BLOCK * 8);
        Self {
            blocks: vec![[0; BLOCK]; bytes / (BLOCK * 8)],
            changed: false,
        }
    }

    /// From a column; one that is not a sieve lets everything through.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let (words, rest) = bytes.as_chunks::<8>();
        let (blocks, odd) = words.as_chunks::<BLOCK>();
        let whole = rest.is_empty() && odd.is_empty() && !blocks.is_empty();
        let block = |block: &[[u8; 8]; BLOCK]| block.map(u64::from_le_bytes);
        Self {
            blocks: if whole {
                blocks.iter().map(block).collect()
            } else {
                vec![[u64::MAX; BLOCK]]
            },
            changed: false,
        }
    }

    /// Adds a mark: a hash whose bits are all as good as random.
    pub fn insert(&mut self, mark: i64) {
        let (place, bits) = self.place(mark);
        if let Some(block) = self.blocks.get_mut(place) {
            for (word, bits) in block.iter_mut().zip(bits) {
                *word |= bits;
            }
            self.changed = true;
        }
    }

    /// Whether a mark may have been added; false is certain.
    pub fn may_hold(&self, mark: i64) -> bool {
        let (place, bits) = self.place(mark);
        self.blocks
            .get(place)
            .is_none_or(|block| block.iter().zip(bits).all(|(word, bits)| word & bits == bits))
    }

    /// As a column, if it changed since the last time.
    pub fn unsaved(&mut self) -> Option<Vec<u8>> {
        let changed = std::mem::take(&mut self.changed);
        changed.then(|| {
            self.blocks
                .as_flattened()
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .collect()
        })
    }

    /// The block of a mark and its bits there.
    fn place(&self, mark: i64) -> (usize, [u64; BLOCK]) {
        let mark = mark.cast_unsigned();
        // The upper half scaled to the number of blocks; both are below 2^32, so the product fits.
        let place = ((mark >> 32) * self.blocks.len() as u64) >> 32;
        let mut spread = mark.wrapping_mul(SPREAD);
        let mut bits = [0; BLOCK];
        for _ in 0..6 {
            // Nine bits choose one of 512.
            if let Some(word) = bits.get_mut((spread >> 6) as usize % BLOCK) {
                *word |= 1 << (spread % 64);
            }
            spread >>= 9;
        }
        (usize::try_from(place).unwrap_or(0), bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks as hashes give them.
    fn marks(from: u64, count: u64) -> impl Iterator<Item = i64> {
        (from..from + count).map(|n| crate::resend::mark(&n.to_string(), &[0; 32]))
    }

    #[test]
    fn what_was_inserted_is_found_and_little_else() {
        let mut sieve = Sieve::for_days(7);
        for mark in marks(0, 100_000) {
            sieve.insert(mark);
        }
        assert!(marks(0, 100_000).all(|mark| sieve.may_hold(mark)));
        let wrong = marks(1_000_000, 10_000).filter(|mark| sieve.may_hold(*mark)).count();
        assert!(wrong < 100, "{wrong} of 10,000 pass at an eighth of the load");
    }

    #[test]
    fn a_sieve_made_for_its_marks_lets_little_else_through() {
        let mut sieve = Sieve::for_marks(100_000);
        marks(0, 100_000).for_each(|mark| sieve.insert(mark));
        assert!(marks(0, 100_000).all(|mark| sieve.may_hold(mark)));
        let wrong = marks(1_000_000, 10_000).filter(|mark| sieve.may_hold(*mark)).count();
        assert!(wrong < 250, "{wrong} of 10,000");
        assert!(sieve.bytes() < 140_000);
    }

    #[test]
    fn a_sieve_comes_back_from_its_column() {
        let mut sieve = Sieve::for_days(1_000);
        assert_eq!(sieve.unsaved(), None);
        marks(0, 100).for_each(|mark| sieve.insert(mark));
        let column = sieve.unsaved().unwrap();
        assert!(column.len() <= ALL_BYTES / 1_000);
        assert_eq!(sieve.unsaved(), None);
        let back = Sieve::from_bytes(&column);
        assert_eq!(back.blocks, sieve.blocks);
    }

    #[test]
    fn a_damaged_column_lets_everything_through() {
        for column in [&[0; 0][..], &[0; 63], &[0; 65], &[0; 72]] {
            assert!(
                marks(0, 100).all(|mark| Sieve::from_bytes(column).may_hold(mark)),
                "{}",
                column.len()
            );
        }
    }
}
