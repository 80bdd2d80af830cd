//! Forgetting superseded versions of messages that the log has dropped, a little at a time. What is current stays, with its
//! text: where a Bundle held it, the text is written beside its pack and the Bundle goes. Postings of what is gone stay in
//! the index, and lead to nothing.

use rusqlite::{Connection, params};

use super::pack::{Pack, SLOTS, Text, Texts};
use super::restated;

/// Packs looked at in one step.
const PACKS: usize = 128;

/// One pass over the packs of which something is superseded.
#[derive(Debug)]
pub(super) struct Pass {
    /// Microseconds since 1970; what was answered later stays.
    before: i64,
    /// The last pack looked at.
    after: u32,
}

impl Pass {
    pub(super) fn new(before: i64) -> Self {
        Self { before, after: 0 }
    }

    /// Does a little; whether there is more to do.
    pub(super) fn step(&mut self, connection: &mut Connection) -> anyhow::Result<bool> {
        let transaction = connection.transaction()?;
        transaction
            .prepare_cached("DELETE FROM older WHERE time < ?1")?
            .execute([self.before])?;
        let page = self.page(&transaction)?;
        for number in &page {
            forget(&transaction, *number)?;
        }
        transaction.commit()?;
        self.after = page.last().copied().unwrap_or(self.after);
        Ok(page.len() == PACKS)
    }

    /// Numbers rise with time, but for the clock being set.
    fn page(&self, connection: &Connection) -> rusqlite::Result<Vec<u32>> {
        let mut select = connection.prepare_cached(
            "SELECT number FROM pack WHERE number > ?1 AND dead != 0 AND time < ?2 ORDER BY number LIMIT ?3",
        )?;
        let rows = select.query_map(params![self.after, self.before, PACKS], |row| row.get(0))?;
        rows.collect()
    }
}

fn forget(connection: &Connection, number: u32) -> anyhow::Result<()> {
    let Some(mut pack) = Pack::open(connection, number)? else {
        return Ok(());
    };
    let source = pack.source;
    pack.gone |= pack.dead;
    restated::forget(connection, number, pack.gone)?;
    let lives = (0..pack.slots.len()).any(|slot| !pack.is_gone(slot));
    if lives {
        beside(connection, &mut pack)?;
        pack.put(connection, number)?;
    } else {
        connection
            .prepare_cached("DELETE FROM pack WHERE number = ?1")?
            .execute([number])?;
    }
    connection
        .prepare_cached("DELETE FROM source WHERE number = ?1 AND NOT EXISTS (SELECT 1 FROM pack WHERE source = ?1)")?
        .execute([source])?;
    Ok(())
}

/// Puts the texts of what lives beside the pack, which needs its source no more.
fn beside(connection: &Connection, pack: &mut Pack) -> anyhow::Result<()> {
    let texts = Texts::new(connection);
    let mut all = Vec::new();
    for number in 0..pack.slots.len().min(SLOTS) {
        let text = texts.text(pack, number)?.unwrap_or_default();
        all.push(text);
    }
    for (slot, text) in pack.slots.iter_mut().zip(&all) {
        slot.text = Text::Beside(text.len());
    }
    (pack.texts, pack.source, pack.dead) = (all.concat(), 0, 0);
    Ok(())
}
