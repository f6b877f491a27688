-- Tables and first rows; run at every start, so each statement may find its work done.
CREATE TABLE IF NOT EXISTS users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS products (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    price_usd numeric(10, 2) NOT NULL CHECK (price_usd > 0),
    sold bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    product_id bigint NOT NULL REFERENCES products ON DELETE CASCADE,
    quantity integer NOT NULL CHECK (quantity > 0),
    amount_usd numeric(12, 2) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sender_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    recipient_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS orders_user ON orders (user_id);
CREATE INDEX IF NOT EXISTS orders_product ON orders (product_id);
CREATE INDEX IF NOT EXISTS orders_created ON orders (created_at);
CREATE INDEX IF NOT EXISTS messages_sender ON messages (sender_id);
CREATE INDEX IF NOT EXISTS messages_recipient ON messages (recipient_id, id DESC);
CREATE INDEX IF NOT EXISTS messages_created ON messages (created_at);

INSERT INTO users (email, name)
SELECT format('user%s@example.com', n), format('User %s', n)
FROM generate_series(1, 200) AS n
WHERE NOT EXISTS (SELECT FROM users);
INSERT INTO products (name, price_usd)
SELECT format('Product %s', n), 5 + (n * 37 % 95) + 0.99
FROM generate_series(1, 60) AS n
WHERE NOT EXISTS (SELECT FROM products);
