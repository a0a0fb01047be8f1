"""Which mails are one message, and which messages one conversation: the same whatever came first."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.pages import Mail, conversations, keep, messages, new_hold, new_workspace, stored

pytestmark = pytest.mark.needs_postgres

IDS = st.sampled_from(["a", "b", "c", "d", "e"])
MAILS = st.lists(
    st.builds(
        Mail,
        provider_id=st.just(""),
        key=st.none() | IDS,
        content=st.sampled_from(["hello", "hello + footer", "other", "third"]),
        core=st.just(""),
        names=st.lists(IDS, max_size=2).map(tuple),
        minute=st.integers(0, 3),
    ),
    min_size=1,
    max_size=12,
)


def test_the_same_mail_in_two_mailboxes_is_one_message_counted_once() -> None:
    workspace_id = new_workspace()
    anna, ben = new_hold(workspace_id), new_hold(workspace_id)

    keep(anna, [Mail("a1", "id-1", "text", "text")])
    result = keep(ben, [Mail("b1", "id-1", "text", "text")])

    assert messages(workspace_id) == {frozenset({"a1", "b1"})}
    assert (stored(workspace_id), result.stored, result.kept) == (1, 0, 1)


def test_a_footer_makes_a_variant_not_a_message() -> None:
    workspace_id = new_workspace()
    hold = new_hold(workspace_id)

    keep(hold, [Mail("1", "id-1", "text", "text"), Mail("2", "id-1", "text + list footer", "text")])

    assert messages(workspace_id) == {frozenset({"1", "2"})}


def test_a_forged_message_id_with_another_text_hides_nothing() -> None:
    workspace_id = new_workspace()
    hold = new_hold(workspace_id)

    keep(hold, [Mail("1", "id-1", "text", "text"), Mail("2", "id-1", "forged", "forged")])

    assert messages(workspace_id) == {frozenset({"1"}), frozenset({"2"})}


def test_a_mail_that_shows_two_messages_to_be_one_merges_them_into_the_first_stored() -> None:
    workspace_id = new_workspace()
    hold = new_hold(workspace_id)
    keep(hold, [Mail("1", "id-1", "text + banner", "text", minute=5)])
    keep(hold, [Mail("2", None, "text", "text", minute=1)])
    assert stored(workspace_id) == 2

    keep(hold, [Mail("3", "id-1", "text", "text", minute=9)])

    assert messages(workspace_id) == {frozenset({"1", "2", "3"})}
    assert stored(workspace_id) == 1


def test_a_repeated_page_doubles_nothing() -> None:
    workspace_id = new_workspace()
    hold = new_hold(workspace_id)
    page = [Mail("1", "id-1", "one", "one"), Mail("2", "id-2", "two", "two", names=("id-1",))]

    keep(hold, page)
    again = keep(hold, page)

    assert (again.kept, again.stored) == (0, 0)
    assert stored(workspace_id) == 2
    assert conversations(workspace_id) == {frozenset({"1", "2"})}


def test_answers_find_their_conversation_through_a_mail_that_comes_last() -> None:
    workspace_id = new_workspace()
    hold = new_hold(workspace_id)
    keep(hold, [Mail("1", "a", "first", "first")])
    keep(hold, [Mail("3", "c", "third", "third", names=("b",))])
    assert len(conversations(workspace_id)) == 2

    keep(hold, [Mail("2", "b", "second", "second", names=("a",))])

    assert conversations(workspace_id) == {frozenset({"1", "2", "3"})}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MAILS, st.randoms(use_true_random=False), st.integers(1, 4))
def test_order_and_paging_change_neither_identity_nor_conversations(
    drawn: list[Mail], shuffle: random.Random, page_size: int
) -> None:
    mails = [
        Mail(f"p{number}", one.key, one.content, one.content.split(" +")[0], one.names, one.minute)
        for number, one in enumerate(drawn)
    ]
    shuffled = list(mails)
    shuffle.shuffle(shuffled)
    in_order, mixed = new_workspace(), new_workspace()

    keep(new_hold(in_order), mails)
    hold = new_hold(mixed)
    for start in range(0, len(shuffled), page_size):
        keep(hold, shuffled[start : start + page_size])

    assert messages(in_order) == messages(mixed) == expected_messages(mails)
    assert conversations(in_order) == conversations(mixed) == expected_conversations(mails)
    assert stored(in_order) == stored(mixed) == len(expected_messages(mails))


def expected_messages(mails: Sequence[Mail]) -> set[frozenset[str]]:
    """The definition, said again without the store: equal content, or equal Message-ID and core."""
    ties = [[("content", one.content)] + ([("id", one.key, one.core)] if one.key else []) for one in mails]
    return components([one.provider_id for one in mails], ties)


def expected_conversations(mails: Sequence[Mail]) -> set[frozenset[str]]:
    """Messages that share an id, own or named, are one conversation; a message's copies always are."""
    parts = {provider_id: number for number, part in enumerate(expected_messages(mails)) for provider_id in part}
    ties = [
        [("part", parts[one.provider_id]), *(("mid", name) for name in one.names), *([("mid", one.key)] if one.key else [])]
        for one in mails
    ]
    return components([one.provider_id for one in mails], ties)


def components(names: Sequence[str], ties: Sequence[Sequence[object]]) -> set[frozenset[str]]:
    groups: list[tuple[set[str], set[object]]] = []
    for name, keys in zip(names, ties, strict=True):
        joined, together, apart = {name}, set(keys), []
        for members, known in groups:
            if known & together:
                joined |= members
                together |= known
            else:
                apart.append((members, known))
        # What was joined may reach a group that was passed over before: go round until nothing moves.
        while reach := [one for one in apart if one[1] & together]:
            for members, known in reach:
                joined |= members
                together |= known
                apart.remove((members, known))
        groups = [*apart, (joined, together)]
    return {frozenset(members) for members, _ in groups}
