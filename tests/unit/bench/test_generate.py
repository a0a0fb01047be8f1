"""The mail that is measured with: always the same, shaped as its docstring says, and never kept."""

import email
import tracemalloc
from email.policy import compat32
from itertools import islice
from statistics import mean

import pytest

from bench.generate import Generated, generate

SAMPLE = 1500


@pytest.fixture(scope="module")
def mails() -> list[Generated]:
    return list(generate(SAMPLE, seed=3))


def test_same_seed_gives_the_same_mail(mails: list[Generated]) -> None:
    assert list(islice(generate(SAMPLE, seed=3), 50)) == mails[:50]
    assert next(generate(1, seed=4)) != mails[0]


def test_as_many_as_asked_for_oldest_first(mails: list[Generated]) -> None:
    assert len(mails) == SAMPLE
    assert [mail.at for mail in mails] == sorted({mail.at for mail in mails})


def test_size_and_share_of_attachments(mails: list[Generated]) -> None:
    with_files = [mail for mail in mails if b"Content-Disposition: attachment" in mail.raw]
    assert 0.07 < len(with_files) / SAMPLE < 0.125
    assert 29_000 < mean(len(mail.raw) for mail in mails) < 42_000
    assert 14_000 < mean(len(mail.raw) for mail in mails if mail not in with_files) < 20_000


def test_more_than_half_are_replies_within_threads(mails: list[Generated]) -> None:
    known: dict[str, str] = {}
    replies = 0
    for mail in mails:
        message = email.message_from_bytes(mail.raw, policy=compat32)
        answered = message["In-Reply-To"]
        if answered:
            replies += 1
            assert known[answered] == mail.thread
            assert message["References"].split()[-1] == answered
        known[message["Message-ID"]] = mail.thread
    assert len(known) == SAMPLE
    assert 0.5 < replies / SAMPLE < 0.6


def test_every_text_decodes_in_its_charset(mails: list[Generated]) -> None:
    charsets = set()
    for mail in mails[:400]:
        message = email.message_from_bytes(mail.raw, policy=compat32)
        assert not message.defects
        for part in message.walk():
            if part.get_content_maintype() == "text":
                charset = part.get_content_charset()
                content = part.get_payload(decode=True)
                assert isinstance(charset, str)
                assert isinstance(content, bytes)
                assert content.decode(charset)
                charsets.add(charset)
    assert {"utf-8", "us-ascii", "iso-8859-1", "windows-1252", "koi8-r", "iso-2022-jp"} <= charsets


def test_what_was_yielded_is_not_kept() -> None:
    stream = generate(1500, seed=5)
    for _ in islice(stream, 1200):
        pass
    tracemalloc.start()
    try:
        for _ in stream:
            pass
        kept, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 4_000_000
