-- The platform's own tables inside each database of an app. Nobody but the platform reads or writes them.
CREATE TABLE _dayfly_migration (name TEXT PRIMARY KEY, hash BLOB NOT NULL, sql TEXT NOT NULL) WITHOUT ROWID;
-- The tables whose changes are noted.
CREATE TABLE _dayfly_capture (tbl TEXT PRIMARY KEY) WITHOUT ROWID;
-- Changes that were noted. The newest row is always kept, even when it is forgotten: so sequences only grow.
CREATE TABLE _dayfly_change (
  seq INTEGER PRIMARY KEY, tbl TEXT NOT NULL, op INT NOT NULL, columns TEXT NOT NULL, old BLOB, new BLOB, cause BLOB
);
-- Changes up to here were taken.
CREATE TABLE _dayfly_forgotten (one INTEGER PRIMARY KEY CHECK (one = 1), upto INT NOT NULL);
INSERT INTO _dayfly_forgotten (one, upto) VALUES (1, 0)
