"""Plaintexts and values, made from docs/format.md, section 2.6, alone.

    decode("date", plaintext)     a Python value, see there
    encode("date", text)          the plaintext of a text as PostgreSQL prints it (DateStyle ISO, time zone UTC)

Types are given by name. Of types by name ("mood"), plaintext and value are the same bytes.
"""

import ipaddress
import json
import re
import struct
import uuid
from decimal import Decimal
from typing import Any

TAG = {"text": 1, "bytea": 2, "jsonb": 3, "int8": 4, "numeric": 5, "float8": 6, "bool": 7, "date": 8, "timestamptz": 9,
       "uuid": 10, "inet": 11}
NAMED = 255
FIXED_SIZE = {"int8": 8, "float8": 8, "bool": 1, "date": 4, "timestamptz": 8, "uuid": 16}
RANGE = {"date": (-2_451_545, 2_145_031_948), "timestamptz": (-211_813_488_000_000_000, 9_223_371_331_199_999_999)}
DAY = 86_400_000_000
SIGN = {0x0000: "", 0x4000: "-", 0xC000: "NaN", 0xD000: "Infinity", 0xF000: "-Infinity"}


class Malformed(Exception):
    """An authentic plaintext that is no value of its type."""


def require(good: bool, what: str) -> None:
    if not good:
        raise Malformed(what)


def decode(type_name: str, plaintext: bytes) -> Any:
    """str (text, jsonb, date, timestamptz), bytes, int, Decimal, float, bool, UUID, ipaddress' interfaces."""
    if type_name in FIXED_SIZE:
        require(len(plaintext) == FIXED_SIZE[type_name], "size")
    return DECODE.get(type_name, bytes)(plaintext)


def encode(type_name: str, text: str) -> bytes:
    return ENCODE[type_name](text)


def decode_text(plaintext: bytes) -> str:
    try:
        text = plaintext.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("UTF-8") from None
    require("\0" not in text, "zero byte")
    return text


def decode_jsonb(plaintext: bytes) -> str:
    """The JSON text, after a look whether it is one."""
    require(len(plaintext) >= 2 and plaintext[0] == 1, "version")
    text = decode_text(plaintext[1:])
    try:
        parse_json(text)
    except ValueError:
        raise Malformed("JSON") from None
    return text


def parse_json(text: str) -> Any:
    def refuse(_: str) -> None:
        raise ValueError("NaN and Infinity are not JSON")

    return json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=refuse)


def decode_int8(plaintext: bytes) -> int:
    return int.from_bytes(plaintext, "big", signed=True)


def decode_numeric(plaintext: bytes) -> Decimal:
    require(len(plaintext) >= 8, "size")
    count, weight, sign, scale = struct.unpack(">HhHH", plaintext[:8])
    require(len(plaintext) == 8 + 2 * count, "size")
    require(sign in SIGN and scale < 0x4000, "sign or scale")
    digits = struct.unpack(f">{count}H", plaintext[8:])
    require(all(digit < 10_000 for digit in digits), "digit")
    if SIGN[sign] not in ("", "-"):
        return Decimal(SIGN[sign])
    # All digits as one integer of 10,000^(weight - count + 1); then cut to the scale.
    units = int_of_digits(digits)
    exponent = 4 * (weight - count + 1) + scale  # of 10, in units of the last decimal digit
    units = units * 10 ** exponent if exponent >= 0 else units // 10 ** -exponent
    return Decimal((1 if sign and units else 0, tuple(map(int, decimal_digits(units))), -scale))


def int_of_digits(digits) -> int:
    """Halves, because Python's own conversions refuse long texts and take their time over them."""
    if len(digits) <= 64:
        number = 0
        for digit in digits:
            number = number * 10_000 + digit
        return number
    half = len(digits) // 2
    return int_of_digits(digits[:half]) * 10_000 ** (len(digits) - half) + int_of_digits(digits[half:])


def decimal_digits(number: int) -> str:
    if number < 10 ** 1000:
        return str(number)
    size = number.bit_length() * 30103 // 200000  # about half of the digits
    high, low = divmod(number, 10 ** size)
    return decimal_digits(high) + decimal_digits(low).rjust(size, "0")


def encode_numeric(text: str) -> bytes:
    if text in SIGN.values() and text not in ("", "-"):
        sign = next(number for number, word in SIGN.items() if word == text)
        return struct.pack(">HhHH", 0, 0, sign, 0 if text == "NaN" else 32)  # as PostgreSQL writes them
    negative = text.startswith("-")
    whole, _, fraction = text.lstrip("-").partition(".")
    scale = len(fraction)
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    fraction = fraction.ljust(-(-scale // 4) * 4, "0")
    digits = [int((whole + fraction)[at:at + 4]) for at in range(0, len(whole) + len(fraction), 4)]
    weight = len(whole) // 4 - 1
    while digits and digits[0] == 0:
        digits.pop(0)
        weight -= 1
    while digits and digits[-1] == 0:
        digits.pop()
    if not digits:
        weight, negative = 0, False
    return struct.pack(f">HhHH{len(digits)}H", len(digits), weight, 0x4000 if negative else 0, scale, *digits)


def decode_float8(plaintext: bytes) -> float:
    return struct.unpack(">d", plaintext)[0]


def decode_bool(plaintext: bytes) -> bool:
    require(plaintext in (b"\0", b"\1"), "value")
    return plaintext == b"\1"


def infinity(type_name: str, number: int, size: int) -> str:
    """'' for a finite number, which is checked."""
    if number in (-(1 << 8 * size - 1), (1 << 8 * size - 1) - 1):
        return "-infinity" if number < 0 else "infinity"
    first, last = RANGE[type_name]
    require(first <= number <= last, "range")
    return ""


def days_since_2000(year: int, month: int, day: int) -> int:
    """Of the Gregorian calendar, also before 1582; year 0 is 1 BC."""
    year -= month <= 2
    era, in_era = divmod(year, 400)
    in_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146097 + in_era * 365 + in_era // 4 - in_era // 100 + in_year - 730425


def day_of(days: int) -> str:
    era, in_era = divmod(days + 730425, 146097)
    year_of_era = (in_era - in_era // 1460 + in_era // 36524 - in_era // 146096) // 365
    in_year = in_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * in_year + 2) // 153
    day = in_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    year = year_of_era + era * 400 + (month <= 2)
    return f"{year if year > 0 else 1 - year:04d}-{month:02d}-{day:02d}" + ("" if year > 0 else " BC")


def decode_date(plaintext: bytes) -> str:
    days = decode_int8(plaintext)
    return infinity("date", days, 4) or day_of(days)


def decode_timestamptz(plaintext: bytes) -> str:
    number = decode_int8(plaintext)
    word = infinity("timestamptz", number, 8)
    if word:
        return word
    days, rest = divmod(number, DAY)
    seconds, micro = divmod(rest, 1_000_000)
    date, _, era = day_of(days).partition(" ")
    fraction = f".{micro:06d}".rstrip("0") if micro else ""
    time = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}+00"
    return " ".join(filter(None, (date, time, era)))


def days_of(text: str) -> int:
    year, month, day = map(int, re.fullmatch(r"(\d+)-(\d+)-(\d+)", text[:-3] if text.endswith(" BC")
        else text).groups())
    return days_since_2000(1 - year if text.endswith(" BC") else year, month, day)


def encode_date(text: str) -> bytes:
    extremes = {"infinity": (1 << 31) - 1, "-infinity": -(1 << 31)}
    return (extremes[text] if text in extremes else days_of(text)).to_bytes(4, "big", signed=True)


def encode_timestamptz(text: str) -> bytes:
    extremes = {"infinity": (1 << 63) - 1, "-infinity": -(1 << 63)}
    if text in extremes:
        return extremes[text].to_bytes(8, "big", signed=True)
    date, time, era = re.fullmatch(r"(\S+) (\S+)\+00( BC)?", text).groups("")
    hours, minutes, seconds = time.split(":")
    micro = int(Decimal(seconds) * 1_000_000) + (int(hours) * 60 + int(minutes)) * 60_000_000
    return (days_of(date + era) * DAY + micro).to_bytes(8, "big", signed=True)


FAMILY = {2: (4, ipaddress.IPv4Interface), 3: (16, ipaddress.IPv6Interface)}


def decode_inet(plaintext: bytes):
    require(len(plaintext) >= 4, "size")
    family, bits, _, size = plaintext[:4]
    require(family in FAMILY, "family")
    expected, interface = FAMILY[family]
    require(size == expected and len(plaintext) == 4 + size and bits <= 8 * size, "size or bits")
    return interface((plaintext[4:], bits))


def encode_inet(text: str) -> bytes:
    interface = ipaddress.ip_interface(text)
    packed = interface.ip.packed
    return bytes((2 if len(packed) == 4 else 3, interface.network.prefixlen, 0, len(packed))) + packed


DECODE = {
    "text": decode_text, "bytea": bytes, "jsonb": decode_jsonb, "int8": decode_int8, "numeric": decode_numeric,
    "float8": decode_float8, "bool": decode_bool, "date": decode_date, "timestamptz": decode_timestamptz,
    "uuid": lambda plaintext: uuid.UUID(bytes=plaintext), "inet": decode_inet,
}
ENCODE = {
    "text": str.encode,
    "bytea": lambda text: bytes.fromhex(text[2:]),
    "jsonb": lambda text: b"\1" + text.encode(),
    "int8": lambda text: int(text).to_bytes(8, "big", signed=True),
    "numeric": encode_numeric,
    "float8": lambda text: struct.pack(">d", float(text)),
    "bool": lambda text: bytes((text in ("t", "true"),)),
    "date": encode_date, "timestamptz": encode_timestamptz,
    "uuid": lambda text: uuid.UUID(text).bytes,
    "inet": encode_inet,
}
