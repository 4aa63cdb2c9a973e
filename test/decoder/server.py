"""A PostgreSQL server, by psql: databases, their key rows, and what every check against a server shares."""

import os
import random
import subprocess
from typing import Dict, List, Optional

import envcrypt_format as f
from envcrypt_format import KeyRow, KeyTable

CANNOT_OPEN = "could not open encrypted value"
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
rng = random.Random(SEED)


def psql_command(database: str, keyring: Optional[str], settings: Dict[str, str], encoding: str = "UTF8"):
    options = dict(settings)
    if keyring:
        options["envcrypt.master_key"] = keyring
    environment = dict(
        os.environ,
        PGDATABASE=database,
        PGCLIENTENCODING=encoding,
        PGOPTIONS=" ".join(f"-c {name}={value}" for name, value in options.items()),
    )
    return ["psql", "-XAtq", "-F", "|", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose"], environment


class Failed(Exception):
    pass


class Database:
    """One database, with the keyring that its sessions set."""

    def __init__(self, name: str, keyring: Optional[str] = None, encoding: str = "UTF8"):
        self.name = name
        self.keyring = keyring
        self.encoding = encoding

    def run(self, script: str, **settings: str) -> List[List[str]]:
        """Runs statements in one session; returns the rows of all of them."""
        settings = {"envcrypt." + name: value for name, value in settings.items()}
        command, environment = psql_command(self.name, self.keyring, settings, self.encoding)
        done = subprocess.run(command, input=script.encode(), env=environment, capture_output=True, check=False)
        if done.returncode != 0:
            raise Failed(done.stderr.decode(errors="replace"))
        return [line.split("|") for line in done.stdout.decode().splitlines()]

    def error(self, script: str, **settings: str) -> str:
        """The SQLSTATE with which a script fails, or '' if it does not."""
        try:
            self.run(script, **settings)
        except Failed as failure:
            return next((line.split("ERROR:")[1].split(":")[0].strip()
                         for line in str(failure).splitlines() if "ERROR:" in line), "none")
        return ""

    def keys(self) -> List[KeyRow]:
        return [
            KeyRow(int(key_id), kind, unhex(owner), int(version), algorithm, unhex(fingerprint), unhex(wrapped),
                unhex(stone))
            for key_id, kind, owner, version, algorithm, fingerprint, wrapped, stone in self.run(
                "SELECT key_id, kind, coalesce('x' || encode(textsend(owner), 'hex'), ''), key_version, algorithm, "
                "coalesce('x' || encode(master_fingerprint, 'hex'), ''), coalesce('x' || encode(wrapped_key, 'hex'), "
                    "''), "
                "coalesce('x' || encode(tombstone, 'hex'), '') FROM envcrypt_data_keys ORDER BY created_at, key_id")
        ]

    def table(self) -> KeyTable:
        return KeyTable(self.keys(), f.parse_keyring(self.keyring))

    def insert_key(self, row: KeyRow) -> None:
        """Plain SQL, with the columns of section 3."""
        self.run(
            "INSERT INTO envcrypt_data_keys (key_id, kind, owner, key_version, algorithm, master_fingerprint, "
                "wrapped_key) "
            f"VALUES ({row.key_id}, '{row.kind}', {text_or_null(row.owner)}, {row.key_version}, '{row.algorithm}', "
            f"{hexed(row.master_fingerprint)}, {hexed(row.wrapped_key)})")


def unhex(cell: str) -> Optional[bytes]:
    return bytes.fromhex(cell[1:]) if cell else None


def hexed(data: bytes) -> str:
    return f"'\\x{data.hex()}'::bytea"


def text_or_null(utf8: Optional[bytes]) -> str:
    if utf8 is None:
        return "NULL::text"
    return f"convert_from({hexed(utf8)}, 'UTF8')"
