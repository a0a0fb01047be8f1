"""The one ordered list of what comes in: total, ordered, and honest about what it did not look at."""

from dataclasses import fields, replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowcrm.rules.decide import KEPT, RULES, Answer, Facts, Policy, Verdict, decide

NAMES = [one.name for one in fields(Facts)]
FACTS = st.builds(Facts, **{name: st.sampled_from([True, False, None]) for name in NAMES})
POLICIES = st.builds(Policy, leave_members_out=st.booleans())

# Everything known, nothing in the way.
CLEAN = Facts(
    erased=False,
    privacy_named=False,
    thread_excluded=False,
    listed=False,
    manual=False,
    unfinished=False,
    members_only=False,
    before_since=False,
    selected=True,
    room=True,
)
LEAVE_OUT = Policy(leave_members_out=True)


@given(FACTS, POLICIES)
def test_every_combination_of_facts_has_one_answer_and_the_trace_ends_in_it(facts: Facts, policy: Policy) -> None:
    decision = decide(facts, policy)

    yes = [name for name, answer in decision.trace if answer is Answer.YES]
    if decision.verdict is Verdict.NEED:
        assert decision.need in NAMES
        assert getattr(facts, decision.need) is None
        assert yes == []
    elif decision.rule == KEPT:
        assert decision.verdict is Verdict.KEEP
        assert yes == []
        assert [name for name, _ in decision.trace] == [rule.name for rule in RULES]
    else:
        assert yes == [decision.rule]


@given(FACTS, POLICIES)
def test_learning_a_missing_fact_never_turns_a_skip_into_something_else(facts: Facts, policy: Policy) -> None:
    decision = decide(facts, policy)
    unknown = [name for name in NAMES if getattr(facts, name) is None]
    if decision.verdict is not Verdict.SKIP:
        return
    for name in unknown:
        for value in (True, False):
            assert decide(replace(facts, **{name: value}), policy).verdict is Verdict.SKIP


@given(FACTS, POLICIES)
def test_asking_for_what_is_needed_always_ends_in_a_decision(facts: Facts, policy: Policy) -> None:
    for _ in NAMES:
        decision = decide(facts, policy)
        if decision.verdict is not Verdict.NEED:
            break
        facts = replace(facts, **{decision.need or "": False})
    assert decide(facts, policy).verdict is not Verdict.NEED


@pytest.mark.parametrize("values", list(product([True, False], repeat=len(RULES))))
def test_with_all_facts_known_the_first_matching_rule_decides(values: tuple[bool, ...]) -> None:
    facts = Facts(**{rule.fact: value for rule, value in zip(RULES, values, strict=True)})
    first = next((rule for rule, value in zip(RULES, values, strict=True) if value is rule.matches), None)

    decision = decide(facts, LEAVE_OUT)

    assert decision.rule == (first.name if first else KEPT)
    assert decision.verdict is (first.verdict if first else Verdict.KEEP)


def test_an_unknown_earlier_rule_that_could_only_skip_does_not_hold_up_a_later_skip() -> None:
    decision = decide(replace(CLEAN, thread_excluded=None, unfinished=True), LEAVE_OUT)

    assert (decision.verdict, decision.rule) == (Verdict.SKIP, "draft_spam_trash")
    assert ("excluded", Answer.NOT_LOOKED_AT) in decision.trace


def test_an_unknown_log_by_hand_holds_up_every_later_skip_since_it_could_keep() -> None:
    decision = decide(replace(CLEAN, manual=None, unfinished=True), LEAVE_OUT)

    assert (decision.verdict, decision.need) == (Verdict.NEED, "manual")


def test_a_mail_beyond_the_limit_waits_only_if_it_would_be_kept() -> None:
    assert decide(replace(CLEAN, room=False), LEAVE_OUT).verdict is Verdict.WAIT
    assert decide(replace(CLEAN, room=False, selected=False), LEAVE_OUT).verdict is Verdict.SKIP
    assert decide(replace(CLEAN, room=False, selected=None), LEAVE_OUT).verdict is Verdict.NEED


def test_mail_among_members_is_capped_where_the_account_keeps_it() -> None:
    kept = decide(replace(CLEAN, members_only=True), Policy(leave_members_out=False))

    assert (kept.verdict, kept.capped) == (Verdict.KEEP, True)
    assert decide(replace(CLEAN, members_only=True), LEAVE_OUT).verdict is Verdict.SKIP
