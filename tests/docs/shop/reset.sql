DROP TABLE IF EXISTS items;
CREATE TABLE items (id integer PRIMARY KEY, left_over integer NOT NULL);
INSERT INTO items VALUES (1, 10);
