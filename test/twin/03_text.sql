-- Chapters 9.4 and 9.7: strings and pattern matching.

-- name: text_concat_operator
SELECT id, note || '!', '<' || note || '>', note || name, note || owner FROM t ORDER BY id;

-- name: text_concat_nontext
SELECT id, note || 1, 2 || note, note || 1.5, note || true, note || date '2024-01-01' FROM t WHERE id < 10 ORDER BY id;

-- name: text_concat_other_columns
SELECT id, note || n, note || amount, flag || note, note || born, uid || note, host || note FROM t WHERE id < 10
ORDER BY id;

-- name: other_columns_concat_literal
SELECT id, n || 'x', amount || ' EUR', ratio || '', flag || '!', born || ' day', 'at ' || seen, uid || '',
    'from ' || host FROM t
WHERE id < 10 ORDER BY id;

-- name: text_normalized
SELECT id, note IS NORMALIZED, note IS NFD NORMALIZED, normalize(note), normalize(note, NFD) = note FROM t ORDER BY id;

-- name: text_lengths
SELECT id, bit_length(note), char_length(note), character_length(note), octet_length(note), length(note), length(name)
FROM t
ORDER BY id;

-- name: text_case
SELECT id, lower(note), upper(note), initcap(note), upper(name) FROM t ORDER BY id;

-- name: text_overlay_position
SELECT id, overlay(note placing 'XX' from 2 for 1), position('a' in note), position(note in 'an apple'),
    strpos(note, 'e') FROM t
ORDER BY id;

-- name: text_substring
SELECT id, substring(note from 2 for 3), substring(note from 2), substring(note for 2), substr(note, 2),
    substr(note, 2, 2) FROM t
ORDER BY id;

-- name: text_substring_pattern
SELECT id, substring(note from '[a-z]+'), substring(note similar '%#"a_#"%' escape '#'), substring(note, '(.)a') FROM t
ORDER BY id;

-- name: text_trim
SELECT id, trim(note), trim(both 'a' from note), trim(leading from note), trim(trailing 'e' from note),
    btrim(note, ' a'), ltrim(note),
    rtrim(note, 'e') FROM t ORDER BY id;

-- name: text_codes
SELECT id, ascii(note), chr(ascii(note) + 1) FROM t WHERE note <> '' ORDER BY id;

-- name: text_concat_functions
SELECT id, concat(note, name), concat(note, n, amount, flag, born), concat_ws(', ', note, name, n),
    concat_ws(note, 'a', 'b')
FROM t ORDER BY id;

-- name: text_concat_all_types
SELECT id, concat(raw, '|', doc, '|', ratio, '|', seen, '|', uid, '|', host) FROM t WHERE id <> 20 ORDER BY id;

-- name: text_format
SELECT id, format('%s is %s', name, n), format('%1$s-%1$s', note), format('%10s|%-10s|', name, name), format('%%')
FROM t
ORDER BY id;

-- name: text_format_quoting
SELECT id, format('INSERT INTO %I VALUES (%L, %L, %L)', name, note, n, born) FROM t WHERE name <> '' ORDER BY id;

-- name: text_format_column_as_format
SELECT id, format(note, 'arg') FROM t WHERE note NOT LIKE '%\%%' ORDER BY id;

-- name: text_format_all_types
SELECT id, format('%s %s %s %s %s', amount, ratio, flag, seen, uid), format('%L %L %L', host, raw, doc) FROM t
WHERE id <> 20
ORDER BY id;

-- name: text_left_right
SELECT id, left(note, 3), left(note, -2), right(note, 3), right(note, -2) FROM t ORDER BY id;

-- name: text_pad
SELECT id, lpad(note, 8, '*'), rpad(note, 8, '*'), lpad(name, 5), rpad('x', 5, name) FROM t ORDER BY id;

-- name: text_hashes
SELECT id, md5(note), encode(sha256(note::bytea), 'hex') FROM t WHERE note NOT LIKE '%\\%' ORDER BY id;

-- name: text_parse_ident
SELECT id, parse_ident(name) FROM t WHERE name ~ '^[A-Za-z]+$' ORDER BY id;

-- name: text_quote
SELECT id, quote_ident(name), quote_literal(note), quote_nullable(note) FROM t ORDER BY id;

-- name: text_quote_literal_others
SELECT id, quote_literal(n), quote_literal(amount), quote_nullable(born), quote_literal(flag), quote_nullable(doc)
FROM t
WHERE id <> 20 ORDER BY id;

-- name: text_repeat_replace
SELECT id, repeat(name, 2), replace(note, 'a', 'A'), replace('banana', 'a', name), reverse(note),
    translate(note, 'abc', 'xyz')
FROM t ORDER BY id;

-- name: text_split
SELECT id, split_part(note, ' ', 1), split_part(note, ' ', -1), string_to_array(note, ' '),
    string_to_array(note, ' ', 'a') FROM t
ORDER BY id;

-- name: text_string_to_table
SELECT id, w FROM t, string_to_table(note, ' ') WITH ORDINALITY s(w, o) WHERE id <> 20 ORDER BY id, o;

-- name: text_starts_with
SELECT id, starts_with(note, 'app'), note ^@ 'b', starts_with('apple pie', note) FROM t ORDER BY id;

-- name: text_convert
SELECT id, convert_to(note, 'UTF8'), to_ascii(name, 'LATIN1') FROM t WHERE id < 4 ORDER BY id;

-- name: text_unistr
SELECT id, unistr(name) FROM t WHERE id < 4 ORDER BY id;

-- name: text_to_hex_ascii
SELECT id, encode(convert_to(note, 'UTF8'), 'base64') FROM t WHERE id <> 20 ORDER BY id;

-- name: like
SELECT id, note LIKE 'a%', note NOT LIKE '_pple', note LIKE '%\%%', note LIKE '%!%%' ESCAPE '!', note ~~ '%a%',
    note !~~ 'a%'
FROM t ORDER BY id;

-- name: ilike
SELECT id, note ILIKE 'A%', note NOT ILIKE '%AN%', note ~~* 'APPLE', note !~~* '%É%' FROM t ORDER BY id;

-- name: like_varchar
SELECT id FROM t WHERE name LIKE '%n%' OR name ILIKE 'zo_' ORDER BY id;

-- name: like_column_pattern
SELECT id, 'apple pie' LIKE note || '%', 'banana' LIKE note FROM t WHERE id < 15 AND note NOT LIKE '%\\%' ORDER BY id;

-- name: like_other_types_fails
SELECT id FROM t WHERE n LIKE '1%';

-- name: like_bytea
SELECT id FROM t WHERE raw LIKE '123%'::bytea OR raw LIKE '%b%' ORDER BY id;

-- name: like_any
SELECT id FROM t WHERE note LIKE ANY (ARRAY['a%', 'b%']) OR note ILIKE ALL ('{%s%,%e%}') ORDER BY id;

-- name: like_cast_number
SELECT id FROM t WHERE n::text LIKE '1%' OR amount::text LIKE '%.5' ORDER BY id;

-- name: similar_to
SELECT id, note SIMILAR TO '(a|b)%', note NOT SIMILAR TO '%[aeiou]', note SIMILAR TO '%50\%%' FROM t ORDER BY id;

-- name: regex
SELECT id, note ~ '^a', note ~* '^A', note !~ 'e$', note !~* 'E$', name ~ '\d+' FROM t ORDER BY id;

-- name: regex_column_pattern
SELECT id, 'apple' ~ note, 'APPLE' ~* note FROM t WHERE id IN (1, 2, 3, 4, 5) ORDER BY id;

-- name: regexp_functions
SELECT id, regexp_count(note, 'a'), regexp_instr(note, '[aeiou]'), regexp_like(note, '^A', 'i'),
    regexp_substr(note, '[a-z]+', 2)
FROM t ORDER BY id;

-- name: regexp_match
SELECT id, regexp_match(note, '(.)(p+)'), regexp_replace(note, '[aeiou]', '*', 'g'),
    regexp_replace(note, 'a', 'b', 1, 2) FROM t
ORDER BY id;

-- name: regexp_sets
SELECT id, m FROM t, regexp_matches(note, '[a-z]+', 'g') WITH ORDINALITY r(m, o) WHERE id < 15 ORDER BY id, o;

-- name: regexp_split
SELECT id, regexp_split_to_array(note, '\s+'), (SELECT count(*) FROM regexp_split_to_table(note, '\s+')) FROM t
WHERE id <> 20
ORDER BY id;

-- name: regexp_replace_from_column
SELECT id, regexp_replace('Hello NAME', 'NAME', name) FROM t WHERE name NOT LIKE '%\\%' ORDER BY id;

-- name: text_collate_c
SELECT id FROM t WHERE note COLLATE "C" < 'a' ORDER BY note COLLATE "C", id;

-- name: text_collate_icu
SELECT id, note FROM t WHERE id <> 20 ORDER BY note COLLATE "en-x-icu", id;

-- name: text_collate_case
SELECT id, upper(note COLLATE "C"), lower(note COLLATE "de-x-icu") FROM t ORDER BY id;

-- name: text_collate_nondeterministic
CREATE COLLATION ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT id FROM t WHERE note = 'APPLE' COLLATE ignore_case ORDER BY id;
SELECT count(DISTINCT note COLLATE ignore_case) FROM t;
SELECT a.id, b.id FROM t a JOIN t b ON a.note = b.note COLLATE ignore_case AND a.id < b.id WHERE a.id < 20
ORDER BY 1, 2;

-- name: text_collate_group
SELECT note COLLATE "C" AS k, count(*) FROM t GROUP BY note COLLATE "C" ORDER BY 1;

-- name: text_collate_conflict_fails
SELECT note COLLATE "C" < name COLLATE "en-x-icu" FROM t;

-- name: text_collation_for
SELECT collation for (note), collation for (note COLLATE "C") FROM t WHERE id = 1;

-- name: text_upper_where
SELECT id FROM t WHERE lower(note) = 'apple' ORDER BY id;

-- name: text_in_function_chain
SELECT id, upper(trim(replace(coalesce(note, 'none'), 'a', 'o'))) || '/' || length(name) FROM t ORDER BY id;

-- name: text_subscript_of_split
SELECT id, (string_to_array(note, ','))[2], (regexp_match(note, '\w+'))[1] FROM t ORDER BY id;

-- name: text_like_join
SELECT t.id, u.id FROM t JOIN u ON t.note LIKE '%' || left(u.note, 3) || '%' AND u.note <> '' AND t.id <> u.id
ORDER BY 1, 2;

-- name: text_inequality_chain
SELECT id FROM t WHERE note >= 'a' AND note < 'c' ORDER BY note, id;

-- name: text_convert_from_hex
SELECT id, decode(encode(note::bytea, 'hex'), 'hex') = convert_to(note, 'UTF8') FROM t WHERE note NOT LIKE '%\\%'
ORDER BY id;

-- name: text_as_numbers
SELECT id, note::int + 1, note::numeric, note::float8, note::bigint FROM t WHERE id = 16;

-- name: text_as_other_types
SELECT note::date + 1, note::timestamp, note::timestamptz FROM t WHERE id = 15;
SELECT note::jsonb -> 'a', note::json ->> 'a' FROM t WHERE id = 17;
SELECT name::int, name::varchar(1), name::char(3), name::name, name::bytea FROM t WHERE id = 16;

-- name: text_cast_fails
SELECT note::int FROM t WHERE id = 1;

-- name: text_cast_date_fails
SELECT note::date FROM t WHERE id = 1;

-- name: text_cast_jsonb_fails
SELECT note::jsonb FROM t WHERE id = 1;

-- name: text_levenshtein_like_loop
SELECT id, (SELECT string_agg(substr(note, i, 1), '-' ORDER BY i) FROM generate_series(1, length(note)) i) FROM t
WHERE id < 10
ORDER BY id;

-- name: varchar_functions
SELECT id, length(name), name || '!', substring(name, 1, 2), name::text, name::varchar, name::varchar(3) FROM t
ORDER BY id;

-- name: varchar_octets
SELECT id, octet_length(name), convert_to(name, 'UTF8'), md5(name), name LIKE '%ü%' FROM t ORDER BY id;
