"""One unambiguous way to join several values into bytes, for everything that keys are bound to."""

import struct

_length = struct.Struct(">I").pack
_integer = struct.Struct(">q").pack


def bind(*parts: str | int | bytes) -> bytes:
    """The parts, each behind its length, so that no two different lists of parts give the same bytes.

    An int is a signed 64-bit number. A str may hold lone surrogates (words of broken mail do).
    Callers begin with a label that no other caller uses; within one label the kinds of the parts are fixed.
    """
    joined = bytearray()
    for part in parts:
        raw = part if isinstance(part, bytes) else _integer(part) if isinstance(part, int) else encode(part)
        joined += _length(len(raw))
        joined += raw
    return bytes(joined)


def encode(text: str) -> bytes:
    """UTF-8 that takes any str, lone surrogates included; `decode` gives the same str back."""
    return text.encode("utf-8", "surrogatepass")


def decode(raw: bytes) -> str:
    """The str that `encode` was given."""
    return raw.decode("utf-8", "surrogatepass")
