//! The writer's side of the index: adds runs, merges those of like size, and drops what was merged. Large merges go on a
//! little with every batch, so that no batch waits for one. A process that dies in the middle of one begins it again.

use rusqlite::{Connection, params};

use super::runs::{Cursor, Posting, Sheet};
use super::terms;
use causeway_store::Sieve;

/// A run is merged with what is newer once that is a quarter of it.
const RATIO: u64 = 4;
/// Merges of so many postings are done at once.
const AT_ONCE: u64 = 200_000;
/// For each posting that comes so many are merged, more than the ratio makes necessary.
const PACE: u64 = 12;
/// Chunks of merged runs dropped with each batch.
const DROPPED: u64 = 500;
/// Bytes of sieves held; ids of runs that have none here are looked up.
const SIEVES: usize = 64 << 20;

/// States of a run in its table.
const LIVE: i64 = 0;
const MAKING: i64 = 1;
const MERGED: i64 = 2;

#[derive(Debug)]
struct Run {
    id: i64,
    postings: u64,
    ids: u64,
    sieve: Option<Sieve>,
}

/// A merge under way.
#[derive(Debug)]
struct Merge {
    sources: Vec<Run>,
    cursors: Vec<Cursor>,
    sheet: Sheet,
    made: Run,
}

/// The runs as their writer knows them. After a transaction that failed it is to be opened anew.
#[derive(Debug)]
pub(super) struct Index {
    runs: Vec<Run>,
    merge: Option<Merge>,
    next: i64,
}

impl Index {
    /// What is on disk; a merge that was cut off leaves nothing.
    pub(super) fn open(connection: &Connection) -> rusqlite::Result<Self> {
        connection.execute("UPDATE run SET state = ?1 WHERE state = ?2", [MERGED, MAKING])?;
        let mut select = connection.prepare("SELECT id, postings, ids, sieve FROM run WHERE state = 0 ORDER BY id")?;
        let rows = select.query_map([], |row| {
            Ok(Run {
                id: row.get(0)?,
                postings: row.get(1)?,
                ids: row.get(2)?,
                sieve: Some(Sieve::from_bytes(row.get_ref(3)?.as_blob().unwrap_or_default())),
            })
        })?;
        let mut index = Self {
            runs: rows.collect::<rusqlite::Result<_>>()?,
            merge: None,
            next: connection.query_row("SELECT coalesce(max(id), 0) + 1 FROM run", [], |row| row.get(0))?,
        };
        index.bound();
        Ok(index)
    }

    /// The runs that may hold an id.
    pub(super) fn maybe(&self, term: i64) -> impl Iterator<Item = i64> {
        let merging = self.merge.iter().flat_map(|merge| &merge.sources);
        let holds = move |run: &&Run| run.sieve.as_ref().is_none_or(|sieve| sieve.may_hold(spread(term)));
        self.runs.iter().chain(merging).filter(holds).map(|run| run.id)
    }

    /// Adds what a batch has, in order, and does what merging is due.
    pub(super) fn add(&mut self, connection: &Connection, postings: &[Posting]) -> rusqlite::Result<()> {
        if postings.is_empty() {
            return Ok(());
        }
        let run = self.make(connection, postings.iter().filter(|one| terms::is_id(one.term)).count())?;
        let mut making = Making {
            sheet: Sheet::new(run.id),
            run,
        };
        for posting in postings {
            making.push(connection, *posting)?;
        }
        self.runs.push(making.finish(connection)?);
        self.work(connection, PACE * postings.len() as u64)?;
        drop_merged(connection)
    }

    fn make(&mut self, connection: &Connection, ids: usize) -> rusqlite::Result<Run> {
        let id = self.next;
        self.next += 1;
        connection
            .prepare_cached("INSERT INTO run (id, state, postings, ids, sieve) VALUES (?1, ?2, 0, 0, x'')")?
            .execute([id, MAKING])?;
        Ok(Run {
            id,
            postings: 0,
            ids: 0,
            sieve: Some(Sieve::for_marks(ids)),
        })
    }

    fn work(&mut self, connection: &Connection, budget: u64) -> rusqlite::Result<()> {
        if self.merge.is_none() {
            self.begin(connection)?;
        }
        let Some(merge) = &mut self.merge else { return Ok(()) };
        let whole: u64 = merge.sources.iter().map(|run| run.postings).sum();
        let budget = if whole <= AT_ONCE { u64::MAX } else { budget };
        if merge.go_on(connection, budget)? {
            return Ok(());
        }
        if let Some(merge) = self.merge.take() {
            for source in &merge.sources {
                connection
                    .prepare_cached("UPDATE run SET state = ?2, sieve = x'' WHERE id = ?1")?
                    .execute([source.id, MERGED])?;
            }
            let making = Making {
                sheet: merge.sheet,
                run: merge.made,
            };
            self.runs.push(making.finish(connection)?);
            self.bound();
        }
        Ok(())
    }

    /// Begins the merge that is due, if one is: of the smallest runs, as long as the next is not far larger than all before.
    fn begin(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.runs.sort_by_key(|run| std::cmp::Reverse(run.postings));
        let (mut sum, mut count) = (0, 0);
        for run in self.runs.iter().rev() {
            if count > 0 && run.postings >= RATIO * sum {
                break;
            }
            sum += run.postings;
            count += 1;
        }
        if count < 2 {
            return Ok(());
        }
        let sources = self.runs.split_off(self.runs.len() - count);
        let cursors = sources.iter().map(|run| Cursor::seek(connection, run.id, i64::MIN, 0));
        let cursors = cursors.collect::<rusqlite::Result<_>>()?;
        let ids: u64 = sources.iter().map(|run| run.ids).sum();
        let made = self.make(connection, usize::try_from(ids).unwrap_or(usize::MAX))?;
        self.merge = Some(Merge {
            sources,
            cursors,
            sheet: Sheet::new(made.id),
            made,
        });
        Ok(())
    }

    /// Lets go of the largest runs' sieves beyond the bound.
    fn bound(&mut self) {
        self.runs.sort_by_key(|run| run.ids);
        let mut held = 0;
        for run in &mut self.runs {
            held += run.sieve.as_ref().map_or(0, Sieve::bytes);
            if held > SIEVES {
                run.sieve = None;
            }
        }
    }
}

impl Merge {
    /// Merges so many postings; whether there are more.
    fn go_on(&mut self, connection: &Connection, budget: u64) -> rusqlite::Result<bool> {
        for _ in 0..budget {
            let mut least: Option<(Posting, usize)> = None;
            for (number, cursor) in self.cursors.iter_mut().enumerate() {
                if let Some(here) = cursor.peek(connection)?
                    && least.is_none_or(|(least, _)| here < least)
                {
                    least = Some((here, number));
                }
            }
            let Some((posting, number)) = least else {
                return Ok(false);
            };
            if let Some(cursor) = self.cursors.get_mut(number) {
                cursor.skip();
            }
            count(&mut self.made, posting);
            self.sheet.push(connection, posting)?;
        }
        Ok(true)
    }
}

/// A run that is being written.
struct Making {
    sheet: Sheet,
    run: Run,
}

impl Making {
    fn push(&mut self, connection: &Connection, posting: Posting) -> rusqlite::Result<()> {
        count(&mut self.run, posting);
        self.sheet.push(connection, posting)
    }

    fn finish(mut self, connection: &Connection) -> rusqlite::Result<Run> {
        self.sheet.flush(connection)?;
        let bits = self.run.sieve.as_mut().and_then(Sieve::unsaved).unwrap_or_default();
        connection
            .prepare_cached("UPDATE run SET state = ?2, postings = ?3, ids = ?4, sieve = ?5 WHERE id = ?1")?
            .execute(params![self.run.id, LIVE, self.run.postings, self.run.ids, bits])?;
        Ok(self.run)
    }
}

fn count(run: &mut Run, posting: Posting) {
    run.postings += 1;
    if terms::is_id(posting.term) {
        run.ids += 1;
        if let Some(sieve) = &mut run.sieve {
            sieve.insert(spread(posting.term));
        }
    }
}

/// A sieve takes all 64 bits of a mark, and ids have one that is always set.
fn spread(term: i64) -> i64 {
    term << 2 | term >> 1 & 3
}

/// Drops some chunks of runs that were merged: readers that still saw them have their own state of the file.
fn drop_merged(connection: &Connection) -> rusqlite::Result<()> {
    let dropped = connection
        .prepare_cached(
            "DELETE FROM chunk WHERE id IN
             (SELECT c.id FROM run r JOIN chunk c ON c.run = r.id WHERE r.state = ?1 LIMIT ?2)",
        )?
        .execute(params![MERGED, DROPPED])?;
    if dropped == 0 {
        connection
            .prepare_cached("DELETE FROM run WHERE state = ?1")?
            .execute([MERGED])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{runs, schema};
    use super::*;

    /// Numbers that look random (`SplitMix64`).
    fn next(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    }

    #[test]
    fn every_posting_is_found_once_however_runs_were_merged() {
        let folder = tempfile::tempdir().unwrap();
        let connection = schema::open(folder.path()).unwrap();
        let mut index = Index::open(&connection).unwrap();
        let (mut state, mut all) = (1, BTreeSet::new());
        for pack in 0..150_u32 {
            let count = next(&mut state) % 2_000;
            let one = |_| {
                let number = next(&mut state);
                let id = if number & 1 == 0 { 1 << 62 } else { 0 };
                (((number >> 8) % 5_000).cast_signed() | id, pack)
            };
            let batch: BTreeSet<(i64, u32)> = (0..count).map(one).collect();
            let postings = batch.iter().map(|(term, pack)| Posting {
                term: *term,
                pack: *pack,
                mask: 1,
            });
            index.add(&connection, &postings.collect::<Vec<_>>()).unwrap();
            all.extend(batch);
            if pack % 40 == 0 {
                index = Index::open(&connection).unwrap(); // as after a crash
            }
        }
        let live = runs::live(&connection).unwrap();
        assert!(live.len() < 30, "{} runs", live.len());
        let mut union = Vec::new();
        for term in (0..5_000).flat_map(|term| [term, term | 1 << 62]) {
            let mut found = Vec::new();
            let among: Vec<i64> = index.maybe(term).collect();
            for run in &live {
                let before = found.len();
                runs::collect(&connection, *run, term, &mut found).unwrap();
                assert!(
                    found.len() == before || !terms::is_id(term) || among.contains(run),
                    "a sieve hides {term}"
                );
            }
            union.extend(found.iter().map(|(pack, _)| (term, *pack)));
        }
        assert_eq!(union.len(), all.len());
        assert_eq!(union.into_iter().collect::<BTreeSet<_>>(), all);
    }
}
