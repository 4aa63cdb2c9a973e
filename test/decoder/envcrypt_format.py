"""envcrypt's formats, version 1: a reader and writer made from docs/format.md alone.

It shares no code with the extension, so that each can be checked against the other. Needs Debian's
python3-cryptography.

    ring = parse_keyring(text)                    section 4
    keys = KeyTable(rows, ring)                   sections 1 and 3
    keys.open(sealed, "date")                     section 2; the plaintext
    keys.value(sealed, "date")                    section 2.6; what it stands for
    unarmor(text), armor(sealed)                  section 5
    tombstone(database_key, owner)                section 6
"""

import base64
import hashlib
import hmac
import os
import re
import string
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Optional, Tuple, Union

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import plaintext as plain


class FormatError(Exception):
    """Anything that a reader has to refuse."""

    sqlstate = ""


class CannotOpen(FormatError):
    """A rejected value. The reason is for tests; the message never tells it."""

    sqlstate = "ZE002"

    def __init__(self, reason: str):
        super().__init__("could not open encrypted value")
        self.reason = reason


class MalformedPlaintext(FormatError):
    """Authentic, but no value of its type."""

    sqlstate = "22"


class NoMasterKey(FormatError):
    sqlstate = "ZE001"


class Shredded(FormatError):
    sqlstate = "ZE003"


class MalformedRow(FormatError):
    sqlstate = "ZE002"


class NotArmored(FormatError):
    """A text without the prefix: not a sealed value at all."""


class KeyringError(FormatError):
    """A keyring that is refused. `place` counts its entries from 1 without the empty ones; no byte of one is shown."""

    def __init__(self, reason: str, place: Optional[int] = None):
        super().__init__(reason if place is None else f"master key {place} of the keyring {reason}")
        self.place = place


# Algorithms.

TAG_SIZE = 16


def aes_block(key: bytes, block: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def xaes_subkey(key: bytes) -> bytes:
    """K1: L doubled in GF(2^128)."""
    doubled = int.from_bytes(aes_block(key, bytes(16)), "big") << 1
    if doubled >> 128:
        doubled = (doubled & ((1 << 128) - 1)) ^ 0x87
    return doubled.to_bytes(16, "big")


def xaes_derived_key(key: bytes, nonce: bytes) -> bytes:
    """Kx."""
    subkey = xaes_subkey(key)
    derived = b""
    for counter in (b"\x00\x01", b"\x00\x02"):
        block = counter + b"\x58\x00" + nonce[:12]
        derived += aes_block(key, bytes(a ^ b for a, b in zip(block, subkey)))
    return derived


def _gcm(suite: int, key: bytes, nonce: bytes):
    """AES-256-GCM and its nonce for either suite."""
    if len(key) != 32 or len(nonce) != NONCE_SIZE[suite]:
        raise ValueError("wrong size of a key or nonce")
    if suite == AES_256_GCM:
        return AESGCM(key), nonce
    return AESGCM(xaes_derived_key(key, nonce)), nonce[12:]


def encrypt(suite: int, key: bytes, nonce: bytes, associated: bytes, plaintext: bytes) -> bytes:
    gcm, gcm_nonce = _gcm(suite, key, nonce)
    return gcm.encrypt(gcm_nonce, plaintext, associated)


def decrypt(suite: int, key: bytes, nonce: bytes, associated: bytes, ciphertext: bytes) -> bytes:
    """Raises InvalidTag."""
    gcm, gcm_nonce = _gcm(suite, key, nonce)
    return gcm.decrypt(gcm_nonce, ciphertext, associated)


def hkdf(material: bytes, label: bytes, size: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=size, salt=None, info=label).derive(material)


def _canonical_base64(text: str) -> bytes:
    """Standard alphabet, padded, unused bits zero. Raises ValueError."""
    if not re.fullmatch(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", text):
        raise ValueError("not base64")
    decoded = base64.b64decode(text, validate=True)
    if base64.b64encode(decoded).decode("ascii") != text:
        raise ValueError("unused bits are set")
    return decoded


# Section 2: sealed values.

VERSION = 1
AES_256_GCM = 1
XAES_256_GCM = 2
NONCE_SIZE = {AES_256_GCM: 12, XAES_256_GCM: 24}
SUITE_OF_FORMAT = {VERSION << 5 | suite: suite for suite in NONCE_SIZE}  # 0x21, 0x22
HEADER_SIZE = 12

TEXT = 1
BYTEA = 2
NAME_OF_TAG = {tag: name for name, tag in plain.TAG.items()}

# A type that is asked for: the tag of one that has a tag, or any type's name.
Type = Union[int, str]


def type_name(asked: Type) -> str:
    return NAME_OF_TAG.get(asked, "") if isinstance(asked, int) else asked


def type_field(asked: Type) -> Tuple[int, bytes]:
    """Type tag, and what stands between key id and nonce."""
    if isinstance(asked, int):
        return asked, b""
    if asked in plain.TAG:
        return plain.TAG[asked], b""
    name = asked.encode("utf-8")
    return plain.NAMED, bytes((len(name),)) + name


@dataclass(frozen=True)
class SealedValue:
    suite: int
    type_tag: int
    type_field: bytes  # the name with its length, with type tag 255
    context_id: int
    key_id: int
    nonce: bytes
    ciphertext: bytes  # with the tag
    associated: bytes


def parse_value(sealed: bytes) -> SealedValue:
    """Splits a value. Nothing of what it returns is authenticated."""
    if not sealed:
        raise CannotOpen("size")
    suite = SUITE_OF_FORMAT.get(sealed[0])
    if suite is None:
        raise CannotOpen("format byte")
    if len(sealed) < HEADER_SIZE + NONCE_SIZE[suite] + TAG_SIZE:
        raise CannotOpen("size")
    header_size = HEADER_SIZE
    if sealed[1] == plain.NAMED:
        if not 1 <= sealed[HEADER_SIZE] <= 63:
            raise CannotOpen("size of the type's name")
        header_size += 1 + sealed[HEADER_SIZE]
    start = header_size + NONCE_SIZE[suite]
    if len(sealed) < start + TAG_SIZE:
        raise CannotOpen("size")
    key_id = int.from_bytes(sealed[4:12], "big")
    if key_id == 0:
        raise CannotOpen("key id 0")
    if sealed[1] == 0:
        raise CannotOpen("type tag 0")
    return SealedValue(
        suite=suite,
        type_tag=sealed[1],
        type_field=sealed[HEADER_SIZE:header_size],
        context_id=int.from_bytes(sealed[2:4], "big"),
        key_id=key_id,
        nonce=sealed[header_size:start],
        ciphertext=sealed[start:],
        associated=sealed[:header_size],
    )


def check_type(value: SealedValue, asked: Type) -> None:
    tag, _ = type_field(asked)
    if tag not in NAME_OF_TAG and tag != plain.NAMED:
        raise CannotOpen("the plaintext of this type is not defined")
    if (value.type_tag, value.type_field) != type_field(asked):
        raise CannotOpen("type tag or name")


def open_value(sealed: bytes, data_key: bytes, asked: Type) -> bytes:
    """Opens a value under a data key that is already known to be its own."""
    value = parse_value(sealed)
    check_type(value, asked)
    try:
        plaintext = decrypt(value.suite, data_key, value.nonce, value.associated, value.ciphertext)
    except InvalidTag:
        raise CannotOpen("tag") from None
    size = plain.FIXED_SIZE.get(type_name(asked))
    if size is not None and len(plaintext) != size:
        raise CannotOpen("size of the plaintext")
    return plaintext


def seal_value(suite: int, data_key: bytes, key_id: int, asked: Type, plaintext: bytes, context_id: int = 0,
               nonce: Optional[bytes] = None) -> bytes:
    """Seals a value. A nonce is only given by tests that repeat a vector."""
    tag, field = type_field(asked)
    if tag not in NAME_OF_TAG and not 2 <= len(field) <= 64:
        raise ValueError("the plaintext of this type is not defined")
    if not 0 < key_id < 1 << 64 or not 0 <= context_id < 1 << 16:
        raise ValueError("key id or context id out of range")
    if len(plaintext) > 1 << 30:
        raise ValueError("the plaintext is too long")
    if nonce is None:
        nonce = os.urandom(NONCE_SIZE[suite])
    header = bytes((VERSION << 5 | suite, tag)) + context_id.to_bytes(2, "big") + key_id.to_bytes(8, "big") + field
    return header + nonce + encrypt(suite, data_key, nonce, header, plaintext)


# Section 3: wrapped data keys.

KIND_NUMBER = {"data": 1, "token": 2}
ALGORITHM_NUMBER = {"aes-256-gcm": AES_256_GCM, "xaes-256-gcm": XAES_256_GCM}
WRAPPED_VERSION = 1
WRAPPED_SIZE = 73
FINGERPRINT_SIZE = 16


@dataclass
class KeyRow:
    """A row of envcrypt_data_keys. key_id is the bigint of the table, owner the UTF-8 of it."""

    key_id: int
    kind: str
    owner: Optional[bytes]
    key_version: int
    algorithm: str
    master_fingerprint: Optional[bytes]
    wrapped_key: Optional[bytes]
    tombstone: Optional[bytes] = None

    @property
    def unsigned_id(self) -> int:
        return self.key_id % (1 << 64)


def signed_id(key_id: int) -> int:
    """The bigint of an unsigned key id."""
    return key_id - (1 << 64) if key_id >= 1 << 63 else key_id


def check_row(row: KeyRow) -> None:
    """What section 3 asks of a row before any cryptography."""
    if row.kind not in KIND_NUMBER and row.kind != "shredded":
        raise MalformedRow("kind")
    if row.algorithm not in ALGORITHM_NUMBER:
        raise MalformedRow("algorithm")
    if row.kind == "shredded":
        raise Shredded("the owner of this value was shredded")
    if row.master_fingerprint is None or len(row.master_fingerprint) != FINGERPRINT_SIZE:
        raise MalformedRow("master_fingerprint")
    if row.wrapped_key is None or len(row.wrapped_key) != WRAPPED_SIZE:
        raise MalformedRow("wrapped_key")
    if row.owner is not None and not 1 <= len(row.owner) <= 255:
        raise MalformedRow("owner")
    if row.unsigned_id == 0 or not 1 <= row.key_version < 1 << 31:
        raise MalformedRow("key id or key version")
    if row.wrapped_key[0] != WRAPPED_VERSION:
        raise CannotOpen("version of the wrapped key")


def row_associated_data(row: KeyRow) -> bytes:
    return (
        bytes((WRAPPED_VERSION,))
        + row.unsigned_id.to_bytes(8, "big")
        + bytes((KIND_NUMBER[row.kind], ALGORITHM_NUMBER[row.algorithm]))
        + row.key_version.to_bytes(4, "big")
        + row.master_fingerprint
        + (b"\x00" if row.owner is None else b"\x01" + row.owner)
    )


def unwrap_row(row: KeyRow, wrapping_key: bytes) -> bytes:
    check_row(row)
    try:
        return decrypt(XAES_256_GCM, wrapping_key, row.wrapped_key[1:25], row_associated_data(row),
            row.wrapped_key[25:])
    except InvalidTag:
        raise CannotOpen("wrapped key") from None


def wrap_row(row: KeyRow, data_key: bytes, wrapping_key: bytes, nonce: Optional[bytes] = None) -> bytes:
    """The bytes of wrapped_key for the row's other columns."""
    if len(data_key) != 32:
        raise ValueError("wrong size of a data key")
    if nonce is None:
        nonce = os.urandom(24)
    return (bytes((WRAPPED_VERSION,)) + nonce
            + encrypt(XAES_256_GCM, wrapping_key, nonce, row_associated_data(row), data_key))


# Section 4: master keys.


class MasterKey:
    def __init__(self, key: bytes):
        if len(key) != 32:
            raise ValueError("wrong size of a master key")
        self.key = key
        self.wrapping_key = hkdf(key, b"envcrypt v1 wrap", 32)
        self.fingerprint = hkdf(key, b"envcrypt v1 fingerprint", FINGERPRINT_SIZE)


def parse_master_key(text: str, place: int = 1) -> bytes:
    if len(text) == 64:
        if any(character not in string.hexdigits for character in text):
            raise KeyringError("has a character that is not hexadecimal", place)
        return bytes.fromhex(text)
    if len(text) not in (43, 44):
        raise KeyringError("is not 32 bytes", place)
    if len(text) == 44:
        if text[43] != "=":
            raise KeyringError("is not 32 bytes", place)
        text = text[:43]
    if not re.fullmatch(r"[A-Za-z0-9+/_-]{43}", text):
        raise KeyringError("has a character that is not base64", place)
    try:
        return _canonical_base64(text.replace("-", "+").replace("_", "/") + "=")
    except ValueError:
        raise KeyringError("has unused bits set", place) from None


def parse_keyring(text: str) -> List[MasterKey]:
    """The keys of a keyring, the primary one first."""
    entries = [entry.strip(" \t\r") for entry in re.split("[:\n]", text)]
    entries = [entry for entry in entries if entry]
    if not entries:
        raise KeyringError("the keyring has no key")
    if len(entries) > 32:
        raise KeyringError("the keyring has more than 32 entries")
    distinct = dict.fromkeys(parse_master_key(entry, place) for place, entry in enumerate(entries, 1))
    return [MasterKey(key) for key in distinct]


# Section 5: armored text.

PREFIX = "envcrypt1:"


def armor(sealed: bytes) -> str:
    return PREFIX + base64.b64encode(sealed).decode("ascii")


def unarmor(text: str) -> bytes:
    if not text.startswith(PREFIX):
        raise NotArmored("not armored text")
    body = text[len(PREFIX):]
    if not body:
        raise CannotOpen("armored text")
    try:
        return _canonical_base64(body)
    except ValueError:
        raise CannotOpen("armored text") from None


# Section 6: tombstones.


def tombstone_key(database_key: bytes) -> bytes:
    return hkdf(database_key, b"envcrypt v1 tombstone", 32)


def tombstone(database_key: bytes, owner: bytes) -> bytes:
    """database_key: the one of key version 1, unwrapped."""
    return hmac.new(tombstone_key(database_key), owner, hashlib.sha256).digest()


# All together, as section 1 says.


class KeyTable:
    """envcrypt_data_keys and a keyring: opens any value that can be opened with them."""

    def __init__(self, rows: Iterable[KeyRow], ring: Iterable[MasterKey]):
        self.rows: Dict[int, KeyRow] = {row.unsigned_id: row for row in rows}
        self.ring: Dict[bytes, MasterKey] = {master.fingerprint: master for master in ring}
        self._opened: Dict[int, bytes] = {}

    def unwrap(self, key_id: int) -> bytes:
        if key_id not in self._opened:
            row = self.rows[key_id]
            check_row(row)
            master = self.ring.get(row.master_fingerprint)
            if master is None:
                raise NoMasterKey("no master key is at hand for this value")
            self._opened[key_id] = unwrap_row(row, master.wrapping_key)
        return self._opened[key_id]

    def database_key(self) -> KeyRow:
        """The one that tombstones come from."""
        (row,) = [row for row in self.rows.values() if row.kind == "data" and row.owner is None
            and row.key_version == 1]
        return row

    def active(self, owner: Optional[bytes]) -> KeyRow:
        """The row that seals for an owner; None for the database key."""
        return max((row for row in self.rows.values() if row.kind == "data" and row.owner == owner),
                   key=lambda row: row.key_version)

    def tombstone(self, owner: bytes) -> bytes:
        return tombstone(self.unwrap(self.database_key().unsigned_id), owner)

    def open(self, sealed: bytes, asked: Type) -> bytes:
        value = parse_value(sealed)
        check_type(value, asked)
        row = self.rows.get(value.key_id)
        if row is None:
            raise CannotOpen("no such data key")
        check_row(row)
        if row.kind != "data":
            raise CannotOpen("kind of the data key")
        if ALGORITHM_NUMBER[row.algorithm] != value.suite:
            raise CannotOpen("algorithm of the data key")
        return open_value(sealed, self.unwrap(value.key_id), asked)

    def value(self, sealed: bytes, asked: Type) -> Any:
        plaintext = self.open(sealed, asked)
        try:
            return plain.decode(type_name(asked), plaintext)
        except plain.Malformed:
            raise MalformedPlaintext("invalid value") from None

    def seal(self, owner: Optional[bytes], asked: Type, plaintext: bytes, context_id: int = 0) -> bytes:
        row = self.active(owner)
        return seal_value(ALGORITHM_NUMBER[row.algorithm], self.unwrap(row.unsigned_id), row.unsigned_id, asked,
                          plaintext, context_id)
