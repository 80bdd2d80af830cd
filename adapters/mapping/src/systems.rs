//! Addresses of code systems by the short names that rows write. Which codes a system has is known to the definitions.

use std::borrow::Cow;

use causeway_profiles::r4;

/// The address of a system: an address as it is, the short name of a system that the definitions hold, or an HL7 table
/// (`v2-0005`), of which R4 has many more than the pack (R4 4.3.14). None for any other name.
pub(crate) fn url(name: &str) -> Option<Cow<'_, str>> {
    if name.contains(':') {
        return Some(Cow::Borrowed(name));
    }
    let known = r4().system(name).map(Cow::Borrowed);
    known.or_else(|| is_table(name).then(|| Cow::Owned(format!("http://terminology.hl7.org/CodeSystem/{name}"))))
}

fn is_table(name: &str) -> bool {
    let digits = name.strip_prefix("v2-").unwrap_or("");
    digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_tables_and_addresses() {
        assert_eq!(url("loinc").as_deref(), Some("http://loinc.org"));
        assert_eq!(url("urn:x").as_deref(), Some("urn:x"));
        assert_eq!(
            url("v2-0005").as_deref(),
            Some("http://terminology.hl7.org/CodeSystem/v2-0005")
        );
        assert_eq!(url("v2-5"), None);
        assert_eq!(url("lonic"), None);
    }
}
