//! Facts of the standard, each with the page of R4 (4.0.1) that states it, asked of the embedded pack.

#![allow(clippy::panic, reason = "a missing fact fails the test that asks for it")]

use causeway_profiles::{Found, TypeKind, nearest, r4};

fn element(path: &str) -> Found {
    r4().element(path).unwrap_or_else(|| panic!("{path} is not known"))
}

fn types(path: &str) -> Vec<&'static str> {
    element(path).element.types().map(|kind| kind.code()).collect()
}

fn names(path: &str) -> Vec<&'static str> {
    element(path).children().map(|child| child.name()).collect()
}

/// resourcelist.html: 146 resources, and the two abstract ones.
#[test]
fn every_resource_is_there() {
    assert_eq!(r4().resources().count(), 146);
    assert_eq!(
        r4().type_named("DomainResource").map(|kind| kind.kind()),
        Some(TypeKind::Abstract)
    );
    // In R4B and not in R4.
    assert!(r4().type_named("SubscriptionStatus").is_none());
    assert!(r4().type_named("patient").is_none());
}

/// datatypes.html: 20 primitive types, xhtml among them.
#[test]
fn every_primitive_is_there() {
    let primitives = r4().types().filter(|kind| kind.kind() == TypeKind::Primitive);
    assert_eq!(primitives.count(), 20);
    assert!(r4().type_named("positiveInt").unwrap().is_a("integer"));
    assert!(r4().type_named("Age").unwrap().is_a("Quantity"));
    assert!(r4().type_named("Patient").unwrap().is_a("Resource"));
    assert!(!r4().type_named("Patient").unwrap().is_a("Element"));
}

/// patient.html
#[test]
fn a_patient_has_its_elements_in_order() {
    let patient = r4().type_named("Patient").unwrap();
    let names: Vec<_> = patient.elements().map(|element| element.name()).collect();
    let inherited = [
        "id",
        "meta",
        "implicitRules",
        "language",
        "text",
        "contained",
        "extension",
        "modifierExtension",
    ];
    let own = [
        "identifier",
        "active",
        "name",
        "telecom",
        "gender",
        "birthDate",
        "deceased[x]",
        "address",
        "maritalStatus",
        "multipleBirth[x]",
        "photo",
        "contact",
        "communication",
        "generalPractitioner",
        "managingOrganization",
        "link",
    ];
    assert_eq!(names, [&inherited[..], &own[..]].concat());
    assert!(patient.elements().map(|element| element.ordinal()).eq(0..24));
    let name = element("Patient.name").element;
    assert_eq!((name.min(), name.max(), name.repeats()), (0, None, true));
    assert_eq!(types("Patient.id"), ["id"]);
    assert_eq!(types("Patient.contact.id"), ["string"]);
    assert!(element("Patient.active").element.is_modifier());
    assert!(!element("Patient.gender").element.is_modifier());
    assert!(element("Patient.name").element.is_summary());
    assert_eq!(element("Patient.contact.name.given").element.path(), "HumanName.given");
    assert_eq!(
        names_of_targets("Patient.generalPractitioner"),
        ["Organization", "Practitioner", "PractitionerRole"]
    );
}

fn names_of_targets(path: &str) -> &'static [&'static str] {
    element(path).kind.map_or(&[], |kind| kind.targets())
}

/// observation.html
#[test]
fn an_observation_has_a_status_and_a_value_of_eleven_types() {
    let status = element("Observation.status").element;
    assert_eq!((status.min(), status.max()), (1, Some(1)));
    let binding = status.binding().unwrap();
    assert_eq!(binding.strength(), causeway_profiles::Strength::Required);
    assert_eq!(binding.url(), "http://hl7.org/fhir/ValueSet/observation-status");
    let codes: Vec<_> = binding
        .value_set()
        .unwrap()
        .codes()
        .unwrap()
        .into_iter()
        .map(|(_, code)| code)
        .collect();
    let told = [
        "registered",
        "preliminary",
        "final",
        "amended",
        "corrected",
        "cancelled",
        "entered-in-error",
        "unknown",
    ];
    assert_eq!(codes, told);
    let value = [
        "Quantity",
        "CodeableConcept",
        "string",
        "boolean",
        "integer",
        "Range",
        "Ratio",
        "SampledData",
        "time",
        "dateTime",
        "Period",
    ];
    assert_eq!(types("Observation.value[x]"), value);
    assert_eq!(types("Observation.component.value[x]"), value);
    assert!(
        names_of_targets("Observation.focus").is_empty(),
        "a focus may be any resource"
    );
}

/// formats.html: the name of a choice in JSON.
#[test]
fn a_choice_is_found_by_each_of_its_names() {
    let open = element("Observation.value");
    assert!(open.element.is_choice() && open.kind.is_none());
    assert_eq!(open.element, element("Observation.value[x]").element);
    let quantity = element("Observation.valueQuantity");
    assert_eq!(quantity.element, open.element);
    assert_eq!(quantity.kind.unwrap().code(), "Quantity");
    assert_eq!(element("Observation.valueDateTime").kind.unwrap().code(), "dateTime");
    assert_eq!(
        element("Observation.valueQuantity.value").kind.unwrap().code(),
        "decimal"
    );
    assert!(r4().element("Observation.valueMoney").is_none());
    assert!(
        r4().element("Observation.value.value").is_none(),
        "an open choice has no elements to name"
    );
    assert_eq!(element("Extension.value[x]").element.types().len(), 50);
}

/// encounter.html, bundle.html, messageheader.html, datatypes.html
#[test]
fn cardinalities_are_those_of_the_pages() {
    let expected = [
        ("Encounter.class", 1, Some(1), "Coding"),
        ("Encounter.status", 1, Some(1), "code"),
        ("Encounter.diagnosis.condition", 1, Some(1), "Reference"),
        ("Bundle.type", 1, Some(1), "code"),
        ("Bundle.entry.request.method", 1, Some(1), "code"),
        ("Bundle.entry.response.outcome", 0, Some(1), "Resource"),
        ("MessageHeader.event[x]", 1, Some(1), "Coding"),
        ("MessageHeader.source.endpoint", 1, Some(1), "url"),
        ("DiagnosticReport.code", 1, Some(1), "CodeableConcept"),
        ("DiagnosticReport.result", 0, None, "Reference"),
        ("ServiceRequest.subject", 1, Some(1), "Reference"),
        ("Coverage.payor", 1, None, "Reference"),
        ("Composition.author", 1, None, "Reference"),
        ("Claim.item.sequence", 1, Some(1), "positiveInt"),
        ("Extension.url", 1, Some(1), "uri"),
        ("Narrative.div", 1, Some(1), "xhtml"),
        ("Quantity.comparator", 0, Some(1), "code"),
        ("SimpleQuantity.comparator", 0, Some(0), "code"),
    ];
    for (path, min, max, kind) in expected {
        let found = element(path).element;
        assert_eq!((path, found.min(), found.max(), types(path)[0]), (path, min, max, kind));
    }
    let request = [
        "id",
        "extension",
        "modifierExtension",
        "method",
        "url",
        "ifNoneMatch",
        "ifModifiedSince",
        "ifMatch",
        "ifNoneExist",
    ];
    assert_eq!(names("Bundle.entry.request"), request);
    assert_eq!(
        element("Observation.referenceRange.low").kind.unwrap().profile(),
        Some("SimpleQuantity")
    );
    assert_eq!(
        element("Observation.referenceRange.low.comparator").element.max(),
        Some(0)
    );
}

/// The same content under another name: observation.html, bundle.html, composition.html.
#[test]
fn an_element_may_have_the_content_of_another() {
    let range = element("Observation.component.referenceRange");
    assert_eq!(
        range.element.content_reference(),
        Some(element("Observation.referenceRange").element)
    );
    assert!(range.element.is_group());
    assert_eq!(
        element("Observation.component.referenceRange.low").element.path(),
        "Observation.referenceRange.low"
    );
    assert_eq!(
        element("Bundle.entry.link.relation").element.path(),
        "Bundle.link.relation"
    );
    assert_eq!(
        element("Questionnaire.item.item.item.linkId").element.path(),
        "Questionnaire.item.linkId"
    );
}

/// The published package adds to R4 in places; none of it may reach the pack. resource.html, binary.html,
/// evidencevariable.html, researchstudy.html, observationdefinition.html, auditevent.html
#[test]
fn nothing_is_there_that_r4_does_not_have() {
    assert_eq!(
        r4().type_named("Meta")
            .unwrap()
            .elements()
            .map(|element| element.name())
            .collect::<Vec<_>>(),
        [
            "id",
            "extension",
            "versionId",
            "lastUpdated",
            "source",
            "profile",
            "security",
            "tag"
        ]
    );
    for path in [
        "Binary.url",
        "ObservationDefinition.publisher",
        "ResearchStudy.label",
        "DeviceDefinition.bodySite",
    ] {
        assert!(r4().element(path).is_none(), "{path}");
    }
    let characteristic = [
        "id",
        "extension",
        "modifierExtension",
        "description",
        "definition[x]",
        "usageContext",
        "exclude",
        "participantEffective[x]",
        "timeFromStart",
        "groupMeasure",
    ];
    assert_eq!(names("EvidenceVariable.characteristic"), characteristic);
    assert_eq!(
        names("ResearchStudy.objective"),
        ["id", "extension", "modifierExtension", "name", "type"]
    );
    let observer = [
        "PractitionerRole",
        "Practitioner",
        "Organization",
        "Device",
        "Patient",
        "RelatedPerson",
    ];
    assert_eq!(names_of_targets("AuditEvent.source.observer"), observer);
    assert_eq!(types("Bundle.entry.response.outcome"), ["Resource"]);
    // Their ids are cut in the package's list of elements, and they are R4 all the same.
    element("MedicinalProductIngredient.specifiedSubstance.strength.presentation");
    element("ResearchElementDefinition.characteristic.participantEffectiveDateTime");
}

#[test]
fn a_wrong_name_has_a_nearest() {
    assert_eq!(
        r4().type_named("Patient").unwrap().nearest("birthdate"),
        Some("birthDate")
    );
    assert_eq!(element("Patient.name").nearest("giving"), Some("given"));
    assert_eq!(
        r4().type_named("Observation").unwrap().nearest("valueQuantiy"),
        Some("valueQuantity")
    );
    assert_eq!(
        nearest("Observaton", r4().resources().map(|kind| kind.name())),
        Some("Observation")
    );
}
