//! The HL7v2 maps as somebody reads them: loaded with a site's rows over them, checked, explained, listed. Messages are
//! not touched here, and how rows are run is not known.

use causeway_mapping::doc::Format;
use causeway_mapping::ops::OpDef;
use causeway_mapping::syntax::{Bad, Level};
use causeway_mapping::{Facts, Library, OpFact, Plan, Problem, Source};

use crate::config::Site;
use crate::lift::{self, Hl7v2Format};
use crate::message::Message;

/// The maps with what is wrong in them.
#[derive(Debug, Clone)]
pub struct Maps {
    library: Library,
    problems: Vec<Problem>,
}

impl Maps {
    /// The embedded maps; `files` replaces those of the same name, the site's rows lie over all.
    pub fn load(files: &[(String, String)], site: Option<&Site>) -> Self {
        let (mut library, mut problems) = lift::library(files);
        if let Some(site) = site {
            let sources = site.files.iter().map(|(name, text)| Source { name, text });
            match library.with_site(&site.name, &sources.collect::<Vec<_>>()) {
                Ok(merged) => library = merged,
                Err(broken) => problems.extend(broken),
            }
        }
        Self { library, problems }
    }

    /// The maps' rows.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// All that is wrong: what cannot be read, what does not fit FHIR R4, and places that HL7v2 does not have.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = self.problems.clone();
        problems.extend(check(&self.library));
        let (_, more) = Plan::<Message>::compile(&self.library, &Hl7v2Format);
        for problem in more {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        problems
    }

    /// Whether nothing keeps the maps from being used.
    pub fn is_usable(&self) -> bool {
        self.check().iter().all(|problem| problem.level != Level::Error)
    }

    /// Which rows use a place, as text.
    ///
    /// # Errors
    /// When the text is no place.
    pub fn explain(&self, place: &str) -> Result<String, Bad> {
        causeway_mapping::explain(&self.library, place)
    }

    /// A structure as Markdown; without a name the named operations.
    pub fn page(&self, structure: Option<&str>) -> Option<String> {
        match structure {
            Some(name) => causeway_mapping::page(&self.library, name),
            None => Some(causeway_mapping::operations(&ops())),
        }
    }

    /// The names of the structures.
    pub fn structures(&self) -> impl Iterator<Item = &str> {
        self.library.structures.keys().map(String::as_str)
    }

    /// What has no way back, as text.
    pub fn reverse(&self) -> String {
        causeway_mapping::reverse_text(&self.library, &Facts { ops: &ops() })
    }
}

/// What of the rows does not fit FHIR R4.
pub(crate) fn check(library: &Library) -> Vec<Problem> {
    causeway_mapping::check(library, &Facts { ops: &ops() })
}

/// What rows need to know of the operations.
fn ops() -> Vec<OpFact<'static>> {
    let all: &'static [OpDef<Message>] = Hl7v2Format.ops();
    all.iter().map(OpFact::of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(problems: &[Problem]) -> Vec<String> {
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_maps_are_clean() {
        let problems = Maps::load(&[], None).check();
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
        let maps = Maps::load(&[], Some(&site));
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
        let maps = Maps::load(&[], None);
        let text = maps.explain("PID-5").unwrap();
        assert!(text.contains("PID-5 -> Patient.name by XPN.HumanName"), "{text}");
        assert!(maps.page(Some("ORU_R01")).unwrap().starts_with("# ORU_R01\n"));
        assert!(maps.page(None).unwrap().contains("| low-high |"));
        assert!(maps.reverse().ends_with("have no way back\n"));
    }
}
