//! Whatever bytes and spans a part has, lifting it neither panics nor makes what is no JSON.

use bytes::Bytes;
use causeway_core::NodeId;
use causeway_core::fhir::write_compact;
use proptest::prelude::*;

use super::text::CLAIMS;
use super::{HASH, LIFT, walk};

/// What parts come to be cut at, and bytes that are no text.
const BYTES: &[u8] = b"*:~^ 0AZ\x00\xff\xe9";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn parts_of_any_bytes_are_lifted(
        number in 0_usize..3,
        bytes in prop::collection::vec((any::<usize>(), prop::sample::select(BYTES)), 0..40),
        spans in prop::collection::vec((any::<usize>(), any::<u16>(), any::<u16>(), 0_u32..40), 0..6),
        element in prop::sample::select(BYTES),
    ) {
        let lift = &*LIFT;
        let mut part = walk::parts(CLAIMS).swap_remove(number);
        let mut text = part.text.to_vec();
        for (at, byte) in bytes {
            let at = at % text.len();
            text[at] = byte;
        }
        part.text = Bytes::from(text);
        for (at, start, end, within) in spans {
            let at = at % part.segments.len();
            let segment = &mut part.segments[at];
            (segment.start, segment.end, segment.within) = (start.into(), end.into(), within);
        }
        if element != b'0' {
            part.delimiters.element = element;
        }
        let made = lift.lift(part.clone(), &HASH).unwrap();
        let mut out = Vec::new();
        write_compact(&made.bundle.tree, NodeId::ROOT, &mut out);
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
        prop_assert!(lift.trace(part, &HASH).is_some());
    }
}
