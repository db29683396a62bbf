CREATE TABLE IF NOT EXISTS accounts (
    id integer PRIMARY KEY,
    balance integer NOT NULL
);

INSERT INTO accounts (id, balance) VALUES (1, 100)
ON CONFLICT (id) DO UPDATE SET balance = excluded.balance;
