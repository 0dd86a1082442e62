-- One row a queue that holds or held messages, or that somebody set something of. `retention` in nanoseconds; null for the platform's.
CREATE TABLE queue (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, retention INT);

-- A message: written once, deleted once. `due` is null without a delay. What readers at start need stands before the body, which may
-- reach into other pages. `extras` are attributes and cause. `size` is the body's, if it is packed with zstd. `sum` is over what is
-- stored.
CREATE TABLE msg (
  id INTEGER PRIMARY KEY, queue INT NOT NULL, at INT NOT NULL, due INT, grp BLOB, sum INT NOT NULL, extras BLOB, size INT,
  body BLOB NOT NULL
);

-- Of each message that was delivered: how often, and until when it is held or, if it was given back, delayed. Narrow, since it is
-- written with each delivery, before that leaves the store.
CREATE TABLE claim (id INTEGER PRIMARY KEY, attempt INT NOT NULL, is_held INT NOT NULL, until INT NOT NULL);

-- How each dead letter died; `queue` is the one in which it lies.
CREATE TABLE dead (
  id INTEGER PRIMARY KEY, queue INT NOT NULL, source INT NOT NULL, at INT NOT NULL, attempts INT NOT NULL, reason TEXT NOT NULL
);
CREATE INDEX dead_queue ON dead (queue, id);

-- Deduplication keys, which outlive their messages. `hash` tells another body.
CREATE TABLE dedup (
  n INTEGER PRIMARY KEY, queue INT NOT NULL, key BLOB NOT NULL, id INT NOT NULL, hash BLOB NOT NULL, until INT NOT NULL,
  UNIQUE (queue, key)
);

-- Numbers up to here may have been given out: a message's number is never given twice, also not when the newest are gone.
CREATE TABLE number (kind TEXT PRIMARY KEY, reserved INT NOT NULL) WITHOUT ROWID;
