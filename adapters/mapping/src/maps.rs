//! The maps of a format as somebody reads them: loaded with a site's rows over them, checked, explained, listed. Documents
//! are not touched here, and how rows are run is not known.

use crate::doc::Format;
use crate::syntax::{Bad, Level};
use crate::{Facts, Library, OpFact, Plan, Problem, Source, check, explain, operations, page, reverse_text};

/// Maps with what is wrong in them.
#[derive(Debug, Clone)]
pub struct Maps {
    library: Library,
    problems: Vec<Problem>,
    ops: Vec<OpFact<'static>>,
    compile: fn(&Library) -> Vec<Problem>,
}

impl Maps {
    /// The maps of a format as they were loaded, with the rows of a site over them: its name and its files.
    pub fn new<F: Format + Default>(
        (mut library, mut problems): (Library, Vec<Problem>),
        site: Option<(&str, &[(String, String)])>,
    ) -> Self
    where
        F::Doc: 'static,
    {
        if let Some((name, files)) = site {
            let sources: Vec<Source<'_>> = files.iter().map(|(name, text)| Source { name, text }).collect();
            match library.with_site(name, &sources) {
                Ok(merged) => library = merged,
                Err(broken) => problems.extend(broken),
            }
        }
        Self {
            library,
            problems,
            ops: facts::<F>(),
            compile: compile::<F>,
        }
    }

    /// The rows.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// All that is wrong: what cannot be read, what does not fit FHIR R4, and places that the format does not have.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = self.problems.clone();
        problems.extend(check(&self.library, &Facts { ops: &self.ops }));
        for problem in (self.compile)(&self.library) {
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
        explain(&self.library, place)
    }

    /// A structure as Markdown; without a name the named operations.
    pub fn page(&self, structure: Option<&str>) -> Option<String> {
        match structure {
            Some(name) => page(&self.library, name),
            None => Some(operations(&self.ops)),
        }
    }

    /// The names of the structures.
    pub fn structures(&self) -> impl Iterator<Item = &str> {
        self.library.structures.keys().map(String::as_str)
    }

    /// What has no way back, as text.
    pub fn reverse(&self) -> String {
        reverse_text(&self.library, &Facts { ops: &self.ops })
    }
}

/// What rows need to know of a format's operations.
pub fn facts<F: Format + Default>() -> Vec<OpFact<'static>>
where
    F::Doc: 'static,
{
    let all: &'static [crate::ops::OpDef<F::Doc>] = F::default().ops();
    all.iter().map(OpFact::of).collect()
}

fn compile<F: Format + Default>(library: &Library) -> Vec<Problem> {
    Plan::<F::Doc>::compile(library, &F::default()).1
}
