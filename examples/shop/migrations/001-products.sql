CREATE TABLE product (
    id    TEXT PRIMARY KEY,
    name  TEXT NOT NULL,
    cents INTEGER NOT NULL CHECK (cents > 0)
);
INSERT INTO product (id, name, cents) VALUES
    ('mug', 'A mug', 1250),
    ('hat', 'A hat with a dayfly on it', 2400),
    ('net', 'A fishing net', 3990);
