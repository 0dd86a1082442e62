-- One row a stream. `retention` in nanoseconds.
CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INT NOT NULL, retention INT NOT NULL);

-- Where each partition is: `next` for the next record, and `oldest` that may be read. Records below it are on their way out.
CREATE TABLE part (
  id INTEGER PRIMARY KEY, stream INT NOT NULL, place INT NOT NULL, next INT NOT NULL, oldest INT NOT NULL, UNIQUE (stream, place)
);

-- A record: written once, deleted once. n = part.id << 40 | sequence. `extras` are key and cause.
CREATE TABLE record (n INTEGER PRIMARY KEY, at INT NOT NULL, sum INT NOT NULL, extras BLOB, body BLOB NOT NULL);

-- Where each consumer group goes on, null before it committed, and the newest epoch that was given out.
CREATE TABLE consumer (
  stream INT NOT NULL, name TEXT NOT NULL, place INT NOT NULL, epoch INT NOT NULL, next INT, PRIMARY KEY (stream, name, place)
) WITHOUT ROWID;

-- Deduplication keys, and the place of the record that came with each first.
CREATE TABLE record_key (
  n INTEGER PRIMARY KEY, stream INT NOT NULL, key BLOB NOT NULL, place INT NOT NULL, sequence INT NOT NULL, until INT NOT NULL,
  UNIQUE (stream, key)
)
