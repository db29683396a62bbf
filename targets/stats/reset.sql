CREATE TABLE IF NOT EXISTS players (
    id integer PRIMARY KEY,
    points integer NOT NULL
);

INSERT INTO players (id, points) VALUES (7, 0)
ON CONFLICT (id) DO UPDATE SET points = excluded.points;
