"""The model that judges the engine is judged here, by what it must and must not let pass; then histories that went wrong."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.simulation.history import (
    BringBack,
    Choose,
    Contact,
    Deliver,
    Expire,
    History,
    Limit,
    Relabel,
    Remove,
    Rest,
    Slice,
    make_history,
    shorten,
)
from tests.simulation.model import Kept, Letter, Mailbox, Model, Shown, disagreements, grouping_errors
from tests.simulation.stage import play

AT = datetime(2026, 6, 1, tzinfo=UTC)
LETTERS = {
    "one": Letter("<one>", frozenset({"ann@x.example"})),
    "two": Letter("<two>", frozenset({"bob@x.example"}), frozenset({"carl@x.example"}), frozenset({"<one>"})),
}
KEPT = (
    Kept("one", frozenset({"INBOX"}), unread=True, gone=False, message=1, conversation=1),
    Kept("two", frozenset({"INBOX"}), unread=True, gone=False, message=2, conversation=1),
)


def _model(selection: str = "all", labels: frozenset[str] = frozenset({"INBOX", "UNREAD"})) -> Model:
    model = Model()
    model.mailboxes[0] = Mailbox()
    model.choose(0, selection, frozenset({"INBOX"}), None)
    model.see(0, LETTERS, [Shown(one, f"thread {one}", AT, labels) for one in LETTERS])
    return model


def test_the_model_agrees_with_a_store_that_is_right() -> None:
    model = _model()
    assert disagreements(model, 0, KEPT, ()) == []
    assert grouping_errors(model, {0: KEPT}) == []


@pytest.mark.parametrize(
    "spoilt",
    [
        KEPT[:1],
        (KEPT[0], replace(KEPT[1], folders=frozenset())),
        (KEPT[0], replace(KEPT[1], unread=False)),
        (KEPT[0], replace(KEPT[1], gone=True)),
        (KEPT[0], replace(KEPT[1], binned=True)),
    ],
    ids=["missing", "elsewhere", "read", "gone", "in the bin"],
)
def test_the_model_sees_what_is_wrong_with_a_copy(spoilt: tuple[Kept, ...]) -> None:
    assert len(disagreements(_model(), 0, spoilt, ())) == 1


@pytest.mark.parametrize(
    "spoilt",
    [
        (KEPT[0], replace(KEPT[1], message=1)),
        (KEPT[0], replace(KEPT[1], conversation=2)),
    ],
    ids=["one message of two letters", "an answer in another conversation"],
)
def test_the_model_sees_what_is_grouped_wrongly(spoilt: tuple[Kept, ...]) -> None:
    assert len(grouping_errors(_model(), {0: spoilt})) == 1


@pytest.mark.parametrize("label", ["SPAM", "TRASH", "DRAFT"])
def test_the_model_lets_no_unfinished_mail_in(label: str) -> None:
    assert len(disagreements(_model(labels=frozenset({label})), 0, KEPT, ())) >= 2


def test_what_waits_for_room_is_not_missing() -> None:
    assert disagreements(_model(), 0, KEPT[:1], ["two"]) == []


def test_what_was_kept_stays_whatever_the_rules_say_later() -> None:
    model = _model()
    model.rest(0, KEPT)
    model.choose(0, "contacts", frozenset(), None)
    assert disagreements(model, 0, KEPT, ()) == []
    assert disagreements(model, 0, KEPT[:1], ()) == ["two is missing"]


def test_a_contact_in_reply_to_is_missed_only_where_it_was_reported() -> None:
    model = _model("contacts")
    model.meet(frozenset({"carl@x.example"}))
    assert model.must_hold(0) == set()
    assert model.may_hold(0) == {"two"}
    model.meet(frozenset({"bob@x.example"}))
    assert model.must_hold(0) == {"two"}


def test_what_was_removed_lies_in_the_bin_and_nothing_of_its_thread_comes_in() -> None:
    model = _model()
    model.remove(0, {"one"}, {"one", "two"}, thread=True)
    binned = replace(KEPT[0], binned=True)
    assert disagreements(model, 0, (binned, KEPT[1]), ()) == []
    assert disagreements(model, 0, KEPT, ()) == ["one lies out of the bin, and should not"]
    late = {**LETTERS, "late": Letter("<late>", frozenset())}
    inbox = frozenset({"INBOX", "UNREAD"})
    shown = [Shown(one, "thread one" if one == "late" else f"thread {one}", AT, inbox) for one in late]
    model.see(0, late, shown)
    later = replace(KEPT[1], provider_id="late", message=3, conversation=3)
    assert disagreements(model, 0, (binned, KEPT[1], later), ()) == ["late should not be here"]
    model.bring_back(0, "one")
    assert disagreements(model, 0, KEPT, ()) == ["late is missing"]


def test_who_is_on_a_list_lies_in_the_bin_until_he_is_taken_off_it() -> None:
    model = _model()
    model.exclude(0, "ann@x.example", {"one"})
    binned = replace(KEPT[0], binned=True)
    assert disagreements(model, 0, (binned, KEPT[1]), ()) == []
    assert disagreements(model, 0, KEPT, ()) == ["one lies out of the bin, and should not"]
    both = tuple(replace(one, binned=True) for one in KEPT)
    assert disagreements(model, 0, both, ()) == ["two lies in the bin, and should not"]
    model.exclude(0, "x.example", {"one", "two"})
    assert disagreements(model, 0, both, ()) == []
    model.include(0, frozenset())
    assert disagreements(model, 0, KEPT, ()) == []
    assert disagreements(model, 0, (binned, KEPT[1]), ()) == ["one lies in the bin, and should not"]


def test_what_was_emptied_from_the_bin_is_not_expected_any_more() -> None:
    model = _model()
    model.remove(0, {"one"}, {"one", "two"}, thread=False)
    model.empty(0, ["one"])
    assert disagreements(model, 0, KEPT[1:], ()) == []
    assert disagreements(model, 0, KEPT, ()) == ["one should not be here"]
    model.let_back(0)
    assert disagreements(model, 0, KEPT, ()) == []


def test_what_leaves_its_label_goes_with_its_thread_and_comes_back_with_it() -> None:
    model = Model()
    model.mailboxes[0] = Mailbox(leaves=True)
    model.choose(0, "labels", frozenset({"L"}), None)
    out, labelled = frozenset({"INBOX"}), frozenset({"INBOX", "L"})

    def shown(labels: frozenset[str]) -> list[Shown]:
        return [Shown(one, "thread", AT, labels) for one in LETTERS]

    here = [replace(one, folders=labelled, unread=False) for one in KEPT]
    model.see(0, LETTERS, shown(labelled))
    model.rest(0, here)
    model.see(0, LETTERS, shown(out))
    filed = [replace(one, folders=out) for one in here]
    binned = [replace(one, binned=True) for one in filed]
    assert len(disagreements(model, 0, filed, ())) == 2
    assert disagreements(model, 0, binned, ()) == []
    model.rest(0, binned)
    assert disagreements(model, 0, binned, ()) == []
    assert len(disagreements(model, 0, filed, ())) == 2
    model.see(0, LETTERS, shown(labelled))
    assert disagreements(model, 0, here, ()) == []
    assert len(disagreements(model, 0, [replace(one, binned=True) for one in here], ())) == 2


def test_what_hung_together_may_stay_together_and_must_where_it_still_does() -> None:
    model = _model()
    bridge = Letter("<bridge>", frozenset(), frozenset(), frozenset({"<two>", "<three>"}))
    letters = {**LETTERS, "three": Letter("<three>", frozenset()), "bridge": bridge}
    inbox = frozenset({"INBOX", "UNREAD"})
    model.see(0, letters, [Shown(one, f"thread {one}", AT, inbox) for one in letters])
    three = replace(KEPT[1], provider_id="three", message=3)
    assert grouping_errors(model, {0: (*KEPT, three)}) == [], "the bridge may have been here"
    assert grouping_errors(model, {0: (*KEPT, replace(three, conversation=3))}) == []
    whole = (*KEPT, three, replace(three, provider_id="bridge", message=4))
    assert grouping_errors(model, {0: whole}) == []
    assert len(grouping_errors(model, {0: (*whole[:2], replace(three, conversation=3), whole[3])})) == 1
    other = Letter("<other>", frozenset())
    model.see(0, letters | {"other": other}, [Shown(one, f"thread {one}", AT, inbox) for one in (*letters, "other")])
    assert len(grouping_errors(model, {0: (*whole, replace(three, provider_id="other", message=5))})) == 1


def test_a_seed_makes_the_same_history_everywhere() -> None:
    assert make_history(5) == make_history(5)
    assert make_history(5) != make_history(6)


def test_a_failing_history_is_shortened_to_what_fails() -> None:
    needed = (Contact((1,)), Rest())
    long: History = (*make_history(1), needed[0], *make_history(2), needed[1])
    fails: Callable[[History], bool] = lambda history: needed[0] in history and history[-1:] == needed[1:]  # noqa: E731
    assert shorten(long, fails) == needed


_LATER_CONTACT: History = (
    Contact((0,)),
    *(Deliver(0, 1, (2,)) for _ in range(7)),
    Choose(0, "contacts"),
    Rest(),
)

# The fifth mail has the subject of the first again, so that its answer lies in the same thread of the provider's.
_FOUR: History = (Deliver(0, 1, (2,)), *(Deliver(1, 1, (2,)) for _ in range(3)))

# Each was found wrong once: what it is, and the shortest history that showed it.
ONCE_WRONG: dict[str, History] = {
    "saving settings forgot what had happened to kept mail": (
        Deliver(1, 6, (), labels=("label 1",)),
        Choose(1, "labels", (1,)),
        Slice(1),
        Relabel(1, 0, add=("SPAM",)),
        Choose(1, "all"),
        Rest(),
    ),
    **{
        f"an address added while a contact's past was read, request {request}": (
            *_LATER_CONTACT,
            Contact((5,)),
            Slice(0, (), request, (Contact((5, 1), 1),)),
            Rest(),
        )
        for request in (1, 2, 4)
    },
    **{
        f"a thread removed while a later mail of it came in, request {request}": (
            *_FOUR,
            Choose(0, "all"),
            Rest(),
            Limit(0, None),
            *(Deliver(0, 3, (2,), answers=0) for _ in range(8)),
            Slice(0),
            Limit(None, None),
            Slice(0, (), request, (Remove(0, 0, thread=True),)),
            Rest(),
        )
        for request in (1, 3, 6, 8)
    },
    "a thread with its label again, while the history was lost, stayed in the bin": (
        Deliver(0, 1, (2,), labels=("INBOX", "label 0")),
        Choose(0, "labels", (0,)),
        Rest(),
        Relabel(0, 0, remove=("label 0",)),
        Rest(),
        Relabel(0, 0, add=("label 0",)),
        Expire(0),
        Rest(),
    ),
    "a thread brought back without what came later in it": (
        *_FOUR,
        Choose(0, "all"),
        Rest(),
        Remove(0, 0, thread=True),
        Deliver(0, 3, (2,), answers=0),
        Rest(),
        BringBack(0, 0),
        Rest(),
    ),
    **{
        f"history lost while a contact's past was read, request {request}": (
            *_LATER_CONTACT,
            Contact((1,)),
            Slice(0, (), request, (Expire(0),)),
            Rest(),
        )
        for request in (2, 5)
    },
}


@pytest.mark.needs_postgres
@pytest.mark.usefixtures("moving_clock")
@pytest.mark.parametrize("name", ONCE_WRONG)
def test_what_once_went_wrong_goes_right(name: str) -> None:
    play(ONCE_WRONG[name])
