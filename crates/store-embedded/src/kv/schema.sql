-- One row a namespace. Changes at or below `trimmed` can't be watched any more.
CREATE TABLE ns (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, rev INT NOT NULL, trimmed INT NOT NULL);

-- Every change once, with the value that it set: what watchers read, and where present values live. A value is written once and
-- deleted once, when it is neither present nor above `trimmed`. `value` is null in a removal. Bodies stay out of WITHOUT ROWID tables.
CREATE TABLE change (
  n INTEGER PRIMARY KEY, ns INT NOT NULL, rev INT NOT NULL, expires INT, sum INT NOT NULL, key BLOB NOT NULL, value BLOB
);
CREATE INDEX change_rev ON change (ns, rev);

-- The present entries: narrow rows that point to the change that holds the value.
CREATE TABLE kv (
  ns INT NOT NULL, key BLOB NOT NULL, n INT NOT NULL, rev INT NOT NULL, expires INT, PRIMARY KEY (ns, key)
) WITHOUT ROWID;
CREATE INDEX kv_expires ON kv (expires) WHERE expires IS NOT NULL;

-- The first reply to each idempotency key: exactly one of `rev` and `refused` is set.
CREATE TABLE idem (
  n INTEGER PRIMARY KEY, ns INT NOT NULL, key TEXT NOT NULL, hash BLOB NOT NULL, rev INT, refused INT, until INT NOT NULL,
  UNIQUE (ns, key)
)
