//! A snapshot as one block of bytes, to be kept by its name and built again when an old decision is replayed. The form is
//! plain: every text and every count is preceded by its length, eight bytes, big end first.

use std::collections::BTreeMap;

use crate::files::{Files, PackFiles};
use crate::{Packs, Site};

/// What the block begins with.
const MAGIC: &[u8] = b"causeway-rules 1\n";

/// Writes packs and site.
pub(crate) fn write(packs: &Packs, site: &Site) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    text(&mut out, site.jurisdiction.as_bytes());
    count(&mut out, packs.0.len());
    for (name, pack) in &packs.0 {
        text(&mut out, name.as_bytes());
        files(&mut out, &pack.base);
        count(&mut out, pack.overlays.len());
        for (origin, overlay) in &pack.overlays {
            text(&mut out, origin.as_bytes());
            files(&mut out, overlay);
        }
    }
    out
}

fn count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&(count as u64).to_be_bytes());
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    count(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn files(out: &mut Vec<u8>, files: &Files) {
    count(out, files.len());
    for (name, bytes) in files {
        text(out, name.as_bytes());
        text(out, bytes);
    }
}

/// Reads packs and site; `None` when the block is cut or is something else.
pub(crate) fn read(bytes: &[u8]) -> Option<(Packs, Site)> {
    let mut reader = Reader(bytes.strip_prefix(MAGIC)?);
    let jurisdiction = reader.name()?;
    let mut packs = BTreeMap::new();
    for _ in 0..reader.count()? {
        let name = reader.name()?;
        let base = reader.files()?;
        let mut overlays = Vec::new();
        for _ in 0..reader.count()? {
            overlays.push((reader.name()?, reader.files()?));
        }
        packs.insert(name, PackFiles { base, overlays });
    }
    reader.0.is_empty().then_some((Packs(packs), Site { jurisdiction }))
}

/// What is left to read. A count that lies runs into the end, since every item takes eight bytes at least.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn count(&mut self) -> Option<u64> {
        let (count, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*count))
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let length = usize::try_from(self.count()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes.to_vec())
    }

    fn name(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?).ok()
    }

    fn files(&mut self) -> Option<Files> {
        let mut files = Files::new();
        for _ in 0..self.count()? {
            files.insert(self.name()?, self.bytes()?);
        }
        Some(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let mut packs = Packs::embedded();
        let overlay = Files::from([("site.toml".to_owned(), b"x".to_vec())]);
        let pack = packs.0.get_mut("critical-values").unwrap();
        pack.overlays.push(("/etc/packs".into(), overlay));
        let site = Site {
            jurisdiction: "CN-SH".into(),
        };
        let bytes = write(&packs, &site);
        let (back, at) = read(&bytes).unwrap();
        assert_eq!(at, site);
        assert_eq!(back.hash(&at), packs.hash(&site));
        for cut in [0, 5, MAGIC.len(), bytes.len() / 2, bytes.len() - 1] {
            assert!(read(&bytes[..cut]).is_none(), "{cut}");
        }
        assert!(read(&[&bytes[..], b"x"].concat()).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
            let _ = read(&[MAGIC, &bytes].concat());
        }
    }
}
