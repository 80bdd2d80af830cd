-- A log as schema 1 has it: one answered frame with a resend, one that was running when the process died.
CREATE TABLE log(
  position INTEGER PRIMARY KEY, kind INTEGER NOT NULL, number INTEGER NOT NULL, time INTEGER NOT NULL,
  mark INTEGER) STRICT;
CREATE INDEX log_rest ON log(number) WHERE kind IN (1, 3);
CREATE TABLE frame(
  number INTEGER PRIMARY KEY, position INTEGER NOT NULL, received INTEGER NOT NULL, listener TEXT NOT NULL,
  peer TEXT NOT NULL, head TEXT NOT NULL, snapshot TEXT NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE open(
  number INTEGER PRIMARY KEY, state INTEGER NOT NULL, deaths INTEGER NOT NULL, recovered INTEGER NOT NULL) STRICT;
CREATE TABLE answer(
  number INTEGER PRIMARY KEY, position INTEGER NOT NULL, time INTEGER NOT NULL, sum INTEGER NOT NULL,
  replies BLOB NOT NULL, parts BLOB NOT NULL) STRICT;
CREATE TABLE decided(
  id INTEGER PRIMARY KEY, number INTEGER NOT NULL, sum INTEGER NOT NULL, parts BLOB NOT NULL) STRICT;
CREATE INDEX decided_number ON decided(number);
CREATE TABLE delivery(
  id INTEGER PRIMARY KEY, number INTEGER NOT NULL, part INTEGER NOT NULL, destination TEXT NOT NULL,
  order_key TEXT, media_type TEXT NOT NULL, body BLOB NOT NULL, state INTEGER NOT NULL) STRICT;
CREATE INDEX delivery_number ON delivery(number, part);
CREATE INDEX delivery_waiting ON delivery(id) WHERE state = 0;
CREATE TABLE sieve(day INTEGER PRIMARY KEY, bits BLOB NOT NULL) STRICT;
CREATE TABLE probe(id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE tally(
  id INTEGER PRIMARY KEY CHECK (id = 1), tail INTEGER NOT NULL, next INTEGER NOT NULL,
  accepted INTEGER NOT NULL, answered INTEGER NOT NULL, held INTEGER NOT NULL, indexed INTEGER NOT NULL) STRICT;
PRAGMA journal_mode = WAL;
PRAGMA user_version = 1;

-- 2026-01-02T03:04:05.678Z
INSERT INTO log VALUES (1, 0, 1, 1767323045678000000, 11), (2, 1, 1, 1767323046000000000, NULL),
  (3, 2, 1, 1767323047000000000, NULL), (4, 0, 3, 1767323048000000000, 33);
INSERT INTO frame VALUES
  (1, 1, 1767323045678000000, 'lab', '10.0.0.9:1', '', 'maps', zeroblob(32), CAST('MSH|one' AS BLOB)),
  (3, 4, 1767323048000000000, 'lab', '10.0.0.9:1', '{"transport":"file","name":"a.hl7"}', 'maps', zeroblob(32), x'');
INSERT INTO open VALUES (3, 0, 0, 0);
-- Replies: form 1, one of them; application, positive, no head, 2 bytes "AA".
-- Parts: form 1, one of them; part 7, remarked, one delivery, 2 bytes "{}", 0 bytes.
INSERT INTO answer VALUES (1, 3, 1767323047000000000, 0,
  x'0101000000010100000000020000004141',
  x'0101000000070000000101000000020000007B7D00000000');
INSERT INTO delivery VALUES (1, 1, 7, 'ward', NULL, 'text/plain', x'41', 0);
INSERT INTO tally VALUES (1, 4, 4, 2, 1, 0, 0);
