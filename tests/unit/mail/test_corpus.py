"""Real and hostile mail from others' test suites: everything is taken, and read as its collectors say."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from flowcrm.mail import charsets, html, marks, mime, quoting, snippet, tree
from flowcrm.mail.addresses import normalise
from flowcrm.mail.types import Role
from tests.shared import shared
from tests.unit.mail.corpus import mails

pytestmark = pytest.mark.needs_shared


@pytest.mark.parametrize("folder", ["ham", "mime", "bounce", "reply", "forward", "msg", "tnef"])
def test_every_file_goes_through_and_can_be_put_together_again(folder: str) -> None:
    for _, raw in mails(folder):
        parsed = mime.parse(raw)
        header, body = mime.split_header(raw)
        assert header + body == raw
        assert parsed.headers == header
        assert snippet.snippet(parsed.text) is not None
        quoting.split(parsed.text, parsed.html)
        if parsed.html is not None:
            html.clean(parsed.html, images="blocked", cid={})
        for file in parsed.attachments:
            assert mime.part(raw, file.part)[0] == file


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


# -- mime4j: the structure as XML --------------------------------------------------------------------------------------

MIME4J_DIFFERS = {
    "no delimiter is found: the text is shown": "badbound missing-boundary missing-inner-boundary missing-inner-start-boundary "
    "multipartnopart multipartemptypart ending-boundaries",
    "two delimiters in a row have no part between them": "double-bound",
    "a line of white space ends a header that goes no further": "basic-plain-with-bad-header-separator hdr-fakeout",
    "a body begins with the first line that cannot be header": "malformedHeader-nocrlfcrlf malformedHeader-noheader obsolete "
    "malformedHeaderStartsBody-nocrlfcrlf malformedHeaderStartsBody-noheader",
    "white space behind a boundary does not count": "very-long-boundary very-very-long-boundary weird-boundary",
}


def _expected_leaves(node: ElementTree.Element) -> Iterator[str | None]:
    """The raw body of each leaf; None for messages inside, which we do not open."""
    multipart = node.find("multipart")
    if multipart is not None:
        for part in multipart.findall("body-part"):
            yield from _expected_leaves(part)
    else:
        body = node.find("body")
        yield None if body is None else _bare(body.text or "")


def _as_expected(raw: bytes, xml: Path) -> bool:
    try:
        expected = list(_expected_leaves(ElementTree.parse(xml).getroot()))
    except ElementTree.ParseError:
        return True  # two of the files are not XML: there is nothing to compare with
    found = [_bare(raw[leaf.start : leaf.end].decode("latin-1")) for leaf in tree.read(raw).leaves()]
    return len(found) == len(expected) and all(one in (None, other) for one, other in zip(expected, found, strict=True))


def test_mime4j_sees_the_same_parts() -> None:
    root = shared("corpus")
    differ = set()
    for name, raw in mails("mime/mime4j-testmsgs"):
        xml = (root / name).with_suffix(".xml")
        if name.endswith(".msg") and xml.exists() and not _as_expected(raw, xml):
            differ.add(Path(name).stem)
    assert differ == {name for group in MIME4J_DIFFERS.values() for name in group.split()}


# -- stalwart: the parse as JSON ---------------------------------------------------------------------------------------

STALWART_DIFFERS = {
    "made-up structures of a few lines, read differently": "malformed/000 malformed/001 malformed/003 malformed/004 "
    "malformed/005 malformed/007 malformed/009 malformed/011 malformed/012 malformed/013 malformed/016 malformed/019 "
    "malformed/020 malformed/021",
    "a message inside stays whole": "thirdparty/015",
    "raw 8-bit text without charset: read as it looks, there U+FFFD": "legacy/026 legacy/033 legacy/052",
    "NUL is taken out": "thirdparty/000",
    "what hangs below base64 is left off; base64 of a few letters is read": "thirdparty/002",
    "an unfinished delimiter is text": "thirdparty/005",
}


def _stalwart_text(part: dict[str, Any]) -> str | None:
    """The decoded text of a part; None for what is no text."""
    body = part["body"]
    text = body.get("Text", body.get("Html")) if isinstance(body, dict) else None
    return None if text is None else _bare(text)


def _same_texts(raw: bytes, expected: dict[str, Any]) -> bool:
    read = tree.read(raw)
    leaves = [part for part in expected["parts"] if not (isinstance(part["body"], dict) and "Multipart" in part["body"])]
    found = list(read.leaves())
    if len(found) != len(leaves):
        return False
    for leaf, part in zip(found, leaves, strict=True):
        text = _stalwart_text(part)
        decode = charsets.decode_html if leaf.type == "text/html" else charsets.decode
        if text is not None and _bare(decode(read.content(leaf), leaf.params.get("charset"))[0]) != text:
            return False
    return True


def _stalwart() -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    root = shared("corpus")
    for name, raw in mails("mime/stalwart-mail-parser"):
        expected = (root / name).with_suffix(".json")
        if expected.exists():
            yield "/".join(Path(name).with_suffix("").parts[-2:]), raw, json.loads(expected.read_bytes())


def test_stalwart_reads_the_same_texts() -> None:
    differ = {name for name, raw, expected in _stalwart() if not _same_texts(raw, expected)}
    assert differ == {name for group in STALWART_DIFFERS.values() for name in group.split()}


def _named(value: Any) -> Iterator[str]:
    """Every address inside a header's value."""
    if isinstance(value, list):
        for one in value:
            yield from _named(one)
    elif isinstance(value, dict) and "address" in value:
        if "@" in (value["address"] or ""):
            yield normalise(value["address"])
    elif isinstance(value, dict):
        for one in value.values():
            yield from _named(one)


def test_stalwart_names_the_same_people() -> None:
    for name, raw, expected in _stalwart():
        parsed = mime.parse(raw)
        for role in (Role.FROM, Role.TO, Role.CC):
            fields = [field["value"] for field in expected["parts"][0]["headers"] if field["name"] == role.value]
            if fields:
                assert [one.email for one in parsed.of(role) if one.email] == list(_named(fields)), name


# -- bounces -----------------------------------------------------------------------------------------------------------

NO_BOUNCE = {
    "notifications whose JSON tells of a bounce": "lhost-amazonses-09 lhost-amazonses-11 lhost-amazonses-13",
    "written by nobody that is known for bounces": "lhost-apachejames-01 lhost-fml-03 lhost-kddi-01 lhost-kddi-03 "
    "lhost-trendmicro-01 lhost-x3-01 lhost-x3-03",
}


def test_bounces_of_sixty_programs_are_known_for_what_they_are() -> None:
    missed = {
        Path(name).stem
        for name, raw in mails("bounce")
        if Path(name).name.startswith(("lhost", "rhost", "rfc3464")) and "bounce" not in mime.parse(raw).flags
    }
    assert missed == {name for group in NO_BOUNCE.values() for name in group.split()}


def test_automatic_replies_and_complaints_are_known() -> None:
    missed = [
        Path(name).stem
        for name, raw in mails("bounce")
        if Path(name).name.startswith(("rfc3834", "arf")) and "auto_reply" not in mime.parse(raw).flags
    ]
    assert missed == ["arf-23"]  # a complaint as an ordinary mail


def test_lists_and_people_write_no_bounces() -> None:
    wrong = [name for name, raw in mails("ham/spamassassin-easy-ham-1") if "bounce" in mime.parse(raw).flags]
    # Three bounces came through the lists.
    assert [re.search(r"/(\d+)\.", name)[1] for name in wrong] == ["01436", "01507", "01542"]  # type: ignore[index]


# -- quotes ------------------------------------------------------------------------------------------------------------


def test_the_reply_of_every_mail_program_is_found_in_text() -> None:
    for name, raw in mails("reply/talon/fixtures/standard_replies"):
        if name.endswith(".eml"):
            assert "".join(marks.own_lines(mime.parse(raw).text)).strip() == "Hello", name


def test_the_reply_of_every_mail_program_is_found_in_html() -> None:
    found = sorted(shared("corpus/reply/talon/fixtures/html_replies").glob("*.html"))
    assert found
    for path in found:
        page = path.read_text("utf-8")
        assert _bare(quoting.split("", page).own) == "Hi.Iamfine.Thanks,Alex", path.name
        assert html.clean(page, images="blocked", cid={}).folded, path.name


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("email_1_3", "Oh thanks.\n\nHaving the function would be great.\n\n-Abhishek Kona"),
        ("email_1_4", "Awesome! I haven't had another problem with it."),
        ("email_1_7", ":+1:"),
        ("email_2_1", "Outlook with a reply"),
        ("email_2_2", "Outlook with a reply directly above line"),
        ("email_2_3", "Outlook with a reply directly above line"),
        ("email_BlackBerry", "Here is another email"),
        (
            "email_one_is_not_on",
            "Thank, this is really helpful.\n\nOne outstanding question I had:\n\nLocally (on development), when I run...",
        ),
        (
            "email_sent_from_my_not_signature",
            "Here is another email\n\nSent from my desk, is much easier then my mobile phone.",
        ),
        ("correct_sig", "this is an email with a correct -- signature."),
    ],
)
def test_replies_collected_by_github(name: str, own: str) -> None:
    text = shared(f"corpus/reply/github/emails/{name}.txt").read_text("utf-8")
    assert quoting.split(text).own == own


def test_forwards_in_every_language_stay_in_sight() -> None:
    """A forwarded mail is what the mail is about: it is not folded away below a line of its sender."""
    programs = ("apple_mail", "thunderbird", "hubspot")
    found = [
        (name, raw) for name, raw in mails("forward/crisp") if Path(name).name.startswith(programs) and "variant" not in name
    ]
    assert len(found) > 50
    for name, raw in found:
        assert quoting.split("For your information\n\n" + raw.decode()).quoted == "", name
