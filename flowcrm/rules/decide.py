"""What comes in: the one ordered list of DESIGN section 5, as a pure and total function.

The first rule that matches wins and every rule leaves a line in the trace. A fact may be unknown (None). An unknown earlier
rule that could only say `skip` does not hold up a later `skip` (its line says "not looked at"); before anything is kept,
every fact must be known, and the first missing one is asked for as `need`. Facts stand in the order of their price, since
the list does: what a listing says, then headers, then the mail.
"""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    KEEP = "keep"
    SKIP = "skip"
    WAIT = "wait"
    NEED = "need"


class Answer(StrEnum):
    """What one rule said of one mail."""

    YES = "yes"
    NO = "no"
    NOT_LOOKED_AT = "not_looked_at"
    NOT_REACHED = "not_reached"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one mail. None: not known yet."""

    erased: bool | None = False
    privacy_named: bool | None = None
    thread_excluded: bool | None = None
    listed: bool | None = False
    manual: bool | None = False
    unfinished: bool | None = None
    members_only: bool | None = None
    before_since: bool | None = None
    selected: bool | None = None
    room: bool | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """Which optional rules the account and the mailbox switched on."""

    leave_members_out: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """fact: its name in `Facts`; the rule matches when the fact equals `matches`."""

    name: str
    fact: str
    matches: bool
    verdict: Verdict


RULES: tuple[Rule, ...] = (
    Rule("erased", "erased", True, Verdict.SKIP),
    Rule("privacy_address", "privacy_named", True, Verdict.SKIP),
    Rule("excluded", "thread_excluded", True, Verdict.SKIP),
    Rule("exclusion_list", "listed", True, Verdict.SKIP),
    Rule("logged_by_hand", "manual", True, Verdict.KEEP),
    Rule("draft_spam_trash", "unfinished", True, Verdict.SKIP),
    Rule("members_only", "members_only", True, Verdict.SKIP),
    Rule("before_since", "before_since", True, Verdict.SKIP),
    Rule("not_selected", "selected", False, Verdict.SKIP),
    Rule("limit", "room", False, Verdict.WAIT),
)
KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Decision:
    """rule: the one that decided (`kept` when none objected). need: the name of the first missing fact, with verdict NEED;
    needs: of all that were found missing.

    capped: the copy may be seen by its owner only, whatever the mailbox's level says.
    """

    verdict: Verdict
    rule: str
    trace: tuple[tuple[str, Answer], ...]
    need: str | None = None
    capped: bool = False
    needs: tuple[str, ...] = ()


def decide(facts: Facts, policy: Policy) -> Decision:
    """The decision about one mail. Total: every combination of facts has exactly one answer."""
    answers: list[tuple[str, Answer]] = []
    missing: list[str] = []
    held_up = False
    for rule in RULES:
        value = getattr(facts, rule.fact)
        if rule.name == "members_only" and not policy.leave_members_out:
            answers.append((rule.name, Answer.NO))
        elif value is None:
            answers.append((rule.name, Answer.NOT_LOOKED_AT))
            missing.append(rule.fact)
            held_up = held_up or rule.verdict is not Verdict.SKIP
        elif value is not rule.matches:
            answers.append((rule.name, Answer.NO))
        elif missing and (held_up or rule.verdict is not Verdict.SKIP):
            return _need(missing, answers)
        else:
            return Decision(rule.verdict, rule.name, _trace(answers, rule), capped=_capped(rule.verdict, facts, policy))
    if missing:
        return _need(missing, answers)
    return Decision(Verdict.KEEP, KEPT, tuple(answers), capped=_capped(Verdict.KEEP, facts, policy))


def _need(missing: list[str], answers: list[tuple[str, Answer]]) -> Decision:
    return Decision(Verdict.NEED, "", tuple(answers), need=missing[0], needs=tuple(missing))


def _trace(answers: list[tuple[str, Answer]], matched: Rule) -> tuple[tuple[str, Answer], ...]:
    after = RULES[RULES.index(matched) + 1 :]
    return (*answers, (matched.name, Answer.YES), *((rule.name, Answer.NOT_REACHED) for rule in after))


def _capped(verdict: Verdict, facts: Facts, policy: Policy) -> bool:
    return verdict is Verdict.KEEP and bool(facts.members_only) and not policy.leave_members_out
