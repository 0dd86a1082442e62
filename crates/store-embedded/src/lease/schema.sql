-- The newest epoch of each lease. Who holds it is known in memory only: holders end with the process.
CREATE TABLE lease (name TEXT PRIMARY KEY, epoch INT NOT NULL) WITHOUT ROWID
