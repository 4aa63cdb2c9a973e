-- The tables of the twin test. Run twice: in schema "plain", where :text is text and so on, and in schema "twin", where
-- they are the encrypted types. Table p is plain in both.
CREATE SCHEMA :schema;
SET search_path = :schema, public;

CREATE TABLE t (
    id int PRIMARY KEY,
    owner text,
    note :text,
    name :varchar20,
    raw :bytea,
    doc :jsonb,
    n :int8,
    amount :numeric,
    price :numeric12_2,
    ratio :float8,
    flag :bool,
    born :date,
    seen :timestamptz,
    uid :uuid,
    host :inet
);

-- Something to join with.
CREATE TABLE u (
    id int PRIMARY KEY,
    note :text,
    raw :bytea,
    doc :jsonb,
    n :int8,
    amount :numeric,
    ratio :float8,
    flag :bool,
    born :date,
    seen :timestamptz,
    uid :uuid,
    host :inet
);

-- The same, in plain.
CREATE TABLE p (
    id int PRIMARY KEY,
    note text,
    raw bytea,
    doc jsonb,
    n int8,
    amount numeric,
    ratio float8,
    flag bool,
    born date,
    seen timestamptz,
    uid uuid,
    host inet
);
