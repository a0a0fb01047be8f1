"""Attachments that open: small PDFs, PNGs, CSVs and texts, and calendar objects, made on the spot."""

import random
import struct
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from flowcrm.ops.demo.letters import File, Party
from flowcrm.ops.demo.prose import wrap

_WIDTH, _HEIGHT = 320, 200
_PALETTE = (
    (244, 243, 238), (222, 219, 208), (66, 72, 84), (201, 162, 39), (183, 108, 60), (94, 129, 172),
    (163, 190, 140), (191, 97, 106), (143, 130, 110), (46, 52, 64), (208, 135, 112), (120, 160, 180),
)  # fmt: skip


def make(name: str, text: str, at: datetime, rng: random.Random, content_id: str = "") -> File:
    """A file of the kind that its name ends in. text: what the email says. Raises KeyError for an unknown ending."""
    kind, build = _KINDS[name.rpartition(".")[2]]
    return File(name, kind, build(name.rpartition(".")[0], text, at, rng), content_id)


def _pdf(title: str, text: str, at: datetime, rng: random.Random) -> bytes:
    """One page: title, date, and what the email says. The standard font knows Latin letters only, others become "?"."""
    lines = [title, "", f"{at:%Y-%m-%d}   No. {rng.randint(10_000, 99_999)}", ""]
    lines += [line for paragraph in text.split("\n") for line in wrap(paragraph, 84).split("\n")]
    shown = "".join(f"({_escaped(line)}) Tj T*\n" for line in lines[:46])
    stream = f"BT /F1 11 Tf 15 TL 64 770 Td\n{shown}ET\n".encode("latin-1", "replace")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%sendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    out = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table) + trailer


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _png(title: str, _text: str, _at: datetime, rng: random.Random) -> bytes:
    return picture(_DRAWINGS.get(title.split("-")[0], _racks)(rng))


def picture(rows: Sequence[bytes]) -> bytes:
    """A PNG with a palette; one byte a pixel."""
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 3, 0, 0, 0)
    palette = b"".join(bytes(colour) for colour in _PALETTE)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 6)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _racks(rng: random.Random) -> list[bytes]:
    """A warehouse from the side: shelves with boxes of many colours."""
    rows: list[bytes] = []
    while len(rows) < _HEIGHT - 30:
        boxes = [(rng.choice((0, 3, 4, 5, 6, 8, 10, 11)), rng.randint(14, 42)) for _ in range(24)]
        row = b"".join(bytes([colour]) * width + b"\2\2" for colour, width in boxes)[:_WIDTH]
        gap = bytes([0]) * _WIDTH
        rows += [gap] * rng.randint(6, 14) + [row] * rng.randint(18, 30) + [bytes([9]) * _WIDTH] * 3
    floor = bytes([1]) * _WIDTH
    return [*rows, *[floor] * _HEIGHT][:_HEIGHT]


def _chart(rng: random.Random) -> list[bytes]:
    """A day of temperatures as forty bars."""
    heights = [rng.randint(60, 76) + (60 if 22 <= hour <= 24 else 0) for hour in range(40)]
    return [
        b"".join(bytes([(7 if height > 100 else 5) if _HEIGHT - y <= height else 0]) * 6 + b"\0\0" for height in heights)
        for y in range(_HEIGHT)
    ]


def _logo(rng: random.Random) -> list[bytes]:
    """Three coloured bars of rising height."""
    colours = rng.sample((3, 4, 5, 6, 7, 10, 11), k=3)
    heights = (10, 18, 26)
    return [
        b"".join(
            bytes([colour if 28 - y <= height else 0]) * 16 + b"\0" * 4 for colour, height in zip(colours, heights, strict=True)
        )
        for y in range(28)
    ]


_DRAWINGS: dict[str, Callable[[random.Random], list[bytes]]] = {"readings": _chart, "logo": _logo}


def _csv(title: str, _text: str, at: datetime, rng: random.Random) -> bytes:
    """A table for the first word of its name; readings of a few places unless that says otherwise."""
    lines = _TABLES.get(title.split("-")[0], _readings)(at, rng)
    return "\r\n".join([*lines, ""]).encode()


def _readings(at: datetime, rng: random.Random) -> list[str]:
    start = at - timedelta(days=rng.randint(4, 9))
    places = [f"{room}-{rng.randint(1, 40):02}" for room in rng.choices("BCDEF", k=3)]
    return ["time;place;celsius"] + [
        f"{start + timedelta(minutes=30 * step):%Y-%m-%d %H:%M};{place};{rng.gauss(4.1, 0.6):.1f}"
        for step in range(rng.randint(40, 160))
        for place in places
    ]


def _locations(_at: datetime, rng: random.Random) -> list[str]:
    return ["place;room"] + [
        f"{aisle:02}-{bay:02}-{rng.randint(1, 5)};{rng.choice('BCDEF')}" for aisle in range(1, 25) for bay in range(1, 20)
    ]


def _prices(_at: datetime, rng: random.Random) -> list[str]:
    goods = ("Pallet Tag", "Cold Probe", "Dock Eye", "Shelf Scale", "Humidity Puck", "Gateway G2", "Watch Panel")
    return ["item;quantity;price"] + [f"{good};{rng.randint(1, 40) * 5};{rng.randint(330, 480) / 10:.2f}" for good in goods]


_TABLES: dict[str, Callable[[datetime, random.Random], list[str]]] = {
    "locations": _locations,
    "price": _prices,
    "rates": _prices,
    "open": _prices,
    "forecast": _prices,
}


def _txt(_title: str, text: str, _at: datetime, _rng: random.Random) -> bytes:
    return f"{text}\n".encode()


_KINDS: dict[str, tuple[str, Callable[[str, str, datetime, random.Random], bytes]]] = {
    "pdf": ("application/pdf", _pdf),
    "png": ("image/png", _png),
    "csv": ("text/csv", _csv),
    "txt": ("text/plain", _txt),
}


def calendar(method: str, uid: str, summary: str, start: datetime, organizer: Party, guests: Sequence[Party]) -> str:
    """An iCalendar object (RFC 5545) for an hour's meeting, sent by `method` REQUEST or REPLY (RFC 5546)."""
    state = "ACCEPTED" if method == "REPLY" else "NEEDS-ACTION"
    stamps = {"DTSTART": start, "DTEND": start + timedelta(hours=1), "DTSTAMP": start - timedelta(days=4)}
    lines = [
        "BEGIN:VCALENDAR",
        "PRODID:-//Acme//Demo//EN",
        "VERSION:2.0",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        *(f"{name}:{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}" for name, moment in stamps.items()),
        f"ORGANIZER;CN={organizer.name}:mailto:{organizer.address}",
        *(f"ATTENDEE;PARTSTAT={state};CN={guest.name}:mailto:{guest.address}" for guest in guests),
        f"SUMMARY:{summary}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "\n".join(lines)
