"""What each plan allows. Limits are per workspace (claims K01, K46 to K49)."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Plan:
    """sync_per_day, stored: messages, None for no limit. attachment_bytes: one attachment, decoded."""

    key: str
    label: str | Promise
    email_integration: bool
    sync_per_day: int | None
    stored: int | None
    attachment_bytes: int


PLANS: dict[str, Plan] = {
    "starter": Plan("starter", _("Starter"), False, 0, None, 0),
    "professional": Plan("professional", _("Professional"), True, 10_000, 100_000, 50 * MIB),
    "enterprise": Plan("enterprise", _("Enterprise"), True, None, None, 100 * MIB),
}
