//! Maps by numbers that are spread already, such as ids and hashes: they need no hashing.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Numbers need no hashing: ids and hashes are spread already.
#[derive(Default, Clone, Copy)]
pub(crate) struct Plain(u64);

impl Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            self.0 = self.0.rotate_left(5) ^ u64::from_le_bytes(word);
        }
    }
    fn write_u64(&mut self, number: u64) {
        self.0 ^= number;
    }
    fn write_u128(&mut self, number: u128) {
        self.0 ^= u64::try_from(number & u128::from(u64::MAX)).unwrap_or(0);
    }
}

/// A map by numbers.
pub(crate) type NumberMap<K, V> = HashMap<K, V, BuildHasherDefault<Plain>>;
