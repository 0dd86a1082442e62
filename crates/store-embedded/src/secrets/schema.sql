-- One key an app, wrapped by the platform's key `kek`. `id` names it, so that what it wraps can't be moved under another.
CREATE TABLE app_key (
  app TEXT NOT NULL, env TEXT NOT NULL, id TEXT NOT NULL, kek TEXT NOT NULL, wrapped BLOB NOT NULL, PRIMARY KEY (app, env)
) WITHOUT ROWID;
-- The newest version that a name ever had, also when nothing is left of it.
CREATE TABLE secret_name (app TEXT NOT NULL, env TEXT NOT NULL, name TEXT NOT NULL, newest INT NOT NULL, PRIMARY KEY (app, env, name)) WITHOUT ROWID;
-- Values, each sealed with a key of its own, which the app's key wraps.
CREATE TABLE secret (
  n INTEGER PRIMARY KEY, app TEXT NOT NULL, env TEXT NOT NULL, name TEXT NOT NULL, version INT NOT NULL, at INT NOT NULL,
  dek BLOB NOT NULL, sealed BLOB NOT NULL, UNIQUE (app, env, name, version)
);
-- Pairs of keys that AWS clients sign with; the secret half is sealed alike.
CREATE TABLE access_key (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, app TEXT NOT NULL, env TEXT NOT NULL, read_only INT NOT NULL, at INT NOT NULL,
  dek BLOB NOT NULL, sealed BLOB NOT NULL
)
