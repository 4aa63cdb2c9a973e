-- Moving a table in: one-shot beside a plain rewrite of the same table, and online. Variable: rows.

CREATE TABLE moved (id int PRIMARY KEY, owner text, body text);
INSERT INTO moved SELECT id, owner, body FROM plain;
CREATE TABLE moved_online (LIKE moved INCLUDING ALL);
INSERT INTO moved_online TABLE moved;
VACUUM ANALYZE moved, moved_online;
SELECT measure_statement('rewrite', 1, 'ALTER TABLE moved ALTER body TYPE text USING body || ''''');
SELECT measure_statement('protect', 1, $$SELECT envcrypt_protect('moved', 'body', 'owner')$$);
SELECT clock_timestamp() AS start \gset
CALL envcrypt_protect_online('moved_online', 'body', 'owner', verify => false);
INSERT INTO times VALUES ('online', 1, 1000 * extract(epoch FROM clock_timestamp() - :'start'));

\pset footer off
\echo
\echo 'Moving a table in'
SELECT label AS "by", round(:rows / (b.ms - coalesce(a.ms, 0)) * 1000) AS "rows/s", target
FROM (VALUES (1, 'envcrypt_protect, beyond a plain rewrite', 'rewrite', 'protect', '>= 500,000'),
             (2, 'envcrypt_protect_online, without verification', NULL, 'online', '>= 100,000')) AS v (place, label,
             plain, sealed, target)
JOIN times b ON b.name = v.sealed AND b.round = 1
LEFT JOIN times a ON a.name = v.plain AND a.round = 1
ORDER BY place;
