#!/usr/bin/python3
"""Checks the decoder against the test vectors of docs/format.md, read from that page itself.

    check_vectors.py PATH-OF-format.md
"""

import base64
import hashlib
import hmac
import re
import sys
from typing import Dict

import envcrypt_format as f
import plaintext as plain
from checks import check, equal, section, sqlstate_of
from envcrypt_format import KeyRow, KeyTable


class Vectors:
    """Section 9 of the page."""

    def __init__(self, path: str):
        with open(path, encoding="utf-8") as page:
            vectors = page.read().split("\n## 9. ", 1)[1].split("\n## ")[0]
        self.sections: Dict[str, str] = {}
        for part in vectors.split("\n### ")[1:]:
            title, _, body = part.partition("\n")
            self.sections[title.split(" ")[0]] = body

    def fields(self, number: str) -> Dict[str, str]:
        """The lines `name = value` of a section's code block; a line without a name goes on with the one above."""
        fields: Dict[str, str] = {}
        name = ""
        for line in self.sections[number].splitlines():
            if not line.startswith("    "):
                continue
            before, sign, after = line[4:].partition(" = ")
            if sign and not line[4:].startswith(" "):
                name = before.strip()
                fields[name] = after.strip()
            else:
                fields[name] += line.strip()
        return fields

    def row(self, number: str) -> KeyRow:
        fields = self.fields(number)
        owner = None if fields["owner"] == "NULL" else bytes.fromhex(in_brackets(fields["owner"]))
        return KeyRow(
            key_id=int(fields["key_id"].split(" ")[0]),
            kind=fields["kind"].split(" ")[0],
            owner=owner,
            key_version=int(fields["key_version"]),
            algorithm=fields["algorithm"].split(" ")[0],
            master_fingerprint=bytes.fromhex(self.fields("9.1")["fingerprint"]),
            wrapped_key=bytes.fromhex(fields["wrapped_key"]),
        )

    def rows(self):
        return [self.row(number) for number in ("9.2", "9.3", "9.4")]

    def values(self):
        """number, sealed value, armored text, type tag or the name of a type without one, plaintext"""
        for number in ("9.5", "9.6", "9.7", "9.8", "9.12", "9.13"):
            fields = self.fields(number)
            asked = fields["type name"].split('"')[1] if "type name" in fields else int(fields["type tag"])
            yield (number, bytes.fromhex(fields["sealed value"]), fields["armored text"], asked,
                   hex_or_empty(fields["plaintext"]))

    def values_of_types(self):
        """type, value as text, plaintext, sealed value"""
        for type_name, text, plaintext, sealed in re.findall(
                r"^\| (\w+) \| `([^|]*)` \| `(\w*)` \| `(\w+)` \|$", self.sections["9.11"], re.M):
            yield type_name, text, bytes.fromhex(plaintext), bytes.fromhex(sealed)

    def rejected_for_type(self):
        """what, type, sealed value"""
        for what, type_name, sealed in re.findall(r"^\| ([^|]+) \| (\w+) \| `(\w+)` \|$", self.sections["9.14"], re.M):
            yield f"{what}, asked for as {type_name[:9]}", type_name, bytes.fromhex(sealed)

    def rejected(self):
        """what, the value's bytes or the armored text"""
        for what, cell in re.findall(r"^\| ([^|]+) \| (`[^`]*`|\(empty\)) \|$", self.sections["9.10"], re.M):
            cell = cell.strip("`")
            if cell.startswith(f.PREFIX):
                yield what, cell
            else:
                yield what, hex_or_empty(cell)


def in_brackets(text: str) -> str:
    return re.search(r"\(([0-9a-f]+)\)", text)[1]


def hex_or_empty(text: str) -> bytes:
    return b"" if text == "(empty)" else bytes.fromhex(text.split(" ")[0])


def check_master_key(vectors: Vectors) -> None:
    fields = vectors.fields("9.1")
    for name in ("master key", "base64"):
        (master,) = f.parse_keyring(fields[name])
        equal(f"9.1 {name}", master.key.hex(), fields["master key"])
    equal("9.1 wrapping key", master.wrapping_key.hex(), fields["wrapping key"])
    equal("9.1 fingerprint", master.fingerprint.hex(), fields["fingerprint"])


def check_rows(vectors: Vectors) -> None:
    (master,) = f.parse_keyring(vectors.fields("9.1")["base64"])
    for number in ("9.2", "9.3", "9.4"):
        fields = vectors.fields(number)
        row = vectors.row(number)
        nonce = bytes.fromhex(fields["nonce"])
        equal(f"{number} key id", f"{row.unsigned_id:016x}", in_brackets(fields["key_id"]))
        equal(f"{number} key id as bigint", f.signed_id(row.unsigned_id), row.key_id)
        equal(f"{number} associated data", f.row_associated_data(row).hex(), fields["associated data"])
        equal(f"{number} L", f.aes_block(master.wrapping_key, bytes(16)).hex(), fields["L"])
        equal(f"{number} K1", f.xaes_subkey(master.wrapping_key).hex(), fields["K1"])
        equal(f"{number} Kx", f.xaes_derived_key(master.wrapping_key, nonce).hex(), fields["Kx"])
        equal(f"{number} wrapped key in parts", "01" + fields["nonce"] + fields["encrypted key"] + fields["tag"],
              fields["wrapped_key"])
        equal(f"{number} unwraps", f.unwrap_row(row, master.wrapping_key).hex(), fields["data key"])
        equal(f"{number} wraps",
              f.wrap_row(row, bytes.fromhex(fields["data key"]), master.wrapping_key, nonce).hex(),
              fields["wrapped_key"])
        if row.owner is not None:
            equal(f"{number} owner", row.owner.decode("utf-8"), fields["owner"].split('"')[1])


def check_values(vectors: Vectors) -> None:
    table = KeyTable(vectors.rows(), f.parse_keyring(vectors.fields("9.1")["base64"]))
    for number, sealed, armored, tag, plaintext in vectors.values():
        fields = vectors.fields(number)
        key = bytes.fromhex(fields["data key"])
        value = f.parse_value(sealed)
        equal(f"{number} opens", table.open(sealed, tag), plaintext)
        equal(f"{number} opens from armored text", table.open(f.unarmor(armored), tag), plaintext)
        equal(f"{number} armored", f.armor(sealed), armored)
        equal(f"{number} associated data", value.associated.hex(), fields["associated data"])
        equal(f"{number} context id", value.context_id, int(fields["context id"].split(" ")[0]))
        equal(f"{number} key id", f"{value.key_id:016x}", fields["key id"])
        equal(f"{number} nonce", value.nonce.hex(), fields["nonce"])
        equal(f"{number} ciphertext and tag", value.ciphertext,
              hex_or_empty(fields["ciphertext"]) + bytes.fromhex(fields["tag"]))
        equal(f"{number} seals",
              f.seal_value(value.suite, key, value.key_id, tag, plaintext, value.context_id, value.nonce), sealed)
        if '"' in fields["plaintext"]:
            equal(f"{number} plaintext as characters", plaintext.decode("utf-8"), fields["plaintext"].split('"')[1])
        if value.suite == f.XAES_256_GCM:
            equal(f"{number} L", f.aes_block(key, bytes(16)).hex(), fields["L"])
            equal(f"{number} K1", f.xaes_subkey(key).hex(), fields["K1"])
            equal(f"{number} Kx", f.xaes_derived_key(key, value.nonce).hex(), fields["Kx"])
            equal(f"{number} GCM nonce", value.nonce[12:].hex(), fields["GCM nonce"])
        equal(f"{number} refused as every other type",
              {sqlstate_of(lambda: table.open(sealed, other)) for other in [*plain.TAG.values(), "another", "mood\0"]
                  if other != tag},
              {"ZE002"})
        check(f"{number} refused with any bit changed",
              all(sqlstate_of(lambda: table.open(flip(sealed, bit), tag)) == "ZE002" for bit in range(len(sealed) * 8)))
        check(f"{number} refused at any shorter size",
              all(sqlstate_of(lambda: table.open(sealed[:size], tag)) == "ZE002" for size in range(len(sealed))))


def check_values_of_types(vectors: Vectors) -> None:
    table = KeyTable(vectors.rows(), f.parse_keyring(vectors.fields("9.1")["base64"]))
    seen = set()
    for type_name, text, plaintext, sealed in vectors.values_of_types():
        value = f.parse_value(sealed)
        seen.add((type_name, value.suite))
        what = f"9.11 {type_name} {text[:30]}"
        equal(f"{what}: opens", table.open(sealed, type_name), plaintext)
        equal(f"{what}: the plaintext's value", shown(type_name, table.value(sealed, type_name)), text)
        equal(f"{what}: the value's plaintext", plain.encode(type_name, text), plaintext)
        equal(f"{what}: seals", f.seal_value(value.suite, table.unwrap(value.key_id), value.key_id, type_name,
            plaintext,
                                             value.context_id, value.nonce), sealed)
        equal(f"{what}: refused as every other type",
              {sqlstate_of(lambda: table.open(sealed, other)) for other in [*plain.TAG, "mood"] if other != type_name},
                  {"ZE002"})
    equal("9.11 has every type in both suites", seen, {(type_name, suite) for type_name in plain.TAG
        for suite in (1, 2)})


def shown(type_name: str, value) -> str:
    """A value as PostgreSQL prints it, but for the exponents of float8."""
    if type_name == "bytea":
        return "\\x" + value.hex()
    if type_name == "bool":
        return "true" if value else "false"
    if type_name == "numeric":
        return format(value, "f")
    if type_name == "float8":
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(repr(value), re.sub(r"\.0$", "", repr(value)))
    if type_name == "inet":
        return str(value.ip) if value.network.prefixlen == value.max_prefixlen else str(value)
    return str(value)


def check_rejected_for_type(vectors: Vectors) -> None:
    table = KeyTable(vectors.rows(), f.parse_keyring(vectors.fields("9.1")["base64"]))
    count = 0
    for what, type_name, sealed in vectors.rejected_for_type():
        count += 1
        check(f"9.14 {what}", sqlstate_of(lambda: table.value(sealed, type_name)) in ("ZE002", "22"))
    check("9.14 the page lists 38 values", count == 38, f"found {count}")


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 0x80 >> bit % 8
    return bytes(changed)


def check_tombstone(vectors: Vectors) -> None:
    fields = vectors.fields("9.9")
    key = bytes.fromhex(fields["database key"])
    equal("9.9 T", f.tombstone_key(key).hex(), fields["T"])
    equal("9.9 tombstone", f.tombstone(key, bytes.fromhex(in_brackets(fields["owner"]))).hex(), fields["tombstone"])
    table = KeyTable(vectors.rows(), f.parse_keyring(vectors.fields("9.1")["base64"]))
    equal("9.9 tombstone from the rows", table.tombstone(vectors.row("9.2").owner).hex(), fields["tombstone"])


def check_rejected(vectors: Vectors) -> None:
    table = KeyTable(vectors.rows(), f.parse_keyring(vectors.fields("9.1")["base64"]))
    count = 0
    for what, given in vectors.rejected():
        count += 1
        states = set()
        for tag in (f.TEXT, f.BYTEA):
            states.add(sqlstate_of(lambda: table.open(f.unarmor(given) if isinstance(given, str) else given, tag)))
        equal(f"9.10 {what}", states, {"ZE002"})
    check("9.10 the page lists 17 values and 5 texts", count == 22, f"found {count}")


def check_armor() -> None:
    """Section 5 beyond the vectors."""
    armored = f.armor(bytes(41))
    for what, text in (
        ("white space after the prefix", armored[:10] + " " + armored[10:]),
        ("a line feed at the end", armored + "\n"),
        ("a line feed within", armored[:40] + "\n" + armored[40:]),
        ("surplus padding", armored + "="),
        ("padding alone", "envcrypt1:===="),
        ("padding within", armored[:20] + "=" + armored[21:]),
        ("a single character", "envcrypt1:A"),
        ("a character beyond ASCII", armored[:20] + "é" + armored[21:]),
        ("unused bits", armored.replace("A=", "B=")),
    ):
        equal(f"armored text: {what}", sqlstate_of(lambda: f.unarmor(text)), "ZE002")
    for text in ("", "envcrypt1", "ENVCRYPT1:AAAA", " envcrypt1:AAAA", "envcrypt2:AAAA"):
        equal(f"not armored text: {text!r}", sqlstate_of(lambda: f.unarmor(text)), "NotArmored")


def keyrings(vectors: Vectors):
    """what, keyring, the keys that it gives or None if it is refused"""
    text = vectors.fields("9.1")["base64"]
    key = base64.b64decode(text)
    both = bytes([251] * 32)  # + and / in the standard alphabet, - and _ in the other
    plus = base64.b64encode(both).decode()
    minus = base64.urlsafe_b64encode(both).decode()
    mixed = plus[:20] + minus[20:]
    many = [bytes([i]) * 32 for i in range(40)]
    yield "43 characters", text[:43], [key]
    yield "44 characters", text, [key]
    yield "64 hex digits", key.hex(), [key]
    yield "64 hex digits in capitals", key.hex().upper(), [key]
    yield "64 hex digits of both cases", key.hex()[:32].upper() + key.hex()[32:], [key]
    yield "the standard alphabet", plus, [both]
    yield "the URL-safe alphabet", minus, [both]
    yield "both alphabets mixed", mixed, [both]
    yield "43 hex digits: base64", "a" * 42 + "A", [base64.b64decode("a" * 42 + "A=")]
    yield "two keys, a colon", text + ":" + plus, [key, both]
    yield "two keys, a line feed", plus + "\n" + text + "\n", [both, key]
    yield "carriage returns, spaces, tabs", " \t" + text + "\r\n \t\r\n" + plus + " \r\n", [key, both]
    yield "empty entries", "::" + text + ":\n:" + plus + ":", [key, both]
    yield "one key in four forms", ":".join((minus, plus, both.hex(), plus[:43], text)), [both, key]
    yield "32 keys", ":".join(k.hex() for k in many[:32]), many[:32]
    yield "32 entries of one key", ":".join([text] * 32), [key]
    yield "32 keys and empty entries", "::".join(k.hex() for k in many[:32]) + "\n\n", many[:32]
    yield "33 keys", ":".join(k.hex() for k in many[:33]), None
    yield "33 entries of one key", ":".join([text] * 33), None
    yield "no key", "", None
    yield "only separators", ":\n :\t", None
    yield "42 characters", text[:42], None
    yield "42 characters and padding", text[:42] + "=", None
    yield "45 characters", text + "=", None
    yield "44 characters without padding", text[:43] + "A", None
    yield "63 hex digits", key.hex()[:63], None
    yield "65 hex digits", key.hex() + "0", None
    yield "a prefix to hex", "0x" + key.hex()[2:], None
    yield "a letter that is not hex", key.hex()[:63] + "g", None
    yield "padding within", text[:20] + "=" + text[21:], None
    yield "padding as the 43rd character", text[:42] + "==", None
    yield "a space within a key", text[:20] + " " + text[21:], None
    yield "a space between two halves", text[:20] + " " + text[20:], None
    yield "a tab within hex", key.hex()[:20] + "\t" + key.hex()[21:], None
    yield "a vertical tab before a key", "\v" + text, None
    yield "a form feed after a key", text + "\f", None
    yield "a comma between keys", text + "," + plus, None
    yield "a character beyond ASCII", text[:20] + "é" + text[21:], None
    yield "a character beyond ASCII within hex", key.hex()[:62] + "é", None
    yield "a full stop", text[:20] + "." + text[21:], None
    yield "an unused bit", text[:42] + chr(ord(text[42]) + 1) + "=", None
    yield "the other unused bit", text[:42] + chr(ord(text[42]) + 2), None
    yield "a good key and a bad one", text + ":" + plus[:40], None


def check_keyrings(vectors: Vectors) -> None:
    for what, text, expected in keyrings(vectors):
        try:
            got = [master.key for master in f.parse_keyring(text)]
        except f.KeyringError:
            got = None
        equal(f"keyring: {what}", got, expected)
    text = vectors.fields("9.1")["base64"]
    try:
        f.parse_keyring(":" + text + "::\n" + text[:40])
        check("keyring: an error names the entry", False)
    except f.KeyringError as error:
        check("keyring: an error names the entry", error.place == 2 and text[:10] not in str(error), str(error))


def check_row_rules(vectors: Vectors) -> None:
    """Section 3's list, from the row of 9.2."""
    (master,) = f.parse_keyring(vectors.fields("9.1")["base64"])
    (other,) = f.parse_keyring("f" * 64)
    sealed = bytes.fromhex(vectors.fields("9.5")["sealed value"])
    good = vectors.row("9.2")

    def state(**changes) -> str:
        row = KeyRow(**{**good.__dict__, **changes})
        return sqlstate_of(lambda: KeyTable([row], [master, other]).open(sealed, f.TEXT))

    equal("row as it is", state(), "")
    for what, changes, expected in row_changes(good, vectors.row("9.3"), other.fingerprint):
        equal(f"row: {what}", state(**changes), expected)
    equal("row: no master key at hand",
          sqlstate_of(lambda: KeyTable([good], [other]).open(sealed, f.TEXT)), "ZE001")
    for name, changes in (("key id 0", {"key_id": 0}), ("key version 0", {"key_version": 0})):
        row = KeyRow(**{**good.__dict__, **changes})
        equal(f"row: {name}", sqlstate_of(lambda: f.unwrap_row(row, master.wrapping_key)), "ZE002")


def row_changes(good: KeyRow, foreign: KeyRow, other_fingerprint: bytes):
    """what was changed, columns, SQLSTATE of opening a value under this key"""
    yield "unknown kind", {"kind": "Data"}, "ZE002"
    yield "unknown algorithm", {"algorithm": "aes-128-gcm"}, "ZE002"
    yield "fingerprint too short", {"master_fingerprint": good.master_fingerprint[:15]}, "ZE002"
    yield "fingerprint too long", {"master_fingerprint": good.master_fingerprint + b"\0"}, "ZE002"
    yield "wrapped key too short", {"wrapped_key": good.wrapped_key[:72]}, "ZE002"
    yield "wrapped key too long", {"wrapped_key": good.wrapped_key + b"\0"}, "ZE002"
    yield "wrapped key empty", {"wrapped_key": b""}, "ZE002"
    yield "owner empty", {"owner": b""}, "ZE002"
    yield "owner of 256 bytes", {"owner": b"x" * 256}, "ZE002"
    yield "owner of 256 bytes in 128 characters", {"owner": "é".encode() * 128}, "ZE002"
    yield "owner of 255 bytes, but another", {"owner": b"x" * 255}, "ZE002"
    yield "owner without its diaeresis", {"owner": b"Zoe"}, "ZE002"
    yield "owner in decomposed form", {"owner": "Zoe\u0308".encode()}, "ZE002"
    yield "no owner", {"owner": None}, "ZE002"
    yield "kind token", {"kind": "token"}, "ZE002"
    yield "kind shredded", {"kind": "shredded", "owner": None, "master_fingerprint": None, "wrapped_key": None,
                            "tombstone": bytes(32)}, "ZE003"
    yield "the other algorithm", {"algorithm": "xaes-256-gcm"}, "ZE002"
    yield "another key version", {"key_version": 2}, "ZE002"
    yield "key version 0", {"key_version": 0}, "ZE002"
    yield "negative key version", {"key_version": -1}, "ZE002"
    yield "another master key's fingerprint", {"master_fingerprint": other_fingerprint}, "ZE002"
    yield "version 0 of the wrapped key", {"wrapped_key": b"\0" + good.wrapped_key[1:]}, "ZE002"
    yield "version 2 of the wrapped key", {"wrapped_key": b"\2" + good.wrapped_key[1:]}, "ZE002"
    yield "another row's wrapped key", {"wrapped_key": foreign.wrapped_key}, "ZE002"
    for byte in (1, 24, 25, 56, 57, 72):
        yield f"byte {byte} of the wrapped key", {"wrapped_key": flip(good.wrapped_key, byte * 8)}, "ZE002"


def check_writer_refuses() -> None:
    def refused(action) -> bool:
        try:
            action()
        except ValueError:
            return True
        return False

    key = bytes(32)
    check("no value is made of a type without a tag", refused(lambda: f.seal_value(1, key, 1, 12, b"")))
    check("no value is made of a type without a name", refused(lambda: f.seal_value(1, key, 1, "", b"")))
    check("no value is made of a type's name of 64 bytes", refused(lambda: f.seal_value(1, key, 1, "ü" * 32, b"")))
    check("no value is made for key id 0", refused(lambda: f.seal_value(1, key, 0, 1, b"")))
    check("no value is made for context id 65536", refused(lambda: f.seal_value(1, key, 1, 1, b"", 65536)))
    equal("no value of another type is opened",
          sqlstate_of(lambda: f.open_value(bytes.fromhex("210c0000") + bytes([1] * 36), key, 12)), "ZE002")


def check_algorithms() -> None:
    """RFC 5869's first case without a salt, RFC 4231's second, and C2SP's of XAES-256-GCM."""
    equal("HKDF-SHA256: RFC 5869, case 3",
          f.hkdf(b"\x0b" * 22, b"", 42).hex(),
          "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")
    equal("HMAC-SHA256: RFC 4231, case 2",
          hmac.new(b"Jefe", b"what do ya want for nothing?", hashlib.sha256).hexdigest(),
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX"
    equal("XAES-256-GCM: C2SP, first case",
          f.encrypt(f.XAES_256_GCM, b"\x01" * 32, nonce, b"", b"XAES-256-GCM").hex(),
          "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271")
    equal("XAES-256-GCM: C2SP, second case",
          f.encrypt(f.XAES_256_GCM, b"\x03" * 32, nonce, b"c2sp.org/XAES-256-GCM", b"XAES-256-GCM").hex(),
          "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d")


def main() -> None:
    vectors = Vectors(sys.argv[1])
    section("algorithms", check_algorithms)
    section("9.1", lambda: check_master_key(vectors))
    section("9.2 to 9.4", lambda: check_rows(vectors))
    section("9.5 to 9.8, 9.12, 9.13", lambda: check_values(vectors))
    section("9.11", lambda: check_values_of_types(vectors))
    section("9.14", lambda: check_rejected_for_type(vectors))
    section("9.9", lambda: check_tombstone(vectors))
    section("9.10", lambda: check_rejected(vectors))
    section("section 3", lambda: check_row_rules(vectors))
    section("section 4", lambda: check_keyrings(vectors))
    section("section 5", check_armor)
    section("writer", check_writer_refuses)


if __name__ == "__main__":
    main()
