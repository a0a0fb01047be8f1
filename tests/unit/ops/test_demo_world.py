"""The demo's world: two thousand emails that hang together, the same for the same seed, nobody real, new mail without end."""

import email
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from itertools import islice, pairwise

import pytest

from flowcrm.mail.types import FolderRole
from flowcrm.ops.demo import people, scripts
from flowcrm.ops.demo.casting import Casting
from flowcrm.ops.demo.mails import Mail
from flowcrm.ops.demo.threads import Conversation, advance
from flowcrm.ops.demo.world import EMAILS, World, generate

WEDNESDAY = datetime(2026, 5, 20, 9, 30, tzinfo=UTC)
NEW_YEARS_SUNDAY = datetime(2027, 1, 3, 2, 0, tzinfo=UTC)
SEED = 7

_HOSTS = (r"[\w.+-]+@([\w.-]+\w)", r"https?://([\w.-]+)", r"\b(www\.[\w.-]+\w)", r"\b(?:from|by) ([\w.-]+\.\w+)[ ;]")
_MARKS = re.compile(r"\{\w+\}|\[[^\[\]]*\|[^\[\]]*\]")
_MACHINES = {"newsletter", "notice", "spam"}


@pytest.fixture(scope="module")
def world() -> World:
    return generate(SEED, WEDNESDAY)


@pytest.fixture(scope="module")
def parsed(world: World) -> list[tuple[Mail, EmailMessage]]:
    return [(mail, _parse(mail)) for mail in world.mails]


@pytest.fixture(scope="module")
def texts(parsed: list[tuple[Mail, EmailMessage]]) -> list[str]:
    """Every header as it is sent, and every subject and text decoded."""
    heads = [mail.raw.partition(b"\r\n\r\n")[0].decode("ascii") for mail, _ in parsed]
    return [*heads, *(text for _, message in parsed for text in _texts(message))]


def _parse(mail: Mail) -> EmailMessage:
    message = email.message_from_bytes(mail.raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def _id(message: EmailMessage) -> str:
    return str(message["Message-ID"])


def _texts(message: EmailMessage) -> Iterator[str]:
    yield str(message["Subject"])
    for part in message.walk():
        if part.get_content_maintype() == "text" and part.get_content_subtype() != "rfc822-headers":
            yield str(part.get_content())


def _refilled(when: datetime) -> World:
    return generate(SEED + 1, when)


# -- who and how much --------------------------------------------------------------------------------------------------


def test_same_seed_and_moment_give_the_same_world(world: World) -> None:
    assert generate(SEED, WEDNESDAY) == world


def test_another_seed_gives_other_emails(world: World) -> None:
    other = _refilled(WEDNESDAY)
    assert {mail.raw for mail in other.mails}.isdisjoint(mail.raw for mail in world.mails)


def test_account_has_three_users_twelve_companies_and_forty_contacts(world: World) -> None:
    assert world.account == "Acme"
    assert [(user.key, user.role) for user in world.users] == [("admin", "admin"), ("sales", "user"), ("colleague", "user")]
    assert (len(world.companies), len(world.contacts)) == (12, 40)
    assert len({contact.name for contact in world.contacts}) == 40
    assert sum(len(contact.addresses) > 1 for contact in world.contacts) >= 8


def test_addresses_belong_to_one_person_only(world: World) -> None:
    addresses = [address for user in world.users for address in (*user.addresses, *user.aliases)]
    addresses += [address for contact in world.contacts for address in contact.addresses]
    assert len(addresses) == len(set(addresses))


def test_there_are_two_thousand_emails(parsed: list[tuple[Mail, EmailMessage]]) -> None:
    assert len({_id(message) for _, message in parsed}) == EMAILS == 2000


@pytest.mark.parametrize("now", [NEW_YEARS_SUNDAY, datetime(2026, 3, 30, 5, 59, tzinfo=UTC)])
def test_other_moments_hold_as_many_and_none_from_the_future(now: datetime) -> None:
    mails = _refilled(now).mails
    assert len({re.search(rb"\r\nMessage-ID: (\S+)", mail.raw)[1] for mail in mails}) == EMAILS  # type: ignore[index]
    assert all(now - timedelta(days=275) < mail.at <= now for mail in mails)


def test_each_user_has_mail_and_each_contact_writes(world: World, parsed: list[tuple[Mail, EmailMessage]]) -> None:
    owned = Counter(mail.mailbox for mail in world.mails)
    assert all(owned[user.address] > 400 for user in world.users)
    writers = {address.addr_spec for _, message in parsed for address in message["From"].addresses}
    assert all(not writers.isdisjoint(contact.addresses) for contact in world.contacts)


# -- bytes -------------------------------------------------------------------------------------------------------------


def test_every_mail_parses_without_a_defect(parsed: list[tuple[Mail, EmailMessage]]) -> None:
    for mail, message in parsed:
        for part in message.walk():
            assert not part.defects, (mail, part.defects)
            assert not any(value.defects for value in part.values()), mail
        assert {"From", "To", "Subject", "Date", "Message-ID"} <= set(message.keys())
        assert b"\n" not in mail.raw.replace(b"\r\n", b"")


def test_no_mark_of_the_scripts_is_left(texts: list[str]) -> None:
    assert not [found for text in texts for found in _MARKS.findall(text)]


def test_every_domain_is_reserved_for_examples(texts: list[str]) -> None:
    hosts = {host for text in texts for host in re.findall("|".join(_HOSTS), text)}
    named = {name for groups in hosts for name in groups if name}
    assert named
    assert [name for name in sorted(named) if not name.endswith(".example")] == []


def test_languages_come_in_their_charsets(parsed: list[tuple[Mail, EmailMessage]]) -> None:
    sent = {
        (part.get_content_charset(), part["Content-Transfer-Encoding"])
        for _, message in parsed
        for part in message.walk()
        if part.get_content_type() == "text/plain"
    }
    charsets = {charset for charset, _ in sent}
    assert {"utf-8", "iso-8859-1", "iso-8859-2", "windows-1252", "windows-1256", "iso-2022-jp"} <= charsets
    assert {"7bit", "8bit", "quoted-printable"} <= {encoding for _, encoding in sent}
    texts = " ".join(str(message["Subject"]) for _, message in parsed)
    assert all(re.search(script, texts) for script in ("[\u3040-\u30ff]", "[\u0600-\u06ff]", "ü", "ł", "é", "ó"))


def test_attachments_are_what_their_names_say(parsed: list[tuple[Mail, EmailMessage]]) -> None:
    seen = Counter[str]()
    for _, message in parsed:
        for part in message.walk():
            name = part.get_filename()
            if name:
                content = part.get_payload(decode=True)
                assert isinstance(content, bytes)
                seen[name.rpartition(".")[2]] += 1
                assert _opens(name, content), name
    assert all(seen[ending] > 10 for ending in ("pdf", "png", "csv"))


def _opens(name: str, content: bytes) -> bool:
    if name.endswith(".pdf"):
        start = int(content.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
        return content.startswith(b"%PDF-1.4") and content[start:].startswith(b"xref") and content.endswith(b"%%EOF\n")
    if name.endswith(".png"):
        data = content[content.index(b"IDAT") :]
        size = int.from_bytes(content[content.index(b"IDAT") - 4 : content.index(b"IDAT")])
        width, height = (int.from_bytes(content[start : start + 4]) for start in (16, 20))
        return len(zlib.decompress(data[4 : 4 + size])) == (width + 1) * height
    return bool(content.decode())


def test_pictures_in_the_html_come_along(parsed: list[tuple[Mail, EmailMessage]]) -> None:
    shown = 0
    for _, message in parsed:
        html = message.get_body(("html",))
        wanted = set(re.findall(r'src="cid:([^"]+)"', html.get_content())) if html else set()
        present = {str(part["Content-ID"]).strip("<>") for part in message.walk() if part["Content-ID"]}
        assert wanted == present
        shown += len(wanted)
    assert shown > 50


# -- conversations -----------------------------------------------------------------------------------------------------


def test_a_message_id_returns_only_as_the_copy_in_another_mailbox(parsed: list[tuple[Mail, EmailMessage]]) -> None:
    copies = defaultdict(list)
    for mail, message in parsed:
        copies[_id(message)].append((mail, message))
    shared = [group for group in copies.values() if len(group) > 1]
    assert len(shared) > 100
    for group in shared:
        assert len({mail.mailbox for mail, _ in group}) == len(group)
        assert len({mail.thread for mail, _ in group}) == 1
        assert len({bytes(mail.raw).partition(b"\r\n\r\n")[2] for mail, _ in group}) == 1


def test_replies_name_what_they_answer(parsed: list[tuple[Mail, EmailMessage]]) -> None:
    by_id = {_id(message): (mail, message) for mail, message in parsed}
    replies = [(mail, message) for mail, message in parsed if message["In-Reply-To"]]
    assert len(replies) > 900
    for mail, message in replies:
        answered_mail, answered = by_id[str(message["In-Reply-To"])]
        assert answered_mail.thread == mail.thread
        assert answered_mail.at <= mail.at + timedelta(seconds=10)
        earlier = str(answered["References"] or "").split()
        assert str(message["References"]).split() == [*earlier, _id(answered)]


def test_threads_have_two_to_nine_emails_and_real_quotes(parsed: list[tuple[Mail, EmailMessage]]) -> None:
    threads = defaultdict(set)
    for mail, message in parsed:
        threads[mail.thread].add(_id(message))
    lengths = Counter(len(ids) for ids in threads.values())
    assert sum(count for length, count in lengths.items() if length >= 2) > 350
    assert max(lengths) <= 9
    html = " ".join(body.get_content() for _, message in parsed if (body := message.get_body(("html",))))
    assert all(mark in html for mark in ("gmail_quote", "border-top:solid #E1E1E1", '<blockquote type="cite">'))
    plain = [
        body.get_content() for _, message in parsed if (body := message.get_body(("plain",))) and not message.is_multipart()
    ]
    assert any(re.search(r"wrote:\r?\n> ", text) for text in plain)


def test_emails_do_not_feel_copied() -> None:
    talks = [_played(script) for script in _conversations()]
    assert len(talks) > 140
    assert all(2 <= len(script.turns) <= 9 for script in _conversations())
    texts = Counter(turn.text for script in _conversations() for turn in script.turns if turn.text)
    # The one twin is meant: an email sent again after it bounced says the same once more.
    assert sum(count - 1 for count in texts.values()) <= 1


def _conversations() -> list[scripts.Script]:
    single = {*_MACHINES, "draft"}
    return [script for script in scripts.load() if single.isdisjoint(script.audience)]


def test_every_script_can_be_played_to_its_end() -> None:
    for script in scripts.load():
        if "draft" in script.audience:
            continue
        talk = _played(script)
        assert len(talk.said) == len(script.turns), script.key
        wanted = {slot for turn in script.turns for slot in re.findall(r"\{(\w+)\}", turn.text)}
        assert wanted <= set(talk.slots), script.key


def _played(script: scripts.Script) -> Conversation:
    cast = people.load()
    casting = Casting(cast, [script], f"test/{script.key}")
    contacts = [one for one in cast.contacts if one.company.supplier == ("supplier" in script.audience)]
    speakers = [one for one in contacts if one.language == script.language and script.topic in one.topics] or contacts
    if {"prospect", "customer", "supplier"}.isdisjoint(script.audience):
        talk = casting.audience(script.audience[0], WEDNESDAY)
    else:
        talk = casting.play(script, speakers[0], WEDNESDAY)
    while talk.at is not None:
        talk = advance(talk)
    return talk


# -- mailboxes ---------------------------------------------------------------------------------------------------------


def test_each_place_and_habit_occurs(world: World) -> None:
    places = Counter(mail.place for mail in world.mails)
    wanted = ("inbox", "sent", "drafts", "spam", "trash", "archive")
    assert all(places[FolderRole(place)] >= 10 for place in wanted)
    labels = Counter(label for mail in world.mails for label in mail.labels)
    assert all(labels[label] for label in ("CRM", "No-CRM", "Invoices"))
    assert any("/" in label for label in labels)
    assert {mail.unread for mail in world.mails} == {True, False}
    assert not any(mail.unread for mail in world.mails if mail.place in (FolderRole.SENT, FolderRole.DRAFTS))


def test_sent_mail_comes_from_its_owner_and_only_there_shows_its_blind_copies(
    world: World, parsed: list[tuple[Mail, EmailMessage]]
) -> None:
    own = {user.address: {*user.addresses, *user.aliases} for user in world.users}
    blind, aliases = 0, 0
    for mail, message in parsed:
        sender = message["From"].addresses[0].addr_spec
        ours = sender in own[mail.mailbox]
        assert ours == (mail.place in (FolderRole.SENT, FolderRole.DRAFTS))
        assert ("Received" in message) != ours
        assert not message["Bcc"] or mail.place is FolderRole.SENT
        blind += "Bcc" in message
        aliases += ours and sender != mail.mailbox
    assert blind
    assert aliases > 20


def test_received_mail_is_addressed_to_its_mailbox(world: World, parsed: list[tuple[Mail, EmailMessage]]) -> None:
    own = {user.address: {*user.addresses, *user.aliases} for user in world.users}
    blind = {_id(message) for _, message in parsed if message["Bcc"]}
    for mail, message in parsed:
        named = {
            address.addr_spec for name in ("To", "Cc") for field in message.get_all(name, []) for address in field.addresses
        }
        if mail.place is not FolderRole.SENT and _id(message) not in blind and "List-Id" not in message:
            assert mail.place is FolderRole.DRAFTS or not named.isdisjoint(own[mail.mailbox])


def test_machines_and_lists_say_what_they_are(parsed: list[tuple[Mail, EmailMessage]]) -> None:
    messages = [message for _, message in parsed]
    bounces = [message for message in messages if message.get_content_type() == "multipart/report"]
    assert bounces
    assert all(message["X-Failed-Recipients"] and "<>" in message["Return-Path"] for message in bounces)
    replies = [message for message in messages if message["X-Auto-Response-Suppress"]]
    assert replies
    assert all(message["Auto-Submitted"] == "auto-replied" for message in replies)
    lists = [message for message in messages if message["List-Post"]]
    assert any("mailing list" in text for message in lists for text in _texts(message))
    invites = [part for message in messages for part in message.walk() if part.get_content_type() == "text/calendar"]
    assert {part.get_param("method") for part in invites} == {"REQUEST", "REPLY"}


def test_people_write_in_office_hours_and_more_of_late(world: World, parsed: list[tuple[Mail, EmailMessage]]) -> None:
    for mail, message in parsed:
        automatic = message["Auto-Submitted"] or message["Precedence"] or mail.place in (FolderRole.SPAM, FolderRole.DRAFTS)
        written = parsedate_to_datetime(str(message["Date"]))
        if not automatic and mail.place is not FolderRole.TRASH and message["User-Agent"] is None:
            assert time(7, 39) < written.time() < time(18, 21), mail
            assert written.weekday() < 5, mail
    ages = Counter((WEDNESDAY - mail.at).days // 90 for mail in world.mails)
    assert ages[0] > 1.5 * ages[1]
    assert ages[0] > 1.7 * ages[2]
    assert sum(mail.at > WEDNESDAY - timedelta(days=2) for mail in world.mails) > 20


# -- arrivals ----------------------------------------------------------------------------------------------------------


def test_new_mail_arrives_about_every_minute_without_end(world: World) -> None:
    mails = list(islice(world.arrivals(WEDNESDAY), 1500))
    moments = sorted({mail.at for mail in mails})
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert moments[0] > WEDNESDAY
    assert all(timedelta(seconds=30) <= gap <= timedelta(seconds=90) for gap in gaps)
    assert timedelta(seconds=50) < sum(gaps, timedelta()) / len(gaps) < timedelta(seconds=70)


def test_arrivals_are_new_emails_and_continue_threads(world: World, parsed: list[tuple[Mail, EmailMessage]]) -> None:
    known = {_id(message): mail.thread for mail, message in parsed}
    mails = [(mail, _parse(mail)) for mail in islice(world.arrivals(WEDNESDAY), 200)]
    assert not {_id(message) for _, message in mails} & set(known)
    assert any(known.get(str(message["In-Reply-To"])) == mail.thread for mail, message in mails)
    written = known | {_id(message): mail.thread for mail, message in mails}
    answers = [(mail, str(message["In-Reply-To"])) for mail, message in mails if message["In-Reply-To"]]
    assert all(written[answered] == mail.thread for mail, answered in answers)
    assert {mail.mailbox for mail, _ in mails} == {user.address for user in world.users}


def test_arrivals_hang_on_the_moment_alone(world: World) -> None:
    first = list(islice(world.arrivals(WEDNESDAY), 60))
    assert first == list(islice(generate(SEED, WEDNESDAY).arrivals(WEDNESDAY), 60))
    later = list(islice(world.arrivals(WEDNESDAY + timedelta(hours=1)), 60))
    assert {_id(_parse(mail)) for mail in first}.isdisjoint(_id(_parse(mail)) for mail in later)
