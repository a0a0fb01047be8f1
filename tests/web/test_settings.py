"""Settings: team, plan, profile, colours."""

from typing import Any

import pytest
from django.test import Client

from flowcrm.store.db import run
from flowcrm.store.queries.members import memberships
from flowcrm.store.writes.workspaces import do_set_plan
from tests.people import Someone, make_someone, make_workspace

pytestmark = pytest.mark.needs_postgres


def _page(answer: Any) -> str:
    return str(answer.content.decode())


def test_settings_begin_with_integrations(member: Someone) -> None:
    assert member.get("/settings")["Location"] == "/settings/integrations"


def test_the_team_shows_everybody_with_role(member: Someone, colleague: Someone) -> None:
    page = _page(colleague.get("/settings/team"))
    for expected in ("Mara Lindt", "Ben Keller", member.person.email, "Admin", "User"):
        assert expected in page


def test_the_plan_shows_what_is_used(member: Someone) -> None:
    with member.scope():
        run("UPDATE usage_total SET stored = 41200 WHERE workspace_id = %s", [member.workspace_id])
    page = _page(member.get("/settings/plan"))
    assert "<strong>41,200</strong>" in page
    assert "of 100,000 stored" in page
    assert "of 10,000 emails today" in page
    assert "50 MB" in page
    assert "flowcrm workspace plan" in page


def test_enterprise_has_no_limits(member: Someone) -> None:
    with member.scope():
        do_set_plan(workspace_id=member.workspace_id, plan="enterprise")
    page = _page(member.get("/settings/plan"))
    assert "stored, no limit" in page
    assert "<progress" not in page


@pytest.mark.parametrize("path", ["/settings/plan", "/settings/integrations"])
def test_starter_sees_what_it_lacks_and_who_can_change_it(path: str) -> None:
    member = make_someone(make_workspace(plan="starter"))
    page = _page(member.get(path))
    assert "Email integration needs the Professional or Enterprise plan." in page
    assert "Whoever runs this FlowCRM" in page


def test_a_profile_is_saved(member: Someone) -> None:
    assert member.post("/settings/profile", {"name": "Mara L.", "time_zone": "Asia/Tokyo"}).status_code == 302
    me = memberships(member.person.id)[0].member
    assert (me.name, me.time_zone) == ("Mara L.", "Asia/Tokyo")


@pytest.mark.parametrize(("name", "zone"), [("", "UTC"), ("Mara", "Mars/Olympus"), ("Mara", "../../etc/passwd")])
def test_a_profile_without_name_or_with_an_unknown_zone_is_refused(member: Someone, name: str, zone: str) -> None:
    assert member.post("/settings/profile", {"name": name, "time_zone": zone}).status_code == 200
    assert memberships(member.person.id)[0].member.time_zone == "Europe/Berlin"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_chosen_colours_stay_in_this_browser(member: Someone, theme: str) -> None:
    answer = member.post("/settings/theme", {"theme": theme, "next": "/contacts"})
    assert answer["Location"] == "/contacts"
    assert f'data-theme="{theme}"' in _page(member.get("/contacts"))
    member.post("/settings/theme", {"theme": "system"})
    assert "data-theme=" not in _page(member.get("/contacts")).split(">")[1]


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "http:///evil.example"])
def test_choosing_colours_leads_to_our_own_pages_only(back: str) -> None:
    assert Client().post("/settings/theme", {"theme": "dark", "next": back})["Location"] == "/"
