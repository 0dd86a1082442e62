CREATE TABLE revision (
  app TEXT NOT NULL, env TEXT NOT NULL, number INT NOT NULL, created INT NOT NULL, model TEXT NOT NULL, artifacts TEXT NOT NULL,
  sum INT NOT NULL, PRIMARY KEY (app, env, number)
);
CREATE TABLE share (app TEXT NOT NULL, env TEXT NOT NULL, place INT NOT NULL, revision INT NOT NULL, weight INT NOT NULL,
  PRIMARY KEY (app, env, place)
) WITHOUT ROWID
