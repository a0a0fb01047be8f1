"""The account's plan with how much of it is used, as the plan page and Integrations show it."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils import timezone

from flowcrm.lib import clock
from flowcrm.pages.words import PLANS as WORDS
from flowcrm.pages.words import Option
from flowcrm.store.models import Workspace
from flowcrm.store.plans import MIB, PLANS
from flowcrm.store.queries.members import Usage, usage

# From this part of a limit on, its bar warns.
_NEARLY = 0.9


@dataclass(frozen=True, slots=True)
class Meter:
    """used of most; most None: without a limit."""

    used: int
    most: int | None

    @property
    def nearly_full(self) -> bool:
        return self.most is not None and self.used >= _NEARLY * self.most


@dataclass(frozen=True, slots=True)
class PlanView:
    """attachment_mb: 0 where there is no email integration. plans: every plan there is, by key."""

    key: str
    words: Option
    email_integration: bool
    today: Meter
    stored: Meter
    attachment_mb: int
    plans: tuple[tuple[str, Option], ...]


def plan_view(workspace: Workspace) -> PlanView:
    """Inside the workspace's scope; one statement."""
    plan = PLANS[workspace.plan]
    used: Usage = usage(workspace.id, timezone.localdate(clock.now(), ZoneInfo(workspace.time_zone)))
    return PlanView(
        plan.key,
        WORDS[plan.key],
        plan.email_integration,
        Meter(used.today, plan.sync_per_day),
        Meter(used.stored, plan.stored),
        plan.attachment_bytes // MIB,
        tuple(WORDS.items()),
    )
