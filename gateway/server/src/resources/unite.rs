//! Resources that many messages state piece by piece, such as a study of a thousand instances (DESIGN decision 11): what is
//! said of one is united whatever its order, the first version is written at once, and then at most one in a while. What
//! came since the last version is held in a table until then, or until the resource is quiet. How pieces of a type become
//! one is said by whoever knows the type.

use causeway_core::fhir::{Limits, NodeId, Tree, Value, compact, parse};
use rusqlite::{Connection, params};

/// Unites statements of one resource, in any order and however often one is said, into the resource as JSON.
pub type Unite = fn(&[Tree]) -> String;

/// Between two versions of a resource whose pieces keep coming, microseconds (DESIGN decision 11).
pub(super) const PACE: i64 = 2_000_000;

/// The types that are united, and how.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unites(&'static [(&'static str, Unite)]);

impl Unites {
    /// These types.
    pub const fn new(all: &'static [(&'static str, Unite)]) -> Self {
        Self(all)
    }

    pub(super) fn of(&self, kind: &str) -> Option<Unite> {
        self.0.iter().find(|(known, _)| *known == kind).map(|(_, unite)| *unite)
    }
}

/// A resource without its version and time, which are nobody's statement.
pub(super) fn said(tree: &Tree, resource: NodeId) -> Tree {
    let mut own = Tree::new(Value::Object);
    for member in tree.children(resource).filter(|member| tree.name(*member) != "meta") {
        own.copy_one(NodeId::ROOT, tree, member);
    }
    own
}

/// A resource that waits for more of its kind: `Type/id` apart, and when its last piece was answered, microseconds since
/// 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stirring {
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) last: i64,
}

/// Keeps a statement for the next version.
pub(super) fn hold(connection: &Connection, (kind, id): (&str, &str), statement: &Tree) -> rusqlite::Result<()> {
    let body = causeway_store::compress(compact(statement, NodeId::ROOT).as_bytes());
    connection
        .prepare_cached("INSERT INTO held (kind, id, body) VALUES (?1, ?2, ?3)")?
        .execute(params![kind, id, &body[..]])?;
    Ok(())
}

/// What is held of a resource.
pub(super) fn held(connection: &Connection, (kind, id): (&str, &str)) -> anyhow::Result<Vec<Tree>> {
    let mut select = connection.prepare_cached("SELECT body FROM held WHERE kind = ?1 AND id = ?2 ORDER BY number")?;
    let bodies = select.query_map([kind, id], |row| row.get::<_, Vec<u8>>(0))?;
    let mut all = Vec::new();
    for body in bodies {
        let json = causeway_store::decompress(&body?, Limits::default().bytes);
        let json = json.map_err(|fault| anyhow::anyhow!("{}", fault.inside))?;
        all.push(parse(&json, Limits::default())?);
    }
    Ok(all)
}

/// What was held is in a version now.
pub(super) fn release(connection: &Connection, (kind, id): (&str, &str)) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM held WHERE kind = ?1 AND id = ?2")?
        .execute([kind, id])?;
    Ok(())
}

/// Something was said of a resource.
pub(super) fn stir(connection: &Connection, (kind, id): (&str, &str), last: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO stirring (kind, id, last) VALUES (?1, ?2, ?3)
             ON CONFLICT (kind, id) DO UPDATE SET last = max(last, excluded.last)",
        )?
        .execute(params![kind, id, last])?;
    Ok(())
}

/// A resource was whole at a time; what stirred it later stirs it still.
pub(super) fn settle(connection: &Connection, (kind, id): (&str, &str), whole: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM stirring WHERE kind = ?1 AND id = ?2 AND last <= ?3")?
        .execute(params![kind, id, whole])?;
    Ok(())
}

/// The resources that stir, those that are quiet longest first.
pub(super) fn stirring(connection: &Connection, most: usize) -> rusqlite::Result<Vec<Stirring>> {
    let mut select = connection.prepare_cached("SELECT kind, id, last FROM stirring ORDER BY last LIMIT ?1")?;
    let rows = select.query_map([most], |row| {
        Ok(Stirring {
            kind: row.get(0)?,
            id: row.get(1)?,
            last: row.get(2)?,
        })
    })?;
    rows.collect()
}
