//! How ids and type names look. Which types R4 has is not known here.

/// Whether a text is an id (FHIR R4 datatypes, id): letters, digits, `-` and `.`, at most 64.
pub fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

/// Whether a text could be the name of a resource type.
pub fn is_type_name(text: &str) -> bool {
    let upper = text.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase());
    upper && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}
