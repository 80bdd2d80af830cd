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
    fn places_are_explained_and_the_structure_shown() {
        let maps = super::maps(&[], None);
        let text = maps.explain("CLM-02").unwrap();
        assert!(text.contains("CLM-02 -> Claim.total by R.Money"), "{text}");
        assert!(maps.page(Some("837P")).unwrap().starts_with("# 837P\n"));
    }
}
