//! The HL7v2 maps as somebody reads them: loaded with a site's rows over them. What can be asked of them is
//! `causeway-mapping`'s.

use causeway_mapping::{Facts, Library, Maps, Problem};

use crate::config::Site;
use crate::lift::{self, Hl7v2Format};

/// The embedded maps; `files` replaces those of the same name, the site's rows lie over all.
pub fn maps(files: &[(String, String)], site: Option<&Site>) -> Maps {
    let site = site.map(|site| (site.name.as_str(), site.files.as_slice()));
    Maps::new::<Hl7v2Format>(lift::library(files), site)
}

/// What of the rows does not fit FHIR R4.
pub(crate) fn check(library: &Library) -> Vec<Problem> {
    let ops = causeway_mapping::facts::<Hl7v2Format>();
    causeway_mapping::check(library, &Facts { ops: &ops })
}

#[cfg(test)]
mod tests {
    use causeway_mapping::syntax::Level;

    use super::*;

    fn said(problems: &[Problem]) -> Vec<String> {
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_maps_are_clean() {
        let problems = maps(&[], None).check();
        let errors: Vec<Problem> = problems
            .into_iter()
            .filter(|problem| problem.level == Level::Error)
            .collect();
        assert_eq!(said(&errors), [""; 0]);
    }

    #[test]
    fn a_sites_mistake_is_found_at_its_line() {
        let site = Site {
            name: "ruijin".into(),
            files: vec![(
                "PID.Patient.csv".into(),
                "from,when,to,how\nPID-4,,identifer,CX.Identifier\n".into(),
            )],
        };
        let maps = super::maps(&[], Some(&site));
        let problems = said(&maps.check());
        let expected = "sites/ruijin/PID.Patient.csv:2:8: Patient has no element identifer; did you mean identifier?";
        assert!(problems.iter().any(|problem| problem == expected), "{problems:?}");
        assert!(!maps.is_usable());
    }

    #[test]
    fn a_broken_site_is_refused_as_a_whole() {
        let site = |how: &str| crate::Config {
            site: Some(Site {
                name: "ruijin".into(),
                files: vec![(
                    "PID.Patient.csv".into(),
                    format!("from,when,to,how\nPID-4,,birthDate,{how}\n"),
                )],
            }),
            ..crate::Config::default()
        };
        assert!(crate::Hl7v2::new(site("DTM.date")).is_ok());
        let refused = crate::Hl7v2::new(site("CX.Identifier")).unwrap_err().to_string();
        assert!(
            refused.contains("PID.Patient.csv:2:18: CX.Identifier makes Identifier, the element is date"),
            "{refused}"
        );
    }

    #[test]
    fn places_are_explained_and_structures_shown() {
        let maps = super::maps(&[], None);
        let text = maps.explain("PID-5").unwrap();
        assert!(text.contains("PID-5 -> Patient.name by XPN.HumanName"), "{text}");
        assert!(maps.page(Some("ORU_R01")).unwrap().starts_with("# ORU_R01\n"));
        assert!(maps.page(None).unwrap().contains("| low-high |"));
        assert!(maps.reverse().ends_with("have no way back\n"));
    }
}
