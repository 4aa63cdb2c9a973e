-- Chapter 9.5: binary strings.

-- name: bytea_concat
SELECT id, raw || '\x01', '\x01' || raw, raw || raw, raw || '\x01'::bytea FROM t WHERE id <> 20 ORDER BY id;

-- name: bytea_lengths
SELECT id, bit_length(raw), octet_length(raw), length(raw), bit_count(raw) FROM t ORDER BY id;

-- name: bytea_length_encoding
SELECT id, length(raw, 'UTF8') FROM t WHERE id IN (2, 4, 6, 7) ORDER BY id;

-- name: bytea_overlay_position
SELECT id, overlay(raw placing '\xff'::bytea from 1 for 1), position('\x5c'::bytea in raw), position('\x20' in raw)
FROM t
WHERE id <> 20 ORDER BY id;

-- name: bytea_substring
SELECT id, substring(raw from 2 for 2), substring(raw from 2), substr(raw, 1, 1), substr(raw, 2) FROM t WHERE id <> 20
ORDER BY id;

-- name: bytea_trim
SELECT id, trim('\x20'::bytea from raw), btrim(raw, '\x20'::bytea), ltrim(raw, '\x00'::bytea), rtrim(raw, '\x01'::bytea)
FROM t
WHERE id <> 20 ORDER BY id;

-- name: bytea_get_set
SELECT id, get_byte(raw, 0), get_bit(raw, 3), set_byte(raw, 0, 65), set_bit(raw, 3, 1) FROM t
WHERE length(raw) BETWEEN 1 AND 10
ORDER BY id;

-- name: bytea_hashes
SELECT id, md5(raw), sha224(raw), sha256(raw), sha384(raw), sha512(raw) FROM t ORDER BY id;

-- name: bytea_encode
SELECT id, encode(raw, 'hex'), encode(raw, 'base64'), encode(raw, 'escape') FROM t WHERE id <> 20 ORDER BY id;

-- name: bytea_convert
SELECT id, convert_from(raw, 'UTF8'), convert(raw, 'UTF8', 'UTF8') FROM t WHERE id IN (2, 6, 7, 16) ORDER BY id;

-- name: bytea_convert_fails
SELECT convert_from(raw, 'UTF8') FROM t WHERE id = 18;

-- name: bytea_index_fails
SELECT get_byte(raw, 100) FROM t WHERE id = 1;

-- name: bytea_casts
SELECT id, raw::text, raw::bytea, raw::varchar FROM t WHERE id < 15 ORDER BY id;

-- name: bytea_cast_numeric_fails
SELECT raw::numeric FROM t;

-- name: bytea_output_escape
SET LOCAL bytea_output = escape;
SELECT id, raw FROM t WHERE id <> 20 ORDER BY id;

-- name: bytea_order
SELECT id, raw FROM t WHERE id <> 20 ORDER BY raw DESC NULLS LAST, id;

-- name: bytea_in
SELECT id FROM t WHERE raw IN ('\x00', '\x01', decode('25', 'hex')) ORDER BY id;

-- name: bytea_any
SELECT id FROM t WHERE raw = ANY (ARRAY['\x00', '\x27']::bytea[]) ORDER BY id;

-- name: bytea_like
SELECT id, raw LIKE '\x5c5c'::bytea, raw NOT LIKE '%a%' FROM t WHERE id <> 20 AND raw <> '\x5c' ORDER BY id;

-- name: bytea_string_agg
SELECT string_agg(raw, '\x2d' ORDER BY id), string_agg(raw, ''::bytea ORDER BY id) FROM t WHERE id <> 20;

-- name: bytea_substring_compare
SELECT id FROM t WHERE substring(raw from 1 for 1) = '\x00' ORDER BY id;

-- name: bytea_text_column
SELECT id FROM t WHERE raw = convert_to(note, 'UTF8') OR raw = convert_to(name, 'UTF8') ORDER BY id;

-- name: bytea_coalesce
SELECT id, coalesce(raw, '\xee'), coalesce(raw, ''::bytea), nullif(raw, '\x00') FROM t WHERE id <> 20 ORDER BY id;

-- name: bytea_group
SELECT raw, count(*) FROM t WHERE id <> 20 GROUP BY raw ORDER BY raw;

-- name: bytea_large_object
SELECT lo_from_bytea(4242, raw) FROM t WHERE id = 3;
SELECT lo_put(4242, 4, raw), lo_get(4242) FROM t WHERE id = 18;

-- name: bytea_decode_roundtrip
SELECT count(*) FROM t WHERE decode(encode(raw, 'base64'), 'base64') = raw;
