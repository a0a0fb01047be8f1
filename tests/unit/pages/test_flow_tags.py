"""Initials, moments and figures as pages show them."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from flowcrm.lib import clock
from flowcrm.pages.icons import ICONS
from flowcrm.pages.navigation import links
from flowcrm.pages.templatetags.flow import at_most, avatar, icon, initials, when, when_exactly
from flowcrm.store.queries.members import Counts


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Anna Berg", "AB"),
        ("Anna Maria von Berg", "AB"),
        ("anna", "A"),
        ("émile dubois", "ÉD"),
        ("anna@nordlicht.example", "AN"),
        ("  ", "?"),
        ("(Support)", "?"),
        ("李 小龍", "李小"),
    ],
)
def test_initials_are_the_first_letters_of_first_and_last_word(name: str, expected: str) -> None:
    assert initials(name) == expected


def test_a_name_cannot_break_out_of_its_avatar() -> None:
    assert "<b>" not in avatar("<b> <i>", 1)


def test_one_person_has_one_tint() -> None:
    assert avatar("Anna", 7) == avatar("Anna", 7)
    assert len({re.search(r"hue-\d", avatar("Anna", seed))[0] for seed in range(100)}) == 6  # type: ignore[index]


@pytest.mark.parametrize("name", ICONS)
def test_every_icon_is_a_closed_drawing(name: str) -> None:
    drawn = icon(name)
    assert drawn.startswith("<svg")
    assert drawn.count("<") == drawn.count(">")
    assert re.fullmatch(r"(<(path|circle|rect)( [a-z-]+=\"[\w .,-]+\")+/>)+", ICONS[name])


def _shown(moment: datetime) -> tuple[str, str]:
    listed, exact = when(moment), when_exactly(moment)
    return listed.split(">")[1].removesuffix("</time"), exact.split(">")[1].removesuffix("</time")


@pytest.mark.usefixtures("moving_clock")
def test_a_moment_is_told_by_its_distance_in_the_viewers_zone() -> None:
    noon = datetime(2099, 11, 18, 12, 0, tzinfo=UTC)  # a Wednesday
    clock.advance((noon - clock.now()).total_seconds())
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert _shown(noon) == ("21:00", "Today 21:00")
        assert _shown(noon - timedelta(days=5)) == ("Fri", "Fri 21:00")
        assert _shown(noon - timedelta(days=8)) == ("10 Nov", "10 Nov 21:00")
        assert _shown(noon - timedelta(days=400)) == ("14 Oct 2098", "14 Oct 2098 21:00")
        assert _shown(noon + timedelta(days=1)) == ("19 Nov", "19 Nov 21:00")
        assert "Wednesday, 18 November 2099, 21:00" in when(noon)


def test_counting_stops_somewhere() -> None:
    assert at_most(9_999) == "9,999"
    assert at_most(10_001) == "10,000+"


def test_the_navigation_marks_the_room_and_the_page() -> None:
    def marked(path: str) -> list[tuple[str, str]]:
        shown = links(path, Counts(3, 1))
        return [(str(one.label), one.here) for link in shown for one in (link, *link.inner) if one.here]

    assert marked("/contacts") == [("Contacts", "page")]
    assert marked("/contacts/12/emails") == [("Contacts", "true")]
    assert marked("/settings/plan") == [("Settings", "true"), ("Plan", "page")]
    assert marked("/contactsheet") == []
    assert [link.count for link in links("/", Counts(3, 1))] == [None, 3, 1, None, None]
