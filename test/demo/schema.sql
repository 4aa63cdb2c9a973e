-- The demo's two tables, its roles, and the plaintext file as a foreign table. Variables: texts, people.

CREATE EXTENSION envcrypt;
CREATE EXTENSION file_fdw;

CREATE ROLE app LOGIN;
GRANT envcrypt_encrypt, envcrypt_decrypt TO app;
CREATE ROLE clerk LOGIN;
GRANT envcrypt_encrypt TO clerk;

CREATE TABLE people (person_id int PRIMARY KEY, name text NOT NULL);
INSERT INTO people
SELECT n + 1, (ARRAY['Ada', 'Alan', 'Barbara', 'Dennis', 'Donald', 'Edsger', 'Frances', 'Grace', 'Jean', 'Ken',
                 'Leslie', 'Margaret', 'Niklaus', 'Radia', 'Tony'])[1 + n % 15]
          || ' ' ||
          (ARRAY['Archer', 'Baker', 'Carter', 'Dyer', 'Fisher', 'Glover', 'Hunter', 'Mason', 'Miller', 'Potter',
                 'Sawyer', 'Shepherd', 'Smith', 'Tanner', 'Taylor', 'Thatcher', 'Turner', 'Weaver', 'Webster',
                 'Wright'])[1 + n / 15]
FROM generate_series(0, :people - 1) AS n;

CREATE TABLE notes (
    note_id int PRIMARY KEY,
    person_id int NOT NULL REFERENCES people,
    body text NOT NULL
);
ALTER TABLE notes OWNER TO app;

CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE plain_file (note_id int, person_id int, body text) SERVER files OPTIONS (filename :'texts');

GRANT SELECT ON people, plain_file TO app;
GRANT SELECT ON people TO clerk;
GRANT SELECT, INSERT, UPDATE ON notes TO clerk;
