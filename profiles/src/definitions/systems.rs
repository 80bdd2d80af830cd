//! Short names of the code systems that R4 uses and does not publish (R4 4.3, "Using Code Systems"), with their
//! addresses. Those that R4 publishes are named by the last segment of their address.

/// Sorted by name.
const EXTERNAL: &[(&str, &str)] = &[
    ("atc", "http://www.whocc.no/atc"),
    ("bcp13", "urn:ietf:bcp:13"),
    ("bcp47", "urn:ietf:bcp:47"),
    ("cpt", "http://www.ama-assn.org/go/cpt"),
    ("cvx", "http://hl7.org/fhir/sid/cvx"),
    ("icd-10", "http://hl7.org/fhir/sid/icd-10"),
    ("icd-10-cm", "http://hl7.org/fhir/sid/icd-10-cm"),
    ("icd-10-pcs", "http://www.cms.gov/Medicare/Coding/ICD10"),
    ("icd-9-cm", "http://hl7.org/fhir/sid/icd-9-cm"),
    ("icd-o-3", "http://terminology.hl7.org/CodeSystem/icd-o-3"),
    ("iso11073", "urn:iso:std:iso:11073:10101"),
    ("iso3166", "urn:iso:std:iso:3166"),
    ("iso3166-2", "urn:iso:std:iso:3166:-2"),
    ("iso4217", "urn:iso:std:iso:4217"),
    ("loinc", "http://loinc.org"),
    ("mvx", "http://terminology.hl7.org/CodeSystem/MVX"),
    ("ndc", "http://hl7.org/fhir/sid/ndc"),
    ("nucc", "http://nucc.org/provider-taxonomy"),
    ("rfc3986", "urn:ietf:rfc:3986"),
    ("rxnorm", "http://www.nlm.nih.gov/research/umls/rxnorm"),
    ("sct", "http://snomed.info/sct"),
    ("snomed", "http://snomed.info/sct"),
    ("ucum", "http://unitsofmeasure.org"),
];

/// The address of a system by its short name.
pub(crate) fn external(short: &str) -> Option<&'static str> {
    let at = EXTERNAL.binary_search_by_key(&short, |(name, _)| name).ok()?;
    EXTERNAL.get(at).map(|(_, url)| *url)
}

/// The short names.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    EXTERNAL.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_so_every_name_is_found() {
        assert!(EXTERNAL.is_sorted_by(|left, right| left.0 < right.0));
        assert_eq!(external("ucum"), Some("http://unitsofmeasure.org"));
    }
}
