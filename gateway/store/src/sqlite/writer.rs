//! The writer's thread: takes commands, applies each as it comes into an open transaction, and commits when somebody
//! waits, when the first record is old enough, or when the group is full. When nothing can be written it says no to
//! everything, tries again with growing pauses, and takes up its work when the disk takes bytes again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use causeway_core::Fault;
use rusqlite::Connection;

use super::apply::Trouble;
use super::command::Command;
use super::core::{Core, Staged};
use super::group::{Done, Group};
use super::{Options, Shared, connection, fault, recovery};
use crate::storage;

/// Pauses between attempts to write again.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Writer {
    path: PathBuf,
    db: Option<Connection>,
    core: Core,
    group: Group,
    outage: Option<Outage>,
    commands: Receiver<Command>,
    shared: Arc<Shared>,
    linger: Duration,
}

/// Nothing can be written.
struct Outage {
    fault: Fault,
    pause: Duration,
    again: Instant,
}

enum Next {
    Command(Command),
    Commit,
    Probe,
    End,
}

impl Writer {
    /// Opens the file, brings its tables to this version and recovers.
    pub(super) fn open(
        path: &Path,
        options: Options,
        commands: Receiver<Command>,
        shared: Arc<Shared>,
    ) -> Result<Self, Fault> {
        let mut db = connection::writer(path)?;
        recovery::start(&mut db).map_err(fault)?;
        let core = Core::load(&db, options.window).map_err(fault)?;
        shared.publish(&core.tally);
        shared.accounts.publish(&core.accounts);
        Ok(Self {
            path: path.to_owned(),
            db: Some(db),
            core,
            group: Group::default(),
            outage: None,
            commands,
            shared,
            linger: options.linger,
        })
    }

    /// Works until the log is closed or its owner is gone.
    pub(super) fn run(mut self) {
        let _mourner = Mourner(Arc::clone(&self.shared));
        loop {
            match self.next() {
                Next::Command(Command::Want(number)) => self.group.want(number),
                Next::Command(command) => self.take(command),
                Next::Commit => self.commit(),
                Next::Probe => self.probe(),
                Next::End => break,
            }
        }
        self.commit();
        if let Some(db) = &self.db {
            // If it cannot be written, the frames that still run count as having met a death.
            drop(recovery::end(db));
        }
    }

    fn next(&self) -> Next {
        if let Some(outage) = &self.outage {
            return self.wait(outage.again.saturating_duration_since(Instant::now()), Next::Probe);
        }
        if self.group.is_full() {
            return Next::Commit;
        }
        if self.group.is_due() {
            return match self.commands.try_recv() {
                Ok(command) => of(command),
                Err(TryRecvError::Empty) => Next::Commit,
                Err(TryRecvError::Disconnected) => Next::End,
            };
        }
        if self.group.is_empty() {
            return self.commands.recv().map_or(Next::End, of);
        }
        self.wait(self.group.remaining(self.linger), Next::Commit)
    }

    fn wait(&self, at_most: Duration, otherwise: Next) -> Next {
        match self.commands.recv_timeout(at_most) {
            Ok(command) => of(command),
            Err(RecvTimeoutError::Timeout) => otherwise,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }

    fn take(&mut self, command: Command) {
        let Some(db) = &self.db else {
            let fault = self.outage.as_ref().map(|outage| outage.fault.clone());
            return self
                .core
                .fail(command, &fault.unwrap_or_else(|| storage("the log is not open")));
        };
        match self.core.apply(db, &command) {
            Ok(done) => self.group.push(command, done),
            Err(Trouble::Record(fault)) => {
                self.core.fail(command, &fault);
                self.redo();
            }
            Err(Trouble::Engine(fault)) => {
                self.break_down(fault.clone());
                self.core.fail(command, &fault);
            }
        }
    }

    /// A record failed and may have left half of itself: rolls back and applies the others again. The usual reasons are
    /// tested before anything is written, so this is rare and its cost does not matter.
    fn redo(&mut self) {
        let mut commands: Vec<Command> = self.group.take().into_iter().map(|(command, _)| command).collect();
        let said = loop {
            match self.apply_all(&commands) {
                Ok(said) => break said,
                Err((index, Trouble::Record(fault))) => {
                    let bad = commands.remove(index);
                    self.core.fail(bad, &fault);
                }
                Err((_, Trouble::Engine(fault))) => {
                    self.put_back(commands, std::iter::repeat_with(|| Done::Nothing));
                    return self.break_down(fault);
                }
            }
        };
        self.put_back(commands, said);
    }

    /// Applies commands to a transaction of their own; fails with the place of the one that could not be.
    fn apply_all(&mut self, commands: &[Command]) -> Result<Vec<Done>, (usize, Trouble)> {
        let Some(db) = &self.db else { return Ok(Vec::new()) };
        rollback(db);
        self.core.staged = Staged::default();
        let mut said = Vec::with_capacity(commands.len());
        for (index, command) in commands.iter().enumerate() {
            said.push(self.core.apply(db, command).map_err(|trouble| (index, trouble))?);
        }
        Ok(said)
    }

    fn put_back(&mut self, commands: Vec<Command>, said: impl IntoIterator<Item = Done>) {
        for (command, done) in commands.into_iter().zip(said) {
            self.group.push(command, done);
        }
    }

    fn commit(&mut self) {
        let result = match &self.db {
            Some(db) if !db.is_autocommit() => self.core.seal(db).and_then(|()| commit(db)),
            _ => Ok(()),
        };
        match result {
            Ok(()) => self.finish(),
            Err(error) => self.break_down(fault(error)),
        }
    }

    fn finish(&mut self) {
        let changed = self.core.merge();
        self.shared.publish(&self.core.tally);
        self.shared.accounts.publish(&changed);
        let group = self.group.take();
        self.shared.count_commit(group.len());
        for (command, done) in group {
            self.core.finish(command, done);
        }
    }

    /// Nothing can be written: everything of this commit failed as far as anybody is told. The connection goes, since
    /// after a failed fsync only the file itself says what is in it.
    fn break_down(&mut self, fault: Fault) {
        self.shared.set_broken(Some(fault.inside.to_string()));
        for (command, _) in self.group.take() {
            self.core.doubt(command, &fault);
        }
        if let Some(db) = self.db.take() {
            rollback(&db);
        }
        self.core.staged = Staged::default();
        self.outage = Some(Outage {
            fault,
            pause: FIRST_PAUSE,
            again: Instant::now() + FIRST_PAUSE,
        });
    }

    fn probe(&mut self) {
        match recovery::again(&self.path, &mut self.core) {
            Ok(db) => {
                self.db = Some(db);
                self.outage = None;
                self.shared.publish(&self.core.tally);
                self.shared.accounts.publish(&self.core.accounts);
                self.shared.set_broken(None);
            }
            Err(fault) => {
                self.shared.set_broken(Some(fault.inside.to_string()));
                let pause = self.outage.as_ref().map_or(FIRST_PAUSE, |outage| outage.pause * 2);
                let pause = pause.min(LONGEST_PAUSE);
                self.outage = Some(Outage {
                    fault,
                    pause,
                    again: Instant::now() + pause,
                });
            }
        }
    }
}

fn of(command: Command) -> Next {
    match command {
        Command::Close => Next::End,
        command => Next::Command(command),
    }
}

fn commit(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("COMMIT")?.execute([]).map(drop)
}

/// After an I/O error SQLite may have rolled back by itself.
fn rollback(db: &Connection) {
    if !db.is_autocommit() {
        // If it fails too, closing the connection rolls back.
        drop(db.execute_batch("ROLLBACK"));
    }
}

/// Says that the writer is gone when it ends by a panic.
struct Mourner(Arc<Shared>);

impl Drop for Mourner {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.set_broken(Some("the log's writer stopped by a defect".into()));
        }
    }
}
