//! What a destination's keys mean, and which are refused.

use super::*;

#[test]
fn to_names_a_peer_or_a_folder() {
    let target = |to: &str| Destination::new("d", to).target();
    assert_eq!(target("out/lab"), Ok(Target::Folder("out/lab".into())));
    let mllp = |tls| Target::Mllp {
        tls,
        address: "[::1]:2575".to_owned(),
    };
    assert_eq!(target("mllp://[::1]:2575"), Ok(mllp(false)));
    assert_eq!(target("mllps://[::1]:2575"), Ok(mllp(true)));
    assert_eq!(target("https://h/fhir/"), Ok(Target::Http("https://h/fhir".to_owned())));
    let dicom = |tls| Target::Dicom {
        tls,
        called_ae: "ORTHANC".to_owned(),
        address: "pacs:4242".to_owned(),
    };
    assert_eq!(target("dicom://ORTHANC@pacs:4242"), Ok(dicom(false)));
    assert_eq!(target("dicoms://ORTHANC@pacs:4242"), Ok(dicom(true)));
    for wrong in [
        "",
        "mllp://h",
        "mllp://h:0",
        "mllp://a@h:1",
        "dicom://h:104",
        "ftp://h/x",
        "http://",
    ] {
        assert!(
            target(wrong).unwrap_err().contains("`to` is mllp://HOST:PORT"),
            "{wrong}"
        );
    }
}

#[test]
fn a_form_follows_from_the_peer_and_must_fit_it() {
    let mut one = Destination::new("d", "http://h/fhir");
    assert_eq!((one.form(), one.problem()), (Form::Fhir, None));
    one.format = Some(Form::Source);
    assert!(one.problem().unwrap().contains("does not go to such a peer"));
    assert_eq!(Destination::new("d", "mllp://h:1").form(), Form::Source);
    assert_eq!(Destination::new("d", "dicom://A@h:1").form(), Form::Dicom);
}

#[test]
fn a_token_goes_to_another_machine_under_tls_or_because_it_is_meant() {
    let problem = |to: &str, meant: bool| {
        let mut one = Destination::new("d", to);
        one.token_file = Some("token".into());
        one.token_in_clear = meant;
        one.problem()
    };
    for safe in [
        "https://h/fhir",
        "http://localhost:8080/fhir",
        "http://127.0.0.1:8080/fhir",
        "http://[::1]:8080/fhir",
    ] {
        assert_eq!(problem(safe, false), None, "{safe}");
    }
    for open in [
        "http://h/fhir",
        "http://10.0.0.7:8080/fhir",
        "http://127.0.0.1.example.org/fhir",
    ] {
        let said = problem(open, false).unwrap();
        assert!(said.contains("token-in-clear = true"), "{said}");
        assert_eq!(problem(open, true), None, "{open}");
    }
    assert!(problem("mllp://h:1", false).unwrap().contains("for an HTTP peer"));
}
