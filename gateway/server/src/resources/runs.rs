//! The index of resources: postings in sorted runs, as in a log-structured merge tree. A batch writes what it has as one
//! run, in order, and runs of like size are merged later; so a random key costs no page of its own. Reading looks into
//! every run, and there are few. What a posting means is not known here.

use rusqlite::{Connection, OptionalExtension, params};

/// Postings of a chunk: with its key a chunk fills one page of 8 KiB.
const CHUNK: usize = 500;
/// Bytes of a posting.
const SIZE: usize = 16;

/// That some of the resources of a pack have a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Posting {
    pub(super) term: i64,
    pub(super) pack: u32,
    /// One bit a slot.
    pub(super) mask: u32,
}

impl Posting {
    fn to_bytes(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        let all = self.term.to_le_bytes().into_iter().chain(self.pack.to_le_bytes());
        for (to, from) in bytes.iter_mut().zip(all.chain(self.mask.to_le_bytes())) {
            *to = from;
        }
        bytes
    }

    fn of_bytes(bytes: &[u8; SIZE]) -> Self {
        let all = u128::from_le_bytes(*bytes);
        let part = |shift: u32| u32::try_from(all >> shift & u128::from(u32::MAX)).unwrap_or(0);
        Self {
            term: (u64::from(part(0)) | u64::from(part(32)) << 32).cast_signed(),
            pack: part(64),
            mask: part(96),
        }
    }

    fn key(self) -> (i64, u32) {
        (self.term, self.pack)
    }
}

/// Writes the chunks of one run, which come in order.
#[derive(Debug)]
pub(super) struct Sheet {
    run: i64,
    first: Option<(i64, u32)>,
    bytes: Vec<u8>,
}

impl Sheet {
    pub(super) fn new(run: i64) -> Self {
        Self {
            run,
            first: None,
            bytes: Vec::with_capacity(CHUNK * SIZE),
        }
    }

    pub(super) fn push(&mut self, connection: &Connection, posting: Posting) -> rusqlite::Result<()> {
        self.first.get_or_insert(posting.key());
        self.bytes.extend_from_slice(&posting.to_bytes());
        if self.bytes.len() >= CHUNK * SIZE {
            return self.flush(connection);
        }
        Ok(())
    }

    pub(super) fn flush(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let Some((term, pack)) = self.first.take() else {
            return Ok(());
        };
        connection
            .prepare_cached("INSERT INTO chunk (run, term, pack, postings) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![self.run, term, pack, self.bytes])?;
        self.bytes.clear();
        Ok(())
    }
}

/// Goes through a run from some place on.
#[derive(Debug)]
pub(super) struct Cursor {
    run: i64,
    bytes: Vec<u8>,
    at: usize,
    /// The last posting of `bytes`.
    last: (i64, u32),
}

impl Cursor {
    /// Before the first posting of a run that is not less.
    pub(super) fn seek(connection: &Connection, run: i64, term: i64, pack: u32) -> rusqlite::Result<Self> {
        let mut cursor = Self {
            run,
            bytes: Vec::new(),
            at: 0,
            last: (term, pack),
        };
        let found = connection
            .prepare_cached(
                "SELECT postings FROM chunk WHERE run = ?1 AND (term, pack) <= (?2, ?3)
                 ORDER BY term DESC, pack DESC LIMIT 1",
            )?
            .query_row(params![run, term, pack], |row| row.get(0))
            .optional()?;
        match found {
            Some(bytes) => cursor.open(bytes),
            None => cursor.load(
                connection,
                "SELECT postings FROM chunk WHERE run = ?1 AND (term, pack) >= (?2, ?3) ORDER BY term, pack LIMIT 1",
            )?,
        }
        let (all, _) = cursor.bytes.as_chunks::<SIZE>();
        cursor.at = all.partition_point(|bytes| Posting::of_bytes(bytes).key() < (term, pack));
        Ok(cursor)
    }

    fn open(&mut self, bytes: Vec<u8>) {
        let (all, _) = bytes.as_chunks::<SIZE>();
        if let Some(last) = all.last() {
            self.last = Posting::of_bytes(last).key();
        }
        (self.bytes, self.at) = (bytes, 0);
    }

    fn load(&mut self, connection: &Connection, sql: &str) -> rusqlite::Result<()> {
        let (term, pack) = self.last;
        let mut select = connection.prepare_cached(sql)?;
        let found = select.query_row(params![self.run, term, pack], |row| row.get(0));
        self.open(found.optional()?.unwrap_or_default());
        Ok(())
    }

    /// The posting at hand; none at the end.
    pub(super) fn peek(&mut self, connection: &Connection) -> rusqlite::Result<Option<Posting>> {
        if self.at >= self.bytes.len() / SIZE && !self.bytes.is_empty() {
            self.load(
                connection,
                "SELECT postings FROM chunk WHERE run = ?1 AND (term, pack) > (?2, ?3) ORDER BY term, pack LIMIT 1",
            )?;
        }
        let (all, _) = self.bytes.as_chunks::<SIZE>();
        Ok(all.get(self.at).map(Posting::of_bytes))
    }

    pub(super) fn skip(&mut self) {
        self.at += 1;
    }
}

/// The runs that are to be read.
pub(super) fn live(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let mut select = connection.prepare_cached("SELECT id FROM run WHERE state = 0")?;
    select.query_map([], |row| row.get(0))?.collect()
}

/// All postings of a term in a run, appended.
pub(super) fn collect(
    connection: &Connection,
    run: i64,
    term: i64,
    into: &mut Vec<(u32, u32)>,
) -> rusqlite::Result<()> {
    let mut cursor = Cursor::seek(connection, run, term, 0)?;
    while let Some(posting) = cursor.peek(connection)?
        && posting.term == term
    {
        into.push((posting.pack, posting.mask));
        cursor.skip();
    }
    Ok(())
}

/// Postings of several terms, united by pack and in order of it.
#[derive(Debug)]
pub(super) struct Union {
    cursors: Vec<(i64, Cursor)>,
}

impl Union {
    /// From a pack on.
    pub(super) fn seek(connection: &Connection, runs: &[i64], terms: &[i64], pack: u32) -> rusqlite::Result<Self> {
        let mut cursors = Vec::new();
        for run in runs {
            for term in terms {
                let mut cursor = Cursor::seek(connection, *run, *term, pack)?;
                if cursor.peek(connection)?.is_some_and(|posting| posting.term == *term) {
                    cursors.push((*term, cursor));
                }
            }
        }
        Ok(Self { cursors })
    }

    /// The next pack and its resources.
    pub(super) fn next(&mut self, connection: &Connection) -> rusqlite::Result<Option<(u32, u32)>> {
        let mut least: Option<u32> = None;
        for (term, cursor) in &mut self.cursors {
            let here = cursor.peek(connection)?.filter(|posting| posting.term == *term);
            least = match (least, here) {
                (Some(least), Some(here)) => Some(least.min(here.pack)),
                (least, here) => least.or(here.map(|posting| posting.pack)),
            };
        }
        let Some(pack) = least else { return Ok(None) };
        let mut mask = 0;
        for (term, cursor) in &mut self.cursors {
            let here = cursor.peek(connection)?;
            if let Some(posting) = here.filter(|posting| (posting.term, posting.pack) == (*term, pack)) {
                mask |= posting.mask;
                cursor.skip();
            }
        }
        Ok(Some((pack, mask)))
    }
}
