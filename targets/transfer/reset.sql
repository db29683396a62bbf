CREATE TABLE IF NOT EXISTS accounts (
    id integer PRIMARY KEY,
    balance integer NOT NULL,
    version integer NOT NULL DEFAULT 0,
    fence bigint NOT NULL DEFAULT 0
);

-- Without a constraint on the key: what is unique is what each variant makes so.
CREATE TABLE IF NOT EXISTS payments (
    id bigserial PRIMARY KEY,
    account integer NOT NULL REFERENCES accounts,
    key text NOT NULL,
    reference text NOT NULL,
    amount integer NOT NULL
);

CREATE TABLE IF NOT EXISTS keys (
    account integer NOT NULL REFERENCES accounts,
    key text NOT NULL,
    PRIMARY KEY (account, key)
);

TRUNCATE payments, keys;

INSERT INTO accounts (id, balance) VALUES (1, 100)
ON CONFLICT (id) DO UPDATE SET balance = excluded.balance, version = 0, fence = 0;
