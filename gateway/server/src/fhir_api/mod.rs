//! The part of the FHIR API that changes nothing: read, vread, search, `metadata`, `$validate` (FHIR R4 HTTP 3.1.0). It
//! reads what the projection of the log has made, and never the log. What changes something goes the way of every frame.

mod answer;
mod metadata;
mod search;
mod shape;
mod validate;

use std::sync::Arc;

use bytes::Bytes;
use causeway_core::finding::Lang;
use causeway_core::{Class, Finding, HttpHead};
use causeway_fhir::{is_id, is_type_name, language, media_problem, problem};
use causeway_profiles::{TypeKind, r4};
use jiff::Timestamp;

use crate::audit::{Audit, Row};
use crate::config::Config;
use crate::resources::{Reader, Readers, Sequencer};
use crate::telemetry::TraceId;
use crate::translate::House;
use crate::transport::http::{Asking, Passing, ReadFn};
use shape::Shape;

pub use search::pairs;

/// Whether a request with a body changes nothing.
pub fn passes(head: &HttpHead) -> bool {
    head.method == "POST" && ["/$validate", "/_search"].iter().any(|end| head.path.ends_with(end))
}

/// What answers requests of a route that change nothing, by the resources of a data folder.
pub fn read(route: &Arc<str>, config: &Config, house: &House) -> ReadFn {
    let api = Arc::new(Api {
        lang: config.lang,
        route: Arc::clone(route),
        sequencer: Arc::clone(&house.sequencer),
        audit: house.audit.clone(),
        readers: Readers::new(&config.data),
    });
    Arc::new(move |asking| {
        let api = Arc::clone(&api);
        Box::pin(async move { api.answer(&asking).await })
    })
}

/// Resources that a search counts, in pages; it lets others run between two.
const COUNTED: usize = 20_000;

struct Api {
    lang: Lang,
    route: Arc<str>,
    sequencer: Arc<Sequencer>,
    audit: Audit,
    readers: Readers,
}

/// The longest target that is put on record, in bytes.
const TARGET: usize = 4_096;

/// What is asked for.
struct Asked<'a> {
    head: &'a HttpHead,
    lang: Lang,
}

/// A look at resources, for the audit.
#[derive(Debug, Default)]
struct Look {
    /// None where the request looks at none.
    action: Option<&'static str>,
    target: String,
    found: usize,
}

impl Api {
    async fn answer(&self, asking: &Asking) -> Passing {
        let head = &asking.head;
        let asked = Asked {
            head,
            lang: language(head, self.lang),
        };
        let mut look = Look::default();
        let answer = match self.route(&asked, &asking.body, &mut look).await {
            Ok(answer) => answer,
            Err(finding) => answer::refused(&[*finding], &head.path, asked.lang),
        };
        if self.noted(look, answer.status, &asking.peer).await {
            answer
        } else {
            answer::refused(&[*answer::not_audited()], &head.path, asked.lang)
        }
    }

    /// Puts a look on record; whether it is, or none is needed.
    async fn noted(&self, look: Look, status: u16, who: &Arc<str>) -> bool {
        let Some(action) = look.action else { return true };
        let row = Row {
            time: Timestamp::now(),
            listener: Arc::clone(&self.route),
            who: Arc::clone(who),
            action,
            target: look.target,
            status,
            found: look.found as u64,
            trace: TraceId::current().map(|trace| trace.to_string()).unwrap_or_default(),
        };
        self.audit.note(row).await
    }

    async fn route(&self, asked: &Asked<'_>, body: &Bytes, look: &mut Look) -> Result<Passing, Box<Finding>> {
        let head = asked.head;
        let steps: Vec<&str> = head.path.split('/').filter(|step| !step.is_empty()).collect();
        let posted = matches!(steps.as_slice(), [_, "_search"]) && head.method == "POST";
        if let Some(problem) = media_problem(head, !body.is_empty() && !posted) {
            return Err(problem.into());
        }
        match steps.as_slice() {
            [.., "$validate"] if passes(head) => validate::validate(asked, &steps, body),
            ["metadata"] => Ok(metadata::metadata(head)),
            [kind] => self.search(kind, head, head.query.clone(), look).await,
            [kind, "_search"] if posted => {
                let query = search::posted(head, body)?;
                self.search(kind, head, query, look).await
            }
            [.., "$validate" | "$process-message" | "_search"] => Err(answer::not_allowed(&head.method)),
            [kind, id] if is_id(id) => {
                known(kind)?;
                look.begin("read", &steps.join("/"));
                self.settle(kind, Some(id)).await?;
                let shape = Shape::of_read(&head.query).map_err(search::wrong)?;
                self.with(|reader| answer::current(reader.read(kind, id), head, &shape))
                    .inspect(|_| look.found = 1)
            }
            [kind, id, "_history", version] if is_id(id) => {
                known(kind)?;
                look.begin("vread", &steps.join("/"));
                self.settle(kind, Some(id)).await?;
                let version = version.parse().unwrap_or(0); // none has that one
                let shape = Shape::of_read(&head.query).map_err(search::wrong)?;
                self.with(|reader| answer::current(reader.version(kind, id, version), head, &shape))
                    .inspect(|_| look.found = 1)
            }
            _ => Err(Box::new(problem(
                "unknown-path",
                Class::UnknownKey,
                "此路径下没有内容",
                "nothing is served at this path",
            ))),
        }
    }

    async fn search(
        &self,
        kind: &str,
        head: &HttpHead,
        query: String,
        look: &mut Look,
    ) -> Result<Passing, Box<Finding>> {
        known(kind)?;
        look.begin("search", &format!("{kind}?{query}"));
        let search = search::Asked::of(kind, &query)?;
        self.settle(kind, None).await?;
        if search.counts() {
            look.found = self.count(&search).await?;
            return Ok(search.number(&head.base, look.found));
        }
        let (answer, found) = self.with(|reader| search.answer(reader, &head.base))?;
        look.found = found;
        Ok(answer)
    }

    async fn count(&self, search: &search::Asked) -> Result<usize, Box<Finding>> {
        let (mut total, mut after) = (0, 0);
        loop {
            let (found, next) = self.with(|reader| search.counted(reader, after))?;
            total += found;
            match next {
                None => return Ok(total),
                Some(_) if total > COUNTED => return Err(search::too_many(COUNTED)),
                Some(next) => after = next,
            }
            tokio::task::yield_now().await;
        }
    }

    /// Whoever wrote something sees it in what is read afterwards.
    async fn settle(&self, kind: &str, id: Option<&str>) -> Result<(), Box<Finding>> {
        if self.sequencer.settled(kind, id).await {
            Ok(())
        } else {
            Err(answer::behind())
        }
    }

    /// A look at the tables costs some microseconds, so it is taken on the spot.
    fn with<T>(&self, look: impl FnOnce(&Reader) -> Result<T, Box<Finding>>) -> Result<T, Box<Finding>> {
        self.readers.with(look).map_err(|_| answer::behind())?
    }
}

impl Look {
    fn begin(&mut self, action: &'static str, target: &str) {
        let end = target.floor_char_boundary(TARGET);
        self.action = Some(action);
        target.get(..end).unwrap_or_default().clone_into(&mut self.target);
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
