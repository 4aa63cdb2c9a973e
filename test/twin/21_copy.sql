-- COPY: every format, both directions, through the client and through a file of the server (:file).

-- name: copy_out_text
COPY (SELECT * FROM t WHERE id <> 20 ORDER BY id) TO STDOUT;

-- name: copy_out_table
COPY u TO STDOUT;

-- name: copy_out_columns
COPY u (id, note, n, flag) TO STDOUT (DELIMITER '|', NULL '-');

-- name: copy_out_csv
COPY (SELECT * FROM t WHERE id <> 20 ORDER BY id) TO STDOUT (FORMAT csv, HEADER);

-- name: copy_out_csv_quoted
COPY (SELECT id, note, name, n, doc FROM t WHERE id <> 20
    ORDER BY id) TO STDOUT (FORMAT csv, FORCE_QUOTE *, NULL 'NULL', DELIMITER ';');

-- name: copy_out_query
COPY (SELECT note, count(*), sum(n), max(born) FROM t WHERE id > 20 GROUP BY note ORDER BY note) TO STDOUT (FORMAT csv);

-- name: copy_in_text
COPY t (id, note, name, raw, doc, n, amount, price, ratio, flag, born, seen, uid, host) FROM STDIN;
100	text	name	\\x0102	{"a": [1]}	5	1.50	2.345	0.1	t	2024-01-01	2024-01-01 00:00+00	00000000000000000000000000000001	10.0.0.1/8
101	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N
102	tab\there\nline			[]	-5	NaN	0	-Infinity	f	infinity	-infinity	C0FFEE00000040008000000000000002	::1
\.

-- name: copy_in_csv
COPY t (id, note, n, amount, flag) FROM STDIN (FORMAT csv, HEADER, NULL 'none');
id,note,n,amount,flag
100,"quoted, with ""quotes""",5,1.5,yes
101,none,none,none,none
102,,0,0,no
\.

-- name: copy_in_defaults
ALTER TABLE t ALTER note SET DEFAULT 'by default', ALTER n SET DEFAULT 42;
COPY t (id, amount) FROM STDIN;
100	1.5
\.

-- name: copy_in_where
COPY t (id, note, n) FROM STDIN (FORMAT csv) WHERE n > 5 AND note LIKE 'k%';
100,keep,10
101,keep,1
102,drop,10
\.

-- name: copy_in_bad_value_fails
COPY t (id, n) FROM STDIN;
100	five
\.

-- name: copy_in_too_long_fails
COPY t (id, name) FROM STDIN;
100	a name that is much too long
\.

-- name: copy_in_bad_date_fails
COPY t (id, born) FROM STDIN;
100	2024-02-30
\.

-- name: copy_in_trigger
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := upper(NEW.note); NEW.n := NEW.n + 1;
RETURN NEW;
    END $$;
CREATE TRIGGER shout BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION shout();
COPY t (id, note, n) FROM STDIN;
100	quiet	5
\.

-- name: copy_file_text
COPY t TO :'file';
CREATE TEMP TABLE back (LIKE t);
COPY back FROM :'file';
SELECT count(*) FROM t JOIN back USING (id, note, n, amount, born);
SELECT md5(pg_read_file(:'file'));

-- name: copy_file_csv
COPY t TO :'file' (FORMAT csv, HEADER);
CREATE TEMP TABLE back (LIKE t);
COPY back FROM :'file' (FORMAT csv, HEADER match);
SELECT * FROM back WHERE id <> 20 EXCEPT SELECT * FROM t;
SELECT md5(pg_read_file(:'file'));

-- name: copy_file_binary
COPY u TO :'file' (FORMAT binary);
CREATE TEMP TABLE back (LIKE u);
COPY back FROM :'file' (FORMAT binary);
SELECT * FROM back EXCEPT SELECT * FROM u;
SELECT count(*) FROM back;

-- name: copy_file_binary_to_plain
COPY u TO :'file' (FORMAT binary);
TRUNCATE p;
COPY p FROM :'file' (FORMAT binary);
SELECT * FROM p ORDER BY id;

-- name: copy_file_binary_from_plain
COPY p TO :'file' (FORMAT binary);
TRUNCATE u;
COPY u FROM :'file' (FORMAT binary);

-- name: copy_file_binary_bytes
COPY (SELECT * FROM t ORDER BY id) TO :'file' (FORMAT binary);
SELECT md5(pg_read_binary_file(:'file'));

-- name: copy_text_plain_to_encrypted
COPY p TO :'file';
TRUNCATE u;
COPY u FROM :'file';

-- name: copy_text_encrypted_to_plain
COPY u TO :'file';
TRUNCATE p;
COPY p FROM :'file';
SELECT * FROM p ORDER BY id;

-- name: copy_encoding
COPY (SELECT id, name FROM t WHERE id = 6) TO :'file' (ENCODING 'LATIN1');
SELECT encode(pg_read_binary_file(:'file'), 'hex');
