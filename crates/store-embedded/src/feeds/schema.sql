-- Which changes go to which queue: one row a feed, in postcard.
CREATE TABLE feed (n INTEGER PRIMARY KEY, body BLOB NOT NULL)
