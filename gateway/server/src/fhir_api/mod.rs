//! The part of the FHIR API that changes nothing: read, vread, search, `metadata`, `$validate` (FHIR R4 HTTP 3.1.0). It
//! reads what the projection of the log has made, and never the log. What changes something goes the way of every frame.

mod answer;
mod metadata;
mod search;
mod validate;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use causeway_core::finding::Lang;
use causeway_core::{Class, Finding, HttpHead};
use causeway_fhir::{is_id, is_type_name, language, media_problem, problem};
use causeway_profiles::{TypeKind, r4};

use crate::resources::{Reader, Sequencer};
use crate::transport::http::{Passing, ReadFn};

pub use search::pairs;

/// Whether a request with a body changes nothing.
pub fn passes(head: &HttpHead) -> bool {
    head.method == "POST" && head.path.ends_with("/$validate")
}

/// What answers requests that change nothing, by the resources of a data folder.
pub fn read(folder: &Path, lang: Lang, sequencer: &Arc<Sequencer>) -> ReadFn {
    let api = Arc::new(Api {
        folder: folder.to_owned(),
        lang,
        sequencer: Arc::clone(sequencer),
        readers: Mutex::default(),
    });
    Arc::new(move |head, body| {
        let api = Arc::clone(&api);
        Box::pin(async move { api.answer(&head, &body).await })
    })
}

/// Readers that wait for use; more are made when more are needed at once, as many as there are threads.
const READERS: usize = 16;

struct Api {
    folder: PathBuf,
    lang: Lang,
    sequencer: Arc<Sequencer>,
    readers: Mutex<Vec<Reader>>,
}

/// What is asked for.
struct Asked<'a> {
    head: &'a HttpHead,
    lang: Lang,
}

impl Api {
    async fn answer(&self, head: &HttpHead, body: &Bytes) -> Passing {
        let asked = Asked {
            head,
            lang: language(head, self.lang),
        };
        match self.route(&asked, body).await {
            Ok(answer) => answer,
            Err(finding) => answer::refused(&[*finding], &head.path, asked.lang),
        }
    }

    async fn route(&self, asked: &Asked<'_>, body: &Bytes) -> Result<Passing, Box<Finding>> {
        let head = asked.head;
        if let Some(problem) = media_problem(head, !body.is_empty()) {
            return Err(problem.into());
        }
        let steps: Vec<&str> = head.path.split('/').filter(|step| !step.is_empty()).collect();
        match steps.as_slice() {
            [.., "$validate"] if passes(head) => validate::validate(asked, &steps, body),
            ["metadata"] => Ok(metadata::metadata(head)),
            [kind] => {
                known(kind)?;
                let search = search::Asked::of(kind, &head.query)?;
                self.settle(None).await?;
                self.with(|reader| search.answer(reader, &head.base))
            }
            [kind, id] if is_id(id) => {
                known(kind)?;
                self.settle(Some((kind, id))).await?;
                self.with(|reader| answer::current(reader.read(kind, id), head))
            }
            [kind, id, "_history", version] if is_id(id) => {
                known(kind)?;
                self.settle(Some((kind, id))).await?;
                let version = version.parse().unwrap_or(0); // none has that one
                self.with(|reader| answer::version(reader.version(kind, id, version), head))
            }
            _ => Err(Box::new(problem(
                "unknown-path",
                Class::UnknownKey,
                "此路径下没有内容",
                "nothing is served at this path",
            ))),
        }
    }

    /// Whoever wrote something sees it in what is read afterwards.
    async fn settle(&self, of: Option<(&str, &str)>) -> Result<(), Box<Finding>> {
        if self.sequencer.settled(of).await {
            Ok(())
        } else {
            Err(answer::behind())
        }
    }

    /// A look at the tables costs some microseconds, so it is taken on the spot.
    fn with<T>(&self, look: impl FnOnce(&Reader) -> Result<T, Box<Finding>>) -> Result<T, Box<Finding>> {
        let waiting = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = match waiting {
            Some(reader) => reader,
            None => Reader::open(&self.folder).map_err(|_| answer::behind())?,
        };
        let answer = look(&reader);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS {
            readers.push(reader);
        }
        answer
    }
}

/// Whether R4 has a resource type.
fn known(kind: &str) -> Result<(), Box<Finding>> {
    let there = is_type_name(kind)
        && r4()
            .type_named(kind)
            .is_some_and(|found| found.kind() == TypeKind::Resource);
    if there {
        return Ok(());
    }
    Err(Box::new(problem(
        "unknown-type",
        Class::UnsupportedType,
        format!("FHIR R4 中没有资源类型“{kind}”"),
        format!("FHIR R4 has no resource type {kind:?}"),
    )))
}
