"""Finds a word in bytes, in any of the dresses in which it could be lying there."""

import base64
import mmap
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_UTF16, _UTF32 = ("utf-16-le", "utf-16-be"), ("utf-32-le", "utf-32-be")


def dresses(word: str) -> dict[str, bytes]:
    """Name -> bytes to look for. The word is ASCII, in lower case, and long enough not to appear by chance."""
    found = {"raw": word.encode(), "capitals": word.upper().encode(), "title": word.title().encode()}
    found |= {coding: word.encode(coding) for coding in (*_UTF16, *_UTF32)}
    for name, plain in tuple(found.items()):
        found[f"hex of {name}"] = plain.hex().encode()
        found[f"HEX of {name}"] = plain.hex().upper().encode()
        for shift in range(3):
            found[f"base64 of {name}, {shift}"] = _base64_inside(plain, shift)
    found["percent"] = "".join(f"%{byte:02X}" for byte in word.encode()).encode()
    found["quoted-printable"] = "".join(f"={byte:02X}" for byte in word.encode()).encode()
    found["backwards"] = word[::-1].encode()
    return found


def _base64_inside(plain: bytes, shift: int) -> bytes:
    """What is certain of the base64 of something that holds `plain` at an offset of `shift` modulo three."""
    whole = base64.b64encode(b"\0" * shift + plain)
    first = (0, 2, 3)[shift]
    certain = (shift + len(plain)) * 8 // 6
    return whole[first:certain]


def found_in(where: bytes | mmap.mmap, wanted: Mapping[str, bytes]) -> list[str]:
    """The names of the dresses that lie there, with what stands around."""
    return [f"{name}: {where[max(at - 40, 0) : at + 60]!r}" for name, one in wanted.items() if (at := where.find(one)) >= 0]


def found_below(folder: Path, wanted: Mapping[str, bytes]) -> Iterator[str]:
    """The same for every file below a folder, and for the files' names."""
    for file in sorted(one for one in folder.rglob("*") if one.is_file() and not one.is_symlink()):
        yield from (f"{file}: {said}" for said in found_in(os.fsencode(file.relative_to(folder)), wanted))
        if file.stat().st_size:
            with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
                yield from (f"{file}: {said}" for said in found_in(content, wanted))
