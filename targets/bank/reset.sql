CREATE TABLE IF NOT EXISTS accounts (
    id integer PRIMARY KEY,
    balance integer NOT NULL,
    version integer NOT NULL DEFAULT 1
);

INSERT INTO accounts (id, balance) VALUES (1, 100)
ON CONFLICT (id) DO UPDATE SET balance = excluded.balance, version = excluded.version;

CREATE TABLE IF NOT EXISTS entries (
    account integer NOT NULL,
    number integer NOT NULL,
    amount integer NOT NULL,
    balance integer NOT NULL CHECK (balance >= 0),
    PRIMARY KEY (account, number)
);

CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries are never changed, only added';
END
$$;

CREATE OR REPLACE TRIGGER entries_stay BEFORE UPDATE OR DELETE ON entries
FOR EACH ROW EXECUTE FUNCTION refuse();

TRUNCATE entries;
INSERT INTO entries (account, number, amount, balance) VALUES (1, 1, 100, 100);
