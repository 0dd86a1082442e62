-- The first reply to each idempotency key of a kind of call (`scope`): given again when the call is repeated.
CREATE TABLE reply (
  n INTEGER PRIMARY KEY, scope TEXT NOT NULL, key TEXT NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL, until INT NOT NULL,
  UNIQUE (scope, key)
)
