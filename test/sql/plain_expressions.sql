-- What names a column is, after envcrypt_unprotect(), what it was before envcrypt_protect(): the casts that opened it
-- are gone, and nothing else is.
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE SCHEMA plain_expressions;
SET search_path = plain_expressions, public;
\pset format unaligned
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';

CREATE TABLE payroll (id int PRIMARY KEY, who text, salary numeric(12,2), bonus numeric(5,1), level numeric);
CREATE TABLE grade (id int, salary text, who text);
CREATE TABLE manager (boss text) INHERITS (payroll);

-- Another column of the same name, which is cast by its owner's wish.
CREATE POLICY elsewhere ON payroll
    USING (salary > (SELECT max(g.salary::numeric) FROM grade g WHERE g.id = payroll.id));
-- The table within a query: itself, under another name, through a join and its alias, in a CTE.
CREATE POLICY within ON grade USING (EXISTS (SELECT FROM payroll p WHERE p.salary > 5 AND p.who = grade.who
    AND grade.salary::numeric > p.bonus + (SELECT avg(q.salary * p.bonus) FROM payroll q)));
CREATE POLICY joined ON grade USING (EXISTS (SELECT FROM (payroll p JOIN grade g USING (id)) AS j (a, b, c, d, e, f, g)
    WHERE j.c > 5 AND j.d + j.c > 0));
CREATE POLICY named ON grade USING (EXISTS (WITH rich AS (SELECT id FROM payroll WHERE salary > 5) SELECT FROM rich));
-- Conditions of triggers: quotes, parentheses and WHEN in names and constants.
CREATE TRIGGER "raised WHEN (new.""salary"" > (0)" AFTER UPDATE OF salary ON payroll FOR EACH ROW
    WHEN (old.salary < new.salary AND new.who <> ') WHEN ((new.salary)::numeric > ''"(' AND new.who <> E'\\"')
    EXECUTE FUNCTION touched(' WHEN (', '(new.salary)::numeric');
CREATE TRIGGER cases BEFORE INSERT OR UPDATE ON payroll FOR EACH ROW
    WHEN (CASE WHEN new.salary > 3 THEN new.bonus < 1 ELSE new.level > 0 END) EXECUTE FUNCTION touched();
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON payroll DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (new.salary > 1 OR new IS NULL) EXECUTE FUNCTION touched();
-- Checks: of several columns, of those that inherit, with constants that look like it.
ALTER TABLE payroll ADD CONSTRAINT several CHECK (salary > bonus AND bonus > level),
    ADD CONSTRAINT here CHECK (salary + 1 > 0 AND who <> '(salary)::numeric NOT VALID') NO INHERIT,
    ADD CONSTRAINT cases CHECK (CASE salary WHEN 1 THEN bonus ELSE 0 END >= 0),
    ADD CONSTRAINT unchecked CHECK (salary < 1000000 OR who = ' NOT VALID') NOT VALID;
ALTER TABLE manager ADD CONSTRAINT more CHECK (salary > 10 AND boss <> who);

CREATE VIEW described AS
    SELECT conrelid::regclass || ' ' || conname AS object, pg_get_constraintdef(oid) AS definition FROM pg_constraint
    WHERE conrelid IN ('payroll'::regclass, 'manager'::regclass) AND contype = 'c'
    UNION ALL SELECT polname, pg_get_expr(polqual, polrelid) FROM pg_policy
    WHERE polrelid IN ('payroll'::regclass, 'grade'::regclass)
    UNION ALL SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger
    WHERE tgrelid = 'payroll'::regclass AND NOT tgisinternal AND tgname !~ 'envcrypt';
CREATE TABLE before AS SELECT * FROM described;
INSERT INTO payroll VALUES (1, 'a', 20, 2, 1);
INSERT INTO manager VALUES (2, 'b', 20, 2, 1, 'c');

SELECT envcrypt_protect('payroll', '{salary,bonus,level}'::name[], 'who');
SELECT object, definition FROM described ORDER BY object COLLATE "C";
-- One by one, then all.
SELECT envcrypt_unprotect('payroll', 'bonus');
SELECT object, definition FROM described WHERE object ~ ' several| cases$' ORDER BY object COLLATE "C";
SELECT envcrypt_unprotect('payroll', '{salary,level}'::name[]);
SELECT object, definition FROM described EXCEPT SELECT * FROM before ORDER BY 1;
SELECT object, definition FROM before EXCEPT SELECT * FROM described ORDER BY 1;
SELECT * FROM payroll ORDER BY id;

\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA plain_expressions CASCADE;
