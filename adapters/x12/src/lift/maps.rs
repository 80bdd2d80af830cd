//! The X12 maps as somebody reads them: loaded with a site's rows over them. What can be asked of them is
//! `causeway-mapping`'s.

use causeway_mapping::{Facts, Library, Maps, Problem};

use super::embedded;
use super::format::X12Format;

/// A site's own rows.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// Its name, the folder's.
    pub name: String,
    /// Its files by name.
    pub files: Vec<(String, String)>,
}

/// The embedded maps; `files` replaces those of the same name, the site's rows lie over all.
pub fn maps(files: &[(String, String)], site: Option<&Site>) -> Maps {
    let site = site.map(|site| (site.name.as_str(), site.files.as_slice()));
    Maps::new::<X12Format>(embedded::library(files), site)
}

/// What of the rows does not fit FHIR R4.
pub(super) fn check(library: &Library) -> Vec<Problem> {
    let ops = causeway_mapping::facts::<X12Format>();
    causeway_mapping::check(library, &Facts { ops: &ops })
}

#[cfg(test)]
mod tests {
    use causeway_mapping::syntax::Level;

    #[test]
    fn the_maps_are_clean() {
        let problems = super::maps(&[], None).check();
        let errors = problems.iter().filter(|problem| problem.level == Level::Error);
        let errors: Vec<String> = errors.map(ToString::to_string).collect();
        assert_eq!(errors, [""; 0]);
    }

    #[test]
    fn a_loop_that_is_none_and_an_element_that_is_none_are_found() {
        let said = |row: &str| {
            let file = ("2310C.Location.csv".to_owned(), format!("from,when,to,how\n{row}\n"));
            let structure = "at,make,as,fill\n2310C,Location,facility,2310C.Location\n".to_owned();
            let files = [file, ("837P.csv".to_owned(), structure)];
            let problems = super::maps(&files, None).check();
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        let text = said("2000X/SBR-01,,name,keep");
        assert!(
            text.contains("2310C.Location.csv:2:1: no group of the format is called 2000X"),
            "{text}"
        );
        let text = said("NM1-03,,nme,keep");
        assert!(
            text.contains("Location has no element nme; did you mean name?"),
            "{text}"
        );
    }

    #[test]
    fn places_are_explained_and_the_structure_shown() {
        let maps = super::maps(&[], None);
        let text = maps.explain("CLM-02").unwrap();
        assert!(text.contains("CLM-02 -> Claim.total by R.Money"), "{text}");
        assert!(maps.page(Some("837P")).unwrap().starts_with("# 837P\n"));
    }
}
