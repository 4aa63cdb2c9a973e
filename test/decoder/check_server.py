#!/usr/bin/python3
"""Checks a server against the decoder, both ways: each opens what the other made, and refuses what it must.

    check_server.py PATH-OF-format.md WORK-DIRECTORY

Uses psql, with the server of PGHOST; run.sh starts it.
"""

import os
import struct
import subprocess
import sys
import time
from typing import Dict, Iterable, List, Optional, Tuple

import check_types
import envcrypt_format as f
from check_vectors import Vectors, flip, keyrings, row_changes
from checks import check, equal, section
from envcrypt_format import BYTEA, TEXT, KeyRow, KeyTable, MasterKey
from server import CANNOT_OPEN, SEED, Database, Failed, hexed, psql_command, rng, text_or_null

TYPE = {TEXT: "text", BYTEA: "bytea"}
TRIES = 1_000_000


def literal(tag: int, plaintext: bytes) -> str:
    return text_or_null(plaintext) if tag == TEXT else hexed(plaintext)


# What the server says of a value, given as armored text or as bytes: 'open HEX', or SQLSTATE and all that a client
# sees.
TRY_OPEN = """
CREATE FUNCTION try_open(tag int, armored text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    opened bytea;
    s text; m text; d text; h text;
BEGIN
    IF tag = 1 THEN
        opened := textsend(envcrypt_open(encrypted_text_in(textout(armored), 0, -1)));
    ELSE
        opened := envcrypt_open(encrypted_bytea_in(textout(armored), 0, -1));
    END IF;
    RETURN 'open ' || encode(opened, 'hex');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS s = RETURNED_SQLSTATE, m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN s || ' ' || translate(m || '/' || d || '/' || h, E'\\n|', '  ');
END $$;
"""


def try_open(database: Database, values: Iterable[Tuple[int, str]]) -> List[str]:
    """What the server says of each (type tag, armored text)."""
    rows = "\n".join(f"SELECT try_open({tag}, {text_or_null(armored.encode())});" for tag, armored in values)
    return [row[0] for row in database.run(rows, io="ciphertext")]


def say(table: KeyTable, tag: int, armored: str) -> str:
    """The same of the decoder."""
    try:
        return "open " + table.open(f.unarmor(armored), tag).hex()
    except f.NotArmored:
        return "22P02"
    except f.FormatError as error:
        return error.sqlstate


def same(name: str, table: KeyTable, cases: List[Tuple[int, str]], answers: List[str]) -> None:
    """Both must answer alike, and no two refusals of a value may differ in what a client sees."""
    wrong = []
    refusals = set()
    for (tag, armored), answer in zip(cases, answers):
        expected = say(table, tag, armored)
        if (answer if answer.startswith("open ") else answer.split(" ")[0]) != expected:
            wrong.append(f"{TYPE[tag]} {armored[:80]}: server {answer[:80]}, decoder {expected[:80]}")
        if answer.startswith("ZE002 "):
            refusals.add(answer)
    check(f"{name}: server and decoder agree on {len(cases)} values", not wrong and len(answers) == len(cases),
          "\n".join(wrong) or f"{len(answers)} answers")
    if refusals:
        check(f"{name}: all refusals look the same", len(refusals) == 1 and CANNOT_OPEN in min(refusals),
              "\n".join(sorted(refusals)))


# (a) The decoder opens what the server made.

OWNERS = {
    "aes-256-gcm": ["a", "Zoë", "日本語の名前", "O'Brien \\ \"x\" | %s", "x" * 255],
    "xaes-256-gcm": [" leading and trailing ", "Zoe\u0308", "\U0001f600" * 63 + "abc", "line\nfeed\ttab",
        "envcrypt1:AAAA"],
}


def plaintexts(tag: int) -> List[bytes]:
    if tag == BYTEA:
        return [b"", b"\0", b"\xff", bytes(range(256)), rng.randbytes(70 * 1024), b"\\x00", "Grüße".encode()] + [
            rng.randbytes(rng.randrange(1, 400)) for _ in range(7)]
    return [text.encode() for text in (
        "", "x", "é", "e\u0301", "Grüße", "\U0001f600", "\t\n\r\\ '\"", " ", "\x01\x7f", "\ufeff\u200b\ufffd\U0010ffff",
        "null", "ß" * (35 * 1024),
        "".join(chr(rng.choice((rng.randrange(1, 0xd800), rng.randrange(0xe000, 0x110000)))) for _ in range(300)),
        "".join(rng.choice("0123456789") for _ in range(16)))]


def server_values(database: Database) -> Dict[int, Tuple[int, Optional[bytes], bytes]]:
    """Makes tables `v` (sealed by functions and casts) and returns id: type tag, owner, plaintext."""
    made = {}
    script = ["CREATE TABLE v (id int PRIMARY KEY, t encrypted_text, b encrypted_bytea);"]
    owners = [("aes-256-gcm", None)] + [(algorithm, owner) for algorithm, names in OWNERS.items() for owner in names]
    for algorithm, name in owners:
        owner = None if name is None else name.encode()
        script.append(f"SET envcrypt.data_key_algorithm = '{algorithm}';")
        for tag in (TEXT, BYTEA):
            for plaintext in plaintexts(tag):
                made[len(made) + 1] = (tag, owner, plaintext)
                value = literal(tag, plaintext)
                if owner is not None:
                    value = f"encrypt_for_user({text_or_null(owner)}, {value})"
                script.append(f"INSERT INTO v (id, {TYPE[tag][0]}) VALUES ({len(made)}, {value});")
    database.run("\n".join(script))
    return made


def sealed_values(database: Database, relation: str = "v") -> Dict[int, bytes]:
    """The bytes of the binary form, which must be those of the armored text."""
    values = {}
    for key, binary, armored in database.run(
            f"SELECT id, encode(coalesce(encrypted_text_send(t), encrypted_bytea_send(b)), 'hex'), concat(t, b) "
            f"FROM {relation} ORDER BY id", io="ciphertext"):
        values[int(key)] = bytes.fromhex(binary)
        if f.unarmor(armored) != values[int(key)]:
            raise AssertionError(f"binary form and armored text of value {key} differ")
    return values


def check_values(database: Database, made, when: str) -> Dict[int, bytes]:
    table = database.table()
    values = sealed_values(database)
    wrong: Dict[Tuple[Optional[bytes], int], List[str]] = {}
    nonces = set()
    for key, (tag, owner, plaintext) in made.items():
        faults = wrong.setdefault((owner, tag), [])
        try:
            opened = table.open(values[key], tag)
        except f.FormatError as error:
            faults.append(f"value {key}: {error!r} {getattr(error, 'reason', '')}")
            continue
        value = f.parse_value(values[key])
        row = table.rows[value.key_id]
        nonces.add(value.nonce)
        if opened != plaintext:
            faults.append(f"value {key} has another plaintext: {opened[:40]!r}, not {plaintext[:40]!r}")
        if row.owner != owner or row.kind != "data":
            faults.append(f"value {key} belongs to {row.owner!r}, not {owner!r}")
        if value.context_id != 0:
            faults.append(f"value {key} is bound to a column")
        if len(values[key]) != len(plaintext) + {1: 40, 2: 52}[value.suite]:
            faults.append(f"value {key} has another size")
    for (owner, tag), faults in wrong.items():
        name = "the database key" if owner is None else f"owner {owner.decode()[:24]!a} ({len(owner)} bytes)"
        check(f"{when}: decoder opens {TYPE[tag]} of {name}", not faults, "\n".join(faults))
    equal(f"{when}: {len(made)} values, and as many nonces", len(nonces), len(made))
    return values


def check_server_keys(database: Database) -> None:
    table = database.table()
    for algorithm, names in OWNERS.items():
        equal(f"owners' keys have the algorithm {algorithm}",
              {table.active(name.encode()).algorithm for name in names}, {algorithm})
    equal("the database key has xaes-256-gcm", table.active(None).algorithm, "xaes-256-gcm")
    keys = [table.unwrap(key_id) for key_id in table.rows]
    equal(f"decoder unwraps all {len(keys)} key rows, no two keys alike", len(set(keys)), len(keys))
    equal("first keys have version 1", {row.key_version for row in table.rows.values()}, {1})
    equal("registered fingerprint",
          database.run("SELECT encode(fingerprint, 'hex') FROM envcrypt_master_keys WHERE state = 'current'"),
          [[f.parse_keyring(database.keyring)[0].fingerprint.hex()]])
    # Names that no row can have.
    for what, owner in (("no byte", b""), ("256 bytes", b"x" * 256), ("256 bytes in 128 characters",
        "é".encode() * 128)):
        check(f"server makes no key for an owner of {what}",
              database.error(f"SELECT encrypt_for_user({text_or_null(owner)}, 'x'::text)") not in ("", "none"))


def check_literals(database: Database) -> None:
    """Values from type input: suite 2, the backend's id in the nonce."""
    script = ["CREATE TABLE l (id int, t encrypted_text, b encrypted_bytea);"]
    script += [f"INSERT INTO l (id, t) VALUES ({n}, 'literal Grüße {n}');" for n in range(1, 11)]
    script += [f"INSERT INTO l (id, b) VALUES ({n}, '\\x{n:04x}');" for n in range(11, 21)]
    database.run("\n".join(script))
    table = database.table()
    values = sealed_values(database, "l")
    expected = {n: (f"literal Grüße {n}".encode() if n < 11 else n.to_bytes(2, "big")) for n in range(1, 21)}
    equal("decoder opens values from literals",
          {n: table.open(sealed, TEXT if n < 11 else BYTEA) for n, sealed in values.items()}, expected)
    parsed = [f.parse_value(sealed) for sealed in values.values()]
    equal("literals are sealed with suite 2 under the database key",
          {(value.suite, table.rows[value.key_id].owner) for value in parsed}, {(f.XAES_256_GCM, None)})
    equal("their nonces begin with one backend's id and end differently",
          (len({value.nonce[:8] for value in parsed}), len({value.nonce[8:] for value in parsed})), (1, 20))


def check_rotation(database: Database, made, new: str) -> None:
    before = {row.key_id: row for row in database.keys()}
    table = database.table()
    old_values = sealed_values(database)
    old = database.keyring
    database.keyring = new + ":" + old
    equal("rotation re-wraps every row", database.run("SELECT envcrypt_rotate_master()"), [[str(len(before))]])
    database.keyring = new
    (master,) = f.parse_keyring(new)
    after = {row.key_id: row for row in database.keys()}
    rotated = database.table()
    equal("rotation keeps ids, owners, versions, algorithms",
          {(r.key_id, r.kind, r.owner, r.key_version, r.algorithm) for r in after.values()},
          {(r.key_id, r.kind, r.owner, r.key_version, r.algorithm) for r in before.values()})
    equal("rotation: fingerprint of the new master key", {row.master_fingerprint for row in after.values()},
          {master.fingerprint})
    check("rotation draws new nonces", not {row.wrapped_key[1:25] for row in after.values()}
          & {row.wrapped_key[1:25] for row in before.values()}
          and len({row.wrapped_key[1:25] for row in after.values()}) == len(after))
    check("rotation keeps the data keys", all(rotated.unwrap(key_id) == table.unwrap(key_id) for key_id in table.rows))
    check("rotation touches no value", check_values(database, made, "after a rotation") == old_values)


def check_shredding(database: Database, made) -> None:
    before = database.table()
    values = sealed_values(database)
    owner = OWNERS["xaes-256-gcm"][2].encode()
    # A second version, made by the decoder: both rows get the same tombstone.
    (master,) = f.parse_keyring(database.keyring)
    second = new_row(master, owner, "aes-256-gcm", 2)[0]
    database.insert_key(second)
    ids = {before.active(owner).key_id, second.key_id}
    expected = before.tombstone(owner)
    database.run(f"SELECT envcrypt_shred_user({text_or_null(owner)})")
    rows = {row.key_id: row for row in database.keys()}
    equal("tombstones of a shredded owner", {rows[key_id].tombstone for key_id in ids}, {expected})
    equal("no byte of the key is left",
          {(rows[k].kind, rows[k].owner, rows[k].master_fingerprint, rows[k].wrapped_key) for k in ids},
          {("shredded", None, None, None)})
    equal("nobody else is shredded", {key_id for key_id, row in rows.items() if row.kind == "shredded"}, ids)
    cases = [(tag, f.armor(values[key])) for key, (tag, name, _) in made.items() if name == owner]
    same("shredded", database.table(), cases, try_open(database, cases))
    name = OWNERS["aes-256-gcm"][1].encode()
    stone = before.tombstone(name)
    database.run(f"SELECT envcrypt_shred_user({text_or_null(name)})")
    equal("tombstone of another owner", [row.tombstone for row in database.keys()
                                        if row.key_id == before.active(name).key_id], [stone])
    # A new key for the same owner, and once more.
    database.run(f"SELECT envcrypt_create_user_key({text_or_null(name)}, true)")
    fresh = database.table().active(name)
    check("the key of a shredded owner who came back unwraps", len(database.table().unwrap(fresh.unsigned_id)) == 32)
    database.run(f"SELECT envcrypt_shred_user({text_or_null(name)})")
    equal("the same tombstone the second time", [row.tombstone for row in database.keys()
        if row.key_id == fresh.key_id],
          [stone])


# (b) The server opens what the decoder made.


def new_row(master: MasterKey, owner: Optional[bytes], algorithm: str, version: int = 1, kind: str = "data",
            key_id: Optional[int] = None) -> Tuple[KeyRow, bytes]:
    data_key = os.urandom(32)
    if key_id is None:
        key_id = rng.randrange(1, 1 << 64)
    row = KeyRow(f.signed_id(key_id), kind, owner, version, algorithm, master.fingerprint, None)
    row.wrapped_key = f.wrap_row(row, data_key, master.wrapping_key)
    return row, data_key


def insert_values(database: Database, relation: str, values: Dict[int, Tuple[int, bytes]]) -> None:
    script = [f"CREATE TABLE {relation} (id int PRIMARY KEY, t encrypted_text, b encrypted_bytea);"]
    script += [f"INSERT INTO {relation} (id, {TYPE[tag][0]}) VALUES ({key}, '{f.armor(sealed)}');"
               for key, (tag, sealed) in values.items()]
    database.run("\n".join(script), io="ciphertext")


def opened_values(database: Database, relation: str) -> Dict[int, bytes]:
    """The casts' answer; the output functions' must be the same characters."""
    rows = database.run(
        f"SELECT id, encode(coalesce(textsend(t::text), b::bytea), 'hex'), "
        f"encode(coalesce(textsend(textin(encrypted_text_out(t))), byteain(encrypted_bytea_out(b))), 'hex') FROM "
            f"{relation}",
        io="plaintext")
    if any(by_cast != by_output for _, by_cast, by_output in rows):
        raise AssertionError("output and cast differ")
    return {int(key): bytes.fromhex(by_cast) for key, by_cast, _ in rows}


def check_python_values(database: Database) -> None:
    """Under keys that the server made."""
    table = database.table()
    values, expected = {}, {}
    owners = [None] + [name.encode() for names in OWNERS.values() for name in names]
    owners = [owner for owner in owners if any(row.owner == owner and row.kind == "data"
        for row in table.rows.values())]
    for owner in owners:
        for tag in (TEXT, BYTEA):
            for plaintext in plaintexts(tag):
                key = len(values) + 1
                values[key] = (tag, table.seal(owner, tag, plaintext, rng.choice((0, 1, 7, 65535))))
                expected[key] = plaintext
    # Like a restore: the session that writes has no key, so it can only look at the headers.
    insert_values(Database(database.name), "p", values)
    equal(f"server opens {len(values)} values sealed by the decoder", opened_values(database, "p"), expected)
    equal("server stores them as they are", sealed_values(database, "p"),
        {k: sealed for k, (_, sealed) in values.items()})
    equal("server knows their owners and key ids",
          database.run("SELECT DISTINCT coalesce(envcrypt_owner(t), envcrypt_owner(b)) IS NOT DISTINCT FROM k.owner "
              "FROM p "
                       "JOIN envcrypt_data_keys k ON k.key_id = coalesce(envcrypt_key_id(t), envcrypt_key_id(b))"),
                           [["t"]])
    # Moved: other tables, a copy as text and as binary, an update.
    file = os.path.join(work, "moved")
    database.run(f"CREATE TABLE m AS SELECT * FROM p; CREATE TABLE m2 (LIKE p); CREATE TABLE m3 (LIKE p); "
                 f"COPY p TO '{file}.txt'; COPY p TO '{file}.bin' (FORMAT binary); COPY m2 FROM '{file}.txt'; "
                 f"COPY m3 FROM '{file}.bin' (FORMAT binary); UPDATE m SET t = t, b = b, id = id + 1000;",
                     io="ciphertext")
    for relation, how, shift in (("m", "another table and an update", 1000), ("m2", "COPY as text", 0),
                                 ("m3", "COPY as binary", 0)):
        equal(f"server opens them after {how}", opened_values(database, relation),
              {key + shift: plaintext for key, plaintext in expected.items()})
    # Binary COPY that the decoder wrote.
    with open(file + ".made", "wb") as out:
        out.write(binary_copy([sealed for tag, sealed in values.values() if tag == BYTEA]))
    database.run(f"CREATE TABLE m4 (b encrypted_bytea); COPY m4 FROM '{file}.made' (FORMAT binary);", io="ciphertext")
    equal("server opens them from a binary file", sorted(database.run("SELECT encode(b::bytea, 'hex') FROM m4")),
          sorted([plaintext.hex()] for key, plaintext in expected.items() if values[key][0] == BYTEA))


def binary_copy(fields: Iterable[bytes]) -> bytes:
    """A file of COPY's binary format with one column."""
    out = [b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)]
    out += [struct.pack("!hi", 1, len(field)) + field for field in fields]
    return b"".join(out) + struct.pack("!h", -1)


def check_python_keys(database: Database) -> None:
    """Key rows that the decoder wrapped and inserted with plain SQL."""
    (master,) = f.parse_keyring(database.keyring)
    cases = [
        ("owner of suite 1", "Python \u2665".encode(), "aes-256-gcm", 1, 1),
        ("owner of suite 2", "Python \U0001f40d".encode(), "xaes-256-gcm", 1, (1 << 64) - 1),
        ("owner of 255 bytes", b"p" * 255, "xaes-256-gcm", 1, 1 << 63),
        ("owner of 1 byte", b"p", "aes-256-gcm", 1, (1 << 63) - 1),
        ("second version of suite 2", OWNERS["aes-256-gcm"][0].encode(), "xaes-256-gcm", 2, None),
        ("last version", "Python ∞".encode(), "aes-256-gcm", (1 << 31) - 1, None),
        ("second database key", None, "xaes-256-gcm", 2, None),
    ]
    values, expected = {}, {}
    for what, owner, algorithm, version, key_id in cases:
        row, data_key = new_row(master, owner, algorithm, version, key_id=key_id)
        database.insert_key(row)
        for tag in (TEXT, BYTEA):
            plaintext = f"{what} ü".encode()
            key = len(values) + 1
            values[key] = (tag, f.seal_value(f.ALGORITHM_NUMBER[algorithm], data_key, row.unsigned_id, tag, plaintext))
            expected[key] = plaintext
    insert_values(database, "k", values)
    equal("server opens values under keys of the decoder", opened_values(database, "k"), expected)
    table = database.table()
    for what, owner, algorithm, version, _ in cases:
        value = "'ü'::text::encrypted_text" if owner is None else f"encrypt_for_user({text_or_null(owner)}, 'ü'::text)"
        ((armored,),) = database.run(f"SELECT {value}", io="ciphertext")
        sealed = f.unarmor(armored)
        row = table.rows[f.parse_value(sealed).key_id]
        equal(f"server seals under the decoder's key: {what}",
              (row.owner, row.key_version, row.algorithm, table.open(sealed, TEXT)), (owner, version, algorithm,
                  "ü".encode()))
    # Values of the versions below still open.
    owner = OWNERS["aes-256-gcm"][0].encode()
    equal("the version below still opens", sorted({
        table.rows[f.parse_value(sealed).key_id].key_version for sealed in sealed_values(database).values()
        if table.rows[f.parse_value(sealed).key_id].owner == owner}), [1])
    # Re-wrapping by the decoder, and a tombstone that is still made of the first version.
    rewrapped = table.active(owner)
    data_key = table.unwrap(rewrapped.unsigned_id)
    wrapped = f.wrap_row(rewrapped, data_key, master.wrapping_key)
    database.run(f"UPDATE envcrypt_data_keys SET wrapped_key = {hexed(wrapped)} WHERE key_id = {rewrapped.key_id}")
    equal("server opens values after the decoder re-wrapped their key", opened_values(database, "k"), expected)
    stone = table.tombstone("Python \u2665".encode())
    database.run(f"SELECT envcrypt_shred_user({text_or_null('Python ♥'.encode())})")
    equal("tombstone with two database keys", [row.tombstone for row in database.keys() if row.key_id == 1], [stone])


# The page's vectors on a server, and what both refuse.


def vectors_database(vectors: Vectors) -> Database:
    fields = vectors.fields("9.1")
    Database("postgres").run("CREATE DATABASE vectors")
    database = Database("vectors", fields["base64"])
    database.run("CREATE EXTENSION envcrypt; INSERT INTO envcrypt_master_keys (fingerprint, state) "
                 f"VALUES ('\\x{fields['fingerprint']}', 'current');" + TRY_OPEN)
    for row in vectors.rows():
        database.insert_key(row)
    return database


def check_page_on_server(vectors: Vectors, database: Database) -> None:
    table = database.table()
    tagged = [value for value in vectors.values() if isinstance(value[3], int)]
    cases = [(tag, armored) for _, _, armored, tag, _ in tagged]
    same("9.5 to 9.8 on the server", table, cases, try_open(database, cases))
    cases = [(tag, given if isinstance(given, str) else f.armor(given)) for _, given in vectors.rejected()
             for tag in (TEXT, BYTEA)]
    answers = try_open(database, cases)
    equal("9.10 on the server: every one refused", {answer.split(" ")[0] for answer in answers}, {"ZE002"})
    same("9.10 on the server", table, cases, answers)
    cases = []
    for _, sealed, armored, tag, _ in tagged:
        cases += [(tag, f.armor(flip(sealed, bit))) for bit in range(len(sealed) * 8)]
        cases += [(tag, f.armor(sealed[:size])) for size in range(len(sealed))]
        cases += [(tag, f.armor(sealed + bytes(extra))) for extra in range(1, 4)]
        cases += [(tag, f.armor(sealed[:1] + bytes((other,)) + sealed[2:])) for other in range(256)]
        cases += [(3 - tag, f.armor(sealed[:1] + bytes((other,)) + sealed[2:])) for other in range(256)]
        cases += [(tag, f.armor(bytes((other,)) + sealed[1:])) for other in range(256)]
    same("bits, sizes, type tags, format bytes", table, cases, try_open(database, cases))
    alphabet = "".join(chr(c) for c in range(32, 127)) + "\n\t\r\u00e9"
    cases = []
    for _, sealed, armored, tag, _ in tagged:
        for _ in range(500):
            at = rng.randrange(len(armored) + 1)
            change = rng.choice(("insert", "delete", "replace", "end"))
            put = rng.choice(alphabet)
            if change == "insert":
                text = armored[:at] + put + armored[at:]
            elif change == "delete":
                text = armored[:at] + armored[at + 1:]
            elif change == "replace":
                text = armored[:at] + put + armored[at + 1:]
            else:
                stem = armored.rstrip("=")
                text = stem[:-1] + rng.choice(alphabet) + armored[len(stem):]
            cases.append((tag, text))
    same("characters of armored text", table, cases, try_open(database, cases))


def check_rows_on_server(vectors: Vectors, database: Database) -> None:
    """Section 3's list. The table's own constraints would stop most of it."""
    database.run("""DO $$ DECLARE c record; BEGIN
        FOR c IN SELECT conname FROM pg_constraint
            WHERE conrelid = 'envcrypt_data_keys'::regclass AND contype = 'c' LOOP
            EXECUTE format('ALTER TABLE envcrypt_data_keys DROP CONSTRAINT %I', c.conname);
        END LOOP; END $$""")
    other = f.parse_keyring("f" * 64)[0]
    page = f.parse_keyring(vectors.fields("9.1")["base64"])
    database.run(f"INSERT INTO envcrypt_master_keys (fingerprint, state) VALUES ({hexed(other.fingerprint)}, "
        f"'retiring')")
    database.keyring += ":" + "f" * 64
    good = vectors.row("9.2")
    armored = vectors.fields("9.5")["armored text"]
    refusals = set()
    for what, changes, expected in row_changes(good, vectors.row("9.3"), other.fingerprint):
        answers = [row[0] for row in database.run(
            f"SELECT try_open(1, '{armored}'); BEGIN; UPDATE envcrypt_data_keys SET {assignments(changes)} WHERE "
                f"key_id = {good.key_id}; "
            f"SELECT try_open(1, '{armored}'); ROLLBACK; SELECT try_open(1, '{armored}');", io="ciphertext")]
        equal(f"server, row: {what}", [answer.split(" ")[0] for answer in answers], ["open", expected, "open"])
        refusals |= {answer for answer in answers if answer.startswith("ZE002")}
    check("refusals for the key's sake look like all others", len(refusals) == 1 and CANNOT_OPEN in min(refusals),
          "\n".join(sorted(refusals)))
    # Two reasons at once: the page does not say which one is told, so either will do.
    gone = {"kind": "shredded", "owner": None, "master_fingerprint": None, "wrapped_key": None, "tombstone": bytes(32)}
    suite_2 = f.armor(f.seal_value(2, bytes(32), good.unsigned_id, TEXT, b"x"))
    for what, changes, tag, text, states in (
            ("shredded, wrong suite", gone, TEXT, suite_2, ("ZE003", "ZE002")),
            ("shredded, wrong type", gone, BYTEA, armored, ("ZE003", "ZE002")),
            ("malformed, wrong suite", {"wrapped_key": b""}, TEXT, suite_2, ("ZE002",)),
            ("malformed token", {"kind": "token", "wrapped_key": b""}, TEXT, armored, ("ZE002",)),
            ("no master key, wrong suite", {"master_fingerprint": bytes(16)}, TEXT, suite_2, ("ZE001", "ZE002")),
            ("no master key, token", {"kind": "token", "master_fingerprint": bytes(16)}, TEXT, armored,
                ("ZE001", "ZE002")),
            ("no master key, version 2 of the wrapped key",
             {"wrapped_key": b"\2" + good.wrapped_key[1:], "master_fingerprint": bytes(16)}, TEXT, armored,
             ("ZE001", "ZE002")),
            ("no master key, malformed", {"wrapped_key": b"", "master_fingerprint": bytes(16)}, TEXT, armored,
             ("ZE001", "ZE002"))):
        ((answer,),) = database.run(
            f"BEGIN; UPDATE envcrypt_data_keys SET {assignments(changes)} WHERE key_id = {good.key_id}; "
            f"SELECT try_open({tag}, '{text}'); ROLLBACK;", io="ciphertext")
        table = KeyTable([KeyRow(**{**good.__dict__, **changes})], page + [other])
        check(f"server, two reasons: {what}: {answer.split(' ')[0]}", answer.split(" ")[0] in states, answer)
        check(f"decoder, two reasons: {what}", say(table, tag, text) in states, say(table, tag, text))
    ((answer,),) = database.run(
        f"BEGIN; UPDATE envcrypt_data_keys SET master_fingerprint = {hexed(bytes(16))} WHERE key_id = {good.key_id}; "
        f"SELECT try_open(1, '{armored}'); ROLLBACK;", io="ciphertext")
    equal("server: no master key at hand", answer.split(" ")[0], "ZE001")
    # States of the master key.
    for state in ("pending", "current", "retiring", "retired", "compromised"):
        row, data_key = new_row(other, b"state", "aes-256-gcm", key_id=77)
        others = "retiring" if state == "current" else "current"
        armored = f.armor(f.seal_value(1, data_key, 77, TEXT, b"x"))
        ((answer,),) = database.run(
            f"BEGIN; UPDATE envcrypt_master_keys SET state = CASE WHEN fingerprint = {hexed(other.fingerprint)} "
            f"THEN '{state}' ELSE '{others}' END; INSERT INTO envcrypt_data_keys (key_id, kind, owner, key_version, "
            f"algorithm, master_fingerprint, wrapped_key) VALUES (77, 'data', 'state', 1, 'aes-256-gcm', "
            f"{hexed(other.fingerprint)}, {hexed(row.wrapped_key)}); SELECT try_open(1, '{armored}'); ROLLBACK;",
            io="ciphertext")
        if state != "pending":  # of which the page says nothing
            equal(f"master key {state}", answer.split(" ")[0],
                  "ZE001" if state in ("retired", "compromised") else "open")
    # 9.9, at last: the rows as they were.
    database.run(f"SELECT envcrypt_shred_user({text_or_null(good.owner)})")
    equal("9.9 on the server", [row.tombstone.hex() for row in database.keys() if row.kind == "shredded"],
          [vectors.fields("9.9")["tombstone"]])


def assignments(changes) -> str:
    """A SET clause of an update of envcrypt_data_keys."""
    def value_of(column, value) -> str:
        if column == "owner":
            return text_or_null(value)
        if isinstance(value, bytes):
            return hexed(value)
        return "NULL" if value is None else f"'{value}'"

    return ", ".join(f"{column} = {value_of(column, value)}" for column, value in changes.items())


def check_keyrings_on_server(vectors: Vectors) -> None:
    """Both take, or refuse, the same keyrings; the fingerprint tells that they made the same key of it."""
    database = Database("vectors")
    for what, text, keys in keyrings(vectors):
        # Used, not only set.
        script = (f"SELECT set_config('envcrypt.master_key', convert_from({hexed(text.encode())}, 'UTF8'), false) IS "
            f"NULL; "
                  "SELECT detail FROM envcrypt_status() WHERE \"check\" = 'master key';")
        try:
            ((_,), (detail,)) = database.run(script)
            got = detail if "Primary key: " in detail else None
        except Failed:
            got = None
        if keys is None:
            equal(f"server, keyring: {what}", got, None)
        else:
            check(f"server, keyring: {what}",
                  got is not None and MasterKey(keys[0]).fingerprint.hex() in got and f" {len(keys)} key" in got,
                      repr(got))


def check_encodings(new: str) -> None:
    """Owner and text are UTF-8 in the bytes, whatever the database's encoding; SQL_ASCII stores what it is given."""
    for encoding in ("LATIN1", "SQL_ASCII"):
        name = encoding.lower()
        Database("postgres").run(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
        database = Database(name, new, "SQL_ASCII" if encoding == "SQL_ASCII" else "UTF8")
        database.run("CREATE EXTENSION envcrypt; SELECT envcrypt_rotate_master();" + TRY_OPEN)
        owner, text = "Zoë".encode(), "Grüße".encode()
        if encoding == "SQL_ASCII":
            owner, text = owner + b"\xff", text + b"\xfe"
            sql_owner, sql_text = escaped(owner), escaped(text)
        else:
            sql_owner, sql_text = text_or_null(owner), text_or_null(text)
        rows = database.run(f"SELECT encode(encrypted_text_send(encrypt_for_user({sql_owner}, {sql_text})), 'hex')",
                            io="ciphertext")
        table = database.table()
        sealed = bytes.fromhex(rows[0][0])
        equal(f"{encoding}: decoder opens", table.open(sealed, TEXT), text)
        equal(f"{encoding}: owner", table.rows[f.parse_value(sealed).key_id].owner, owner)
        (master,) = f.parse_keyring(new)
        row, data_key = new_row(master, "Jürgen".encode() if encoding == "LATIN1" else "Jürgen".encode() + b"\xfd",
                                "aes-256-gcm")
        sql_owner = text_or_null(row.owner) if encoding == "LATIN1" else escaped(row.owner)
        database.run(f"INSERT INTO envcrypt_data_keys (key_id, kind, owner, key_version, algorithm, "
            f"master_fingerprint, "
                     f"wrapped_key) VALUES ({row.key_id}, 'data', {sql_owner}, 1, 'aes-256-gcm', "
                     f"{hexed(master.fingerprint)}, {hexed(row.wrapped_key)})")
        cases = [(TEXT, f.armor(f.seal_value(1, data_key, row.unsigned_id, TEXT, text)))]
        same(f"{encoding}: decoder's key and value", database.table(), cases, try_open(database, cases))
        table = database.table()
        name = row.owner
        database.run(f"SELECT envcrypt_shred_user({sql_owner})")
        equal(f"{encoding}: tombstone", [r.tombstone for r in database.keys() if r.kind == "shredded"],
              [table.tombstone(name)])


def escaped(data: bytes) -> str:
    return "E'" + "".join(f"\\x{byte:02x}" for byte in data) + "'"


def check_not_utf8(database: Database) -> None:
    """A text that is no text: authentic, but the server must not make characters of it."""
    table = database.table()
    for what, plaintext in (("a lone byte ff", b"a\xffb"), ("a surrogate", b"\xed\xa0\x80"), ("cut short", b"\xe2\x82"),
                            ("a zero byte", b"a\0b"), ("an overlong form", b"\xc0\xaf")):
        (answer,) = try_open(database, [(TEXT, f.armor(table.seal(None, TEXT, plaintext)))])
        check(f"server refuses an authentic text with {what}", not answer.startswith("open ")
              and plaintext.hex() not in answer, answer)


# (c) A million tries.

MILLION = """
CREATE FUNCTION million(tag int, known bytea, tries int, seed text, OUT refused int, OUT stored int, OUT other int)
LANGUAGE plpgsql AS $$
DECLARE
    candidate bytea; noise bytea; armored text; size int; format int; taken boolean;
    t encrypted_text; b encrypted_bytea;
    known_size int := octet_length(known);
    bits int := 8 * octet_length(known);
BEGIN
    refused := 0; stored := 0; other := 0;
    FOR i IN 1..tries LOOP
        noise := sha512(convert_to(seed || i, 'UTF8'));
        CASE i % 8
        WHEN 0 THEN candidate := substr(noise, 1, get_byte(noise, 63) % 65);                            -- 0 to 64 bytes
        WHEN 2 THEN candidate := set_byte(noise || noise, 0, 33 + (i / 8) % 2);                         -- a format byte
        WHEN 4 THEN candidate := substr(known, 1, 12) || substr(noise, 1, get_byte(noise, 63) % 65);    -- a header
        WHEN 6 THEN candidate := overlay(noise PLACING substr(known, 1, 2) FROM 1);                     -- any key id
        WHEN 1, 3 THEN  -- a bit of the tag
            size := bits - 1 - get_byte(noise, 0) % 128;
            candidate := set_bit(known, size, 1 - get_bit(known, size));
        WHEN 5 THEN                                                                                     -- any bit
            size := (get_byte(noise, 0) * 256 + get_byte(noise, 1)) % bits;
            candidate := set_bit(known, size, 1 - get_bit(known, size));
        ELSE                                                                                            -- a wrong tag
            candidate := substr(known, 1, known_size - 16) || substr(noise, 1, 16);
        END CASE;
        size := octet_length(candidate);
        format := CASE WHEN size > 0 THEN get_byte(candidate, 0) END;
        taken := false;
        BEGIN
            armored := 'envcrypt1:' || translate(encode(candidate, 'base64'), E'\\n', '');
            IF tag = 1 THEN
                t := encrypted_text_in(textout(armored), 0, -1);
                taken := true;
                PERFORM envcrypt_open(t);
            ELSE
                b := encrypted_bytea_in(textout(armored), 0, -1);
                taken := true;
                PERFORM envcrypt_open(b);
            END IF;
            other := other + 1;
        EXCEPTION
            WHEN SQLSTATE 'ZE002' THEN
                IF SQLERRM <> 'could not open encrypted value' THEN other := other + 1;
                ELSE refused := refused + 1; END IF;
            WHEN OTHERS THEN other := other + 1;
        END;
        -- Stored may only be what nobody can judge: of a good header, with a key id of no row.
        IF taken THEN stored := stored + 1; END IF;
        IF taken IS DISTINCT FROM COALESCE(
            (format = 33 AND size >= 40 OR format = 34 AND size >= 52) AND get_byte(candidate, 1) = tag
            AND substr(candidate, 5, 8) NOT IN ('\\x0000000000000000', substr(known, 5, 8)), false) THEN
            other := other + 1;
        END IF;
    END LOOP;
END $$;

-- All values of a table `bulk`, taken in by COPY in binary form: how many are refused when opened.
CREATE FUNCTION bulk(tag int, OUT refused int, OUT other int) LANGUAGE plpgsql AS $$
DECLARE
    t encrypted_text; b encrypted_bytea;
BEGIN
    refused := 0; other := 0;
    FOR t, b IN EXECUTE CASE tag WHEN 1 THEN 'SELECT v, NULL::encrypted_bytea FROM bulk1'
                                 ELSE 'SELECT NULL::encrypted_text, v FROM bulk2' END LOOP
        BEGIN
            IF tag = 1 THEN PERFORM envcrypt_open(t); ELSE PERFORM envcrypt_open(b); END IF;
            other := other + 1;
        EXCEPTION WHEN SQLSTATE 'ZE002' THEN refused := refused + 1;
        END;
    END LOOP;
END $$;

-- Files of one row each, named 1, 2, and so on: a string of what became of each, 'r' refused, 's' stored.
CREATE FUNCTION files(tag int, directory text, files int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text := '';
BEGIN
    FOR i IN 1..files LOOP
        BEGIN
            EXECUTE format('COPY one%s FROM %L (FORMAT binary)', tag, directory || '/' || i);
            outcome := outcome || 's';
        EXCEPTION
            WHEN SQLSTATE 'ZE002' THEN outcome := outcome || 'r';
            WHEN OTHERS THEN outcome := outcome || '?';
        END;
    END LOOP;
    RETURN outcome;
END $$;
"""

BULK = 100_000
FILES = 4_000


def well_formed(sealed: bytes, tag: int) -> bool:
    """What can be told without a key."""
    try:
        return f.parse_value(sealed).type_tag == tag
    except f.CannotOpen:
        return False


def check_million(database: Database) -> None:
    """Half of the tries at one type, half at the other, in two sessions at once.

    With a key, the server judges a value when it comes in; without one, it can only look at the header, so that dumps
    can be restored. Both ways are tried.
    """
    database.run(MILLION)
    started = database.run("SELECT pg_postmaster_start_time()")
    table = database.table()
    keyless = Database(database.name)
    begun = time.monotonic()
    sessions = []
    for tag in (TEXT, BYTEA):
        kind = TYPE[tag]
        owner = OWNERS["aes-256-gcm"][2].encode() if tag == TEXT else None  # suite 1, suite 2
        known = table.seal(owner, tag, "a value of some length".encode())
        bulk = [value for value in (change(known) for _ in range(BULK)) if well_formed(value, tag)]
        with open(os.path.join(work, f"bulk{tag}"), "wb") as out:
            out.write(binary_copy(bulk))
        directory = os.path.join(work, f"files{tag}")
        os.mkdir(directory)
        with_key, without_key = [], []
        for number in range(1, FILES + 1):
            value = rng.choice((change, lambda _: rng.randbytes(rng.randrange(0, 90)),
                                lambda k: k[:rng.randrange(13)] + rng.randbytes(rng.randrange(0, 90)),
                                lambda k: k[:rng.randrange(len(k))]))(known)
            without_key.append("s" if well_formed(value, tag) else "r")
            with_key.append("s" if well_formed(value, tag) and value[4:12] != known[4:12] else "r")
            with open(os.path.join(directory, str(number)), "wb") as out:
                out.write(binary_copy([value]))
        keyless.run(f"CREATE TABLE bulk{tag} (v encrypted_{kind}); CREATE TABLE one{tag} (v encrypted_{kind}); "
                    f"COPY bulk{tag} FROM '{work}/bulk{tag}' (FORMAT binary)", io="ciphertext")
        equal(f"million, {kind}: {FILES} files of binary form without a key: refused for their header, or stored",
              keyless.run(f"SELECT files({tag}, '{directory}', {FILES})", io="ciphertext"), [["".join(without_key)]])
        command, environment = psql_command(database.name, database.keyring, {"envcrypt.io": "ciphertext"})
        script = (
            f"SELECT * FROM bulk({tag});\nSELECT files({tag}, '{directory}', {FILES});\n"
            f"SELECT * FROM million({tag}, {hexed(known)}, {TRIES // 2}, '{SEED} {tag} ');\n"
            f"SELECT try_open({tag}, '{f.armor(known)}');\n")
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=environment)
        process.stdin.write(script.encode())
        process.stdin.close()
        sessions.append((kind, process, "".join(with_key), len(bulk)))
    for kind, process, with_key, bulk in sessions:
        output, errors = process.stdout.read().decode(), process.stderr.read().decode()
        process.wait()
        lines = output.splitlines()
        if not check(f"million, {kind}: the session lived to its end", process.returncode == 0 and len(lines) == 4,
                     errors + output[-400:]):
            continue
        equal(f"million, {kind}: {bulk} mutated values, stored in binary form without a key, each refused when opened",
              lines[0], f"{bulk}|0")
        equal(f"million, {kind}: {FILES} files of binary form with a key: refused, or stored where there is no such "
            f"row",
              lines[1], with_key)
        refused, stored, other = map(int, lines[2].split("|"))
        equal(f"million, {kind}: {TRIES // 2} tries refused, all but {stored} at once", (refused, other),
            (TRIES // 2, 0))
        equal(f"million, {kind}: the value itself opens", lines[3], "open " + b"a value of some length".hex())
    print(f"# a million tries: {time.monotonic() - begun:.1f} s")
    equal("million: the server was not started again", database.run("SELECT pg_postmaster_start_time()"), started)


def change(known: bytes) -> bytes:
    """A few bits or bytes changed; never the value itself."""
    while True:
        changed = bytearray(known)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(known) - 16, len(known)) if rng.random() < 0.5 else rng.randrange(len(known))
            changed[at] ^= rng.choice((1 << rng.randrange(8), rng.randrange(256)))
        if bytes(changed) != known:
            return bytes(changed)


def main() -> None:
    print(f"# SEED={SEED}")
    vectors = Vectors(sys.argv[1])
    first, second = (os.urandom(32).hex() for _ in range(2))
    Database("postgres").run("CREATE DATABASE decoder")
    database = Database("decoder", first)
    database.run("CREATE EXTENSION envcrypt; SELECT envcrypt_rotate_master();" + TRY_OPEN)
    made = server_values(database)
    section("server's values", lambda: check_values(database, made, "server") and None)
    section("server's keys", lambda: check_server_keys(database))
    section("literals", lambda: check_literals(database))
    section("rotation", lambda: check_rotation(database, made, second))
    section("decoder's values", lambda: check_python_values(database))
    database.run(check_types.TRY_TYPE)
    section("server's types", lambda: check_types.check_server_types(database))
    section("decoder's types", lambda: check_types.check_decoder_types(database))
    section("types by name", lambda: check_types.check_named_types(database))
    section("client encoding", lambda: check_types.check_client_encoding(database))
    section("shredding", lambda: check_shredding(database, made))
    section("decoder's keys", lambda: check_python_keys(database))
    section("not UTF-8", lambda: check_not_utf8(database))
    page = vectors_database(vectors)
    section("the page on a server", lambda: check_page_on_server(vectors, page))
    section("the page's types on a server", lambda: check_types.check_page_types_on_server(vectors, page))
    section("rows on a server", lambda: check_rows_on_server(vectors, page))
    section("keyrings on a server", lambda: check_keyrings_on_server(vectors))
    section("encodings", lambda: check_encodings(second))
    section("encodings of jsonb", lambda: check_types.check_database_encodings(second))
    section("million", lambda: check_million(database))


work = sys.argv[2] if len(sys.argv) > 2 else ""
if __name__ == "__main__":
    main()
