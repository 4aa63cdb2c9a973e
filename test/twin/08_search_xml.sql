-- Chapters 9.13 and 9.15: full text search and XML.

-- name: tsvector
SELECT id, to_tsvector('english', note) FROM t WHERE id <> 20 ORDER BY id;

-- name: tsvector_default_configuration
SELECT id, to_tsvector(note) FROM t WHERE id <> 20 ORDER BY id;

-- name: tsvector_jsonb
SELECT id, to_tsvector('english', doc), to_tsvector(doc) FROM t WHERE id <> 20 ORDER BY id;

-- name: tsvector_match
SELECT id FROM t WHERE to_tsvector('english', note) @@ to_tsquery('english', 'fox & jump') ORDER BY id;

-- name: tsvector_match_parts
SELECT id FROM t WHERE to_tsvector('simple', coalesce(note, '') || ' ' || coalesce(name, '')) @@
    plainto_tsquery('simple', 'fox')
ORDER BY id;

-- name: text_match_operator
SELECT id FROM t WHERE note @@ 'fox' OR note @@ to_tsquery('apple') ORDER BY id;

-- name: tsquery_from_column
SELECT id, plainto_tsquery('english', note), phraseto_tsquery('english', note), websearch_to_tsquery('english', note)
FROM t
WHERE id <> 20 ORDER BY id;

-- name: to_tsquery_from_column
SELECT id, to_tsquery('simple', name) FROM t WHERE name ~ '^[A-Za-z]+$' ORDER BY id;

-- name: ts_headline
SELECT id, ts_headline('english', note, to_tsquery('english', 'fox')),
    ts_headline('english', doc, to_tsquery('english', 'fox'))
FROM t
WHERE id = 18;

-- name: ts_rank
SELECT id, ts_rank(to_tsvector('english', note), to_tsquery('english', 'note')) AS rank FROM t
ORDER BY rank DESC NULLS LAST, id;

-- name: tsvector_update_trigger
CREATE TABLE search (note text, terms tsvector GENERATED ALWAYS AS (to_tsvector('english', note)) STORED);
INSERT INTO search SELECT note FROM t WHERE id < 20;
SELECT * FROM search ORDER BY note;

-- name: ts_debug
SELECT alias, token FROM ts_debug('english', (SELECT note FROM t WHERE id = 18)) WHERE alias <> 'blank';

-- name: jsonb_to_tsvector
SELECT id, jsonb_to_tsvector('english', doc, '["string", "numeric"]') FROM t WHERE id <> 20 ORDER BY id;

-- name: xmlelement
SELECT id, xmlelement(name person, note, n, born) FROM t WHERE id < 20 AND isfinite(born) ORDER BY id;

-- name: xmlelement_attributes
SELECT id, xmlelement(name person, xmlattributes(name, n, amount)) FROM t ORDER BY id;

-- name: xmlelement_bool
SELECT xmlelement(name a, flag), xmlelement(name a, xmlattributes(flag)) FROM t WHERE id = 1;

-- name: xmlelement_infinite_date_fails
SELECT xmlelement(name person, born) FROM t WHERE id = 8;

-- name: xmlelement_bytea
SELECT xmlelement(name raw, raw), xmlelement(name raw, xmlattributes(raw)) FROM t WHERE id = 3;

-- name: xmlelement_other_types
SELECT id, xmlelement(name a, doc), xmlelement(name a, ratio), xmlelement(name a, uid), xmlelement(name a, host),
    xmlelement(name a, amount) FROM t WHERE id <> 20 ORDER BY id;

-- name: xmlelement_timestamptz
SELECT xmlelement(name a, seen), xmlelement(name a, xmlattributes(seen, born)) FROM t WHERE id = 2;

-- name: xmlforest
SELECT id, xmlforest(note, name AS "the name", n, amount, host) FROM t WHERE id <> 20 ORDER BY id;

-- name: xmlconcat_xmlagg
SELECT xmlagg(xmlelement(name note, note) ORDER BY id) FROM t WHERE id < 10;

-- name: xml_parse_column
SELECT xmlparse(content note), xml_is_well_formed(note), xml_is_well_formed_content(note) FROM t WHERE id = 1;

-- name: xml_cast_column
SELECT note::xml, xpath('/text()', xmlelement(name a, note)) FROM t WHERE id = 1;

-- name: xml_well_formed
SELECT id, xml_is_well_formed_content(note), xml_is_well_formed_document('<a>' || name || '</a>') FROM t ORDER BY id;

-- name: xmlcomment
SELECT id, xmlcomment(name), xmlpi(name php, name) FROM t WHERE id < 10 ORDER BY id;

-- name: xmlserialize
SELECT id, xmlserialize(content xmlelement(name a, note) AS text) FROM t WHERE id < 20 ORDER BY id;

-- name: xmltable
SELECT t.id, x.* FROM t, xmltable('/r/w' PASSING xmlelement(name r, xmlelement(name w, note)) COLUMNS w text PATH '.',
    l int PATH 'string-length(.)') x WHERE t.id < 10 ORDER BY t.id;

-- name: query_to_xml
SELECT query_to_xml('SELECT id, note, name, n, amount, flag, born FROM t WHERE id < 2 ORDER BY id', true, false, '');

-- name: query_to_xml_more_types
SELECT query_to_xml('SELECT raw, doc, ratio, seen, uid, host FROM t WHERE id < 2 ORDER BY id', false, true, '');

-- name: query_to_xmlschema
SELECT query_to_xmlschema('SELECT note, n, born FROM t', true, false, '');
