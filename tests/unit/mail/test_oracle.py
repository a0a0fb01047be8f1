"""Our reading of the corpus beside the standard library's. Where they differ, the list says why ours is right."""

import email
import email.policy
import hashlib
import re
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage, Message

import pytest

from flowcrm.mail import mime, tree
from flowcrm.mail.addresses import normalise
from flowcrm.mail.types import Role
from tests.unit.mail.corpus import mails

pytestmark = pytest.mark.needs_shared

FOLDERS = ("ham", "mime", "bounce", "msg", "reply/talon/fixtures/standard_replies")
# policy.default takes 4 ms a mail: of the 2,632 of ham every sixth is enough there.
HAM_STEP = 6


def every() -> Iterator[tuple[str, bytes]]:
    for folder in FOLDERS:
        yield from mails(folder)


def sample() -> Iterator[tuple[str, bytes]]:
    for folder in FOLDERS:
        yield from mails(folder)[:: HAM_STEP if folder == "ham" else 1]


def compare(
    source: Iterator[tuple[str, bytes]],
    ours: Callable[[bytes], object],
    theirs: Callable[[bytes], object],
    known: dict[str, str],
) -> None:
    """Both readings of every mail are equal, but for those in `known`: all of them, and no other."""
    differ = {name for name, raw in source if ours(raw) != theirs(raw)}
    listed = {name for group in known.values() for name in group.split()}
    assert differ == listed


def _std(raw: bytes) -> EmailMessage:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return email.message_from_bytes(raw, policy=email.policy.default)


# -- structure ---------------------------------------------------------------------------------------------------------


def _our_leaves(raw: bytes) -> list[tuple[str, str, bytes | None]]:
    read = tree.read(raw)
    return [
        (leaf.number, leaf.type, None if leaf.type.startswith("message/") else read.content(leaf)) for leaf in read.leaves()
    ]


def _their_leaves(raw: bytes) -> list[tuple[str, str, bytes | None]]:
    found: list[tuple[str, str, bytes | None]] = []

    def walk(part: Message, number: str) -> None:
        if part.get_content_maintype() == "message":
            found.append((number or "1", part.get_content_type(), None))
        elif part.is_multipart():
            for place, child in enumerate(part.get_payload(), 1):
                walk(child, f"{number}.{place}" if number else str(place))
        else:
            found.append((number or "1", part.get_content_type(), part.get_payload(decode=True)))

    walk(email.message_from_bytes(raw), "")
    return found


STRUCTURE = {
    "a multipart whose delimiters are missing is text to read; there it is a multipart without parts": """
        mime/mikel-mail/error_emails/bad_date_header2.eml
        mime/mikel-mail/error_emails/empty_in_reply_to.eml
        mime/mikel-mail/error_emails/missing_body.eml
        mime/mikel-mail/error_emails/must_supply_encoding.eml
        mime/mime4j-testmsgs/mimetools-testmsgs/badbound.msg
        mime/mime4j-testmsgs/testmsgs/ending-boundaries.msg
        mime/mime4j-testmsgs/testmsgs/missing-boundary.msg
        mime/mime4j-testmsgs/testmsgs/missing-inner-boundary.msg
        mime/mime4j-testmsgs/testmsgs/missing-inner-start-boundary.msg
        mime/mime4j-testmsgs/testmsgs/multipartnopart.msg
        mime/rspamd/alternative-empty-related.eml
        mime/rspamd/btc2.eml
        mime/rspamd/btc3.eml
        mime/rspamd/btc4.eml
        mime/rspamd/external_relay.eml
        mime/rspamd/freemailcc.eml
        mime/rspamd/phish_sender.eml
        mime/rspamd/phish_sender3.eml
        mime/rspamd/phish_sender5.eml
        mime/rspamd/phish_sender6.eml
        mime/spamscope-mail-parser/mail_malformed_1
        mime/spamscope-mail-parser/mail_malformed_3
        mime/stalwart-mail-parser/malformed/001.eml
        mime/stalwart-mail-parser/malformed/002.eml
        mime/stalwart-mail-parser/malformed/003.eml
        mime/stalwart-mail-parser/malformed/004.eml
        mime/stalwart-mail-parser/malformed/005.eml
        mime/stalwart-mail-parser/malformed/006.eml
        mime/stalwart-mail-parser/malformed/013.eml
        bounce/sisimai/lhost-apachejames-01.eml
        bounce/sisimai/lhost-messagingserver-03.eml
        bounce/sisimai/lhost-office365-09.eml
        bounce/sisimai/lhost-office365-11.eml
        bounce/sisimai/rhost-franceptt-07.eml
    """,
    "a boundary ends in white space, or lacks its semicolon: the parts are found": """
        mime/mime4j-testmsgs/mimetools-testmsgs/multi-badnames.msg
        mime/mime4j-testmsgs/mimetools-testmsgs/multi-clen.msg
        mime/mime4j-testmsgs/mimetools-testmsgs/multi-digest.msg
        mime/mime4j-testmsgs/mimetools-testmsgs/multi-simple.msg
        mime/mime4j-testmsgs/testmsgs/very-long-boundary.msg
        mime/mime4j-testmsgs/testmsgs/very-very-long-boundary.msg
        mime/mime4j-testmsgs/testmsgs/weird-boundary.msg
        mime/stalwart-mail-parser/malformed/017.eml
        mime/stalwart-mail-parser/thirdparty/012.eml
    """,
    "a header goes on behind a line that is none": """
        mime/mikel-mail/plain_emails/raw_email_incorrect_header.eml
        mime/mikel-mail/rfc2822/example13.eml
        mime/mime4j-testmsgs/testmsgs/obsolete.msg
        mime/rspamd/phish_sender2.eml
        mime/rspamd/phish_sender4.eml
        mime/stalwart-mail-parser/malformed/019.eml
    """,
    "broken base64 gives what can be had, text that only claims to be base64 stays, what hangs below it is left off": """
        ham/spamassassin-spam-1/00260.c75ce8b8d8bfc55723426979d260bf61.txt
        ham/spamassassin-spam-1/00307.7ed50c6d80c6e37c8cc1b132f4a19e4d.txt
        ham/spamassassin-spam-1/00313.fab744bfd5a128fca39b69df9811c086.txt
        mime/mime4j-testmsgs/mimetools-testmsgs/multi-frag.msg
        mime/mime4j-testmsgs/mimetools-testmsgs/twopart.msg
        mime/rspamd/fname.eml
        mime/stalwart-mail-parser/rfc/000.eml
        msg/msgreader/UTF-8_Test.eml
    """,
    "a line break, an empty part or text behind the last delimiter": """
        ham/spamassassin-spam-1/00038.8d93819b95ff90bf2e2b141c2909bfc9.txt
        mime/mikel-mail/mime_emails/raw_email4.eml
        mime/mime4j-testmsgs/mimetools-testmsgs/multi-bad.msg
        mime/mime4j-testmsgs/testmsgs/multipartemptypart.msg
        mime/rspamd/badboundary.eml
        mime/spamscope-mail-parser/mail_test_1
        mime/spamscope-mail-parser/mail_test_11
        mime/stalwart-mail-parser/malformed/008.eml
        mime/stalwart-mail-parser/malformed/009.eml
        mime/stalwart-mail-parser/malformed/011.eml
        mime/stalwart-mail-parser/malformed/014.eml
        mime/stalwart-mail-parser/malformed/016.eml
        mime/stalwart-mail-parser/malformed/020.eml
        mime/stalwart-mail-parser/malformed/021.eml
        mime/stalwart-mail-parser/thirdparty/005.eml
    """,
    "quoted-printable under a multipart is decoded": """
        mime/stalwart-mail-parser/thirdparty/003.eml
    """,
}


def test_structure_and_content_of_every_part() -> None:
    compare(every(), _our_leaves, _their_leaves, STRUCTURE)


# -- meaning -----------------------------------------------------------------------------------------------------------


def _our_people(raw: bytes) -> list[list[str]]:
    parsed = mime.parse(raw)
    return [[one.email for one in parsed.of(role) if one.email] for role in (Role.FROM, Role.TO, Role.CC, Role.REPLY_TO)]


def _their_people(raw: bytes) -> list[list[str]]:
    message = _std(raw)
    return [_addresses(message, name) for name in ("from", "to", "cc", "reply-to")]


def _addresses(message: EmailMessage, name: str) -> list[str]:
    try:
        return [
            normalise(one.addr_spec) for value in message.get_all(name, []) for one in value.addresses if "@" in one.addr_spec
        ]
    except (IndexError, AttributeError):
        return ["the standard library raises"]


PEOPLE = {
    "the standard library raises": """
        mime/notmuch-corpora/lkml/cur/1382298770.002930_2,
    """,
    "raw 8-bit and encoded words stay in addresses: nothing is dropped from them, nothing decoded into them": """
        ham/spamassassin-spam-1/00263.13fc73e09ae15e0023bdb13d0a010f2d.txt
        ham/spamassassin-spam-1/00293.f4e9fd5549f9063ad5559c094edf08f2.txt
        ham/spamassassin-spam-1/00323.9e36bf05304c99f2133a4c03c49533a9.txt
        mime/mikel-mail/rfc6532/utf8_headers.eml
        mime/spamscope-mail-parser/mail_test_12
    """,
    "a header goes on behind a line that is none": """
        mime/mikel-mail/plain_emails/raw_email_incorrect_header.eml
        mime/mikel-mail/rfc2822/example13.eml
        mime/rspamd/phish_sender2.eml
        mime/rspamd/phish_sender3.eml
        mime/rspamd/phish_sender4.eml
        mime/stalwart-mail-parser/malformed/019.eml
        msg/msgreader/UTF-8_Test.eml
    """,
    "an address as a name without quotes, or two without a comma": """
        mime/mikel-mail/plain_emails/mix_caps_content_type.eml
        mime/mikel-mail/plain_emails/raw_email_multiple_from.eml
        mime/mikel-mail/plain_emails/raw_email_with_at_display_name.eml
        mime/spamscope-mail-parser/mail_test_15
        mime/spamscope-mail-parser/mail_test_19
    """,
}


def test_people() -> None:
    compare(sample(), _our_people, _their_people, PEOPLE)


def _line(text: str) -> str:
    return " ".join(text.split())


def _their_subject(raw: bytes) -> str:
    return _line(str(_std(raw)["subject"] or ""))


SUBJECTS = {
    "raw 8-bit is read by the charset of the text, or as it looks; there it becomes U+FFFD": """
        ham/spamassassin-spam-1/00035.7ce3307b56dd90453027a6630179282e.txt
        ham/spamassassin-spam-1/00407.7a447442b07fa08de0b69e907ce3ca53.txt
        mime/mikel-mail/error_emails/invalid_subject_characters.eml
        mime/spamscope-mail-parser/mail_test_9
        mime/stalwart-mail-parser/legacy/010.eml
        mime/stalwart-mail-parser/legacy/020.eml
        mime/stalwart-mail-parser/legacy/022.eml
        mime/stalwart-mail-parser/legacy/027.eml
        mime/stalwart-mail-parser/legacy/052.eml
    """,
    "a header goes on behind a line that is none": """
        mime/mikel-mail/plain_emails/raw_email_incorrect_header.eml
        mime/mikel-mail/rfc2822/example13.eml
        mime/mime4j-testmsgs/testmsgs/obsolete.msg
        mime/rspamd/phish_sender2.eml
        mime/rspamd/phish_sender4.eml
        mime/stalwart-mail-parser/malformed/019.eml
    """,
}


def test_subjects() -> None:
    compare(sample(), lambda raw: _line(mime.parse(raw).subject), _their_subject, SUBJECTS)


def _their_date(raw: bytes) -> datetime | None:
    header = _std(raw)["date"]
    try:
        found = header.datetime if header else None
    except (ValueError, AttributeError):
        return None
    return None if found is None else found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


DATES = {
    "a year of three digits counts from 1900": """
        ham/spamassassin-spam-1/00023.b6d27c684f5fc803cfa1060adb2d0805.txt
        ham/spamassassin-spam-1/00059.dc5b9ea22c6848c97871f0d9576cc931.txt
        ham/spamassassin-spam-1/00095.17594a58d6736a8f6a1990b0b92090cd.txt
        ham/spamassassin-spam-1/00275.4675c4cce2bf27adaafeef693d562f8b.txt
        ham/spamassassin-spam-1/00419.141092086514a246ff2ff8d4bc523400.txt
    """,
    "the year 3609 is none": """
        mime/mikel-mail/plain_emails/raw_email_bad_time.eml
    """,
    "a header goes on behind a line that is none": """
        mime/mikel-mail/plain_emails/raw_email_incorrect_header.eml
        mime/rspamd/phish_sender2.eml
        mime/rspamd/phish_sender4.eml
    """,
}


def test_dates() -> None:
    compare(sample(), lambda raw: mime.parse(raw).date, _their_date, DATES)


def _bare(text: str) -> str:
    """What two readings of one text share: format=flowed joins lines and spaces its quote marks."""
    return re.sub(r"[\s>\0]+", "", text)


def _their_text(raw: bytes) -> str | None:
    try:
        body = _std(raw).get_body(("plain",))
        text = body.get_content() if body else None
    except (LookupError, UnicodeError, AttributeError):
        return None  # an unknown charset or an empty multipart stops the standard library
    # C1 controls and replacement characters: it takes labels at their word, we take what programs mean by them.
    return None if text is None or re.search("[\x80-\x9f\ufffd]", text) else _bare(text)


TEXTS = {
    "a header goes on behind a line that is none": """
        mime/mikel-mail/plain_emails/raw_email_incorrect_header.eml
        mime/rspamd/phish_sender2.eml
        mime/rspamd/phish_sender4.eml
        msg/msgreader/UTF-8_Test.eml
    """,
    "uuencoded files are files, not text": """
        mime/mime4j-testmsgs/mimetools-testmsgs/sig-uu.msg
        mime/mime4j-testmsgs/mimetools-testmsgs/uu-zeegee.msg
        mime/stalwart-mail-parser/legacy/049.eml
    """,
    "HTML stands before the plain text, and both are read": """
        mime/spamscope-mail-parser/mail_test_14
    """,
}


def test_texts() -> None:
    def ours(raw: bytes) -> bool:
        theirs = _their_text(raw)
        # Further texts of a mail (a list's footer) follow the first.
        return theirs is None or _bare(mime.parse(raw).text).startswith(theirs)

    compare(sample(), ours, lambda _: True, TEXTS)


def _their_files(message: Message) -> Iterator[Message]:
    """Named parts that are no text, not descending into messages: we list those whole."""
    if message.is_multipart() and message.get_content_maintype() == "multipart":
        for child in message.get_payload():
            yield from _their_files(child)
    elif message.get_filename() and message.get_content_maintype() not in ("text", "message"):
        yield message


FILES = {
    "broken base64 gives what can be had": """
        ham/spamassassin-spam-1/00260.c75ce8b8d8bfc55723426979d260bf61.txt
        ham/spamassassin-spam-1/00307.7ed50c6d80c6e37c8cc1b132f4a19e4d.txt
        mime/mime4j-testmsgs/mimetools-testmsgs/multi-frag.msg
        mime/mime4j-testmsgs/mimetools-testmsgs/twopart.msg
        mime/rspamd/fname.eml
    """,
}


def test_files() -> None:
    def all_listed(raw: bytes) -> bool:
        ours = {file.sha256 for file in mime.parse(raw).attachments}
        found = _their_files(email.message_from_bytes(raw))
        return all(hashlib.sha256(part.get_payload(decode=True) or b"").digest() in ours for part in found)

    compare(every(), all_listed, lambda _: True, FILES)
