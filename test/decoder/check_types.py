"""Checks a server's types against the decoder: each opens, or refuses, what the other made. Part of check_server.py."""

import json
import math
import struct
from decimal import Decimal
from typing import Any, Dict, List, Tuple

import envcrypt_format as f
import plaintext as plain
from check_vectors import Vectors, shown
from checks import check, equal
from envcrypt_format import KeyTable, Type
from server import CANNOT_OPEN, Database, rng, text_or_null

RANDOM = 150  # values of each type
MUTATED = 400

EDGES: Dict[str, List[str]] = {
    "text": ["", "x", "Grüße", "e\u0301", "\U0001f600\ufeff", "\t\n\r\\ '\"|", "\x01\x7f", "envcrypt1", "ß" * 5000],
    "bytea": ["\\x", "\\x00", "\\xff00", "\\x" + bytes(range(256)).hex(), "\\x" + "ab" * 20000],
    "jsonb": ["null", "true", "0", "-1.50", '""', "[]", "{}", '"ü\\n\\"\U0001f600"',
        '{"b": 1, "a": {"c": [1, [2, {"d": null}]]}}',
              '{"": [], "ä": ""}', "1" + "0" * 400 + ".5", "[" * 400 + "]" * 400, '{"k": "' + "long " * 3000 + '"}',
                  '"\\u0001"'],
    "int8": ["0", "1", "-1", "255", "256", "-9223372036854775808", "9223372036854775807", "4294967296", "-4294967297"],
    "numeric": ["0", "0.0", "0.000000", "1", "-1", "1.50", "9999", "10000", "99999999", "0.0001", "0.00001",
        "0.00010000", "-0.5",
                "NaN", "Infinity", "-Infinity", "123456789012345678901234567890.123456789012345678901234567890",
                "1" + "0" * 131071, "-" + "9" * 131072, "0." + "0" * 16382 + "1", "9" * 5000 + "." + "9" * 5000,
                    "10000.0001",
                "100000000000000000000", "0." + "0" * 16383],
    "float8": ["0", "-0", "1", "-1.5", "0.1", "1e300", "5e-324", "2.2250738585072014e-308", "1.7976931348623157e+308",
        "NaN",
               "Infinity", "-Infinity", "3.141592653589793", "1e15", "123456789012345680"],
    "bool": ["true", "false"],
    "date": ["2000-01-01", "1999-12-31", "1970-01-01", "2024-02-29", "1900-02-28", "0001-01-01", "0001-12-31 BC",
        "0005-02-29 BC",
             "4714-11-24 BC", "5874897-12-31", "infinity", "-infinity", "1582-10-15", "1582-10-04"],
    "timestamptz": ["2000-01-01 00:00:00+00", "1999-12-31 23:59:59.999999+00", "2026-11-21 07:00:00.1+00",
        "0001-01-01 00:00:00+00",
                    "0001-12-31 23:59:59.5+00 BC", "4714-11-24 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00",
                    "infinity", "-infinity", "1969-12-31 23:59:59.999999+00"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
             "00112233-4455-6677-8899-aabbccddeeff"],
    "inet": ["0.0.0.0/0", "0.0.0.0", "255.255.255.255", "10.1.2.3/8", "10.1.2.3/31", "192.168.0.0/16", "::", "::/0",
        "::1",
             "2001:db8::ff00:42:8329/64", "fe80::1/127", "::ffff:10.1.2.3", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
}


def random_plaintext(type_name: str) -> bytes:
    """A plaintext that the type has."""
    if type_name == "text":
        return "".join(chr(rng.choice((rng.randrange(1, 0xd800), rng.randrange(0xe000, 0x110000))))
                       for _ in range(rng.randrange(40))).encode()
    if type_name == "bytea":
        return rng.randbytes(rng.randrange(300))
    if type_name == "jsonb":
        return b"\1" + json.dumps(random_json(4), ensure_ascii=False).encode()
    if type_name == "numeric":
        digits = "".join(rng.choice("0019") for _ in range(rng.randrange(1, 60))).lstrip("0") or "0"
        text = ("-" if rng.random() < 0.5 and digits != "0" else "") + digits
        return plain.encode_numeric(text + ("." + "".join(rng.choice("0059") for _ in range(rng.randrange(1, 40)))
                                            if rng.random() < 0.7 else ""))
    if type_name == "bool":
        return bytes((rng.randrange(2),))
    if type_name == "inet":
        family, size = rng.choice(((2, 4), (3, 16)))
        return bytes((family, rng.randrange(8 * size + 1), 0, size)) + rng.randbytes(size)
    if type_name in plain.RANGE:
        first, last = plain.RANGE[type_name]
        near = rng.choice((first, last, 0, rng.randrange(first, last + 1)))
        number = min(max(near + rng.randrange(-10, 11), first), last)
        return number.to_bytes(plain.FIXED_SIZE[type_name], "big", signed=True)
    return rng.randbytes(plain.FIXED_SIZE[type_name])


def random_json(depth: int) -> Any:
    kind = rng.randrange(7 if depth else 5)
    if kind < 5:
        return (None, rng.random() < 0.5, rng.randrange(-10 ** 20, 10 ** 20), rng.randrange(10 ** 6) / 64,
                "".join(rng.choice("aü\U0001f600\"\\\n/ ") for _ in range(rng.randrange(8))))[kind]
    items = [random_json(depth - 1) for _ in range(rng.randrange(4))]
    return items if kind == 5 else {f"k{number}ü": item for number, item in enumerate(items)}


# What the server says of a value of a type given by name: 'open HEX' of its text form, or SQLSTATE and message.
TRY_TYPE = """
CREATE FUNCTION try_type(type text, armored text) RETURNS text LANGUAGE plpgsql SET TimeZone = 'UTC' AS $$
DECLARE
    opened text;
BEGIN
    EXECUTE format('SELECT encode(convert_to(envcrypt_open(%I(textout($1), 0, -1))::text, ''UTF8''), ''hex'')',
        'encrypted_' || type || '_in') INTO opened USING armored;
    RETURN 'open ' || opened;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
"""


def try_types(database: Database, cases: List[Tuple[str, bytes]]) -> List[str]:
    script = "\n".join(f"SELECT try_type({text_or_null(type_name.encode())}, '{f.armor(sealed)}');" for type_name,
        sealed in cases)
    return [row[0] for row in database.run(script, io="ciphertext")]


def agree(type_name: str, value: Any, text: str) -> bool:
    """Whether the decoder's value is what the server prints."""
    if type_name == "float8":
        other = float(text)
        return math.isnan(value) and math.isnan(other) or struct.pack(">d", value) == struct.pack(">d", other)
    if type_name == "jsonb":
        return plain.parse_json(value) == plain.parse_json(text)
    if type_name == "inet":
        return plain.decode_inet(plain.encode_inet(text)) == value
    return shown(type_name, value) == text


def compare(name: str, database: Database, table: KeyTable, cases: List[Tuple[str, bytes]]) -> None:
    """Both open the same values, to the same, and refuse the same."""
    wrong, opened = [], 0
    for (type_name, sealed), answer in zip(cases, try_types(database, cases)):
        try:
            value = table.value(sealed, type_name)
            opened += 1
            good = answer.startswith("open ") and agree(type_name, value, bytes.fromhex(answer[5:]).decode())
        except f.CannotOpen as error:
            value, good = error.reason, answer == f"ZE002 {CANNOT_OPEN}"
        except f.MalformedPlaintext as error:
            value, good = repr(error), answer.startswith("22") and answer[6:].startswith("invalid value for type") or \
                answer.startswith("22021")
        if not good:
            wrong.append(f"{type_name} {table.open(sealed, type_name).hex()[:60]}: server {answer[:80]}, decoder "
                f"{value!r:.80}")
    check(f"{name}: server and decoder agree on {len(cases)} values, of which {opened} open", not wrong,
        "\n".join(wrong))


def base_sends(database: Database) -> Dict[str, str]:
    return dict(database.run("SELECT typname, typsend::regproc FROM pg_type"))


def check_server_types(database: Database) -> None:
    """Values that the server sealed in each of its ways: the plaintext is the base type's binary form."""
    send = base_sends(database)
    ways = {
        "cast": "v::{t}::encrypted_{t}", "suite 1": "encrypt_for_user('types 1', v::{t})",
        "suite 2": "encrypt_for_user('types 2', v::{t})", "bound": "envcrypt_bind(v::{t}, 'types 1', 511)",
        "re-bound": "envcrypt_bind(v::{t}::encrypted_{t}, NULL, 65535)",
    }
    expected = {"cast": (2, None, 0), "literal": (2, None, 0), "suite 1": (1, b"types 1", 0),
        "suite 2": (2, b"types 2", 0),
                "bound": (1, b"types 1", 511), "re-bound": (2, None, 65535)}
    database.run("SET envcrypt.data_key_algorithm = 'xaes-256-gcm'; SELECT envcrypt_create_user_key('types 2');"
                 "SET envcrypt.data_key_algorithm = 'aes-256-gcm'; SELECT envcrypt_create_user_key('types 1');")
    for t in plain.TAG:
        texts = EDGES[t] + [shown(t, plain.decode(t, random_plaintext(t))) for _ in range(RANDOM)]
        script = ["SET TimeZone = 'UTC';", f"CREATE TABLE way_{t} (id serial, way text, b {t}, s encrypted_{t});"]
        for text in texts:
            value = text_or_null(text.encode())
            way, expression = rng.choice(list(ways.items()))
            script.append(f"INSERT INTO way_{t} (way, b, s) SELECT '{way}', v::{t}, {expression.format(t=t)} FROM "
                f"(SELECT {value}) AS _ (v);")
        for text in EDGES[t]:
            quoted = text.replace("'", "''")
            script.append(f"INSERT INTO way_{t} (way, b, s) VALUES ('literal', '{quoted}', '{quoted}');")
        database.run("\n".join(script))
        table = database.table()
        wrong = []
        rows = database.run(f"SET TimeZone = 'UTC'; SELECT way, encode(encrypted_{t}_send(s), 'hex'), "
            f"encode({send[t]}(b), 'hex'), "
                            f"encode(convert_to(b::text, 'UTF8'), 'hex') FROM way_{t} ORDER BY id", io="ciphertext")
        for way, sealed, binary, text in rows:
            value = f.parse_value(bytes.fromhex(sealed))
            got = (value.suite, table.rows[value.key_id].owner, value.context_id)
            plaintext = table.open(bytes.fromhex(sealed), t)
            text = bytes.fromhex(text).decode()
            if got != expected[way] or plaintext.hex() != binary:
                wrong.append(f"{way} {text[:40]}: {got}, {plaintext.hex()[:40]}, not {binary[:40]}")
            elif not agree(t, table.value(bytes.fromhex(sealed), t), text):
                wrong.append(f"{text[:40]} is {table.value(bytes.fromhex(sealed), t)!r:.60}")
            elif t not in ("bytea", "text", "jsonb") and plain.encode(t, text) != plaintext:
                wrong.append(f"{text[:40]} has another plaintext: {plaintext.hex()[:60]}")
        check(f"decoder opens {len(rows)} values of {t}, and gets the base type's binary form and value",
              not wrong and len(rows) == len(texts) + len(EDGES[t]), "\n".join(wrong))


def check_decoder_types(database: Database) -> None:
    """What the decoder sealed: ordinary values, ones that PostgreSQL would write otherwise, and no values at all."""
    table = database.table()

    def seal(t: Type, plaintext: bytes) -> bytes:
        return table.seal(rng.choice((None, b"types 1", b"types 2")), t, plaintext, rng.choice((0, 1, 511, 65535)))

    for t in plain.TAG:
        edges = [plain.encode(t, text) for text in EDGES[t]]
        cases = [(t, seal(t, plaintext)) for plaintext in edges + [random_plaintext(t) for _ in range(RANDOM)]]
        compare(f"decoder's {t}", database, table, cases)
        short = [plaintext for plaintext in edges if len(plaintext) < 200] + [random_plaintext(t) for _ in range(20)]
        compare(f"decoder's {t}, changed or cut", database, table,
                [(t, seal(t, change(t, rng.choice(short)))) for _ in range(MUTATED)])
    odd = [
        struct.pack(">HhHH3H", 3, 1, 0, 2, 0, 12, 3400), struct.pack(">HhHH3H", 3, 0, 0x4000, 8, 7, 0,
            0),  # zero digits around
        struct.pack(">HhHH2H", 2, 0, 0x4000, 0, 12, 9999), struct.pack(">HhHH2H", 2, 0, 0, 2, 1,
            2399),  # digits not shown
        struct.pack(">HhHH1H", 1, -1, 0x4000, 3, 9), struct.pack(">HhHH", 0, 5, 0x4000, 3),  # negative zeros
        struct.pack(">HhHH1H", 1, 7, 0xc000, 3, 9), struct.pack(">HhHH1H", 1, -32768, 0, 16383, 9999),
        struct.pack(">HhHH1H", 1, 32767, 0x4000, 1, 9999), struct.pack(">HhHH", 0, 0, 0xd000, 0x3fff),
    ]
    compare("numerics that PostgreSQL would write otherwise", database, table, [("numeric", seal("numeric", p))
        for p in odd])
    compare("inet with the flag of cidr", database, table, [("inet", seal("inet", bytes.fromhex("021001040a010203")))])
    compare("jsonb that PostgreSQL would write otherwise", database, table, [
        ("jsonb", seal("jsonb", b"\1" + text.encode())) for text in ('{"a":1,"a":2}', " [ 1e3 , 0.10E+2 ]\n",
            '"\\u00fc"', '"\\ud83d\\ude00"')])
    compare("NaNs", database, table, [("float8", seal("float8", bytes.fromhex(bits))) for bits in (
        "7ff0000000000001", "fff8000000000000", "7fffffffffffffff", "8000000000000000", "0000000000000001")])


def change(t: str, plaintext: bytes) -> bytes:
    changed = bytearray(plaintext)
    kind = rng.randrange(4)
    if kind == 0:
        return bytes(changed[:rng.randrange(len(changed) + 1)])
    if kind == 1:
        return bytes(changed) + rng.randbytes(rng.randrange(1, 4))
    for _ in range(rng.randrange(1, 3)):
        if changed:
            changed[rng.randrange(min(len(changed), 12 if t in ("numeric", "inet") else len(changed)))] = rng.choice(
                (0, 1, 2, 3, 127, 128, 255, rng.randrange(256)))
    if t == "jsonb":  # escapes are not compared: PostgreSQL refuses \\u0000 and halves of surrogate pairs
        return bytes(changed).replace(b"\\", b"/")
    return bytes(changed)


NAMED = {
    "mood": ("CREATE TYPE mood AS ENUM ('happy', 'größer', '')", ["happy", "größer", ""]),
    "größe": ('CREATE DOMAIN "größe" AS text CHECK (length(VALUE) < 4)', ["½", "", "xü"]),
    "interval": ("", ["1 year 2 mons 3 days 04:05:06.7", "-1 mons"]),
    "int4": ("", ["0", "-1", "2147483647"]),
    "varchar": ("", ["", "Grüße"]),
    "int4range": ("", ["empty", "[1,5)", "(,)"]),
    "pair": ("CREATE TYPE pair AS (a int, b text)", ['(1,"ü ""x""")', "(,)"]),
    "_text": ("", ["{}", '{a,NULL,ü}']),
    "x" * 39: (f"CREATE TYPE {'x' * 39} AS ENUM ('y')", ["y"]),
}


def check_named_types(database: Database) -> None:
    for name, (definition, texts) in NAMED.items():
        quoted = f'"{name}"'
        database.run(f"{definition}; SELECT envcrypt_define_type('{quoted}'::regtype, true);")
        send = database.run(f"SELECT typsend::regproc FROM pg_type WHERE oid = '{quoted}'::regtype")[0][0]
        wrong = []
        for text in texts:
            script = f"SELECT encode({send}(b), 'hex'), encode(\"encrypted_{name}_send\"(s), 'hex') FROM (SELECT b, " \
                     f"{{}} FROM (SELECT {text_or_null(text.encode())}::{quoted}) AS _ (b)) AS _ (b, s)"
            for way in (f'"encrypted_{name}"(b)', "encrypt_for_user('types 1'::text, b)"):
                ((binary, sealed),) = database.run(script.format(way), io="ciphertext")
                table = database.table()
                value = f.parse_value(bytes.fromhex(sealed))
                plaintext = table.open(bytes.fromhex(sealed), name)
                size = len(plaintext) + 41 + len(name.encode()) + 12 * (value.suite - 1)
                if plaintext.hex() != binary or len(sealed) != 2 * size:
                    wrong.append(f"{text}: {plaintext.hex()}, not {binary}")
            answers = try_types(database, [(name, table.seal(owner, name, plaintext, 3))
                for owner in (None, b"types 1")])
            if {bytes.fromhex(answer[5:]).decode() for answer in answers} != {text}:
                wrong.append(f"{text}: server opens {answers}")
        check(f"type by name {name[:12]}: each opens the other's values", not wrong, "\n".join(wrong))
    table = database.table()
    sealed = table.seal(None, "mood", b"happy")
    equal("a value of one type is none of another",
          set(try_types(database, [(other, sealed) for other in ("größe", "int4", "text", "varchar")])),
              {f"ZE002 {CANNOT_OPEN}"})
    compare("no values", database, table, [])
    equal("a domain's checks are no concern of what was sealed",
          try_types(database, [("größe", table.seal(None, "größe", b"too long"))]), ["open " + b"too long".hex()])
    bad = [("mood", b"sad"), ("int4", b"\0"), ("int4", bytes(5)), ("int4range", b"\x01\0"), ("pair", b"\0"),
           ("_text", bytes(3))]
    answers = try_types(database, [(t, table.seal(None, t, plaintext)) for t, plaintext in bad])
    check("types by name: no value is made of a malformed plaintext",
          all(answer[6:].startswith("invalid value for type") for answer in answers), "\n".join(answers))


def check_page_types_on_server(vectors: Vectors, database: Database) -> None:
    database.run(TRY_TYPE + "CREATE TYPE mood AS ENUM ('happy'); CREATE TYPE moods AS ENUM ('happy'); CREATE TYPE "
        "\"Mood\" AS ENUM ('happy');"
                 "CREATE TYPE moor AS ENUM ('happy'); CREATE DOMAIN \"größe\" AS text;"
                 "SELECT envcrypt_define_type(t, true) FROM "
                     "unnest('{mood,moods,\"\\\"Mood\\\"\",moor,größe}'::regtype[]) AS t;")
    table = database.table()
    compare("9.11 on the server", database, table, [(t, sealed) for t, _, _, sealed in vectors.values_of_types()])
    values = [(asked, sealed, plaintext) for _, sealed, _, asked, plaintext in vectors.values()
        if isinstance(asked, str)]
    equal("9.12 and 9.13 on the server", try_types(database, [(asked, sealed) for asked, sealed, _ in values]),
          ["open " + plaintext.hex() for _, _, plaintext in values])
    rejected = [(t, sealed) for _, t, sealed in vectors.rejected_for_type() if len(t) < 54]
    answers = try_types(database, rejected)
    check("9.14 on the server: every one refused", not [answer for answer in answers if answer.startswith("open")],
        "\n".join(answers))
    compare("9.14 on the server", database, table, rejected)


def check_client_encoding(database: Database) -> None:
    """The same bytes, whatever the client speaks."""
    latin = Database(database.name, database.keyring, "LATIN1")
    for t, literal, plaintext in (("text", r"U&'Gr\00fc\00dfe'", "Grüße".encode()),
                                  ("jsonb", r"""U&'{"\00fc": "\00df"}'""", '\1{"ü": "ß"}'.encode()),
                                  ("mood", r"U&'gr\00f6\00dfer'", "größer".encode())):
        got = [bytes.fromhex(row[0]) for row in latin.run(
            f"CREATE TEMP TABLE s AS SELECT * FROM (VALUES ({literal}::encrypted_{t}), "
                f"(encrypted_{t}({literal}::{t})), "
            f"(encrypt_for_user('types 1', {literal}::{t}))) AS _ (v); SET envcrypt.io = ciphertext; "
            f"SELECT encode(encrypted_{t}_send(v), 'hex') FROM s")]
        table = database.table()
        equal(f"{t} sealed with client encoding LATIN1", [table.open(sealed, t) for sealed in got], [plaintext] * 3)
        ((opened,),) = latin.run(f"SET envcrypt.io = plaintext; SELECT "
            f"encode(convert_to(({literal}::encrypted_{t})::text, 'UTF8'), 'hex')")
        equal(f"{t} opened with client encoding LATIN1", bytes.fromhex(opened), plaintext.lstrip(b"\1"))


def check_database_encodings(keyring: str) -> None:
    """In the databases of check_server.py: jsonb is sealed in UTF-8, but in a SQL_ASCII one in the bytes that came."""
    for name, hexed, plaintext in (("latin1", "22fc22", '\1"ü"'.encode()), ("sql_ascii", "22fc22", b'\1"\xfc"'),
                                   ("sql_ascii", "22c3bc22", '\1"ü"'.encode())):
        encoding = name.upper()
        for writer in ("LATIN1", "UTF8"):
            database = Database(name, keyring, writer)
            ((sealed,),) = database.run(
                f"CREATE TEMP TABLE s AS SELECT encrypt_for_user('json', convert_from('\\x{hexed}', "
                    f"'{encoding}')::jsonb) AS v; "
                "SET envcrypt.io = ciphertext; SELECT encode(encrypted_jsonb_send(v), 'hex') FROM s")
            equal(f"{name}: jsonb {hexed} sealed with client encoding {writer}",
                  Database(name, keyring, encoding).table().open(bytes.fromhex(sealed), "jsonb"), plaintext)
            for reader in ("LATIN1", "UTF8"):
                ((opened,),) = Database(name, keyring, reader).run(
                    f"SELECT encode(convert_to(envcrypt_open(encrypted_jsonb_in('{f.armor(bytes.fromhex(sealed))}', 0, "
                        f"-1))::text, "
                    f"'{encoding}'), 'hex')", io="ciphertext")
                equal(f"{name}: and opened with client encoding {reader}", opened, hexed)
