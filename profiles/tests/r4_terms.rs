//! Facts of the standard about extensions, code systems and value sets, each with the page of R4 (4.0.1) that states
//! it, asked of the embedded pack.

use causeway_profiles::{Strength, nearest, r4};

/// The registry of extensions, and the pages of the two below.
#[test]
fn extensions_are_found_by_name_and_address() {
    let birth = r4().extension("patient-birthTime").unwrap();
    assert_eq!(birth.url(), "http://hl7.org/fhir/StructureDefinition/patient-birthTime");
    assert_eq!(
        r4().extension(birth.url()).map(|found| found.short()),
        Some("patient-birthTime")
    );
    assert_eq!(birth.types().map(|kind| kind.code()).collect::<Vec<_>>(), ["dateTime"]);
    assert_eq!(birth.contexts().collect::<Vec<_>>(), ["Patient.birthDate"]);
    assert_eq!((birth.min(), birth.max()), (0, Some(1)));
    let nationality = r4().extension("patient-nationality").unwrap();
    assert_eq!(nationality.types().len(), 0);
    assert_eq!(
        nationality.nested().map(|nested| nested.url()).collect::<Vec<_>>(),
        ["code", "period"]
    );
    let code = nationality.nested_named("code").unwrap();
    assert_eq!(
        code.types().map(|kind| kind.code()).collect::<Vec<_>>(),
        ["CodeableConcept"]
    );
    assert_eq!((code.min(), code.max()), (0, Some(1)));
    let representation = r4().extension("iso21090-EN-representation").unwrap().binding().unwrap();
    assert_eq!(representation.value_set().unwrap().contains(None, "IDE"), Some(true));
    assert_eq!(representation.value_set().unwrap().contains(None, "LATIN"), Some(false));
    assert!(r4().extension("humanname-own-prefix").is_some());
    assert!(r4().extension("patient-birthtime").is_none());
    assert_eq!(
        nearest("patient-birthtime", r4().extensions().map(|one| one.short())),
        Some("patient-birthTime")
    );
}

/// terminologies-systems.html, and the tables of v2 and v3.
#[test]
fn code_systems_are_found_by_short_name() {
    let expected = [
        ("observation-status", "http://hl7.org/fhir/observation-status"),
        ("v3-ActCode", "http://terminology.hl7.org/CodeSystem/v3-ActCode"),
        ("v2-0203", "http://terminology.hl7.org/CodeSystem/v2-0203"),
        (
            "data-absent-reason",
            "http://terminology.hl7.org/CodeSystem/data-absent-reason",
        ),
        (
            "condition-clinical",
            "http://terminology.hl7.org/CodeSystem/condition-clinical",
        ),
        ("v2-0360", "http://terminology.hl7.org/CodeSystem/v2-0360"),
        ("DCM", "http://dicom.nema.org/resources/ontology/DCM"),
        ("loinc", "http://loinc.org"),
        ("ucum", "http://unitsofmeasure.org"),
    ];
    for (short, url) in expected {
        assert_eq!(r4().system(short), Some(url));
    }
    let identifiers = r4()
        .code_system("http://terminology.hl7.org/CodeSystem/v2-0203")
        .unwrap();
    assert_eq!(
        identifiers.concept("MR").map(|concept| concept.display),
        Some("Medical record number")
    );
    // v2 tables do not say that case matters, v3 tables do.
    assert_eq!(identifiers.concept("mr"), identifiers.concept("MR"));
    assert!(identifiers.is_complete());
    let encounter = r4()
        .code_system("http://terminology.hl7.org/CodeSystem/v3-ActCode")
        .unwrap();
    assert_eq!(
        encounter.concept("IMP").map(|concept| concept.display),
        Some("inpatient encounter")
    );
    assert!(r4().code_system("http://loinc.org").is_none(), "LOINC is its owner's");
}

/// valueset-*.html
#[test]
fn value_sets_know_what_they_hold() {
    let set = |name: &str| r4().value_set(&format!("http://hl7.org/fhir/ValueSet/{name}")).unwrap();
    let gender = set("administrative-gender");
    assert_eq!(gender.contains(None, "other"), Some(true));
    assert_eq!(gender.contains(None, "M"), Some(false));
    assert_eq!(
        gender.contains(Some("http://hl7.org/fhir/administrative-gender"), "male"),
        Some(true)
    );
    assert_eq!(gender.contains(Some("http://example.org"), "male"), Some(false));
    // marital-status: v2-0002 no longer; the v3 table and UNK of NullFlavor.
    let marital = set("marital-status");
    assert_eq!(
        marital.contains(Some("http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"), "M"),
        Some(true)
    );
    assert_eq!(
        marital.contains(Some("http://terminology.hl7.org/CodeSystem/v3-NullFlavor"), "UNK"),
        Some(true)
    );
    assert_eq!(
        marital.contains(Some("http://terminology.hl7.org/CodeSystem/v3-NullFlavor"), "NI"),
        Some(false)
    );
    // Task.intent: unknown, and eight of request-intent.
    let intent = set("task-intent");
    assert_eq!(intent.contains(None, "unknown"), Some(true));
    assert_eq!(intent.contains(None, "directive"), Some(false));
    // What is below _ActEncounterCode.
    let class = r4()
        .value_set("http://terminology.hl7.org/ValueSet/v3-ActEncounterCode")
        .unwrap();
    assert_eq!(class.contains(None, "IMP"), Some(true));
    assert_eq!(class.contains(None, "AMB"), Some(true));
    assert_eq!(class.contains(None, "_ActCoverageTypeCode"), Some(false));
    // Any code of SNOMED CT may be a body site; the pack cannot tell.
    assert_eq!(
        set("body-site").contains(Some("http://snomed.info/sct"), "368209003"),
        None
    );
    assert_eq!(set("mimetypes").contains(None, "text/plain"), None);
}

/// Every required binding of a code can be judged, except those on tables of others.
#[test]
fn required_codes_can_be_judged() {
    let mut unknown: Vec<&str> = Vec::new();
    for element in r4()
        .types()
        .flat_map(|kind| kind.elements().collect::<Vec<_>>())
        .flat_map(|one| {
            let below: Vec<_> = one.children().collect();
            std::iter::once(one).chain(below)
        })
    {
        let Some(binding) = element
            .binding()
            .filter(|binding| binding.strength() == Strength::Required)
        else {
            continue;
        };
        if binding.value_set().is_none_or(|set| set.codes().is_none()) {
            unknown.push(binding.url());
        }
    }
    unknown.sort_unstable();
    unknown.dedup();
    let of_others = [
        "http://hl7.org/fhir/ValueSet/currencies",
        "http://hl7.org/fhir/ValueSet/mimetypes",
        "http://hl7.org/fhir/ValueSet/ucum-units",
        "http://loinc.org/vs/LL379-9",
    ];
    assert_eq!(unknown, of_others);
}
