"""A banner or a footer that ingest does not know makes a second message of one mail, until the job has looked."""

import random
from collections.abc import Sequence

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowcrm.store.access import operator
from flowcrm.store.db import row, rows, run, workspace_scope
from flowcrm.store.queries.threads import emails_of, threads_of_mine
from flowcrm.store.vaults import key_store
from flowcrm.store.writes.nearby import do_join_near
from flowcrm.sync.nearby import join_nearby
from tests.flow.killing import kill_while_it_waits
from tests.mail_helper import connect, keep, raw
from tests.people import Someone, colleague, make_someone, make_workspace, member

__all__ = ["colleague", "member"]
pytestmark = pytest.mark.needs_postgres

ID = "<hull@nordlicht.example>"
TEXT = (
    "Hello Ben,\n\nthank you for the visit last week. We have gone through the drawings of the hull once more and would\n"
    "like to change two of the frames near the stern, since the new engine is longer than the one that the yard had in mind.\n"
    "Could you tell us until Friday whether the steel for it is still in stock, or what it would cost to have it cut?\n\nAnna\n"
)
FORGED = TEXT.replace("until Friday whether", "until Friday, and pay to DE00 4711, whether")
BANNER = "Heads up! Somebody who does not work here wrote this.\n\n"
FOOTER = "\nharbour-list: settings at https://lists.harbour.example/harbour\n"


def mail(text: str, **more: object) -> bytes:
    return raw("Hull", text, message_id=ID, **more)  # type: ignore[arg-type]


def compare() -> None:
    join_nearby(stop=lambda: False)


def groups(workspace_id: int) -> set[frozenset[int]]:
    """Which mails are one message, by the order in which they came."""
    with workspace_scope(workspace_id):
        found = rows("SELECT message_id FROM copy WHERE workspace_id = %s ORDER BY id", [workspace_id])
    by_message: dict[int, set[int]] = {}
    for number, (message_id,) in enumerate(found):
        by_message.setdefault(message_id, set()).add(number)
    return {frozenset(one) for one in by_message.values()}


def waiting(workspace_id: int) -> int:
    with workspace_scope(workspace_id):
        return len(rows("SELECT 1 FROM nearby"))


def test_a_mail_with_an_unknown_banner_becomes_one_with_the_first_stored(member: Someone, colleague: Someone) -> None:
    [first] = keep(member.workspace_id, connect(member), mail(TEXT, to="ben@acme.example"))
    [second] = keep(member.workspace_id, connect(colleague), mail(BANNER + TEXT, to="ben@acme.example, carla@acme.example"))
    assert first < second
    assert groups(member.workspace_id) == {frozenset({0}), frozenset({1})}

    compare()

    with member.scope():
        looking = operator(member.workspace_id)
        [thread] = threads_of_mine(looking).threads
        assert [one.message_id for one in emails_of(looking, thread.conversation_id).emails] == [first]
        assert row("SELECT stored FROM usage_total") == (1,)
        assert rows("SELECT DISTINCT message_id FROM variant") == [(first,)]
        # Both copies' people are found under it.
        assert row("SELECT count(DISTINCT h_address) FROM participant") == (3,)
        assert rows("SELECT message_id FROM search_row") == [(first,)]
        assert rows("SELECT DISTINCT message_id FROM message_key") == [(first,)]
        assert row("SELECT count(*) FROM audit") == (0,)
    assert waiting(member.workspace_id) == 0


def test_both_conversations_are_one_afterwards_and_the_later_id_stays_an_alias(member: Someone) -> None:
    mailbox_id = connect(member)
    first, second = keep(member.workspace_id, mailbox_id, mail(TEXT), mail(TEXT + FOOTER))
    with member.scope():
        # As if it had been split by hand: nothing else keeps copies with one Message-ID in two conversations.
        run("INSERT INTO conversation (workspace_id, id) SELECT %s, nextval('flow_id')", [member.workspace_id])
        run("UPDATE message SET conversation_id = (SELECT max(id) FROM conversation) WHERE id = %s", [second])

    compare()

    with member.scope():
        [(kept,)] = rows("SELECT conversation_id FROM message WHERE id = %s", [first])
        assert rows("SELECT alias_of FROM conversation WHERE id <> %s", [kept]) == [(kept,)]


@pytest.mark.parametrize(
    "other",
    [
        mail(FORGED),
        mail(TEXT + "We have seen another yard, and it is cheaper.\n" * 40),
        mail(BANNER + TEXT, files=[("plan.pdf", "application/pdf", b"%PDF other")]),
        mail(BANNER + TEXT).replace(b"08:00:00", b"08:00:01"),
        raw("Re: Hull", "[EXTERNAL] Gladly.\n\n" + "".join(f"> {line}\n" for line in TEXT.splitlines()), reply_to=ID),
    ],
    ids=["forged inside", "forged below", "another file", "another second", "a reply"],
)
def test_what_is_another_mail_stays_another_message(member: Someone, other: bytes) -> None:
    keep(member.workspace_id, connect(member), mail(TEXT), other)

    compare()

    assert groups(member.workspace_id) == {frozenset({0}), frozenset({1})}
    assert waiting(member.workspace_id) == 0


def test_equal_attachments_do_not_keep_copies_apart(member: Someone) -> None:
    files = [("plan.pdf", "application/pdf", b"%PDF plan")]
    keep(member.workspace_id, connect(member), mail(TEXT, files=files), mail(TEXT + FOOTER, files=files))

    compare()

    assert groups(member.workspace_id) == {frozenset({0, 1})}


def test_nothing_is_noted_where_the_keys_have_said_it_all(member: Someone) -> None:
    keep(member.workspace_id, connect(member), mail(TEXT), mail(TEXT + "\n-- \nAnna\n"), mail(TEXT), raw("Other", TEXT))

    assert waiting(member.workspace_id) == 0


def test_more_than_twenty_variants_of_one_id_are_left_alone(member: Someone) -> None:
    mails = [mail(TEXT.replace("two", str(number))) for number in range(19)]
    keep(member.workspace_id, connect(member), *mails, mail(TEXT), mail(TEXT + FOOTER))

    compare()

    assert len(groups(member.workspace_id)) == 21
    assert waiting(member.workspace_id) == 0


def test_twenty_variants_are_compared(member: Someone) -> None:
    mails = [mail(TEXT.replace("two", str(number))) for number in range(18)]
    keep(member.workspace_id, connect(member), *mails, mail(TEXT), mail(TEXT + FOOTER))

    compare()

    assert len(groups(member.workspace_id)) == 19


def test_what_a_page_has_joined_meanwhile_is_joined_once(member: Someone) -> None:
    mailbox_id = connect(member)
    keep(member.workspace_id, mailbox_id, mail(TEXT), mail(TEXT + FOOTER), mail(BANNER + TEXT))
    with member.scope():
        variants = [one for (one,) in rows("SELECT id FROM variant ORDER BY id")]
    pairs = [(variants[0], variants[1]), (variants[0], variants[2])]

    assert do_join_near(member.workspace_id, pairs=pairs, compared=variants) == 2
    assert do_join_near(member.workspace_id, pairs=pairs, compared=variants) == 0

    with member.scope():
        assert row("SELECT count(*), (SELECT stored FROM usage_total) FROM message") == (1, 1)


def test_a_variant_that_came_while_others_were_compared_keeps_its_note(member: Someone) -> None:
    mailbox_id = connect(member)
    keep(member.workspace_id, mailbox_id, mail(TEXT), mail(TEXT + FOOTER))
    with member.scope():
        seen = [one for (one,) in rows("SELECT id FROM variant ORDER BY id")]
    keep(member.workspace_id, mailbox_id, mail(BANNER + TEXT))

    do_join_near(member.workspace_id, pairs=[(seen[0], seen[1])], compared=seen)
    assert waiting(member.workspace_id) == 1
    compare()

    assert groups(member.workspace_id) == {frozenset({0, 1, 2})}


def test_a_text_that_does_not_open_stays_a_message_and_holds_up_no_other(member: Someone) -> None:
    mails = [mail(TEXT), mail(TEXT + FOOTER), mail(BANNER + TEXT)]
    keep(member.workspace_id, connect(member), *mails)
    with member.scope():
        run("UPDATE variant SET s_body = 'broken' WHERE id = (SELECT max(id) FROM variant)")

    compare()

    assert groups(member.workspace_id) == {frozenset({0, 1}), frozenset({2})}
    assert waiting(member.workspace_id) == 0


def test_an_account_without_keys_holds_up_no_other_and_loses_nothing(member: Someone) -> None:
    erased = make_someone(make_workspace())
    for one in (erased, member):
        keep(one.workspace_id, connect(one), mail(TEXT), mail(TEXT + FOOTER))
    key_store().destroy_workspace(erased.workspace_id)

    compare()

    assert groups(member.workspace_id) == {frozenset({0, 1})}
    assert waiting(erased.workspace_id) == 2
    with erased.scope():
        run("DELETE FROM nearby")


def test_a_worker_that_is_told_to_stop_leaves_the_rest_for_the_next(member: Someone) -> None:
    keep(member.workspace_id, connect(member), mail(TEXT), mail(TEXT + FOOTER))

    join_nearby(stop=lambda: True)
    assert waiting(member.workspace_id) == 2
    compare()

    assert groups(member.workspace_id) == {frozenset({0, 1})}


DRAWN = st.tuples(st.sampled_from([TEXT, FORGED]), st.booleans(), st.booleans())


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(DRAWN, min_size=2, max_size=6, unique=True), st.randoms(use_true_random=False))
def test_neither_the_order_nor_the_moment_of_the_job_changes_what_is_one(
    drawn: list[tuple[str, bool, bool]], chance: random.Random
) -> None:
    results = []
    for _ in range(2):
        order = list(drawn)
        chance.shuffle(order)
        owner = make_someone(make_workspace())
        mailbox_id = connect(owner)
        for text, banner, footer in order:
            keep(owner.workspace_id, mailbox_id, mail(BANNER * banner + text + FOOTER * footer))
            if chance.random() < 0.4:
                compare()
        compare()
        results.append({frozenset(order[number] for number in group) for group in groups(owner.workspace_id)})
        with owner.scope():
            assert row("SELECT stored FROM usage_total") == (len(results[-1]),)
            assert row("SELECT count(*) FROM message") == (len(results[-1]),)

    assert results[0] == results[1] == expected(drawn)


def expected(drawn: Sequence[tuple[str, bool, bool]]) -> set[frozenset[tuple[str, bool, bool]]]:
    """The definition, said again without texts: the same words, and one of both has all that the other has around it."""
    found: list[set[tuple[str, bool, bool]]] = []
    for one in drawn:
        near = [group for group in found if any(_ties(one, other) for other in group)]
        found = [group for group in found if group not in near] + [{one}.union(*near)]
    return {frozenset(group) for group in found}


def _ties(one: tuple[str, bool, bool], other: tuple[str, bool, bool]) -> bool:
    less, more = sorted((one, other), key=lambda mail: mail[1] + mail[2])
    return less[0] == more[0] and less[1] <= more[1] and less[2] <= more[2]


def test_a_worker_killed_in_the_middle_of_a_merge_has_changed_nothing(member: Someone, database: dict[str, str]) -> None:
    first, second = keep(member.workspace_id, connect(member), mail(TEXT), mail(TEXT + FOOTER))
    before = _everything(member)

    # Whoever holds the later message's row stops the job right before its last steps, when most has been written.
    with psycopg.connect(database["owner"]) as holding:
        holding.execute(
            "SELECT 1 FROM message WHERE workspace_id = %s AND id = %s FOR KEY SHARE", [member.workspace_id, second]
        )
        kill_while_it_waits(database, "from flowcrm.sync.nearby import join_nearby\njoin_nearby(stop=lambda: False)")
    assert _everything(member) == before

    compare()

    assert groups(member.workspace_id) == {frozenset({0, 1})}
    with member.scope():
        assert row("SELECT min(id), count(*), (SELECT stored FROM usage_total) FROM message") == (first, 1, 1)


def _everything(one: Someone) -> list[object]:
    tables = "message message_key variant copy participant search_row conversation mid usage_total nearby"
    with one.scope():
        return [sorted(map(repr, rows(f"SELECT * FROM {table}"))) for table in tables.split()]
