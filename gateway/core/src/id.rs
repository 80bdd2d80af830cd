//! Ids by business key. The same thing said twice gets the same id; nothing that changes on resend or correction may be
//! in a key (DESIGN decision 8).

use sha1::{Digest, Sha1};
use uuid::Uuid;

/// The namespace of everything Causeway names: `UUIDv5` of the DNS name `causeway.health`, RFC 9562 5.5.
pub const ROOT: Uuid = Uuid::from_bytes([
    0x0b, 0xb2, 0x89, 0x03, 0xaf, 0xa5, 0x54, 0x72, 0x9e, 0x2a, 0xd3, 0x80, 0xe9, 0x5d, 0x4a, 0x32,
]);

/// The namespace of an assigning authority, or of a sender where there is none.
pub fn authority(name: &str) -> Uuid {
    named(&ROOT, &[name.as_bytes()])
}

/// The id of a resource: `UUIDv5` over type and one key in the namespace of its authority.
pub fn resource(authority: &Uuid, resource_type: &str, key: &str) -> Uuid {
    named(authority, &[resource_type.as_bytes(), b"\x1f", key.as_bytes()])
}

/// The id of a thing without a key: from the frame's hash and its place, so a resend says the same and nothing merges.
pub fn unkeyed(frame_hash: &[u8; 32], resource_type: &str, place: u64) -> Uuid {
    named(&ROOT, &[frame_hash, &place.to_be_bytes(), resource_type.as_bytes()])
}

/// `UUIDv5` of a name in parts (RFC 9562 5.5): the first 16 bytes of SHA-1 over namespace and name, with version and
/// variant set.
fn named(namespace: &Uuid, parts: &[&[u8]]) -> Uuid {
    let mut sha = Sha1::new();
    sha.update(namespace.as_bytes());
    for part in parts {
        sha.update(part);
    }
    let digest: [u8; 20] = sha.finalize().into();
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest) {
        *to = from;
    }
    uuid::Builder::from_sha1_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_standard() {
        // RFC 9562 A.4.
        let name = named(&Uuid::NAMESPACE_DNS, &[b"www.", b"example.com"]);
        assert_eq!(name.to_string(), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
        assert_eq!(ROOT, Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"causeway.health"));
        let authority = authority("urn:oid:1.2.3.4");
        assert_eq!(
            resource(&authority, "Patient", "1"),
            Uuid::new_v5(&authority, b"Patient\x1f1")
        );
        assert_ne!(unkeyed(&[1; 32], "Patient", 1), unkeyed(&[1; 32], "Patient", 2));
    }
}
