"""The mails of ../shared/corpus by name, and small mails made on the spot."""

from collections.abc import Iterator
from functools import cache

from tests.shared import shared

# Expectations, sources and containers that lie among the mails.
_NO_MAIL = (".json", ".xml", ".out", ".py", ".rb", ".html", ".doc", ".bin", ".tnef", ".dat", ".md", "_decoded.txt")


@cache
def mails(folder: str) -> tuple[tuple[str, bytes], ...]:
    """(path below corpus/, bytes) of every mail in a folder of the corpus, sorted."""
    root = shared("corpus")
    return tuple(_mails(str(root), folder))


def _mails(root: str, folder: str) -> Iterator[tuple[str, bytes]]:
    base = shared("corpus")
    for path in sorted((base / folder).rglob("*")):
        name = str(path.relative_to(base))
        if path.is_file() and not name.endswith(_NO_MAIL) and "_decoded" not in name and not name.startswith("msg/msgreader/S"):
            yield name, path.read_bytes()


def mail(body: bytes = b"", **fields: str) -> bytes:
    """A mail with these header fields (underscores in names stand for hyphens)."""
    header = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return header.encode() + b"\r\n" + body


def multipart(*parts: bytes, kind: str = "mixed", boundary: str = "b1", **fields: str) -> bytes:
    """A multipart mail of parts that bring their own header fields."""
    inside = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return mail(
        inside + b"--" + boundary.encode() + b"--\r\n",
        **{"From": "anna@nord.example", "Content_Type": f'multipart/{kind}; boundary="{boundary}"', **fields},
    )
