"""Accidents that happen to bytes: on the line, in a firmware, at the hands of a stranger."""

import random
import re

SPLICES = (
    b"NaN", b"Infinity", b"-1e999", b"1e309", b"true", b"null", b"[", b"{", b"]", b"}", b'"', b",",
    b":", b"\xff", b"\x00", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"9" * 40, b"-0", b"0.1e-400",
    b'"v":', b'"obs":[', b'"k":"rssi"', b'"seq":9007199254740993', b"[" * 200, b'{"a":' * 50,
    b'"rssi":NaN', b'"rssi":-1e308', b'"timestamp":1e300', b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f",
)  # fmt: skip


def flip_bit(payload: bytearray, at: int, chance: random.Random) -> None:
    payload[at] ^= 1 << chance.randrange(8)


def put_in(payload: bytearray, at: int, chance: random.Random) -> None:
    payload[at:at] = chance.choice(SPLICES)


def cut_out(payload: bytearray, at: int, chance: random.Random) -> None:
    del payload[at : at + chance.randrange(20)]


def cut_off(payload: bytearray, at: int, _chance: random.Random) -> None:
    del payload[at:]


def repeat_part(payload: bytearray, at: int, chance: random.Random) -> None:
    start = chance.randrange(len(payload))
    payload[at:at] = payload[start : start + chance.randrange(60)]


def change_digit(payload: bytearray, at: int, chance: random.Random) -> None:
    """The payload most often stays JSON, but says something else."""
    digit = re.search(rb"[0-9]", payload[at:])
    if digit:
        payload[at + digit.start()] = ord(chance.choice("0123456789-."))


ACCIDENTS = (flip_bit, put_in, cut_out, cut_off, repeat_part, *[change_digit] * 6)


def damaged(example: bytes, chance: random.Random) -> bytes:
    """The example after one to three accidents."""
    payload = bytearray(example)
    for _ in range(chance.randint(1, 3)):
        if payload:
            chance.choice(ACCIDENTS)(payload, chance.randrange(len(payload)), chance)
    return bytes(payload)
