"""Who sees what: every level, role, mark and pair of copies, asked at every door, against the few lines of `_seen`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import pytest

from flowcrm.store import access
from flowcrm.store.db import rows, run
from flowcrm.store.levels import Level
from flowcrm.store.models import Member
from flowcrm.store.reveal import reveal_export
from flowcrm.store.writes.companies import do_create_company
from flowcrm.store.writes.private import do_default_level, do_level, do_mark_email, do_shut
from tests.mail_helper import connect, conversation_of, keep, raw
from tests.people import Someone, colleague, make_someone, member, stranger

__all__ = ["colleague", "member", "stranger"]

pytestmark = pytest.mark.needs_postgres

CARLA = "carla@nordlicht.example"
# Whose copy is marked or capped: nobody's, Anna's, Ben's, the viewer's own.
MARKS = ("nobody", "anna", "ben", "own")


@dataclass(frozen=True)
class Case:
    """An email in Anna's mailbox. ben, own: it lies in Ben's and in the viewer's too. private, capped: whose copy is."""

    number: int
    ben: bool
    own: bool
    private: str
    capped: str
    message: int = 0

    @property
    def word(self) -> str:
        return f"zq{self.number}x"

    @property
    def holders(self) -> tuple[str, ...]:
        return ("anna", *(["ben"] if self.ben else []), *(["own"] if self.own else []))


def _cases() -> Iterator[Case]:
    number = 0
    for ben, own, private, capped in product((False, True), (False, True), MARKS, ("nobody", "anna")):
        case = Case(number, ben, own, private, capped)
        if private == "nobody" or private in case.holders:
            number += 1
            yield case


def _seen(case: Case, levels: dict[str, Level]) -> Level | None:
    """DESIGN section 5, "Who sees what", once more."""
    if case.own:
        return Level.EVERYTHING
    if case.private != "nobody":
        return None
    order = list(Level)
    open_ones = [levels[one] for one in case.holders if one != case.capped and levels[one] is not Level.ONLY_ME]
    return max(open_ones, key=order.index, default=None)


@dataclass(frozen=True)
class Office:
    """An account with Anna, Ben and a viewer, and an email for each case in their mailboxes."""

    viewer: Someone
    boxes: dict[str, int]
    cases: tuple[Case, ...]
    contact: int
    company: int


@pytest.fixture(params=["admin", "user"])
def office(request: pytest.FixtureRequest, member: Someone) -> Office:
    anna, ben = make_someone(member.workspace_id, name="Anna Berg"), make_someone(member.workspace_id, name="Ben Keller")
    viewer = make_someone(member.workspace_id, role=request.param, name="Vera Voss")
    boxes = {"anna": connect(anna), "ben": connect(ben), "own": connect(viewer)}
    with viewer.scope():
        company = do_create_company(workspace_id=viewer.workspace_id, name="Nordlicht")
    contact = viewer.contact("Carla Stein", CARLA, company_id=company)
    cases = tuple(_kept(viewer, boxes, case) for case in _cases())
    return Office(viewer, boxes, cases, contact, company)


def _kept(viewer: Someone, boxes: dict[str, int], case: Case) -> Case:
    mail = raw(
        f"subject{case.word}",
        f"first body{case.word}",
        sender=f"people{case.word} <{CARLA}>",
        files=[(f"file{case.word}.pdf", "application/pdf", f"content{case.word}".encode())],
        message_id=f"<{case.word}@nordlicht.example>",
    )
    # Only in Anna's copy: she sent it, so to say.
    with_bcc = b"Bcc: bcc%s@secret.example\r\n" % case.word.encode() + mail
    (message,) = keep(viewer.workspace_id, boxes["anna"], with_bcc)
    for other in case.holders[1:]:
        keep(viewer.workspace_id, boxes[other], mail)
    with viewer.scope():
        if case.private != "nobody":
            do_mark_email(workspace_id=viewer.workspace_id, mailboxes=[boxes[case.private]], message_id=message, private=True)
        if case.capped != "nobody":
            run("UPDATE copy SET capped = true WHERE message_id = %s AND mailbox_id = %s", [message, boxes[case.capped]])
            do_shut(viewer.workspace_id, [message])
    return Case(case.number, case.ben, case.own, case.private, case.capped, message)


def _set(office: Office, levels: dict[str, Level]) -> None:
    with office.viewer.scope():
        for name, level in levels.items():
            do_level(workspace_id=office.viewer.workspace_id, mailbox_id=office.boxes[name], level=level)


@pytest.mark.parametrize(("anna", "ben"), list(product(Level, Level)), ids=lambda level: level.value)
def test_lists_and_tabs_show_what_the_levels_let_through(office: Office, anna: Level, ben: Level) -> None:
    levels = {"anna": anna, "ben": ben}
    _set(office, levels)
    for path in ("/emails?only=all", f"/contacts/{office.contact}/emails", f"/companies/{office.company}/emails"):
        page = _whole_list(office.viewer, path)
        for case in office.cases:
            _check(page, case, _seen(case, levels), f"{path} {case}")


@pytest.mark.parametrize(
    ("anna", "ben"),
    [*((level, Level.ONLY_ME) for level in Level), (Level.ONLY_ME, Level.EVERYTHING), (Level.PEOPLE, Level.SUBJECT)],
    ids=lambda level: level.value,
)
def test_threads_and_emails_open_as_far_as_the_levels_let_them(office: Office, anna: Level, ben: Level) -> None:
    levels, viewer = {"anna": anna, "ben": ben}, office.viewer
    _set(office, levels)
    exported = _exported(office)
    for case in office.cases:
        seen = _seen(case, levels)
        whole = seen is Level.EVERYTHING
        thread = viewer.get(f"/emails/{conversation_of(viewer.workspace_id, case.message)}")
        assert thread.status_code == (200 if seen else 404), case
        _check(thread.content.decode() if seen else "", case, seen, f"thread {case}")
        opened = viewer.get(f"/emails/message/{case.message}")
        formatted = viewer.get(f"/emails/message/{case.message}/formatted")
        file = viewer.get(f"/emails/files/{_file(viewer, case)}")
        assert [one.status_code for one in (opened, formatted, file)] == [200 if whole else 404] * 3, case
        original = viewer.get(f"/emails/message/{case.message}/original")
        assert original.status_code == (200 if case.own else 404), case
        if whole:
            text = opened.content.decode()
            assert f"body{case.word}" in text + formatted.content.decode()
            assert f"bcc{case.word}" not in text
            assert b"".join(file.streaming_content) == f"content{case.word}".encode()
        assert (case.message in exported) is whole, case
        assert f"bcc{case.word}" not in exported.get(case.message, ""), case


def _check(page: str, case: Case, seen: Level | None, where: str) -> None:
    for word, needed in (("people", Level.PEOPLE), ("subject", Level.SUBJECT), ("body", Level.EVERYTHING)):
        assert (f"{word}{case.word}" in page) is (seen is not None and seen.shows(needed)), (word, where)
    assert f"bcc{case.word}" not in page, where


def _whole_list(viewer: Someone, path: str) -> str:
    """All pages of a list."""
    page = text = viewer.get(path).content.decode()
    while 'hx-get="?only' in page and "Show more" in page:
        query = page.rsplit('hx-get="?', 1)[1].split('"', 1)[0].replace("&amp;", "&")
        page = viewer.part(f"{path.partition('?')[0]}?{query}").content.decode()
        text += page
    return text


def _file(viewer: Someone, case: Case) -> int:
    with viewer.scope():
        found = rows(
            """SELECT a.id FROM attachment a JOIN variant v ON v.workspace_id = a.workspace_id AND v.id = a.variant_id
               WHERE v.message_id = %s""",
            [case.message],
        )
    return int(found[0][0])


def _exported(office: Office) -> dict[int, str]:
    with office.viewer.scope():
        looking = access.actor(Member.objects.get(id=office.viewer.member_id))
    return {one.id: f"{one.head} {one.text}" for page in reveal_export(looking, "command_line") for one in page}


@dataclass(frozen=True)
class Pair:
    """Ben has a thread of two emails, Mara has the first of them."""

    thread: int
    both: int
    his: int
    box: int


@pytest.fixture
def pair(member: Someone, colleague: Someone) -> Pair:
    first = raw("Offer", "The first.", sender=CARLA, message_id="<1@x>")
    second = raw("Re: Offer", "The second.", sender=CARLA, message_id="<2@x>", reply_to="<1@x>")
    keep(member.workspace_id, connect(member), first)
    box = connect(colleague)
    both, his = keep(member.workspace_id, box, first, second)
    return Pair(conversation_of(member.workspace_id, both), both, his, box)


def _level(someone: Someone, box: int, level: Level) -> None:
    with someone.scope():
        do_level(workspace_id=someone.workspace_id, mailbox_id=box, level=level)


def _page(someone: Someone, path: str) -> str:
    answer = someone.get(path)
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def test_a_gap_in_a_thread_is_said_and_nothing_more_of_it(member: Someone, pair: Pair) -> None:
    page = _page(member, f"/emails/{pair.thread}")
    assert "1 email held by Ben Keller" in page
    assert "The second." not in page


def test_what_is_private_leaves_no_gap(member: Someone, colleague: Someone, pair: Pair) -> None:
    colleague.post(f"/emails/message/{pair.his}/private", {"private": "1"})
    assert "held by" not in _page(member, f"/emails/{pair.thread}")


def test_a_contact_s_tab_says_who_has_conversations_where_the_viewer_has_none(member: Someone, colleague: Someone) -> None:
    contact = member.contact("Carla Stein", CARLA)
    (kept,) = keep(colleague.workspace_id, connect(colleague), raw("Secret", sender=CARLA))
    page = _page(member, f"/contacts/{contact}/emails")
    assert "1 conversation exists, held by Ben Keller" in page
    assert "Secret" not in page
    colleague.post(f"/emails/message/{kept}/private", {"private": "1"})
    assert "held by" not in _page(member, f"/contacts/{contact}/emails")


def test_private_and_back_again(member: Someone, colleague: Someone, pair: Pair) -> None:
    _level(colleague, pair.box, Level.EVERYTHING)
    assert "The second." in _page(member, f"/emails/{pair.thread}")
    colleague.post(f"/emails/message/{pair.his}/private", {"private": "1"})
    assert "The second." not in _page(member, f"/emails/{pair.thread}")
    assert member.get(f"/emails/message/{pair.his}").status_code == 404
    assert "Private: take the mark off" in _page(colleague, f"/emails/{pair.thread}?open={pair.his}")
    colleague.post(f"/emails/message/{pair.his}/private")
    assert "The second." in _page(member, f"/emails/{pair.thread}")


def test_a_private_thread_stays_private_for_what_comes_later_and_for_what_joins_it(
    member: Someone, colleague: Someone, pair: Pair
) -> None:
    _level(colleague, pair.box, Level.EVERYTHING)
    colleague.post(f"/emails/{pair.thread}/private", {"private": "1"})
    later = raw("Re: Offer", "The third.", sender=CARLA, message_id="<3@x>", reply_to="<2@x>")
    apart = raw("Other", "The fourth.", sender=CARLA, message_id="<4@x>")
    third, fourth = keep(colleague.workspace_id, pair.box, later, apart)
    assert "The fourth." in _page(member, f"/emails/message/{fourth}")
    glue = raw("Re: Other", "The fifth.", sender=CARLA, message_id="<5@x>", reply_to="<4@x>", headers=[("X-Kind", "glue")])
    glue = glue.replace(b"References: <4@x>", b"References: <4@x> <3@x>")
    (fifth,) = keep(colleague.workspace_id, pair.box, glue)
    assert conversation_of(member.workspace_id, fourth) == pair.thread
    for hidden in (pair.his, third, fourth, fifth):
        assert member.get(f"/emails/message/{hidden}").status_code == 404, hidden
        assert colleague.get(f"/emails/message/{hidden}").status_code == 200, hidden
    # Hers stays hers.
    assert "The first." in _page(member, f"/emails/message/{pair.both}")

    colleague.post(f"/emails/{pair.thread}/private")
    assert "The fourth." in _page(member, f"/emails/message/{fourth}")


def test_who_has_nothing_of_it_marks_nothing(member: Someone, colleague: Someone, stranger: Someone, pair: Pair) -> None:
    _level(colleague, pair.box, Level.EVERYTHING)
    assert member.post(f"/emails/message/{pair.his}/private", {"private": "1"}).status_code == 404
    assert member.get(f"/emails/message/{pair.his}").status_code == 200
    other = make_someone(member.workspace_id, role="admin")
    for nobody in (other, stranger):
        assert nobody.post(f"/emails/{pair.thread}/private", {"private": "1"}).status_code == 404
        assert nobody.post(f"/emails/message/{pair.his}/private", {"private": "1"}).status_code == 404
        assert nobody.get(f"/settings/integrations/{pair.box}/gain?level=everything").status_code == 404


def test_a_colleague_s_unread_and_files_are_not_told(member: Someone, colleague: Someone) -> None:
    box = connect(colleague)
    keep(colleague.workspace_id, box, raw("Budget", sender=CARLA, files=[("a.pdf", "application/pdf", b"x")]))
    with colleague.scope():
        run("UPDATE copy SET unread = true")
    _level(colleague, box, Level.SUBJECT)
    page = _page(member, "/emails?only=all")
    assert "Budget" in page
    assert '<li data-row class="thread">' in page
    assert "With files</span>" not in page
    assert "Budget" not in _page(member, "/emails?only=unread")
    assert "Budget" not in _page(member, "/emails?only=files")


def test_another_level_says_first_what_it_changes(member: Someone, colleague: Someone, pair: Pair) -> None:
    path = f"/settings/integrations/{pair.box}/gain?level="
    page = _page(colleague, path + "everything")
    assert "colleagues see more of 1 thread that is here now" in page
    assert "It concerns 1 person." in page
    assert _page(colleague, path + "only_me").strip() == ""
    _level(colleague, pair.box, Level.EVERYTHING)
    assert "colleagues see less of 1 thread" in _page(colleague, path + "subject")
    assert colleague.get(path + "nonsense").status_code == 204
    for nobody in (member,):
        assert nobody.get(path + "subject").status_code == 404


def test_a_change_of_level_is_saved_audited_and_rewrites_no_index(member: Someone, colleague: Someone, pair: Pair) -> None:
    with colleague.scope():
        run("UPDATE mailbox SET selection = 'all', import_from = now(), level = 'only_me' WHERE id = %s", [pair.box])
        before = rows("SELECT message_id, tok FROM search_row ORDER BY message_id")
    typed = {"selection": "all", "since": "as_now", "interval_s": "300", "level": "subject"}
    typed |= {"on_leave": "keep", "on_delete": "keep"}
    assert colleague.post(f"/settings/integrations/{pair.box}/settings", typed).status_code == 302
    with colleague.scope():
        assert rows("SELECT level FROM mailbox WHERE id = %s", [pair.box]) == [("subject",)]
        assert rows("SELECT count(*) FROM audit WHERE verb = 'level'") == [(1,)]
        assert rows("SELECT message_id, tok FROM search_row ORDER BY message_id") == before
    assert "Re: Offer" in _page(member, "/emails?only=all")


def test_what_is_preselected_is_the_admin_s_choice(member: Someone, colleague: Someone) -> None:
    assert colleague.post("/settings/team", {"what": "level", "default_level": "everything"}).status_code == 403
    assert member.post("/settings/team", {"what": "level", "default_level": "subject"}).status_code == 302
    box = connect(colleague, state="choosing")
    page = _page(colleague, f"/settings/integrations/{box}/settings")
    assert _checked(page) == ["subject"]
    with member.scope():
        do_default_level(workspace_id=member.workspace_id, level=Level.PEOPLE)
    assert "Preselected for new mailboxes" in _page(member, "/settings/team")
    assert "Preselected for new mailboxes" not in _page(colleague, "/settings/team")


def _checked(page: str) -> Sequence[str]:
    return re.findall(r'name="level" value="(\w+)"[^>]* checked', page)
