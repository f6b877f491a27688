-- The tables of the worked examples.
CREATE TABLE IF NOT EXISTS stock (sku text PRIMARY KEY, quantity integer NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sku text NOT NULL REFERENCES stock,
  quantity integer NOT NULL
);
INSERT INTO stock VALUES ('cup', 12), ('plate', 7), ('bowl', 0) ON CONFLICT DO NOTHING;
