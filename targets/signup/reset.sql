CREATE TABLE IF NOT EXISTS accounts (id bigserial PRIMARY KEY, name text NOT NULL);
CREATE TABLE IF NOT EXISTS members (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS coupons (code text PRIMARY KEY, used boolean NOT NULL);
CREATE TABLE IF NOT EXISTS credits (
    id bigserial PRIMARY KEY, coupon_id text NOT NULL REFERENCES coupons, customer integer NOT NULL
);
CREATE TABLE IF NOT EXISTS events (id bigint PRIMARY KEY, seats integer NOT NULL);
CREATE TABLE IF NOT EXISTS bookings (
    id bigserial PRIMARY KEY, event_id bigint NOT NULL REFERENCES events, customer integer NOT NULL
);

TRUNCATE accounts, members, credits, coupons, bookings, events;

INSERT INTO coupons VALUES ('WELCOME', false);
INSERT INTO events VALUES (1, 4);
