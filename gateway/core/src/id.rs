//! Ids by business key. The same thing said twice gets the same id; nothing that changes on resend or correction may be
//! in a key (DESIGN decision 8).

use uuid::Uuid;

/// The namespace of everything Causeway names: `UUIDv5` of the DNS name `causeway.health`, RFC 9562 5.5.
pub const ROOT: Uuid = Uuid::from_bytes([
    0x0b, 0xb2, 0x89, 0x03, 0xaf, 0xa5, 0x54, 0x72, 0x9e, 0x2a, 0xd3, 0x80, 0xe9, 0x5d, 0x4a, 0x32,
]);

/// The namespace of an assigning authority, or of a sender where there is none.
pub fn authority(name: &str) -> Uuid {
    Uuid::new_v5(&ROOT, name.as_bytes())
}

/// The id of a resource: `UUIDv5` over type and one key in the namespace of its authority.
pub fn resource(authority: &Uuid, resource_type: &str, key: &str) -> Uuid {
    let mut name = String::with_capacity(resource_type.len() + key.len() + 1);
    name.push_str(resource_type);
    name.push('\u{1f}');
    name.push_str(key);
    Uuid::new_v5(authority, name.as_bytes())
}

/// The id of a thing without a key: from the frame's hash and its place, so a resend says the same and nothing merges.
pub fn unkeyed(frame_hash: &[u8; 32], resource_type: &str, place: u64) -> Uuid {
    let mut name = Vec::with_capacity(32 + 8 + resource_type.len());
    name.extend_from_slice(frame_hash);
    name.extend_from_slice(&place.to_be_bytes());
    name.extend_from_slice(resource_type.as_bytes());
    Uuid::new_v5(&ROOT, &name)
}
