"""Mail in files: every format gives back the mails byte for byte, and what is no mail is said so."""

import bz2
import gzip
import lzma
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.ops.mailfiles import NoMail, read

ONE = b"Subject: one\n\nHello.\n"
TWO = b"Subject: two\n\nFrom here on it is a paragraph.\n\n>From quoted\n"
SEPARATOR = b"From carla@nordlicht.example Tue Jan  4 09:12:00 2005\n"


def mbox(*mails: bytes) -> bytes:
    """As mboxrd writes it: lines that look like a separator get one more ">"."""
    quoted = [
        b"".join(b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in mail.splitlines(keepends=True))
        for mail in mails
    ]
    return b"".join(SEPARATOR + mail + b"\n" for mail in quoted)


@pytest.mark.parametrize(
    ("ending", "pack"), [("", bytes), (".xz", lzma.compress), (".gz", gzip.compress), (".bz2", bz2.compress)]
)
def test_an_mbox_gives_back_its_mails_packed_or_not(tmp_path: Path, ending: str, pack: "type[bytes]") -> None:
    path = tmp_path / f"mail.mbox{ending}"
    path.write_bytes(pack(mbox(ONE, TWO)))

    found = list(read(path))

    assert [mail.raw for mail in found] == [ONE, TWO]
    assert [mail.where for mail in found] == [f"{path}#1", f"{path}#2"]
    assert found[0].at == datetime(2005, 1, 4, 9, 12, tzinfo=UTC)


LINES = st.lists(
    st.sampled_from([b"\n", b"text\n", b"From a paragraph\n", b">From quoted\n", b"From x at y 10:00\n"]), max_size=8
)


@given(st.lists(LINES, min_size=1, max_size=5))
def test_any_mails_survive_an_mbox(tmp_path_factory: pytest.TempPathFactory, bodies: list[list[bytes]]) -> None:
    # The empty line before a separator belongs to the file, so a mail cannot be told from one that ends in it.
    mails = [b"Subject: x\n\n" + b"".join(body).rstrip(b"\n") + b"\n" for body in bodies]
    path = tmp_path_factory.mktemp("mbox") / "mail.mbox"
    path.write_bytes(mbox(*mails))

    assert [mail.raw for mail in read(path)] == mails


def test_a_maildir_says_what_was_read(tmp_path: Path) -> None:
    for folder in ("cur", "new", "tmp", ".Sent/cur"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "cur" / "1.host:2,S").write_bytes(ONE)
    (tmp_path / "new" / "2.host").write_bytes(TWO)
    (tmp_path / ".Sent" / "cur" / "3.host:2,RS").write_bytes(b"Subject: three\n\n")
    (tmp_path / "tmp" / "4.host").write_bytes(b"half")

    assert [(mail.raw, mail.unread) for mail in read(tmp_path)] == [
        (ONE, False),
        (TWO, True),
        (b"Subject: three\n\n", False),
    ]


def test_a_folder_is_searched_for_mail_files(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.eml").write_bytes(ONE)
    (tmp_path / "deep" / "b.EML").write_bytes(TWO)
    (tmp_path / "notes.txt").write_text("no mail")

    assert [mail.raw for mail in read(tmp_path)] == [ONE, TWO]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("absent.mbox", None, "does not exist"),
        ("photo.jpg", b"\xff\xd8\xff", "is no mbox"),
        ("empty.mbox", b"", "is no mbox"),
        ("cut.mbox.xz", lzma.compress(mbox(ONE) * 50)[:80], "is damaged"),
    ],
)
def test_what_is_no_mail_is_said_so(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(NoMail, match=words):
        list(read(path))


def test_a_folder_without_mail_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NoMail, match=r"holds no \.eml"):
        list(read(tmp_path))
