"""Mail in files: every format gives back the mails byte for byte, and what is no mail is said so."""

import bz2
import gzip
import lzma
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.ops.mailfiles import MailFile, NotMail, Problem, read

ONE = b"Subject: one\n\nHello.\n"
TWO = b"Subject: two\n\nFrom here on it is a paragraph.\n\n>From quoted\n"
SEPARATOR = b"From carla@nordlicht.example Tue Jan  4 09:12:00 2005\n"


def mails(path: Path) -> list[MailFile]:
    return [one for one in read(path) if isinstance(one, MailFile)]


def problems(path: Path) -> list[str]:
    return [one.text for one in read(path) if isinstance(one, Problem)]


def passed_over(path: Path) -> list[str]:
    return [one.path.name for one in read(path) if isinstance(one, NotMail)]


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

    found = mails(path)

    assert [mail.raw for mail in found] == [ONE, TWO]
    assert [mail.where for mail in found] == [f"{path}#1", f"{path}#2"]
    assert found[0].at == datetime(2005, 1, 4, 9, 12, tzinfo=UTC)


LINES = st.lists(
    st.sampled_from([b"\n", b"text\n", b"From a paragraph\n", b">From quoted\n", b"From x at y 10:00\n"]), max_size=8
)


@given(st.lists(LINES, min_size=1, max_size=5))
def test_any_mails_survive_an_mbox(tmp_path_factory: pytest.TempPathFactory, bodies: list[list[bytes]]) -> None:
    # The empty line before a separator belongs to the file, so a mail cannot be told from one that ends in it.
    written = [b"Subject: x\n\n" + b"".join(body).rstrip(b"\n") + b"\n" for body in bodies]
    path = tmp_path_factory.mktemp("mbox") / "mail.mbox"
    path.write_bytes(mbox(*written))

    assert [mail.raw for mail in mails(path)] == written


def test_a_maildir_says_what_was_read(tmp_path: Path) -> None:
    for folder in ("cur", "new", "tmp", ".Sent/cur"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "cur" / "1.host:2,S").write_bytes(ONE)
    (tmp_path / "new" / "2.host").write_bytes(TWO)
    (tmp_path / ".Sent" / "cur" / "3.host:2,RS").write_bytes(b"Subject: three\n\n")
    (tmp_path / "tmp" / "4.host").write_bytes(b"half")

    assert [(mail.raw, mail.unread) for mail in mails(tmp_path)] == [
        (ONE, False),
        (TWO, True),
        (b"Subject: three\n\n", False),
    ]


def test_a_folder_is_searched_for_mail_files(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.eml").write_bytes(ONE)
    (tmp_path / "deep" / "b.EML").write_bytes(TWO)
    (tmp_path / "notes.txt").write_text("no mail")

    assert [mail.raw for mail in mails(tmp_path)] == [ONE, TWO]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("absent.mbox", None, "does not exist"),
        ("photo.jpg", b"\xff\xd8\xff", "is no mail: no mbox"),
        ("empty.mbox", b"", "is no mbox"),
        ("empty.eml", b"", "is no mail: it is empty"),
        ("photo.eml", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "is no mail: it has no header fields"),
        ("cut.mbox.xz", lzma.compress(mbox(ONE) * 50)[:80], "is damaged"),
        ("random.mbox.gz", b"\x00" * 50, "is damaged"),
        ("random.mbox.bz2", b"\x00" * 50, "is damaged"),
    ],
)
def test_what_is_no_mail_is_said_so(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    [found] = read(path)

    assert isinstance(found, Problem)
    assert found.text.startswith(f"{path} ")
    assert words in found.text


@pytest.mark.parametrize("content", [b"Broken: header\nno field\n\nHello", b"Subject: no end", b">From x\nFrom: y\n"])
def test_a_mail_with_a_broken_header_is_a_mail(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "1.eml"
    path.write_bytes(content)
    assert [mail.raw for mail in mails(path)] == [content]


def test_a_folder_without_mail_is_said_so(tmp_path: Path) -> None:
    assert problems(tmp_path) == [f"{tmp_path} holds no mail: no .eml, no mbox, no Maildir."]


@pytest.fixture
def in_the_way(tmp_path: Path) -> Path:
    """A folder with mails, and before and between them what cannot be read."""
    (tmp_path / "1.mbox.xz").write_bytes(lzma.compress(mbox(ONE) * 50)[:80])
    (tmp_path / "2.eml").write_bytes(ONE)
    (tmp_path / "3.eml").symlink_to("/proc/self/mem")
    (tmp_path / "4.eml").symlink_to("nowhere")
    (tmp_path / "5").symlink_to("/proc/self/mem")
    (tmp_path / "6").symlink_to(tmp_path)
    (tmp_path / "7.eml").write_bytes(TWO)
    return tmp_path


def test_one_bad_file_in_a_folder_keeps_no_other_from_being_read(in_the_way: Path) -> None:
    assert [mail.raw for mail in mails(in_the_way)] == [ONE, TWO]
    said = problems(in_the_way)
    assert [line.split()[0] for line in said] == [f"{in_the_way}/{name}" for name in ("1.mbox.xz", "3.eml", "4.eml", "5", "6")]


def test_one_bad_file_in_a_maildir_keeps_no_other_from_being_read(tmp_path: Path) -> None:
    (tmp_path / "cur" / "1.folder:2,S").mkdir(parents=True)
    (tmp_path / "cur" / "2.host:2,S").symlink_to("/proc/self/mem")
    (tmp_path / "cur" / "3.host:2,S").write_bytes(b"")
    (tmp_path / "cur" / "4.host:2,S").write_bytes(ONE)

    assert [mail.raw for mail in mails(tmp_path)] == [ONE]
    assert [line.split()[0] for line in problems(tmp_path)] == [
        f"{tmp_path}/cur/{n}:2,S" for n in ("1.folder", "2.host", "3.host")
    ]


def test_a_folder_gives_its_mboxes_without_ending_and_its_maildirs_and_names_the_rest(tmp_path: Path) -> None:
    (tmp_path / "Archive" / "cur").mkdir(parents=True)
    (tmp_path / "Archive" / "Deep" / "cur").mkdir(parents=True)
    (tmp_path / "Archive" / "cur" / "1.host:2,").write_bytes(ONE)
    (tmp_path / "Archive" / "Deep" / "cur" / "2.host:2,").write_bytes(TWO)
    (tmp_path / "Inbox").write_bytes(mbox(ONE, TWO))
    (tmp_path / "index").write_bytes(b"\x00\x01")
    (tmp_path / "notes.txt").write_text("From here on it is a text.\n")
    os.mkfifo(tmp_path / "pipe")

    assert [mail.raw for mail in mails(tmp_path)] == [ONE, TWO, ONE, TWO]
    assert passed_over(tmp_path) == ["index", "notes.txt", "pipe"]
    assert problems(tmp_path) == []


def test_a_mail_without_a_telling_name_is_known_by_its_header(tmp_path: Path) -> None:
    mail = b"Received: from a by b\nFrom: carla@nordlicht.example\nSubject: x\n\nHello\n"
    (tmp_path / "17").write_bytes(mail)
    (tmp_path / "notes.txt").write_bytes(b"Notes\nFrom: carla@nordlicht.example\nDate: today\n\nHello\n")
    (tmp_path / "settings").write_bytes(b"Name: x\nDate: today\n")

    assert [one.raw for one in mails(tmp_path)] == [mail]
    assert [one.raw for one in mails(tmp_path / "17")] == [mail]
    assert passed_over(tmp_path) == ["notes.txt", "settings"]


@pytest.fixture
def closed_to_us() -> Iterator[Path]:
    """A folder with a mail and a sub-folder into which we may not look. The superuser looks everywhere: he steps down."""
    folder = Path(tempfile.mkdtemp())
    (folder / "closed").mkdir(mode=0)
    (folder / "open.eml").write_bytes(ONE)
    folder.chmod(0o755)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        os.seteuid(before)
        shutil.rmtree(folder)


def test_a_folder_that_may_not_be_looked_into_is_named(closed_to_us: Path) -> None:
    assert [mail.raw for mail in mails(closed_to_us)] == [ONE]
    assert problems(closed_to_us) == [f"{closed_to_us / 'closed'} cannot be read: Permission denied."]


@pytest.mark.parametrize(("ending", "pack"), [(".xz", lzma.compress), (".gz", gzip.compress), (".bz2", bz2.compress)])
@pytest.mark.parametrize("how", ["cut", "changed"])
def test_what_came_before_the_damage_is_kept_and_said(tmp_path: Path, ending: str, pack: "type[bytes]", how: str) -> None:
    noise = [b"Subject: x\n\n" + os.urandom(30_000).hex().encode() + b"\n" for _ in range(40)]
    packed = bytearray(pack(mbox(*noise)))
    if how == "cut":
        del packed[-len(packed) // 4 :]
    else:
        middle = len(packed) * 3 // 4
        packed[middle : middle + 2000] = bytes(2000)
    path = tmp_path / f"mail.mbox{ending}"
    path.write_bytes(packed)

    found = mails(path)

    assert [mail.raw for mail in found[:20]] == noise[: min(20, len(found))]
    [said] = problems(path)
    assert said.startswith(f"{path} is damaged (")
    assert ("nothing came in" if not found else f"{len(found)} mails came in before that showed") in said


def test_a_mail_beyond_all_measure_is_left_out_and_the_next_one_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowcrm.ops.mbox.LARGEST", 1000)
    path = tmp_path / "mail.mbox"
    path.write_bytes(mbox(ONE, b"Subject: large\n\n" + b"text\n" * 500, TWO))

    assert [mail.where for mail in mails(path)] == [f"{path}#1", f"{path}#3"]
    assert [line.split(" is larger")[0] for line in problems(path)] == [f"{path}#2"]


SEPARATORS = [
    SEPARATOR,
    b"From carla@nordlicht.example Tue Jan 04 09:12:00 +0000 2005\n",
    b"From - Tue Jan 04 09:12:00 2005\r\n",
    b"From carla at nordlicht.example  Tue Jan  4 09:12:00 2005\n",
    b"From MAILER-DAEMON Tue, 4 Jan 2005 10:12:00 +0100\n",
]


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("between", [b"", b"\n"])
def test_a_full_separator_needs_no_empty_line_before_it(tmp_path: Path, separator: bytes, between: bytes) -> None:
    path = tmp_path / "mail"
    path.write_bytes(separator + ONE + between + separator + ONE)

    assert [mail.raw for mail in mails(path)] == [ONE, ONE]
    assert [mail.at for mail in mails(path)] == [datetime(2005, 1, 4, 9, 12, tzinfo=UTC)] * 2


@pytest.mark.parametrize(
    "separator", [b"From - \n", b"From carla@nordlicht.example\n", b"From carla 2005-01-04\n", b"From root Tue Jan 4 2005\n"]
)
def test_a_separator_without_time_stands_between_an_empty_line_and_a_header_field(tmp_path: Path, separator: bytes) -> None:
    path = tmp_path / "mail"
    path.write_bytes(separator + ONE + b"\n" + separator + TWO.replace(b">From", b">>From") + b"\n" + separator + b"is text\n")

    assert [mail.raw for mail in mails(path)] == [ONE, TWO + b"\n" + separator + b"is text\n"]


@pytest.mark.parametrize(
    "text", [b"From here on it is a paragraph.\n", b"From Monday 10:00 on: x\n", b"From 2005 on\nwe did\n"]
)
def test_a_paragraph_separates_nothing(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "mail"
    mail = ONE + b"\n" + text + b"\nMore.\n"
    path.write_bytes(SEPARATOR + mail + b"\n" + SEPARATOR + ONE)
    assert [one.raw for one in mails(path)] == [mail, ONE]


@pytest.mark.parametrize("before", [b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_an_mbox_may_begin_with_a_mark_or_empty_lines(tmp_path: Path, before: bytes) -> None:
    path = tmp_path / "mail.mbox"
    path.write_bytes(before + mbox(ONE, TWO))
    assert [mail.raw for mail in mails(path)] == [ONE, TWO]
