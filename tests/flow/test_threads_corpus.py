"""Conversations of real mail: a seeded part here, the whole archive of 16,313 mails by `make prove`."""

import pytest

from tests.flow.threads_corpus import components, prove


@pytest.mark.slow
@pytest.mark.needs_shared
def test_a_real_archive_falls_into_the_threads_that_its_headers_name(database: dict[str, str]) -> None:
    assert prove(0, mails=2_500)["threads"] > 1_000


def test_the_oracle_joins_what_names_each_other_and_nothing_else() -> None:
    mails = [
        b"Message-ID: <a@x>\n\n",
        b"Message-ID: <b@x>\nIn-Reply-To: <A@x>\n\n",
        b"Message-ID: <c@x>\nReferences: <gone@x>\n\n",
        b"Message-ID: <d@x>\nReferences: <other@x> <gone\n @x>\n\n",
        b"Subject: alone\n\n<a@x>",
    ]
    assert sorted(map(sorted, components(mails))) == [[0, 1], [2, 3], [4]]


def test_the_oracle_takes_a_mail_that_was_sent_twice_for_one() -> None:
    sent = b"From: list@x\nDate: Mon, 5 Feb 2007 10:00:00 +0000\n"
    mails = [
        b"Message-ID: <a@x>\n" + sent + b"\nthe same",
        b"Message-ID: <b@x>\n" + sent + b"\nthe same",
        b"Message-ID: <c@x>\n" + sent + b"\nanother",
        b"Message-ID: <d@x>\n" + sent.replace(b"10:00:00", b"10:00:01") + b"\nthe same",
    ]
    assert sorted(map(sorted, components(mails))) == [[0, 1], [2], [3]]
