CREATE TABLE object_bucket (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, made INT NOT NULL, config BLOB NOT NULL);

-- Every version of every object; `n` grows with each write and is never used again, so it is the version's id and its order.
-- state: 0 there is a newer one, 1 the newest, 2 the newest and a delete marker. `info` is `row::Meta`.
CREATE TABLE object (
  n INTEGER PRIMARY KEY AUTOINCREMENT, bucket INT NOT NULL, key BLOB NOT NULL, is_null INT NOT NULL, state INT NOT NULL,
  modified INT NOT NULL, old_since INT, sum INT NOT NULL, info BLOB NOT NULL
);
CREATE UNIQUE INDEX object_version ON object (bucket, key, n DESC);
-- What is there, so that a listing never steps over what is not. The other two are empty where no versions are kept.
CREATE UNIQUE INDEX object_present ON object (bucket, key) WHERE state = 1;
CREATE INDEX object_old ON object (bucket, key, n) WHERE state = 0;
CREATE UNIQUE INDEX object_marker ON object (bucket, key) WHERE state = 2;

-- The bytes of small objects, apart from what changes later.
CREATE TABLE object_bytes (n INTEGER PRIMARY KEY, sum INT NOT NULL, bytes BLOB NOT NULL);

-- Files that hold the bytes of the others, and how many objects and parts name each. One that nothing names is yet to be unlinked.
CREATE TABLE object_file (id INTEGER PRIMARY KEY, refs INT NOT NULL);
CREATE INDEX object_file_dead ON object_file (id) WHERE refs = 0;

CREATE TABLE object_upload (
  n INTEGER PRIMARY KEY AUTOINCREMENT, bucket INT NOT NULL, key BLOB NOT NULL, began INT NOT NULL, sum INT NOT NULL, info BLOB NOT NULL
);
CREATE UNIQUE INDEX object_upload_key ON object_upload (bucket, key, n);
CREATE TABLE object_part (
  upload INT NOT NULL, number INT NOT NULL, sum INT NOT NULL, info BLOB NOT NULL, PRIMARY KEY (upload, number)
) WITHOUT ROWID;

-- How often the folder was opened: files are numbered within that, so that no number comes twice.
CREATE TABLE object_folder (generation INT NOT NULL);
INSERT INTO object_folder VALUES (0)
