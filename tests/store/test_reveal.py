"""The one door: what opens, for whom, and that each opening leaves its record."""

from datetime import UTC, datetime
from typing import Any

import pytest

from flowcrm.mail.types import Address, Role
from flowcrm.store import access
from flowcrm.store.access import Actor
from flowcrm.store.db import rows, run
from flowcrm.store.errors import NotFound
from flowcrm.store.models import Member
from flowcrm.store.queries.one_email import shown_copy
from flowcrm.store.reveal import export, reveal_attachment, reveal_export, reveal_heads, reveal_message, reveal_original
from flowcrm.store.vaults import blob_store
from flowcrm.vault.errors import BlobMissing, SealBroken
from tests.mail_helper import Mail, connect, keep, raw
from tests.people import Someone, colleague, make_someone, make_workspace, member, stranger

__all__ = ["colleague", "member", "stranger"]

pytestmark = pytest.mark.needs_postgres

PDF = b"%PDF-1.7 " + bytes(range(256)) * 200
SMALL = raw("Quote", "Dear Mara,\nhere it is.", headers=[("Cc", "Tom <tom@elbe.example>")], message_id="<q@x>")
LARGE = raw("Plans", "See below.", html="<p>See <b>below</b>.</p>", files=[("plan.pdf", "application/pdf", PDF)])


def _actor(someone: Someone, ip: str | None = "192.0.2.7") -> Actor:
    return access.actor(Member.objects.get(id=someone.member_id), ip)


def _records(someone: Someone) -> list[tuple[Any, ...]]:
    with someone.scope():
        return rows(
            "SELECT actor_id, verb, surface, host(ip), object_ids FROM audit WHERE workspace_id = %s ORDER BY id",
            [someone.workspace_id],
        )


def _file_id(someone: Someone, message_id: int) -> int:
    with someone.scope():
        (file,) = reveal_message(_actor(someone), message_id, "test").files
    return file.id


def test_heads_open_with_people_subject_and_first_line(member: Someone) -> None:
    (kept,) = keep(member.workspace_id, connect(member), SMALL)
    with member.scope():
        (head,) = reveal_heads(_actor(member), [shown_copy(_actor(member), kept)], "list").values()
    assert head.subject == "Quote"
    assert head.snippet == "Dear Mara, here it is."
    assert head.of(Role.FROM) == (Address("Anna Berg", "anna@nordlicht.example"),)
    assert head.of(Role.CC) == (Address("Tom", "tom@elbe.example"),)
    assert head.date == datetime(2026, 11, 2, 8, tzinfo=UTC)


def test_a_page_of_a_list_is_one_record_and_an_empty_page_none(member: Someone) -> None:
    kept = keep(member.workspace_id, connect(member), raw("A"), raw("B"), raw("C"))
    with member.scope():
        reveal_heads(_actor(member), [shown_copy(_actor(member), one) for one in kept], "emails")
        reveal_heads(_actor(member), [], "emails")
    assert _records(member) == [(member.member_id, "list", "emails", "192.0.2.7", sorted(kept))]


def test_a_message_opens_whole_with_what_is_known_of_its_copy(member: Someone) -> None:
    (kept,) = keep(member.workspace_id, connect(member), Mail(LARGE, unread=True))
    with member.scope():
        opened = reveal_message(_actor(member), kept, "thread")
    assert opened.text.strip() == "See below."
    assert opened.html is not None
    assert "<b>below</b>" in opened.html
    assert [(one.name, one.type, one.size, one.over_limit) for one in opened.files] == [
        ("plan.pdf", "application/pdf", len(PDF), False)
    ]
    assert (opened.unread, opened.ours, opened.whole, opened.gone_at) == (True, False, True, None)
    assert _records(member) == [(member.member_id, "read", "thread", "192.0.2.7", [kept])]


def test_a_large_original_is_not_parsed_unless_asked(member: Someone) -> None:
    (kept,) = keep(member.workspace_id, connect(member), LARGE)
    with member.scope():
        opened = reveal_message(_actor(member), kept, "thread", parse_at_most=1000)
    assert opened.html is None
    assert opened.formatted_later


@pytest.mark.parametrize("original", [SMALL, LARGE, b"", b"no mail at all", b"A: b\r\n\r\n\xff\x00\r\nx"])
def test_the_original_comes_back_byte_for_byte(member: Someone, original: bytes) -> None:
    (kept,) = keep(member.workspace_id, connect(member), original)
    with member.scope():
        opened = reveal_original(_actor(member), kept, "download")
    # Read after the scope has closed, as a streamed answer is.
    assert b"".join(opened.pieces) == original
    assert opened.size == len(original)
    assert opened.whole
    assert _records(member)[-1][1:3] == ("original", "download")


def test_an_attachment_opens_decoded(member: Someone) -> None:
    (kept,) = keep(member.workspace_id, connect(member), LARGE)
    file_id = _file_id(member, kept)
    with member.scope():
        opened = reveal_attachment(_actor(member), file_id, "download")
    assert opened.content == PDF
    assert _records(member)[-1] == (member.member_id, "file", "download", "192.0.2.7", [kept, file_id])


def test_an_attachment_is_found_in_a_copy_that_was_built_differently(member: Someone, colleague: Someone) -> None:
    """One content, two copies: the colleague's provider wrote the MIME anew, with the attachment in another place."""
    head = b"From: a@x.example\nDate: Mon, 02 Nov 2026 08:00:00 +0000\nMessage-ID: <s@x>\nMIME-Version: 1.0\n"
    text = b"Content-Type: text/plain\n\nHi\n"
    pdf = b'Content-Type: application/pdf; name="a.pdf"\nContent-Disposition: attachment; filename="a.pdf"\n\nPDF\n'
    nested = b'Content-Type: multipart/mixed; boundary="c"\n\n--c\n' + text + b"--c\n" + pdf + b"--c--\n"
    mixed = head + b'Content-Type: multipart/mixed; boundary="b"\n\n'
    ours = mixed + b"--b\n" + text + b"--b\n" + pdf + b"--b--\n"
    theirs = mixed + b"--b\n" + nested + b"--b--\n"
    (first,) = keep(member.workspace_id, connect(member), ours)
    (second,) = keep(colleague.workspace_id, connect(colleague), theirs)
    assert first == second
    file_id = _file_id(colleague, second)
    with colleague.scope():
        assert reveal_attachment(_actor(colleague), file_id, "download").content.strip() == b"PDF"


def test_an_attachment_over_the_limit_is_listed_and_not_opened() -> None:
    """K48: the email is kept, the attachment listed, and it is still at the provider."""
    owner = make_someone(make_workspace())
    big = b"x" * (50 * 2**20 + 1)
    mail = raw("Big", "Here.", files=[("big.bin", "application/octet-stream", big), ("small.txt", "text/plain", b"small")])
    (kept,) = keep(owner.workspace_id, connect(owner), mail)
    with owner.scope():
        opened = reveal_message(_actor(owner), kept, "thread")
        over, small = opened.files
        assert (over.name, over.over_limit, over.size) == ("big.bin", True, len(big))
        assert reveal_attachment(_actor(owner), small.id, "download").content.strip() == b"small"
        with pytest.raises(NotFound):
            reveal_attachment(_actor(owner), over.id, "download")
        original = reveal_original(_actor(owner), kept, "download")
    assert not opened.whole
    assert not original.whole
    assert len(b"".join(original.pieces)) == original.size < 10_000


def test_nobody_else_opens_anything(member: Someone, colleague: Someone, stranger: Someone) -> None:
    """Neither a colleague nor an admin of the same account; and nothing is recorded, since nothing was seen."""
    (kept,) = keep(colleague.workspace_id, connect(colleague), LARGE)
    file_id = _file_id(colleague, kept)
    with colleague.scope():
        copy_id = shown_copy(_actor(colleague), kept)
    before = len(_records(colleague))
    for other in (member, stranger):
        with other.scope():
            looking = _actor(other)
            assert reveal_heads(looking, [copy_id], "list") == {}
            for door, what in ((reveal_message, kept), (reveal_original, kept), (reveal_attachment, file_id)):
                with pytest.raises(NotFound):
                    door(looking, what, "test")
            with pytest.raises(NotFound):
                shown_copy(looking, kept)
    assert len(_records(colleague)) == before


def test_everybody_sees_his_own_copy_and_nobody_anothers_bcc(member: Someone, colleague: Someone) -> None:
    sent = raw("Plan", "Yes.", message_id="<b@x>", sender="mara@acme.example", headers=[("Bcc", "boss@acme.example")])
    received = raw("Plan", "Yes.", message_id="<b@x>", sender="mara@acme.example")
    (kept,) = keep(member.workspace_id, connect(member, "mara@acme.example"), sent)
    assert keep(colleague.workspace_id, connect(colleague), received) == [kept]
    for someone, bcc in ((member, (Address("", "boss@acme.example"),)), (colleague, ())):
        with someone.scope():
            opened = reveal_message(_actor(someone), kept, "thread")
            assert opened.head.of(Role.BCC) == bcc
            assert (b"boss@" in b"".join(reveal_original(_actor(someone), kept, "download").pieces)) == bool(bcc)


def test_the_operator_opens_everything_and_is_recorded(member: Someone) -> None:
    (kept,) = keep(member.workspace_id, connect(member), SMALL)
    with member.scope():
        reveal_message(access.operator(member.workspace_id), kept, "export")
    assert _records(member) == [(None, "read", "export", None, [kept])]


def test_an_export_gives_what_the_actor_may_read_and_records_each_page(
    member: Someone, colleague: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE", 2)
    kept = keep(member.workspace_id, connect(member, "mara@acme.example"), SMALL, LARGE, raw("Third"))
    keep(colleague.workspace_id, connect(colleague), raw("His"))
    with member.scope():
        looking = _actor(member)
    pages = list(reveal_export(looking, "command_line"))
    assert [[one.id for one in page] for page in pages] == [kept[:2], kept[2:]]
    small, large = pages[0]
    assert (small.head["subject"], small.head["message_id"]) == ("Quote", "q@x")
    assert small.text.strip() == "Dear Mara,\nhere it is."
    assert large.attachments == (("plan.pdf", "application/pdf", len(PDF)),)
    assert [copy.mailbox for copy in small.copies] == ["mara@acme.example"]
    said = (member.member_id, "export", "command_line", "192.0.2.7")
    assert _records(member) == [(*said, kept[:2]), (*said, kept[2:])]


def test_a_record_goes_with_what_it_is_about(member: Someone) -> None:
    """Whoever rolls back has shown nothing, and recorded nothing."""
    (kept,) = keep(member.workspace_id, connect(member), SMALL)
    with pytest.raises(RuntimeError), member.scope():
        reveal_message(_actor(member), kept, "thread")
        raise RuntimeError
    assert _records(member) == []


def test_a_text_moved_to_another_email_does_not_open(member: Someone) -> None:
    one, two = keep(member.workspace_id, connect(member), raw("A"), raw("B"))
    with member.scope():
        run(
            """UPDATE variant SET s_body = (SELECT s_body FROM variant WHERE message_id = %s) WHERE message_id = %s""",
            [two, one],
        )
        with pytest.raises(SealBroken):
            reveal_message(_actor(member), one, "thread")


def test_a_missing_object_is_said_before_an_answer_begins(member: Someone) -> None:
    (kept,) = keep(member.workspace_id, connect(member), LARGE)
    with member.scope():
        for (ref,) in rows("SELECT ref FROM blob WHERE workspace_id = %s AND ref IS NOT NULL", [member.workspace_id]):
            blob_store().delete(ref)
        with pytest.raises(BlobMissing):
            reveal_original(_actor(member), kept, "download")
