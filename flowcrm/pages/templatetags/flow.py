"""Tags of our own: icons, avatars, moments in time, counts."""

import zlib
from datetime import datetime

from django import template
from django.template.context import Context
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from flowcrm.lib import clock
from flowcrm.pages.accounts import can_send_mail
from flowcrm.pages.http import MemberRequest
from flowcrm.pages.icons import ICONS
from flowcrm.pages.navigation import Link, links
from flowcrm.post.trouble import why
from flowcrm.store.db import workspace_scope
from flowcrm.store.queries import members
from flowcrm.store.queries.members import Counts

register = template.Library()

_AVATAR_HUES = 6
_DAYS_BY_NAME = 6


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon beside words that say the same; screen readers pass over it."""
    return format_html('<svg class="icon" viewBox="0 0 20 20" aria-hidden="true">{}</svg>', mark_safe(ICONS[name]))


@register.simple_tag
def avatar(name: str, seed: object, extra: str = "") -> SafeString:
    """A round sign for a person: initials on one of six tints; the same `seed` has the same tint everywhere."""
    hue = zlib.crc32(str(seed).encode()) % _AVATAR_HUES + 1
    return format_html('<span class="avatar hue-{} {}" aria-hidden="true">{}</span>', hue, extra, initials(name))


def initials(name: str) -> str:
    """First letters of the first and the last word ("Anna Maria Berg": AB); a question mark for no letters at all."""
    words = [word for word in name.replace("@", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


@register.simple_tag
def when(moment: datetime, extra: str = "") -> SafeString:
    """A moment as lists show it, in the viewer's zone: 14:32, Fri, 12 Nov or 12 Nov 2024; exact on hover."""
    return _time(moment, _short(timezone.localtime(moment), with_time=False), extra)


@register.simple_tag
def when_exactly(moment: datetime, extra: str = "") -> SafeString:
    """The same with the time of day: Today 14:32, Mon 9:05, 12 Nov 14:32."""
    return _time(moment, _short(timezone.localtime(moment), with_time=True), extra)


def _time(moment: datetime, shown: str, extra: str) -> SafeString:
    local = timezone.localtime(moment)
    exact = date_format(local, _("l, j F Y, H:i"))
    return format_html('<time datetime="{}" title="{}" class="number {}">{}</time>', local.isoformat(), exact, extra, shown)


def _short(local: datetime, *, with_time: bool) -> str:
    today = timezone.localtime(clock.now()).date()
    time, days = date_format(local, _("H:i")), (today - local.date()).days
    if days == 0:
        return f"{_('Today')} {time}" if with_time else time
    if 0 < days <= _DAYS_BY_NAME:
        day = date_format(local, "D")
    else:
        day = date_format(local, _("j M") if local.year == today.year else _("j M Y"))
    return f"{day} {time}" if with_time else day


@register.inclusion_tag("parts/nav.html", takes_context=True)
def navigation(context: Context) -> dict[str, tuple[Link, ...]]:
    """The side navigation with its counts."""
    request = context["request"]
    return {"links": links(request.path, _counts(request), admin=request.member.is_admin)}


@register.inclusion_tag("parts/nav.html", takes_context=True)
def navigation_outside(context: Context) -> dict[str, tuple[Link, ...]]:
    """The same on pages whose view runs outside the workspace's scope (allauth's)."""
    with workspace_scope(context["request"].workspace.id):
        return navigation(context)


@register.inclusion_tag("parts/bell.html", takes_context=True)
def bell(context: Context) -> dict[str, int]:
    """The bell with how many notices the member has not read."""
    return {"unread": _counts(context["request"]).notices}


@register.inclusion_tag("parts/bell.html", takes_context=True)
def bell_outside(context: Context) -> dict[str, int]:
    """The same on pages whose view runs outside the workspace's scope (allauth's)."""
    with workspace_scope(context["request"].workspace.id):
        return bell(context)


def _counts(request: MemberRequest) -> Counts:
    """What the frame of one page says in figures: asked once for its navigation and its bell."""
    if not hasattr(request, "counts"):
        request.counts = members.counts(request.workspace.id, request.member)
    return request.counts


@register.simple_tag(name="can_send_mail")
def mail_can_be_sent() -> bool:
    """Whether a forgotten password can be replaced by email."""
    return can_send_mail()


@register.filter
def at_most(count: int, most: int = members.COUNT_AT_MOST) -> str:
    """A figure with separators; "10,000+" where counting stopped."""
    return f"{most:,}+" if count > most else f"{count:,}"


@register.filter
def why_not_sent(reason: str) -> str:
    """Why an email of ours did not go, from the reason that was stored."""
    return why(reason)


@register.filter
def figure(count: int) -> str:
    """A figure with separators."""
    return f"{count:,}"
